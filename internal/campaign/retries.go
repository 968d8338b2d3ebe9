package campaign

import (
	"fmt"
	"slices"

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

// retriesEnd checks that each retry comes before the last step of each way of walking the campaign: with that step the
// case has ended, and nothing is tried any more.
func (d *document) retriesEnd(at string, r Retries) {
	ways := append([]Variant{{}}, d.Variants...)
	for _, v := range ways {
		steps := d.Walked(v.Name).Steps
		last := steps[len(steps)-1]
		day := last.earliest(len(steps) == 1)
		in := ""
		if v.Name != "" {
			in = fmt.Sprintf(" in variant %s", v.Name)
		}
		for _, retry := range r.Days {
			if retry > day || retry == day && r.At >= last.At {
				d.flaw(at+".days", "the retry on day %d never runs: the case ends with its last step, %s, on day %d%s; make that step later, or leave this retry out",
					retry, last.Key, day, in)
				break
			}
		}
	}
}

// earliest is the first day on which the step may be taken of a case that is retried at all.
func (s Step) earliest(first bool) int {
	day := mostDays
	for _, class := range billing.Classes() {
		switch {
		case !class.Retryable():
		case first && s.DueAtOnce(class):
			day = 0
		default:
			day = min(day, s.DayOf(class))
		}
	}
	return day
}
