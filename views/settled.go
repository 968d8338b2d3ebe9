package views

import (
	"time"

	"sollecito/internal/billing"
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
// own page of the oldest, which takes a payment all the same (POST /pay/hosted).
type WrittenOffPage struct {
	Frame
	FirstName string
	Invoices  []Invoice
	Payable   bool
	Note      *Note // why it was, and how to contest it; nil when nothing is known
}
