package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// asksThere is a card that is kept without a question, whose bank asks for each payment.
const asksThere = "pm_card_authenticationRequiredSetupForOffSession"

func pressed(letter string) string { return "press_" + strings.Repeat(letter, 26) }

// What a guest's bank asks is the guest's to answer: the customer pays with their own card, and nothing they send charges
// the guest's.
func TestACustomerDoesNotChargeAGuestsCard(t *testing.T) {
	t.Parallel()
	h, customer, invoice, owner, payer, _ := handedOn(t)
	payer.post("/pay/invoice", h.types(payer, asksThere)).at("/pay/invoice", http.StatusOK)
	if payer.page.Find("form[data-approve]").Length() != 1 {
		t.Fatalf("the guest's page says: %s", payer.text("main"))
	}
	h.settle()
	owner.get("/pay").at("/pay", http.StatusOK)
	if owner.page.Find("form[action='/pay/review']").Length() == 0 || owner.page.Find("a[href^='/pay/approve'], form[action^='/pay/approve']").Length() != 0 {
		t.Errorf("the customer is led to the guest's bank: %s", owner.text("main"))
	}
	form := url.Values{"invoice": {invoice}, "expect": {invoice + " 2900 eur"}, "attempt": {pressed("a")}}
	owner.post("/pay/approve", form)
	if owner.status != http.StatusConflict {
		t.Errorf("the approval answers %d", owner.status)
	}
	for _, a := range h.tries(customer) {
		if a.Press == pressed("a") {
			t.Errorf("the customer's press made %+v", a)
		}
	}
}

// The reminder after a guest's card was declined names the customer's card or none.
func TestAReminderDoesNotTellAGuestsCard(t *testing.T) {
	t.Parallel()
	h, customer, invoice, _, payer, _ := handedOn(t)
	h.ask("invoices/"+invoice, url.Values{"auto_advance": {"false"}})
	payer.post("/pay/invoice", h.types(payer, "pm_card_chargeCustomerFail")).at("/pay/invoice", http.StatusOK)
	h.walk(10 * 24 * time.Hour)
	mails := h.mailsTo("chiara@bellini.example")
	if len(mails) < 2 {
		t.Fatalf("%d mails to %s", len(mails), customer)
	}
	for _, m := range mails {
		if strings.Contains(m.Text+m.HTML, "0341") {
			t.Errorf("a mail tells the guest's card:\n%s", m.Text)
		}
	}
}

// A guest's card is on the customer's account for a while, and never among the customer's ways to pay: not before we
// heard of it either.
func TestAGuestsCardIsNoWayToPay(t *testing.T) {
	t.Parallel()
	h, customer, _, owner, payer, _ := handedOn(t)
	form := h.types(payer, asksThere)
	for _, when := range []string{"typed", "waiting for its bank"} {
		if h.attached(customer) != 2 {
			t.Fatalf("%s: %d cards", when, h.attached(customer))
		}
		owner.get("/pay/methods").at("/pay/methods", http.StatusOK)
		if strings.Contains(owner.text("main"), "0446") || owner.page.Find("ul.list > li").Length() != 1 {
			t.Errorf("%s: the customer reads: %s", when, owner.text("main"))
		}
		remove := owner.page.Find("a[href$='/remove']").AttrOr("href", "")
		owner.get(remove).at(remove, http.StatusOK)
		if owner.page.Find("[name=successor], [name=code]").Length() != 0 || strings.Contains(owner.text("main"), "0446") {
			t.Errorf("%s: the guest's card could take the customer's place: %s", when, owner.text("main"))
		}
		payer.post("/pay/invoice", form).at("/pay/invoice", http.StatusOK)
	}
}

// A guest goes on with what was begun on the page of their invoice, a customer with what they began: neither with the
// other's, nor a guest with that of another invoice.
func TestAPressIsFinishedWhereItWasBegun(t *testing.T) {
	t.Parallel()
	h, customer, _, owner, payer, _ := handedOn(t)
	h.fail(customer, "insufficient_funds")
	owner.get("/pay/share").at("/pay/share", http.StatusOK)
	other := h.browser()
	owner.page.Find("input[name=invoice]").Each(func(_ int, in *goquery.Selection) {
		owner.post("/pay/share", url.Values{"invoice": {in.AttrOr("value", "")}}).at("/pay/share", http.StatusOK)
		b := h.browser()
		b.get(owner.page.Find("#address").AttrOr("value", "")).at("/pay/invoice", http.StatusOK)
		if b.text("main") != payer.get("/pay/invoice").text("main") {
			other = b
		}
	})
	theirs := h.types(payer, asksThere)
	owner.get("/pay/card").at("/pay/card", http.StatusOK)
	own := owner.hidden("form[data-card]")
	setup := owner.intent(own)
	h.ask("setup_intents/"+setup+"/confirm", url.Values{"payment_method": {"pm_card_mastercard"}, "return_url": {h.base + "/pay/card/finish"}})
	own.Set("setup_intent", setup)
	for who, answer := range map[string]*browser{
		"the customer finishes a guest's card": owner.post("/pay/card", theirs),
		"a guest finishes the customer's card": payer.post("/pay/invoice", own),
		"a guest finishes another guest's":     other.post("/pay/invoice", theirs),
	} {
		if answer.status != http.StatusNotFound {
			t.Errorf("%s: %d", who, answer.status)
		}
	}
	payer.post("/pay/invoice", theirs).at("/pay/invoice", http.StatusOK)
	other.post("/pay/invoice/approve/done", url.Values{"attempt": theirs["attempt"]})
	if other.status != http.StatusNotFound {
		t.Errorf("a guest takes another guest's card off: %d", other.status)
	}
}

// While the guest's bank still asks, the card stays for its answer.
func TestAGuestsCardStaysWhileItsBankAsks(t *testing.T) {
	t.Parallel()
	h, customer, _, _, payer, _ := handedOn(t)
	form := h.types(payer, asksThere)
	payer.post("/pay/invoice", form).at("/pay/invoice", http.StatusOK)
	payer.post("/pay/invoice/approve/done", url.Values{"attempt": form["attempt"]}).at("/pay/invoice", http.StatusOK)
	if h.attached(customer) != 2 || payer.page.Find("form[data-approve]").Length() != 1 {
		t.Errorf("%d cards: %s", h.attached(customer), payer.text("main"))
	}
}
