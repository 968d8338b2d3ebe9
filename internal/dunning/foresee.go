package dunning

import (
	"slices"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/outbox"
)

// Foreseen is a step still to come.
type Foreseen struct {
	Planned
	Held contact.Reason // why a person decides first, so that At is no promise; "" when it comes by itself
}

// Foresee answers all steps still to come as Ahead does, with what waits for a person: a consequence that was not surely
// announced and that no message on the way will announce, and whatever comes after it. notices are those of the case. It
// looks at nothing but its arguments.
func (c Case) Foresee(in Situation, notices []outbox.Notice) []Foreseen {
	var all []Foreseen
	var held contact.Reason
	for i, p := range c.Ahead(in) {
		if i == 0 && c.NextStepAt > p.At.Unix() {
			p.At = time.Unix(c.NextStepAt, 0)
		}
		if held == "" && p.Step.Consequence {
			held = c.holds(in, p.Index, notices)
		}
		all = append(all, Foreseen{p, held})
	}
	return all
}

// holds answers why the consequence at index i, which is still to come, will wait for a person, "" when it comes by itself.
func (c Case) holds(in Situation, i int, notices []outbox.Notice) contact.Reason {
	if c.willTell(in, i, notices) {
		return ""
	}
	return c.heldBy(in.Plan, i, notices)
}

// willTell reports whether something on the way announces the consequence at index i to this customer: a mail that has not
// left yet, or a step still to be taken before it.
func (c Case) willTell(in Situation, i int, notices []outbox.Notice) bool {
	key, _ := in.Plan.AnnouncedBy(i)
	leaves := func(n outbox.Notice) bool { return n.Step == key && waiting([]outbox.Notice{n}) }
	says := func(s campaign.Step) bool { return s.Key == key && s.If.Matches(in.Who) && len(in.Ways(s)) > 0 }
	return slices.ContainsFunc(notices, leaves) || !c.Holdout && slices.ContainsFunc(in.Plan.Steps[c.Step:i], says)
}

// heldBy answers why the consequence at index i waits for a person, "" when it was surely announced: the case is told
// nothing, the message that announced it may still be seen or be found to have arrived, or it can't any more.
func (c Case) heldBy(plan campaign.Campaign, i int, notices []outbox.Notice) contact.Reason {
	if announced(plan, i, notices) {
		return ""
	}
	if c.Holdout {
		return ReasonHoldout
	}
	key, _ := plan.AnnouncedBy(i)
	for _, n := range notices {
		open := n.Status == outbox.Queued || n.Status == outbox.Sending || n.Status == outbox.Uncertain
		if n.Kind == outbox.Reminder && n.Step == key && open {
			return ReasonPerson
		}
	}
	return ReasonUntold
}
