package views

import "sollecito/internal/billing"

// CanShare reports whether somebody else may be asked to pay: something can be paid by a press of ours.
func (p OverviewPage) CanShare() bool { return p.Main != MainNone && p.Main != MainHosted }

// OffersChoice reports whether the sheet is a form on which some of several invoices can be chosen.
func (p OverviewPage) OffersChoice() bool {
	return len(p.Invoices) > 1 && p.Main != MainNone && p.Main != MainApprove
}

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
	// NoneChosen tells a reader who wanted to pay some of several that none was ticked.
	NoneChosen bool
	Card       *CardOnFile // nil when there is none
	Main       MainAct
	Note       *Note // how the case stands besides (paused, disputed, access); nil for none

	// ForFuture names what the card serves from now on: the customer's subscriptions. May be empty.
	ForFuture []string

	Rest    *Invoice // one more invoice, of which part was paid already: the rest is for Stripe's own page
	Hosted  bool     // offers to pay on the processor's own page (POST /pay/hosted, field invoice)
	Thread  []Entry
	Contact *ContactPlan

	Promise    *Promise // the day the reader set, nil when there is none
	NotCharged *Note    // its charge is not made after all, nil when none was taken back
	CanPromise bool     // offers to set one, GET /pay/promise
	CanClaim   bool     // offers GET /pay/transfer
	CanCancel  bool     // offers GET /pay/cancel
	Cancels    bool     // the reader has asked to end their plan
	CancelsNow bool     // and did so just now
	Proves     bool     // a bank account the reader added waits for the amounts of small deposits, POST /pay/prove
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

// faults is what is wrong with what the reader sent; it is told at the first invoice to tick.
func (p OverviewPage) faults() []Fault {
	if !p.NoneChosen {
		return nil
	}
	return []Fault{{Field: p.pick(p.Invoices[0]), Said: Said{Key: "overview.fault_none"}}}
}

// pick is the id of the box that is ticked for an invoice.
func (p OverviewPage) pick(i Invoice) string { return "pick-" + i.ID }

// ticked reports whether an invoice is proposed to who pays some of several: the oldest is.
func (p OverviewPage) ticked(i Invoice) bool { return i.ID == p.Invoices[0].ID && !p.NoneChosen }
