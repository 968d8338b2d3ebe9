package sandbox_test

import (
	"testing"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"sollecito/internal/sandbox"
)

func TestRenewalFailsIsRetriedAndPaid(t *testing.T) {
	w := newWorld(t)
	w.listen()
	clock := w.testClock(morning)
	ada := w.customer("pm_card_visa", clock.ID)
	sub := w.subscribe(ada.ID)
	expect(t, "status", sub.Status, stripe.SubscriptionStatusActive)
	first := w.invoice(sub.LatestInvoice.ID)
	expect(t, "first invoice", first.Status, stripe.InvoiceStatusPaid)
	expect(t, "number", first.Number, "LUMEN-0001")
	expect(t, "line", first.Lines.Data[0].Description, "1 × Studio plan (at €29.00 / month)")
	w.expectHeard("customer.created", "customer.subscription.created", "invoice.created", "invoice.finalized",
		"charge.succeeded", "payment_intent.succeeded", "invoice.paid", "invoice.payment_succeeded", "customer.subscription.updated")

	w.useCard(ada.ID, "pm_card_chargeCustomerFail")
	w.heard()
	// From 31 March a month ends on 30 April.
	renewal := time.Date(2031, 4, 30, 9, 0, 0, 0, time.UTC)
	expect(t, "period end", sub.CurrentPeriodEnd, renewal.Unix())
	w.advance(clock.ID, renewal.Add(30*time.Minute))
	draft := w.invoice(w.subscription(sub.ID).LatestInvoice.ID)
	expect(t, "before the hour is over", draft.Status, stripe.InvoiceStatusDraft)
	expect(t, "the period moved", w.subscription(sub.ID).CurrentPeriodEnd, time.Date(2031, 5, 31, 9, 0, 0, 0, time.UTC).Unix())

	failedAt := renewal.Add(time.Hour)
	w.advance(clock.ID, renewal.Add(2*time.Hour))
	open := w.invoice(draft.ID, "payment_intent.latest_charge", "charge")
	expect(t, "status", open.Status, stripe.InvoiceStatusOpen)
	expect(t, "attempts", open.AttemptCount, int64(1))
	expect(t, "next attempt", open.NextPaymentAttempt, failedAt.Add(72*time.Hour).Unix())
	expect(t, "billing reason", open.BillingReason, stripe.InvoiceBillingReasonSubscriptionCycle)
	expect(t, "intent", open.PaymentIntent.Status, stripe.PaymentIntentStatusRequiresPaymentMethod)
	expect(t, "decline", open.PaymentIntent.LastPaymentError.DeclineCode, stripe.DeclineCodeGenericDecline)
	expect(t, "charge", open.Charge.Status, stripe.ChargeStatusFailed)
	expect(t, "charge made at", open.Charge.Created, failedAt.Unix())
	expect(t, "subscription", w.subscription(sub.ID).Status, stripe.SubscriptionStatusPastDue)
	w.expectHeard("test_helpers.test_clock.advancing", "customer.subscription.updated", "invoice.created", "test_helpers.test_clock.ready",
		"invoice.finalized", "charge.failed", "payment_intent.payment_failed", "invoice.updated", "invoice.payment_failed", "customer.subscription.updated")

	// The second try of the schedule fails as well; then a good card is put on file and the third goes through.
	w.advance(clock.ID, failedAt.Add(73*time.Hour))
	expect(t, "attempts", w.invoice(draft.ID).AttemptCount, int64(2))
	w.useCard(ada.ID, "pm_card_mastercard")
	third := time.Unix(w.invoice(draft.ID).NextPaymentAttempt, 0)
	expect(t, "third attempt", third.Sub(failedAt), 8*24*time.Hour)
	w.advance(clock.ID, third)
	paid := w.invoice(draft.ID)
	expect(t, "status", paid.Status, stripe.InvoiceStatusPaid)
	expect(t, "attempts", paid.AttemptCount, int64(3))
	expect(t, "paid", paid.AmountPaid, int64(2900))
	expect(t, "paid at", paid.StatusTransitions.PaidAt, third.Unix())
	expect(t, "subscription", w.subscription(sub.ID).Status, stripe.SubscriptionStatusActive)
}

func TestManualPaymentsDoNotMoveTheSchedule(t *testing.T) {
	w := newWorld(t)
	ada := w.customer("pm_card_visa", "")
	sub := w.subscribe(ada.ID)
	bad := w.useCard(ada.ID, "pm_card_chargeCustomerFail")
	w.pass(30*24*time.Hour + time.Hour)
	open := w.invoice(w.subscription(sub.ID).LatestInvoice.ID)
	expect(t, "attempts", open.AttemptCount, int64(1))

	_, err := w.client.Invoices.Pay(open.ID, &stripe.InvoicePayParams{})
	refused := refusalOf(t, err)
	expect(t, "status", refused.HTTPStatusCode, 402)
	expect(t, "type", refused.Type, stripe.ErrorTypeCard)
	expect(t, "code", refused.Code, stripe.ErrorCodeCardDeclined)
	expect(t, "intent in the error", refused.PaymentIntent.ID, open.PaymentIntent.ID)
	expect(t, "method in the error", refused.PaymentMethod.ID, bad.ID)
	after := w.invoice(open.ID)
	expect(t, "attempts", after.AttemptCount, int64(1))
	expect(t, "next attempt", after.NextPaymentAttempt, open.NextPaymentAttempt)

	stranger := w.customer("pm_card_visa", "")
	_, err = w.client.Invoices.Pay(open.ID, &stripe.InvoicePayParams{PaymentMethod: stripe.String(stranger.InvoiceSettings.DefaultPaymentMethod.ID)})
	expect(t, "another's card", refusalOf(t, err).HTTPStatusCode, 400)

	good := w.useCard(ada.ID, "pm_card_visa")
	paid, err := w.client.Invoices.Pay(open.ID, &stripe.InvoicePayParams{PaymentMethod: stripe.String(good.ID), OffSession: stripe.Bool(false)})
	must(t, err)
	expect(t, "status", paid.Status, stripe.InvoiceStatusPaid)
	expect(t, "remaining", paid.AmountRemaining, int64(0))
	_, err = w.client.Invoices.Pay(open.ID, &stripe.InvoicePayParams{})
	refused = refusalOf(t, err)
	expect(t, "twice", refused.HTTPStatusCode, 400)
	expect(t, "message", refused.Msg, "Invoice is already paid")
}

func TestFailRenewalDeclinesOnlyThatInvoiceWithThatMethod(t *testing.T) {
	w := newWorld(t)
	ada := w.customer("pm_card_visa", "")
	sub := w.subscribe(ada.ID)
	w.pass(9 * 24 * time.Hour)
	failed, err := w.server.FailRenewal(ada.ID, "lost_card")
	must(t, err)
	open := w.invoice(failed, "payment_intent")
	expect(t, "status", open.Status, stripe.InvoiceStatusOpen)
	expect(t, "decline", open.PaymentIntent.LastPaymentError.DeclineCode, stripe.DeclineCodeLostCard)
	expect(t, "no retry after a lost card", open.NextPaymentAttempt, int64(0))
	expect(t, "the period began now", w.subscription(sub.ID).CurrentPeriodStart, w.clock().Unix())
	_, err = w.client.Invoices.Pay(failed, &stripe.InvoicePayParams{})
	expect(t, "same method again", refusalOf(t, err).DeclineCode, stripe.DeclineCodeLostCard)

	w.pass(31*24*time.Hour + time.Hour)
	next := w.subscription(sub.ID).LatestInvoice.ID
	expect(t, "the next renewal", w.invoice(next).Status, stripe.InvoiceStatusPaid)

	other := w.useCard(ada.ID, "pm_card_mastercard")
	paid, err := w.client.Invoices.Pay(failed, &stripe.InvoicePayParams{PaymentMethod: stripe.String(other.ID)})
	must(t, err)
	expect(t, "with another method", paid.Status, stripe.InvoiceStatusPaid)

	_, err = w.server.FailRenewal("cus_nobody", "lost_card")
	expect(t, "unknown customer refused", err != nil, true)
	_, err = w.server.FailRenewal(ada.ID, "bad_mood")
	expect(t, "unknown code refused", err != nil, true)
	_, err = w.server.FailRenewal(w.customer("", "").ID, "lost_card")
	expect(t, "no subscription refused", err != nil, true)
}

func TestPayOutsideThePortal(t *testing.T) {
	w := newWorld(t)
	ada := w.customer("pm_card_visa", "")
	w.subscribe(ada.ID)
	one, err := w.server.FailRenewal(ada.ID, "insufficient_funds")
	must(t, err)
	two, err := w.server.FailRenewal(ada.ID, "expired_card")
	must(t, err)
	must(t, w.server.Pay(one, false))
	must(t, w.server.Pay(two, true))
	charged, outside := w.invoice(one), w.invoice(two)
	expect(t, "charged", charged.AmountPaid, int64(2900))
	expect(t, "outside", outside.PaidOutOfBand && outside.Paid, true)
	expect(t, "outside counts no money", outside.AmountPaid, int64(0))
	expect(t, "already paid", w.server.Pay(one, false) != nil, true)
	expect(t, "unknown", w.server.Pay("in_none", false) != nil, true)
}

func TestLastRetryEndsAsTheAccountSays(t *testing.T) {
	for setting, want := range map[string]stripe.SubscriptionStatus{
		"": stripe.SubscriptionStatusPastDue, "unpaid": stripe.SubscriptionStatusUnpaid, "canceled": stripe.SubscriptionStatusCanceled,
	} {
		w := newWorldWith(t, sandbox.Options{AfterLastRetry: setting})
		clock := w.testClock(morning)
		ada := w.customer("pm_card_visa", clock.ID)
		sub := w.subscribe(ada.ID)
		w.useCard(ada.ID, "pm_card_chargeCustomerFail")
		w.advance(clock.ID, morning.Add(30*24*time.Hour+17*24*time.Hour))
		open := w.invoice(w.subscription(sub.ID).LatestInvoice.ID)
		expect(t, "attempts", open.AttemptCount, int64(4))
		expect(t, "no further attempt", open.NextPaymentAttempt, int64(0))
		expect(t, "ends "+setting, w.subscription(sub.ID).Status, want)
	}
}

func TestAutoTickRenewsAndTellsByItself(t *testing.T) {
	w := newWorldWith(t, sandbox.Options{AutoTick: true})
	w.heardNow = make(chan string, 200)
	w.listen()
	ada := w.customer("pm_card_visa", "")
	sub := w.subscribe(ada.ID)
	due, ok := w.server.NextDue()
	expect(t, "something is due", ok, true)
	expect(t, "the renewal", due.Unix(), sub.CurrentPeriodEnd)
	w.mu.Lock()
	w.now = due.Add(2 * time.Hour)
	w.mu.Unlock()
	deadline := time.After(20 * time.Second)
	for paid := 0; paid < 2; {
		select {
		case kind := <-w.heardNow:
			if kind == "invoice.paid" {
				paid++
			}
		case <-deadline:
			t.Fatal("the renewal was not told of")
		}
	}
	w.server.Close()
}

func TestInvoicesSentToTheCustomerFallDue(t *testing.T) {
	w := newWorld(t)
	w.listen()
	ada := w.customer("", "")
	sub, err := w.client.Subscriptions.New(&stripe.SubscriptionParams{
		Customer: stripe.String(ada.ID), Items: []*stripe.SubscriptionItemsParams{{Price: stripe.String(w.price().ID)}},
		CollectionMethod: stripe.String("send_invoice"), DaysUntilDue: stripe.Int64(14),
	})
	must(t, err)
	w.pass(2 * time.Hour)
	w.expectHeard("invoice.finalized", "invoice.sent")
	open := w.invoice(sub.LatestInvoice.ID)
	expect(t, "due", open.DueDate, morning.Add(14*24*time.Hour).Unix())
	expect(t, "no attempt", open.NextPaymentAttempt, int64(0))
	w.pass(15 * 24 * time.Hour)
	expect(t, "subscription", w.subscription(sub.ID).Status, stripe.SubscriptionStatusPastDue)
	params := &stripe.InvoiceListParams{Status: stripe.String("open"), DueDateRange: &stripe.RangeQueryParams{LesserThan: w.clock().Unix()}}
	overdue := w.client.Invoices.List(params)
	expect(t, "found overdue", overdue.Next(), true)
	expect(t, "it is this one", overdue.Invoice().ID, open.ID)
	_, err = w.client.Invoices.Pay(open.ID, &stripe.InvoicePayParams{PaidOutOfBand: stripe.Bool(true)})
	must(t, err)
	expect(t, "subscription", w.subscription(sub.ID).Status, stripe.SubscriptionStatusActive)
}

func TestBankDebitTakesDays(t *testing.T) {
	w := newWorld(t)
	ada := w.customer("pm_card_visa", "")
	w.subscribe(ada.ID)
	good, err := w.server.FailRenewal(ada.ID, "do_not_honor")
	must(t, err)
	bad, err := w.server.FailRenewal(ada.ID, "do_not_honor")
	must(t, err)
	w.listen()
	debit := w.useCard(ada.ID, "pm_success_at")
	broken := w.useCard(ada.ID, "pm_failed_at")
	for id, method := range map[string]string{good: debit.ID, bad: broken.ID} {
		params := &stripe.InvoicePayParams{PaymentMethod: stripe.String(method), OffSession: stripe.Bool(false)}
		params.AddExpand("payment_intent")
		pending, err := w.client.Invoices.Pay(id, params)
		must(t, err)
		expect(t, "still open", pending.Status, stripe.InvoiceStatusOpen)
		expect(t, "under way", pending.PaymentIntent.Status, stripe.PaymentIntentStatusProcessing)
		_, err = w.client.Invoices.Pay(id, &stripe.InvoicePayParams{})
		expect(t, "no second attempt meanwhile", refusalOf(t, err).HTTPStatusCode, 400)
	}
	w.expectHeard("payment_intent.processing")
	w.pass(5 * 24 * time.Hour)
	expect(t, "arrived", w.invoice(good).Status, stripe.InvoiceStatusPaid)
	expect(t, "came back", w.invoice(bad).Status, stripe.InvoiceStatusOpen)
	w.expectHeard("charge.failed", "payment_intent.payment_failed", "invoice.payment_failed")
}
