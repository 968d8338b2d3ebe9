package campaign

import "slices"

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
