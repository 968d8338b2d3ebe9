package campaign

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"sollecito/internal/outbox"
)

// Variant is one way of walking a campaign, for a share of its cases, so that ways can be compared. It changes some
// steps a little; a variant that changes none is the campaign as it stands.
type Variant struct {
	Name   string            `yaml:"name"`
	Weight int               `yaml:"weight"`          // its share, beside the weights of the others
	Steps  map[string]Change `yaml:"steps,omitempty"` // by the step's key
}

// Change is what a variant does differently at one step. What is left out stays as the step has it. What a step takes
// away, announces or is conditioned on cannot be varied: variants differ in how something is said, not in what follows.
type Change struct {
	Day      *int             `yaml:"day,omitempty"`
	At       *TimeOfDay       `yaml:"at,omitempty"`
	Channels []outbox.Channel `yaml:"channels,omitempty"`
	Words    Words            `yaml:"words,omitempty"`
	Text     map[string]Text  `yaml:"text,omitempty"` // in place of the step's own text in these languages
}

// Bounds of variants: more cannot be told apart by the cases a merchant has.
const (
	mostVariants = 8
	mostWeight   = 1000
)

// VariantFor answers which variant a customer's new case walks, "" for none: the same each time as long as the
// variants and their weights stay. Whoever is held out walks none. The hash has a beginning of its own, so that the
// variant says nothing about the holdout.
func (c Campaign) VariantFor(customer string) string {
	total := 0
	for _, v := range c.Variants {
		total += v.Weight
	}
	if total <= 0 || c.HoldsOut(customer) {
		return ""
	}
	sum := sha256.Sum256([]byte("variant\x00" + c.Name + "\x00" + customer))
	point := int(binary.BigEndian.Uint64(sum[:8]) % uint64(total))
	for _, v := range c.Variants {
		point -= v.Weight
		if point < 0 {
			return v.Name
		}
	}
	return ""
}

// Walked answers the campaign as a case of the variant walks it. One that it does not know, or "", changes nothing.
func (c Campaign) Walked(variant string) Campaign {
	i := slices.IndexFunc(c.Variants, func(v Variant) bool { return v.Name == variant })
	if i < 0 || len(c.Variants[i].Steps) == 0 {
		return c
	}
	c.Steps = slices.Clone(c.Steps)
	for k, s := range c.Steps {
		change, is := c.Variants[i].Steps[s.Key]
		if is {
			c.Steps[k] = change.on(s)
		}
	}
	return c
}

// on answers the step with the change made. A day of its own stands for every class of decline.
func (ch Change) on(s Step) Step {
	if ch.Day != nil {
		s.Day, s.DayFor = *ch.Day, nil
	}
	if ch.At != nil {
		s.At = *ch.At
	}
	if ch.Channels != nil {
		s.Channels = ch.Channels
	}
	if ch.Words != "" {
		s.Words = ch.Words
	}
	if ch.Text != nil {
		text := maps.Clone(s.Text)
		if text == nil {
			text = map[string]Text{}
		}
		maps.Copy(text, ch.Text)
		s.Text = text
	}
	return s
}

// variants checks what a document says of its variants.
func (d *document) variants() {
	switch {
	case len(d.Variants) == 0 && d.find("$.variants") != nil:
		d.flaw("$.variants", "an empty list of variants compares nothing; write two, or leave variants out")
	case len(d.Variants) == 1:
		d.flaw("$.variants", "one variant alone has nothing to be compared with; write two, or none")
	case len(d.Variants) > mostVariants:
		d.flaw("$.variants", "a campaign has at most %d variants", mostVariants)
		return
	}
	seen := map[string]bool{}
	for i, v := range d.Variants {
		at := fmt.Sprintf("$.variants[%d]", i)
		if !nameForm.MatchString(v.Name) {
			d.flaw(at+".name", "a variant's name must be small letters, digits and dashes, as evening")
		}
		if seen[v.Name] {
			d.flaw(at+".name", "two variants are called %s; cases keep this name, so each has its own", v.Name)
		}
		seen[v.Name] = true
		if v.Weight < 1 || v.Weight > mostWeight {
			d.flaw(at+".weight", "weight is a number from 1 to %d; the shares follow from all weights together", mostWeight)
		}
		d.variant(at, v)
	}
}

func (d *document) variant(at string, v Variant) {
	for _, key := range slices.Sorted(maps.Keys(v.Steps)) {
		step, change := at+".steps."+key, v.Steps[key]
		i := d.StepOf(key)
		if i < 0 {
			d.flaw(at+".steps", "the campaign has no step %s%s", key, nearest(key, d.keys()))
			continue
		}
		if change.Day != nil && (*change.Day < 0 || *change.Day > mostDays) {
			d.flaw(step+".day", "day is a number of days from 0 to %d", mostDays)
		}
		if change.At != nil && *change.At == noTime {
			d.flaw(step+".at", "at is a time of day; write it as at: \"10:00\"")
		}
		if change.Channels != nil && len(change.Channels) == 0 {
			d.flaw(step+".channels", "a variant cannot silence a step; leave channels out or name one")
		}
		d.channels(step+".channels", change.Channels)
		d.words(step+".words", change.Words)
		d.texts(step+".text", i, change.Text)
		d.mailed(step+".text", change.on(d.Steps[i]), change.Text)
	}
	walked := d.Walked(v.Name).Steps
	for i := 1; i < len(walked); i++ {
		class, early := walked[i].overtakes(walked[i-1])
		switch {
		case walked[i].Day < walked[i-1].Day:
			d.flaw(at+".steps", "in variant %s step %s (day %d) comes before %s (day %d); steps stay in their order",
				v.Name, walked[i].Key, walked[i].Day, walked[i-1].Key, walked[i-1].Day)
		case early && len(v.Steps) > 0:
			d.flaw(at+".steps", "in variant %s for %s step %s (day %d) comes before %s (day %d); steps stay in their order",
				v.Name, class, walked[i].Key, walked[i].DayOf(class), walked[i-1].Key, walked[i-1].DayOf(class))
		}
	}
}

func (c Campaign) keys() []string {
	var all []string
	for _, s := range c.Steps {
		all = append(all, s.Key)
	}
	return all
}
