package static_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"sollecito/static"
)

func assets(t *testing.T) *static.Assets {
	t.Helper()
	a, err := static.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func get(h http.Handler, method, path string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFilesAreServedForEverUnderTheirHash(t *testing.T) {
	a := assets(t)
	for name, contentType := range map[string]string{
		"pay.css": "text/css; charset=utf-8", "desk.css": "text/css; charset=utf-8", "pay.js": "text/javascript; charset=utf-8",
		"favicon.svg": "image/svg+xml", "embed/v1.js": "text/javascript; charset=utf-8",
	} {
		path := a.Path(name)
		if !regexp.MustCompile(`^/static/[a-z0-9/]+\.[0-9a-f]{12}\.(css|js|svg)$`).MatchString(path) {
			t.Errorf("%s is at %s", name, path)
		}
		answer := get(a, "GET", path)
		want, err := static.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != 200 || body(t, answer.Body) != string(want) {
			t.Errorf("%s answers %d and not the file", path, answer.StatusCode)
		}
		for header, want := range map[string]string{
			"Content-Type": contentType, "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff", "Content-Encoding": "",
		} {
			if got := answer.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", path, header, got, want)
			}
		}
		again := get(a, "GET", path, "If-None-Match", "W/"+answer.Header.Get("ETag"))
		if again.StatusCode != http.StatusNotModified || body(t, again.Body) != "" {
			t.Errorf("%s answers %d to its own ETag", path, again.StatusCode)
		}
		head := get(a, "HEAD", path)
		if head.StatusCode != 200 || body(t, head.Body) != "" {
			t.Errorf("HEAD %s answers %d with a body", path, head.StatusCode)
		}
	}
}

func TestGzipOnlyForThoseWhoTakeIt(t *testing.T) {
	a := assets(t)
	path := a.Path("pay.css")
	for accepts, zipped := range map[string]bool{
		"gzip": true, "br, gzip;q=0.5": true, "*": true, "GZIP": true,
		"": false, "br": false, "gzip;q=0": false, "gzip; q=0.000": false, "*;q=0": false, "gzip;q=0, *": false,
	} {
		answer := get(a, "GET", path, "Accept-Encoding", accepts)
		if got := answer.Header.Get("Content-Encoding") == "gzip"; got != zipped {
			t.Errorf("Accept-Encoding %q: gzip is %v, want %v", accepts, got, zipped)
		}
		if answer.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: Vary is %q", accepts, answer.Header.Get("Vary"))
		}
	}
	zipped, plain := get(a, "GET", path, "Accept-Encoding", "gzip"), get(a, "GET", path)
	if zipped.Header.Get("ETag") == plain.Header.Get("ETag") {
		t.Error("two different bodies share one ETag")
	}
	r, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body(t, r) != body(t, plain.Body) {
		t.Error("the compressed file is another file")
	}
}

func TestNothingElseIsServed(t *testing.T) {
	a := assets(t)
	for _, path := range []string{"/static/", "/static/pay.css", "/static/static.go", "/static/embed/", "/static/embed", a.Path("no.css"), "/static/../static.go", "/", a.Path("pay.css") + "/"} {
		answer := get(a, "GET", path)
		if answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d", path, answer.StatusCode)
		}
	}
	answer := get(a, "POST", a.Path("pay.css"))
	if answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST answers %d, Allow %q", answer.StatusCode, answer.Header.Get("Allow"))
	}
}

func TestPlainKeepsItsAddress(t *testing.T) {
	a := assets(t)
	script, err := a.Plain("embed/v1.js", "public, max-age=300")
	if err != nil {
		t.Fatal(err)
	}
	answer := get(script, "GET", "/embed/v1.js")
	if answer.StatusCode != 200 || answer.Header.Get("Cache-Control") != "public, max-age=300" || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/javascript") {
		t.Errorf("answers %d with %v", answer.StatusCode, answer.Header)
	}
	_, err = a.Plain("no.js", "")
	if err == nil {
		t.Error("a file that is not there is served")
	}
}

// The styles must hold under the pages' Content-Security-Policy, and reach out to nobody.
func TestStylesFetchNothing(t *testing.T) {
	for _, name := range []string{"pay.css", "desk.css"} {
		css, err := static.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`@import|url\(|//[a-z]`).Match(css) {
			t.Errorf("%s fetches something", name)
		}
		if strings.Count(string(css), "{") != strings.Count(string(css), "}") {
			t.Errorf("%s has unbalanced braces", name)
		}
	}
}

// The merchant's own files stand beside the shipped ones or in their place, under names of their own content.
func TestTheMerchantsOwnFiles(t *testing.T) {
	shipped := assets(t).Path("pay.css")
	a, err := static.New(map[string][]byte{"pay.css": []byte("a{}"), "brand-logo.png": []byte("\x89PNG")})
	if err != nil {
		t.Fatal(err)
	}
	if a.Path("pay.css") == shipped || get(a, "GET", shipped).StatusCode != http.StatusNotFound {
		t.Error("the shipped style sheet is still served")
	}
	if got := body(t, get(a, "GET", a.Path("pay.css")).Body); got != "a{}" {
		t.Errorf("the style sheet is %q", got)
	}
	if got := get(a, "GET", a.Path("brand-logo.png")).Header.Get("Content-Type"); got != "image/png" {
		t.Errorf("the logo is %s", got)
	}
	_, err = static.New(map[string][]byte{"logo.exe": nil})
	if err == nil {
		t.Error("a file of any kind is served")
	}
}
