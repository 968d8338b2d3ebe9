package email

import (
	"time"

	"sollecito/internal/billing"
)

// Step says where in a campaign a reminder stands; it decides what the reminder may say.
type Step string

// The steps the shipped texts know.
const (
	StepFirst      Step = "first"      // the charge failed
	StepSecond     Step = "second"     // it still has not been paid
	StepNotice     Step = "notice"     // announces a consequence with its date
	StepRestricted Step = "restricted" // the consequence took place; how to restart
)

// ReminderFacts are what a reminder is written from. Instants are in the customer's zone.
type ReminderFacts struct {
	Merchant    Merchant
	FirstName   string // "" when unknown; the greeting then names nobody
	Step        Step
	Class       billing.Class // why the oldest invoice is unpaid
	Invoices    []Invoice     // the open ones, oldest first; at least one
	Card        Card          // the method that failed; zero when there is none
	LinkURL     string        // this message's own link
	NextAttempt time.Time     // when the charge is tried again by itself; zero when it is not
	Consequence *Consequence  // nil when the campaign has none ahead, or at the step of the consequence itself when unknown
	Limited     bool          // something was taken away before, so that not everything works until then
	Suspended   bool          // and that is all access
	Broken      *BrokenDay    // the day they had set that came to nothing, nil when there is none to tell of
	Own         *OwnWords     // the merchant's own words for this step; nil for ours
	Name        string        // the customer's whole name, for Own
	Due         time.Time     // since when the oldest invoice is overdue, for Own; zero when unknown
}

// BrokenDay is a day a customer had set to pay on, which passed without.
type BrokenDay struct {
	On     time.Time
	Charge bool // they were to be charged; else they meant to pay by themselves
	Tried  bool // with Charge: it was tried and did not go through
}

// Invoice is one open invoice in a letter.
type Invoice struct {
	Number    string
	What      string    // "Studio plan"; "" when unknown
	From, To  time.Time // the period it pays for; zero when it has none
	Remaining billing.Money
}

// Card is what a customer recognises their card or account by.
type Card struct {
	Brand   string // "Visa"; the bank's name for a debit, "" when it is not known
	Last4   string
	Account bool // a bank account, which no letter calls a card
}

// Consequence is what happens to the access, the subscription or the invoice of a customer who does not pay, and when.
type Consequence struct {
	Level string // restricted or suspended; or what is done in the end: cancel, pause or uncollectible
	At    time.Time
}

// PrecautionFacts are what the one letter before a renewal that is going to fail is written from.
type PrecautionFacts struct {
	Merchant  Merchant
	FirstName string
	Card      Card // the one that expires; zero when there is nothing to charge at all
	Expired   bool // it has expired already
	What      string
	Amount    billing.Money
	On        time.Time // the day of the renewal, in the customer's zone
	LinkURL   string
}

// SettledFacts are what the one letter after payment is written from.
type SettledFacts struct {
	Merchant  Merchant
	FirstName string
	Payments  []Payment
	LinkURL   string    // shows receipts; "" for none
	NextOn    time.Time // the next charge already known; zero for none
	Next      billing.Money
	Restored  bool // access had been limited and is full again
}

// Payment is one invoice that was paid.
type Payment struct {
	Number   string
	What     string
	Paid     billing.Money
	PaidOn   time.Time
	Card     Card // zero when it was paid otherwise
	ByOthers bool // paid outside the processor, such as by transfer
}

// PromiseFacts are what the confirmation of a day the customer set is written from.
type PromiseFacts struct {
	Merchant  Merchant
	FirstName string
	Amounts   []billing.Money // one per currency
	Invoices  []Invoice
	On        time.Time
	Charge    bool      // the card is charged that day; else they pay by themselves by then
	Card      Card      // to be charged
	Retry     time.Time // when the processor tries by itself before that day; zero when it does not
	LinkURL   string
}

// FreshLinkFacts are what a letter with a requested link is written from.
type FreshLinkFacts struct {
	Merchant  Merchant
	FirstName string
	LinkURL   string
	Until     time.Time // the link's last day, in the customer's zone
}

// ReplyFacts are what a letter with staff's answer is written from.
type ReplyFacts struct {
	Merchant  Merchant
	FirstName string
	Staff     string // the first name or name of who answers; "" signs as the merchant
	Text      string // what staff wrote
	Question  string // the customer's own message, quoted below; "" for none
	AskedOn   time.Time
	NotKept   []string // names of what came along with the customer's mails since the last answer
	LinkURL   string   // leads to the conversation
	Resting   bool     // reminders rest until staff resume them
}

// StaffMessageFacts are what the letter to the merchant's own support address is written from.
type StaffMessageFacts struct {
	Merchant      Merchant
	CustomerName  string
	CustomerEmail string
	Text          string
	At            time.Time // in the merchant's zone
	Owes          []billing.Money
	NotKept       []string // what came along with the mail, named with kind and size
	AdminURL      string   // the conversation on the admin pages
}

// StaffAlertFacts are what a letter to a member of staff about their own account is written from.
type StaffAlertFacts struct {
	Merchant   Merchant
	Name       string
	What       string    // as the staff room calls it: new_device, factor_set, …
	At         time.Time // in the merchant's zone
	IP         string    // where it came from; "" for none
	Browser    string    // "Firefox on Linux"; "" for none
	AccountURL string
}
