package portal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"sollecito/internal/config"
	"sollecito/internal/databasetest"
	"sollecito/internal/disk"
	"sollecito/internal/portal"
	"sollecito/internal/sandbox"
)

// clock is the moved clock of one test; portal and sandbox share it.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// house is the real portal on a database of its own, with the sandbox as Stripe and its catcher as mail server,
// both over loopback. Only the clock is not real.
type house struct {
	t       testing.TB
	clock   *clock
	stripe  *sandbox.Server
	catcher *sandbox.Catcher
	api     *httptest.Server
	portal  *portal.Portal
	base    string
	log     *lockedBuffer
	config  *config.Config
	context context.Context // ends when the house is closed
	post    string          // where bounces and replies are taken, "" without InboundAddress
	left    atomic.Uint64   // bytes on the disk, 0 for what the system says
	stop    func()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Monday, ten in the morning in Rome.
var monday = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func open(t testing.TB, change ...func(*config.Config)) *house {
	t.Helper()
	h := &house{t: t, clock: &clock{at: monday}, log: &lockedBuffer{}}
	h.stripe = sandbox.New(sandbox.Options{Now: h.clock.now, Seed: t.Name(), MerchantName: "Lumen Studio"})
	t.Cleanup(h.stripe.Close)
	h.catcher = sandbox.NewCatcher(h.clock.now, nil)
	mail, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go h.catcher.Serve(mail)
	t.Cleanup(func() { h.catcher.Close() })
	h.api = httptest.NewServer(h.stripe.Handler())
	t.Cleanup(h.api.Close)
	h.stripe.SetPublicURL(h.api.URL)
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.base = "http://" + door.Addr().String()
	h.config = &config.Config{
		Listen: door.Addr().String(), BaseURL: h.base, DatabaseURL: databasetest.Migrated(t),
		StripeKey: config.Secret(h.stripe.SecretKey()), StripePublic: h.stripe.PublishableKey(), WebhookSecrets: []config.Secret{config.Secret(h.stripe.WebhookSecret())},
		StripeAPI: h.api.URL, StripeJS: h.api.URL + "/v3/", StripeEmails: "off", SMTP: config.Secret("smtp://" + mail.Addr().String()),
		MailFrom: "Lumen Studio <billing@lumen.example>", MerchantName: "Lumen Studio", MerchantAddr: "Lumen Studio S.r.l., Via Tortona 31, 20144 Milano, Italy",
		SupportEmail: "billing@lumen.example", DefaultZone: "Europe/Rome", DefaultLang: "en", SessionKey: config.Secret(strings.Repeat("s", 40)),
		EmbedSecrets: []config.Secret{config.Secret(strings.Repeat("e", 40))}, EmbedOrigins: []string{"https://app.lumen.example"},
		LogFormat: "text", TestRecipient: "*", ContactHours: "9-18", ContactDays: "mon-fri",
	}
	for _, f := range change {
		f(h.config)
	}
	err = h.config.Check()
	if err != nil {
		t.Fatal(err)
	}
	h.begin(door)
	t.Cleanup(func() { h.stop() })
	h.ask("webhook_endpoints", url.Values{"url": {h.base + "/webhooks/stripe"}, "enabled_events[]": {"*"}, "api_version": {"2023-10-16"}})
	return h
}

// begin begins the program as configured, behind a door.
func (h *house) begin(door net.Listener) {
	h.t.Helper()
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	h.portal, err = portal.New(h.t.Context(), h.config, portal.Surroundings{Now: h.clock.now, Real: time.Now, Log: log, Rate: 2000, Free: h.room})
	if err != nil {
		h.t.Fatal(err)
	}
	program := h.portal
	ctx, cancel := context.WithCancel(context.Background())
	h.context = ctx
	served := make(chan error, 1)
	go func() { served <- program.Serve(ctx, door, program.Web) }()
	posted := make(chan error, 1)
	if program.Inbound != nil {
		post, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			h.t.Fatal(err)
		}
		h.post = post.Addr().String()
		go func() { posted <- program.Inbound.Serve(ctx, post) }()
	} else {
		posted <- nil
	}
	h.stop = sync.OnceFunc(func() {
		cancel()
		err := errors.Join(<-served, <-posted)
		if err != nil {
			h.t.Errorf("serve: %v", err)
		}
		err = program.Close()
		if err != nil {
			h.t.Errorf("close: %v", err)
		}
	})
}

// ask calls the stand-in's API and answers the object; with nil params it reads.
func (h *house) ask(path string, params url.Values) map[string]any {
	h.t.Helper()
	status, object := h.offers(path, params)
	if status >= 400 {
		h.t.Fatalf("%s: %d %v", path, status, object)
	}
	return object
}

// offers asks for what may be refused.
func (h *house) offers(path string, params url.Values) (int, map[string]any) {
	h.t.Helper()
	method, body := http.MethodPost, io.Reader(strings.NewReader(params.Encode()))
	if params == nil {
		method, body = http.MethodGet, nil
	}
	req, err := http.NewRequest(method, h.api.URL+"/v1/"+path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	req.SetBasicAuth(h.stripe.SecretKey(), "")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	var object map[string]any
	err = json.NewDecoder(resp.Body).Decode(&object)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, object
}

// customer makes a customer with a monthly subscription of 29 euro on a card.
func (h *house) customer(name, email, country, card string) string {
	h.t.Helper()
	c := h.ask("customers", url.Values{"name": {name}, "email": {email}, "address[country]": {country}})["id"].(string)
	pm := h.ask("payment_methods/"+card+"/attach", url.Values{"customer": {c}})["id"].(string)
	h.ask("customers/"+c, url.Values{"invoice_settings[default_payment_method]": {pm}})
	product := h.ask("products", url.Values{"name": {"Studio plan"}})["id"].(string)
	price := h.ask("prices", url.Values{"product": {product}, "currency": {"eur"}, "unit_amount": {"2900"}, "recurring[interval]": {"month"}})["id"].(string)
	h.ask("subscriptions", url.Values{"customer": {c}, "items[0][price]": {price}})
	return c
}

// fail makes the customer's renewal fail now.
func (h *house) fail(customer, code string) string {
	h.t.Helper()
	invoice, err := h.stripe.FailRenewal(customer, code)
	if err != nil {
		h.t.Fatal(err)
	}
	h.settle()
	return invoice
}

// settle lets everything that is due at this instant happen, on both sides.
func (h *house) settle() {
	h.t.Helper()
	for range 50 {
		h.stripe.RunDue(h.clock.now())
		err := h.stripe.DeliverWebhooks(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		done, err := h.portal.Runner.Drain(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		if done == 0 {
			return
		}
	}
	h.t.Fatal("portal and sandbox keep each other busy")
}

// walk moves the clock by d, stopping wherever one of the two has something due.
func (h *house) walk(d time.Duration) {
	h.t.Helper()
	target := h.clock.now().Add(d)
	for {
		now := h.clock.now()
		next := target
		at, ok := h.stripe.NextDue()
		if ok && at.After(now) && at.Before(next) {
			next = at
		}
		at, ok, err := h.portal.NextDue(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		if ok && at.After(now) && at.Before(next) {
			next = at
		}
		h.clock.set(next)
		h.settle()
		if !next.Before(target) {
			return
		}
	}
}

func (h *house) mailsTo(address string) []sandbox.Mail {
	var all []sandbox.Mail
	for _, m := range h.catcher.Mails() {
		if m.To == address {
			all = append(all, m)
		}
	}
	return all
}

var linkPattern = regexp.MustCompile(`http://[^\s"<]+/l/[A-Za-z0-9_-]{43}`)

func linkIn(t testing.TB, m sandbox.Mail) string {
	t.Helper()
	found := linkPattern.FindString(m.Text)
	if found == "" {
		t.Fatalf("no link in %q:\n%s", m.Subject, m.Text)
	}
	return found
}

// browser is a customer's or a colleague's: it keeps cookies and follows redirects within the portal.
type browser struct {
	t      testing.TB
	base   string
	client *http.Client
	page   *goquery.Document
	status int
	path   string
	query  string
	header http.Header
}

// room is what is left on the disk, as far as the test says so.
func (h *house) room(file string) (uint64, bool) {
	left := h.left.Load()
	if left == 0 {
		return disk.Free(file)
	}
	return left, true
}

func (h *house) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &browser{t: h.t, base: h.base, client: &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

func (b *browser) get(path string) *browser {
	b.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = b.base + path
	}
	resp, err := b.client.Get(path)
	return b.read(resp, err)
}

func (b *browser) post(path string, form url.Values) *browser {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", b.base)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := b.client.Do(req)
	return b.read(resp, err)
}

// press sends the form whose action begins with the path, as its main button would.
func (b *browser) press(action string) *browser {
	b.t.Helper()
	form := b.page.Find(fmt.Sprintf("form[action^=%q]", action)).First()
	if form.Length() == 0 {
		b.t.Fatalf("%s has no form to %s:\n%s", b.path, action, b.text("main"))
	}
	values := url.Values{}
	form.Find("input[name]").Each(func(_ int, in *goquery.Selection) {
		kind := in.AttrOr("type", "text")
		_, checked := in.Attr("checked")
		if (kind == "radio" || kind == "checkbox") && !checked {
			return
		}
		values.Add(in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	if form.AttrOr("method", "get") == "get" {
		return b.get(form.AttrOr("action", "") + "?" + values.Encode())
	}
	return b.post(form.AttrOr("action", ""), values)
}

func (b *browser) read(resp *http.Response, err error) *browser {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	b.page, err = goquery.NewDocumentFromReader(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.status, b.path, b.query, b.header = resp.StatusCode, resp.Request.URL.Path, resp.Request.URL.RawQuery, resp.Header
	return b
}

func (b *browser) text(selector string) string {
	return strings.Join(strings.Fields(b.page.Find(selector).First().Text()), " ")
}

// at checks where the browser stands.
func (b *browser) at(path string, status int) *browser {
	b.t.Helper()
	if b.path != path || b.status != status {
		b.t.Fatalf("at %s with %d, want %s with %d: %s", b.path, b.status, path, status, b.text("main"))
	}
	return b
}
