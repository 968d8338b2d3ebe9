package portal_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var wildcard = regexp.MustCompile(`\{[a-z]+\}`)

// NUL and bytes that are not UTF-8, wherever they stand in what a form or an address of any route carries: a clear 400 and
// never a failure of ours, on both engines alike.
func TestWhatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	ask := func(method, address string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, h.base+"/", strings.NewReader(form.Encode()))
		u, err := url.Parse(h.base + address)
		if err != nil {
			t.Fatal(err)
		}
		r.URL, r.RequestURI = u, address
		r.Header.Set("Origin", h.base)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		w := httptest.NewRecorder()
		h.portal.Web.ServeHTTP(w, r)
		return w
	}
	check := func(what string, w *httptest.ResponseRecorder, want int) {
		t.Helper()
		if w.Code != want || w.Body.Len() == 0 {
			t.Errorf("%s: %d, want %d", what, w.Code, want)
		}
	}
	posts := 0
	for _, route := range everyRoute(t) {
		method, path, _ := strings.Cut(route, " ")
		if method != "GET" && method != "POST" {
			continue
		}
		path = strings.ReplaceAll(path, "{$}", "")
		plain := wildcard.ReplaceAllString(path, "x")
		token := strings.HasPrefix(path, "/l/") || strings.HasPrefix(path, "/pay/stop/")
		for _, bad := range []string{"%00", "a%00b", "%ff", "%c3%28", "%ed%a0%80"} {
			addresses := []string{plain + "?q=" + bad, plain + "?press=x&" + bad + "=1"}
			if wildcard.MatchString(path) {
				addresses = append(addresses, wildcard.ReplaceAllString(path, bad))
			}
			for _, address := range addresses {
				got := ask(method, address, nil)
				switch {
				case token && got.Code == http.StatusTooManyRequests:
				case token: // one that opens nothing, like any other
					check(method+" "+address, got, http.StatusNotFound)
				default:
					check(method+" "+address, got, http.StatusBadRequest)
				}
			}
		}
		if method != "POST" || strings.HasPrefix(path, "/embed/") || path == "/webhooks/stripe" { // those take JSON
			continue
		}
		posts++
		for _, bad := range []string{"\x00", "a\x00b", "\xff", "\xed\xa0\x80"} {
			check(route+" with a value", ask(method, plain, url.Values{"reference": {"in_1", bad}}), http.StatusBadRequest)
			check(route+" with a name", ask(method, plain, url.Values{bad: {"x"}}), http.StatusBadRequest)
		}
	}
	if posts < 50 {
		t.Errorf("only %d routes take forms", posts)
	}
	// What only looks odd is somebody's own writing.
	w := ask("POST", "/pay/genuine", url.Values{"reference": {"Łódź \u202e😀\u2028"}})
	if w.Code >= 400 {
		t.Errorf("odd, but text: %d", w.Code)
	}
}
