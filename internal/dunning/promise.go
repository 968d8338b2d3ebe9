package dunning

import (
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
)

// PromiseKind says what was promised.
type PromiseKind string

const (
	PromiseCharge PromiseKind = "charge" // to be charged that morning with the method on file
	PromiseSelf   PromiseKind = "self"   // to pay by themselves by the end of that day
)

// PromiseStatus says how a promise stands.
type PromiseStatus string

const (
	PromiseActive    PromiseStatus = "active"    // its day is still to come, or its charge is under way
	PromiseKept      PromiseStatus = "kept"      // what it names was paid, that day or earlier
	PromiseBroken    PromiseStatus = "broken"    // the bank declined the charge, or the day passed unpaid
	PromiseWithdrawn PromiseStatus = "withdrawn" // somebody took it back, or nothing is owed any more
)

// Promise is a date set for paying some invoices of a case. A customer makes it on their page, or a member of staff in
// their name; while it is active it is a pause of its case. On its day the program charges, or looks whether it was
// paid; payment keeps it, a decline or a day that passes unpaid breaks it, and then the case goes on. A case has at
// most one active. Instants are unix seconds.
type Promise struct {
	ID         string
	CaseID     string
	CustomerID string
	Press      string // of the form it was made with
	Kind       PromiseKind
	Day        string // the customer's local date, as 2006-01-02
	DueAt      int64  // when it is charged, or when its day has passed
	LookAt     int64
	MethodID   string
	Status     PromiseStatus
	Actor      string // customer, or the member of staff
	MadeAt     int64
	ChargedAt  int64 // when charging began, 0 before
	EndedAt    int64
	EndedBy    string
	Why        string // the sentence staff read of its end
	Invoices   []Promised
}

// Promised is one invoice a promise names and what remained of it then. An invoice that fails later is not part of it:
// the case rests for both, and goes on for the new one when the promise has ended.
type Promised struct {
	Invoice string
	Amount  billing.Money
}

// Disputed reports whether a dispute took the day back.
func (p Promise) Disputed() bool { return p.Status == PromiseWithdrawn && p.Why == whyDisputed }

// Amounts is what a promise is about, by currency.
func (p Promise) Amounts() []billing.Money {
	var all []billing.Money
	for _, i := range p.Invoices {
		all = append(all, i.Amount)
	}
	return billing.Totals(all)
}

// On is the promised day, as its midnight in the zone.
func (p Promise) On(zone *time.Location) time.Time {
	day, err := time.Parse(dayLayout, p.Day)
	if err != nil {
		return time.Unix(p.DueAt, 0).In(zone)
	}
	return contact.At(day.Year(), day.Month(), day.Day(), 0, 0, zone)
}

// Names reports whether the promise is about the invoice.
func (p Promise) Names(invoice string) bool {
	for _, i := range p.Invoices {
		if i.Invoice == invoice {
			return true
		}
	}
	return false
}

// PromiseRules are the limits for promises that customers make. The zero value allows none.
type PromiseRules struct {
	Days         int  // how many days ahead at most
	PerCase      int  // how many a customer may make in one case, changed and withdrawn ones counted
	BeyondNotice bool // a promise may lie past the announced date of a consequence
}

// DefaultPromiseRules is two weeks ahead and two promises in a case, none past the announced date of a consequence.
func DefaultPromiseRules() PromiseRules { return PromiseRules{Days: 14, PerCase: 2} }

// staffPromiseDays is how far ahead staff may set a date.
const staffPromiseDays = 60

// chargeHour is the local hour at which a promised charge is made.
const chargeHour = 9

// PromiseDays answers the local dates a customer may choose, from tomorrow on, as midnights in the zone. An announced
// date of a consequence is the last of them: a promise must not be a way around what was announced.
func (r PromiseRules) PromiseDays(c Case, now time.Time, zone *time.Location) []time.Time {
	return daysAhead(now, zone, r.Days, func(day time.Time) bool {
		return !r.BeyondNotice && c.ConsequenceAt > now.Unix() && day.After(time.Unix(c.ConsequenceAt, 0))
	})
}

// StaffPromiseDays answers the local dates staff may set, from tomorrow on.
func StaffPromiseDays(now time.Time, zone *time.Location) []time.Time {
	return daysAhead(now, zone, staffPromiseDays, func(time.Time) bool { return false })
}

func daysAhead(now time.Time, zone *time.Location, most int, past func(day time.Time) bool) []time.Time {
	var days []time.Time
	y, m, d := now.In(zone).Date()
	for n := 1; n <= most; n++ {
		day := contact.At(y, m, d+n, 0, 0, zone)
		if past(day) {
			break
		}
		days = append(days, day)
	}
	return days
}

// PromiseDue answers when a promise for a local date is due: that morning for a charge, the end of the day for one to
// pay by themselves.
func PromiseDue(kind PromiseKind, day time.Time) time.Time {
	y, m, d := day.Date()
	if kind == PromiseCharge {
		return contact.At(y, m, d, chargeHour, 0, day.Location())
	}
	return contact.At(y, m, d+1, 0, 0, day.Location())
}

// promisable reports whether an invoice can be promised: money can be expected for it, no bank is working on it, and,
// for a charge, a press of ours can take it and the method was not refused for good.
func promisable(i billing.Invoice, kind PromiseKind) bool {
	if kind == PromiseCharge {
		return i.Chargeable() && i.Class().Retryable()
	}
	return i.Open() && !i.Processing() && !i.Disputed && !i.FirstPurchase()
}
