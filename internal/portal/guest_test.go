package portal_test

import (
	"database/sql"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sollecito/internal/config"
)

// handedOn is a customer who owes and has made a link for somebody else, and that somebody at its page.
func handedOn(t *testing.T, change ...func(*config.Config)) (h *house, customer, invoice string, owner, payer *browser, address string) {
	h = open(t, change...)
	customer = h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	invoice = h.fail(customer, "insufficient_funds")
	h.walk(24 * time.Hour)
	owner = h.browser()
	owner.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0])).at("/pay", http.StatusOK)
	owner.get("/pay/share").at("/pay/share", http.StatusOK)
	owner.press("/pay/share").at("/pay/share", http.StatusOK)
	address = owner.page.Find("#address").AttrOr("value", "")
	payer = h.browser()
	payer.get(address).at("/pay/invoice", http.StatusOK)
	return h, customer, invoice, owner, payer, address
}

// types lets the payer type a card, and answers the form as the page's script would send it.
func (h *house) types(payer *browser, card string) url.Values {
	h.t.Helper()
	payer.get("/pay/invoice").at("/pay/invoice", http.StatusOK)
	form := payer.hidden("form[data-card]")
	setup := payer.intentAt("/pay/invoice/intent", form)
	h.ask("setup_intents/"+setup+"/confirm", url.Values{"payment_method": {card}, "return_url": {h.base + "/pay/invoice/finish"}})
	form.Set("setup_intent", setup)
	return form
}

func (h *house) standard(customer string) any {
	return h.ask("customers/"+customer, nil)["invoice_settings"].(map[string]any)["default_payment_method"]
}

// Whoever has the link sees the invoice's number, its sum and the merchant, and can do nothing but pay it.
func TestALinkThatIsHandedOnOnlyPays(t *testing.T) {
	t.Parallel()
	h, _, invoice, owner, payer, address := handedOn(t)
	number := h.ask("invoices/"+invoice, nil)["number"].(string)
	html, err := payer.page.Html()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{number, "€29.00", "Lumen Studio", "C••• B•••"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, secret := range []string{"Bellini", "Chiara", "bellini", "4242", "Visa", "/pay/support", "/pay/choices", "/pay/card", address[strings.LastIndex(address, "/")+1:]} {
		if strings.Contains(html, secret) {
			t.Errorf("the page tells %q", secret)
		}
	}
	for _, path := range []string{"/pay", "/pay/review", "/pay/card", "/pay/methods", "/pay/share", "/pay/support", "/pay/choices", "/pay/cancel", "/pay/promise", "/pay/transfer", "/pay/invoices/" + invoice + "/pdf"} {
		if payer.get(path); payer.status != http.StatusUnauthorized {
			t.Errorf("GET %s: %d", path, payer.status)
		}
	}
	for _, path := range []string{"/pay/charge", "/pay/card/intent", "/pay/card", "/pay/support", "/pay/cancel", "/pay/choices/keep", "/pay/share", "/pay/hosted", "/pay/promise"} {
		if payer.post(path, url.Values{"invoice": {invoice}, "expect": {invoice + " 2900 eur"}, "attempt": {"press_" + strings.Repeat("a", 26)}, "text": {"x"}}); payer.status != http.StatusUnauthorized {
			t.Errorf("POST %s: %d", path, payer.status)
		}
	}
	if owner.get("/pay/invoice"); owner.status != http.StatusUnauthorized {
		t.Errorf("the customer's own link opens a guest's page: %d", owner.status)
	}
	owner.get("/pay/share").at("/pay/share", http.StatusOK)
	if owner.page.Find("#address").Length() != 0 || !strings.Contains(owner.text("main"), "Links that work now") {
		t.Errorf("the link is shown again: %s", owner.text("main"))
	}
	owner.press("/pay/share/end").at("/pay/share", http.StatusOK)
	if strings.Contains(owner.text("main"), "Links that work now") {
		t.Errorf("an ended link is listed: %s", owner.text("main"))
	}
	if payer.get("/pay/invoice"); payer.status != http.StatusUnauthorized {
		t.Errorf("after its end the open page answers %d", payer.status)
	}
	if h.browser().get(address).status != http.StatusNotFound {
		t.Error("after its end the link opens")
	}
	owner.get("/pay").at("/pay", http.StatusOK)
}

// The guest's card pays once, whoever tells us first and however often, and stays on nobody's file.
func TestAGuestsCardPaysOnceAndIsNotKept(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"webhook", "browser"} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			h, customer, invoice, owner, payer, address := handedOn(t)
			before := h.standard(customer)
			form := h.types(payer, "pm_card_mastercard")
			if first == "webhook" {
				h.settle()
			}
			for range 2 {
				payer.post("/pay/invoice", form).at("/pay/invoice", http.StatusOK)
				if !strings.Contains(payer.text("h1"), "Paid. Thank you.") || payer.page.Find("form[data-card]").Length() != 0 {
					t.Fatalf("the page says: %s", payer.text("main"))
				}
			}
			h.settle()
			if got := h.charges(customer, invoice); got != 1 {
				t.Errorf("charged %d times", got)
			}
			if h.attached(customer) != 1 || h.standard(customer) != before {
				t.Errorf("%d cards are kept, %v is charged from now on", h.attached(customer), h.standard(customer))
			}
			owner.get("/pay").at("/pay", http.StatusOK)
			if strings.Contains(owner.text("main"), "4444") {
				t.Errorf("the customer sees the guest's card: %s", owner.text("main"))
			}
			for _, m := range h.mailsTo("chiara@bellini.example") {
				if strings.Contains(m.Text, "4444") {
					t.Errorf("a mail tells the guest's card:\n%s", m.Text)
				}
			}
			h.browser().get(address).at("/pay/invoice", http.StatusOK)
		})
	}
}

// A declined card of a guest's is told, taken off, and another pays.
func TestAGuestsCardIsDeclined(t *testing.T) {
	t.Parallel()
	h, customer, invoice, owner, payer, _ := handedOn(t)
	payer.post("/pay/invoice", h.types(payer, "pm_card_chargeCustomerFail")).at("/pay/invoice", http.StatusOK)
	if !strings.Contains(payer.text("[data-fault]"), "Nothing has been taken") || payer.page.Find("form[data-card]").Length() != 1 {
		t.Errorf("the page says: %s", payer.text("main"))
	}
	h.settle()
	if h.attached(customer) != 1 {
		t.Errorf("%d cards are kept", h.attached(customer))
	}
	owner.get("/pay").at("/pay", http.StatusOK)
	if strings.Contains(owner.text("main"), "0341") {
		t.Errorf("the customer is offered the guest's card: %s", owner.text("main"))
	}
	payer.post("/pay/invoice", h.types(payer, "pm_card_visa")).at("/pay/invoice", http.StatusOK)
	if !strings.Contains(payer.text("h1"), "Paid") || h.charges(customer, invoice) != 1 || h.attached(customer) != 1 {
		t.Errorf("%d charges, %d cards: %s", h.charges(customer, invoice), h.attached(customer), payer.text("main"))
	}
}

// A card that is confirmed when its page is long gone is taken off and charged nothing.
func TestAGuestsCardThatComesLateIsOnlyTakenOff(t *testing.T) {
	t.Parallel()
	h, customer, invoice, _, payer, _ := handedOn(t)
	form := payer.hidden("form[data-card]")
	setup := payer.intentAt("/pay/invoice/intent", form)
	h.walk(2 * time.Hour)
	h.ask("setup_intents/"+setup+"/confirm", url.Values{"payment_method": {"pm_card_mastercard"}, "return_url": {h.base + "/pay/invoice/finish"}})
	if h.attached(customer) != 2 {
		t.Fatal("the card did not come")
	}
	h.settle()
	if h.attached(customer) != 1 || h.charges(customer, invoice) != 0 {
		t.Errorf("%d cards, %d charges", h.attached(customer), h.charges(customer, invoice))
	}
}

// Stripe does not answer when the card is to be taken off: the payment is told all the same, and the card goes later.
func TestAGuestsCardThatStayedBehindIsTakenOffLater(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	h, customer, invoice, _, payer, _ := handedOn(t, keepsCards(t, &down))
	down.Store(true)
	payer.post("/pay/invoice", h.types(payer, "pm_card_mastercard")).at("/pay/invoice", http.StatusOK)
	if !strings.Contains(payer.text("h1"), "Paid") || h.attached(customer) != 2 {
		t.Errorf("%d cards: %s", h.attached(customer), payer.text("main"))
	}
	down.Store(false)
	h.walk(2 * time.Hour)
	if h.attached(customer) != 1 || h.charges(customer, invoice) != 1 {
		t.Errorf("%d cards, %d charges", h.attached(customer), h.charges(customer, invoice))
	}
}

// Nobody heard what became of the charge: the card stays until that is known, though its time is over, and then goes.
func TestAGuestsCardStaysUntilItsChargeIsHeardOf(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	h, customer, invoice, _, payer, _ := handedOn(t, unanswered(t, &down, "/pay"))
	down.Store(true)
	payer.post("/pay/invoice", h.types(payer, "pm_card_mastercard"))
	h.walk(2 * time.Hour)
	if h.attached(customer) != 2 || h.charges(customer, invoice) != 0 {
		t.Fatalf("while nothing was heard: %d cards, %d charges", h.attached(customer), h.charges(customer, invoice))
	}
	down.Store(false)
	h.walk(2 * time.Hour)
	if h.attached(customer) != 1 || h.charges(customer, invoice) != 1 {
		t.Errorf("%d cards, %d charges", h.attached(customer), h.charges(customer, invoice))
	}
}

// Another customer's invoice cannot be handed on, nor their links ended.
func TestAnothersInvoiceIsNotHandedOn(t *testing.T) {
	t.Parallel()
	h, _, invoice, _, payer, _ := handedOn(t)
	theirs := h.customer("Jonas Weber", "jonas@weber.example", "DE", "pm_card_visa")
	h.fail(theirs, "expired_card")
	other := h.browser()
	other.get(linkIn(t, h.mailsTo("jonas@weber.example")[0])).at("/pay", http.StatusOK)
	other.post("/pay/share", url.Values{"invoice": {invoice}}).at("/pay/share", http.StatusOK)
	if other.page.Find("#address").Length() != 0 {
		t.Error("it was handed on")
	}
	var id string
	err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRowContext(t.Context(), `SELECT id FROM links WHERE invoice_id = $1`, invoice).Scan(&id)
	})
	if err != nil {
		t.Fatal(err)
	}
	other.post("/pay/share/end", url.Values{"link": {id}})
	payer.get("/pay/invoice").at("/pay/invoice", http.StatusOK)
}
