package dunning

import (
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/outbox"
)

// Campaign is a plan: the steps a case walks. It is versioned; a case keeps the version it began with, so a
// published version never changes.
type Campaign struct {
	Name    string
	Version int64
	Steps   []Step
}

// Step is one point of a campaign. Key is stable: texts and notices are found by it.
type Step struct {
	Key      string
	Day      int                   // days after the day of opening, in the customer's calendar
	DayFor   map[billing.Class]int // another day for some classes of decline
	At       time.Duration         // local time of day
	AtOnce   []billing.Class       // for these the step is due the moment the case opens
	Channels []outbox.Channel
	Access   Access // what the merchant's app should allow from this step on, "" for no change

	// Consequence marks a step that takes something away. It needs a sent notice of the step that Announces it.
	Consequence bool
	// Announces marks the step whose message names the date of the next consequence.
	Announces bool
}

// DayOf is the step's day for a class of decline.
func (s Step) DayOf(class billing.Class) int {
	day, ok := s.DayFor[class]
	if ok {
		return day
	}
	return s.Day
}

// DueAtOnce reports whether the step waits for no day.
func (s Step) DueAtOnce(class billing.Class) bool { return slices.Contains(s.AtOnce, class) }

// Has reports whether the step speaks on the channel.
func (s Step) Has(c outbox.Channel) bool { return slices.Contains(s.Channels, c) }

// Consequence answers the next step at or after from that takes something away, and false when there is none.
func (c Campaign) Consequence(from int) (int, bool) {
	for i := from; i < len(c.Steps); i++ {
		if c.Steps[i].Consequence {
			return i, true
		}
	}
	return 0, false
}

// AnnouncedBy answers the key of the step that announces the consequence at index i.
func (c Campaign) AnnouncedBy(i int) (string, bool) {
	for k := i - 1; k >= 0; k-- {
		if c.Steps[k].Announces {
			return c.Steps[k].Key, true
		}
	}
	return "", false
}

// AccessBefore answers what the merchant's app allows by the steps before the one at index i.
func (c Campaign) AccessBefore(i int) Access {
	access := Full
	for _, s := range c.Steps[:i] {
		if s.Access != "" {
			access = s.Access
		}
	}
	return access
}

// Campaigns are the plans an installation knows.
type Campaigns []Campaign

// Shipped are the campaigns that come with the program. The first mail goes out a day after the failure, since
// banks often say yes a day later, and at once where only the customer can help (an expired card, a bank that
// wants approval); transient failures are given three days to mend themselves.
func Shipped() Campaigns {
	both := []outbox.Channel{outbox.Email, outbox.App}
	ten := 10 * time.Hour
	return Campaigns{{
		Name: "gentle", Version: 1,
		Steps: []Step{
			{
				Key: "first", Day: 1, At: ten, Channels: both,
				DayFor: map[billing.Class]int{billing.ClassTransient: 3},
				AtOnce: []billing.Class{billing.ClassExpired, billing.ClassAuthentication},
			},
			{Key: "second", Day: 5, At: ten, Channels: both},
			{Key: "notice", Day: 9, At: ten, Channels: both, Access: Grace, Announces: true},
			{Key: "restricted", Day: 14, At: ten, Channels: both, Access: Restricted, Consequence: true},
		},
	}}
}

// Choose answers the campaign a new case begins with.
func (all Campaigns) Choose() Campaign { return all[0] }

// Find answers the campaign a case began with. A version that is no longer known is answered by the newest of
// that name, so that a case never stands still.
func (all Campaigns) Find(name string, version int64) Campaign {
	best := all[0]
	for _, c := range all {
		if c.Name == name && c.Version == version {
			return c
		}
		if c.Name == name {
			best = c
		}
	}
	return best
}
