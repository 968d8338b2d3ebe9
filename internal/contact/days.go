package contact

import "time"

// DaysBetween counts the local midnights passed between two instants; 0 when b is not later.
func DaysBetween(a, b time.Time, zone *time.Location) int {
	if !b.After(a) {
		return 0
	}
	return int(civil(b.In(zone)).Sub(civil(a.In(zone))) / (24 * time.Hour))
}

// civil is a local date as midnight UTC, so that dates can be subtracted whatever the clocks did between.
func civil(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
