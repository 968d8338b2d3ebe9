package dunning

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Policy says when a person may be written to by our own will, over all channels together. Hours and days are
// those of the customer's own place.
type Policy struct {
	From, To int           // hours of the day: allowed from From:00 until before To:00; 0 and 24 for any
	Days     [7]bool       // by time.Weekday
	Gap      time.Duration // least time between two contacts
	Cap      int           // most contacts within Window
	Window   time.Duration
}

// DefaultPolicy is 9 to 18, Monday to Friday, a day between two messages and three in seven days.
func DefaultPolicy() Policy {
	return Policy{
		From: 9, To: 18,
		Days: [7]bool{time.Monday: true, time.Tuesday: true, time.Wednesday: true, time.Thursday: true, time.Friday: true},
		Gap:  24 * time.Hour, Cap: 3, Window: 7 * 24 * time.Hour,
	}
}

// ParseHours reads "9-18" into the policy.
func (p *Policy) ParseHours(text string) error {
	from, to, ok := strings.Cut(text, "-")
	f, errF := strconv.Atoi(from)
	t, errT := strconv.Atoi(to)
	if !ok || errF != nil || errT != nil || f < 0 || t > 24 || f >= t {
		return fmt.Errorf("hours must read FROM-TO with 0 ≤ FROM < TO ≤ 24, as 9-18; got %q", text)
	}
	p.From, p.To = f, t
	return nil
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseDays reads "mon-fri" or "mon,wed,fri" into the policy.
func (p *Policy) ParseDays(text string) error {
	var days [7]bool
	for part := range strings.SplitSeq(strings.ToLower(text), ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		i, k := slices.Index(weekdays, first), slices.Index(weekdays, last)
		if i < 0 || k < 0 {
			return fmt.Errorf("days must read as mon-fri or mon,wed,fri; got %q", text)
		}
		for days[i] = true; i != k; days[i] = true {
			i = (i + 1) % 7
		}
	}
	p.Days = days
	return nil
}

// Allowed reports whether the instant lies in the allowed hours and days of every one of the zones.
func (p Policy) Allowed(t time.Time, zones []*time.Location) bool {
	for _, zone := range zones {
		local := t.In(zone)
		if !p.Days[local.Weekday()] || local.Hour() < p.From || local.Hour() >= p.To {
			return false
		}
	}
	return true
}

// NextAllowed answers the first instant at or after t that is allowed in every zone. When the zones share no
// allowed hour at all, those of the first zone serve.
func (p Policy) NextAllowed(t time.Time, zones []*time.Location) time.Time {
	at, ok := p.search(t, zones)
	if !ok && len(zones) > 1 {
		at, _ = p.search(t, zones[:1])
	}
	return at
}

// search steps by quarters of an hour, since there are zones 15 and 30 minutes off the full hour, over ten
// days: every weekday is met, daylight saving changes included.
func (p Policy) search(t time.Time, zones []*time.Location) (time.Time, bool) {
	const quarter = 15 * time.Minute
	if p.Allowed(t, zones) {
		return t, true
	}
	for at := t.Truncate(quarter).Add(quarter); at.Before(t.Add(10 * 24 * time.Hour)); at = at.Add(quarter) {
		if p.Allowed(at, zones) {
			return at, true
		}
	}
	return t, false
}

// Verdict is a slot at which a contact may be made and the rules that moved it there.
type Verdict struct {
	At  time.Time
	Why []Reason
}

// Reason is why a contact is made at the time it is, in a word that pages turn into a sentence.
type Reason string

const (
	ReasonStep  Reason = "step"  // the campaign's own day and time
	ReasonOnce  Reason = "once"  // due at once, only the customer can help
	ReasonPast  Reason = "past"  // that time has passed
	ReasonHours Reason = "hours" // moved into the allowed hours and days
	ReasonGap   Reason = "gap"   // the last message is too young
	ReasonCap   Reason = "cap"   // enough messages this week
)

// Slot answers when a contact wanted at the instant want may be made: within hours and days, with the gap to
// the last contact kept and the cap never passed. contacts are the earlier ones, oldest first.
func (p Policy) Slot(want time.Time, zones []*time.Location, contacts []time.Time) Verdict {
	v := Verdict{At: want}
	note := func(r Reason, at time.Time) {
		if at.After(v.At) {
			v.At = at
			if !slices.Contains(v.Why, r) {
				v.Why = append(v.Why, r)
			}
		}
	}
	for range 8 { // each rule can only move the slot later, and moves it past a whole rule each time
		before := v.At
		if n := len(contacts); n > 0 {
			note(ReasonGap, contacts[n-1].Add(p.Gap))
		}
		if p.Cap > 0 && len(contacts) >= p.Cap {
			note(ReasonCap, contacts[len(contacts)-p.Cap].Add(p.Window))
		}
		note(ReasonHours, p.NextAllowed(v.At, zones))
		if v.At.Equal(before) {
			break
		}
	}
	return v
}
