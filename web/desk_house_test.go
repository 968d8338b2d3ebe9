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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/pquerna/otp/totp"

	"sollecito/internal/apikey"
	"sollecito/internal/audit"
	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/dunning"
	"sollecito/internal/l10n"
	"sollecito/internal/link"
	"sollecito/internal/mail"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
	"sollecito/internal/support"
	"sollecito/internal/webhook"
	"sollecito/static"
	"sollecito/views"
)

// hostile is what a customer may call themselves.
const hostile = `"><svg/onload=alert(1)>`

// house is a portal for staff and the merchant's app, with a database and a clock of its own and no Stripe.
type house struct {
	t         *testing.T
	db        *database.DB
	cases     *dunning.Cases
	talks     *support.Conversations
	members   *staff.Members
	endpoints *webhook.Endpoints
	server    *Server
	site      *httptest.Server

	mu  sync.Mutex
	now time.Time
	log journal
}

func newHouse(t *testing.T, change ...func(*Options)) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC)} // a Monday
	var err error
	h.db, err = database.Open(t.Context(), databasetest.Migrated(t))
	must(t, err)
	t.Cleanup(func() { h.db.Close() })
	catalog, err := l10n.Load()
	must(t, err)
	assets, err := static.New(nil)
	must(t, err)
	zone, err := time.LoadLocation("Europe/Rome")
	must(t, err)
	h.cases = dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Shipped()), Policy: contact.DefaultPolicy(), Zone: zone})
	h.talks = support.NewConversations(h.db, h.cases, "help@lumen.example", h.clock)
	h.members, err = staff.NewMembers(h.db, strings.Repeat("k", 32), h.clock, h.clock)
	must(t, err)
	h.endpoints, err = webhook.NewEndpoints(strings.Repeat("k", 32), nil)
	must(t, err)
	addresses := link.NewAddresses("http://pay.lumen.example")
	o := Options{
		DB: h.db, Cases: h.cases, Talks: h.talks, Members: h.members, Endpoints: h.endpoints, Keys: apikey.NewKeys(h.clock), Sessions: link.NewStore(h.db, addresses, strings.Repeat("k", 32), h.clock), Addresses: addresses,
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

// proposes makes a customer whose invoice is to be written off in the end, if a manager says so.
func (h *house) proposes(id string) {
	h.t.Helper()
	h.fails(id, "Bram Jansen", "insufficient_funds")
	c := h.caseOf(id)
	h.do(func(tx *sql.Tx) error {
		_, err := tx.Exec(`
			INSERT INTO final_acts (id, case_id, customer_id, step, act, status, actor, reason, proposed_at, ordered_at, ended_at, next_try_at)
			VALUES ($1, $2, $3, 'restricted', 'uncollectible', 'proposed', '', '', $4, 0, 0, 0)`, "fin_"+id, c.ID, id, h.clock().Unix())
		return err
	})
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
		copied, err := mail.Pack(nil, mail.Letter{
			From: mail.Address{Name: "Lumen Studio", Address: "billing@lumen.example"}, To: mail.Address{Address: n.Recipient},
			Subject: "A payment didn’t go through", Text: "Ciao\nhttps://pay.lumen.example/l/•••", HTML: `<p style="color:red">Ciao</p><script>alert(1)</script>`,
			MessageID: n.ID + "@lumen.example", Date: h.clock(), Language: "it",
		})
		if err != nil {
			return err
		}
		n.MessageID, n.Dated, n.Subject = n.ID+"@lumen.example", h.clock().Unix(), "A payment didn’t go through"
		_, err = outbox.BeginAll(h.t.Context(), tx, []outbox.Notice{n}, 0)
		if err != nil {
			return err
		}
		err = outbox.KeepCopies(h.t.Context(), tx, []outbox.Copy{{NoticeID: n.ID, Own: string(copied.Bytes())}})
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

const passphrase = "violet trams hum at dawn"

// colleague is somebody on staff with both factors.
type colleague struct {
	staff.Member
	secret string
}

func (h *house) colleague(email string, role staff.Role) colleague {
	h.t.Helper()
	_, err := h.members.Add(h.t.Context(), email, "Ada", role)
	must(h.t, err)
	secret, err := h.members.Equip(h.t.Context(), email, passphrase)
	must(h.t, err)
	all, err := h.members.List(h.t.Context())
	must(h.t, err)
	for _, m := range all {
		if m.Email == email {
			return colleague{m, secret}
		}
	}
	h.t.Fatalf("%s is not on staff", email)
	return colleague{}
}

// signedIn is a browser in which a colleague is.
func (h *house) signedIn(who colleague) *browser {
	h.t.Helper()
	b := h.visitor()
	w := httptest.NewRecorder()
	must(h.t, h.server.SignInAs(w, httptest.NewRequest("POST", "/demo/staff", nil), who.ID))
	at, err := url.Parse(h.site.URL)
	must(h.t, err)
	b.Jar.SetCookies(at, w.Result().Cookies())
	return b
}

// code is what an authenticator app shows now for a secret.
func (h *house) code(secret string) string {
	h.t.Helper()
	code, err := totp.GenerateCode(secret, h.clock())
	must(h.t, err)
	return code
}

// setsUpFactor puts the secret of the page into an app and types its code. It answers the secret.
func (b *browser) setsUpFactor() string {
	b.h.t.Helper()
	secret := strings.ReplaceAll(words(b.page("/admin/factor").Find(".secret")), " ", "")
	a := b.post("/admin/factor", "code", b.h.code(secret))
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/admin/factor/codes") {
		b.h.t.Fatalf("the first code: %d\n%s", a.StatusCode, a.body)
	}
	return secret
}

// keepsCodes writes the recovery codes down.
func (b *browser) keepsCodes() []string {
	b.h.t.Helper()
	codes := strings.Fields(words(b.page("/admin/factor/codes").Find(".codes")))
	if len(codes) != 10 {
		b.h.t.Fatalf("recovery codes %v", codes)
	}
	b.post("/admin/factor/codes", "kept", "yes").leadsTo(b.h.t, "/admin?done=kept")
	return codes
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

// leadsTo answers the address the browser is sent to: where, and the mark of a session that a page says what was done by.
func (a answered) leadsTo(t *testing.T, where string) string {
	t.Helper()
	to := a.Header.Get("Location")
	bare, _, _ := strings.Cut(to, "&told=")
	if a.StatusCode != http.StatusSeeOther || bare != where {
		t.Fatalf("%s %s: %d to %q, want 303 to %q\n%s", a.Request.Method, a.Request.URL.Path, a.StatusCode, to, where, a.body)
	}
	return to
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

// words are what a reader sees, the words of neighbouring elements parted.
func words(s *goquery.Selection) string {
	var all []string
	s.Contents().Each(func(_ int, child *goquery.Selection) {
		if goquery.NodeName(child) == "#text" {
			all = append(all, strings.Fields(child.Text())...)
			return
		}
		all = append(all, strings.Fields(words(child))...)
	})
	return strings.Join(all, " ")
}

// journal is a log that may be read while others write: a line about a request comes after its answer.
type journal struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.String()
}
