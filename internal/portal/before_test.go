package portal_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sollecito/internal/config"
	"sollecito/internal/sandbox"
)

// foretelling makes the portal speak before anything fails, two weeks ahead.
func foretelling(what string) func(*config.Config) {
	return func(c *config.Config) { c.BeforeFailure, c.BeforeDays = what, "14" }
}

// subscriber makes a customer with a monthly subscription that began now, on a card of that date; a month of 0 is none.
// more are further parameters of the subscription.
func (h *house) subscriber(email, month, year string, more ...string) (customer, card string) {
	h.t.Helper()
	customer = h.ask("customers", url.Values{"name": {"Chiara Bellini"}, "email": {email}, "address[country]": {"IT"}})["id"].(string)
	if month != "" {
		card = h.ask("payment_methods", url.Values{"type": {"card"}, "card[number]": {"4242424242424242"}, "card[cvc]": {"123"}, "card[exp_month]": {month}, "card[exp_year]": {year}})["id"].(string)
		h.ask("payment_methods/"+card+"/attach", url.Values{"customer": {customer}})
		h.ask("customers/"+customer, url.Values{"invoice_settings[default_payment_method]": {card}})
	}
	product := h.ask("products", url.Values{"name": {"Studio plan"}})["id"].(string)
	price := h.ask("prices", url.Values{"product": {product}, "currency": {"eur"}, "unit_amount": {"2900"}, "recurring[interval]": {"month"}})["id"].(string)
	form := url.Values{"customer": {customer}, "items[0][price]": {price}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	h.ask("subscriptions", form)
	return customer, card
}

func (h *house) subscriptionOf(customer string) string {
	return h.ask("subscriptions?status=all&customer="+customer, nil)["data"].([]any)[0].(map[string]any)["id"].(string)
}

// The card expires before the renewal: one polite letter two weeks before, in the hours, whose link leads to a place
// for another card and not to a debt; with it the renewal succeeds and nothing more is said.
func TestACardThatExpiresBeforeTheRenewal(t *testing.T) {
	t.Parallel()
	h := open(t, foretelling("all"))
	customer, _ := h.subscriber("chiara@bellini.example", "11", "2026")
	h.walk(15 * day) // renews on 2 December, told from 18 November on
	if got := len(h.mailsTo("chiara@bellini.example")); got != 0 {
		t.Fatalf("%d mails more than two weeks before", got)
	}
	h.walk(30 * time.Hour)
	mails := h.mailsTo("chiara@bellini.example")
	if len(mails) != 1 {
		t.Fatalf("%d mails, want one", len(mails))
	}
	said := mails[0]
	if at := said.At.In(time.FixedZone("CET", 3600)); at.Format("2 January") != "18 November" || at.Hour() < 9 || at.Hour() >= 18 {
		t.Errorf("sent at %s", at)
	}
	if said.Subject != "Your card expires before your Lumen Studio renewal" || !strings.Contains(said.Text, "4242") || !strings.Contains(said.Text, "2\u00a0December") ||
		!strings.Contains(said.Text, "Nothing is owed now") || !strings.Contains(said.HTML, "€29.00") {
		t.Errorf("the letter %q:\n%s", said.Subject, said.Text)
	}
	b := h.browser()
	b.get(linkIn(t, said)).at("/pay", http.StatusOK)
	if b.text("h1") != "Your card expires before your next renewal" || b.page.Find("main form").Length() != 0 || !strings.Contains(b.text("main"), "Nothing is owed now") {
		t.Errorf("the page says: %s", b.text("main"))
	}
	b.get("/pay/card").at("/pay/card", http.StatusOK)
	form := b.hidden("form[data-card]")
	setup := b.intent(form)
	h.ask("setup_intents/"+setup+"/confirm", url.Values{"payment_method": {"pm_card_mastercard"}, "return_url": {h.base + "/pay/card/finish"}})
	form.Set("setup_intent", setup)
	b.post("/pay/card", form).at("/pay/result", http.StatusOK)
	if !strings.Contains(b.text("main"), "Your new card is saved") {
		t.Errorf("after saving: %s", b.text("main"))
	}
	h.settle()
	b.get("/pay/card").at("/pay", http.StatusOK) // nothing is wrong any more: receipts only
	h.walk(60 * day)
	if got := len(h.mailsTo("chiara@bellini.example")); got != 1 {
		t.Errorf("%d mails after two renewals with the new card", got)
	}
	if open := h.ask("invoices?status=open&customer="+customer, nil)["data"].([]any); len(open) != 0 {
		t.Errorf("%d invoices are open", len(open))
	}
}

// Who is told and who is left alone, over one renewal.
func TestWhoIsToldBeforeARenewal(t *testing.T) {
	t.Parallel()
	h := open(t, foretelling("all"))
	tests := []struct {
		name        string
		month, year string
		begin       []string
		then        func(customer, card string)
		want        string // the subject's words, "" for silence
	}{
		{name: "good", month: "12", year: "2026"},
		{name: "gone", month: "10", year: "2027", then: func(customer, card string) { h.ask("payment_methods/"+card+"/detach", url.Values{}) }, want: "needs a card"},
		{name: "ending", month: "11", year: "2026", then: func(customer, _ string) {
			h.ask("subscriptions/"+h.subscriptionOf(customer), url.Values{"cancel_at_period_end": {"true"}})
		}},
		{name: "paused", month: "11", year: "2026", then: func(customer, _ string) {
			h.ask("subscriptions/"+h.subscriptionOf(customer), url.Values{"pause_collection[behavior]": {"void"}})
		}},
		{name: "paused-briefly", month: "11", year: "2026", then: func(customer, _ string) {
			h.ask("subscriptions/"+h.subscriptionOf(customer), url.Values{"pause_collection[behavior]": {"void"}, "pause_collection[resumes_at]": {fmt.Sprint(monday.Add(3 * day).Unix())}})
		}, want: "card expires"},
		{name: "by-hand", begin: []string{"collection_method", "send_invoice", "days_until_due", "30"}},
		{name: "trial", begin: []string{"trial_period_days", "28"}, want: "needs a card"},
		{name: "trial-that-ends", begin: []string{"trial_period_days", "28", "trial_settings[end_behavior][missing_payment_method]", "cancel"}},
		{name: "updated", month: "11", year: "2026", then: func(_, card string) {
			err := h.stripe.RenewCard(card, 11, 2029)
			if err != nil {
				t.Error(err)
			}
		}},
		{name: "no-address", month: "11", year: "2026", then: func(customer, _ string) { h.ask("customers/"+customer, url.Values{"email": {""}}) }},
	}
	for _, tt := range tests {
		customer, card := h.subscriber(tt.name+"@example.com", tt.month, tt.year, tt.begin...)
		if tt.then != nil {
			tt.then(customer, card)
		}
	}
	owing, _ := h.subscriber("owing@example.com", "11", "2026")
	h.clock.set(monday.Add(time.Minute))
	h.fail(owing, "insufficient_funds") // its case speaks until December
	h.walk(26 * day)
	for _, tt := range tests {
		mails := h.mailsTo(tt.name + "@example.com")
		if tt.want == "" && len(mails) != 0 {
			t.Errorf("%s: told %q", tt.name, mails[0].Subject)
		}
		if tt.want != "" && (len(mails) != 1 || !strings.Contains(mails[0].Subject, tt.want)) {
			t.Errorf("%s: %d mails, want one that says %q", tt.name, len(mails), tt.want)
		}
	}
	for _, m := range h.mailsTo("owing@example.com") {
		if strings.Contains(m.Subject, "expires") {
			t.Errorf("who owes is told %q besides", m.Subject)
		}
	}
}

// What was true when it was decided is asked again before it is sent: a card that its bank renewed meanwhile, of which
// no event came, is not spoken of.
func TestARenewedCardIsNotSpokenOf(t *testing.T) {
	t.Parallel()
	h := open(t, foretelling("expiring"))
	customer, card := h.subscriber("kai@example.com", "11", "2026")
	h.ask("customers/"+customer, url.Values{"metadata[timezone]": {"America/Los_Angeles"}, "address[country]": {"US"}})
	h.walk(16*day + time.Hour) // two in the morning where they live: it is decided and waits
	if got := h.precautions(); got != "queued" {
		t.Fatalf("the notice is %q", got)
	}
	h.stripe.SetDelivery(sandbox.DeliveryMode{Dropped: 100})
	err := h.stripe.RenewCard(card, 11, 2029)
	if err != nil {
		t.Fatal(err)
	}
	h.walk(20 * day)
	if got := h.precautions(); got != "skipped" || len(h.mailsTo("kai@example.com")) != 0 {
		t.Errorf("the notice is %q, and %d mails came", got, len(h.mailsTo("kai@example.com")))
	}
}

func (h *house) precautions() string {
	h.t.Helper()
	var status string
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT coalesce(max(status), 'none') FROM notices WHERE kind = 'precaution'`).Scan(&status)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return status
}

// Off, which is what an installation begins with, nothing is said and Stripe is not asked for what is ahead.
func TestNothingIsSaidBeforeUnlessAsked(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.subscriber("chiara@bellini.example", "11", "2026")
	h.walk(29 * day)
	if got := len(h.mailsTo("chiara@bellini.example")); got != 0 || h.precautions() != "none" {
		t.Errorf("%d mails, %s", got, h.precautions())
	}
}
