package web

import (
	"database/sql"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/fault"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
)

// wrong is the answer to POST /admin/confirm in the table's walk, which knows nobody's password.
const wrong = "POST /admin/confirm"

// charging asks Stripe, which this house has not: an empty form goes as far as it gets. The portal's tests charge.
const charging = "POST /admin/cases/{id}/charge"

// deskForms are what the routes that leave a line in the log are asked with; all others are asked with nothing.
func deskForms() map[string]url.Values {
	return map[string]url.Values{
		"POST /admin/cases/{id}/pause":          {"reason": {"Pays late this month"}},
		"POST /admin/conversations/{id}/reply":  {"text": {"We are looking into it."}},
		"POST /admin/sending/stop":              {"reason": {"Wrong text"}},
		"POST /admin/cases/{id}/resume":         {},
		"POST /admin/cases/{id}/announce":       {},
		"POST /admin/cases/{id}/promise":        {"attempt": {"press_00000000000000000000000000"}, "kind": {"self"}, "day": {"2026-11-20"}},
		"POST /admin/cases/{id}/promise/end":    {},
		"POST /admin/customers/{id}/wish":       {},
		charging:                                {},
		"POST /admin/cases/{id}/final":          {"object": {"in_cus_final"}},
		"POST /admin/cases/{id}/final/decline":  {"reason": {"They called"}},
		"POST /admin/customers/{id}/revoke":     {},
		"GET /admin/interest/{id}":              nil,
		"POST /admin/customers/{id}/interest":   {"invoice": {"in_cus_late"}},
		"POST /admin/interest/{id}/withdraw":    {"reason": {"They have paid"}},
		"POST /admin/customers/{id}/mail-again": {},
		"POST /admin/customers/{id}/no-mail":    {"reason": {"Asked by phone"}}, "POST /admin/customers/{id}/no-reminders": {"reason": {"Asked by phone"}}, "POST /admin/customers/{id}/remind": {"reason": {"Asked by phone"}},
		"POST /admin/cases/{id}/release":    {},
		"POST /admin/sending/resume":        {},
		"POST /admin/account/sessions":      {},
		"POST /admin/account/password":      {"password": {"quiet harbours keep tin boats"}},
		"POST /admin/account/codes":         {},
		"POST /admin/people":                {"email": {"new@lumen.example"}, "name": {"New"}, "role": {"agent"}},
		"POST /admin/people/{id}/role":      {"role": {"manager"}},
		"POST /admin/people/{id}/signout":   {},
		"POST /admin/people/{id}/renew":     {},
		"POST /admin/people/{id}/factor":    {},
		"POST /admin/people/{id}/disable":   {},
		"POST /admin/keys":                  {"name": {"the app"}},
		"POST /admin/keys/{id}/end":         {},
		wrong:                               {"confirm_password": {"x"}, "confirm_code": {"123456"}},
		"GET /admin/customers/{id}":         nil,
		"GET /admin/notices/{id}":           nil,
		"GET /admin/notices/{id}/html":      nil,
		"GET /admin/conversations/{id}":     nil,
		"POST /admin/imported/release":      {"all": {"1"}, "shown": {"1"}},
		"POST /admin/webhooks":              {"address": {"https://app.lumen.example/hooks"}, "event": {"access.changed"}},
		"POST /admin/webhooks/{id}":         {"address": {"https://app.lumen.example/other"}, "event": {"access.changed"}},
		"POST /admin/webhooks/{id}/secret":  {},
		"POST /admin/webhooks/{id}/test":    {},
		"POST /admin/webhooks/{id}/again":   {},
		"POST /admin/deliveries/{id}/again": {},
		"POST /admin/webhooks/{id}/disable": {},
		"POST /admin/webhooks/{id}/enable":  {},
		"POST /admin/webhooks/{id}/remove":  {},
	}
}

// TestEachRouteAsksForItsRight walks the whole table with every role and with nobody. What a role may not do changes
// nothing; what it does on a customer's record or on the state of things leaves exactly one line in the log.
func TestEachRouteAsksForItsRight(t *testing.T) {
	forms := deskForms()
	rights := []staff.Right{anybody, staff.See, staff.Act, staff.Steer, staff.Administer}
	for _, role := range append(staff.Roles(), "nobody") {
		t.Run(string(role), func(t *testing.T) {
			h := newHouse(t, func(o *Options) { o.Interest = ratesOf2026(t) })
			h.owesInterest("cus_late", "IT")
			h.fails("cus_held", "Maison Okafor", "insufficient_funds")
			for range 4 { // the fourth step waits for a person
				h.step("cus_held", outbox.Uncertain)
			}
			h.rests("cus_imported")
			h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
			h.step("cus_1", outbox.Sent)
			must(t, h.talks.Write(t.Context(), "cus_1", "Could you change the name on it?", false, time.Now()))
			must(t, h.talks.WishToCancel(t.Context(), "cus_1", "I want to cancel my plan."))
			h.comesBack("cus_1", outbox.Hard)
			h.proposes("cus_final")
			h.proposes("cus_spared")
			usual, held := h.idsFor("cus_1"), h.idsFor("cus_held")
			usual["interest"] = h.keepsInterest("cus_1")
			usual["keys"] = h.makesKey("the old app").ID
			usual["webhooks"], usual["deliveries"] = h.endpoint("https://app.lumen.example/hooks")
			usual["people"] = h.colleague("other@lumen.example", staff.Agent).ID
			if role != "nobody" {
				h.colleague(string(role)+"@lumen.example", role)
			}
			for _, route := range h.server.deskTable() {
				if !slices.Contains(rights, route.right) {
					t.Errorf("%s declares no right: %q", route.pattern, route.right)
				}
				if route.right == anybody {
					continue
				}
				b := h.visitor()
				if role != "nobody" {
					b = h.member(role)
				}
				method, path, _ := strings.Cut(route.pattern, " ")
				ids := usual
				if strings.HasSuffix(path, "/announce") {
					ids = held
				}
				if strings.HasSuffix(path, "/interest") {
					ids = map[string]string{"customers": "cus_late"}
					forms[route.pattern].Set("shown", h.shownInterest("cus_late"))
				}
				if strings.HasSuffix(path, "/final") {
					ids = h.idsFor("cus_final")
				}
				if strings.HasSuffix(path, "/final/decline") {
					ids = h.idsFor("cus_spared")
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
					if a.StatusCode != http.StatusForbidden || lines != 0 || !strings.Contains(h.log.String(), `"who":"staff_`) {
						t.Errorf("%s by %s: %d, %d lines", route.pattern, role, a.StatusCode, lines)
					}
				default:
					want := 0
					if leavesLine && route.pattern != charging {
						want = 1
					}
					taken := a.StatusCode == http.StatusOK || a.StatusCode == http.StatusSeeOther || (route.pattern == wrong || route.pattern == charging) && a.StatusCode == http.StatusUnprocessableEntity
					if !taken || lines != want {
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

// TestWithOneFactorNothingOpens walks the whole table with somebody who gave a password and no more.
func TestWithOneFactorNothingOpens(t *testing.T) {
	h := newHouse(t)
	for _, factor := range []bool{false, true} {
		b := h.visitor()
		who := h.colleague("boss@lumen.example", staff.Admin)
		if !factor {
			h.do(func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), `UPDATE staff SET factor = ''`)
				return err
			})
		}
		want := map[bool]string{false: "/admin/factor?back=%2Fadmin", true: "/admin/signin/code?back=%2Fadmin"}[factor]
		b.post("/admin/signin", "email", who.Email, "password", passphrase, "back", "/admin").leadsTo(t, want)
		before := len(h.auditLog())
		for _, route := range h.server.deskTable() {
			method, path, _ := strings.Cut(strings.ReplaceAll(route.pattern, "{id}", "x"), " ")
			if route.right == anybody {
				continue
			}
			a := b.ask(method, path, deskForms()[route.pattern])
			if method == "GET" && !strings.HasPrefix(a.Header.Get("Location"), "/admin/signin?back=") || method == "POST" && a.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s with a password alone: %d to %q", route.pattern, a.StatusCode, a.Header.Get("Location"))
			}
			if strings.Contains(a.body, "Audit log") {
				t.Errorf("%s draws the inside of the house", route.pattern)
			}
		}
		if len(h.auditLog()) != before {
			t.Error("something was done with one factor")
		}
		if a := b.get("/admin/factor/codes"); a.StatusCode != http.StatusSeeOther {
			t.Errorf("recovery codes are shown: %d", a.StatusCode)
		}
	}
}

// TestWhatCanDoHarmAsksAgain walks the routes that ask who it is with a session that was confirmed long ago.
func TestWhatCanDoHarmAsksAgain(t *testing.T) {
	h := newHouse(t)
	who := h.colleague("boss@lumen.example", staff.Admin)
	b := h.signedIn(who)
	h.later(5*time.Minute + time.Second)
	sure := 0
	for _, route := range h.server.deskTable() {
		if !route.sure {
			continue
		}
		sure++
		method, path, _ := strings.Cut(strings.ReplaceAll(route.pattern, "{id}", "x"), " ")
		before := len(h.auditLog())
		form := deskForms()[route.pattern]
		a := b.ask(method, path, form)
		if method == "GET" {
			a.leadsTo(t, "/admin/confirm?back="+url.QueryEscape(path))
			continue
		}
		d := a.document(t)
		if a.StatusCode != http.StatusOK || d.Find("form[action='"+path+"'] #confirm_code").Length() != 1 || len(h.auditLog()) != before {
			t.Errorf("%s asks nobody: %d", route.pattern, a.StatusCode)
		}
		for name, values := range form {
			kept := d.Find("main [name='"+name+"']").AttrOr("value", "")
			if name == "password" && kept != "" || name != "password" && kept != values[0] {
				t.Errorf("%s keeps %q of %s", route.pattern, kept, name)
			}
		}
	}
	if sure < 10 {
		t.Fatalf("%d routes ask again", sure)
	}

	// An id is kept as it was sent: one with slashes in it leads to no other page.
	d := b.post("/admin/people/x%2F..%2Fy/disable").document(t)
	if got := d.Find("form:has(#confirm_code)").AttrOr("action", ""); got != "/admin/people/x%2F..%2Fy/disable" {
		t.Errorf("what is confirmed goes to %q", got)
	}

	// What was sent goes on when it is confirmed, once.
	form := []string{"email", "new@lumen.example", "name", hostile, "role", "viewer"}
	a := b.post("/admin/people", append(form, "confirm_password", "wrong", "confirm_code", h.code(who.secret))...)
	d = a.document(t)
	if a.StatusCode != http.StatusUnprocessableEntity || d.Find("[name=name]").AttrOr("value", "") != hostile || d.Find(".errors a[href='#confirm_password']").Length() != 1 || !strings.HasPrefix(d.Find("title").Text(), "Error: ") {
		t.Errorf("a wrong password: %d\n%s", a.StatusCode, a.body)
	}
	h.later(time.Minute)
	a = b.post("/admin/people", append(form, "confirm_password", passphrase, "confirm_code", h.code(who.secret))...)
	address := words(a.document(t).Find(".flash .secret"))
	if a.StatusCode != http.StatusOK || !strings.HasPrefix(address, "http://pay.lumen.example/admin/enrol/") {
		t.Fatalf("what was confirmed is not done: %d\n%s", a.StatusCode, a.body)
	}
	if got := b.page("/admin/people"); strings.Contains(got.Text(), "/admin/enrol/") || !strings.Contains(got.Find("tbody").Text(), hostile) {
		t.Error("the address is shown again, or the name is markup")
	}
	// And for five minutes nobody is asked again.
	b.page("/admin/account/password")
	h.later(5*time.Minute + time.Second)
	b.get("/admin/account/password").leadsTo(t, "/admin/confirm?back=%2Fadmin%2Faccount%2Fpassword")
	b.page("/admin/confirm?back=%2Fadmin%2Faccount%2Fpassword")
	b.post("/admin/confirm", "back", "/admin/account/password", "confirm_password", passphrase, "confirm_code", h.code(who.secret)).leadsTo(t, "/admin/account/password")
	b.page("/admin/account/password")
	a = b.post("/admin/account/password", "password", "short")
	if a.StatusCode != http.StatusUnprocessableEntity || a.document(t).Find("#password[aria-invalid=true]").Length() != 1 {
		t.Errorf("a short password: %d", a.StatusCode)
	}
	b.post("/admin/account/password", "password", "quiet harbours keep tin boats").leadsTo(t, "/admin/account?done=password")
	h.visitor().post("/admin/signin", "email", who.Email, "password", "quiet harbours keep tin boats").leadsTo(t, "/admin/signin/code")
	if strings.Contains(h.log.String(), passphrase) || strings.Contains(h.log.String(), "quiet harbours") || strings.Contains(h.log.String(), strings.TrimPrefix(address, "http://pay.lumen.example/admin/enrol/")) {
		t.Error("a secret stands in the log")
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
			if n.Written() {
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
