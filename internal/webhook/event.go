package webhook

import (
	"encoding/json"
	"fmt"
	"time"
)

// Type is what kind of thing happened. The words are part of what the product promises: they never change their meaning.
type Type string

// The types. Their data are Access and Case.
const (
	AccessChanged Type = "access.changed" // what the app should allow a customer is another than before
	CaseOpened    Type = "case.opened"    // a payment failed, or a bill is past its due date, and reminders begin
	CaseReopened  Type = "case.reopened"  // one without steps left has some again: a mail it rested on came back
	CaseRecovered Type = "case.recovered" // nothing is open any more and something was paid
	CaseExhausted Type = "case.exhausted" // no step is left and something is still open
	CaseCanceled  Type = "case.canceled"  // nothing is owed any more and nothing was paid

	// Test is sent at the press of a button, to the one endpoint it stands at.
	Test Type = "webhook.test"
)

// Types are those an endpoint may choose among, in the order in which they are offered.
func Types() []Type {
	return []Type{AccessChanged, CaseOpened, CaseReopened, CaseRecovered, CaseExhausted, CaseCanceled}
}

// Event is a fact about a customer. At is when it happened, in unix seconds.
type Event struct {
	Type     Type
	Customer string
	At       int64
	Data     any // Access or Case
}

// Access is the data of AccessChanged: full, grace, restricted or suspended, before and now.
type Access struct {
	Customer string `json:"customer"` // Stripe's id
	Case     string `json:"case"`
	From     string `json:"from"`
	To       string `json:"to"`
	Reason   Reason `json:"reason"`
	At       string `json:"at"`
}

// Reason is why access changed.
type Reason string

// The reasons.
const (
	ByStep   Reason = "step"           // the campaign's day came
	ByPaid   Reason = "paid"           // nothing is open any more and something was paid
	ByNoDebt Reason = "nothing_owed"   // nothing is owed any more, or the customer is gone, and nothing was paid
	ByBounce Reason = "notice_bounced" // the mail that had announced it came back, so it is undone
)

// Case is the data of the types that begin with case.
type Case struct {
	Customer string `json:"customer"` // Stripe's id
	Case     string `json:"case"`
	From     string `json:"from,omitempty"` // the status before; none when it was opened
	Status   string `json:"status"`
	At       string `json:"at"`
}

// Moment is an instant as messages tell it.
func Moment(at int64) string { return time.Unix(at, 0).UTC().Format(time.RFC3339) }

// body is the message as it is signed and sent, by the specification's fields.
func body(t Type, at int64, data any) (string, error) {
	text, err := json.Marshal(struct {
		Type      Type   `json:"type"`
		Timestamp string `json:"timestamp"`
		Data      any    `json:"data"`
	}{t, Moment(at), data})
	if err != nil {
		return "", fmt.Errorf("write the message of %s: %w", t, err)
	}
	return string(text), nil
}
