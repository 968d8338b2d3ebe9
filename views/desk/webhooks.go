package desk

import (
	"cmp"
	"net/url"
	"strings"
	"time"
)

// WebhooksPage lists where the merchant's app is told what happens, and lets an administrator add a place. Its form is
// POST /admin/webhooks with address and event.
type WebhooksPage struct {
	Frame
	Endpoints []Endpoint
	Form      EndpointForm
}

// Endpoint is one place as an administrator sees it.
type Endpoint struct {
	ID           string
	Address      string
	Events       []string
	DisabledAt   time.Time // zero while it is told
	Gone         bool      // it answered 410, and was disabled for it
	FailingSince time.Time // zero for not
	Dead         bool      // it has taken nothing for three days
	Failed       int       // deliveries that were given up
}

// EndpointForm is what was typed of an endpoint, with every kind of event there is.
type EndpointForm struct {
	Address string
	Kinds   []EventKind
	Faults  []Fault
}

// EventKind is one kind of event that can be chosen.
type EventKind struct {
	Type   string
	Chosen bool
}

// WebhookPage is one endpoint with what it was told.
type WebhookPage struct {
	Frame
	Endpoint   Endpoint
	Form       EndpointForm
	Secret     string    // just made, shown this once; "" otherwise
	OldUntil   time.Time // until when the secret before signs too; zero when none does
	Deliveries []Delivery
	Pager      Pager
}

// Delivery is one message to an endpoint.
type Delivery struct {
	ID         string
	MessageID  string
	Type       string
	CustomerID string // "" for a test
	Status     string // pending, delivered, failed
	Attempts   int
	Code       int // the last answer's, 0 for none
	Reason     string
	At         time.Time // when what it tells of happened
	TriedAt    time.Time // zero for never
	DueAt      time.Time // of a pending one
}

func (p WebhooksPage) title() string { return faulty("Webhooks", len(p.Form.Faults) > 0) }

func (p WebhookPage) title() string { return faulty(p.Endpoint.host(), len(p.Form.Faults) > 0) }

// host is what an endpoint is called by.
func (e Endpoint) host() string {
	u, err := url.Parse(e.Address)
	if err != nil {
		return e.Address
	}
	return cmp.Or(u.Host, e.Address)
}

func (e Endpoint) state() string {
	switch {
	case e.Gone:
		return "Disabled: it answered 410 Gone"
	case !e.DisabledAt.IsZero():
		return "Disabled"
	case e.Dead:
		return "Failing for days"
	case !e.FailingSince.IsZero():
		return "Failing"
	}
	return "Enabled"
}

func (e Endpoint) tone() Tone {
	switch {
	case e.Dead, e.Gone:
		return Bad
	case !e.DisabledAt.IsZero():
		return Plain
	case !e.FailingSince.IsZero():
		return Wait
	}
	return Good
}

func (d Delivery) state() string {
	switch d.Status {
	case "delivered":
		return "Delivered"
	case "failed":
		return "Failed"
	}
	if d.Attempts > 0 {
		return "Trying again"
	}
	return "Waiting"
}

func (d Delivery) tone() Tone {
	switch d.Status {
	case "delivered":
		return Good
	case "failed":
		return Bad
	}
	return Wait
}

// story is how a delivery fared so far, in short sentences.
func (d Delivery) story(f Frame) string {
	var said []string
	if d.Attempts > 0 {
		said = append(said, tries(f, d.Attempts)+".")
	}
	switch {
	case d.Status == "delivered":
		said = append(said, "Answered "+number(f, d.Code)+".")
	case d.Reason != "":
		said = append(said, d.Reason)
	}
	if d.Status == "pending" && d.Attempts > 0 {
		said = append(said, "Next "+lowerFirst(momentWords(f, d.DueAt))+".")
	}
	return strings.Join(said, " ")
}

// eventWords are what each kind of event tells, for whoever chooses.
func eventWords(kind string) string {
	switch kind {
	case "access.changed":
		return "what the app should allow a customer is another than before"
	case "case.opened":
		return "a payment failed, and reminders begin"
	case "case.reopened":
		return "a mail came back, and an ended case goes on"
	case "case.recovered":
		return "everything is paid"
	case "case.exhausted":
		return "reminders have ended, and something is still open"
	case "case.canceled":
		return "nothing is owed any more, and nothing was paid"
	}
	return ""
}

func webhookURL(id string) string { return "/admin/webhooks/" + url.PathEscape(id) }

func deliveryURL(id string) string { return "/admin/deliveries/" + url.PathEscape(id) }

func tries(f Frame, n int) string {
	if n == 1 {
		return "1 try"
	}
	return number(f, n) + " tries"
}

// givenUp says how many messages of an endpoint were.
func (e Endpoint) givenUp(f Frame) string {
	if e.Failed == 1 {
		return "1 message was given up. It keeps its webhook-id, so that nothing is done twice."
	}
	return number(f, e.Failed) + " messages were given up. They keep their webhook-id, so that nothing is done twice."
}
