package dunning

import (
	"context"
	"database/sql"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// NoAddress is the reason of a mail that is left out because no address of its customer works.
const NoAddress = string(ReasonBounces)

// Bounced takes in that a mail came back, in one transaction: the notice, its address, and the case, which moves on
// to the next billing contact or, without one, to the notice in the app. What was taken from the customer because
// of this mail is given back. Telling the same again changes nothing. It answers whether it was news.
func (cs *Cases) Bounced(ctx context.Context, tx *sql.Tx, n outbox.Notice, b outbox.Bounce, now time.Time) (bool, error) {
	err := database.Hold(ctx, tx, n.CustomerID)
	if err != nil {
		return false, err
	}
	first, suppressed, err := outbox.Returned(ctx, tx, n, b)
	if err != nil || !first || n.Kind != outbox.Reminder || b.Kind == outbox.Complaint {
		return first, err
	}
	c, err := cs.Find(ctx, tx, n.CaseID)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	if err != nil {
		return true, err
	}
	err = cs.giveBack(ctx, tx, c, n, now)
	if err != nil {
		return true, err
	}
	c, err = cs.Find(ctx, tx, c.ID)
	if err != nil || c.Status != Open {
		return true, err
	}
	if !suppressed {
		return true, cs.tellInApp(ctx, tx, n, now)
	}
	return true, cs.moveOn(ctx, tx, n, now)
}

// moveOn says a step once more to the next address that works; without one it is for the app, and for a person.
func (cs *Cases) moveOn(ctx context.Context, tx *sql.Tx, n outbox.Notice, now time.Time) error {
	who, err := billing.FindCustomer(ctx, tx, n.CustomerID)
	if err != nil {
		return err
	}
	to, err := outbox.Usable(ctx, tx, who.Addresses())
	if err != nil {
		return err
	}
	again := outbox.Notice{
		Kind: outbox.Reminder, Channel: outbox.Email, CustomerID: n.CustomerID, CaseID: n.CaseID, Step: n.Step,
		SubjectID: "after " + n.ID, Recipient: to, Counts: true,
	}
	if to != "" {
		_, err = outbox.Queue(ctx, tx, again, now.Unix())
		return err
	}
	err = outbox.Skip(ctx, tx, again, NoAddress, now.Unix())
	if err != nil {
		return err
	}
	return cs.tellInApp(ctx, tx, n, now)
}

// LeaveOut skips a mail that nobody can be sent, with the reason, and lets the app tell what it would have told.
func (cs *Cases) LeaveOut(ctx context.Context, tx *sql.Tx, n outbox.Notice, reason string, now time.Time) error {
	err := outbox.LeaveOut(ctx, tx, n.ID, reason, now.Unix())
	if err != nil || n.Kind != outbox.Reminder {
		return err
	}
	return cs.tellInApp(ctx, tx, n, now)
}

// tellInApp makes sure that a step stands as a notice in the app, whatever channels its campaign gave it, unless the
// customer wants none there.
func (cs *Cases) tellInApp(ctx context.Context, tx *sql.Tx, n outbox.Notice, now time.Time) error {
	choices, err := contact.ChoicesOf(ctx, tx, n.CustomerID)
	if err != nil || choices.NoApp {
		return err
	}
	_, err = outbox.Queue(ctx, tx, outbox.Notice{
		Kind: outbox.Reminder, Channel: outbox.App, CustomerID: n.CustomerID, CaseID: n.CaseID, Step: n.Step, Counts: true,
	}, now.Unix())
	return err
}

// giveBack undoes a consequence that rested on a mail which came back: the case stands before it again and waits
// for a person, or for the notice in the app to be seen.
func (cs *Cases) giveBack(ctx context.Context, tx *sql.Tx, c Case, n outbox.Notice, now time.Time) error {
	campaigns, err := cs.Campaigns(ctx, tx)
	if err != nil {
		return err
	}
	plan := c.Plan(campaigns)
	i, ok := restingOn(plan, c.Step, n.Step)
	if !ok || c.Status != Open && c.Status != Exhausted {
		return nil
	}
	notices, err := outbox.OfCase(ctx, tx, c.ID)
	if err != nil || announced(plan, i, notices) {
		return err
	}
	if c.Status == Exhausted {
		latest, err := cs.LatestOf(ctx, tx, c.CustomerID)
		if err != nil || latest.ID != c.ID {
			return err
		}
	}
	in, err := cs.SituationOf(ctx, tx, c, now)
	if err != nil || in.Class == billing.ClassNone {
		return err
	}
	c.Status, c.ClosedAt = Open, 0
	c.Step, c.Access = i, plan.AccessBefore(i)
	c.NextStepAt = 0
	if c.RestingSince == 0 {
		c.NextStepAt = in.Policy.NextAllowed(now.Add(24*time.Hour), in.Zones).Unix()
	}
	err = updateCase(ctx, tx, c, now)
	if err != nil {
		return err
	}
	err = writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: "given_back", Why: "The mail that announced the consequence came back, so it is undone."})
	if err != nil {
		return err
	}
	return writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: "waits", Why: string(c.heldBy(plan, i, notices))})
}

// restingOn answers the earliest consequence among the first taken steps that the step of the key announces.
func restingOn(plan campaign.Campaign, taken int, key string) (int, bool) {
	for i := range min(taken, len(plan.Steps)) {
		by, ok := plan.AnnouncedBy(i)
		if plan.Steps[i].Consequence && ok && by == key {
			return i, true
		}
	}
	return 0, false
}
