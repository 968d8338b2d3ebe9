package dunning

import (
	"fmt"
	"slices"
	"time"

	"sollecito/internal/billing"
)

// Retries are a campaign's own tries of the charge: on these days after the failure, in the customer's calendar, at this
// local time. They run only where Stripe makes none for the invoice.
type Retries struct {
	Days []int     `yaml:"days,flow"`
	At   TimeOfDay `yaml:"at"`
}

const (
	mostRetries   = 8  // in two weeks is what Stripe advises; no plan asks for more
	mostRetryDays = 60 // after that a charge nobody expects does harm
)

func (d *document) retries(at string, r Retries) {
	switch {
	case len(r.Days) == 0:
		d.flaw(at+".days", "retries need days; write them as days: [1, 3, 5, 7], or leave retries out")
	case len(r.Days) > mostRetries:
		d.flaw(at+".days", "at most %d retries are made; the card networks charge for more", mostRetries)
	}
	for n, day := range r.Days {
		switch {
		case day < 1 || day > mostRetryDays:
			d.flaw(at+".days", "a retry comes 1 to %d days after the failure, not %d", mostRetryDays, day)
		case slices.Contains(r.Days[:n], day) || n > 0 && day < r.Days[n-1]:
			d.flaw(at+".days", "day %d does not come after day %d; each retry is on a later day than the one before", day, r.Days[n-1])
		}
	}
	if r.At == noTime || d.find(at+".at") == nil {
		d.flaw(at+".at", "retries have a time of day; write it as at: \"09:00\"")
	}
}

// when answers the instant of the retry with a number, from 1: its day after the invoice's failure, or after the
// opening of the case when that came later, with the days that rested added.
func (r Retries) when(number int, c Case, i billing.Invoice, zone *time.Location) time.Time {
	from := time.Unix(max(i.FailedAt, c.OpenedAt), 0).In(zone)
	y, m, d := from.Date()
	hour, minute := r.At.Clock()
	return time.Date(y, m, d+r.Days[number-1]+c.RestedDays, hour, minute, 0, 0, zone)
}

// stripeTries reports whether Stripe tries the invoice again by itself, and says so for staff. It does when it names its
// next try, and has when it counts more than the first: charges that somebody orders don't raise that count
// (docs.stripe.com/api/invoices/object#invoice_object-attempt_count).
func stripeTries(i billing.Invoice) (string, bool) {
	switch {
	case i.NextAttemptAt > 0:
		return "Stripe tries it again by itself, next on " + time.Unix(i.NextAttemptAt, 0).UTC().Format("2 January 2006 15:04 MST") + ": ours stay off.", true
	case i.AttemptCount > 1:
		return fmt.Sprintf("Stripe has tried it %d times by itself, so its retries are on: ours stay off.", i.AttemptCount), true
	}
	return "", false
}

// unchargeable says for staff why the invoice cannot be charged by itself now, whatever its card.
func unchargeable(i billing.Invoice) (string, bool) {
	switch {
	case i.PartPaid():
		return "Part of it was paid; the rest can be paid on Stripe's own page alone.", true
	case i.Disputed:
		return "The customer's bank disputes a payment of it.", true
	case i.Processing():
		return "A bank debit is under way.", true
	}
	return "", false
}
