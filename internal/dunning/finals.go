package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// EffectOf answers what an act would do for a case now.
func (cs *Cases) EffectOf(ctx context.Context, tx *sql.Tx, c Case, act campaign.Act) (Effect, error) {
	invoices, err := cs.InvoicesOf(ctx, tx, c)
	if err != nil {
		return Effect{}, err
	}
	subscriptions, err := billing.Subscriptions(ctx, tx, c.CustomerID)
	if err != nil {
		return Effect{}, err
	}
	return EffectOf(act, invoices, subscriptions), nil
}

// FinalOf answers the final act of a case, or fault.NotFound while there is none.
func (cs *Cases) FinalOf(ctx context.Context, tx *sql.Tx, caseID string) (Final, error) {
	return oneFinal(selectFinals(ctx, tx, `WHERE case_id = $1 ORDER BY proposed_at DESC, id LIMIT 1`, caseID))
}

// finalWait is how long the schedule leaves a case alone whose final act waits.
const finalWait = 24 * time.Hour

// propose takes in that the day of the final act has come, which was announced at told (unix seconds). It becomes a
// proposal, or an order where no person is asked and all it is about was overdue when it was announced; the case stays at
// this step until it is decided and done. One with nothing to act upon is passed over.
func (cs *Cases) propose(ctx context.Context, tx *sql.Tx, c Case, next Planned, told int64, now time.Time) error {
	effect, err := cs.EffectOf(ctx, tx, c, next.Step.Act)
	if err != nil {
		return err
	}
	f := Final{
		ID: database.NewID("fin"), CaseID: c.ID, CustomerID: c.CustomerID, Step: next.Step.Key, Act: next.Step.Act,
		Status: FinalProposed, ProposedAt: now.Unix(),
	}
	added, err := insertFinal(ctx, tx, f)
	if err != nil {
		return err
	}
	if !added {
		f, err = cs.FinalOf(ctx, tx, c.ID)
		if err != nil {
			return err
		}
	}
	why := "Its day has come, and it was announced. Nothing happens until somebody decides."
	alone := cs.actsAlone
	if alone {
		late, err := joinedSince(ctx, tx, c.ID, told)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(effect.Invoices, func(i billing.Invoice) bool { return slices.Contains(late, i.ID) }) {
			alone, why = false, "Its day has come. An invoice it is about became overdue after it was announced, so nothing happens until somebody decides."
		}
	}
	switch {
	case f.Status == FinalProposed && len(effect.Objects()) == 0:
		return cs.endFinal(ctx, tx, f, FinalDropped, "", nothingLeft(f.Act), now)
	case f.Status == FinalProposed && alone:
		err = orderFinal(ctx, tx, f, effect, "", now)
	case added:
		err = writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: "final_proposed", Why: why})
	}
	if err != nil {
		return err
	}
	c.NextStepAt = now.Add(finalWait).Unix()
	return updateCase(ctx, tx, c, now)
}

// nothingLeft is why an act was dropped.
func nothingLeft(act campaign.Act) string {
	if act == campaign.ActWriteOff {
		return "No invoice is left to be written off."
	}
	return "No running subscription stands behind what is open."
}

// OrderFinal decides that the proposed act of a case is carried out. shown are the objects its effect named when the
// person said yes. fault.NotFound when there is no such case, fault.Conflict when nothing is proposed any more, the
// case rests, the customer is paying just now, or the effect is another by now; then nothing has changed.
func (cs *Cases) OrderFinal(ctx context.Context, tx *sql.Tx, caseID string, shown []string, actor string, now time.Time) (Effect, error) {
	c, f, err := cs.proposed(ctx, tx, caseID)
	if err != nil {
		return Effect{}, err
	}
	paying, err := payingNow(ctx, tx, c.CustomerID, now)
	if err != nil {
		return Effect{}, err
	}
	effect, err := cs.EffectOf(ctx, tx, c, f.Act)
	if err != nil {
		return Effect{}, err
	}
	slices.Sort(shown)
	switch {
	case c.RestingSince > 0:
		return Effect{}, fault.New(fault.Conflict, "This case rests; nothing final is done until it goes on.")
	case paying:
		return Effect{}, fault.New(fault.Conflict, "The customer is paying just now; look again in half an hour.")
	case !slices.Equal(shown, effect.Objects()):
		return Effect{}, fault.New(fault.Conflict, "What it would do has changed since it was shown; look at it again.")
	}
	return effect, orderFinal(ctx, tx, f, effect, actor, now)
}

// DeclineFinal decides that the proposed act of a case is not carried out, and why; the case goes on without it.
// Errors as OrderFinal.
func (cs *Cases) DeclineFinal(ctx context.Context, tx *sql.Tx, caseID, why, actor string, now time.Time) error {
	_, f, err := cs.proposed(ctx, tx, caseID)
	if err != nil {
		return err
	}
	return cs.endFinal(ctx, tx, f, FinalDeclined, actor, why, now)
}

// proposed answers an open case, held, and its act that waits for a person.
func (cs *Cases) proposed(ctx context.Context, tx *sql.Tx, caseID string) (Case, Final, error) {
	c, err := cs.held(ctx, tx, caseID)
	if err != nil {
		return Case{}, Final{}, err
	}
	f, err := cs.FinalOf(ctx, tx, caseID)
	if fault.Is(err, fault.NotFound) || err == nil && (f.Status != FinalProposed || c.Status != Open) {
		return Case{}, Final{}, fault.New(fault.Conflict, "Nothing waits for a decision here any more.")
	}
	return c, f, err
}

func orderFinal(ctx context.Context, tx *sql.Tx, f Final, effect Effect, actor string, now time.Time) error {
	won, err := changeFinal(ctx, tx, `status = 'ordered', actor = $1, ordered_at = $2, next_try_at = $2 WHERE id = $3 AND status = 'proposed'`, actor, now.Unix(), f.ID)
	if err != nil {
		return err
	}
	if !won {
		return fault.New(fault.Conflict, "Nothing waits for a decision here any more.")
	}
	for _, object := range effect.Objects() {
		err = insertTarget(ctx, tx, Target{FinalID: f.ID, Object: object, Status: TargetOrdered})
		if err != nil {
			return err
		}
	}
	why := "It is done as soon as Stripe has been asked once more whether anything was paid."
	return writeLog(ctx, tx, Entry{CaseID: f.CaseID, At: now.Unix(), What: "final_ordered", Why: why, Actor: actor})
}

// DueFinals answers up to limit ordered acts that may be carried out now.
func (cs *Cases) DueFinals(ctx context.Context, tx *sql.Tx, now time.Time, limit int) ([]Final, error) {
	return selectFinals(ctx, tx, `WHERE status = 'ordered' AND next_try_at <= $1 ORDER BY next_try_at, id LIMIT $2`, now.Unix(), limit)
}

// NextFinal answers when the next ordered act may be carried out, false when none is ordered.
func (cs *Cases) NextFinal(ctx context.Context, tx *sql.Tx) (int64, bool, error) {
	var at sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT min(next_try_at) FROM final_acts WHERE status = 'ordered'`).Scan(&at)
	return at.Int64, at.Valid, err
}

// ClaimFinal takes a due act for whoever carries it out, until the instant; false when another has it.
func (cs *Cases) ClaimFinal(ctx context.Context, tx *sql.Tx, f Final, now, until time.Time) (bool, error) {
	return changeFinal(ctx, tx, `next_try_at = $1 WHERE id = $2 AND status = 'ordered' AND next_try_at <= $3`, until.Unix(), f.ID, now.Unix())
}

// PutOffFinal lets an ordered act wait until the instant.
func (cs *Cases) PutOffFinal(ctx context.Context, tx *sql.Tx, f Final, until time.Time) error {
	_, err := changeFinal(ctx, tx, `next_try_at = $1 WHERE id = $2 AND status = 'ordered'`, until.Unix(), f.ID)
	return err
}

// NextTarget decides from what is stored, which must just have been read from Stripe, what an ordered act does next,
// and writes down that Stripe is about to be asked. False when there is nothing to ask now: then the act has ended, was
// given back to a person because the case rests, or waits for a customer who is paying.
func (cs *Cases) NextTarget(ctx context.Context, tx *sql.Tx, f Final, now time.Time) (Target, bool, error) {
	c, err := cs.held(ctx, tx, f.CaseID)
	if err != nil {
		return Target{}, false, err
	}
	f, err = cs.FinalOf(ctx, tx, f.CaseID)
	if err != nil || f.Status != FinalOrdered {
		return Target{}, false, err
	}
	targets, err := selectTargets(ctx, tx, f.ID)
	if err != nil {
		return Target{}, false, err
	}
	begun := slices.ContainsFunc(targets, func(t Target) bool { return t.TriedAt > 0 })
	if c.RestingSince > 0 && !begun {
		return Target{}, false, giveBackFinal(ctx, tx, f, "The case came to rest before it was done, so it waits for a decision again.", now)
	}
	paying, err := payingNow(ctx, tx, c.CustomerID, now)
	if err != nil {
		return Target{}, false, err
	}
	if paying {
		return Target{}, false, cs.PutOffFinal(ctx, tx, f, now.Add(payingTime))
	}
	effect, err := cs.EffectOf(ctx, tx, c, f.Act)
	if err != nil {
		return Target{}, false, err
	}
	for n := range targets {
		t := &targets[n]
		if t.Status != TargetOrdered {
			continue
		}
		if c.RestingSince == 0 && slices.Contains(effect.Objects(), t.Object) {
			t.TriedAt = now.Unix()
			return *t, true, updateTarget(ctx, tx, *t)
		}
		err = settleTarget(ctx, tx, c.CustomerID, t, now)
		if err != nil {
			return Target{}, false, err
		}
	}
	return Target{}, false, cs.finish(ctx, tx, c, f, targets, now)
}

// settleTarget ends a target that needs nothing any more: what Stripe was asked for before the program died has come
// to pass, or there was never anything to ask.
func settleTarget(ctx context.Context, tx *sql.Tx, customer string, t *Target, now time.Time) error {
	came := false
	if strings.HasPrefix(t.Object, "in_") {
		i, err := billing.FindInvoice(ctx, tx, t.Object)
		if err != nil {
			return err
		}
		came = i.WrittenOff()
	} else {
		subscriptions, err := billing.Subscriptions(ctx, tx, customer)
		if err != nil {
			return err
		}
		came = slices.ContainsFunc(subscriptions, func(s billing.Subscription) bool { return s.ID == t.Object && s.Status == "canceled" })
	}
	t.Status, t.EndedAt, t.Outcome = TargetPassed, now.Unix(), "It was paid, had ended, or rested when its turn came."
	if came && t.TriedAt > 0 {
		t.Status, t.Outcome = TargetDone, ""
	}
	return updateTarget(ctx, tx, *t)
}

// EndTarget keeps what Stripe answered for a target: done, or passed over with the reason.
func (cs *Cases) EndTarget(ctx context.Context, tx *sql.Tx, t Target, passed string, now time.Time) error {
	t.Status, t.EndedAt, t.Outcome = TargetDone, now.Unix(), passed
	if passed != "" {
		t.Status = TargetPassed
	}
	return updateTarget(ctx, tx, t)
}

// giveBackFinal makes an order a proposal again: something came up that a person should know before.
func giveBackFinal(ctx context.Context, tx *sql.Tx, f Final, why string, now time.Time) error {
	_, err := changeFinal(ctx, tx, `status = 'proposed', actor = '', ordered_at = 0, next_try_at = 0 WHERE id = $1 AND status = 'ordered'`, f.ID)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM final_targets WHERE final_id = $1`, f.ID)
	if err != nil {
		return fmt.Errorf("give %s back: %w", f.ID, err)
	}
	return writeLog(ctx, tx, Entry{CaseID: f.CaseID, At: now.Unix(), What: "final_held", Why: why})
}

// finish ends an act that was carried out, and tells the customer what was done.
func (cs *Cases) finish(ctx context.Context, tx *sql.Tx, c Case, f Final, targets []Target, now time.Time) error {
	done := slices.ContainsFunc(targets, func(t Target) bool { return t.Status == TargetDone })
	if !done {
		return cs.endFinal(ctx, tx, f, FinalDropped, f.Actor, nothingLeft(f.Act), now)
	}
	err := cs.endFinal(ctx, tx, f, FinalDone, f.Actor, "", now)
	if err != nil {
		return err
	}
	who, err := billing.FindCustomer(ctx, tx, c.CustomerID)
	if err != nil {
		return err
	}
	n := outbox.Notice{Kind: outbox.FinalAct, Channel: outbox.Email, CustomerID: c.CustomerID, CaseID: c.ID, Step: f.Step, Counts: true}
	n.Recipient, err = outbox.Usable(ctx, tx, who.Addresses())
	if err != nil {
		return err
	}
	if n.Recipient == "" {
		return outbox.Skip(ctx, tx, n, NoAddress, now.Unix())
	}
	choices, err := contact.ChoicesOf(ctx, tx, c.CustomerID)
	if err != nil {
		return err
	}
	contacts, err := cs.contacts(ctx, tx, c.CustomerID, now, outbox.Notice{})
	if err != nil {
		return err
	}
	n.DueAt = cs.PolicyFor(who, choices).Slot(now, contact.ZonesOf(who, cs.fallback), contacts).At.Unix()
	_, err = outbox.Queue(ctx, tx, n, now.Unix())
	return err
}

// endFinal writes how an act ended, and moves its case past the step it waited at; what the step takes away is taken
// only when it was done.
func (cs *Cases) endFinal(ctx context.Context, tx *sql.Tx, f Final, status FinalStatus, actor, why string, now time.Time) error {
	won, err := changeFinal(ctx, tx, `status = $1, actor = $2, reason = $3, ended_at = $4 WHERE id = $5 AND status IN ('proposed', 'ordered')`,
		string(status), actor, why, now.Unix(), f.ID)
	if err != nil {
		return err
	}
	if !won {
		return fault.New(fault.Conflict, "Nothing waits for a decision here any more.")
	}
	err = writeLog(ctx, tx, Entry{CaseID: f.CaseID, At: now.Unix(), What: "final_" + string(status), Why: why, Actor: actor})
	if err != nil {
		return err
	}
	c, err := cs.Find(ctx, tx, f.CaseID)
	if err != nil || c.Status != Open {
		return err
	}
	in, err := cs.SituationOf(ctx, tx, c, now)
	if err != nil {
		return err
	}
	at := in.Plan.StepOf(f.Step)
	if at < c.Step {
		return nil
	}
	if status == FinalDone && in.Plan.Steps[at].Access.Tighter(c.Access) {
		c.Access = in.Plan.Steps[at].Access
	}
	c.Step, c.NextStepAt = at+1, 0
	return cs.reschedule(ctx, tx, c, now)
}

// dropProposal ends the proposal of a case that closes: there is nothing left to decide.
func dropProposal(ctx context.Context, tx *sql.Tx, caseID string, now time.Time) error {
	_, err := changeFinal(ctx, tx, `status = 'dropped', reason = 'The case closed before anybody decided.', ended_at = $1 WHERE case_id = $2 AND status = 'proposed'`,
		now.Unix(), caseID)
	return err
}
