package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sollecito/internal/dunning"
)

// A payment is refunded, or credited, after it was made: a link opened then says so, and so does the receipt.
func TestARefundIsTold(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		give  func(h *house, charge, invoice string)
		title string
		words []string
	}{
		"all of it": {
			func(h *house, charge, _ string) { h.ask("refunds", url.Values{"charge": {charge}}) },
			"Your payment was refunded", []string{"€29.00 went back on", "€29.00 of it refunded"},
		},
		"a part": {
			func(h *house, charge, _ string) { h.ask("refunds", url.Values{"charge": {charge}, "amount": {"900"}}) },
			"Part of your payment was refunded", []string{"€9.00 went back on", "€9.00 of it refunded"},
		},
		"a credit note": {
			func(h *house, _, invoice string) {
				h.ask("credit_notes", url.Values{"invoice": {invoice}, "amount": {"500"}, "credit_amount": {"500"}})
			},
			"You were given a credit", []string{"A credit note of €5.00 was made"},
		},
		"a credit note that refunds": {
			func(h *house, _, invoice string) {
				h.ask("credit_notes", url.Values{"invoice": {invoice}, "amount": {"500"}, "refund_amount": {"500"}})
			},
			"Part of your payment was refunded", []string{"€5.00 went back on"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
			invoice := h.fail(customer, "insufficient_funds")
			h.walk(24 * time.Hour)
			mail := h.mailsTo("chiara@bellini.example")[0]
			card := h.ask("payment_methods/pm_card_mastercard/attach", url.Values{"customer": {customer}})["id"].(string)
			paid := h.ask("invoices/"+invoice+"/pay", url.Values{"payment_method": {card}})
			h.settle()
			b := h.browser()
			b.get(linkIn(t, mail)).at("/pay", http.StatusOK)
			if !strings.Contains(b.text("h1"), "Nothing is open") {
				t.Fatalf("once paid the page says: %s", b.text("main"))
			}
			h.walk(2 * 24 * time.Hour)
			mails := len(h.mailsTo("chiara@bellini.example"))
			tt.give(h, paid["charge"].(string), invoice)
			h.walk(20 * 24 * time.Hour) // before the next renewal
			if got := h.caseOf(customer).Status; got != dunning.Recovered || len(h.mailsTo("chiara@bellini.example")) != mails {
				t.Errorf("the case is %s, and %d mails follow", got, len(h.mailsTo("chiara@bellini.example"))-mails)
			}
			b.get(linkIn(t, mail)).at("/pay", http.StatusOK)
			if b.text("h1") != tt.title {
				t.Errorf("the page says: %s", b.text("main"))
			}
			for _, words := range tt.words {
				if !strings.Contains(b.text("main"), words) {
					t.Errorf("it lacks %q: %s", words, b.text("main"))
				}
			}
		})
	}
}

// What went back long ago is told like any old receipt: not by the link alone, which others may find in an old mail, but once
// a code from the mailbox was typed.
func TestAnOldRefundIsToldBehindTheCode(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	invoice := h.fail(customer, "insufficient_funds")
	h.walk(24 * time.Hour)
	card := h.ask("payment_methods/pm_card_mastercard/attach", url.Values{"customer": {customer}})["id"].(string)
	paid := h.ask("invoices/"+invoice+"/pay", url.Values{"payment_method": {card}})
	h.ask("refunds", url.Values{"charge": {paid["charge"].(string)}})
	h.ask("subscriptions/"+h.subscription(customer)["id"].(string), url.Values{"cancel_at_period_end": {"true"}}) // nothing newer is paid
	h.settle()
	link := func() string {
		t.Helper()
		h.browser().post("/pay/link", url.Values{"email": {"chiara@bellini.example"}})
		h.walk(time.Minute)
		mails := h.mailsTo("chiara@bellini.example")
		return linkIn(t, mails[len(mails)-1])
	}
	h.walk(89 * 24 * time.Hour)
	b := h.browser()
	b.get(link()).at("/pay", http.StatusOK)
	if b.text("h1") != "Your payment was refunded" {
		t.Fatalf("within 90 days the page says: %s", b.text("main"))
	}
	h.walk(2 * 24 * time.Hour)
	b = h.browser()
	b.get(link()).at("/pay", http.StatusOK)
	if got := b.text("main"); strings.Contains(got, "refunded") || strings.Contains(got, "29.00") || b.page.Find("main a[href='/pay/papers']").Length() != 1 {
		t.Errorf("after them, by the link alone: %s", got)
	}
	b.get("/pay/papers").at("/pay/papers", http.StatusOK)
	b.press("/pay/papers/code").at("/pay/papers", http.StatusOK)
	b.post("/pay/papers", url.Values{"code": {h.code("chiara@bellini.example")}})
	b.get("/pay").at("/pay", http.StatusOK)
	if b.text("h1") != "Your payment was refunded" || !strings.Contains(b.text("main"), "€29.00") {
		t.Errorf("with the code: %s", b.text("main"))
	}
}

// What holds an address and what was bought long ago opens with a code from the mailbox, for the rest of the session.
func TestPapersOpenWithACode(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	old := h.fail(customer, "insufficient_funds")
	card := h.ask("payment_methods/pm_card_mastercard/attach", url.Values{"customer": {customer}})["id"].(string)
	h.ask("invoices/"+old+"/pay", url.Values{"payment_method": {card}})
	h.settle()
	h.walk(100 * 24 * time.Hour)
	invoice := h.fail(customer, "insufficient_funds")
	h.walk(24 * time.Hour)
	mails := h.mailsTo("chiara@bellini.example")
	token := linkIn(t, mails[len(mails)-1])
	b := h.browser()
	b.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host != strings.TrimPrefix(h.base, "http://") {
			return http.ErrUseLastResponse
		}
		return nil
	}
	b.get(token).at("/pay", http.StatusOK)
	cookie := func() string { u, _ := url.Parse(h.base); return b.client.Jar.Cookies(u)[0].Value }
	before := cookie()
	b.get("/pay/invoices/"+invoice+"/pdf").at("/pay/papers", http.StatusOK)
	if strings.Contains(b.text("main"), "Bellini") || !strings.Contains(b.text("main"), "c•••@b•••.example") {
		t.Errorf("the page says: %s", b.text("main"))
	}
	b.post("/pay/hosted", url.Values{"invoice": {old}}).at("/pay/papers", http.StatusOK) // Stripe's page of what is paid is such a paper
	b.get("/pay/invoices/"+invoice+"/pdf").at("/pay/papers", http.StatusOK)
	b.press("/pay/papers/code").at("/pay/papers", http.StatusOK)
	code := h.code("chiara@bellini.example")
	wanted := url.Values{"pdf": {invoice}, "code": {"000000"}}
	if code == "000000" {
		wanted.Set("code", "000001")
	}
	b.post("/pay/papers", wanted).at("/pay/papers", http.StatusUnprocessableEntity)
	if !strings.Contains(b.text("main"), "That isn’t the code") {
		t.Errorf("a wrong code: %s", b.text("main"))
	}
	wanted.Set("code", code)
	b.post("/pay/papers", wanted).at("/pay/papers", http.StatusOK)
	if got := b.page.Find("a.main-act").AttrOr("href", ""); got != "/pay/invoices/"+invoice+"/pdf" {
		t.Fatalf("the code opens %q: %s", got, b.text("main"))
	}
	if cookie() == before {
		t.Error("the session goes on under the same id")
	}
	b.get("/pay/invoices/" + invoice + "/pdf")
	if b.status != http.StatusSeeOther || b.header.Get("Location") != h.ask("invoices/"+invoice, nil)["invoice_pdf"] {
		t.Errorf("with the code: %d to %q", b.status, b.header.Get("Location"))
	}
	h.ask("invoices/"+invoice+"/pay", url.Values{"payment_method": {card}})
	h.settle()
	b.get("/pay").at("/pay", http.StatusOK)
	if b.page.Find("main a[href='/pay/invoices/"+old+"/pdf']").Length() != 1 {
		t.Errorf("with the code the old receipt is not there: %s", b.text("main"))
	}
	stranger := h.browser()
	stranger.get(token).at("/pay", http.StatusOK)
	if stranger.page.Find("main a[href='/pay/invoices/"+old+"/pdf']").Length() != 0 || stranger.page.Find("main a[href='/pay/papers']").Length() != 1 ||
		stranger.page.Find("main a[href='/pay/invoices/"+invoice+"/pdf']").Length() != 1 {
		t.Errorf("by the link alone: %s", stranger.text("main"))
	}
	stranger.get("/pay/invoices/"+old+"/pdf").at("/pay/papers", http.StatusOK)
	stranger.post("/pay/papers", wanted).at("/pay/papers", http.StatusUnprocessableEntity) // a code is its session's alone
}
