package sandbox_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	stripe "github.com/stripe/stripe-go/v76"
)

// control calls one of the sandbox's own controls, which must go well.
func (w *world) control(path string, pairs ...string) map[string]any {
	w.t.Helper()
	fields := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	status, answer := w.form(w.server.SecretKey(), "POST", "/sandbox/"+path, fields)
	if status != 200 {
		w.t.Fatalf("%s %v: %d %v", path, pairs, status, answer)
	}
	return answer
}

// failed makes a customer whose renewal has just failed with a card that is otherwise good.
func (w *world) failed(code string) (customer *stripe.Customer, invoice string) {
	w.t.Helper()
	customer = w.customer("pm_card_visa", "")
	w.subscribe(customer.ID)
	invoice = w.control("fail", "customer", customer.ID, "decline_code", code)["invoice"].(string)
	return customer, invoice
}

// oneOff is a finalized invoice of 29 units that nobody has tried to charge.
func (w *world) oneOff(customer, currency string) string {
	w.t.Helper()
	made, err := w.client.Invoices.New(&stripe.InvoiceParams{
		Customer: stripe.String(customer), Currency: stripe.String(currency), AutoAdvance: stripe.Bool(false), PendingInvoiceItemsBehavior: stripe.String("exclude"),
	})
	must(w.t, err)
	_, err = w.client.InvoiceItems.New(&stripe.InvoiceItemParams{
		Customer: stripe.String(customer), Invoice: stripe.String(made.ID), Currency: stripe.String(currency), Amount: stripe.Int64(2900),
	})
	must(w.t, err)
	_, err = w.client.Invoices.FinalizeInvoice(made.ID, nil)
	must(w.t, err)
	return made.ID
}

func TestAPartOfAnInvoiceIsPaid(t *testing.T) {
	w := newWorld(t)
	_, id := w.failed("insufficient_funds")
	due := w.invoice(id).AmountDue
	w.control("part_payment", "invoice", id, "amount", "100")
	i := w.invoice(id, "payment_intent")
	expect(t, "paid", i.AmountPaid, int64(100))
	expect(t, "remaining", i.AmountRemaining, due-100)
	expect(t, "status", i.Status, stripe.InvoiceStatusOpen)
	expect(t, "what is still asked for", i.PaymentIntent.Amount, due-100)
	for _, wrong := range [][]string{{"0"}, {"-1"}, {"1000000"}} {
		status, _ := w.form(w.server.SecretKey(), "POST", "/sandbox/part_payment", url.Values{"invoice": {id}, "amount": wrong})
		expect(t, "a part of "+wrong[0], status, 400)
	}
	must(t, w.server.Pay(id, false))
	i = w.invoice(id)
	expect(t, "paid in the end", i.AmountPaid, due)
	expect(t, "status in the end", i.Status, stripe.InvoiceStatusPaid)
}

func TestACardIsRenewedByItsNetwork(t *testing.T) {
	w := newWorld(t)
	w.listen()
	_, id := w.failed("expired_card")
	card := w.invoice(id, "customer").Customer.InvoiceSettings.DefaultPaymentMethod.ID
	_, err := w.client.Invoices.Pay(id, &stripe.InvoicePayParams{})
	expect(t, "before", refusalOf(t, err).DeclineCode, stripe.DeclineCodeExpiredCard)
	w.control("card_update", "payment_method", card, "exp_month", "3", "exp_year", "2039")
	m, err := w.client.PaymentMethods.Get(card, nil)
	must(t, err)
	expect(t, "its year", m.Card.ExpYear, int64(2039))
	expect(t, "heard", slices.Contains(w.heard(), "payment_method.automatically_updated"), true)
	paid, err := w.client.Invoices.Pay(id, &stripe.InvoicePayParams{})
	must(t, err)
	expect(t, "afterwards", paid.Status, stripe.InvoiceStatusPaid)
	status, _ := w.form(w.server.SecretKey(), "POST", "/sandbox/card_update", url.Values{"payment_method": {"pm_unknown"}})
	expect(t, "a card of nobody", status, 400)
}

// A paused subscription renews without asking anybody for money.
func TestRenewalsWhileCollectionIsPaused(t *testing.T) {
	for behavior, want := range map[string]stripe.InvoiceStatus{
		"void": stripe.InvoiceStatusVoid, "keep_as_draft": stripe.InvoiceStatusDraft, "mark_uncollectible": stripe.InvoiceStatusUncollectible, "": stripe.InvoiceStatusPaid,
	} {
		w := newWorld(t)
		customer := w.customer("pm_card_visa", "")
		sub := w.subscribe(customer.ID)
		if behavior != "" {
			_, err := w.client.Subscriptions.Update(sub.ID, &stripe.SubscriptionParams{PauseCollection: &stripe.SubscriptionPauseCollectionParams{Behavior: stripe.String(behavior)}})
			must(t, err)
		}
		id := w.control("renew", "customer", customer.ID)["invoice"].(string)
		expect(t, "paused by "+behavior, w.invoice(id).Status, want)
	}
}

// The published bank accounts, from the day of the debit to its end.
func TestPublishedBankAccountsTakeTheirTime(t *testing.T) {
	for account, want := range map[string]struct {
		status   stripe.InvoiceStatus
		code     string
		disputed bool
	}{
		"pm_success_de":                      {stripe.InvoiceStatusPaid, "", false},
		"pm_failed_de":                       {stripe.InvoiceStatusOpen, "payment_intent_payment_attempt_failed", false},
		"pm_disputed_de":                     {stripe.InvoiceStatusPaid, "", true},
		"pm_usBankAccount_success":           {stripe.InvoiceStatusPaid, "", false},
		"pm_usBankAccount_insufficientFunds": {stripe.InvoiceStatusOpen, "insufficient_funds", false},
		"pm_usBankAccount_accountClosed":     {stripe.InvoiceStatusOpen, "account_closed", false},
	} {
		w := newWorld(t)
		customer := w.customer("", "")
		m, err := w.client.PaymentMethods.Attach(account, &stripe.PaymentMethodAttachParams{Customer: stripe.String(customer.ID)})
		must(t, err)
		currency := map[stripe.PaymentMethodType]string{stripe.PaymentMethodTypeSEPADebit: "eur", stripe.PaymentMethodTypeUSBankAccount: "usd"}[m.Type]
		id := w.oneOff(customer.ID, currency)
		_, err = w.client.Invoices.Pay(id, &stripe.InvoicePayParams{PaymentMethod: stripe.String(m.ID)})
		must(t, err)
		expect(t, account+" at first", w.invoice(id, "payment_intent").PaymentIntent.Status, stripe.PaymentIntentStatusProcessing)
		_, err = w.client.Invoices.Pay(id, &stripe.InvoicePayParams{})
		expect(t, account+" again meanwhile", err != nil, true)
		w.pass(6 * 24 * time.Hour)
		i := w.invoice(id, "payment_intent.latest_charge")
		expect(t, account+" in the end", i.Status, want.status)
		expect(t, account+" disputed", i.PaymentIntent.LatestCharge.Disputed, want.disputed)
		if want.code != "" {
			expect(t, account+" why", string(i.PaymentIntent.LastPaymentError.Code), want.code)
		}
	}
}
