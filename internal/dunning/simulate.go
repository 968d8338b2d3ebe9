package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/outbox"
)

// Rehearsal is what campaigns would have done with the cases of the past, beside what was done.
type Rehearsal struct {
	Cases  int         `json:"cases"`
	ByPlan []Rehearsed `json:"campaigns"` // in the order of the campaigns; those that would have had no case are left out
}

// Rehearsed is one campaign's part.
type Rehearsed struct {
	Campaign string         `json:"campaign"`
	Cases    int            `json:"cases"`
	Messages int            `json:"messages"`            // steps that would have spoken; mail and banner of one step count as one
	Said     int            `json:"said"`                // steps that did speak, in the same cases: sent, shown, or uncertain
	Steps    []Reached      `json:"steps"`               // in the campaign's order
	Taken    int            `json:"consequence_reached"` // cases in which a consequence would have come to pass
	Held     int            `json:"held_out"`            // cases that would have got no messages, for the holdout
	Variants map[string]int `json:"variants,omitempty"`  // cases by the variant they would have walked
}

// Reached is a step and how many cases would have come that far.
type Reached struct {
	Key   string `json:"step"`
	Cases int    `json:"cases"`
}

// Messages are those of all campaigns together.
func (r Rehearsal) Messages() int {
	n := 0
	for _, part := range r.ByPlan {
		n += part.Messages
	}
	return n
}

// Rehearse walks the stored cases that opened at or after since through the campaigns, each by what is stored of it:
// its customer, its invoices as they failed, the days it rested, and when it ended. Nothing is written. What a
// customer would have done differently nobody knows: a case ends when it did.
func (cs *Cases) Rehearse(ctx context.Context, tx *sql.Tx, plans campaign.Campaigns, since, now time.Time) (Rehearsal, error) {
	r := Rehearsal{ByPlan: []Rehearsed{}}
	by := map[string]*Rehearsed{}
	cases, err := selectCases(ctx, tx, `WHERE opened_at >= $1 ORDER BY opened_at, id`, since.Unix())
	if err != nil {
		return r, err
	}
	for _, c := range cases {
		err = cs.rehearse(ctx, tx, plans, c, by, now)
		if err != nil {
			return r, fmt.Errorf("rehearse %s: %w", c.ID, err)
		}
		r.Cases++
	}
	for _, plan := range plans.Newest() {
		if by[plan.Name] != nil {
			r.ByPlan = append(r.ByPlan, *by[plan.Name])
		}
	}
	return r, nil
}

// rehearse adds to by, under the campaign that would have been chosen, what it would have done with a case up to now.
func (cs *Cases) rehearse(ctx context.Context, tx *sql.Tx, plans campaign.Campaigns, c Case, by map[string]*Rehearsed, now time.Time) error {
	customer, err := billing.FindCustomer(ctx, tx, c.CustomerID)
	if billing.IsErased(err) {
		customer, err = billing.Customer{ID: c.CustomerID}, nil // the case still counts, by what is left of it
	}
	if err != nil {
		return err
	}
	invoices, err := cs.InvoicesOf(ctx, tx, c)
	if err != nil {
		return err
	}
	opened := time.Unix(c.OpenedAt, 0)
	who, err := subjectOf(ctx, tx, customer, asFailed(invoices), opened)
	if err != nil {
		return err
	}
	plan := plans.Choose(who)
	if by[plan.Name] == nil {
		by[plan.Name] = newRehearsed(plan)
	}
	part := by[plan.Name]
	part.Cases++
	notices, err := outbox.OfCase(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	part.Said += stepsSaid(notices)
	if plan.HoldsOut(c.CustomerID) {
		part.Held++
		return nil
	}
	variant := plan.VariantFor(c.CustomerID)
	if variant != "" {
		if part.Variants == nil {
			part.Variants = map[string]int{}
		}
		part.Variants[variant]++
		plan = plan.Walked(variant)
	}
	end := now
	if c.ClosedAt > 0 && c.Status != Exhausted {
		end = time.Unix(c.ClosedAt, 0)
	}
	again := Case{
		CustomerID: c.CustomerID, Status: Open, Access: campaign.Full, OpenedAt: c.OpenedAt, OpenedDay: c.OpenedDay, RestedDays: c.RestedDays,
	}
	in := Situation{
		Plan: plan, Who: who, Class: who.Class, Zones: contact.ZonesOf(customer, cs.fallback), Policy: cs.PolicyFor(customer, contact.Choices{}),
		StripeMails: cs.stripeMails, Now: opened,
	}
	part.walk(again, in, end)
	return nil
}

// newRehearsed is a campaign's part of a rehearsal before any case was walked.
func newRehearsed(plan campaign.Campaign) *Rehearsed {
	part := &Rehearsed{Campaign: plan.Name}
	for _, step := range plan.Steps {
		part.Steps = append(part.Steps, Reached{Key: step.Key})
	}
	return part
}

// walk counts the steps that a case would have taken before end.
func (r *Rehearsed) walk(c Case, in Situation, end time.Time) {
	taken := false
	for _, p := range c.Ahead(in) {
		if !p.At.Before(end) {
			break
		}
		r.Steps[p.Index].Cases++
		if len(in.Ways(p.Step)) > 0 {
			r.Messages++
		}
		taken = taken || p.Step.Consequence
	}
	if taken {
		r.Taken++
	}
}

// asFailed answers the invoices as they were when they had failed: open, with all that was due then.
func asFailed(invoices []billing.Invoice) []billing.Invoice {
	all := slices.Clone(invoices)
	for n, i := range all {
		if !i.Open() {
			all[n].Status, all[n].AmountRemaining = "open", max(i.FirstFailed, i.AmountDue)
		}
	}
	return all
}

// stepsSaid answers how many steps of a case reached its customer, or may have.
func stepsSaid(notices []outbox.Notice) int {
	said := map[string]bool{}
	for _, n := range notices {
		if n.Kind == outbox.Reminder && (n.Status == outbox.Sent || n.Status == outbox.Uncertain) {
			said[n.Step] = true
		}
	}
	return len(said)
}
