package outbox

import "time"

// Kind says which message a notice is.
type Kind string

const (
	Reminder     Kind = "reminder"   // a step of a campaign
	Settled      Kind = "settled"    // all is paid, thank you
	Precaution   Kind = "precaution" // a renewal ahead that is going to fail
	FreshLink    Kind = "fresh_link" // a link the customer asked for
	Reply        Kind = "reply"      // staff's answer to the customer
	Promised     Kind = "promised"   // the date the customer set, confirmed
	StaffMessage Kind = "staff"      // to the merchant: a customer wrote
	StaffAlert   Kind = "account"    // to a member of staff: something happened to their account
	FinalAct     Kind = "final"      // what was done at Stripe in the end, and how to contest it
	Code         Kind = "code"       // a code with which the customer proves that they read this mail
	MethodGone   Kind = "method"     // a payment method was taken off at the customer's wish
	Genuine      Kind = "genuine"    // what was mailed lately, for somebody who doubts a mail
)

// Channel is the way a notice reaches its person.
type Channel string

const (
	Email Channel = "email"
	App   Channel = "app"
)

// Status says how a notice stands; see the package's comment for the walk.
type Status string

const (
	Queued    Status = "queued"
	Sending   Status = "sending"
	Sent      Status = "sent"
	Uncertain Status = "uncertain"
	Failed    Status = "failed"
	Skipped   Status = "skipped"
)

// Notice is one message to one person on one channel, said at most once: (Kind, CaseID, Step, Channel,
// SubjectID) is unique. Whoever decides it queues it; a sender or the embed script settles it; Reason says why
// it was skipped, failed or is uncertain. Instants are unix seconds.
type Notice struct {
	ID         string
	Kind       Kind
	Channel    Channel
	CustomerID string
	CaseID     string
	Step       string // the campaign's key of the step
	SubjectID  string // the message or request it tells of
	Recipient  string // an address; "" for in-app
	Status     Status
	Reason     string
	Counts     bool  // against the gap and cap of the contact policy
	Attempts   int64 // to hand it to the mail server
	Stumbles   int64 // failures of ours before that
	CreatedAt  int64
	DueAt      int64 // not before
	LeaseUntil int64 // real time
	SettledAt  int64
	MessageID  string // without angle brackets, the same over all tries
	Dated      int64  // the Date header, the same over all tries
	Subject    string
}

// Written reports whether a mail was written for it, of which CopyOf answers the copy.
func (n Notice) Written() bool { return n.MessageID != "" }

// GiveUpAfter is how long a mail server may keep answering "later" before the notice is failed.
const GiveUpAfter = 48 * time.Hour

// Backoff is the wait before the next try after n tries: 1, 2, 4, … minutes, at most two hours.
func Backoff(n int64) time.Duration {
	wait := time.Minute << min(max(n-1, 0), 7)
	return min(wait, 2*time.Hour)
}
