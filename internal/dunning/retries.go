package dunning

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/fault"
)

// Retry is where our own tries of one invoice in one case stand. Instants are unix seconds.
type Retry struct {
	CaseID     string
	InvoiceID  string
	CustomerID string
	Number     int    // of the next one, from 1
	DueAt      int64  // when it is looked at, 0 when none is left
	NotBefore  int64  // put off until then by a rule, 0 by none
	Why        string // what it waits for, or why the last one did not run; for staff
}

// RetryOrder is a retry that may run now. Press names it for good, so that however often it is asked for, it is one.
type RetryOrder struct {
	Press    string
	Customer string
	Method   string
	Invoice  billing.Invoice
}

// busyRetry is how long a retry that somebody is at is left alone.
const busyRetry = 3 * time.Minute

// planRetries gives each invoice of a case its place on the campaign's own schedule, once.
func (cs *Cases) planRetries(ctx context.Context, tx *sql.Tx, c Case, plan campaign.Campaign, who billing.Customer, invoices []billing.Invoice) error {
	if plan.Retries == nil {
		return nil
	}
	zone := cs.Zone(who)
	for _, i := range invoices {
		if !i.Failed() {
			continue
		}
		since, err := cs.sinceFailure(ctx, tx, c, i, zone)
		if err != nil {
			return err
		}
		due := since.retryAt(1, *plan.Retries, i, zone)
		_, err = tx.ExecContext(ctx, `
			INSERT INTO retries (case_id, invoice_id, number, due_at, not_before, why) VALUES ($1, $2, 1, $3, 0, '')
			ON CONFLICT (case_id, invoice_id) DO NOTHING`, c.ID, i.ID, due.Unix())
		if err != nil {
			return fmt.Errorf("plan retries of %s: %w", i.ID, err)
		}
	}
	return nil
}

// retriesDue are found by their instant: SQLite takes a CROSS JOIN's tables in their order, and would go through all open cases.
const retriesDue = `FROM retries r CROSS JOIN cases c WHERE c.id = r.case_id AND r.due_at > 0 AND c.status = 'open' AND c.resting_since = 0`

// DueRetries answers up to limit retries that want to be looked at by now (unix seconds), of cases that don't rest.
func (cs *Cases) DueRetries(ctx context.Context, tx *sql.Tx, now int64, limit int) ([]Retry, error) {
	return selectRetries(ctx, tx, retriesDue+` AND r.due_at <= $1 ORDER BY r.due_at, r.invoice_id LIMIT $2`, now, limit)
}

// NextRetry answers when the next retry wants to be looked at, 0 when none does.
func (cs *Cases) NextRetry(ctx context.Context, tx *sql.Tx) (int64, error) {
	var at int64
	err := tx.QueryRowContext(ctx, `SELECT r.due_at `+retriesDue+` ORDER BY r.due_at LIMIT 1`).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return at, err
}

// RetriesOf answers where the retries of a case stand, by invoice.
func (cs *Cases) RetriesOf(ctx context.Context, tx *sql.Tx, caseID string) ([]Retry, error) {
	return selectRetries(ctx, tx, `FROM retries r JOIN cases c ON c.id = r.case_id WHERE r.case_id = $1 ORDER BY r.invoice_id`, caseID)
}

// TakeRetry looks at a retry that is due, by what is stored now: its order when it may run, which changes nothing yet;
// else it is put off, or passed over for the next one, with the reason kept. Asked again after the order was carried
// out, it goes on to the next one.
func (cs *Cases) TakeRetry(ctx context.Context, tx *sql.Tx, r Retry, now time.Time) (RetryOrder, bool, error) {
	c, err := cs.held(ctx, tx, r.CaseID)
	if err != nil {
		return RetryOrder{}, false, err
	}
	found, err := selectRetries(ctx, tx, `FROM retries r JOIN cases c ON c.id = r.case_id WHERE r.case_id = $1 AND r.invoice_id = $2`, r.CaseID, r.InvoiceID)
	if err != nil || len(found) == 0 || c.Status != Open || c.RestingSince > 0 {
		return RetryOrder{}, false, err
	}
	r = found[0]
	i, err := billing.FindInvoice(ctx, tx, r.InvoiceID)
	if err != nil || r.DueAt == 0 || r.DueAt > now.Unix() {
		return RetryOrder{}, false, err
	}
	turn, err := cs.turnOf(ctx, tx, c, i, r)
	if err != nil {
		return RetryOrder{}, false, err
	}
	order, err := turn.look(ctx, tx, now)
	if err != nil {
		return RetryOrder{}, false, err
	}
	if order != nil {
		return *order, true, nil
	}
	if turn.Why != r.Why && turn.Why != "" {
		err = writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: "retry", Why: "Our retry " + fmt.Sprint(r.Number) + " of invoice " + nameOf(i) + " did not run. " + turn.Why})
		if err != nil {
			return RetryOrder{}, false, err
		}
	}
	return RetryOrder{}, false, updateRetry(ctx, tx, turn.Retry)
}

// turn is a retry whose turn may have come, with its plan.
type turn struct {
	Retry
	plan    campaign.Retries
	c       Case
	invoice billing.Invoice
	zone    *time.Location
}

func (cs *Cases) turnOf(ctx context.Context, tx *sql.Tx, c Case, i billing.Invoice, r Retry) (*turn, error) {
	plans, err := cs.Campaigns(ctx, tx)
	if err != nil {
		return nil, err
	}
	who, err := billing.FindCustomer(ctx, tx, c.CustomerID)
	if err != nil {
		return nil, err
	}
	t := &turn{Retry: r, invoice: i, zone: cs.Zone(who)}
	t.c, err = cs.sinceFailure(ctx, tx, c, i, t.zone)
	if err != nil {
		return nil, err
	}
	plan := plans.Find(c.Campaign, c.CampaignVersion).Retries
	if plan != nil {
		t.plan = *plan
	}
	return t, nil
}

// sinceFailure answers a case with those of its days that rested which came after an invoice failed: what rested before
// it joined the case moves none of its retries.
func (cs *Cases) sinceFailure(ctx context.Context, tx *sql.Tx, c Case, i billing.Invoice, zone *time.Location) (Case, error) {
	if c.RestedDays == 0 || i.FailedAt <= c.OpenedAt {
		return c, nil
	}
	before, err := cs.restedSince(ctx, tx, c, time.Unix(c.OpenedAt, 0), time.Unix(i.FailedAt, 0), zone)
	if err != nil {
		return Case{}, fmt.Errorf("count the days that rested before %s failed: %w", i.ID, err)
	}
	c.RestedDays = max(0, c.RestedDays-before)
	return c, nil
}

// look answers the order of a retry that may run; otherwise it moves the turn.
func (t *turn) look(ctx context.Context, tx *sql.Tx, now time.Time) (*RetryOrder, error) {
	if !t.invoice.Open() || t.Number > len(t.plan.Days) {
		t.DueAt, t.Why = 0, ""
		return nil, nil
	}
	press := fmt.Sprintf("retry %d of %s", t.Number, t.InvoiceID)
	made, err := billing.AttemptsOf(ctx, tx, t.CustomerID, press)
	switch {
	case err != nil:
		return nil, err
	case len(made) > 0 && made[0].Status == billing.AttemptStarted:
		t.DueAt = now.Add(busyRetry).Unix()
		return nil, nil
	case len(made) > 0:
		t.pass("")
		return nil, nil
	}
	due := max(t.c.retryAt(t.Number, t.plan, t.invoice, t.zone).Unix(), t.NotBefore)
	if due > now.Unix() { // it rested meanwhile
		t.DueAt = due
		return nil, nil
	}
	paying, err := payingNow(ctx, tx, t.CustomerID, now)
	if err != nil {
		return nil, err
	}
	if paying { // the customer is at it themselves
		t.DueAt = now.Add(payingTime).Unix()
		return nil, nil
	}
	for _, refuses := range []func(billing.Invoice) (string, bool){stripeTries, unchargeable} {
		why, is := refuses(t.invoice)
		if is {
			t.pass(why)
			return nil, nil
		}
	}
	method, err := billing.MethodFor(ctx, tx, t.invoice)
	if err != nil {
		return nil, err
	}
	if method == "" {
		t.pass("There is no card to charge.")
		return nil, nil
	}
	verdict, err := billing.MayCharge(ctx, tx, "", billing.BySchedule, t.invoice, method, now)
	switch {
	case err != nil:
		return nil, err
	case verdict.Allowed:
		return &RetryOrder{Press: press, Customer: t.CustomerID, Method: method, Invoice: t.invoice}, nil
	case verdict.After > 0:
		t.DueAt, t.NotBefore, t.Why = verdict.After, verdict.After, verdict.Why.Words()
	default:
		t.pass(verdict.Why.Words())
	}
	return nil, nil
}

// pass goes on to the next retry.
func (t *turn) pass(why string) {
	t.Number++
	t.NotBefore, t.Why, t.DueAt = 0, why, 0
	if t.Number <= len(t.plan.Days) {
		t.DueAt = t.c.retryAt(t.Number, t.plan, t.invoice, t.zone).Unix()
	}
}

// PutRetryOff makes the schedule look at a retry again only at the instant at.
func (cs *Cases) PutRetryOff(ctx context.Context, tx *sql.Tx, r Retry, at time.Time, why string) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE retries SET due_at = $1, why = $2 WHERE case_id = $3 AND invoice_id = $4 AND number = $5 AND due_at > 0`,
		at.Unix(), why, r.CaseID, r.InvoiceID, r.Number)
	return err
}

// MayActFor reports whether a customer may be charged without their press now, and if not, says why for staff: their case
// rests. chosen says that the customer has just chosen another card, which answers a consent they had withdrawn.
func (cs *Cases) MayActFor(ctx context.Context, tx *sql.Tx, customer string, chosen bool) (bool, string, error) {
	c, err := cs.OpenOf(ctx, tx, customer)
	if fault.Is(err, fault.NotFound) {
		return true, "", nil
	}
	if err != nil {
		return false, "", err
	}
	active, err := cs.ActivePauses(ctx, tx, c.ID)
	if err != nil {
		return false, "", err
	}
	for _, p := range active {
		if p.Reason != PauseConsent || !chosen {
			return false, pauseWords[p.Reason], nil
		}
	}
	return true, "", nil
}

// Tell writes into the story of a customer's newest case; a customer without one has no story.
func (cs *Cases) Tell(ctx context.Context, tx *sql.Tx, customer, what, why string, now time.Time) error {
	c, err := cs.LatestOf(ctx, tx, customer)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: what, Why: why})
}

func updateRetry(ctx context.Context, tx *sql.Tx, r Retry) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE retries SET number = $1, due_at = $2, not_before = $3, why = $4 WHERE case_id = $5 AND invoice_id = $6`,
		r.Number, r.DueAt, r.NotBefore, r.Why, r.CaseID, r.InvoiceID)
	return err
}

func selectRetries(ctx context.Context, tx *sql.Tx, from string, args ...any) ([]Retry, error) {
	rows, err := tx.QueryContext(ctx, `SELECT r.case_id, r.invoice_id, c.customer_id, r.number, r.due_at, r.not_before, r.why `+from, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Retry
	for rows.Next() {
		var r Retry
		err = rows.Scan(&r.CaseID, &r.InvoiceID, &r.CustomerID, &r.Number, &r.DueAt, &r.NotBefore, &r.Why)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}
