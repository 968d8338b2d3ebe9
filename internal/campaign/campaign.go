package campaign

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/outbox"
)

// Campaign is a plan: whom it is for, and the steps their case walks. It is written as a YAML document (see Parse) and
// versioned: applying a changed document makes the next version, and a case keeps the version it began with, so a
// published version never changes.
type Campaign struct {
	Name    string   `yaml:"name"`
	Version int64    `yaml:"-"` // given when the document is applied, from 1
	Title   string   `yaml:"title"`
	Retired bool     `yaml:"retired,omitempty"` // no new case begins with it
	For     Segment  `yaml:"for,omitempty"`
	Holdout int      `yaml:"holdout,omitempty"` // per cent of the cases that get no campaign messages, to measure by
	Retries *Retries `yaml:"retries,omitempty"` // our own tries of the charge; nil leaves them to Stripe
	Steps   []Step   `yaml:"steps"`

	Variants []Variant `yaml:"variants,omitempty"` // ways of walking the steps, to be compared
}

// Step is one point of a campaign. Key is stable: notices are found by it.
type Step struct {
	Key      string                `yaml:"key"`
	Words    Words                 `yaml:"words,omitempty"`       // which of the shipped letters it is told by; see WordsOf
	Day      int                   `yaml:"day"`                   // days after the day of opening, in the customer's calendar
	DayFor   map[billing.Class]int `yaml:"day_for,omitempty"`     // another day for some classes of decline
	At       TimeOfDay             `yaml:"at"`                    // local time of day
	AtOnce   []billing.Class       `yaml:"at_once_for,omitempty"` // for these the step is due the moment the case opens; the first step alone
	If       Segment               `yaml:"if,omitempty"`          // the step is passed over where this does not hold when its time has come
	Channels []outbox.Channel      `yaml:"channels,omitempty"`
	Access   Access                `yaml:"access,omitempty"` // what the merchant's app should allow from this step on, "" for no change

	// Consequence marks a step that takes something away. It needs a sent notice of the step that Announces it.
	Consequence bool `yaml:"consequence,omitempty"`
	// Announces marks the step whose message names the date of the next consequence.
	Announces bool `yaml:"announces,omitempty"`
	// Act is what this step, the last one, does at Stripe; "" and ActLeave do nothing. It is a consequence.
	Act Act `yaml:"act,omitempty"`

	// Text is the merchant's own letter by language, as "it". In a language it lacks the shipped words stand.
	Text map[string]Text `yaml:"text,omitempty"`
}

// Words names a shipped letter.
type Words string

const (
	WordsFirst      Words = "first"      // the charge failed
	WordsSecond     Words = "second"     // it still has not been paid
	WordsNotice     Words = "notice"     // names the day of the consequence
	WordsRestricted Words = "restricted" // the consequence took place; how to go on
)

// WordsOf answers the letter that tells step i: the one the document names, else what the step does says it.
func (c Campaign) WordsOf(i int) Words {
	step := c.Steps[i]
	switch {
	case step.Words != "":
		return step.Words
	case step.Consequence:
		return WordsRestricted
	case step.Announces:
		return WordsNotice
	case i == 0:
		return WordsFirst
	}
	return WordsSecond
}

// TimeOfDay is a local time since midnight, written "10:00".
type TimeOfDay time.Duration

// Clock answers hour and minute.
func (t TimeOfDay) Clock() (hour, minute int) {
	return int(time.Duration(t) / time.Hour), int(time.Duration(t)/time.Minute) % 60
}

// MarshalText implements encoding.TextMarshaler.
func (t TimeOfDay) MarshalText() ([]byte, error) {
	hour, minute := t.Clock()
	return fmt.Appendf(nil, "%02d:%02d", hour, minute), nil
}

// noTime is a TimeOfDay that could not be read; whoever checks the document says so with its line.
const noTime TimeOfDay = -1

// UnmarshalYAML implements yaml.InterfaceUnmarshaler.
func (t *TimeOfDay) UnmarshalYAML(read func(any) error) error {
	var text string
	err := read(&text)
	if err != nil {
		*t = noTime
		return nil
	}
	return t.UnmarshalText([]byte(text))
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *TimeOfDay) UnmarshalText(text []byte) error {
	at, err := time.Parse("15:04", string(text))
	if err != nil {
		*t = noTime
		return nil
	}
	*t = TimeOfDay(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute)
	return nil
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

// StepOf answers the index of the step with a key, -1 when there is none.
func (c Campaign) StepOf(key string) int {
	return slices.IndexFunc(c.Steps, func(s Step) bool { return s.Key == key })
}

// takesFrom reports whether a step at or after from takes something away.
func (c Campaign) takesFrom(from int) bool {
	return slices.ContainsFunc(c.Steps[from:], func(s Step) bool { return s.Consequence })
}

// AnnouncedBy answers the key of the step that announces the consequence at index i. A message names the next
// consequence only, so one from before an earlier consequence announced that one and not this.
func (c Campaign) AnnouncedBy(i int) (string, bool) {
	for k := i - 1; k >= 0 && !c.Steps[k].Consequence; k-- {
		if c.Steps[k].Announces {
			return c.Steps[k].Key, true
		}
	}
	return "", false
}

// HoldsOut reports whether a customer's case is held out: the same customer always is or is not, in one campaign.
func (c Campaign) HoldsOut(customer string) bool {
	sum := sha256.Sum256([]byte(c.Name + "\x00" + customer))
	return int(binary.BigEndian.Uint64(sum[:8])%100) < c.Holdout
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

// Campaigns are the plans an installation knows: every version of each, the names in the order in which they are
// asked whether a case is theirs, the versions of a name from the oldest to the newest.
type Campaigns []Campaign

// Newest answers the newest version of each name, in order.
func (all Campaigns) Newest() Campaigns {
	var newest Campaigns
	for _, c := range all {
		last := len(newest) - 1
		if last >= 0 && newest[last].Name == c.Name {
			newest[last] = c
			continue
		}
		newest = append(newest, c)
	}
	return newest
}

// Choose answers the campaign a new case begins with: the first whose segment it lies in, else the last that is not
// retired, so that nobody is left without.
func (all Campaigns) Choose(who Subject) Campaign {
	var last Campaign
	for _, c := range all.Newest() {
		if c.Retired {
			continue
		}
		if c.For.Matches(who) {
			return c
		}
		last = c
	}
	return last
}

// Unreached answers the first campaign that is for everybody, and those behind it, to which therefore no new case gets;
// two empty answers where there are none.
func (all Campaigns) Unreached() (whole string, behind []string) {
	for _, c := range all.Newest() {
		switch {
		case c.Retired:
		case whole != "":
			behind = append(behind, c.Name)
		case len(c.For.Conditions()) == 0:
			whole = c.Name
		}
	}
	if len(behind) == 0 {
		return "", nil
	}
	return whole, behind
}

// Find answers the campaign a case began with. A version that is no longer known is answered by the newest of
// that name, and a name by the first of all, so that a case never stands still.
func (all Campaigns) Find(name string, version int64) Campaign {
	var best Campaign
	for i, c := range all {
		if c.Name == name && c.Version == version {
			return c
		}
		if i == 0 || c.Name == name {
			best = c
		}
	}
	return best
}
