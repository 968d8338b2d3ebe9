package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// heard is one reminder a customer got.
type heard struct {
	at   time.Time
	kase string
	step string
}

// rules are those of contact, as a person would say them to another.
type rules struct {
	from, to int // hours of the customer's day
	gap      time.Duration
	most     int // within a week
	known    time.Duration
}

var promised = rules{from: 9, to: 18, gap: 24 * time.Hour, most: 3, known: 10 * time.Minute}

// judge holds what happens against the rules and keeps what broke them.
type judge struct {
	rules
	w       *world
	broken  []string
	counts  map[string]int // what was judged, so that nothing passes for not having happened
	letters map[string]int // by Message-ID
	steps   map[string]bool
}

func newJudge(w *world, r rules) *judge {
	return &judge{rules: r, w: w, counts: map[string]int{}, letters: map[string]int{}, steps: map[string]bool{}}
}

// breach keeps a broken rule with the seed and the customer's life.
func (j *judge) breach(rule string, c *customer, format string, args ...any) {
	text := fmt.Sprintf("%s: %s (seed %d", rule, fmt.Sprintf(format, args...), j.w.play.seed)
	if c != nil {
		text += ", customer " + c.id
	}
	text += ")\n"
	if c != nil && len(j.broken) < 5 {
		for _, e := range c.trace {
			text += fmt.Sprintf("    %s  %-14s %s\n", e.at.UTC().Format("Mon 2006-01-02 15:04:05"), e.what, e.more)
		}
	}
	j.broken = append(j.broken, text)
}

// told is what the portal says a mail is.
type told struct {
	kind, kase, step string
	customer         string // whom it is about
	campaign         string // of its case
}

// mail judges one mail that left.
func (j *judge) mail(c *customer, l letter, t told) {
	j.counts[t.kind]++
	c.note(l.at, "mail", t.kind+" "+t.step)
	j.letters[l.id]++
	if j.letters[l.id] > 1 {
		j.breach("I3", c, "%s was handed over %d times", l.id, j.letters[l.id])
	}
	base, _, _ := strings.Cut(c.locale, "-")
	said, _, _ := strings.Cut(l.speaks, "-")
	known := j.known // a customer is read again before each reminder
	if t.kind != "reminder" {
		known = 2 * looks // before what answers somebody they are not, and an event may be lost
	}
	if said != base && l.at.Sub(c.spoke) > known {
		j.breach("C13", c, "a mail in %q to somebody who speaks %s", l.speaks, c.locale)
	}
	if t.kind == "settled" && l.at.Sub(c.settled) > 2*time.Hour {
		j.awake(c, l.at, "a thanks for a payment that happened by itself")
	}
	if t.kind == "settled" && j.w.play.collector && !c.choice.refused.IsZero() {
		j.breach("I2", c, "a collector's thanks, and they asked for no mail on %s", c.choice.refused.Format(time.DateTime))
	}
	if t.kind != "reminder" {
		return
	}
	if j.steps[t.kase+" "+t.step] {
		j.breach("I3", c, "step %s of one case was said twice", t.step)
	}
	j.steps[t.kase+" "+t.step] = true
	j.awake(c, l.at, "a reminder")
	j.owed(c, l.at)
	j.suits(c, t)
	n := len(c.reminders)
	if n > 0 && l.at.Sub(c.reminders[n-1].at) < j.gap {
		j.breach("I5", c, "a reminder %s after the one before", l.at.Sub(c.reminders[n-1].at))
	}
	if n >= j.most && l.at.Sub(c.reminders[n-j.most].at) < 7*24*time.Hour {
		j.breach("I5", c, "%d reminders within %s", j.most+1, l.at.Sub(c.reminders[n-j.most].at))
	}
	c.reminders = append(c.reminders, heard{at: l.at, kase: t.kase, step: t.step})
}

// awake judges the hour and the day, in every zone the customer may be in. Hours they asked for are meant where they
// most likely are, and come before what is guessed of other places.
func (j *judge) awake(c *customer, at time.Time, what string) {
	from, to, zones := j.from, j.to, c.zones
	if c.choice.to > 0 {
		from, to, zones = c.choice.from, c.choice.to, c.zones[:1]
	}
	for _, zone := range zones {
		local := at.In(zone)
		if local.Hour() < from || local.Hour() >= to || local.Weekday() == time.Saturday || local.Weekday() == time.Sunday {
			j.breach("I4", c, "%s on %s in %s, and theirs are %d to %d", what, local.Format("Mon 15:04"), zone, from, to)
			return
		}
		if c.rests(local) {
			j.breach("I4", c, "%s on %s, a holiday where they are", what, local.Format(time.DateOnly))
			return
		}
	}
}

// suits judges that who pays by hand or by debit hears what is meant for them.
func (j *judge) suits(c *customer, t told) {
	wanted := c.way
	switch {
	case c.way != several && c.currency == "eur" && c.amount >= 100000:
		wanted = "high-value"
	case c.way == several || c.way == byCard || c.way == "": // "": what fell due after the last day
		return
	}
	if t.campaign != wanted {
		j.breach("B1", c, "a reminder of the campaign %s instead of %s", t.campaign, wanted)
	}
	j.counts["reminder of "+wanted]++
}

// owed judges that there was a reason to remind anybody.
func (j *judge) owed(c *customer, at time.Time) {
	due := slices.ContainsFunc(c.open, func(i *invoice) bool { return i.isOverdue(at) }) // after the last day nobody notes it
	if !c.clearSince.IsZero() && at.Sub(c.clearSince) > j.known && !due {
		j.breach("I2", c, "a reminder, and nothing is owed since %s", c.clearSince.Format(time.DateTime))
	}
	if !c.choice.refused.IsZero() && !at.Before(c.choice.refused) {
		j.breach("I2", c, "a reminder, and they asked for none on %s", c.choice.refused.Format(time.DateTime))
	}
	for _, i := range c.open {
		if i.overdue && !i.under.IsZero() && at.Sub(i.under) > j.known {
			j.breach("I2", c, "a reminder, and a debit of %s is under way since %s", i.id, i.under.Format(time.DateTime))
		}
	}
	if !c.wrote.IsZero() && at.After(c.wrote) {
		j.breach("I2", c, "a reminder, and their message of %s waits for an answer", c.wrote.Format(time.DateTime))
	}
	if at.Before(c.resting) {
		j.breach("I2", c, "a reminder, and staff let the case rest until %s", c.resting.Format(time.DateTime))
	}
	if at.Before(c.claimed) {
		j.breach("I2", c, "a reminder, and they said that a transfer is on its way, until %s", c.claimed.Format(time.DateTime))
	}
	if c.standing(at) {
		j.breach("B7", c, "a reminder, and they set a day, which comes on %s", c.vow.due.Format(time.DateTime))
	}
	if !c.disputed.IsZero() && at.Sub(c.disputed) > 2*looks {
		j.breach("I2", c, "a reminder, and their bank disputes a payment since %s", c.disputed.Format(time.DateTime))
	}
}
