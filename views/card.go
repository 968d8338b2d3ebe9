package views

import (
	"sollecito/internal/billing"
	"sollecito/internal/l10n"
)

// CardPage holds the processor's fields for a card, a wallet or a bank account. GET /pay/card.
//
// pay.js makes nothing at the processor until the button is pressed. Then it asks POST /pay/card/intent (form
// body: the page's hidden fields; Accept: application/json), which answers {"client_secret": "seti_…"} or, with any
// other status, {"message": "a sentence for the reader"} or {"redirect": "/pay/…"}; confirms the SetupIntent in the
// browser; and sends POST /pay/card with setup_intent, attempt, invoice (repeated) and expect (repeated).
type CardPage struct {
	Frame
	Invoices  []Invoice // charged at once with the new card, oldest first; empty only saves the card
	Currency  string    // lower-case ISO code the card fields are made for
	Methods   []string  // the processor's types to offer, as the SetupIntent will be made with; empty lets it choose
	Attempt   string    // the token of this attempt; the same token never charges twice
	ForFuture []string  // the subscriptions the card will serve
	ReturnURL string    // absolute address of /pay/card/finish, with whatever is needed to know the invoices
	Fault     string    // a finished sentence when the last try did not get through; "" for none

	// Hosted is the invoice the way without our card fields leads to (POST /pay/hosted); "" leaves that way out.
	Hosted string
}

// Debits reports whether a bank account may be chosen in the fields; without a list of types nobody knows before they
// are drawn.
func (p CardPage) Debits() bool { return len(p.Methods) == 0 || billing.Debits(p.Methods) }

// Kinds of what can be kept, as the page's script tells them.
const (
	KindCard  = "card"
	KindDebit = "debit"
)

// Mandate is what the reader agrees to with the press, as the page shows it for a kind: what is kept of it.
func (p CardPage) Mandate(kind string) string {
	if kind == KindDebit {
		return p.text("bank.mandate")
	}
	return p.forFuture() + p.Locale.Gap() + p.text("card.mandate")
}

func (p CardPage) forFuture() string {
	if len(p.ForFuture) == 0 {
		return p.text("card.for_renewals")
	}
	return p.text("card.for_future", l10n.Args{"Subscriptions": p.names(p.ForFuture)})
}

// totals is what pressing the button charges, one amount per currency.
func (p CardPage) totals() []billing.Money { return totalsOf(p.Invoices) }

// CardFinishPage is where the bank sends the reader back to after it asked something while a card was saved. It
// sends the form by itself when JavaScript is there, and has a button. GET /pay/card/finish; the form is POST
// /pay/card with setup_intent, attempt, invoice and expect as on the card page.
type CardFinishPage struct {
	Frame
	SetupIntent string
	Attempt     string
	Invoices    []Invoice
	Action      string // where the form goes, "" for /pay/card
}
