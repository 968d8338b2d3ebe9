package views

import (
	"time"

	"sollecito/internal/billing"
)

// SupportPage is the conversation between the customer and the merchant's staff. GET and POST /pay/support; the
// form's field is text, and the button "I have paid by transfer" adds paid=transfer.
type SupportPage struct {
	Frame
	Messages []Message // oldest first
	Now      time.Time // in the reader's zone; tells today and yesterday
	Open     []billing.Money
	Resting  bool // reminders rest while the conversation goes on
	Sent     bool // a message has just been sent

	CanClaim bool    // offers "I have paid by transfer"
	Text     string  // what was typed, after a failed submit
	Faults   []Fault // at field text
}

// Message is one thing said in the conversation.
type Message struct {
	Mine   bool   // the reader's own
	Author string // the staff member's name; unused when Mine
	Text   string // plain; blank lines part paragraphs
	At     time.Time

	NotKept []string // names of what came along with it by mail
}

// DeadLinkPage is the one page behind every link that does not open anything: unknown, malformed, expired,
// revoked, and for pages that need a session when there is none. POST /pay/link, field email.
type DeadLinkPage struct {
	Frame
	Email  string  // what was typed, after a failed submit
	Faults []Fault // at field email
}

// LinkSentPage answers every request for a fresh link, or for the list of what was mailed lately, in the same words.
type LinkSentPage struct {
	Frame
	List bool // the list
}

// ProblemPage is the page for everything that went wrong. Status is the HTTP status, which chooses the words
// (400, 403, 404, 405, 409, 413, 422, 429, 503; every other is told as our own mistake).
type ProblemPage struct {
	Frame
	Status    int
	Message   string        // a finished sentence written for the reader, instead of the general one; "" for none
	RequestID string        // what support needs to find it; "" for none
	RetryIn   time.Duration // how long to wait; zero when that is unknown
}
