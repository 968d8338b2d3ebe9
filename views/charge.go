package views

import (
	"time"

	"sollecito/internal/billing"
)

// ReviewPage shows what one more press will do: the sums, the invoices, the card. GET /pay/review. Its form is
// POST /pay/charge with the hidden fields attempt, invoice (repeated) and expect (repeated, see
// Invoice.Expectation).
type ReviewPage struct {
	Frame
	Invoices []Invoice // what will be charged, oldest first
	Card     CardOnFile
	Attempt  string          // the token of this attempt; the same token never charges twice
	Before   []billing.Money // what the reader was shown before the amount changed; empty when it did not
}

// ApprovePage leads to the bank's own question about a payment. GET /pay/approve. With JavaScript the button asks
// POST /pay/approve for JSON and then sends POST /pay/approve/done; without, it sends POST /pay/hosted.
type ApprovePage struct {
	Frame
	Invoice Invoice
	Card    *CardOnFile
	Attempt string // the token of this attempt; the same token never charges twice
	Fault   string // a finished sentence when the last try did not get through; "" for none

	// Go asks the bank without another press: the reader has just pressed to pay.
	Go bool
}

// PaidPage is the good end of a charge. GET /pay/result.
type PaidPage struct {
	Frame
	FirstName   string
	Receipts    []Receipt // what was paid just now
	ReceiptSent bool      // true when a mail with the receipt goes to MaskedEmail
	Restored    bool      // true when the merchant's app is fully open (again)
	Renewal     *Renewal
	Thread      []Entry
}

// PartlyPaidPage tells honestly that some invoices were paid and others not. GET /pay/result.
type PartlyPaidPage struct {
	Frame
	FirstName string
	Receipts  []Receipt // what was paid just now
	Open      []Invoice // what still is open, each with its reason
	Card      *CardOnFile
	Main      MainAct // how to pay the rest
	Chosen    bool    // true when nothing failed: the reader chose to pay only some
}

// DeclinedPage says that nothing was taken and why, and how to go on. GET /pay/result.
type DeclinedPage struct {
	Frame
	Reason   billing.Class
	Invoices []Invoice // still open, all of them
	Card     *CardOnFile
	Main     MainAct // MainPay offers another try with the same card; otherwise another card
	Hosted   bool
	AnyCard  bool      // too many were declined: no card of theirs is taken for a while
	Again    time.Time // from when on the same card, or any, may be tried again, in the reader's zone; zero when nobody can say
}

// CardSavedPage says that the new card is kept but the charge did not go through. GET /pay/result.
type CardSavedPage struct {
	Frame
	Reason   billing.Class
	Invoices []Invoice
	Card     CardOnFile
	Main     MainAct
	RetryOn  *Said // when the charge is tried again by itself, as "result.retry_on" with Day; nil when it is not
}

// CheckingPage says that the server could not learn the outcome yet. It looks again by itself when JavaScript is
// there, and has a link for it. GET /pay/result.
type CheckingPage struct {
	Frame
	Amounts []billing.Money
}
