package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// Faults of a promise that cannot be made: the Message of its fault.
const (
	FaultPromiseDay   = "Choose one of the days offered."
	FaultPromiseMost  = "No more dates can be set for this."
	FaultPromiseSum   = "The sum has changed since it was shown."
	FaultPromiseEnded = "There is nothing to promise any more."
	FaultPromiseBusy  = "It is being charged just now."
)

// canPromise answers the days on which the customer may still set a date for the case, none when they may not, and how
// many times they may. made are those set so far.
func (cs *Cases) canPromise(c Case, made []Promise, zone *time.Location, now time.Time) (days []time.Time, left int) {
	left = cs.promises.PerCase
	for _, p := range made {
		if p.CaseID == c.ID && p.Actor == "customer" {
			left--
		}
	}
	if c.Status != Open || left <= 0 {
		return nil, 0
	}
	return cs.promises.PromiseDays(c, now, zone), left
}

// Promise keeps a date that was set, lets the case rest until then and queues the letter that confirms it. p carries
// the case, press, kind, day, method, actor and invoices as they were shown; an active promise of the case is replaced
// and the case goes on resting. The same press twice is one. Customers are held to the rules, staff only to 60 days.
// fault.Invalid for a day that is not offered, fault.TooMany after too many, fault.Conflict when the case has ended,
// an amount has changed, or the promise it would replace is being charged.
func (cs *Cases) Promise(ctx context.Context, tx *sql.Tx, p Promise, now time.Time) (Promise, error) {
	c, err := cs.held(ctx, tx, p.CaseID)
	if err != nil {
		return Promise{}, err
	}
	before, err := onePromise(selectPromises(ctx, tx, `WHERE press = $1`, p.Press))
	if err == nil && before.CaseID != c.ID {
		return Promise{}, fault.New(fault.Conflict, "The form is not one of ours.")
	}
	if err == nil || !fault.Is(err, fault.NotFound) {
		return before, err
	}
	if c.Status != Open {
		return Promise{}, fault.New(fault.Conflict, FaultPromiseEnded)
	}
	who, err := billing.FindCustomer(ctx, tx, c.CustomerID)
	if err != nil {
		return Promise{}, err
	}
	day, err := cs.promisedDay(ctx, tx, c, p, cs.Zone(who), now)
	if err != nil {
		return Promise{}, err
	}
	err = stillAsShown(ctx, tx, c, p)
	if err != nil {
		return Promise{}, err
	}
	p.ID, p.CustomerID, p.Status, p.MadeAt = database.NewID("prm"), c.CustomerID, PromiseActive, now.Unix()
	p.DueAt = PromiseDue(p.Kind, day).Unix()
	p.LookAt = p.DueAt
	if p.Kind == PromiseSelf {
		p.MethodID = ""
	}
	err = cs.replacePromise(ctx, tx, &c, p, now)
	if err != nil {
		return Promise{}, err
	}
	err = updateCase(ctx, tx, c, now)
	if err != nil {
		return Promise{}, err
	}
	return p, cs.confirm(ctx, tx, p, who, now)
}

// withDayAhead answers the case without the day of its next consequence where that takes nothing any more: an exhausted case
// before it had taken it, so that nobody was told of that day.
func (cs *Cases) withDayAhead(ctx context.Context, tx *sql.Tx, c Case) (Case, error) {
	if !c.Limited() || c.ConsequenceAt == 0 {
		return c, nil
	}
	plan, err := cs.campaigns.Find(ctx, tx, c.Campaign, c.CampaignVersion)
	if err != nil {
		return Case{}, err
	}
	ahead := plan.Walked(c.Variant).Steps
	ahead = ahead[min(c.Step, len(ahead)):]
	next := slices.IndexFunc(ahead, func(s campaign.Step) bool { return s.Consequence })
	if next >= 0 && !c.Loses(ahead[next]) {
		c.ConsequenceAt = 0
	}
	return c, nil
}

// promisedDay checks the day of a promise by the rules for who makes it.
func (cs *Cases) promisedDay(ctx context.Context, tx *sql.Tx, c Case, p Promise, zone *time.Location, now time.Time) (time.Time, error) {
	days := StaffPromiseDays(now, zone)
	if p.Actor == "customer" {
		made, err := countPromises(ctx, tx, c.ID)
		if err != nil {
			return time.Time{}, err
		}
		if made >= cs.promises.PerCase {
			return time.Time{}, fault.New(fault.TooMany, FaultPromiseMost)
		}
		c, err = cs.withDayAhead(ctx, tx, c)
		if err != nil {
			return time.Time{}, err
		}
		days = cs.promises.PromiseDays(c, now, zone)
	}
	for _, day := range days {
		if day.Format(dayLayout) == p.Day {
			return day, nil
		}
	}
	return time.Time{}, fault.New(fault.Invalid, FaultPromiseDay)
}

// stillAsShown holds what a promise names against what is stored.
func stillAsShown(ctx context.Context, tx *sql.Tx, c Case, p Promise) error {
	if len(p.Invoices) == 0 || p.Kind == PromiseCharge && p.MethodID == "" {
		return fault.New(fault.Conflict, FaultPromiseEnded)
	}
	for _, named := range p.Invoices {
		i, err := billing.FindInvoice(ctx, tx, named.Invoice)
		if err != nil {
			return err
		}
		if i.CustomerID != c.CustomerID {
			return fault.New(fault.NotFound, "There is no invoice %s.", named.Invoice)
		}
		if !promisable(i, p.Kind) || i.Remaining() != named.Amount {
			return fault.New(fault.Conflict, FaultPromiseSum)
		}
	}
	return nil
}

// replacePromise ends the promise before, keeps the new one and makes it the case's pause: begun, or moved when the
// case already rests for one, so that the days count once.
func (cs *Cases) replacePromise(ctx context.Context, tx *sql.Tx, c *Case, p Promise, now time.Time) error {
	err := withdraw(ctx, tx, c.ID, p.Actor, "Another date was set.", now)
	if err != nil {
		return err
	}
	err = insertPromise(ctx, tx, p)
	if err != nil {
		return err
	}
	active, err := cs.ActivePauses(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	note := promiseWords(p)
	_, rests := find(active, PausePromise)
	if !rests {
		return cs.begin(ctx, tx, c, Pause{CaseID: c.ID, Reason: PausePromise, Note: note, Actor: p.Actor, Since: now.Unix(), Until: p.DueAt})
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE pauses SET until = $1, note = $2, actor = $3 WHERE case_id = $4 AND reason = 'promise' AND ended_at = 0`,
		p.DueAt, note, p.Actor, c.ID)
	if err != nil {
		return fmt.Errorf("move the promise of %s: %w", c.ID, err)
	}
	return writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: "promise_moved", Why: note, Actor: p.Actor})
}

func promiseWords(p Promise) string {
	said := p.Day
	day, err := time.Parse(dayLayout, p.Day)
	if err == nil {
		said = day.Format("Monday 2 January 2006")
	}
	if p.Kind == PromiseCharge {
		return "To be charged on " + said + "."
	}
	return "They pay by themselves by " + said + "."
}

// confirm queues the letter that says what was agreed: an answer to what the customer did, outside the cap.
func (cs *Cases) confirm(ctx context.Context, tx *sql.Tx, p Promise, who billing.Customer, now time.Time) error {
	n := outbox.Notice{Kind: outbox.Promised, Channel: outbox.Email, CustomerID: p.CustomerID, CaseID: p.CaseID, SubjectID: p.ID, Recipient: who.Email}
	if who.Email == "" {
		return outbox.Skip(ctx, tx, n, "There is no address on file; the date shows on the customer's page.", now.Unix())
	}
	_, err := outbox.Queue(ctx, tx, n, now.Unix())
	return err
}

// FindPromise answers a promise, or fault.NotFound.
func (cs *Cases) FindPromise(ctx context.Context, tx *sql.Tx, id string) (Promise, error) {
	return onePromise(selectPromises(ctx, tx, `WHERE id = $1`, id))
}

// ActivePromise answers the case's promise under way, or fault.NotFound.
func (cs *Cases) ActivePromise(ctx context.Context, tx *sql.Tx, caseID string) (Promise, error) {
	return onePromise(selectPromises(ctx, tx, `WHERE case_id = $1 AND status = 'active'`, caseID))
}

// PromisesOf answers a customer's promises, oldest first.
func (cs *Cases) PromisesOf(ctx context.Context, tx *sql.Tx, customer string) ([]Promise, error) {
	return selectPromises(ctx, tx, `WHERE customer_id = $1 ORDER BY made_at, id`, customer)
}

// DuePromises answers the ids of up to limit active promises to be looked at by now.
func (cs *Cases) DuePromises(ctx context.Context, tx *sql.Tx, now time.Time, limit int) ([]string, error) {
	return database.Strings(ctx, tx, `SELECT id FROM promises WHERE status = 'active' AND look_at <= $1 ORDER BY look_at, id LIMIT $2`, now.Unix(), limit)
}

// NextPromise answers the earliest instant at which a promise wants to be looked at.
func (cs *Cases) NextPromise(ctx context.Context, tx *sql.Tx) (int64, bool, error) {
	var at sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT min(look_at) FROM promises WHERE status = 'active'`).Scan(&at)
	return at.Int64, at.Valid, err
}

// LookLater puts the next look at an active promise off.
func (cs *Cases) LookLater(ctx context.Context, tx *sql.Tx, id string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE promises SET look_at = $1 WHERE id = $2 AND status = 'active'`, at.Unix(), id)
	return err
}

// BeginCharging marks a promise as being charged, so that nobody withdraws it meanwhile, and answers what is to be
// charged: what it names and can still be charged, at what remains now. why says in words for staff why nothing is,
// waits that a bank is still working on what it names. fault.Conflict when it is not active, or not due.
func (cs *Cases) BeginCharging(ctx context.Context, tx *sql.Tx, id string, now time.Time) (charge []Promised, why string, waits bool, err error) {
	p, err := cs.heldPromise(ctx, tx, id)
	if err != nil {
		return nil, "", false, err
	}
	if p.Status != PromiseActive || p.Kind != PromiseCharge || p.DueAt > now.Unix() {
		return nil, "", false, fault.New(fault.Conflict, FaultPromiseEnded)
	}
	u, err := unknownTime(ctx, tx)
	if err != nil {
		return nil, "", false, err
	}
	if p.MadeAt <= u.From && p.DueAt <= u.Until {
		return nil, whyCopied, false, nil
	}
	if p.ChargedAt == 0 { // what was begun is ended
		disputed, err := cs.disputeRuns(ctx, tx, p.CaseID)
		if err != nil {
			return nil, "", false, fmt.Errorf("look for disputes before a charge: %w", err)
		}
		if disputed {
			return nil, whyDisputed, false, nil
		}
	}
	for _, named := range p.Invoices {
		i, err := billing.FindInvoice(ctx, tx, named.Invoice)
		if err != nil {
			return nil, "", false, err
		}
		switch {
		case i.Processing():
			waits = true
		case promisable(i, PromiseCharge) && i.AmountRemaining > named.Amount.Minor:
			return nil, "More is owed than was agreed, so nothing was charged.", false, nil
		case promisable(i, PromiseCharge):
			charge = append(charge, Promised{Invoice: i.ID, Amount: i.Remaining()})
		}
	}
	if len(charge) == 0 {
		return nil, "It can no longer be charged like that: the bank has refused the card for good, disputes it, or part of it was paid.", waits, nil
	}
	_, err = tx.ExecContext(ctx, `UPDATE promises SET charged_at = $1 WHERE id = $2 AND charged_at = 0`, now.Unix(), id)
	return charge, "", false, err
}

// NotCharged takes back that charging began: nothing was asked for.
func (cs *Cases) NotCharged(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `UPDATE promises SET charged_at = 0 WHERE id = $1 AND status = 'active'`, id)
	return err
}

// BreakPromise ends an active promise that was not kept, for a reason staff read, and lets the case go on; the
// customer is told with the next reminder. One that is not charged because of a dispute is not broken by them but taken
// back. One that has ended stays as it is.
func (cs *Cases) BreakPromise(ctx context.Context, tx *sql.Tx, id, why string, now time.Time) error {
	p, err := cs.heldPromise(ctx, tx, id)
	if err != nil || p.Status != PromiseActive {
		return err
	}
	status := PromiseBroken
	if why == whyDisputed {
		status = PromiseWithdrawn
	}
	err = endPromise(ctx, tx, p, status, "", why, now)
	if err != nil {
		return err
	}
	return cs.Resume(ctx, tx, p.CaseID, "", now, PausePromise)
}

// WithdrawPromise takes back the case's active promise, for the customer ("customer") or a member of staff; the case
// goes on. fault.Conflict when there is none, or it is being charged just now.
func (cs *Cases) WithdrawPromise(ctx context.Context, tx *sql.Tx, caseID, actor string, now time.Time) error {
	c, err := cs.held(ctx, tx, caseID)
	if err != nil {
		return err
	}
	_, err = cs.ActivePromise(ctx, tx, c.ID)
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.Conflict, "No date is set any more.")
	}
	if err != nil {
		return err
	}
	err = withdraw(ctx, tx, c.ID, actor, "It was taken back.", now)
	if err != nil {
		return err
	}
	return cs.Resume(ctx, tx, c.ID, actor, now, PausePromise)
}

// TakeBackCharge takes back the day on which the case was to be charged, for a customer who has said something else
// since; why says what. Without such a day it changes nothing, and a charge that is being made just now cannot be taken
// back. A day by which they pay by themselves stays.
func (cs *Cases) TakeBackCharge(ctx context.Context, tx *sql.Tx, c Case, why string, now time.Time) error {
	p, err := cs.ActivePromise(ctx, tx, c.ID)
	if fault.Is(err, fault.NotFound) || err == nil && (p.Kind != PromiseCharge || p.ChargedAt > 0) {
		return nil
	}
	if err != nil {
		return err
	}
	err = endPromise(ctx, tx, p, PromiseWithdrawn, "customer", why, now)
	if err != nil {
		return err
	}
	return cs.Resume(ctx, tx, c.ID, "customer", now, PausePromise)
}

// heldPromise answers a promise whose customer is held until the transaction ends.
func (cs *Cases) heldPromise(ctx context.Context, tx *sql.Tx, id string) (Promise, error) {
	p, err := cs.FindPromise(ctx, tx, id)
	if err != nil {
		return Promise{}, err
	}
	err = database.Hold(ctx, tx, p.CustomerID)
	if err != nil {
		return Promise{}, err
	}
	return cs.FindPromise(ctx, tx, id)
}

// withdraw ends the active promise of a case, when there is one. fault.Conflict while it is being charged.
func withdraw(ctx context.Context, tx *sql.Tx, caseID, actor, why string, now time.Time) error {
	p, err := onePromise(selectPromises(ctx, tx, `WHERE case_id = $1 AND status = 'active'`, caseID))
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if p.ChargedAt > 0 {
		return fault.New(fault.Conflict, FaultPromiseBusy)
	}
	return endPromise(ctx, tx, p, PromiseWithdrawn, actor, why, now)
}

// beingCharged reports whether the case's promise is being charged, so that its pause may not be lifted.
func beingCharged(ctx context.Context, tx *sql.Tx, caseID string) (bool, error) {
	found, err := selectPromises(ctx, tx, `WHERE case_id = $1 AND status = 'active' AND charged_at > 0`, caseID)
	return len(found) > 0, err
}

// settlePromise ends the case's promise when nothing it names is open any more: kept when any of it was paid. The
// case then rests for it no longer.
func (cs *Cases) settlePromise(ctx context.Context, tx *sql.Tx, c *Case, invoices []billing.Invoice, now time.Time) error {
	if c.RestingSince == 0 { // for none
		return nil
	}
	p, err := cs.ActivePromise(ctx, tx, c.ID)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	status, why := PromiseWithdrawn, "What it was about is not owed any more."
	for _, i := range invoices {
		if !p.Names(i.ID) {
			continue
		}
		if i.Open() {
			return nil
		}
		if i.Paid() {
			status, why = PromiseKept, "What it was about is paid."
		}
	}
	err = endPromise(ctx, tx, p, status, "", why, now)
	if err != nil {
		return err
	}
	active, err := cs.ActivePauses(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	rests, ok := find(active, PausePromise)
	if !ok {
		return nil
	}
	return cs.end(ctx, tx, c, rests, "", now)
}
