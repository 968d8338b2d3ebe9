package dunning

import (
	"slices"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/outbox"
)

// Ways answers on which channels a step speaks to this customer: the campaign's own, without what they asked not to
// get. What they don't want by mail, or Stripe itself mails about, is told in the app instead, unless they want nothing there
// either.
func (in Situation) Ways(step campaign.Step) []outbox.Channel {
	var ways []outbox.Channel
	mails := step.Has(outbox.Email)
	withheld := mails && (in.Choices.NoMail || in.StripeMails && leftToStripe(step))
	if mails && !withheld {
		ways = append(ways, outbox.Email)
	}
	if (step.Has(outbox.App) || withheld) && !in.Choices.NoApp {
		ways = append(ways, outbox.App)
	}
	return ways
}

// leftToStripe reports whether a step is one of those whose mail is left to Stripe where Stripe itself mails about failures: it
// announces nothing and takes nothing away. Of what is to be taken away nobody but us can tell.
func leftToStripe(step campaign.Step) bool { return !step.Announces && !step.Consequence }

// Unsaid answers why a step that has channels says nothing to this customer, "" when it says something or has none.
func (in Situation) Unsaid(step campaign.Step) contact.Reason {
	switch {
	case len(step.Channels) == 0 || len(in.Ways(step)) > 0:
		return ""
	case in.StripeMails && !in.Choices.NoMail && step.Has(outbox.Email):
		return ReasonStripeMail // and they want nothing in the app
	}
	return ReasonUnwanted
}

// Coming is one message a customer may still get about a case.
type Coming struct {
	At   time.Time // zero when nobody can say yet: a person looks at it first
	Ways []outbox.Channel
}

// Outlook answers the messages still to come, at most, if nobody pays: those that wait to leave, then those the schedule
// will send, worked out by the same rules. For a case that rests it answers what would come if it went on now. It looks at
// nothing but its arguments; notices are those of the case.
func (c Case) Outlook(in Situation, notices []outbox.Notice) []Coming {
	var all []Coming
	for _, n := range notices {
		if !in.Choices.NoMail && n.Kind == outbox.Reminder && n.Channel == outbox.Email && (n.Status == outbox.Queued || n.Status == outbox.Sending) {
			at := time.Unix(n.DueAt, 0)
			if at.Before(in.Now) {
				at = in.Now
			}
			all = append(all, Coming{At: at, Ways: []outbox.Channel{outbox.Email}})
			in.Contacts = append(slices.Clone(in.Contacts), at)
		}
	}
	if c.Status != Open || c.Holdout {
		return all
	}
	if c.RestingSince > 0 {
		c.RestedDays += c.Resting(in.Now, in.Zones[0])
		c.RestingSince, c.NextStepAt = 0, 0
	}
	for _, f := range c.Foresee(in, notices) {
		ways := in.Ways(f.Step)
		if len(ways) == 0 {
			continue
		}
		if f.Held != "" {
			f.At = time.Time{}
		}
		all = append(all, Coming{At: f.At, Ways: ways})
	}
	return all
}
