package main

import "time"

// home is the country of who sends: its holidays are kept where nobody knows the customer's.
const home = "IT"

// holidays are working days on which nobody works, written down from the calendars of the countries themselves: the
// certain ones, from the first day that is played to the end of 2027.
var holidays = map[string][]string{
	"NL": {"2026-12-25", "2027-01-01", "2027-03-29", "2027-04-27", "2027-05-06", "2027-05-17"},
	"IT": {"2026-12-08", "2026-12-25", "2027-01-01", "2027-01-06", "2027-03-29", "2027-06-02", "2027-11-01", "2027-12-08"},
	"GB": {"2026-12-25", "2026-12-28", "2027-01-01", "2027-03-26", "2027-03-29", "2027-05-03", "2027-05-31", "2027-08-30", "2027-12-27"},
	"JP": {"2026-11-03", "2026-11-23", "2027-01-01", "2027-01-11", "2027-02-11", "2027-02-23", "2027-03-22", "2027-04-29", "2027-05-03", "2027-05-04", "2027-05-05",
		"2027-07-19", "2027-08-11", "2027-09-20", "2027-09-23", "2027-10-11", "2027-11-03", "2027-11-23"},
	"NZ": {"2026-12-25", "2026-12-28", "2027-01-01", "2027-01-04", "2027-02-08", "2027-03-26", "2027-03-29", "2027-04-26", "2027-06-07", "2027-10-25"},
	"US": {"2026-11-26", "2026-12-25", "2027-01-01", "2027-01-18", "2027-02-15", "2027-05-31", "2027-06-18", "2027-07-05", "2027-09-06", "2027-11-25"},
	"AU": {"2026-12-25", "2026-12-28", "2027-01-01", "2027-01-26", "2027-03-26", "2027-03-29"},
	"CA": {"2026-12-25", "2027-01-01", "2027-03-26", "2027-07-01", "2027-09-06"},
	"CL": {"2026-12-25", "2027-01-01"}, // with no calendar of its own, as everywhere
	"IN": {"2026-12-25", "2027-01-01"},
	"NP": {"2026-12-25", "2027-01-01"},
}

// rests reports whether the local date is a holiday where the customer is.
func (c *customer) rests(local time.Time) bool {
	country := c.country
	if country == "" {
		country = home
	}
	day := local.Format(time.DateOnly)
	for _, holiday := range holidays[country] {
		if holiday == day {
			return true
		}
	}
	return false
}
