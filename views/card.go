package views

import "sollecito/internal/billing"

// CardPage holds the processor's card fields. GET /pay/card.
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
