package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A long migration gets nobody killed, and nobody is sent to a portal that does not stand yet.
func TestTheGateAnswersUntilThePortalStands(t *testing.T) {
	g := &gate{}
	ask := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w
	}
	if w := ask("GET", "/healthz"); w.Code != http.StatusOK {
		t.Errorf("alive: %d", w.Code)
	}
	for _, path := range []string{"/readyz", "/pay", "/webhooks/stripe"} {
		w := ask("POST", path)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "starting") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest("GET", "/pay", nil)
	r.Header.Set("Accept", "text/html,application/xhtml+xml")
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Refresh") == "" || !strings.Contains(w.Body.String(), "<h1>One moment, please</h1>") {
		t.Errorf("a browser sees %d %s", w.Code, w.Body)
	}
	g.open(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	if w := ask("GET", "/readyz"); w.Code != http.StatusTeapot {
		t.Errorf("open: %d", w.Code)
	}
}
