package gateway_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

func readsAnAccount(t *testing.T, l *lumen) {
	insufficient := l.fail("insufficient_funds")
	got, err := l.Account(t.Context(), l.customer)
	if err != nil {
		t.Fatal(err)
	}
	c := got.Customer
	if c.ID != l.customer || c.Name != "Giulia Rossi" || c.Email != "giulia@example.com" || !slices.Equal(c.PreferredLocales, []string{"it"}) ||
		c.Country != "IT" || c.Zone != "Europe/Rome" || c.DefaultMethod != l.method || c.Livemode || c.Deleted || c.CreatedAt == 0 || c.SyncedAt != now.Unix() {
		t.Errorf("customer %+v", c)
	}
	if len(got.Subscriptions) != 1 {
		t.Fatalf("subscriptions %+v", got.Subscriptions)
	}
	s := got.Subscriptions[0]
	if s.ID != l.subscription || s.CustomerID != l.customer || s.Status != "past_due" || s.Description != "Studio plan" || s.Interval != "month" ||
		s.DefaultMethod != "" || s.PeriodEnd <= now.Unix() || s.CancelAt != 0 || s.Amount != (billing.Money{Minor: 5800, Currency: "eur"}) {
		t.Errorf("subscription %+v", s)
	}
	if len(got.Invoices) != 1 {
		t.Fatalf("invoices %+v", got.Invoices)
	}
	i := got.Invoices[0]
	if i.ID != insufficient || i.CustomerID != l.customer || i.SubscriptionID != l.subscription || i.Number == "" || i.Status != "open" ||
		i.CollectionMethod != "charge_automatically" || i.BillingReason != "subscription_cycle" || i.Currency != "eur" || i.AmountDue != 5800 ||
		i.AmountPaid != 0 || i.AmountRemaining != 5800 || i.Description != "2 × Studio plan" || i.PeriodEnd <= i.PeriodStart ||
		!i.Attempted || i.AttemptCount != 1 || i.FailedAt != now.Unix() || i.FirstFailed != 5800 || i.NextAttemptAt <= now.Unix() ||
		!strings.HasPrefix(i.Intent, "pi_") || i.IntentStatus != "requires_payment_method" || i.MethodID != l.method ||
		i.Decline != (billing.Decline{Code: "card_declined", DeclineCode: "insufficient_funds"}) || i.Class() != billing.ClassMoney || !i.Failed() {
		t.Errorf("invoice %+v", i)
	}
	if len(got.Methods) != 1 || got.Methods[0].ID != l.method || got.Methods[0].CustomerID != l.customer || got.Methods[0].Type != "card" ||
		got.Methods[0].Brand != "visa" || got.Methods[0].Last4 != "4242" || got.Methods[0].ExpYear == 0 || got.Methods[0].Fingerprint == "" {
		t.Errorf("methods %+v", got.Methods)
	}
	_, err = l.Account(t.Context(), "cus_unknown")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown customer: %v", err)
	}
}

func readsAnInvoice(t *testing.T, l *lumen) {
	id := l.fail("authentication_required")
	open := l.invoice(id)
	if open.IntentStatus != "requires_action" || open.Class() != billing.ClassAuthentication || open.FailedAt == 0 || open.NextAttemptAt != 0 && open.NextAttemptAt < now.Unix() {
		t.Errorf("waiting for the bank: %+v", open)
	}
	err := l.stripe.Pay(id, true)
	if err != nil {
		t.Fatal(err)
	}
	paid, methods, err := l.Invoice(t.Context(), id)
	if err != nil || paid.Status != "paid" || !paid.PaidOutOfBand || paid.PaidAt != now.Unix() || paid.AmountPaid != 0 || paid.FailedAt != 0 || paid.Open() {
		t.Errorf("paid out of band: %+v, %v", paid, err)
	}
	if len(methods) != 1 || methods[0].ID != l.method {
		t.Errorf("methods %+v", methods)
	}
	second := l.fail("expired_card")
	expired := l.invoice(second)
	if expired.Class() != billing.ClassExpired || expired.FailedAt != now.Unix() || expired.Decline.Code != "expired_card" {
		t.Errorf("expired card: %+v", expired)
	}
	_, _, err = l.Invoice(t.Context(), "in_unknown")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown invoice: %v", err)
	}
}

func findsTheInvoice(t *testing.T, l *lumen) {
	invoice := l.fail("insufficient_funds")
	paid, err := l.Pay(t.Context(), gateway.PayRequest{Invoice: invoice, Method: l.attach("pm_card_visa"), Key: "press-refund"})
	if err != nil || paid.Charge == "" {
		t.Fatalf("%+v, %v", paid, err)
	}
	refund := l.post("/v1/refunds", "charge", paid.Charge, "amount", "900")
	note := l.id("/v1/credit_notes", "invoice", invoice, "amount", "500", "credit_amount", "500")
	for kind, id := range map[string]string{"charge": paid.Charge, "refund": refund["id"].(string), "credit_note": note} {
		got, err := l.InvoiceOf(t.Context(), kind, id)
		if err != nil || got != invoice {
			t.Errorf("%s: %q, %v", kind, got, err)
		}
	}
	got, err := l.InvoiceOf(t.Context(), "customer", l.customer)
	if err != nil || got != "" {
		t.Errorf("a customer: %q, %v", got, err)
	}
	_, err = l.InvoiceOf(t.Context(), "charge", "ch_unknown")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown charge: %v", err)
	}
	i := l.invoice(invoice)
	if i.Refunded != 900 || float64(i.RefundedAt) != refund["created"] || i.Credited != 500 || i.ChargedAt == 0 || !slices.Contains(i.Takes, "card") {
		t.Errorf("after a refund: %+v", i)
	}
}

func findsTheOwner(t *testing.T, l *lumen) {
	intent, err := l.Intent(t.Context(), l.fail("do_not_honor"))
	if err != nil {
		t.Fatal(err)
	}
	for kind, id := range map[string]string{
		"payment_intent": intent.ID, "payment_method": l.method, "subscription": l.subscription, "customer": l.customer,
	} {
		got, err := l.CustomerOf(t.Context(), kind, id)
		if err != nil || got != l.customer {
			t.Errorf("%s: %q, %v", kind, got, err)
		}
	}
	_, err = l.CustomerOf(t.Context(), "charge", "ch_unknown")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown charge: %v", err)
	}
}

func readsDisputes(t *testing.T, l *lumen) {
	ctx := t.Context()
	id := l.fail("do_not_honor")
	disputed := l.attach("pm_card_createDispute")
	_, err := l.Pay(ctx, gateway.PayRequest{Invoice: id, Method: disputed, Key: "press-1"})
	if err != nil {
		t.Fatal(err)
	}
	all, more, err := l.Disputes(ctx, l.now().Add(-time.Hour), "")
	if err != nil || len(all) != 1 || more {
		t.Fatalf("%+v, %t, %v", all, more, err)
	}
	d := all[0]
	if d.CustomerID != l.customer || d.InvoiceID != id || !d.Running() || d.Lost() || d.Reason != "fraudulent" || d.Amount != (billing.Money{Minor: 5800, Currency: "eur"}) {
		t.Errorf("dispute %+v", d)
	}
	again, err := l.Dispute(ctx, d.ID)
	if err != nil || again != d {
		t.Errorf("read alone: %+v, %v", again, err)
	}
	l.post("/v1/disputes/"+d.ID, "evidence[uncategorized_text]", "losing_evidence")
	closed, err := l.Dispute(ctx, d.ID)
	if err != nil || closed.Running() || !closed.Lost() {
		t.Errorf("closed: %+v, %v", closed, err)
	}
	for after, since := range map[string]time.Time{"": l.now().Add(time.Hour), d.ID: l.now().Add(-time.Hour)} {
		none, more, err := l.Disputes(ctx, since, after)
		if err != nil || len(none) != 0 || more {
			t.Errorf("later than %s, after %q: %+v, %v", since, after, none, err)
		}
	}
}

// Every try is read, whoever made it, with the card's own mark, so that tries on one card add up over its methods.
func readsCharges(t *testing.T, l *lumen) {
	ctx := t.Context()
	id := l.fail("insufficient_funds")
	declined, err := l.Pay(ctx, gateway.PayRequest{Invoice: id, Method: l.method, OffSession: true, Key: "retry-1"})
	if err != nil || declined.Charge == "" {
		t.Fatalf("%+v, %v", declined, err)
	}
	same := l.attach("pm_card_visa")
	paid, err := l.Pay(ctx, gateway.PayRequest{Invoice: id, Method: same, Key: "press-1"})
	if err != nil || paid.Status != gateway.Paid {
		t.Fatalf("%+v, %v", paid, err)
	}
	tries, err := l.Charges(ctx, l.customer, now.Add(-time.Hour).Unix())
	if err != nil {
		t.Fatal(err)
	}
	var ofInvoice []billing.Attempt
	for _, a := range tries {
		if a.InvoiceID == id {
			ofInvoice = append(ofInvoice, a)
		}
	}
	if len(ofInvoice) != 3 || ofInvoice[0].Charge != paid.Charge || ofInvoice[1].Charge != declined.Charge {
		t.Fatalf("tries %+v", ofInvoice)
	}
	for n, want := range []billing.AttemptStatus{billing.AttemptPaid, billing.AttemptDeclined, billing.AttemptDeclined} {
		a := ofInvoice[n]
		if a.Status != want || a.Network != "visa" || a.Card == "" || a.Card != ofInvoice[0].Card || a.By != billing.ByStripe ||
			a.Amount != (billing.Money{Minor: 5800, Currency: "eur"}) || a.StartedAt != now.Unix() {
			t.Errorf("try %d: %+v", n, a)
		}
	}
	if ofInvoice[2].Decline.Class() != billing.ClassMoney {
		t.Errorf("the first was declined: %+v", ofInvoice[2].Decline)
	}
	none, err := l.Charges(ctx, l.customer, now.Add(time.Hour).Unix())
	if err != nil || len(none) != 0 {
		t.Errorf("later ones: %+v, %v", none, err)
	}
}

func happens(t *testing.T, l *lumen) {
	id := l.fail("insufficient_funds")
	var failed []gateway.Event
	err := l.Happened(t.Context(), now.Add(-time.Hour).Unix(), "", func(page []gateway.Event, _ string) error {
		for _, e := range page {
			if e.Type == "invoice.payment_failed" {
				failed = append(failed, e)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(failed) != 1 || failed[0].ObjectID != id || failed[0].ObjectType != "invoice" || failed[0].Customer != l.customer || failed[0].Unreadable != "" {
		t.Errorf("listed %+v", failed)
	}
	stop := errors.New("enough")
	err = l.Happened(t.Context(), now.Add(-time.Hour).Unix(), "", func([]gateway.Event, string) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("a visit's error is answered as %v", err)
	}
	readsWhatIsSigned(t, l)
}

// listsOpenInvoices finds that a page of a listing says of an invoice what a reading of its customer says.
func listsOpenInvoices(t *testing.T, l *lumen) {
	id := l.fail("insufficient_funds")
	page, err := l.OpenPage(t.Context(), gateway.Open{}, "")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := l.Account(t.Context(), l.customer)
	if err != nil {
		t.Fatal(err)
	}
	if page.Invoices != 1 || page.More || page.Last != id || len(page.Accounts) != 1 {
		t.Fatalf("page %+v", page)
	}
	part := page.Accounts[0]
	if !reflect.DeepEqual(part.Customer, whole.Customer) || !reflect.DeepEqual(part.Invoices, whole.Invoices) || !reflect.DeepEqual(part.Subscriptions, whole.Subscriptions) {
		t.Errorf("page says\n%+v\nreading says\n%+v", part, whole)
	}
	none, err := l.OpenPage(t.Context(), gateway.Open{ByHand: true, DueUntil: now.Unix()}, "")
	if err != nil || none.Invoices != 0 {
		t.Errorf("to be paid by hand: %+v, %v", none, err)
	}
}

func listsRenewals(t *testing.T, l *lumen) {
	whole, err := l.Account(t.Context(), l.customer)
	if err != nil {
		t.Fatal(err)
	}
	ends := whole.Subscriptions[0].PeriodEnd
	page, err := l.RenewingPage(t.Context(), ends-1, ends, "")
	if err != nil || page.More || page.Last != l.subscription || len(page.Accounts) != 1 {
		t.Fatalf("page %+v, %v", page, err)
	}
	part := page.Accounts[0]
	if !reflect.DeepEqual(part.Customer, whole.Customer) || !reflect.DeepEqual(part.Methods, whole.Methods) || !reflect.DeepEqual(part.Subscriptions, whole.Subscriptions) {
		t.Errorf("page says\n%+v\nreading says\n%+v", part, whole)
	}
	if !part.Subscriptions[0].Automatic || part.Subscriptions[0].TrialMissing != "create_invoice" {
		t.Errorf("subscription %+v", part.Subscriptions[0])
	}
	none, err := l.RenewingPage(t.Context(), ends, ends+86400, "")
	if err != nil || len(none.Accounts) != 0 {
		t.Errorf("a day later: %+v, %v", none, err)
	}
	l.post("/v1/subscriptions/"+l.subscription, "pause_collection[behavior]", "void")
	page, err = l.RenewingPage(t.Context(), ends-1, ends, "")
	if err != nil || page.Accounts[0].Subscriptions[0].Automatic {
		t.Errorf("paused: %+v, %v", page, err)
	}
}
