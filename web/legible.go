package web

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"sollecito/internal/fault"
)

// errIllegible answers what no form, link or page of ours sends: it is refused before anybody works with it, since the two
// databases do not take it alike.
var errIllegible = badRequest{fault.New(fault.Invalid, "What was sent holds characters that are none: NUL, or bytes that are not UTF-8.")}

func legible(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// legibleForm reports whether all names and values of a form can be read.
func legibleForm(form url.Values) bool {
	for name, values := range form {
		if !legible(name) {
			return false
		}
		for _, value := range values {
			if !legible(value) {
				return false
			}
		}
	}
	return true
}

// legibleAddress reports whether path and query can be read. What stands where a token stands is an unknown token like any
// other: only its hash is looked for. What a mail's other stations hang onto a link is not looked at, so that it keeps nobody
// out.
func legibleAddress(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, "/l/") || strings.HasPrefix(r.URL.Path, "/pay/stop/") {
		return true
	}
	return legible(r.URL.Path) && legibleForm(r.URL.Query())
}
