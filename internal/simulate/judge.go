package main

import (
	"fmt"
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
}

// mail judges one mail that left.
func (j *judge) mail(c *customer, l letter, t told) {
	j.counts[t.kind]++
	c.note(l.at, "mail", t.kind+" "+t.step)
	j.letters[l.id]++
	if j.letters[l.id] > 1 {
		j.breach("I3", c, "%s was handed over %d times", l.id, j.letters[l.id])
	}
	if t.kind == "settled" && l.at.Sub(c.settled) > 2*time.Hour {
		j.awake(c, l.at, "a thanks for a payment that happened by itself")
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
	n := len(c.reminders)
	if n > 0 && l.at.Sub(c.reminders[n-1].at) < j.gap {
		j.breach("I5", c, "a reminder %s after the one before", l.at.Sub(c.reminders[n-1].at))
	}
	if n >= j.most && l.at.Sub(c.reminders[n-j.most].at) < 7*24*time.Hour {
		j.breach("I5", c, "%d reminders within %s", j.most+1, l.at.Sub(c.reminders[n-j.most].at))
	}
	c.reminders = append(c.reminders, heard{at: l.at, kase: t.kase, step: t.step})
}

// awake judges the hour, in every zone the customer may be in.
func (j *judge) awake(c *customer, at time.Time, what string) {
	for _, zone := range c.zones {
		local := at.In(zone)
		if local.Hour() < j.from || local.Hour() >= j.to || local.Weekday() == time.Saturday || local.Weekday() == time.Sunday {
			j.breach("I4", c, "%s on %s in %s", what, local.Format("Mon 15:04"), zone)
			return
		}
	}
}

// owed judges that there was a reason to remind anybody.
func (j *judge) owed(c *customer, at time.Time) {
	if !c.clearSince.IsZero() && at.Sub(c.clearSince) > j.known {
		j.breach("I2", c, "a reminder, and nothing is owed since %s", c.clearSince.Format(time.DateTime))
	}
	if !c.wrote.IsZero() && at.After(c.wrote) {
		j.breach("I2", c, "a reminder, and their message of %s waits for an answer", c.wrote.Format(time.DateTime))
	}
	if at.Before(c.resting) {
		j.breach("I2", c, "a reminder, and staff let the case rest until %s", c.resting.Format(time.DateTime))
	}
	if !c.disputed.IsZero() && at.Sub(c.disputed) > 2*looks {
		j.breach("I2", c, "a reminder, and their bank disputes a payment since %s", c.disputed.Format(time.DateTime))
	}
}
