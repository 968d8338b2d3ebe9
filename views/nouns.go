package views

import (
	"fmt"
	"time"

	"sollecito/internal/billing"
)

// Invoice is one open invoice as its customer sees it. Instants are in the reader's zone.
type Invoice struct {
	ID        string
	Number    string
	What      string    // what it is for, in the merchant's words: "Studio plan, monthly"
	From, To  time.Time // the period it pays for, first and last day; zero when it has none
	Since     time.Time // since when it is due: the first failed attempt, or the due date
	Remaining billing.Money
	Class     billing.Class // why it is unpaid
	HasPDF    bool
}

// Expectation is what the reader was shown for this invoice, for a hidden field named "expect": the invoice's
// id, the amount in minor units and the currency, as "in_123 2900 eur". The server charges only when it still holds.
func (i Invoice) Expectation() string {
	return fmt.Sprintf("%s %d %s", i.ID, i.Remaining.Minor, i.Remaining.Currency)
}

// CardOnFile is the way to pay we know, a card or a bank account.
type CardOnFile struct {
	billing.Method
	Expired bool // its last month has passed
}

// Entry is one point on the line of time: what happened, is, or will happen, and when.
type Entry struct {
	When     time.Time // in the reader's zone; zero leaves the day out
	HasClock bool      // true shows the time of day too
	Kind     EntryKind
	Said     Said
}

// EntryKind says where on the line of time an entry stands.
type EntryKind string

// The line is solid behind, marked at now, dashed ahead.
const (
	Past EntryKind = "past"
	Now  EntryKind = "now"
	Next EntryKind = "next"
)

// ContactPlan is what a customer may expect to hear from us. Next is zero when no further message is planned, or when
// nobody can say yet when it comes.
type ContactPlan struct {
	Remaining int // messages still to come, at most
	Next      time.Time
	Because   string // the message that says why not sooner, "" for no rule of ours
	Resting   bool   // all reminders rest, so that nobody knows when the next would come
	Act       bool   // a final act is ahead, after which a mail says that it was done
}

// Note is one calm sentence about the state of things, with the icon that goes with it.
type Note struct {
	Kind NoteKind
	Said Said
	New  bool // what the reader just did led to it
}

// NoteKind chooses a note's icon and weight.
type NoteKind string

// NoteInfo and NotePause are neutral, NoteWait stands out, NoteDone is good news.
const (
	NoteInfo  NoteKind = "info"
	NotePause NoteKind = "pause"
	NoteWait  NoteKind = "wait"
	NoteDone  NoteKind = "done"
)

// Receipt is one payment made. Instants are in the reader's zone.
type Receipt struct {
	InvoiceID     string
	InvoiceNumber string
	ReceiptNumber string // "" when the processor gave none
	What          string
	Paid          billing.Money
	PaidOn        time.Time
	With          *CardOnFile // nil when unknown or paid outside
	OutOfBand     bool        // paid by transfer or otherwise outside the processor
	HasPDF        bool
	Refunded      billing.Money // of it, given back the way it came
}

// Renewal is the next charge that is already known.
type Renewal struct {
	On     time.Time
	Amount billing.Money
}
