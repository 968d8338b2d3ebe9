package views

import (
	"time"

	"sollecito/internal/billing"
)

// CanShare reports whether somebody else may be asked to pay: something can be paid by a press of ours.
func (p OverviewPage) CanShare() bool { return p.Main != MainNone && p.Main != MainHosted }

// OverviewPage is what an email's link opens while something is owed: the sum, why it is open, one button, the
// other ways, and what happens when. GET /pay.
//
// With several invoices the sheet is a form with a choice: what=all (then the fields invoice say nothing), or
// what=some and invoice repeated for those that are ticked. It goes where the one button goes.
type OverviewPage struct {
	Frame
	FirstName string        // "" greets without a name
	Reason    billing.Class // of the invoice that matters most; chooses the sentence
	Invoices  []Invoice     // oldest first, at least one
	Card      *CardOnFile   // nil when there is none
	Main      MainAct
	Note      *Note // how the case stands besides (paused, disputed, access); nil for none

	// ForFuture names what the card serves from now on: the customer's subscriptions. May be empty.
	ForFuture []string

	Rest    *Invoice // one more invoice, of which part was paid already: the rest is for Stripe's own page
	Hosted  bool     // offers to pay on the processor's own page (POST /pay/hosted, field invoice)
	Thread  []Entry
	Contact *ContactPlan

	Promise    *Promise // the day the reader set, nil when there is none
	CanPromise bool     // offers to set one, GET /pay/promise
	CanClaim   bool     // offers GET /pay/transfer
	CanCancel  bool     // offers GET /pay/cancel
	Cancels    bool     // the reader has asked to end their plan
}

// MainAct is what the page's one button does.
type MainAct string

// The acts of the one button. All but MainNone need an amount.
const (
	MainPay     MainAct = "pay"      // POST /pay/review: the card on file may be tried
	MainAddCard MainAct = "add_card" // GET /pay/card: the card on file is dead, or there is none
	MainApprove MainAct = "approve"  // GET /pay/approve: the bank wants the customer's yes
	MainHosted  MainAct = "hosted"   // POST /pay/hosted: part of it was paid already, and Stripe's own page takes the rest
	MainNone    MainAct = "none"     // no button: disputed, or not ours to take
)

// SettledPage is the same address with nothing open: a confirmation and the receipts. GET /pay.
type SettledPage struct {
	Frame
	FirstName string
	Note      *Note     // nil when there is nothing to say besides
	Receipts  []Receipt // newest first; may be empty
	Earlier   bool      // there are older ones, which open with a code (GET /pay/papers)
	Renewal   *Renewal  // nil when none is known
}

// RefundedPage is the same address when the last that happened is that money was given back. GET /pay.
type RefundedPage struct {
	Frame
	Receipt  Receipt       // the payment it was
	On       time.Time     // when it was given back; zero when unknown
	Credited billing.Money // by credit notes, beyond what Receipt.Refunded tells
	Receipts []Receipt     // all of them, newest first
	Earlier  bool          // as SettledPage's
	Renewal  *Renewal
}

func (p RefundedPage) heading() string {
	switch {
	case p.Receipt.Refunded.Minor == 0:
		return "refunded.title_credit"
	case p.Receipt.Refunded.Minor < p.Receipt.Paid.Minor:
		return "refunded.title_part"
	}
	return "refunded.title"
}

// ProcessingPage is the same address while a payment that takes days is under way, and the answer of GET
// /pay/result for one. There is no second button to pay.
type ProcessingPage struct {
	Frame
	FirstName string
	Amounts   []billing.Money // one per currency
	What      string          // what it is for; "" when several things
	Card      *CardOnFile     // usually a bank account; nil when unknown
	Until     time.Time       // when the answer is expected at the latest; zero when unknown
}

// WrittenOffPage is the same address when the merchant has stopped asking. With Payable a button still leads to Stripe's
// own page of the newest, which takes a payment all the same (POST /pay/hosted).
type WrittenOffPage struct {
	Frame
	FirstName string
	Invoices  []Invoice
	Payable   bool
	Note      *Note // why it was, and how to contest it; nil when nothing is known
}
