package web

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
)

const (
	secret    = "the-new-secret-of-thirty-two-bytes"
	oldSecret = "the-old-secret-of-thirty-two-bytes"
	appOrigin = "https://app.lumen.example"
)

// sign makes a token as a merchant's server would, with the claims changed.
func (h *house) sign(customer, role string, change ...func(jwt.MapClaims)) string {
	h.t.Helper()
	claims := jwt.MapClaims{
		"iss": "merchant", "aud": "portal-embed", "sub": customer, "role": role,
		"iat": h.clock().Unix(), "exp": h.clock().Add(time.Hour).Unix(), "jti": "1",
	}
	for _, c := range change {
		c(claims)
	}
	return h.signed(jwt.SigningMethodHS256, []byte(secret), claims)
}

func (h *house) signed(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	h.t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	must(h.t, err)
	return token
}

// ask calls the embed API with a token.
func (h *house) ask(method, path, token, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	return w
}

func (h *house) state(token string) (banner, int) {
	h.t.Helper()
	w := h.ask("GET", "/embed/v1/state", token, "")
	var b banner
	if w.Code == http.StatusOK {
		must(h.t, json.Unmarshal(w.Body.Bytes(), &b))
	}
	return b, w.Code
}

func code(w *httptest.ResponseRecorder) string {
	var p struct{ Code string }
	if json.Unmarshal(w.Body.Bytes(), &p) != nil {
		return "no JSON"
	}
	return p.Code
}

func TestEmbedTokens(t *testing.T) {
	h := newHouse(t)
	set := func(name string, value any) func(jwt.MapClaims) {
		return func(c jwt.MapClaims) { c[name] = value }
	}
	drop := func(name string) func(jwt.MapClaims) { return func(c jwt.MapClaims) { delete(c, name) } }
	ago := func(d time.Duration) int64 { return h.clock().Add(-d).Unix() }
	claims := jwt.MapClaims{"iss": "merchant", "aud": "portal-embed", "sub": "cus_1", "iat": ago(0), "exp": ago(-time.Hour)}
	header, rest, _ := strings.Cut(h.sign("cus_1", "billing"), ".")
	payload, _, _ := strings.Cut(rest, ".")
	for name, c := range map[string]struct{ token, code string }{
		"ours":                   {h.sign("cus_1", "billing"), ""},
		"the secret before":      {h.signed(jwt.SigningMethodHS256, []byte(oldSecret), claims), ""},
		"clock a little ahead":   {h.sign("cus_1", "billing", set("iat", ago(-20*time.Second))), ""},
		"none":                   {"", "token_missing"},
		"no token at all":        {"hello", "token_invalid"},
		"alg none":               {h.signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims), "token_invalid"},
		"another algorithm":      {h.signed(jwt.SigningMethodHS512, []byte(secret), claims), "token_invalid"},
		"another key":            {h.signed(jwt.SigningMethodHS256, []byte("somebody else's secret"), claims), "token_invalid"},
		"empty key":              {h.signed(jwt.SigningMethodHS256, []byte(""), claims), "token_invalid"},
		"signature cut off":      {header + "." + payload + ".", "token_invalid"},
		"expired":                {h.sign("cus_1", "billing", set("iat", ago(time.Hour)), set("exp", ago(time.Second))), "token_expired"},
		"expired by another":     {h.signed(jwt.SigningMethodHS256, []byte("x"), jwt.MapClaims{"exp": ago(time.Hour)}), "token_invalid"},
		"never expires":          {h.sign("cus_1", "billing", drop("exp")), "token_invalid"},
		"lives too long":         {h.sign("cus_1", "billing", set("exp", ago(-time.Hour-time.Second))), "token_too_long"},
		"made nobody knows when": {h.sign("cus_1", "billing", drop("iat")), "token_invalid"},
		"made tomorrow":          {h.sign("cus_1", "billing", set("iat", ago(-24*time.Hour)), set("exp", ago(-25*time.Hour))), "token_invalid"},
		"for somebody else":      {h.sign("cus_1", "billing", set("aud", "api")), "token_invalid"},
		"for nobody":             {h.sign("cus_1", "billing", drop("aud")), "token_invalid"},
		"about a NUL":            {h.sign("cus_\x00", "billing"), "token_invalid"},
		"from nobody":            {h.sign("cus_1", "billing", drop("iss")), "token_invalid"},
		"about nobody":           {h.sign("", "billing"), "token_invalid"},
		"about something else":   {h.sign("in_1", "billing"), "token_invalid"},
	} {
		for _, call := range []struct{ method, path, body string }{{"GET", "/embed/v1/state", ""}, {"POST", "/embed/v1/events", `{"type":"clicked"}`}} {
			w := h.ask(call.method, call.path, c.token, call.body, "Origin", appOrigin)
			if c.code == "" && w.Code != http.StatusNoContent {
				t.Errorf("%s at %s: %d %s", name, call.path, w.Code, w.Body)
			}
			if c.code != "" && (w.Code != http.StatusUnauthorized || code(w) != c.code || w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Access-Control-Allow-Origin") != appOrigin) {
				t.Errorf("%s at %s: %d %s, want %s", name, call.path, w.Code, w.Body, c.code)
			}
		}
	}
	off := newHouse(t, func(o *Options) { o.EmbedSecrets = nil })
	w := off.ask("GET", "/embed/v1/state", off.signed(jwt.SigningMethodHS256, []byte(""), claims), "")
	if w.Code != http.StatusNotFound || code(w) != "embed_off" {
		t.Errorf("without a secret: %d %s", w.Code, w.Body)
	}
}

func TestEmbedOrigins(t *testing.T) {
	h := newHouse(t)
	token := h.sign("cus_1", "billing")
	for origin, allowed := range map[string]bool{
		appOrigin: true, "http://pay.lumen.example": true, "": false, "null": false, "https://evil.example": false, "http://app.lumen.example": false,
		"https://app.lumen.example.evil.example": false, "https://app.lumen.example:8443": false, "https://APP.lumen.example": false,
	} {
		headers := []string{}
		if origin != "" {
			headers = append(headers, "Origin", origin)
		}
		preflight := h.ask("OPTIONS", "/embed/v1/link", "", "", append(headers, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type")...)
		for _, w := range []*httptest.ResponseRecorder{preflight, h.ask("GET", "/embed/v1/state", token, "", headers...)} {
			want := ""
			if allowed {
				want = origin
			}
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != want || !strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Origin") || w.Code != http.StatusNoContent {
				t.Errorf("%q: %d for %q", origin, w.Code, got)
			}
			if w.Header().Get("Access-Control-Allow-Credentials") != "" || len(w.Header().Values("Set-Cookie")) > 0 {
				t.Errorf("%q: cookies are in play", origin)
			}
		}
		if allowed && (preflight.Header().Get("Access-Control-Max-Age") != "7200" || preflight.Header().Get("Access-Control-Allow-Methods") != "POST" || !strings.Contains(preflight.Header().Get("Access-Control-Allow-Headers"), "Authorization")) {
			t.Errorf("%q: the preflight allows %v", origin, preflight.Header())
		}
	}
}

// A page that asks in a way an address does not take can read why, as any other refusal.
func TestEmbedTellsOfAWrongMethod(t *testing.T) {
	h := newHouse(t)
	for path, takes := range map[string]string{"/embed/v1/state": "GET, HEAD, OPTIONS", "/embed/v1/link": "POST, OPTIONS", "/embed/v1/events": "POST, OPTIONS"} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			if strings.HasPrefix(takes, method) {
				continue
			}
			w := h.ask(method, path, h.sign("cus_1", "billing"), "", "Origin", appOrigin)
			if w.Code != http.StatusMethodNotAllowed || code(w) != "method_not_allowed" || w.Header().Get("Allow") != takes ||
				w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Access-Control-Allow-Origin") != appOrigin {
				t.Errorf("%s %s: %d %v %s", method, path, w.Code, w.Header(), w.Body)
			}
			w = h.ask(method, path, "", "", "Origin", "https://evil.example")
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s %s from elsewhere: %d %v", method, path, w.Code, w.Header())
			}
		}
	}
}

// TestNoticeFollowsTheCase walks a case from its first step to limited access and back to paid, and checks what the
// app is told at each point.
func TestNoticeFollowsTheCase(t *testing.T) {
	h := newHouse(t)
	told := func(who, want string) banner {
		t.Helper()
		b, status := h.state(h.sign("cus_1", who))
		got := b.State
		if status == http.StatusNoContent {
			got = "nothing"
		}
		if got != want {
			t.Fatalf("the app is told %q, want %q", got, want)
		}
		return b
	}
	event := func(who, body string) {
		t.Helper()
		w := h.ask("POST", "/embed/v1/events", h.sign("cus_1", who), body)
		if w.Code != http.StatusNoContent {
			t.Fatalf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	told("billing", "nothing") // we never heard of the customer
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	told("billing", "nothing") // no step was taken yet
	h.step("cus_1", outbox.Sent)

	b := told("billing", "notice")
	if b.Amount.Text != "€29.00" || b.Amount.Minor != 2900 || b.Text.CTA != "Pay €29.00" || !strings.HasPrefix(b.Text.Body, "Everything works until Monday") || b.Wall != "none" || b.Reason != "money" || b.PollSeconds != 300 {
		t.Errorf("the notice is %+v", b)
	}
	it, _ := h.state(h.sign("cus_1", "billing", func(c jwt.MapClaims) { c["lang"] = "it-IT" }))
	if it.Lang != "it" || it.Text.Title == b.Text.Title || it.Amount.Text != "29,00\u00a0€" {
		t.Errorf("in Italian it is %+v", it)
	}
	for _, role := range []string{"member", "owner", ""} {
		b := told(role, "notice")
		drawn, err := json.Marshal(b)
		must(t, err)
		if b.Amount != nil || b.Text.CTA != "" || strings.Contains(string(drawn), "29") || strings.Contains(string(drawn), "money") || b.AccessEndsAt != "" {
			t.Errorf("the role %q learns %s", role, drawn)
		}
	}
	event("member", `{"type":"shown"}`)
	if h.appNotice("cus_1", "first") != outbox.Queued {
		t.Error("what a member saw counts as told to the customer")
	}
	event("member", `{"type":"dismissed"}`)
	event("billing", `{"type":"shown"}`)
	if h.appNotice("cus_1", "first") != outbox.Sent {
		t.Error("the notice was shown and is not sent")
	}
	event("billing", fmt.Sprintf(`{"type":"snoozed","until":%d}`, h.clock().Add(30*24*time.Hour).Unix()))
	told("billing", "nothing")
	h.later(24 * time.Hour) // the longest it may be put off
	told("billing", "notice")

	h.do(func(tx *sql.Tx) error {
		return h.cases.Pause(t.Context(), tx, h.caseIn(tx, "cus_1"), dunning.PauseStaff, "", "Ines", time.Time{}, h.clock())
	})
	told("billing", "nothing")
	h.do(func(tx *sql.Tx) error {
		return h.cases.Resume(t.Context(), tx, h.caseIn(tx, "cus_1"), "Ines", h.clock())
	})

	h.step("cus_1", outbox.Sent)
	told("billing", "past_due")
	h.step("cus_1", outbox.Sent)
	h.do(func(tx *sql.Tx) error { return dunning.StopSending(t.Context(), tx, "Ines", "", h.clock()) })
	told("billing", "grace_ending") // its like was seen before: what stops is what has not begun
	h.do(func(tx *sql.Tx) error { return dunning.ResumeSending(t.Context(), tx) })
	if b := told("billing", "grace_ending"); !strings.Contains(b.Text.Title, "Your access will be limited on") || b.AccessEndsAt == "" || b.Severity != "critical" {
		t.Errorf("the ending grace is %+v", b)
	}
	h.step("cus_1", outbox.Sent)
	b = told("billing", "restricted")
	if b.Dismissible || b.Text.Dismiss != "" || b.Wall != "soft" {
		t.Errorf("limited access is %+v", b)
	}
	event("billing", `{"type":"snoozed"}`)
	told("billing", "restricted") // cannot be put off
	h.pays("cus_1")
	told("billing", "nothing")
}

// Another renewal fails of whom something is taken away already: the app says on why the door is closed, though the new case
// has told nothing yet, or nothing may leave.
func TestAClosedDoorIsToldThroughTheNextFailure(t *testing.T) {
	h := newHouse(t)
	_, key := h.key("the app")
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	for h.caseOf("cus_1").Status == dunning.Open {
		h.step("cus_1", outbox.Sent)
	}
	was, status := h.state(h.sign("cus_1", "billing"))
	if status != http.StatusOK || was.Wall == "none" {
		t.Fatalf("after the last step: %d %+v", status, was)
	}
	ended := h.caseOf("cus_1")
	h.later(24 * time.Hour)
	again := h.invoice("cus_1", "insufficient_funds")
	again.ID, again.Number = "in_again", "LS-again"
	h.hear(billing.Customer{ID: "cus_1", Name: "Chiara Bellini", Email: "cus_1@bellini.example", Country: "IT", DefaultMethod: "pm_cus_1", CreatedAt: 1}, again)
	if c := h.caseOf("cus_1"); c.ID == ended.ID || c.Status != dunning.Open || c.Access != ended.Access {
		t.Fatalf("the next failure: %+v", c)
	}
	for _, stopped := range []bool{false, true} {
		if stopped {
			h.do(func(tx *sql.Tx) error { return dunning.StopSending(t.Context(), tx, "Ines", "", h.clock()) })
		}
		b, status := h.state(h.sign("cus_1", "billing"))
		access := h.told("/api/v1/customers/cus_1/access", key)["access"]
		if status != http.StatusOK || b.State != was.State || b.Wall != was.Wall || b.State != access || b.Amount.Minor != 5800 {
			t.Errorf("before the first message, sending stopped %t: %d %+v, and the API says %v", stopped, status, b, access)
		}
	}
}

func (h *house) appNotice(customer, step string) outbox.Status {
	h.t.Helper()
	var status outbox.Status
	h.do(func(tx *sql.Tx) error {
		all, err := outbox.OfCustomer(h.t.Context(), tx, customer)
		for _, n := range all {
			if n.Channel == outbox.App && n.Step == step {
				status = n.Status
			}
		}
		return err
	})
	return status
}

func TestNoticeSaysWhatHelps(t *testing.T) {
	for declined, want := range map[string]struct{ state, button, reason string }{
		"authentication_required": {"action_required", "Approve €29.00", "authentication"},
		"expired_card":            {"notice", "Update your card", "expired"},
		"stolen_card":             {"notice", "Update your card", "generic"},
		"do_not_honor":            {"notice", "Pay €29.00", "generic"},
	} {
		h := newHouse(t, func(o *Options) { o.TestMode = true })
		h.fails("cus_1", "Chiara Bellini", declined)
		h.step("cus_1", outbox.Sent)
		b, _ := h.state(h.sign("cus_1", "billing"))
		if b.State != want.state || b.Text.CTA != want.button || b.Reason != want.reason || b.PollSeconds != 15 {
			t.Errorf("%s: %+v", declined, b)
		}
	}
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	h.step("cus_1", outbox.Sent)
	var c billing.Customer
	h.do(func(tx *sql.Tx) (err error) { c, err = billing.FindCustomer(t.Context(), tx, "cus_1"); return err })
	debit := h.invoice("cus_1", "insufficient_funds")
	debit.IntentStatus = "processing"
	h.hear(c, debit)
	b, _ := h.state(h.sign("cus_1", "billing"))
	if b.State != "processing" || b.Text.CTA != "" || b.Amount != nil || b.Text.Dismiss != "Close" {
		t.Errorf("a bank debit under way: %+v", b)
	}
}

func TestQueuedNoticeWaitsWhileSendingIsStopped(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	h.step("cus_1", outbox.Sent)
	h.do(func(tx *sql.Tx) error { return dunning.StopSending(t.Context(), tx, "Ines", "", h.clock()) })
	w := h.ask("POST", "/embed/v1/events", h.sign("cus_1", "billing"), `{"type":"shown"}`)
	if _, status := h.state(h.sign("cus_1", "billing")); status != http.StatusNoContent || w.Code != http.StatusNoContent || h.appNotice("cus_1", "first") != outbox.Queued {
		t.Error("a new notice starts while all sending is stopped")
	}
}

func TestUnchangedStateIsNotSentAgain(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	h.step("cus_1", outbox.Sent)
	token := h.sign("cus_1", "billing")
	etag := h.ask("GET", "/embed/v1/state", token, "").Header().Get("ETag")
	again := h.ask("GET", "/embed/v1/state", token, "", "If-None-Match", `W/"x", `+etag)
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 || again.Header().Get("Cache-Control") != "private, no-cache" {
		t.Errorf("%d %v", again.Code, again.Header())
	}
	if w := h.ask("GET", "/embed/v1/state", h.sign("cus_1", "member"), "", "If-None-Match", etag); w.Code != http.StatusOK {
		t.Errorf("a member gets the other's: %d", w.Code)
	}
}

func TestLinkOfTheNotice(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	w := h.ask("POST", "/embed/v1/link", h.sign("cus_1", "member"), "{}")
	if w.Code != http.StatusForbidden || code(w) != "ask_admin" || !strings.Contains(w.Body.String(), "whoever looks after billing") {
		t.Errorf("a member: %d %s", w.Code, w.Body)
	}
	if w := h.ask("POST", "/embed/v1/link", h.sign("cus_unknown", "billing"), "{}"); w.Code != http.StatusNotFound || code(w) != "customer_unknown" {
		t.Errorf("an unknown customer: %d %s", w.Code, w.Body)
	}
	w = h.ask("POST", "/embed/v1/link", h.sign("cus_1", "billing"), "{}")
	var made struct {
		URL       string    `json:"url"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	must(t, json.Unmarshal(w.Body.Bytes(), &made))
	if w.Code != http.StatusOK || !made.ExpiresAt.Equal(h.clock().Add(10*time.Minute)) || !strings.HasPrefix(made.URL, "http://pay.lumen.example/l/") || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	at, err := url.Parse(made.URL)
	must(t, err)
	h.visitor().get(at.Path).leadsTo(t, "/pay") // whoever fetches it first burns nothing
	h.visitor().get(at.Path).leadsTo(t, "/pay")
	h.later(10 * time.Minute)
	if a := h.visitor().get(at.Path); a.StatusCode != http.StatusNotFound {
		t.Errorf("after its time: %d", a.StatusCode)
	}
	if strings.Contains(h.log.String(), strings.TrimPrefix(at.Path, "/l/")) {
		t.Error("the link's token stands in the log")
	}
}

func TestEventsAreChecked(t *testing.T) {
	h := newHouse(t)
	token := h.sign("cus_1", "billing")
	for body, want := range map[string]struct {
		status int
		code   string
	}{
		`{"type":"shown"}`:                      {http.StatusNoContent, "no JSON"},
		`{"type":"exploded"}`:                   {http.StatusUnprocessableEntity, "event_unknown"},
		`{}`:                                    {http.StatusUnprocessableEntity, "event_unknown"},
		`{"type":"snoozed","until":"some day"}`: {http.StatusUnprocessableEntity, "until_invalid"},
		`not json`:                              {http.StatusBadRequest, "body_invalid"},
		`{"type":"` + strings.Repeat("x", 5000) + `"}`: {http.StatusRequestEntityTooLarge, "too_large"},
	} {
		w := h.ask("POST", "/embed/v1/events", token, body)
		if w.Code != want.status || code(w) != want.code {
			t.Errorf("%.40s: %d %s", body, w.Code, w.Body)
		}
	}
}

func TestCallsAreCountedPerCustomer(t *testing.T) {
	h := newHouse(t)
	first, second := h.sign("cus_1", "billing"), h.sign("cus_2", "billing")
	for range mostCalls {
		h.state(first)
	}
	w := h.ask("GET", "/embed/v1/state", first, "")
	if w.Code != http.StatusTooManyRequests || code(w) != "too_many" || w.Header().Get("Retry-After") == "" {
		t.Errorf("past the limit: %d %s", w.Code, w.Body)
	}
	if _, status := h.state(second); status != http.StatusNoContent {
		t.Errorf("another customer is held up: %d", status)
	}
	h.later(time.Minute)
	if _, status := h.state(first); status != http.StatusNoContent {
		t.Errorf("after a minute: %d", status)
	}
}
