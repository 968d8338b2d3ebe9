package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sollecito/internal/link"
)

func TestHealth(t *testing.T) {
	var stands Readiness
	h := newHouse(t, func(o *Options) { o.Ready = func() Readiness { return stands } })
	ok := Check{Name: "database", Status: OK}
	for _, c := range []struct {
		path   string
		checks []Check
		status int
		says   string
	}{
		{"/healthz", nil, http.StatusOK, `{"status":"ok"}`},
		{"/readyz", []Check{ok}, http.StatusOK, `{"status":"ok","checks":[{"name":"database","status":"ok"}]}`},
		{
			"/readyz", []Check{ok, {"sending", Notice, "All sending is stopped by the switch."}},
			http.StatusOK, `{"status":"ok","checks":[{"name":"database","status":"ok"},{"name":"sending","status":"notice","reason":"All sending is stopped by the switch."}]}`,
		},
		{
			"/readyz", []Check{{"mail", Degraded, "Mails wait."}, ok},
			http.StatusOK, `{"status":"degraded","reason":"Mails wait.","checks":[{"name":"mail","status":"degraded","reason":"Mails wait."},{"name":"database","status":"ok"}]}`,
		},
		{
			"/readyz", []Check{{"mail", Degraded, "Mails wait."}, {"database", Failed, "Nothing can be kept."}},
			http.StatusServiceUnavailable, `{"status":"unavailable","reason":"Nothing can be kept.","checks":[{"name":"mail","status":"degraded","reason":"Mails wait."},{"name":"database","status":"failed","reason":"Nothing can be kept."}]}`,
		},
		{"/healthz", []Check{{"database", Failed, "Nothing can be kept."}}, http.StatusOK, `{"status":"ok"}`},
	} {
		stands.Checks = c.checks
		w := h.ask("GET", c.path, "", "")
		if w.Code != c.status || strings.TrimSpace(w.Body.String()) != c.says {
			t.Errorf("%s: %d %s", c.path, w.Code, w.Body)
		}
	}
}

// Only a doctor that knows the session key is told how its call arrived; to everybody else /healthz says one word.
func TestTheDoctorIsToldHowItsCallArrived(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	h := newHouse(t, func(o *Options) { o.ProofKey = key })
	call := func(nonce, proof string) *link.Arrival {
		r := httptest.NewRequest("GET", "/healthz", nil)
		r.RemoteAddr = "192.0.2.7:1234"
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		r.Header.Set(link.DoctorNonce, nonce)
		r.Header.Set(link.DoctorProof, proof)
		w := httptest.NewRecorder()
		h.server.ServeHTTP(w, r)
		var said struct {
			Arrival *link.Arrival `json:"arrival"`
		}
		err := json.Unmarshal(w.Body.Bytes(), &said)
		if err != nil || w.Code != http.StatusOK {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
		return said.Arrival
	}
	got := call("n1", link.Proof(key, link.ProofOfDoctor, "n1"))
	if got == nil || got.Client != "192.0.2.7" || got.Peer != "192.0.2.7" || got.Forwarded != "203.0.113.9" || !link.Proves(got.Proof, key, link.ProofOfPortal, "n1") {
		t.Errorf("%+v", got)
	}
	for _, c := range [][2]string{
		{"n1", ""}, {"n2", link.Proof(key, link.ProofOfDoctor, "n1")}, {"n1", link.Proof("another key", link.ProofOfDoctor, "n1")},
		{"n1", link.Proof(key, link.ProofOfPortal, "n1")}, {"", link.Proof(key, link.ProofOfDoctor, "")},
	} {
		if got := call(c[0], c[1]); got != nil {
			t.Errorf("%q: %+v", c, got)
		}
	}
}
