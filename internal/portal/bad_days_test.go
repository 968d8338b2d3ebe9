package portal_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	netmail "net/mail"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"sollecito/internal/databasetest"
	"sollecito/internal/names"
	"sollecito/internal/sandbox"
	"sollecito/internal/staff"
)

func sign(body []byte, secret string, at time.Time) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil)))
}

func eventBody(id, kind, customer string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"object":"event","api_version":"2023-10-16","created":1700000000,"livemode":false,"type":%q,"data":{"object":{"id":"in_x","object":"invoice","customer":%q}}}`, id, kind, customer)
}

func (h *house) webhook(body []byte, signature string) int {
	h.t.Helper()
	req, err := http.NewRequest(http.MethodPost, h.base+"/webhooks/stripe", bytes.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Stripe-Signature", signature)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func (h *house) events(where string) int {
	h.t.Helper()
	var n int
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM events WHERE ` + where).Scan(&n)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

func TestWebhooksAreKeptOrRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	secret := h.stripe.WebhookSecret()
	body := eventBody("evt_1", "invoice.paid", "cus_none")
	now := time.Now()
	refused := []struct {
		name, signature string
		body            []byte
		status          int
	}{
		{"unsigned", "", body, 400},
		{"malformed signature", "t=x,v1=zz", body, 400},
		{"another secret", sign(body, "whsec_other", now), body, 400},
		{"one byte changed", sign(body, secret, now), append(bytes.Clone(body), ' '), 400},
		{"too old", sign(body, secret, now.Add(-301*time.Second)), body, 400},
		{"from the future", sign(body, secret, now.Add(302*time.Second)), body, 400},
		{"no JSON", sign([]byte("hello"), secret, now), []byte("hello"), 400},
		{"oversized", sign(bytes.Repeat([]byte("x"), 2<<20), secret, now), bytes.Repeat([]byte("x"), 2<<20), 413},
	}
	for _, tt := range refused {
		if got := h.webhook(tt.body, tt.signature); got != tt.status {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.status)
		}
	}
	if got := h.events("1=1"); got != 0 {
		t.Errorf("%d refused events were kept", got)
	}
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			if got := h.webhook(body, sign(body, secret, now)); got != 200 {
				t.Errorf("a good event got %d", got)
			}
		})
	}
	wait.Wait()
	thin := []byte(`{"id":"evt_thin","object":"v2.core.event","type":"v1.billing.meter.error","created":"2026-01-01T00:00:00Z"}`)
	other := eventBody("evt_2", "customer.discount.created", "cus_none")
	live := bytes.Replace(eventBody("evt_3", "invoice.paid", "cus_none"), []byte(`"livemode":false`), []byte(`"livemode":true`), 1)
	newer := bytes.Replace(eventBody("evt_4", "invoice.paid", "cus_none"), []byte("2023-10-16"), []byte("2026-08-26.dahlia"), 1)
	for _, b := range [][]byte{thin, other, live, newer} {
		if got := h.webhook(b, sign(b, secret, now.Add(-290*time.Second))); got != 200 {
			t.Errorf("%d for %s", got, b)
		}
	}
	if got := h.events("id = 'evt_1'"); got != 1 {
		t.Errorf("%d rows for one event", got)
	}
	if got := h.events("status = 'parked' AND reason <> ''"); got != 2 { // the thin one and the one of the other mode
		t.Errorf("%d parked", got)
	}
	if got := h.events("id = 'evt_2' AND status = 'ignored'"); got != 1 {
		t.Error("an event we have no use for is not ignored")
	}
	h.settle()
	if got := h.events("status = 'received'"); got != 0 {
		t.Errorf("%d events still wait", got)
	}
	if got := h.events("id IN ('evt_1', 'evt_4') AND status = 'parked'"); got != 2 { // Stripe knows no such customer
		t.Errorf("%d events about a customer nobody knows were parked", got)
	}
}

func TestNoEventIsAcknowledgedWithoutItsRow(t *testing.T) {
	t.Parallel()
	h := open(t)
	body := eventBody("evt_1", "invoice.paid", "cus_none")
	driver, address, hold := "sqlite", "file:"+h.portal.DB.Path()+"?_pragma=busy_timeout(1)&_txlock=immediate", `SELECT 1`
	if databasetest.OnPostgres() {
		driver, address, hold = "pgx", h.config.DatabaseURL, `LOCK TABLE events IN ACCESS EXCLUSIVE MODE`
	}
	lock, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	tx, err := lock.Begin() // somebody else writes and does not finish
	if err != nil {
		t.Fatal(err)
	}
	_, err = tx.Exec(hold)
	if err != nil {
		t.Fatal(err)
	}
	status := make(chan int, 1)
	go func() { status <- h.webhook(body, sign(body, h.stripe.WebhookSecret(), time.Now())) }()
	got := <-status
	tx.Rollback()
	if got < 500 || h.events("1=1") != 0 {
		t.Errorf("an unwritable database answered %d with %d rows", got, h.events("1=1"))
	}
	if got := h.webhook(body, sign(body, h.stripe.WebhookSecret(), time.Now())); got != 200 {
		t.Errorf("afterwards %d", got)
	}
}

func TestAnothersThingsDoNotExist(t *testing.T) {
	t.Parallel()
	h := open(t)
	mine := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	theirs := h.customer("Maison Okafor", "compta@okafor.example", "FR", "pm_card_visa")
	h.fail(mine, "expired_card")
	foreign := h.fail(theirs, "expired_card")
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("anneke@waal.example")[0])).at("/pay", http.StatusOK)
	press := "press_" + strings.Repeat("a", 26)
	before := h.rows()
	for _, try := range []struct {
		method, path string
		form         url.Values
	}{
		{"GET", "/pay/invoices/" + foreign + "/pdf", nil},
		{"POST", "/pay/hosted", url.Values{"invoice": {foreign}}},
		{"POST", "/pay/approve", url.Values{"invoice": {foreign}}},
		{"POST", "/pay/approve/done", url.Values{"invoice": {foreign}}},
		{"POST", "/pay/charge", url.Values{"attempt": {press}, "expect": {foreign + " 2900 eur"}}},
		{"POST", "/pay/card", url.Values{"setup_intent": {"seti_unknown"}}},
	} {
		if try.method == "GET" {
			b.get(try.path)
		} else {
			b.post(try.path, try.form)
		}
		if b.status != http.StatusNotFound {
			t.Errorf("%s %s: %d", try.method, try.path, b.status)
		}
		if html, _ := b.page.Html(); strings.Contains(html, "Okafor") || strings.Contains(html, "okafor") {
			t.Errorf("%s %s tells of somebody else", try.method, try.path)
		}
	}
	b.post("/pay/review", url.Values{"what": {"some"}, "invoice": {foreign}}).at("/pay", http.StatusOK)
	if after := h.rows(); after != before {
		t.Errorf("%s became %s", before, after)
	}
}

func TestOtherSitesCannotPressOurButtons(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "expired_card")
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("anneke@waal.example")[0]))
	for _, header := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"},
	} {
		for _, path := range []string{"/pay/review", "/pay/charge", "/pay/support", "/pay/language", "/pay/leave", "/pay/link", "/admin/signin", "/admin/signout"} {
			req, _ := http.NewRequest(http.MethodPost, h.base+path, strings.NewReader("text=hello&email=a@b.example"))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for k, v := range header {
				req.Header.Set(k, v)
			}
			resp, err := b.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("%s with %v: %d", path, header, resp.StatusCode)
			}
		}
	}
	b.get("/pay").at("/pay", http.StatusOK)
}

func TestMarkupInANameIsInert(t *testing.T) {
	t.Parallel()
	h := open(t)
	name := `"><svg/onload=alert(1)> {{.Amount}}` + "\r\nBcc: all@evil.example"
	customer := h.customer(name, "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "expired_card")
	m := h.mailsTo("anneke@waal.example")[0]
	if strings.Contains(m.HTML, "<svg") || strings.ContainsAny(m.Subject, "\r\n<") || m.Header("Bcc") != "" {
		t.Errorf("the mail took it for markup: %q %v", m.Subject, m.Headers)
	}
	b := h.browser()
	b.get(linkIn(t, m)).at("/pay", http.StatusOK)
	if b.page.Find("svg[onload]").Length() != 0 || !strings.HasPrefix(b.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Error("the page took it for markup")
	}
}

// A name at Stripe that turns the words around it, or breaks the line it stands in, reaches nobody as such: neither the
// headers of mails to the customer and to staff nor the pages of either.
func TestANameTurnsNothingAround(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Chi\u200bara\u202e <moc.elpmaxe@nimda>\u2067\r\nBellini\u2028", "chiara@bellini.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	m := h.mailsTo("chiara@bellini.example")[0]
	b := h.browser()
	b.get(linkIn(t, m)).get("/pay/support").post("/pay/support", url.Values{"text": {"Is this yours?"}}).at("/pay/support", http.StatusOK)
	h.settle()
	toStaff := h.mailsTo("billing@lumen.example")
	if len(toStaff) != 1 {
		t.Fatalf("staff got %d mails", len(toStaff))
	}
	for _, header := range []string{m.Header("To"), m.Header("Subject"), toStaff[0].Header("Subject"), toStaff[0].Header("Reply-To")} {
		if strings.ContainsFunc(header, names.Hidden) {
			t.Errorf("a header reads %+q", header)
		}
	}
	to, err := netmail.ParseAddress(m.Header("To"))
	if err != nil || to.Address != "chiara@bellini.example" || to.Name != "Chiara <moc.elpmaxe@nimda> Bellini" {
		t.Errorf("it goes to %+q: %v", m.Header("To"), err)
	}
	page := h.colleague(staff.Agent).get("/admin/customers/"+customer).at("/admin/customers/"+customer, http.StatusOK)
	for name, html := range map[string]*goquery.Document{"the customer": b.get("/pay").page, "staff": page.page} {
		if text := html.Find("body").Text(); strings.ContainsAny(text, "\u202e\u2067\u200b\u2028") {
			t.Errorf("the page of %s holds what turns it around", name)
		}
	}
}

func TestSeveralInvoicesAreToldHonestly(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Haruka Nakamura", "haruka@kobo.example", "JP", "pm_card_visa")
	h.clock.set(time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC)) // eleven in the morning in Tokyo
	h.fail(customer, "insufficient_funds")
	h.ask("invoiceitems", url.Values{"customer": {customer}, "amount": {"4800"}, "currency": {"jpy"}, "description": {"Fonts"}})
	yen := h.ask("invoices", url.Values{"customer": {customer}, "currency": {"jpy"}, "pending_invoice_items_behavior": {"include"}})["id"].(string)
	h.ask("invoices/"+yen+"/finalize", url.Values{"auto_advance": {"true"}})
	h.walk(26 * time.Hour)
	mails := h.mailsTo("haruka@kobo.example")
	if len(mails) == 0 {
		t.Fatal("no mail")
	}
	b := h.browser()
	b.get(linkIn(t, mails[0])).at("/pay", http.StatusOK)
	text := b.text("main")
	if !strings.Contains(text, "€29.00") || !strings.Contains(mails[0].Text, "€29.00") {
		t.Errorf("the page says: %s", text)
	}
	if strings.Contains(text, "4829") || strings.Contains(text, "4,829") {
		t.Errorf("currencies were added: %s", text)
	}
}

// Whoever pays many invoices at once reads the whole sum, and each of them, on the page that thanks.
func TestManyInvoicesPaidAtOnceAreAllTold(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	bad := h.ask("payment_methods/pm_card_chargeCustomerFail/attach", url.Values{"customer": {customer}})["id"].(string)
	for range 15 {
		invoice := h.ask("invoices", url.Values{
			"customer": {customer}, "currency": {"eur"}, "auto_advance": {"true"}, "default_payment_method": {bad}, "pending_invoice_items_behavior": {"exclude"},
		})["id"].(string)
		h.ask("invoiceitems", url.Values{"customer": {customer}, "invoice": {invoice}, "currency": {"eur"}, "amount": {"1000"}, "description": {"Seats"}})
	}
	h.walk(72 * time.Hour)
	mails := h.mailsTo("chiara@bellini.example")
	if len(mails) == 0 {
		t.Fatal("no mail")
	}
	b := h.browser()
	b.get(linkIn(t, mails[0])).get("/pay/card").at("/pay/card", http.StatusOK)
	form := b.hidden("form[data-card]")
	setup := b.intent(form)
	h.ask("setup_intents/"+setup+"/confirm", url.Values{"payment_method": {"pm_card_mastercard"}, "return_url": {h.base + "/pay/card/finish"}})
	form.Set("setup_intent", setup)
	b.post("/pay/card", form).at("/pay/result", http.StatusOK)
	if text := b.text("main"); !strings.Contains(text, "€150.00") || b.page.Find(`main a[href$="/pdf"]`).Length() != 15 {
		t.Errorf("%d receipts: %s", b.page.Find(`main a[href$="/pdf"]`).Length(), text)
	}
}

// A press for many invoices of one sum, whose card is declined again and again, ends where the card's network wants it to.
func TestAPressForManyInvoicesKeepsToTheNetworksBound(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]bool{"in one go": false, "after Stripe did not answer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tryMany(t, broken)
		})
	}
}

func tryMany(t *testing.T, broken bool) {
	var down atomic.Bool
	h := open(t, unanswered(t, &down, "/pay"))
	customer := h.customer("Aino Laine", "aino@laine.example", "FI", "pm_card_visa")
	for range 22 {
		invoice := h.ask("invoices", url.Values{
			"customer": {customer}, "currency": {"eur"}, "collection_method": {"send_invoice"}, "days_until_due": {"2"}, "pending_invoice_items_behavior": {"exclude"},
		})["id"].(string)
		h.ask("invoiceitems", url.Values{"customer": {customer}, "invoice": {invoice}, "currency": {"eur"}, "amount": {"1000"}})
		h.ask("invoices/"+invoice+"/finalize", url.Values{})
	}
	h.ask("customers/"+customer, url.Values{"description": {"invoiced"}})
	h.walk(12 * 24 * time.Hour)
	mails := h.mailsTo("aino@laine.example")
	if len(mails) == 0 {
		t.Fatal("no mail")
	}
	b := h.browser()
	b.get(linkIn(t, mails[0])).get("/pay/card").at("/pay/card", http.StatusOK)
	form := b.hidden("form[data-card]")
	setup := b.intent(form)
	h.ask("setup_intents/"+setup+"/confirm", url.Values{"payment_method": {"pm_card_chargeCustomerFail"}, "return_url": {h.base + "/pay/card/finish"}})
	form.Set("setup_intent", setup)
	down.Store(broken)
	b.post("/pay/card", form).at("/pay/result", http.StatusOK)
	if broken {
		down.Store(false)
		h.clock.set(h.clock.now().Add(5 * time.Minute))
		_, err := h.portal.Desk.Mend(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
	}
	declined := 0
	for _, c := range h.ask("charges?limit=100&customer="+customer, nil)["data"].([]any) {
		if c.(map[string]any)["status"] == "failed" {
			declined++
		}
	}
	if declined != 20 {
		t.Errorf("the bank was asked %d times", declined)
	}
}

// Six clicks at once while Stripe's webhook arrives: one charge.
func TestOneChargeHoweverOftenItIsPressed(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	invoice := h.fail(customer, "expired_card")
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("anneke@waal.example")[0])).get("/pay/card").at("/pay/card", http.StatusOK)
	form := b.hidden("form[data-card]")
	setup := b.intent(form)
	h.ask("setup_intents/"+setup+"/confirm", url.Values{"payment_method": {"pm_card_mastercard"}, "return_url": {h.base + "/pay/card/finish"}})
	form.Set("setup_intent", setup)
	var wait sync.WaitGroup
	for range 6 {
		wait.Go(func() {
			req, _ := http.NewRequest(http.MethodPost, h.base+"/pay/card", strings.NewReader(form.Encode()))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Sec-Fetch-Site", "same-origin")
			resp, err := b.client.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode >= 500 {
				t.Errorf("%d", resp.StatusCode)
			}
		})
	}
	wait.Go(func() {
		err := h.stripe.DeliverWebhooks(t.Context())
		if err != nil {
			t.Error(err)
		}
		_, err = h.portal.Runner.Drain(t.Context())
		if err != nil {
			t.Error(err)
		}
	})
	wait.Wait()
	h.settle()
	if got := h.charges(customer, invoice); got != 1 {
		t.Errorf("charged %d times", got)
	}
	b.get("/pay").at("/pay", http.StatusOK)
	if !strings.Contains(b.text("h1"), "Nothing is open") {
		t.Errorf("afterwards: %s", b.text("main"))
	}
}

// charges counts the successful charges of an invoice.
func (h *house) charges(customer, invoice string) int {
	h.t.Helper()
	n := 0
	for _, c := range h.ask("charges?limit=100&customer="+customer, nil)["data"].([]any) {
		charge := c.(map[string]any)
		if charge["invoice"] == invoice && charge["status"] == "succeeded" {
			n++
		}
	}
	return n
}

// Stripe down: pages say how things stood, reminders wait, nothing is charged twice once it is back.
func TestStripeDoesNotAnswer(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	b := h.browser()
	h.walk(24 * time.Hour)
	b.get(linkIn(t, h.mailsTo("anneke@waal.example")[0])).at("/pay", http.StatusOK)
	h.outage("500", 1000)
	h.walk(4 * 24 * time.Hour)
	if got := len(h.mailsTo("anneke@waal.example")); got != 1 {
		t.Errorf("%d mails while Stripe could not be asked", got)
	}
	b.get("/pay").at("/pay", http.StatusOK)
	if !strings.Contains(b.text("main"), "We couldn’t reach the payment service") || b.text("main .amount") != "€29.00" {
		t.Errorf("stale page: %s", b.text("main"))
	}
	b.press("/pay/review").press("/pay/charge").at("/pay/result", http.StatusOK)
	if !strings.Contains(b.text("h1"), "asking your bank") {
		t.Errorf("without an answer the page says: %s", b.text("main"))
	}
	b.post("/pay/hosted", url.Values{"invoice": {h.stored(customer)}})
	if b.status != http.StatusServiceUnavailable || b.header.Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q", b.status, b.header.Get("Retry-After"))
	}
	h.outage("500", 0)
	h.walk(4 * 24 * time.Hour)
	if got := len(h.mailsTo("anneke@waal.example")); got < 2 {
		t.Errorf("%d mails after Stripe came back", got)
	}
}

func (h *house) outage(status string, count int) {
	h.t.Helper()
	form := url.Values{"status": {status}, "count": {fmt.Sprint(count)}}
	req, err := http.NewRequest(http.MethodPost, h.api.URL+"/sandbox/outage", strings.NewReader(form.Encode()))
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
	if resp.StatusCode >= 300 {
		body, _ := io.ReadAll(resp.Body)
		h.t.Fatalf("outage: %d %s", resp.StatusCode, body)
	}
}

func (h *house) stored(customer string) string {
	h.t.Helper()
	var id string
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT id FROM invoices WHERE customer_id = $1 AND status = 'open'`, customer).Scan(&id)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

// A restart in the middle: what was being handed over is uncertain, shown, and never said again.
func TestWhatWasBeingSentWhenTheProgramDiedIsUncertain(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.catcher.SetFault(sandbox.Fault{Place: sandbox.FaultConnect})
	h.fail(customer, "expired_card")
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE notices SET status = 'sending', dated = created_at WHERE channel = 'email'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.catcher.SetFault()
	n, err := h.portal.Sender.AbandonAll(t.Context())
	if err != nil || n != 1 {
		t.Fatalf("%d abandoned, %v", n, err)
	}
	h.walk(30 * time.Minute)
	if got := len(h.mailsTo("anneke@waal.example")); got != 0 {
		t.Errorf("%d mails sent again", got)
	}
	b := h.colleague(staff.Agent)
	if got := strings.Join(strings.Fields(b.get("/admin/customers/"+customer).text("main")), " "); !strings.Contains(got, "Mail 1 May or may not have arrived. It counts as sent and is not sent again by itself.") {
		t.Errorf("staff are not told: %s", got)
	}
	if got := b.get("/admin").text("main"); !strings.Contains(got, "A mail may or may not have arrived") {
		t.Errorf("Today does not tell of it: %s", got)
	}
}

func TestTheDatabaseFileIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	if databasetest.OnPostgres() {
		return // a server keeps the data
	}
	info, err := os.Stat(h.portal.DB.Path())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the database file is %v", info.Mode())
	}
}
