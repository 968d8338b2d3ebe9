package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// pays opens the page of a customer with a failed renewal and presses until the charge is made.
func (h *house) pays(invoice string) *browser {
	h.t.Helper()
	h.settle()
	b := h.browser()
	b.get(linkIn(h.t, h.mailsTo("ada@prova.example")[0])).at("/pay", http.StatusOK)
	b.press("/pay/review").at("/pay/review", http.StatusOK)
	if got := b.page.Find(`input[name=invoice][value="` + invoice + `"]`).Length(); got == 0 {
		h.t.Fatal("the page does not ask for the invoice")
	}
	return b.press("/pay/charge")
}

// refusing opens a house whose Stripe does not take orders to pay as long as it says so, and answers what it may do instead.
func refusing(t *testing.T) (h *house, invoice string, instead *atomic.Pointer[func(w http.ResponseWriter, invoice string) bool]) {
	t.Helper()
	instead = &atomic.Pointer[func(w http.ResponseWriter, invoice string) bool]{}
	h = behind(t, func(w http.ResponseWriter, r *http.Request) bool {
		do := instead.Load()
		if do == nil || !strings.HasSuffix(r.URL.Path, "/pay") {
			return false
		}
		return (*do)(w, strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/v1/invoices/"), "/pay"))
	})
	customer := h.customer("Ada Prova", "ada@prova.example", "IT", "pm_card_visa")
	h.clock.set(h.clock.now().Add(2 * time.Hour))
	invoice = h.fail(customer, "insufficient_funds")
	h.walk(24 * time.Hour)
	return h, invoice, instead
}

// Stripe may refuse an order for what is neither the bank's nor the customer's: an account that may not charge just now. It
// is asked once more, for what it reads may lag; then the customer hears that nothing was taken and that it was us, instead
// of waiting for a day for an answer that does not come.
func TestAnOrderThatStripeDoesNotTakeEnds(t *testing.T) {
	t.Parallel()
	h, invoice, instead := refusing(t)
	var asked atomic.Int64
	refuse := func(w http.ResponseWriter, _ string) bool {
		asked.Add(1)
		return refusal(w, http.StatusBadRequest, `"message":"Your account cannot currently make live charges."`)
	}
	instead.Store(&refuse)
	b := h.pays(invoice).at("/pay/result", http.StatusOK)
	if !strings.Contains(b.text("main"), "asking your bank") {
		t.Errorf("at first: %s", b.text("main"))
	}
	result := b.path + "?" + b.query
	for range 3 {
		h.clock.set(h.clock.now().Add(3 * time.Minute))
		h.settle()
	}
	b.get(result).at("/pay/result", http.StatusOK)
	if !strings.Contains(b.text("main"), "Something went wrong on our side, not at your bank. Nothing has been taken.") {
		t.Errorf("after the second refusal: %s", b.text("main"))
	}
	if got := asked.Load(); got != 2 {
		t.Errorf("Stripe was asked %d times", got)
	}
	instead.Store(nil)
	b.press("/pay/review").press("/pay/charge").at("/pay/result", http.StatusOK)
	if h.count(`SELECT count(*) FROM attempts WHERE status = 'declined' AND decline_code = 'insufficient_funds' AND id <> charge AND initiator = 'customer'`) != 1 {
		t.Error("the bank is not asked any more")
	}
}

// An invoice that was voided while the customer looked at it was declined by no bank.
func TestAnInvoiceVoidedUnderTheCustomersHandWasNotDeclined(t *testing.T) {
	t.Parallel()
	h, invoice, instead := refusing(t)
	void := func(_ http.ResponseWriter, invoice string) bool {
		h.ask("invoices/"+invoice+"/void", url.Values{})
		return false
	}
	instead.Store(&void)
	b := h.pays(invoice).at("/pay", http.StatusOK)
	if got := b.text("main"); strings.Contains(got, "bank") || !strings.Contains(got, "Nothing is open") {
		t.Error(got)
	}
}

// A plan that ended while its customer typed a new card refuses it, as one may that lives, and keeps the card from nothing
// else.
func TestANewCardThatAPlanDoesNotTake(t *testing.T) {
	t.Parallel()
	for _, ends := range []bool{true, false} {
		newCardRefused(t, ends)
	}
}

func newCardRefused(t *testing.T, ends bool) {
	t.Helper()
	var refuse atomic.Value
	refuse.Store("")
	h := behind(t, func(w http.ResponseWriter, r *http.Request) bool {
		if id := refuse.Load().(string); id != "" && r.Method == http.MethodPost && r.URL.Path == "/v1/subscriptions/"+id {
			return refusal(w, http.StatusBadRequest, `"message":"A canceled subscription can only update its cancellation_details and metadata."`)
		}
		return false
	})
	customer := h.customer("Ada Prova", "ada@prova.example", "IT", "pm_card_visa")
	subscription := h.subscriptionOf(customer)
	own := h.ask("payment_methods/pm_card_mastercard/attach", url.Values{"customer": {customer}})["id"].(string)
	h.ask("subscriptions/"+subscription, url.Values{"default_payment_method": {own}})
	h.clock.set(h.clock.now().Add(2 * time.Hour))
	invoice := h.fail(customer, "expired_card")
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("ada@prova.example")[0])).at("/pay", http.StatusOK)
	b.get("/pay/card").at("/pay/card", http.StatusOK)
	form := b.hidden("form[data-card]")
	setup := b.intent(form)
	if ends {
		err := h.remove("subscriptions/" + subscription)
		if err != nil {
			t.Fatal(err)
		}
	}
	refuse.Store(subscription)
	h.ask("setup_intents/"+setup+"/confirm", url.Values{"payment_method": {"pm_card_visa"}, "return_url": {h.base + "/pay/card/finish"}})
	form.Set("setup_intent", setup)
	b.post("/pay/card", form).at("/pay/result", http.StatusOK)
	if got := h.status(invoice); got != "paid" {
		t.Errorf("the plan ends %v, the invoice is %s: %s", ends, got, b.text("main"))
	}
	if told := strings.Contains(h.log.String(), "a plan does not take the new card"); told == ends {
		t.Errorf("the plan ends %v, the log tells of it %v", ends, told)
	}
}
