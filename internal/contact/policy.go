package contact

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/holiday"
)

// Policy says when a person may be written to by our own will, over all channels together. Hours and days are
// those of the customer's own place. As an installation sets it, it speaks of everybody; For adds what is true of one
// customer.
type Policy struct {
	From, To  int           // hours of the day: allowed from From:00 until before To:00; 0 and 24 for any
	Days      [7]bool       // by time.Weekday
	Gap       time.Duration // least time between two contacts
	Cap       int           // most contacts within Window
	Window    time.Duration
	Almanac   *holiday.Almanac // whose public holidays are kept; nil for none
	Collector bool             // the merchant collects for others: who wants no mail gets not even the one that all is settled

	Holidays holiday.Days // of this customer's country
	Wished   Hours        // the hours this customer asked for, by their likeliest zone; zero for no wish
}

// Hours are hours of the day, from From:00 until before To:00. Zero for none.
type Hours struct{ From, To int }

func (h Hours) within(o Hours) Hours { return Hours{max(h.From, o.From), min(h.To, o.To)} }

// For answers the policy as it applies to one customer: with the holidays of where they are, home standing in when
// nobody knows, and the hours they asked for.
func (p Policy) For(who billing.Customer, c Choices, home string) Policy {
	if p.Almanac != nil {
		p.Holidays = p.Almanac.Of(countryOf(who, home), who.State)
	}
	p.Wished = c.Hours
	return p
}

// Span answers the hours in which this customer may be written to: what they asked for of the policy's own. A wish
// that the policy has no hour of any more is none.
func (p Policy) Span() Hours {
	own := Hours{p.From, p.To}
	wished := own.within(p.Wished)
	if wished.From < wished.To {
		return wished
	}
	return own
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

// mostPerWeek is what no setting passes: seven contacts in seven days, as debt collectors in the US are bound to by
// Regulation F (12 CFR 1006.14).
const mostPerWeek = 7

// ParseCap reads the most contacts in seven days, 1 to 7, into the policy.
func (p *Policy) ParseCap(text string) error {
	most, err := strconv.Atoi(text)
	if err != nil || most < 1 || most > mostPerWeek {
		return fmt.Errorf("must be a number from 1 to %d; got %q", mostPerWeek, text)
	}
	p.Cap = most
	return nil
}

// KeepHolidays lets the policy pass over public holidays. Who writes on all seven days of the week has no day of rest,
// and then holidays are not kept either.
func (p *Policy) KeepHolidays() {
	if p.Days != ([7]bool{true, true, true, true, true, true, true}) {
		p.Almanac = holiday.NewAlmanac()
	}
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
	span := p.Span()
	for _, zone := range zones {
		local := t.In(zone)
		if p.rests(local) || local.Hour() < span.From || local.Hour() >= span.To {
			return false
		}
	}
	return true
}

// rests reports whether nobody is written to on the local date.
func (p Policy) rests(local time.Time) bool {
	return !p.Days[local.Weekday()] || p.Holidays.Rest(local)
}

// NextAllowed answers the first instant at or after t that is allowed. The customer's likeliest zone is the first; its
// hours, or those they asked for, are always kept. The others are asked for less, step by step, where they lie so far
// apart that nothing is left within the horizon: first the policy's hours in all of them, then that none is disturbed
// at night, at last nothing. Should holidays leave nothing even so, they are passed over; a policy without any day
// answers t.
func (p Policy) NextAllowed(t time.Time, zones []*time.Location) time.Time {
	first, others := window{zones[0], p.Span()}, zones[1:]
	offers := [][]window{{first}}
	if len(others) > 0 {
		offers = [][]window{opening(first, others, Hours{p.From, p.To}), opening(first, others, waking), {first}}
	}
	for _, offer := range offers {
		at, ok := p.search(t, offer)
		if ok {
			return at
		}
	}
	p.Holidays = holiday.Days{}
	at, _ := p.search(t, []window{first})
	return at
}

// waking are the hours in which nobody is disturbed, whatever else is set: those of Regulation F (12 CFR 1006.6).
var waking = Hours{8, 21}

// horizon is how far ahead an allowed instant is looked for: past every run of holidays and weekends, also where one
// day of the week alone is allowed.
const horizon = 40 * 24 * time.Hour

// window is the hours allowed in one zone.
type window struct {
	zone *time.Location
	Hours
}

func opening(first window, others []*time.Location, hours Hours) []window {
	all := []window{first}
	for _, zone := range others {
		all = append(all, window{zone, hours})
	}
	return all
}

// search answers the first instant at or after t that lies in all the windows, within the horizon. Each window in turn
// moves the instant as far as it must, and always forward, until none has anything against it.
func (p Policy) search(t time.Time, windows []window) (time.Time, bool) {
	end := t.Add(horizon)
	for at := t; at.Before(end); {
		moved := at
		for _, w := range windows {
			moved = p.opens(moved, end, w)
		}
		if moved.Equal(at) {
			return at, true
		}
		at = moved
	}
	return t, false
}

// opens answers the first instant at or after t that lies in the window, or one at or after end.
func (p Policy) opens(t, end time.Time, w window) time.Time {
	const quarter = 15 * time.Minute
	for t.Before(end) {
		local := t.In(w.zone)
		y, m, d := local.Date()
		next := time.Date(y, m, d, w.From, 0, 0, 0, w.zone)
		switch {
		case p.rests(local) || local.Hour() >= w.To:
			next = time.Date(y, m, d+1, w.From, 0, 0, 0, w.zone)
		case local.Hour() >= w.From:
			return t
		}
		if !next.After(t) { // the hour named does not exist on the day the clocks go forward
			next = t.Truncate(quarter).Add(quarter)
		}
		t = next
	}
	return t
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
	ReasonRest  Reason = "rest"  // moved past a public holiday
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
			v.Why = append(v.Why, r)
		}
	}
	if n := len(contacts); n > 0 {
		note(ReasonGap, contacts[n-1].Add(p.Gap))
	}
	if p.Cap > 0 && len(contacts) >= p.Cap {
		note(ReasonCap, contacts[len(contacts)-p.Cap].Add(p.Window))
	}
	// Later is never against the gap or the cap, so hours and days have the last word.
	at := p.NextAllowed(v.At, zones)
	if p.restBetween(v.At, at, zones[0]) {
		note(ReasonRest, at)
	}
	note(ReasonHours, at)
	return v
}

// restBetween reports whether a holiday that would else be an allowed day lies between the two instants.
func (p Policy) restBetween(from, to time.Time, zone *time.Location) bool {
	for day := civil(from.In(zone)); day.Before(civil(to.In(zone))); day = day.AddDate(0, 0, 1) {
		if p.Days[day.Weekday()] && p.Holidays.Rest(day) {
			return true
		}
	}
	return false
}
