package sandbox

import "time"

// periodEnd gives the first end of a billing period after the instant, counted from the anchor: monthly from the 31st
// ends on the last day of shorter months and comes back to the 31st. All in UTC, as Stripe counts.
func periodEnd(anchor, after int64, interval string, count int64) int64 {
	count = max(1, count)
	from := time.Unix(anchor, 0).UTC()
	switch interval {
	case "day", "week":
		length := count * day
		if interval == "week" {
			length *= 7
		}
		if after < anchor {
			return anchor - (anchor-after-1)/length*length
		}
		return anchor + ((after-anchor)/length+1)*length
	}
	months := int(count)
	if interval == "year" {
		months *= 12
	}
	now := time.Unix(after, 0).UTC()
	apart := (now.Year()-from.Year())*12 + int(now.Month()) - int(from.Month())
	step := apart/months - 1
	for {
		end := monthsLater(from, step*months)
		if end.Unix() > after {
			return end.Unix()
		}
		step++
	}
}

// monthsLater keeps the day of the month where the month has it.
func monthsLater(from time.Time, months int) time.Time {
	first := time.Date(from.Year(), from.Month()+time.Month(months), 1, from.Hour(), from.Minute(), from.Second(), 0, time.UTC)
	lastDay := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(from.Day(), lastDay)-1)
}

// wholePeriod is the length of one interval from the anchor, for shares of it.
func wholePeriod(start int64, interval string, count int64) int64 {
	return periodEnd(start, start, interval, count) - start
}
