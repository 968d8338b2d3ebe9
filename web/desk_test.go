package web

import (
	"bytes"
	"database/sql"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"sollecito/internal/audit"
	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/internal/link"
	"sollecito/internal/mail"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
	"sollecito/internal/support"
	"sollecito/static"
	"sollecito/views"
)

// hostile is what a customer may call themselves.
const hostile = `"><svg/onload=alert(1)>`

// house is a portal for staff and the merchant's app, with a database and a clock of its own and no Stripe.
type house struct {
	t       *testing.T
	db      *database.DB
	cases   *dunning.Cases
	talks   *support.Conversations
	members *staff.Members
	server  *Server
	site    *httptest.Server

	mu  sync.Mutex
	now time.Time
	log bytes.Buffer
}

func newHouse(t *testing.T, change ...func(*Options)) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC)} // a Monday
	var err error
	h.db, err = database.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "sollecito.db"))
	must(t, err)
	t.Cleanup(func() { h.db.Close() })
	_, err = h.db.Migrate(t.Context())
	must(t, err)
	catalog, err := l10n.Load()
	must(t, err)
	assets, err := static.New()
	must(t, err)
	zone, err := time.LoadLocation("Europe/Rome")
	must(t, err)
	h.cases = dunning.NewCases(dunning.Rules{Campaigns: dunning.Shipped(), Policy: dunning.DefaultPolicy(), Zone: zone})
	h.talks = support.NewConversations(h.db, h.cases, "help@lumen.example", h.clock)
	h.members = staff.NewMembers(h.db, h.clock)
	addresses := link.NewAddresses("http://pay.lumen.example")
	o := Options{
		DB: h.db, Cases: h.cases, Talks: h.talks, Members: h.members, Sessions: link.NewStore(h.db, addresses, h.clock), Addresses: addresses,
		Catalog: catalog, Assets: assets, Merchant: views.Merchant{Name: "Lumen Studio"}, Language: "en", Zone: zone,
		StripeJS: "http://127.0.0.1:1/v3/", StripeAPI: "http://127.0.0.1:1", EmbedSecrets: []string{oldSecret, secret}, EmbedOrigins: []string{appOrigin},
		Now: h.clock, Real: h.clock, Wake: func() {}, Logger: slog.New(slog.NewJSONHandler(&h.log, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	h.server, err = New(o)
	must(t, err)
	h.site = httptest.NewServer(h.server)
	t.Cleanup(h.site.Close)
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) later(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) do(work func(tx *sql.Tx) error) {
	h.t.Helper()
	must(h.t, h.db.Do(h.t.Context(), work))
}

// fails makes a customer in Italy whose renewal failed now with the code.
func (h *house) fails(id, name, code string) {
	h.t.Helper()
	h.hear(billing.Customer{ID: id, Name: name, Email: id + "@bellini.example", Country: "IT", DefaultMethod: "pm_" + id, CreatedAt: h.clock().Unix()}, h.invoice(id, code))
}

func (h *house) invoice(id, code string) billing.Invoice {
	now := h.clock().Unix()
	return billing.Invoice{
		ID: "in_" + id, CustomerID: id, Number: "LS-" + id, Status: "open", CollectionMethod: "charge_automatically", BillingReason: "subscription_cycle",
		Currency: "eur", AmountDue: 2900, AmountRemaining: 2900, Attempted: true, AttemptCount: 1, FailedAt: now, FirstFailed: 2900, CreatedAt: now,
		NextAttemptAt: now + 3*86400, MethodID: "pm_" + id, IntentStatus: "requires_payment_method", Description: "Team plan",
		Decline: billing.Decline{Code: "card_declined", DeclineCode: code},
	}
}

// hear saves what Stripe says of a customer and lets their cases be reconsidered.
func (h *house) hear(c billing.Customer, invoices ...billing.Invoice) {
	h.t.Helper()
	method := billing.Method{ID: "pm_" + c.ID, CustomerID: c.ID, Type: "card", Brand: "mastercard", Last4: "5454", ExpMonth: 2, ExpYear: 2031}
	h.do(func(tx *sql.Tx) error {
		err := billing.Save(h.t.Context(), tx, billing.Account{Customer: c, Methods: []billing.Method{method}, Invoices: invoices}, h.clock().Unix())
		if err != nil {
			return err
		}
		return h.cases.Reconsider(h.t.Context(), tx, c.ID, h.clock())
	})
}

// pays makes the customer's invoice paid, as Stripe would tell it.
func (h *house) pays(id string) {
	h.t.Helper()
	var c billing.Customer
	var i billing.Invoice
	h.do(func(tx *sql.Tx) (err error) {
		c, err = billing.FindCustomer(h.t.Context(), tx, id)
		if err != nil {
			return err
		}
		i, err = billing.FindInvoice(h.t.Context(), tx, "in_"+id)
		return err
	})
	i.Status, i.AmountPaid, i.AmountRemaining, i.IntentStatus, i.PaidAt, i.NextAttemptAt = "paid", i.AmountDue, 0, "succeeded", h.clock().Unix(), 0
	h.hear(c, i)
}

func (h *house) caseOf(customer string) dunning.Case {
	h.t.Helper()
	var c dunning.Case
	h.do(func(tx *sql.Tx) (err error) {
		c, err = h.cases.LatestOf(h.t.Context(), tx, customer)
		return err
	})
	return c
}

// step moves the clock to the case's next step and takes it; its mails come out as status says.
func (h *house) step(customer string, status outbox.Status) {
	h.t.Helper()
	h.later(time.Unix(h.caseOf(customer).NextStepAt, 0).Sub(h.clock()))
	h.do(func(tx *sql.Tx) error {
		c, err := h.cases.LatestOf(h.t.Context(), tx, customer)
		if err != nil {
			return err
		}
		err = h.cases.Advance(h.t.Context(), tx, c.ID, h.clock())
		if err != nil {
			return err
		}
		return h.settle(tx, customer, status)
	})
}

// settle hands the customer's queued mails over, as a sender would.
func (h *house) settle(tx *sql.Tx, customer string, status outbox.Status) error {
	all, err := outbox.OfCustomer(h.t.Context(), tx, customer)
	if err != nil {
		return err
	}
	for _, n := range all {
		if n.Status != outbox.Queued || n.Channel != outbox.Email {
			continue
		}
		copied, err := mail.Render(mail.Letter{
			From: mail.Address{Name: "Lumen Studio", Address: "billing@lumen.example"}, To: mail.Address{Address: n.Recipient},
			Subject: "A payment didn’t go through", Text: "Ciao\nhttps://pay.lumen.example/l/•••", HTML: `<p style="color:red">Ciao</p><script>alert(1)</script>`,
			MessageID: n.ID + "@lumen.example", Date: h.clock(),
		})
		if err != nil {
			return err
		}
		n.Copy, n.Dated, n.Subject = string(copied), h.clock().Unix(), "A payment didn’t go through"
		_, err = outbox.Begin(h.t.Context(), tx, n, 0)
		if err != nil {
			return err
		}
		err = outbox.Settle(h.t.Context(), tx, n.ID, status, "", h.clock().Unix())
		if err != nil {
			return err
		}
	}
	return nil
}

// browser is somebody in front of the staff pages.
type browser struct {
	h *house
	*http.Client
}

func (h *house) visitor() *browser {
	jar, err := cookiejar.New(nil)
	must(h.t, err)
	return &browser{h: h, Client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// member is a browser in which somebody of the role is signed in.
func (h *house) member(role staff.Role) *browser {
	h.t.Helper()
	email := string(role) + "@lumen.example"
	_, err := h.members.Add(h.t.Context(), email, "Ines "+string(role), role)
	must(h.t, err)
	all, err := h.members.List(h.t.Context())
	must(h.t, err)
	b := h.visitor()
	for _, m := range all {
		if m.Email == email {
			w := httptest.NewRecorder()
			must(h.t, h.server.SignInAs(w, httptest.NewRequest("POST", "/demo/staff", nil), m.ID))
			at, err := url.Parse(h.site.URL)
			must(h.t, err)
			b.Jar.SetCookies(at, w.Result().Cookies())
		}
	}
	return b
}

// answered is an answer with its body read.
type answered struct {
	*http.Response
	body string
}

func (b *browser) ask(method, path string, form url.Values, headers ...string) answered {
	b.h.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.h.t.Context(), method, b.h.site.URL+path, body)
	must(b.h.t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.Do(r)
	must(b.h.t, err)
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	must(b.h.t, err)
	return answered{Response: res, body: string(read)}
}

func (b *browser) get(path string) answered { b.h.t.Helper(); return b.ask("GET", path, nil) }

func (b *browser) post(path string, form ...string) answered {
	b.h.t.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	return b.ask("POST", path, values)
}

// page asks for a page that must be there.
func (b *browser) page(path string) *goquery.Document {
	b.h.t.Helper()
	a := b.get(path)
	if a.StatusCode != http.StatusOK {
		b.h.t.Fatalf("GET %s: %d\n%s", path, a.StatusCode, a.body)
	}
	return a.document(b.h.t)
}

func (a answered) document(t *testing.T) *goquery.Document {
	t.Helper()
	d, err := goquery.NewDocumentFromReader(strings.NewReader(a.body))
	must(t, err)
	return d
}

func (a answered) leadsTo(t *testing.T, where string) {
	t.Helper()
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != where {
		t.Fatalf("%s %s: %d to %q, want 303 to %q\n%s", a.Request.Method, a.Request.URL.Path, a.StatusCode, a.Header.Get("Location"), where, a.body)
	}
}

func (h *house) auditLog() []audit.Entry {
	h.t.Helper()
	var all []audit.Entry
	h.do(func(tx *sql.Tx) (err error) {
		all, err = audit.List(h.t.Context(), tx, 0, 1000)
		return err
	})
	return all
}

func words(s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") }

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
		"POST /admin/cases/{id}/pause":         {"reason": {"Pays late this month"}},
		"POST /admin/conversations/{id}/reply": {"text": {"We are looking into it."}},
		"POST /admin/sending/stop":             {"reason": {"Wrong text"}},
		"POST /admin/cases/{id}/resume":        {},
		"POST /admin/cases/{id}/release":       {},
		"POST /admin/sending/resume":           {},
		"GET /admin/customers/{id}":            nil,
		"GET /admin/notices/{id}":              nil,
		"GET /admin/notices/{id}/html":         nil,
		"GET /admin/conversations/{id}":        nil,
	}
	for _, role := range append(staff.Roles(), "nobody") {
		t.Run(string(role), func(t *testing.T) {
			h := newHouse(t)
			h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
			h.step("cus_1", outbox.Sent)
			must(t, h.talks.Write(t.Context(), "cus_1", "Could you change the name on it?", false))
			ids := h.idsFor("cus_1")
			b := h.visitor()
			if role != "nobody" {
				b = h.member(role)
			}
			for _, route := range h.server.deskTable() {
				if route.right == anybody {
					continue
				}
				method, path, _ := strings.Cut(route.pattern, " ")
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

func TestTodayListsByViewAndSearch(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_going", "Anneke de Vries", "insufficient_funds")
	h.fails("cus_paid", "Duarte Faria", "insufficient_funds")
	h.pays("cus_paid")
	h.fails("cus_consent", hostile, "revocation_of_authorization")
	h.fails("cus_wrote", "Freya Lindqvist", "expired_card")
	must(t, h.talks.Write(t.Context(), "cus_wrote", "Please wait a week", false))
	h.fails("cus_bounced", "Maison Okafor", "insufficient_funds")
	h.step("cus_bounced", outbox.Failed)
	b := h.member(staff.Viewer)

	ids := func(path string) string {
		var all []string
		b.page(path).Find("tbody th a").Each(func(_ int, a *goquery.Selection) {
			all = append(all, strings.TrimPrefix(a.AttrOr("href", ""), "/admin/customers/"))
		})
		return strings.Join(all, " ")
	}
	for path, want := range map[string]string{
		"/admin?view=recovered":        "cus_paid",
		"/admin?view=exhausted":        "",
		"/admin?q=okafor":              "cus_bounced",
		"/admin?q=CUS_GOING@bellini":   "cus_going",
		"/admin?q=in_cus_paid":         "cus_paid",
		"/admin?q=ls-cus_wrote":        "cus_wrote",
		"/admin?q=cus_consent":         "cus_consent",
		"/admin?q=%25":                 "",
		"/admin?q=nobody+at+all":       "",
		"/admin?view=paused&from=1":    "cus_wrote",
		"/admin?view=person&from=9999": "",
	} {
		got := ids(path)
		if path == "/admin?view=paused&from=1" && got == "cus_consent" {
			continue // both rest since the same second
		}
		if got != want {
			t.Errorf("%s lists %q, want %q", path, got, want)
		}
	}
	d := b.page("/admin")
	if got := words(d.Find(".views a[aria-current=true]")); got != "Needs a person 3" {
		t.Errorf("staff come in at %q", got)
	}
	needs := words(d.Find("tbody"))
	for _, want := range []string{"Withdrew their consent at the bank", "Wrote to us and waits for an answer", "A mail could not be delivered"} {
		if !strings.Contains(needs, want) {
			t.Errorf("%q is not told in %q", want, needs)
		}
	}
	if d.Find("svg[onload]").Length() != 0 || !strings.Contains(d.Find("tbody").Text(), hostile) {
		t.Error("a customer's name is markup")
	}
	if got := words(d.Find("nav[aria-label=Main]")); !strings.Contains(got, "Today 3 waiting") || !strings.Contains(got, "Inbox 1 waiting") {
		t.Errorf("the navigation counts %q", got)
	}
	h.later(time.Hour)
	h.do(func(tx *sql.Tx) error { // a later mail that went out mends the earlier one
		n := outbox.Notice{Kind: outbox.Reminder, Channel: outbox.Email, CustomerID: "cus_bounced", CaseID: h.caseIn(tx, "cus_bounced"), Step: "second", Recipient: "x@y.example"}
		_, err := outbox.Queue(t.Context(), tx, n, h.clock().Unix())
		if err != nil {
			return err
		}
		return h.settle(tx, "cus_bounced", outbox.Sent)
	})
	if got := ids("/admin?view=person"); strings.Contains(got, "cus_bounced") {
		t.Errorf("still needs a person: %q", got)
	}
}

func (h *house) caseIn(tx *sql.Tx, customer string) string {
	c, err := h.cases.LatestOf(h.t.Context(), tx, customer)
	must(h.t, err)
	return c.ID
}

func TestCustomerPageTellsThePastAndWhatComesAndWhy(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	h.step("cus_1", outbox.Sent)
	b := h.member(staff.Agent)
	d := b.page("/admin/customers/cus_1")
	for selector, wants := range map[string][]string{
		"[aria-labelledby=owes]":     {"€29.00", "Team plan", "LS-cus_1", "Not enough money", "insufficient_funds", "Open, day 1"},
		"[aria-labelledby=facts]":    {"cus_1@bellini.example", "Mastercard ending 5454, 02/31", "Europe/Rome", "Full until", "English", "Gentle, version 1"},
		"[aria-labelledby=limits]":   {"Messages, 7 days 1 of 3"},
		"[aria-labelledby=plan]":     {"Mail 2, Mon 9 Nov, 10:00", "By mail to cus_1@bellini.example and as a notice in the app, in English.", "step 2 for day 5", "Monday to Friday, 09:00 to 18:00", "read again just before"},
		"[aria-labelledby=timeline]": {"Charge failed, €29.00", "Case opened", "Mail 1: “A payment didn’t go through”", "Stripe tries the charge again", "access becomes limited"},
	} {
		got := words(d.Find(selector))
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %q:\n%s", selector, want, got)
			}
		}
	}
	if n := b.page("/admin/customers/cus_1?done=<script>alert(1)</script>").Find(".flash").Length(); n != 0 {
		t.Error("a sentence from the address stands on the page")
	}
	if a := b.get("/admin/customers/cus_unknown"); a.StatusCode != http.StatusNotFound || !strings.Contains(a.body, "Ines agent") {
		t.Errorf("an unknown customer: %d", a.StatusCode)
	}
	if d := h.member(staff.Viewer).page("/admin/customers/cus_1?act=pause"); d.Find("form:not(.who)").Length() != 0 || d.Find(".acts a").Length() != 0 {
		t.Error("a viewer is offered acts")
	}
}

func TestPauseAndResumeAskFirst(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	b := h.member(staff.Agent)
	question := b.page("/admin/customers/cus_1?act=pause").Find("#question")
	if !strings.Contains(words(question), "Stripe still tries the charge on 5 November") || h.caseOf("cus_1").RestingSince != 0 {
		t.Fatalf("the question says %q", words(question))
	}
	act := question.Find("form").AttrOr("action", "")
	for typed, said := range map[string]string{"": "Say why", "4242 4242 4242 4242": "card number", strings.Repeat("long ", 80): "300 characters"} {
		a := b.post(act, "reason", typed)
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(words(a.document(t).Find("#reason-fault")), said) || h.caseOf("cus_1").RestingSince != 0 {
			t.Errorf("%.20q: %d", typed, a.StatusCode)
		}
	}
	b.post(act, "reason", hostile).leadsTo(t, "/admin/customers/cus_1?done=paused")
	d := b.page("/admin/customers/cus_1?done=paused")
	if h.caseOf("cus_1").RestingSince == 0 || d.Find(".flash.good").Length() != 1 || d.Find("svg[onload]").Length() != 0 {
		t.Error("the case does not rest, or the page does not say so")
	}
	if got := words(d.Find("[aria-labelledby=plan]")); !strings.Contains(got, "Nothing is planned") || !strings.Contains(got, "by Ines agent") || !strings.Contains(got, hostile) {
		t.Errorf("the page says %q", got)
	}
	h.later(72 * time.Hour)
	b = h.member(staff.Agent)
	question = b.page("/admin/customers/cus_1?act=resume").Find("#question")
	if !strings.Contains(words(question), "Mail 1 goes out Friday 6 November, 10:00") {
		t.Errorf("the question says %q", words(question))
	}
	b.post(question.Find("form").AttrOr("action", "")).leadsTo(t, "/admin/customers/cus_1?done=resumed")
	if got := h.caseOf("cus_1"); got.RestingSince != 0 || time.Unix(got.NextStepAt, 0).UTC().Format("2 Jan 15:04") != "6 Nov 09:00" {
		t.Errorf("the case goes on at %v", time.Unix(got.NextStepAt, 0).UTC())
	}
	h.pays("cus_1")
	if a := b.post(act, "reason", "late"); a.StatusCode != http.StatusConflict {
		t.Errorf("pausing what has ended: %d", a.StatusCode)
	}
}

func TestKeptCopyRunsNothing(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "expired_card")
	h.step("cus_1", outbox.Uncertain)
	b := h.member(staff.Viewer)
	d := b.page("/admin/notices/" + h.idsFor("cus_1")["notices"])
	got := words(d.Find("main"))
	for _, want := range []string{"Mail 1", "Uncertain", "may or may not have arrived", "A payment didn’t go through", "https://pay.lumen.example/l/•••"} {
		if !strings.Contains(got, want) {
			t.Errorf("the copy lacks %q:\n%s", want, got)
		}
	}
	alone := b.get(d.Find("a[target=_blank]").AttrOr("href", ""))
	policy := alone.Header.Get("Content-Security-Policy")
	if alone.StatusCode != http.StatusOK || !strings.HasPrefix(policy, "sandbox; default-src 'none';") || strings.Contains(policy, "script") || !strings.Contains(alone.body, "<p style=") {
		t.Errorf("the HTML part: %d, %s", alone.StatusCode, policy)
	}
	h.do(func(tx *sql.Tx) error {
		all, err := outbox.OfCustomer(t.Context(), tx, "cus_1")
		for _, n := range all {
			if n.Channel == outbox.App && !strings.Contains(words(b.page("/admin/notices/"+n.ID).Find("pre")), "no copy") {
				t.Error("the notice in the app is not explained")
			}
		}
		return err
	})
}

func TestAnAnswerGoesOutAndRemindersGoOn(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", hostile, "insufficient_funds")
	must(t, h.talks.Write(t.Context(), "cus_1", "Hello,\n"+hostile, false))
	b := h.member(staff.Agent)
	d := b.page("/admin/inbox")
	where := d.Find("tbody th a").AttrOr("href", "")
	if d.Find("svg[onload]").Length() != 0 || !strings.HasPrefix(where, "/admin/conversations/conv_") {
		t.Fatalf("the inbox leads to %q", where)
	}
	for typed, said := range map[string]string{" \n ": "Write your answer", "Use 4242-4242-4242-4242": "card number", strings.Repeat("long", 2000): "too long"} {
		a := b.post(where+"/reply", "text", typed)
		d := a.document(t)
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(words(d.Find("#text-fault")), said) || d.Find("svg[onload]").Length() != 0 {
			t.Errorf("%.20q: %d", typed, a.StatusCode)
		}
	}
	for range 2 { // the second press of the same button is no second mail
		b.post(where+"/reply", "text", "Take your time.").leadsTo(t, where+"?done=replied")
	}
	d = b.page(where)
	if got := words(d.Find(".talk li.mine")); !strings.Contains(got, "Take your time.") || !strings.Contains(got, "Ines agent") || !strings.Contains(got, "Waits to go out") || d.Find(".talk li.mine").Length() != 1 {
		t.Errorf("the answer stands as %q", got)
	}
	if h.caseOf("cus_1").RestingSince != 0 {
		t.Error("the case still rests")
	}
	if got := words(b.page("/admin/inbox").Find("main")); !strings.Contains(got, "Nobody waits") {
		t.Errorf("the inbox says %q", got)
	}
}

func TestSendingStopsAndSaysSoEverywhere(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	b := h.member(staff.Manager)
	b.post("/admin/sending/stop", "reason", "Wrong text in step 2").leadsTo(t, "/admin/sending?done=stopped")
	b.post("/admin/sending/stop", "reason", "again").leadsTo(t, "/admin/sending?done=stopped")
	for _, path := range []string{"/admin", "/admin/inbox", "/admin/sending", "/admin/customers/cus_1"} {
		got := words(b.page(path).Find("main"))
		if !strings.Contains(got, "All sending is stopped since today, 09:30, by Ines manager") {
			t.Errorf("%s says %q", path, got)
		}
	}
	if got := words(b.page("/admin/sending").Find("[aria-labelledby=switch]")); !strings.Contains(got, "“Wrong text in step 2”") {
		t.Errorf("the reason is %q", got)
	}
	if got := words(b.page("/admin/customers/cus_1").Find("[aria-labelledby=plan]")); !strings.Contains(got, "waits until somebody resumes it") {
		t.Errorf("the plan says %q", got)
	}
	b.post("/admin/sending/resume").leadsTo(t, "/admin/sending?done=sending")
	if d := b.page("/admin"); strings.Contains(d.Find("main").Text(), "All sending is stopped") {
		t.Error("still said to be stopped")
	}
	h.do(func(tx *sql.Tx) error { return dunning.StopSending(t.Context(), tx, "command", h.clock()) })
	if got := words(b.page("/admin/sending").Find("main")); !strings.Contains(got, "by command") || strings.Contains(got, "Wrong text") {
		t.Errorf("a stop by the command line is told as %q", got)
	}
}

func TestAuditLogTellsWhoDidWhat(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	b := h.member(staff.Admin)
	b.post("/admin/cases/"+h.caseOf("cus_1").ID+"/pause", "reason", "late")
	d := b.page("/admin/audit")
	first := d.Find("tbody tr").First()
	if got := words(first); !strings.Contains(got, "Ines admin paused reminders of") || first.Find("a").AttrOr("href", "") != "/admin/customers/cus_1" {
		t.Errorf("the newest line is %q", got)
	}
	if strings.Contains(d.Text(), "Chiara") {
		t.Error("the log holds a customer's name")
	}
	if n := b.page("/admin/audit?q=Ines+ADMIN+nowhere").Find("tbody tr").Length(); n != 0 {
		t.Errorf("%d lines match nothing", n)
	}
	if n := b.page("/admin/audit?q=paused").Find("tbody tr").Length(); n != 1 {
		t.Errorf("%d lines match", n)
	}
	h.do(func(tx *sql.Tx) error {
		for range 150 {
			err := audit.Append(t.Context(), tx, audit.Entry{At: h.clock(), Actor: "command", Action: "test.line", Object: "x"})
			if err != nil {
				return err
			}
		}
		return nil
	})
	d = b.page("/admin/audit")
	older := b.page(d.Find("a[rel=next]").AttrOr("href", ""))
	if d.Find("tbody tr").Length() != 100 || !strings.Contains(older.Text(), "paused reminders of") {
		t.Error("the second page does not go on")
	}
	d = b.page("/admin/audit?q=paused")
	if d.Find("tbody tr").Length() != 1 || d.Find("a[rel=next]").Length() != 0 {
		t.Error("a search does not reach behind the first page")
	}
}
