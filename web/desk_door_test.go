package web

import (
	"database/sql"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/link"
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
		{"", "a sentence nobody guesses", "name"}, {"Ada", "short", "password"}, {"Ada\u2028Lovelace", "a sentence nobody guesses", "name"},
		{strings.Repeat("Ada ", 30), "a sentence nobody guesses", "name"},
	} {
		a := b.post(door, "name", c.name, "password", c.password)
		d := a.document(t)
		if a.StatusCode != http.StatusUnprocessableEntity || d.Find("#"+c.field+"[aria-invalid=true]").Length() != 1 || d.Find("#password").AttrOr("value", "") != "" {
			t.Errorf("%s refused: %d\n%s", c.field, a.StatusCode, words(d.Find("main")))
		}
	}
	b.post(door, "name", "Ada", "password", "a sentence nobody guesses").leadsTo(t, "/admin/factor")
	b.get("/admin/inbox").leadsTo(t, "/admin/signin?back=%2Fadmin%2Finbox")
	b.get("/admin/signin?back=%2Fadmin%2Finbox").leadsTo(t, "/admin/factor?back=%2Fadmin%2Finbox")
	app := b.setsUpFactor()
	b.get("/admin").leadsTo(t, "/admin/signin?back=%2Fadmin") // the recovery codes come first
	b.keepsCodes()
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
	for i, back := range []string{"//evil.example/admin", "/admin/signin/code", "https://evil.example/admin/", "/pay", `/\evil.example`, "/adminevil", "/admin/../pay", "/admin/%2e%2e//evil.example"} {
		h.later(time.Hour)
		v := h.visitor()
		a := v.post("/admin/signin", "email", "ada@lumen.example", "password", "a sentence nobody guesses", "back", back)
		if a.Header.Get("Location") != "/admin/signin/code?back=%2Fadmin" {
			t.Errorf("%d: back to %q leads to %q", i, back, a.Header.Get("Location"))
		}
		a = v.post("/admin/signin/code", "code", h.code(app), "back", back)
		if a.Header.Get("Location") != "/admin" {
			t.Errorf("%d: back to %q leads to %q in the end", i, back, a.Header.Get("Location"))
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

func TestTheSecondFactorIsSetUpUsedAndChanged(t *testing.T) {
	h := newHouse(t)
	token, err := h.members.Add(t.Context(), "ada@lumen.example", "Ada", staff.Agent)
	must(t, err)
	b := h.visitor()
	b.post("/admin/enrol/"+token, "password", passphrase).leadsTo(t, "/admin/factor")
	d := b.page("/admin/factor")
	if d.Find("svg.qr path[d]").Length() != 1 || d.Find("a[href^='otpauth://totp/']").Length() != 1 || d.Find("#code[autocomplete=one-time-code][inputmode=numeric]").Length() != 1 || d.Find("[onpaste]").Length() != 0 {
		t.Error("the set-up page lacks a part")
	}
	a := b.post("/admin/factor", "code", "000000")
	if d := a.document(t); a.StatusCode != http.StatusUnprocessableEntity || d.Find("#code[aria-invalid=true]").Length() != 1 || !strings.HasPrefix(d.Find("title").Text(), "Error: ") {
		t.Errorf("a wrong first code: %d", a.StatusCode)
	}
	if a := b.post("/admin/factor", "code", "000000"); a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" {
		t.Errorf("at once after a wrong code: %d", a.StatusCode)
	}
	h.later(time.Minute)
	at, err := url.Parse(h.site.URL)
	must(t, err)
	twice := h.visitor()
	twice.Jar.SetCookies(at, b.Jar.Cookies(at))
	app := b.setsUpFactor()
	twice.post("/admin/factor", "code", "000000").leadsTo(t, "/admin/signin?back=%2Fadmin") // a second press
	if a := b.post("/admin/factor/codes"); a.StatusCode != http.StatusUnprocessableEntity || a.document(t).Find(".codes li").Length() != 10 {
		t.Errorf("not kept: %d", a.StatusCode)
	}
	codes := b.keepsCodes()
	b.get("/admin/factor/codes").leadsTo(t, "/admin")

	h.later(time.Minute)
	v := h.visitor()
	v.get("/admin/signin/code").leadsTo(t, "/admin/signin?back=%2Fadmin%2Fsignin%2Fcode")
	v.post("/admin/signin", "email", "ada@lumen.example", "password", passphrase, "back", "/admin/inbox").leadsTo(t, "/admin/signin/code?back=%2Fadmin%2Finbox")
	if d := v.page("/admin/signin/code?by=recovery"); d.Find("#code[inputmode]").Length() != 0 || d.Find("[name=by]").AttrOr("value", "") != "recovery" {
		t.Error("a phone offers digits only for a recovery code")
	}
	v.post("/admin/signin/code", "code", codes[0], "by", "recovery", "back", "/admin/inbox").leadsTo(t, "/admin/inbox")
	v.page("/admin/inbox")
	v.post("/admin/signin/code", "code", codes[1]).leadsTo(t, "/admin/signin?back=%2Fadmin") // a second press
	v.get("/admin/signin?back=%2Fadmin").leadsTo(t, "/admin")

	d = v.page("/admin/account")
	if d.Find("[aria-labelledby=sessions] tbody tr").Length() != 2 || !strings.Contains(words(d.Find(".facts")), "9 left") {
		t.Errorf("the account says %q", words(d.Find("main")))
	}
	v.post("/admin/account/sessions").leadsTo(t, "/admin/account?done=others")
	b.get("/admin").leadsTo(t, "/admin/signin?back=%2Fadmin")
	d = v.page("/admin/factor") // fresh: it may be changed
	if !strings.Contains(words(d.Find("main")), "replaces the one you have") || strings.Contains(words(d.Find(".secret")), app[:4]+" "+app[4:8]) {
		t.Error("the page does not say that the factor changes, or shows the old one")
	}
	v.get("/admin/confirm") // a page on the way changes nothing
	changed := v.setsUpFactor()
	v.keepsCodes()
	h.later(time.Minute)
	w := h.visitor()
	w.post("/admin/signin", "email", "ada@lumen.example", "password", passphrase)
	if a := w.post("/admin/signin/code", "code", h.code(app)); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("the old factor: %d", a.StatusCode)
	}
	h.later(time.Minute)
	w.post("/admin/signin/code", "code", h.code(changed)).leadsTo(t, "/admin")
	h.later(6 * time.Minute)
	w.get("/admin/factor").leadsTo(t, "/admin/confirm?back=%2Fadmin%2Ffactor")
}

func TestAKnownBrowserGetsInDuringAnAttack(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Addresses = link.NewAddresses("http://pay.lumen.example") })
	who := h.colleague("ada@lumen.example", staff.Agent)
	b := h.visitor()
	b.post("/admin/signin", "email", who.Email, "password", passphrase)
	b.post("/admin/signin/code", "code", h.code(who.secret)).leadsTo(t, "/admin")
	b.post("/admin/signout")
	for range 5 {
		h.visitor().post("/admin/signin", "email", who.Email, "password", "guessed")
		h.later(16 * time.Second)
	}
	h.visitor().post("/admin/signin", "email", who.Email, "password", "guessed")
	if a := h.visitor().post("/admin/signin", "email", who.Email, "password", passphrase); a.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a stranger with the right password during the attack: %d", a.StatusCode)
	}
	b.post("/admin/signin", "email", who.Email, "password", passphrase).leadsTo(t, "/admin/signin/code")
	b.post("/admin/signin/code", "code", h.code(who.secret)).leadsTo(t, "/admin")
}

func TestPeopleAreShutOutAtTheNextRequest(t *testing.T) {
	h := newHouse(t)
	boss := h.member(staff.Admin)
	other := h.colleague("ada@lumen.example", staff.Agent)
	b := h.signedIn(other)
	page := "/admin/people/" + other.ID
	b.page("/admin")
	boss.post(page+"/role", "role", "manager").leadsTo(t, page+"?done=role")
	b.get("/admin").leadsTo(t, "/admin/signin?back=%2Fadmin")
	if a := boss.post(page+"/role", "role", "owner"); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a role there is not: %d", a.StatusCode)
	}
	b = h.signedIn(other)
	boss.post(page+"/disable").leadsTo(t, page+"?done=disabled")
	b.get("/admin").leadsTo(t, "/admin/signin?back=%2Fadmin")
	if a := h.visitor().post("/admin/signin", "email", other.Email, "password", passphrase); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("somebody shut out: %d", a.StatusCode)
	}
	a := boss.post(page + "/renew")
	if a.StatusCode != http.StatusOK || !strings.Contains(words(a.document(t).Find(".flash .secret")), "/admin/enrol/") {
		t.Errorf("let in again: %d", a.StatusCode)
	}
	for _, form := range [][]string{{"email", other.Email, "role", "admin"}, {"email", "no address", "role", "agent"}, {"email", "x@lumen.example", "role", "owner"}, {"email", "x@lumen.example", "role", "agent", "name", strings.Repeat("n", 101)}} {
		a := boss.post("/admin/people", form...)
		d := a.document(t)
		if a.StatusCode != http.StatusUnprocessableEntity || d.Find(".errors a").Length() != 1 || d.Find(d.Find(".errors a").AttrOr("href", "")+"[aria-invalid=true]").Length() != 1 || d.Find("#email").AttrOr("value", "") != form[1] {
			t.Errorf("%v: %d %s", form, a.StatusCode, words(d.Find(".errors")))
		}
	}
	all, err := h.members.List(t.Context())
	must(t, err)
	for _, m := range all {
		if m.Role == staff.Admin {
			if a := boss.post("/admin/people/" + m.ID + "/disable"); a.StatusCode != http.StatusForbidden {
				t.Errorf("an administrator shuts themselves out: %d", a.StatusCode)
			}
		}
	}
	if a := boss.get("/admin/people/staff_unknown"); a.StatusCode != http.StatusNotFound {
		t.Errorf("nobody's page: %d", a.StatusCode)
	}
}

func TestFormsFromElsewhereChangeNothing(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	b := h.member(staff.Admin)
	path := "/admin/cases/" + h.caseOf("cus_1").ID + "/pause"
	before := len(h.auditLog())
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
		{"Sec-Fetch-Site", "cross-site", "Origin", "http://pay.lumen.example"}} {
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

// A household has a whole IPv6 network: its addresses are one place, for asking for links as for signing in.
func TestLinksAreAskedForFromPlaces(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	for i := range mostLinksPerPlace + 1 {
		id := "cus_" + strconv.Itoa(i)
		h.do(func(tx *sql.Tx) error {
			return billing.Save(t.Context(), tx, billing.Account{Customer: billing.Customer{ID: id, Name: id, Email: id + "@x.example"}}, h.clock().Unix())
		})
		from := "2001:db8:1:2::" + strconv.Itoa(i+1)
		h.visitor().ask("POST", "/pay/link", url.Values{"email": {id + "@x.example"}}, "X-Forwarded-For", from).leadsTo(t, "/pay/link/sent")
	}
	h.do(func(tx *sql.Tx) error {
		var queued int
		err := tx.QueryRowContext(t.Context(), `SELECT count(*) FROM notices`).Scan(&queued)
		if queued != mostLinksPerPlace {
			t.Errorf("%d links for one place, want %d", queued, mostLinksPerPlace)
		}
		return err
	})
}
