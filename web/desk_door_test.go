package web

import (
	"database/sql"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sollecito/internal/fault"
	"sollecito/internal/link"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
)

func TestStaffComeInByEnrolmentAndPassword(t *testing.T) {
	h := newHouse(t)
	b := h.visitor()
	b.get("/admin/customers/cus_1?act=pause").leadsTo(t, "/admin/signin?back=%2Fadmin%2Fcustomers%2Fcus_1%3Fact%3Dpause")
	if a := b.post("/admin/sending/stop", "reason", "x"); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("a form sent by nobody: %d", a.StatusCode)
	}
	token, err := h.members.Add(t.Context(), "ada@lumen.example", "", staff.Agent)
	must(t, err)
	door := "/admin/enrol/" + token
	if got := b.page(door).Find(`form[method=post]`).AttrOr("action", ""); got != door {
		t.Errorf("the enrolment form leads to %q", got)
	}
	for _, c := range []struct{ name, password, field string }{
		{"", "a sentence nobody guesses", "name"}, {"Ada", "short", "password"},
	} {
		a := b.post(door, "name", c.name, "password", c.password)
		d := a.document(t)
		if a.StatusCode != http.StatusUnprocessableEntity || d.Find("#"+c.field+"[aria-invalid=true]").Length() != 1 || d.Find("#password").AttrOr("value", "") != "" {
			t.Errorf("%s refused: %d\n%s", c.field, a.StatusCode, words(d.Find("main")))
		}
	}
	b.post(door, "name", "Ada", "password", "a sentence nobody guesses").leadsTo(t, "/admin")
	if got := words(b.page("/admin").Find(".who p")); got != "Ada, agent" {
		t.Errorf("signed in as %q", got)
	}
	if a := h.visitor().get(door); a.StatusCode != http.StatusNotFound || strings.Contains(a.body, "<form class=\"sheet") {
		t.Errorf("the used address answers %d", a.StatusCode)
	}
	b.post("/admin/signout").leadsTo(t, "/admin/signin")
	b.get("/admin").leadsTo(t, "/admin/signin?back=%2Fadmin")

	refused := b.post("/admin/signin", "email", "ada@lumen.example", "password", "wrong", "back", "/admin/inbox")
	d := refused.document(t)
	if refused.StatusCode != http.StatusUnprocessableEntity || d.Find("[role=alert]").Length() != 1 || d.Find("#email").AttrOr("value", "") != "ada@lumen.example" || d.Find("[name=back]").AttrOr("value", "") != "/admin/inbox" {
		t.Errorf("a wrong password: %d\n%s", refused.StatusCode, refused.body)
	}
	wait := b.post("/admin/signin", "email", "ada@lumen.example", "password", "a sentence nobody guesses")
	if wait.StatusCode != http.StatusTooManyRequests || wait.Header.Get("Retry-After") == "" || !strings.Contains(wait.body, "Please wait") {
		t.Errorf("at once after a failure: %d", wait.StatusCode)
	}
	for i, back := range []string{"//evil.example/admin", "https://evil.example/admin/", "/pay", `/\evil.example`, "/adminevil"} {
		h.later(time.Hour)
		a := h.visitor().post("/admin/signin", "email", "ada@lumen.example", "password", "a sentence nobody guesses", "back", back)
		if a.Header.Get("Location") != "/admin" {
			t.Errorf("%d: back to %q leads to %q", i, back, a.Header.Get("Location"))
		}
	}
	if strings.Contains(h.log.String(), token) || strings.Contains(h.log.String(), "nobody guesses") {
		t.Error("a secret stands in the log")
	}
}

func TestStaffCookieIsStrict(t *testing.T) {
	for base, want := range map[string]string{
		"http://127.0.0.1:8080":     "sollecito-staff=…; Path=/; HttpOnly; SameSite=Strict",
		"https://pay.lumen.example": "__Host-sollecito-staff=…; Path=/; HttpOnly; Secure; SameSite=Strict",
	} {
		h := newHouse(t, func(o *Options) { o.Addresses = link.NewAddresses(base) })
		_, err := h.members.Add(t.Context(), "ada@lumen.example", "Ada", staff.Viewer)
		must(t, err)
		all, err := h.members.List(t.Context())
		must(t, err)
		w := httptest.NewRecorder()
		must(t, h.server.SignInAs(w, httptest.NewRequest("POST", "/", nil), all[0].ID))
		name, rest, _ := strings.Cut(w.Header().Get("Set-Cookie"), "=")
		_, flags, _ := strings.Cut(rest, ";")
		if got := name + "=…;" + flags; got != want {
			t.Errorf("%s: %s, want %s", base, got, want)
		}
	}
}

// TestEachRouteAsksForItsRight walks the whole table with every role and with nobody. What a role may not do changes
// nothing; what it does on a customer's record or on the state of things leaves exactly one line in the log.
func TestEachRouteAsksForItsRight(t *testing.T) {
	// What the routes that must leave a line are asked with; all others are asked with nothing.
	forms := map[string]url.Values{
		"POST /admin/cases/{id}/pause":          {"reason": {"Pays late this month"}},
		"POST /admin/conversations/{id}/reply":  {"text": {"We are looking into it."}},
		"POST /admin/sending/stop":              {"reason": {"Wrong text"}},
		"POST /admin/cases/{id}/resume":         {},
		"POST /admin/cases/{id}/announce":       {},
		"POST /admin/customers/{id}/revoke":     {},
		"POST /admin/customers/{id}/mail-again": {},
		"POST /admin/cases/{id}/release":        {},
		"POST /admin/sending/resume":            {},
		"GET /admin/customers/{id}":             nil,
		"GET /admin/notices/{id}":               nil,
		"GET /admin/notices/{id}/html":          nil,
		"GET /admin/conversations/{id}":         nil,
	}
	for _, role := range append(staff.Roles(), "nobody") {
		t.Run(string(role), func(t *testing.T) {
			h := newHouse(t)
			h.fails("cus_held", "Maison Okafor", "insufficient_funds")
			for range 4 { // the fourth step waits for a person
				h.step("cus_held", outbox.Uncertain)
			}
			h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
			h.step("cus_1", outbox.Sent)
			must(t, h.talks.Write(t.Context(), "cus_1", "Could you change the name on it?", false, time.Now()))
			h.comesBack("cus_1", outbox.Hard)
			usual, held := h.idsFor("cus_1"), h.idsFor("cus_held")
			b := h.visitor()
			if role != "nobody" {
				b = h.member(role)
			}
			for _, route := range h.server.deskTable() {
				if route.right == anybody {
					continue
				}
				method, path, _ := strings.Cut(route.pattern, " ")
				ids := usual
				if strings.HasSuffix(path, "/announce") {
					ids = held
				}
				for kind, id := range ids {
					path = strings.Replace(path, "/"+kind+"/{id}", "/"+kind+"/"+id, 1)
				}
				form, leavesLine := forms[route.pattern]
				if method == "POST" && form == nil {
					t.Fatalf("%s is not in this test's table", route.pattern)
				}
				before := len(h.auditLog())
				a := b.ask(method, path, form)
				lines := len(h.auditLog()) - before
				switch {
				case role == "nobody" && method == "GET":
					if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/admin/signin?back=") || lines != 0 {
						t.Errorf("%s by nobody: %d", route.pattern, a.StatusCode)
					}
				case role == "nobody":
					if a.StatusCode != http.StatusUnauthorized || lines != 0 {
						t.Errorf("%s by nobody: %d", route.pattern, a.StatusCode)
					}
				case !role.May(route.right):
					if a.StatusCode != http.StatusForbidden || lines != 0 {
						t.Errorf("%s by %s: %d, %d lines", route.pattern, role, a.StatusCode, lines)
					}
				default:
					want := 0
					if leavesLine {
						want = 1
					}
					if a.StatusCode != http.StatusOK && a.StatusCode != http.StatusSeeOther || lines != want {
						t.Errorf("%s by %s: %d, %d lines, want %d\n%s", route.pattern, role, a.StatusCode, lines, want, a.body)
					}
					if a.Header.Get("Cache-Control") != "no-store" {
						t.Errorf("%s may be kept", route.pattern)
					}
				}
			}
		})
	}
}

// idsFor are the ids a route about this customer may carry, by the word before them.
func (h *house) idsFor(customer string) map[string]string {
	h.t.Helper()
	ids := map[string]string{"customers": customer, "cases": h.caseOf(customer).ID}
	h.do(func(tx *sql.Tx) error {
		all, err := outbox.OfCustomer(h.t.Context(), tx, customer)
		if err != nil {
			return err
		}
		for _, n := range all {
			if n.Copy != "" {
				ids["notices"] = n.ID
			}
		}
		talk, _, err := h.talks.OfCustomer(h.t.Context(), tx, customer)
		ids["conversations"] = talk.ID
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		return err
	})
	return ids
}

func TestFormsFromElsewhereChangeNothing(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	b := h.member(staff.Admin)
	path := "/admin/cases/" + h.caseOf("cus_1").ID + "/pause"
	before := len(h.auditLog())
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		a := b.ask("POST", path, url.Values{"reason": {"x"}}, headers...)
		if a.StatusCode != http.StatusForbidden {
			t.Errorf("%v: %d", headers, a.StatusCode)
		}
	}
	if h.caseOf("cus_1").RestingSince != 0 || len(h.auditLog()) != before {
		t.Error("a form from another site did something")
	}
	b.ask("POST", path, url.Values{"reason": {"x"}}, "Origin", "http://pay.lumen.example").leadsTo(t, "/admin/customers/cus_1?done=paused")
}
