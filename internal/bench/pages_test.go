package bench_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/config"
	"sollecito/internal/databasetest"
	"sollecito/internal/l10n"
	"sollecito/internal/link"
	"sollecito/internal/portal"
	"sollecito/internal/sandbox"
	"sollecito/static"
	"sollecito/views"
)

// readers is how many connections ask for the page at once, each again as soon as it is answered.
const readers = 16

// sessions are so many that each is asked for once in a second at most: what the program remembers of one helps none.
const sessions = 8192

// BenchmarkPages compares a customer's page, with its session and its queries, with a bare net/http server that draws
// the same page from what it holds in memory, in turns: the page of a session that was not seen within the second, and
// that of one session which asks for it over and over.
func BenchmarkPages(b *testing.B) {
	first := customerPage(b)
	again := &asked{address: first.address, requests: first.requests[:1], page: first.page}
	bare := barePage(b, len(first.page))
	b.Logf("%-11s one page: %d bytes, the bare one %d; read with %d connections, of %d sessions or of one", engine(), len(first.page), len(bare.page), readers, len(first.requests))
	var plain measured
	var seen [2]measured
	for range rounds {
		plain.add(bare.ask(b))
		seen[0].add(first.ask(b))
		seen[1].add(again.ask(b))
	}
	plain.report(b, "bare net/http + templ")
	for i, what := range []string{"first", "again"} {
		seen[i].report(b, "customer's, looked at "+what)
		rates, costs := make([]float64, rounds), make([]float64, rounds)
		for n := range rounds {
			rates[n], costs[n] = seen[i].rate[n]/plain.rate[n], plain.cost[n]/seen[i].cost[n]
		}
		report(b, "ratio by the clock, "+what, rates)
		report(b, "ratio by processor time, "+what, costs)
		b.ReportMetric(median(rates), what+"-ratio")
		b.ReportMetric(median(costs), what+"-processor-ratio")
	}
	b.ReportMetric(0, "ns/op")
}

// measured are the rounds of one kind of page.
type measured struct{ rate, cost, slow []float64 }

func (m *measured) add(perSecond, cost float64, p99 time.Duration) {
	m.rate, m.cost, m.slow = append(m.rate, perSecond), append(m.cost, cost), append(m.slow, float64(p99.Microseconds())/1000)
}

func (m *measured) report(b *testing.B, what string) {
	b.Helper()
	report(b, what+", pages/s", m.rate)
	report(b, what+", processor time with the client's, µs", m.cost)
	report(b, what+", p99 ms", m.slow)
}

// asked is a server and the requests it is asked with, one after the other.
type asked struct {
	address  string
	requests []string
	page     []byte // as it answered first
	next     atomic.Int64
}

// request answers the next request.
func (a *asked) request() string { return a.requests[int(a.next.Add(1))%len(a.requests)] }

// first asks once and keeps the page.
func (a *asked) first(b *testing.B) {
	b.Helper()
	conn, err := net.Dial("tcp", a.address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, a.request())
	if err != nil {
		b.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	a.page, err = io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || !bytes.Contains(a.page, []byte(`action="/pay/review"`)) {
		b.Fatalf("the page answers %d with %d bytes: %v", answer.StatusCode, len(a.page), err)
	}
}

// ask measures how many pages a second all readers together are answered, and the processor time of one in microseconds:
// of this process, so what a database server takes is not in it.
func (a *asked) ask(b *testing.B) (perSecond, cost float64, p99 time.Duration) {
	used := processor(b)
	var mu sync.Mutex
	var all []time.Duration
	var wait sync.WaitGroup
	start := time.Now()
	for range readers {
		wait.Go(func() {
			conn, err := net.Dial("tcp", a.address)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			answers := bufio.NewReader(conn)
			var mine []time.Duration
			for time.Since(start) < each {
				began := time.Now()
				_, err = io.WriteString(conn, a.request())
				if err != nil {
					b.Error(err)
					return
				}
				answer, err := http.ReadResponse(answers, nil)
				if err != nil {
					b.Error(err)
					return
				}
				n, err := io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				if err != nil || answer.StatusCode != http.StatusOK || n < int64(len(a.page))-50 {
					b.Errorf("answered %d with %d bytes: %v", answer.StatusCode, n, err)
					return
				}
				mine = append(mine, time.Since(began))
			}
			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		})
	}
	wait.Wait()
	took := time.Since(start)
	used = processor(b) - used
	if len(all) == 0 {
		b.Fatal("nothing was answered")
	}
	slices.Sort(all)
	return float64(len(all)) / took.Seconds(), used.Seconds() * 1e6 / float64(len(all)), all[len(all)*99/100]
}

// customerPage is the real program with one customer whose renewal failed, asked for their page in an open session.
func customerPage(b *testing.B) *asked {
	b.Helper()
	stripe := sandbox.New(sandbox.Options{Now: time.Now, Seed: "pages", MerchantName: "Lumen Studio"})
	b.Cleanup(stripe.Close)
	api := httptest.NewServer(stripe.Handler())
	b.Cleanup(api.Close)
	stripe.SetPublicURL(api.URL)
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	base := "http://" + door.Addr().String()
	c := &config.Config{
		Listen: door.Addr().String(), BaseURL: base, DatabaseURL: databasetest.URL(b),
		StripeKey: config.Secret(stripe.SecretKey()), StripePublic: stripe.PublishableKey(), WebhookSecrets: []config.Secret{config.Secret(stripe.WebhookSecret())},
		StripeAPI: api.URL, StripeJS: api.URL + "/v3/", StripeEmails: "off", SMTP: "smtp://127.0.0.1:1",
		MailFrom: "billing@lumen.example", MerchantName: "Lumen Studio", MerchantAddr: lumenAddress, SupportEmail: "billing@lumen.example",
		DefaultZone: "Europe/Rome", DefaultLang: "en", SessionKey: config.Secret(strings.Repeat("s", 40)), LogFormat: "text",
		TestRecipient: "*", ContactHours: "9-18", ContactDays: "mon-fri",
	}
	err = c.Check()
	if err != nil {
		b.Fatal(err)
	}
	house, err := portal.New(b.Context(), c, portal.Surroundings{Now: time.Now, Real: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Rate: unlimited})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- house.Serve(ctx, door, house.Web) }()
	b.Cleanup(func() {
		cancel()
		<-served
		house.Close()
	})
	customer := failing(b, stripe, api.URL, base)
	err = stripe.DeliverWebhooks(b.Context())
	if err == nil {
		_, err = house.Runner.Drain(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	token := ""
	err = house.DB.Do(b.Context(), func(tx *sql.Tx) error {
		token, err = link.Issue(b.Context(), tx, link.Link{CustomerID: customer, IssuedAt: time.Now().Unix()})
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	a := &asked{address: door.Addr().String()}
	for range sessions {
		opened, err := client.Get(link.NewAddresses(base).Link(token))
		if err != nil || len(opened.Cookies()) == 0 {
			b.Fatalf("the link opens no session: %v", err)
		}
		opened.Body.Close()
		cookie := opened.Cookies()[0]
		a.requests = append(a.requests, fmt.Sprintf("GET /pay HTTP/1.1\r\nHost: %s\r\nCookie: %s=%s\r\nAccept-Language: en\r\n\r\n", door.Addr(), cookie.Name, cookie.Value))
	}
	a.first(b)
	return a
}

const lumenAddress = "Lumen Studio S.r.l., Via Tortona 31, 20144 Milano, Italy"

// failing makes a customer with a monthly plan whose renewal fails now.
func failing(b *testing.B, stripe *sandbox.Server, api, base string) string {
	b.Helper()
	post := func(path string, form url.Values) string {
		r, err := http.NewRequest(http.MethodPost, api+"/v1/"+path, strings.NewReader(form.Encode()))
		if err != nil {
			b.Fatal(err)
		}
		r.SetBasicAuth(stripe.SecretKey(), "")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		defer resp.Body.Close()
		var made struct{ ID string }
		err = json.NewDecoder(resp.Body).Decode(&made)
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatalf("%s: %d %v", path, resp.StatusCode, err)
		}
		return made.ID
	}
	post("webhook_endpoints", url.Values{"url": {base + "/webhooks/stripe"}, "enabled_events[]": {"*"}, "api_version": {"2023-10-16"}})
	customer := post("customers", url.Values{"email": {"chiara@bellini.example"}, "name": {"Chiara Bellini"}, "address[country]": {"IT"}, "preferred_locales[0]": {"en"}})
	card := post("payment_methods/pm_card_visa/attach", url.Values{"customer": {customer}})
	post("customers/"+customer, url.Values{"invoice_settings[default_payment_method]": {card}})
	product := post("products", url.Values{"name": {"Studio plan"}})
	price := post("prices", url.Values{"product": {product}, "currency": {"eur"}, "unit_amount": {"2900"}, "recurring[interval]": {"month"}})
	post("subscriptions", url.Values{"customer": {customer}, "items[0][price]": {price}})
	_, err := stripe.FailRenewal(customer, "insufficient_funds")
	if err != nil {
		b.Fatal(err)
	}
	return customer
}

// barePage is a server that draws the same page from memory: no session, no database, no log. about is how long the real
// page is; one that differs much is no baseline.
func barePage(b *testing.B, about int) *asked {
	b.Helper()
	catalog, err := l10n.Load()
	if err != nil {
		b.Fatal(err)
	}
	assets, err := static.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now().UTC()
	card := &views.CardOnFile{Method: billing.Method{Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 12, ExpYear: 2034}}
	p := views.OverviewPage{
		Frame: views.Frame{
			Locale: catalog.Locale("en"), Languages: catalog.Locales(), Path: "/pay", MaskedEmail: "c•••@b•••.example", TestMode: true, Asset: assets.Path,
			Merchant: views.Merchant{Name: "Lumen Studio", LegalAddress: lumenAddress, SupportEmail: "billing@lumen.example"},
		},
		FirstName: "Chiara", Reason: billing.ClassMoney, Card: card, Main: views.MainPay, Hosted: true, CanPromise: true, CanClaim: true, CanCancel: true,
		ForFuture: []string{"Studio plan"},
		Invoices: []views.Invoice{{
			ID: "in_1SmHCnj4QCoN9Ft4BK3lymEW", Number: "4276008C-0002", What: "Studio plan", From: now, To: now.AddDate(0, 1, -1), Since: now,
			Remaining: billing.Money{Minor: 2900, Currency: "eur"}, Class: billing.ClassMoney, HasPDF: true,
		}},
		Thread: []views.Entry{
			{When: now, Kind: views.Past, Said: views.Said{Key: "thread.declined"}}, {When: now, Kind: views.Now, Said: views.Said{Key: "thread.pay_now"}},
			{When: now.AddDate(0, 0, 3), Kind: views.Next, Said: views.Said{Key: "thread.retry", Args: l10n.Args{"Card": card}}},
			{When: now.AddDate(0, 0, 14), Kind: views.Next, Said: views.Said{Key: "thread.will_restrict"}},
		},
		Contact: &views.ContactPlan{Remaining: 4, Next: now.AddDate(0, 0, 1)},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var page bytes.Buffer
		err := views.Overview(p).Render(r.Context(), &page)
		if err != nil {
			b.Error(err)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(page.Len()))
		w.Write(page.Bytes())
	}))
	b.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	a := &asked{address: address, requests: []string{"GET /pay HTTP/1.1\r\nHost: " + address + "\r\nAccept-Language: en\r\n\r\n"}}
	a.first(b)
	off := max(about, len(a.page)) - min(about, len(a.page))
	if off > about/20 {
		b.Fatalf("the bare page has %d bytes, the real one %d: more than a twentieth apart", len(a.page), about)
	}
	return a
}
