package gateway

import (
	"cmp"

	"github.com/stripe/stripe-go/v76"

	"sollecito/internal/billing"
)

// invoiceReading is one invoice with what must be known beside it to understand it: the subscription and customer as far as
// they were read, and when (unix seconds).
type invoiceReading struct {
	invoice      *stripeInvoice
	subscription *stripeSubscription
	customer     *stripeCustomer
	now          int64
}

func (r invoiceReading) translate() billing.Invoice {
	i := r.invoice
	translated := billing.Invoice{
		ID: i.ID, Number: i.Number, Status: string(i.Status), CollectionMethod: string(i.CollectionMethod),
		BillingReason: string(i.BillingReason), Currency: string(i.Currency),
		AmountDue: i.AmountDue, AmountPaid: i.AmountPaid, AmountRemaining: i.AmountRemaining,
		Description: r.description(), DueAt: i.DueDate, CreatedAt: i.Created,
		PaidOutOfBand: i.PaidOutOfBand, Attempted: r.attempted(), AttemptCount: i.AttemptCount,
		NextAttemptAt: i.NextPaymentAttempt, MethodID: r.method(), ReceiptNumber: i.ReceiptNumber, SyncedAt: r.now,
	}
	if i.Customer != nil {
		translated.CustomerID = i.Customer.ID
	}
	if i.Subscription != nil {
		translated.SubscriptionID = i.Subscription.ID
	}
	if i.StatusTransitions != nil {
		translated.PaidAt = i.StatusTransitions.PaidAt
	}
	if i.PaymentIntent != nil {
		translated.Intent, translated.IntentStatus = i.PaymentIntent.ID, string(i.PaymentIntent.Status)
		translated.Takes = i.PaymentIntent.PaymentMethodTypes
	}
	translated.PeriodStart, translated.PeriodEnd = r.period()
	if i.Status != stripe.InvoiceStatusPaid {
		translated.Decline = declineOf(i.PaymentIntent)
	}
	if i.DefaultPaymentMethod != nil {
		translated.OwnMethod = i.DefaultPaymentMethod.ID
	}
	charge := r.charge()
	if charge != nil {
		translated.Charge = charge.ID
		translated.Disputed = charge.Disputed
		translated.ChargedAt = charge.Created
		translated.Refunded, translated.RefundedAt = charge.AmountRefunded, refundedAt(charge)
		if translated.ReceiptNumber == "" {
			translated.ReceiptNumber = charge.ReceiptNumber
		}
	}
	translated.Credited = i.PostPaymentCreditNotesAmount
	translated.FailedAt = r.failedAt()
	if translated.FailedAt > 0 {
		translated.FirstFailed = i.AmountRemaining
	}
	return translated
}

// charge is the invoice's latest charge when it was read in full.
func (r invoiceReading) charge() *stripeCharge {
	if r.invoice.PaymentIntent != nil && known(r.invoice.PaymentIntent.LatestCharge) {
		return r.invoice.PaymentIntent.LatestCharge
	}
	if known(r.invoice.Charge) {
		return r.invoice.Charge
	}
	return nil
}

// refundedAt is when money of a charge was last given back, as far as its refunds were read.
func refundedAt(c *stripeCharge) int64 {
	last := int64(0)
	if c.Refunds == nil {
		return last
	}
	for _, r := range c.Refunds.Data {
		if r.Status != stripe.RefundStatusFailed && r.Status != stripe.RefundStatusCanceled {
			last = max(last, r.Created)
		}
	}
	return last
}

func known(c *stripeCharge) bool { return c != nil && c.Created > 0 }

// attempted reports whether the automatic charge was tried. Every version of Stripe's API says so itself, and what it says
// holds: a card that a customer tries on Stripe's page before that is no failed renewal. What stands between us and Stripe,
// or stands in for it, may leave the field out; then a charge that failed tells.
func (r invoiceReading) attempted() bool {
	i := r.invoice
	if i.Attempted != nil {
		return *i.Attempted
	}
	charge := r.charge()
	return i.AttemptCount > 0 || i.PaymentIntent != nil && i.PaymentIntent.LastPaymentError != nil || charge != nil && charge.Status == stripe.ChargeStatusFailed
}

// failedAt is when the automatic charge of an open invoice is known to have failed first, 0 when it did not. Of a
// single attempt its charge tells; after more of them Stripe's latest charge is a retry, and the first was the one that
// the finalization makes. When Stripe tells neither the invoice's own instant serves: no old failure passes for a new one.
func (r invoiceReading) failedAt() int64 {
	i := r.invoice
	if i.Status != stripe.InvoiceStatusOpen || !r.attempted() || i.CollectionMethod == stripe.InvoiceCollectionMethodSendInvoice {
		return 0
	}
	if i.PaymentIntent != nil {
		switch i.PaymentIntent.Status {
		case stripe.PaymentIntentStatusRequiresPaymentMethod, stripe.PaymentIntentStatusRequiresAction, stripe.PaymentIntentStatusRequiresConfirmation:
		default:
			return 0
		}
	}
	if i.PaymentIntent == nil && r.method() != "" {
		return 0
	}
	var finalized int64
	if i.StatusTransitions != nil {
		finalized = i.StatusTransitions.FinalizedAt
	}
	if i.AttemptCount > 1 && finalized > 0 {
		return finalized
	}
	charge := r.charge()
	if charge != nil && charge.Status == stripe.ChargeStatusFailed {
		return charge.Created
	}
	return cmp.Or(finalized, i.Created)
}

// method is the one the last attempt was made with; before any attempt it is the one Stripe would take, in
// Stripe's order: invoice, subscription, customer.
func (r invoiceReading) method() string {
	i := r.invoice
	if p := i.PaymentIntent; p != nil {
		switch {
		case p.PaymentMethod != nil:
			return p.PaymentMethod.ID
		case p.LastPaymentError != nil && p.LastPaymentError.PaymentMethod != nil:
			return p.LastPaymentError.PaymentMethod.ID
		case p.LastPaymentError != nil && p.LastPaymentError.Source != nil:
			return p.LastPaymentError.Source.ID
		case known(p.LatestCharge) && p.LatestCharge.PaymentMethod != "":
			return p.LatestCharge.PaymentMethod
		}
	}
	switch {
	case i.DefaultPaymentMethod != nil:
		return i.DefaultPaymentMethod.ID
	case i.DefaultSource != nil:
		return i.DefaultSource.ID
	}
	own := subscriptionDefault(r.subscription)
	if own != "" {
		return own
	}
	return customerDefault(r.customer)
}

func (r invoiceReading) lines() []stripeLine {
	if r.invoice.Lines == nil {
		return nil
	}
	return r.invoice.Lines.Data
}

func (r invoiceReading) description() string {
	var names []string
	for _, line := range r.lines() {
		names = append(names, plainLine(line.Description))
	}
	name := few(names)
	if name == "" {
		return r.invoice.Description
	}
	return name
}

// period is that of the first subscription line: the invoice's own period is the one that has passed.
func (r invoiceReading) period() (start, end int64) {
	for _, line := range r.lines() {
		if line.Type == stripe.InvoiceLineItemTypeSubscription && line.Period != nil {
			return line.Period.Start, line.Period.End
		}
	}
	return r.invoice.PeriodStart, r.invoice.PeriodEnd
}
