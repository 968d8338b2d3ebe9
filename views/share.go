package views

import (
	"time"

	"sollecito/internal/billing"
)

// SharePage makes links with which somebody else pays one invoice. GET /pay/share; POST /pay/share with the field invoice
// answers the page with the link, which is shown that once; POST /pay/share/end with the field link ends one.
type SharePage struct {
	Frame
	Invoices []Invoice // that can be paid so
	Chosen   string    // the id of the one that is
	Address  string    // the link that has just been made, "" for none
	Shared   []Shared  // those that work now
	Faults   []Fault   // at field make
}

// Shared is a link that was handed on. MadeAt is in the reader's zone.
type Shared struct {
	ID     string
	Number string // the invoice's
	MadeAt time.Time
}

// GuestPage is what somebody sees whom a customer asked to pay an invoice: its number, its sum and whom it is owed, and
// nothing of the customer's cards, address, history or choices. GET /pay/invoice. Its forms are those of the card page
// and the approval, at addresses of their own below it.
type GuestPage struct {
	Frame
	Invoice   Invoice
	For       string // whose invoice it is, masked
	State     GuestState
	Attempt   string
	ReturnURL string
	Fault     string // a finished sentence when the last try did not get through
	Paid      billing.Money
	Go        bool      // asks the bank without another press
	Methods   []string  // the processor's types of payment method to offer
	Until     time.Time // when a bank's answer is expected; zero when unknown
}

// Debits reports whether a bank account may be chosen.
func (p GuestPage) Debits() bool { return billing.Debits(p.Methods) }

// Mandate is what a guest agrees to with the press, as CardPage's.
func (p GuestPage) Mandate(kind string) string {
	if kind == KindDebit {
		return p.text("bank.mandate_once")
	}
	return p.text("guest.once")
}

// GuestState is how things stand with a guest's invoice.
type GuestState string

// The states.
const (
	GuestPays       GuestState = ""
	GuestApproves   GuestState = "approves"   // their bank wants to be asked
	GuestWaits      GuestState = "waits"      // nobody knows yet
	GuestProcessing GuestState = "processing" // a bank works on a payment, theirs or the customer's
	GuestPaid       GuestState = "paid"
	GuestHosted     GuestState = "hosted" // a part was paid already: the processor's own page takes the rest
	GuestClosed     GuestState = "closed" // nothing is to be paid here
)
