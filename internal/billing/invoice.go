package billing

import "cmp"

// Invoice is one of a customer's invoices with the state of its own payment, as Stripe last reported it.
// Instants are unix seconds, 0 where Stripe says null. Amounts are what Stripe counts; the page always shows
// AmountRemaining.
type Invoice struct {
	ID               string
	CustomerID       string
	SubscriptionID   string
	Number           string
	Status           string // draft, open, paid, void, uncollectible
	CollectionMethod string // charge_automatically, send_invoice
	BillingReason    string // subscription_cycle, subscription_create, manual, …
	Currency         string
	AmountDue        int64
	AmountPaid       int64
	AmountRemaining  int64
	Description      string // what it is for, in the merchant's words
	PeriodStart      int64
	PeriodEnd        int64
	DueAt            int64
	CreatedAt        int64
	PaidAt           int64
	PaidOutOfBand    bool
	Attempted        bool
	AttemptCount     int64
	FailedAt         int64 // when we know the first automatic attempt to have failed
	FirstFailed      int64 // what remained when it first failed, in minor units
	NextAttemptAt    int64 // Stripe's own next try, 0 when it makes none
	Intent           string
	IntentStatus     string // of the invoice's own PaymentIntent
	MethodID         string // the method of the last attempt
	Decline          Decline
	Disputed         bool
	ReceiptNumber    string
	SyncedAt         int64
	MethodIsGuests   bool     // that method is a guest's: its customer neither knows nor may charge it
	MethodRenewedAt  int64    // when new details of that method came after we knew it, 0 when none did
	OwnMethod        string   // the method it names itself, "" for none: Stripe charges it before any other
	Charge           string   // its latest charge as just read; not kept
	ChargedAt        int64    // when that was made
	Takes            []string // the types of payment method its payment takes at Stripe; empty when that was not told
	Refunded         int64    // of what was paid, given back the way it came, in minor units
	RefundedAt       int64    // when that was last done, 0 when it is not known
	Credited         int64    // by credit notes made after it was paid; may tell the refunded money once more
}

// Remaining is what is still to be paid.
func (i Invoice) Remaining() Money { return Money{Minor: i.AmountRemaining, Currency: i.Currency} }

// Collected is what was paid for it: by the processor's count, or the whole when it was paid outside it, which the
// processor does not count.
func (i Invoice) Collected() Money {
	if i.PaidOutOfBand {
		return Money{Minor: i.AmountDue, Currency: i.Currency}
	}
	return Money{Minor: i.AmountPaid, Currency: i.Currency}
}

// Paid reports whether it was settled by money. Stripe also calls paid what a credit note cleared.
func (i Invoice) Paid() bool { return i.MarkedPaid() && i.Collected().Minor > 0 }

// MarkedPaid reports whether Stripe calls it paid: by money, or because credit cleared it.
func (i Invoice) MarkedPaid() bool { return i.Status == "paid" }

// WrittenOff reports whether the merchant gave it up at Stripe (uncollectible). It can still be paid.
func (i Invoice) WrittenOff() bool { return i.Status == "uncollectible" }

// ByHand reports whether its customer pays it by themselves (send_invoice): nothing is charged, so nothing fails, and the
// due date passes instead.
func (i Invoice) ByHand() bool { return i.CollectionMethod == "send_invoice" }

// FirstPurchase reports whether it is the very first invoice of a subscription.
func (i Invoice) FirstPurchase() bool { return i.BillingReason == "subscription_create" }

// ByPayment orders paid invoices by when they were paid, then by number: of two that count alike the shorter is the earlier.
func ByPayment(a, b Invoice) int {
	return cmp.Or(cmp.Compare(a.PaidAt, b.PaidAt), cmp.Compare(len(a.Number), len(b.Number)), cmp.Compare(a.Number, b.Number), cmp.Compare(a.ID, b.ID))
}

// PartPaid reports whether some of an open invoice was paid already. Stripe's own page knows how to take the rest
// of it; the one payment of its own that the invoice names may not be for that.
func (i Invoice) PartPaid() bool { return i.Open() && i.AmountPaid > 0 }

// Open reports whether money can still be expected: Stripe's status open with something remaining.
func (i Invoice) Open() bool { return i.Status == "open" && i.AmountRemaining > 0 }

// Processing reports whether a payment is under way that takes days (a bank debit).
func (i Invoice) Processing() bool { return i.Open() && i.IntentStatus == "processing" }

// Overdue reports whether the invoice is one a case is about at the instant now (unix seconds): its automatic
// charge failed, or it was to be paid by hand and its due date has passed. A subscription's very first invoice
// never is: that purchase was simply not completed.
func (i Invoice) Overdue(now int64) bool {
	if !i.Open() || i.FirstPurchase() {
		return false
	}
	if i.ByHand() {
		return i.DueAt > 0 && i.DueAt <= now
	}
	return i.Failed()
}

// Failed reports whether an automatic attempt on this open invoice has failed and none is under way.
func (i Invoice) Failed() bool {
	if !i.Open() || i.ByHand() || !i.Attempted {
		return false
	}
	return i.FailedAt > 0
}

// Chargeable reports whether a press of ours may charge the invoice: it is open, no bank is working on it, nobody
// disputes it, nothing of it was paid yet, and it is not a first purchase that was never completed.
func (i Invoice) Chargeable() bool {
	return i.Open() && !i.Processing() && !i.Disputed && !i.PartPaid() && !i.FirstPurchase()
}

// Since is when the invoice became overdue: the first failed attempt, or the due date.
func (i Invoice) Since() int64 {
	if i.ByHand() {
		return i.DueAt
	}
	return i.FailedAt
}

// Class says why the invoice is unpaid.
func (i Invoice) Class() Class {
	if i.ByHand() {
		return ClassOverdue
	}
	if i.MethodIsGuests { // what a guest's bank asks or says is between them
		return ClassGeneric
	}
	if i.IntentStatus == "requires_action" || i.IntentStatus == "requires_confirmation" {
		return ClassAuthentication
	}
	class := i.Decline.Class()
	if (class == ClassExpired || class == ClassFixCard) && i.MethodRenewedAt > i.FailedAt {
		return ClassRenewed
	}
	if class == ClassNone && i.MethodID == "" {
		return ClassNoMethod
	}
	if class == ClassNone {
		return ClassGeneric
	}
	return class
}

// Puzzling reports whether the charge of an open invoice failed by a mistake on the merchant's side, or with a word of the
// processor's that nobody has a rule for: what it means is for a person to find out.
func (i Invoice) Puzzling() bool {
	if !i.Failed() || i.MethodIsGuests || i.Decline == (Decline{}) {
		return false
	}
	return i.Class() == ClassOurs || !i.Decline.Known()
}
