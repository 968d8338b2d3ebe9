package dunning

import (
	"fmt"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
)

// retryAt answers the instant of the retry with a number, from 1: its day after the invoice's failure, or after the
// opening of the case when that came later, with the days that rested added.
func (c Case) retryAt(number int, r campaign.Retries, i billing.Invoice, zone *time.Location) time.Time {
	from := time.Unix(max(i.FailedAt, c.OpenedAt), 0).In(zone)
	y, m, d := from.Date()
	hour, minute := r.At.Clock()
	return contact.At(y, m, d+r.Days[number-1]+c.RestedDays, hour, minute, zone)
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
