package views

import (
	"time"

	"sollecito/internal/billing"
)

// Promise is the day a reader set, as their overview shows it. Days are in the reader's zone.
type Promise struct {
	On        time.Time
	Charge    bool // the card is charged that day; else they pay by themselves by its end
	Amounts   []billing.Money
	Card      *CardOnFile // to be charged
	Retry     time.Time   // when the processor tries by itself before that day; zero when it does not
	Others    bool        // something else is open that it does not cover
	CanChange bool        // another day may be chosen
	Under     bool        // its hour has come: it is being charged or looked for, and cannot be taken back
	Made      bool        // it was set just now
	Mailed    bool        // with Made: a mail confirms it
}

// PromisePage lets the reader choose a day. GET /pay/promise; its form is POST /pay/promise/review with kind (charge
// or self) and day (2006-01-02).
type PromisePage struct {
	Frame
	Amounts []billing.Money
	Card    *CardOnFile // nil when nothing can be charged: then they pay by themselves
	Days    []time.Time // midnights in the reader's zone, at least one
	Chosen  string      // the day chosen before, as 2006-01-02
	Self    bool        // they chose to pay by themselves
	Last    bool        // no other choice is left after this
	Faults  []Fault     // at field day
}

// PromiseReviewPage shows what a press will fix. GET /pay/promise/review; its form is POST /pay/promise with attempt,
// kind, day, and invoice and expect (repeated).
type PromiseReviewPage struct {
	Frame
	Invoices []Invoice
	Card     *CardOnFile // nil when they pay by themselves
	On       time.Time
	At       time.Time       // the hour of the charge
	Retry    time.Time       // as in Promise
	Before   []billing.Money // what was shown before the amount changed; empty when it did not
	Attempt  string
}

// PromiseEndPage asks whether the day is taken back. GET /pay/promise/end; its form is POST there.
type PromiseEndPage struct {
	Frame
	On     time.Time
	Charge bool
}

// TransferPage takes in that a transfer is on its way. GET /pay/transfer; its form is POST there, with text.
type TransferPage struct {
	Frame
	Until  time.Time // the last day on which reminders rest; zero when something else lets them rest without an end
	Charge *Promise  // is not made then, or, under way, can no longer be stopped; nil when none is planned
	Text   string
	Faults []Fault // at field text
}

// CancelPage asks whether the plan is to end, or, once that was asked for, whether it is kept after all. GET
// /pay/cancel; its forms are POST /pay/cancel with text, and POST /pay/cancel/back.
type CancelPage struct {
	Frame
	Open   []billing.Money // what is open at the moment
	Asked  bool            // they have asked already
	Text   string
	Faults []Fault // at field text
}

func (p PromiseReviewPage) kind() string {
	if p.Card == nil {
		return "self"
	}
	return "charge"
}
