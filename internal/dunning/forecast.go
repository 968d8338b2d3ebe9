package dunning

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/outbox"
)

// Leaving is what is planned to go out in one hour by one step: how many cases take it, and what moved them there.
type Leaving struct {
	Hour     time.Time              `json:"hour"`
	Campaign string                 `json:"campaign"`
	Variant  string                 `json:"variant,omitempty"`
	Step     string                 `json:"step"`
	Channels []outbox.Channel       `json:"channels"` // by which it speaks to these customers; none: it says nothing to them
	Cases    int                    `json:"cases"`
	HeldOut  int                    `json:"held_out"` // of Cases: in the holdout, so that nothing goes out
	Unsure   int                    `json:"unsure"`   // of Cases: a consequence or a final act that waits for a person
	Why      map[contact.Reason]int `json:"why"`      // what moved them from the time the campaign wanted
}

// Leaves answers what is planned to go out until the instant, hour by hour in the zone, as far as is known now: a
// payment, a pause or the contact policy may still move it. With written, the running cases of that campaign are
// walked as if they had begun with it: from the step after the last one they have taken that it knows.
func (cs *Cases) Leaves(ctx context.Context, tx *sql.Tx, written *campaign.Campaign, until, now time.Time, zone *time.Location) ([]Leaving, error) {
	name := ""
	if written != nil {
		name = written.Name
	}
	cases, err := selectCases(ctx, tx, `
		WHERE status = 'open' AND resting_since = 0 AND next_step_at IS NOT NULL AND (campaign = $1 OR next_step_at <= $2)
		ORDER BY next_step_at, id`, name, until.Unix())
	if err != nil {
		return nil, err
	}
	leaving := []Leaving{}
	for _, c := range cases {
		in, err := cs.SituationOf(ctx, tx, c, now)
		if err != nil {
			return nil, fmt.Errorf("foresee %s: %w", c.ID, err)
		}
		if written != nil && c.Campaign == written.Name {
			c = c.moved(in.Plan, *written)
			in.Plan = written.Walked(c.Variant)
		}
		next, ok := c.Next(in)
		if !ok {
			continue
		}
		if c.NextStepAt > next.At.Unix() {
			next.At = time.Unix(c.NextStepAt, 0)
		}
		if next.At.After(until) {
			continue
		}
		notices, err := outbox.OfCase(ctx, tx, c.ID)
		if err != nil {
			return nil, err
		}
		unsure := Held(in, next, notices) || next.Step.Acts() && !cs.actsAlone
		leaving = note(leaving, c, next, in.Ways(next.Step), unsure, zone)
	}
	slices.SortStableFunc(leaving, func(a, b Leaving) int {
		return cmp.Or(a.Hour.Compare(b.Hour), cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Variant, b.Variant),
			slices.Compare(a.Channels, b.Channels))
	})
	return leaving, nil
}

// moved answers the case as it would stand if it had begun with another document of its campaign.
func (c Case) moved(from, to campaign.Campaign) Case {
	taken := c.Step
	c.Step = 0
	for i := min(taken, len(from.Steps)) - 1; i >= 0; i-- {
		known := to.StepOf(from.Steps[i].Key)
		if known >= 0 {
			c.Step = known + 1
			break
		}
	}
	c.Variant = to.VariantFor(c.CustomerID)
	c.NextStepAt = 0
	return c
}

// note counts a case to what leaves by these ways; an unsure one waits for a person.
func note(all []Leaving, c Case, next Planned, ways []outbox.Channel, unsure bool, zone *time.Location) []Leaving {
	y, m, d := next.At.In(zone).Date()
	hour := time.Date(y, m, d, next.At.In(zone).Hour(), 0, 0, 0, zone)
	i := slices.IndexFunc(all, func(l Leaving) bool {
		return l.Hour.Equal(hour) && l.Campaign == c.Campaign && l.Variant == c.Variant && l.Step == next.Step.Key && slices.Equal(l.Channels, ways)
	})
	if i < 0 {
		all = append(all, Leaving{Hour: hour, Campaign: c.Campaign, Variant: c.Variant, Step: next.Step.Key, Channels: ways, Why: map[contact.Reason]int{}})
		i = len(all) - 1
	}
	all[i].Cases++
	switch {
	case unsure:
		all[i].Unsure++
	case c.Holdout:
		all[i].HeldOut++
	}
	for _, why := range next.Why {
		if why != contact.ReasonStep {
			all[i].Why[why]++
		}
	}
	return all
}

// Total is how many cases take a step by themselves, and how many of those that want to wait for a person.
func Total(all []Leaving) (alone, person int) {
	for _, l := range all {
		alone += l.Cases - l.Unsure
		person += l.Unsure
	}
	return alone, person
}
