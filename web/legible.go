package web

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"sollecito/internal/fault"
)

// errIllegible answers text that no form, link or page of ours sends (not UTF-8, or with a NUL). It is refused before
// anybody works with it, because the two databases treat it differently.
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

// legibleAddress reports whether path and query can be read. Addresses that end in a mail's token are let through:
// illegible text there is just an unknown token, since only its hash is looked for, and what mail servers on the way append
// to a link must keep nobody out.
func legibleAddress(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, "/l/") || strings.HasPrefix(r.URL.Path, "/pay/stop/") {
		return true
	}
	return legible(r.URL.Path) && legibleForm(r.URL.Query())
}
