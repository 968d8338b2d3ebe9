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
	for n, i := range invoices { // as it was when it failed
		if !i.Open() {
			invoices[n].Status, invoices[n].AmountRemaining = "open", max(i.FirstFailed, i.AmountDue)
		}
	}
	who, err := subjectOf(ctx, tx, customer, invoices, opened)
	if err != nil {
		return err
	}
	plan := plans.Choose(who)
	part := by[plan.Name]
	if part == nil {
		part = &Rehearsed{Campaign: plan.Name}
		for _, step := range plan.Steps {
			part.Steps = append(part.Steps, Reached{Key: step.Key})
		}
		by[plan.Name] = part
	}
	part.Cases++
	notices, err := outbox.OfCase(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	var said []string
	for _, n := range notices {
		if n.Kind == outbox.Reminder && (n.Status == outbox.Sent || n.Status == outbox.Uncertain) && !slices.Contains(said, n.Step) {
			said = append(said, n.Step)
		}
	}
	part.Said += len(said)
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
	taken := false
	for _, p := range again.Ahead(in) {
		if !p.At.Before(end) {
			break
		}
		part.Steps[p.Index].Cases++
		if len(in.Ways(p.Step)) > 0 {
			part.Messages++
		}
		taken = taken || p.Step.Consequence
	}
	if taken {
		part.Taken++
	}
	return nil
}
