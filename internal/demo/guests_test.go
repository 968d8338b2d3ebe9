package demo

import (
	"net/http"
	"strings"
	"testing"
)

// ask makes a request under another name, if host is not "".
func (v *outsider) ask(t *testing.T, method, address, host string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

func (v *outsider) methods(t *testing.T) {
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/demo/clock", 405, "POST"},
		{"PUT", "/demo/clock", 405, "POST"},
		{"DELETE", "/demo/inbox", 405, "GET, HEAD"},
		{"POST", "/demo", 405, "GET, HEAD"},
		{"GET", "/demo/nope", 404, ""},
		{"POST", "/demo/nope", 404, ""},
		{"PUT", "/demo/inbox/mail_1/nope", 404, ""},
	} {
		resp := v.ask(t, c.method, v.base+c.path, "")
		if resp.StatusCode != c.status || resp.Header.Get("Allow") != c.allow || !strings.Contains(resp.Header.Get("Permissions-Policy"), "payment=()") {
			t.Errorf("%s %s answers %d, Allow %q; want %d, %q", c.method, c.path, resp.StatusCode, resp.Header.Get("Allow"), c.status, c.allow)
		}
	}
}

// names calls the demo, the portal and the stand-in by names of their own and by others'.
func (v *outsider) names(t *testing.T) {
	stripe := v.state().StripeAPI
	for _, address := range []string{v.base + "/demo/state.json", v.base + "/demo/inbox.json", stripe + "/inbox.json"} {
		for host, ours := range map[string]bool{
			"": true, "localhost": true, "LocalHost:8080": true, "127.0.0.1": true, "[::1]:8080": true,
			"rebound.example": false, "rebound.example:8080": false, "127.0.0.1.rebound.example": false, "localhost.rebound.example": false, "::1": false, "[::1]x": false,
		} {
			resp := v.ask(t, "GET", address, host)
			if ours != (resp.StatusCode == http.StatusOK) || !ours && resp.StatusCode != http.StatusMisdirectedRequest && resp.StatusCode != http.StatusBadRequest {
				t.Errorf("%s called %q answers %d", address, host, resp.StatusCode)
			}
		}
	}
}
