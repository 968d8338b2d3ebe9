package dunning

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// busyWait is how long a case waits before it looks again whether its last message has left.
const busyWait = 30 * time.Minute

// reschedule writes when the case wants to be looked at next: never while it rests. An instant that has come
// but was not acted on yet stays, so that Advance sees how late it is.
func (cs *Cases) reschedule(ctx context.Context, tx *sql.Tx, c Case, now time.Time) error {
	if c.keepsPlace(now) {
		return updateCase(ctx, tx, c, now)
	}
	in, err := cs.SituationOf(ctx, tx, c, now)
	if err != nil {
		return err
	}
	return cs.replan(ctx, tx, Case{}, c, in, now)
}

// keepsPlace reports whether a case needs no new instant: it rests, and has none, or its instant has come.
func (c *Case) keepsPlace(now time.Time) bool {
	if c.RestingSince > 0 {
		c.NextStepAt = 0
		return true
	}
	return c.NextStepAt > 0 && c.NextStepAt <= now.Unix()
}

// replan writes when the case's next step comes, by its situation. was is the case as it is stored, the zero Case when
// that is not known.
func (cs *Cases) replan(ctx context.Context, tx *sql.Tx, was, c Case, in Situation, now time.Time) error {
	c.Puzzling = slices.ContainsFunc(in.Invoices, billing.Invoice.Puzzling)
	c, ok := c.planned(in)
	if !ok {
		return cs.exhaust(ctx, tx, c, now)
	}
	return updateFrom(ctx, tx, was, c, now)
}

func (cs *Cases) exhaust(ctx context.Context, tx *sql.Tx, c Case, now time.Time) error {
	c.Status, c.NextStepAt, c.ClosedAt = Exhausted, 0, now.Unix()
	err := updateCase(ctx, tx, c, now)
	if err != nil {
		return err
	}
	return writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: string(Exhausted), Why: string(ReasonExhausted)})
}

// Advance takes the case's next step if its time has come by all rules, writing the notices it sends, and moves
// the case on. It takes at most one step; what is not due yet is only rescheduled.
func (cs *Cases) Advance(ctx context.Context, tx *sql.Tx, caseID string, now time.Time) error {
	return cs.AdvanceAll(ctx, tx, []string{caseID}, now)
}

// AdvanceAll is Advance for several cases, in the order in which they are named. What their steps depend on is read for all
// of them in the same few statements. That is safe because a customer has one open case: no step changes what another one
// depends on.
func (cs *Cases) AdvanceAll(ctx context.Context, tx *sql.Tx, ids []string, now time.Time) error {
	err := cs.HoldAll(ctx, tx, ids)
	if err != nil {
		return err
	}
	due, who, err := cs.stillDue(ctx, tx, ids, now)
	if err != nil || len(due) == 0 {
		return err
	}
	all, err := cs.situations(ctx, tx, due, who, now)
	if err != nil {
		return err
	}
	slices.SortFunc(due, func(a, b Case) int { return cmp.Compare(slices.Index(ids, a.ID), slices.Index(ids, b.ID)) })
	for _, c := range due {
		err = who[c.CustomerID].Erased()
		if err == nil {
			err = cs.advance(ctx, tx, c, all[c.ID], now)
		}
		if err != nil {
			return fmt.Errorf("advance %s: %w", c.ID, err)
		}
	}
	return nil
}

// stillDue answers those of the cases, whose customers are held, that want to be looked at, and their customers.
func (cs *Cases) stillDue(ctx context.Context, tx *sql.Tx, ids []string, now time.Time) ([]Case, map[string]billing.Customer, error) {
	marks, args := database.List(ids)
	found, err := selectCases(ctx, tx, `WHERE id IN (`+marks+`)`, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("read the cases that are due: %w", err)
	}
	var due []Case
	var customers []string
	for _, c := range found {
		if c.Status == Open && c.RestingSince == 0 && c.NextStepAt > 0 && c.NextStepAt <= now.Unix() {
			due, customers = append(due, c), append(customers, c.CustomerID)
		}
	}
	who, err := billing.CustomersByID(ctx, tx, customers)
	return due, who, err
}

func (cs *Cases) advance(ctx context.Context, tx *sql.Tx, c Case, in Situation, now time.Time) error {
	if in.Class == billing.ClassNone { // nothing is open any more
		return cs.settle(ctx, tx, c, c, nil, in.Invoices, now)
	}
	notices, err := outbox.OfCase(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	if waiting(notices) {
		c.NextStepAt = now.Add(busyWait).Unix()
		return cs.postpone(ctx, tx, c, in.Plan, ReasonEarlier, now)
	}
	// Days on which nothing could be done (the program was down) don't count: the steps keep their distance. Those
	// that a waiting mail lost are counted when it leaves.
	c.RestedDays += contact.DaysBetween(time.Unix(c.NextStepAt, 0), now, in.Zones[0])
	behind := c.passes(in)
	err = passed(ctx, tx, c, in.Plan, behind, now)
	if err != nil {
		return err
	}
	c.Step = behind
	next, ok := c.Next(in)
	if !ok {
		return cs.replan(ctx, tx, Case{}, c, in, now)
	}
	if next.At.After(now) {
		c, _ = c.planned(in)
		why, held := holding(next.Why)
		if held {
			return cs.postpone(ctx, tx, c, in.Plan, why, now)
		}
		return updateCase(ctx, tx, c, now)
	}
	paying, err := payingNow(ctx, tx, c.CustomerID, now)
	if err != nil {
		return err
	}
	if paying {
		c.NextStepAt = now.Add(payingTime).Unix()
		return cs.postpone(ctx, tx, c, in.Plan, ReasonPaying, now)
	}
	at, told := announcedAt(in.Plan, next.Index, notices, now)
	if next.Step.Consequence && !told {
		return cs.waitForPerson(ctx, tx, c, in, c.heldBy(in.Plan, next.Index, notices), now)
	}
	if next.Step.Acts() {
		return cs.propose(ctx, tx, c, next, at, now)
	}
	return cs.take(ctx, tx, c, in, next, now)
}

// postpone writes a case whose step was due and waits until its NextStepAt, with the reason.
func (cs *Cases) postpone(ctx context.Context, tx *sql.Tx, c Case, plan campaign.Campaign, why contact.Reason, now time.Time) error {
	err := putOffStep(ctx, tx, c, plan, why, time.Unix(c.NextStepAt, 0), now)
	if err != nil {
		return err
	}
	return updateCase(ctx, tx, c, now)
}

// payingTime is how long a customer who pressed a button to pay is left alone.
const payingTime = 30 * time.Minute

// payingNow reports whether the customer pressed a button to pay within payingTime.
func payingNow(ctx context.Context, tx *sql.Tx, customer string, now time.Time) (bool, error) {
	pressed, err := billing.AttemptsSince(ctx, tx, customer, now.Add(-payingTime).Unix())
	return len(pressed) > 0, err
}

// waiting reports whether an e-mail of an earlier step has not left yet: the next one then waits, so that
// mail held up by a broken server never goes out as a burst.
func waiting(notices []outbox.Notice) bool {
	for _, n := range notices {
		if n.Kind == outbox.Reminder && n.Channel == outbox.Email && (n.Status == outbox.Queued || n.Status == outbox.Sending) {
			return true
		}
	}
	return false
}

// announced reports whether a notice that named the consequence at index i was surely sent, by mail or shown in
// the app. An uncertain or failed one is not enough to take anything away from anybody.
func announced(plan campaign.Campaign, i int, notices []outbox.Notice) bool {
	_, told := announcedAt(plan, i, notices, time.Time{})
	return told
}

// announcedAt is when that was known (unix seconds) of the last such notice that came in good time before now, or of the first
// where none did; false when there is none. A banner first seen shortly before the day tells nobody in time of what the mail did
// not name.
func announcedAt(plan campaign.Campaign, i int, notices []outbox.Notice, now time.Time) (at int64, told bool) {
	key, ok := plan.AnnouncedBy(i)
	if !ok {
		return 0, false
	}
	first, last := int64(0), int64(0)
	for _, n := range notices {
		if n.Kind != outbox.Reminder || n.Step != key || n.Status != outbox.Sent {
			continue
		}
		if !told || n.SettledAt < first {
			first = n.SettledAt
		}
		if n.SettledAt <= now.Add(-noticeTime).Unix() {
			last = max(last, n.SettledAt)
		}
		told = true
	}
	return max(first, last), told
}

// waitForPerson puts a consequence off by a day: nobody is sure the customer was told, for the reason.
func (cs *Cases) waitForPerson(ctx context.Context, tx *sql.Tx, c Case, in Situation, why contact.Reason, now time.Time) error {
	c.NextStepAt = in.Policy.NextAllowed(now.Add(24*time.Hour), in.Zones).Unix()
	err := updateCase(ctx, tx, c, now)
	if err != nil {
		return err
	}
	story, err := cs.Story(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	waits := Entry{CaseID: c.ID, At: now.Unix(), What: "waits", Why: string(why)}
	if len(story) > 0 && story[len(story)-1].What == waits.What && story[len(story)-1].Why == waits.Why {
		return nil
	}
	return writeLog(ctx, tx, waits)
}

func (cs *Cases) take(ctx context.Context, tx *sql.Tx, c Case, in Situation, next Planned, now time.Time) error {
	if c.Holdout {
		next.Step.Access = "" // the holdout keeps what it has
	}
	for _, channel := range next.Step.Channels {
		err := cs.say(ctx, tx, c, next.Step, channel, in.Who.Customer, in.Choices, now)
		if err != nil {
			return err
		}
	}
	err := took(ctx, tx, c, in, next, now)
	if err != nil {
		return err
	}
	if next.Step.Access.Tighter(c.Access) { // a new case after an exhausted one begins where that one left off
		c.Access = next.Step.Access
	}
	c.Step = next.Index + 1
	// Every message names the date of what is ahead, so from here on that date never moves earlier.
	c.ConsequenceAt = max(c.ConsequenceAt, c.consequence(in, now))
	err = writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: "step", Why: next.Step.Key})
	if err != nil {
		return err
	}
	if len(in.Ways(next.Step)) > 0 {
		in.Contacts = append(in.Contacts, now)
	}
	return cs.replan(ctx, tx, Case{}, c, in, now)
}

// say queues one notice of a step. An e-mail that cannot or should not be sent is skipped with its reason, and
// staff see it.
func (cs *Cases) say(ctx context.Context, tx *sql.Tx, c Case, step campaign.Step, channel outbox.Channel, who billing.Customer, choices contact.Choices, now time.Time) error {
	n := outbox.Notice{Kind: outbox.Reminder, Channel: channel, CustomerID: c.CustomerID, CaseID: c.ID, Step: step.Key, Counts: true}
	if c.Holdout {
		return outbox.Skip(ctx, tx, n, string(ReasonHoldout), now.Unix())
	}
	switch {
	case channel == outbox.App && choices.NoApp:
		return outbox.Skip(ctx, tx, n, contact.NoAppWanted, now.Unix())
	case channel == outbox.Email && choices.NoMail:
		err := outbox.Skip(ctx, tx, n, contact.NoMailWanted, now.Unix())
		if err != nil {
			return err
		}
		return cs.tellInApp(ctx, tx, n, now)
	}
	if channel == outbox.Email {
		to, err := outbox.Usable(ctx, tx, who.Addresses())
		if err != nil {
			return err
		}
		n.Recipient = to
		if to == "" {
			why := NoAddress
			if len(who.Addresses()) == 0 {
				why = string(ReasonNobody)
			}
			err = outbox.Skip(ctx, tx, n, why, now.Unix())
			if err != nil {
				return err
			}
			return cs.tellInApp(ctx, tx, n, now)
		}
		if cs.stripeMails && leftToStripe(step) {
			err = outbox.Skip(ctx, tx, n, string(ReasonStripeMail), now.Unix())
			if err != nil {
				return err
			}
			return cs.tellInApp(ctx, tx, n, now)
		}
	}
	_, err := outbox.Queue(ctx, tx, n, now.Unix())
	return err
}

// consequence answers the date of the next consequence after a contact now, 0 when the plan holds none.
func (c Case) consequence(in Situation, now time.Time) int64 {
	in.Contacts = append(in.Contacts[:len(in.Contacts):len(in.Contacts)], now)
	for _, p := range c.Ahead(in) {
		if p.Step.Consequence {
			return p.At.Unix()
		}
	}
	return 0
}

// noticeTime is the least time between the mail that announces a consequence and its date.
const noticeTime = 4 * 24 * time.Hour

// whyRests is the reason of a notice that waits because its case rests.
const whyRests = string(ReasonRests)

// givenNotice moves the announced date of the next consequence later when a message that names it was held up, and reports
// whether it did. The date is never one that has passed; where the message is the step that announces it, it keeps the
// least notice (noticeTime).
func (c Case) givenNotice(in Situation, step string, now time.Time) (Case, bool) {
	least := now
	i := in.Plan.StepOf(step)
	if i >= 0 && in.Plan.Steps[i].Announces {
		least = now.Add(noticeTime)
	}
	if c.Status != Open || c.ConsequenceAt == 0 || c.ConsequenceAt >= least.Unix() {
		return c, false
	}
	ahead := c.consequence(in, now)
	if ahead == 0 {
		return c, false
	}
	c.ConsequenceAt = max(in.Policy.NextAllowed(now.Add(noticeTime), in.Zones).Unix(), ahead)
	if c.Step < len(in.Plan.Steps) && in.Plan.Steps[c.Step].Consequence && c.NextStepAt > 0 {
		c.NextStepAt = max(c.NextStepAt, c.ConsequenceAt)
	}
	return c, true
}

// giveNotice keeps the case as givenNotice answers it.
func (cs *Cases) giveNotice(ctx context.Context, tx *sql.Tx, c Case, in Situation, step string, now time.Time) error {
	c, moved := c.givenNotice(in, step, now)
	if !moved {
		return nil
	}
	return updateCase(ctx, tx, c, now)
}

// Left tells the case that a notice of it was sent, or may have been. Days on which a broken mail server held it up don't
// count: the steps keep their distance. who is the case's customer.
func (cs *Cases) Left(ctx context.Context, tx *sql.Tx, n outbox.Notice, who billing.Customer, now time.Time) error {
	if n.Kind != outbox.Reminder || contact.DaysBetween(time.Unix(n.CreatedAt, 0), now, cs.Zone(who)) == 0 {
		return nil
	}
	c, err := cs.held(ctx, tx, n.CaseID)
	if err != nil || c.Status != Open {
		return err
	}
	in, err := cs.SituationOf(ctx, tx, c, now)
	if err != nil {
		return err
	}
	rested, err := cs.restedSince(ctx, tx, c, time.Unix(n.CreatedAt, 0), now, in.Zones[0])
	if err != nil {
		return err
	}
	late := contact.DaysBetween(time.Unix(n.CreatedAt, 0), now, in.Zones[0]) - rested // a pause has counted its days already
	if late <= 0 {
		return nil
	}
	c.RestedDays += late
	c.NextStepAt = 0 // these days are counted; a look that is overdue must not count them again
	return cs.reschedule(ctx, tx, c, now)
}

// Shown takes in that the customer has seen the banner: the newest in-app notice of their case is sent. One that
// announces a date which has passed meanwhile announced nothing; the date moves, and the next look tells it.
func (cs *Cases) Shown(ctx context.Context, tx *sql.Tx, customer string, now time.Time) (bool, error) {
	err := database.Hold(ctx, tx, customer)
	if err != nil {
		return false, err
	}
	c, err := cs.LatestOf(ctx, tx, customer)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	n, waits, err := outbox.WaitingInApp(ctx, tx, c.ID)
	if err != nil || !waits {
		return false, err
	}
	in, err := cs.SituationOf(ctx, tx, c, now)
	if err != nil {
		return false, err
	}
	step := in.Plan.StepOf(n.Step)
	passed := c.Status == Open && c.ConsequenceAt > 0 && c.ConsequenceAt <= now.Unix()
	err = cs.giveNotice(ctx, tx, c, in, n.Step, now)
	if err != nil {
		return false, err
	}
	if step >= 0 && in.Plan.Steps[step].Announces && passed {
		return false, nil
	}
	return true, outbox.Shown(ctx, tx, n, now.Unix())
}

// PutOff makes the schedule look at a case again only at the instant at. One that rests is not on the schedule.
func (cs *Cases) PutOff(ctx context.Context, tx *sql.Tx, caseID string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE cases SET next_step_at = $1 WHERE id = $2 AND status = 'open' AND resting_since = 0`, at.Unix(), caseID)
	return err
}
