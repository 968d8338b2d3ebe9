package contact

import "time"

// DaysBetween counts the local midnights passed between two instants; 0 when b is not later.
func DaysBetween(a, b time.Time, zone *time.Location) int {
	if !b.After(a) {
		return 0
	}
	return int(civil(b.In(zone)).Sub(civil(a.In(zone))) / (24 * time.Hour))
}

// At answers the instant at which clocks of the zone show an hour and minute of a date, which may overflow as in time.Date.
// Where they go forward past it, it is as much later as they skip: midnight of a day that begins at one o'clock is that
// o'clock, not an instant of the day before.
func At(year int, month time.Month, day, hour, minute int, zone *time.Location) time.Time {
	at := time.Date(year, month, day, hour, minute, 0, 0, zone)
	y, m, d := at.Date()
	shown := time.Date(y, m, d, at.Hour(), at.Minute(), 0, 0, time.UTC)
	skipped := time.Date(year, month, day, hour, minute, 0, 0, time.UTC).Sub(shown)
	return at.Add(max(skipped, 0))
}

// civil is a local date as midnight UTC, so that dates can be subtracted whatever the clocks did between.
func civil(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
