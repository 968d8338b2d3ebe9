package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// ReleasedPerDay is how many imported cases go back on their schedule a day: what an account gathered over months
// must not leave as one burst, for the sake of the mails' reputation and of those who answer the replies.
const ReleasedPerDay = 100

const restImported = `FROM cases c JOIN pauses p ON p.case_id = c.id AND p.ended_at = 0 AND p.reason = 'imported' WHERE c.status = 'open'`

// Imported counts the cases that rest as imported and what they owe, by currency, never added up.
func (cs *Cases) Imported(ctx context.Context, tx *sql.Tx) (resting int, owed []billing.Money, err error) {
	err = tx.QueryRowContext(ctx, `SELECT count(*) `+restImported).Scan(&resting)
	if err != nil {
		return 0, nil, fmt.Errorf("count imported cases: %w", err)
	}
	owed, err = sums(ctx, tx, `
		SELECT cast(sum(i.amount_remaining) AS bigint), i.currency
		FROM cases c JOIN pauses p ON p.case_id = c.id AND p.ended_at = 0 AND p.reason = 'imported'
			JOIN case_invoices m ON m.case_id = c.id AND m.left_at = 0 JOIN invoices i ON i.id = m.invoice_id
		WHERE c.status = 'open' AND i.status = 'open' AND i.amount_remaining > 0
		GROUP BY i.currency ORDER BY count(*) DESC, i.currency`)
	return resting, owed, err
}

// CountUnreleased answers how many imported cases nobody released yet.
func (cs *Cases) CountUnreleased(ctx context.Context, tx *sql.Tx) (int, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) `+restImported+` AND p.until = 0`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count imported cases: %w", err)
	}
	return n, nil
}

// Unreleased answers the ids of up to limit imported cases nobody released yet, past the first offset, those with the
// least old debts first: they are likeliest to be paid.
func (cs *Cases) Unreleased(ctx context.Context, tx *sql.Tx, limit, offset int) ([]string, error) {
	return database.Strings(ctx, tx, `
		SELECT c.id `+restImported+` AND p.until = 0
		ORDER BY (SELECT min(CASE WHEN i.collection_method = 'send_invoice' THEN i.due_at ELSE i.failed_at END)
			FROM case_invoices m JOIN invoices i ON i.id = m.invoice_id WHERE m.case_id = c.id AND m.left_at = 0) DESC, c.id
		LIMIT $1 OFFSET $2`, limit, offset)
}

// Waiting is an imported case and what would come of its release.
type Waiting struct {
	Case    Case
	Who     billing.Customer
	Owes    []billing.Money
	Class   billing.Class
	Since   int64 // unix seconds since when the oldest of its invoices is overdue
	First   Planned
	Comes   bool   // whether First is one
	Channel string // how the first message would go out: mail, app, "" for neither
	Also    bool   // it rests for another reason too: releasing starts nothing yet
}

// WaitingOf answers what would come of a case when it is released at the instant. fault.NotFound when there is no
// such case.
func (cs *Cases) WaitingOf(ctx context.Context, tx *sql.Tx, id string, at time.Time) (Waiting, error) {
	c, err := cs.Find(ctx, tx, id)
	if err != nil {
		return Waiting{}, err
	}
	who, err := billing.FindCustomer(ctx, tx, c.CustomerID)
	if err != nil {
		return Waiting{}, err
	}
	w := Waiting{Case: c, Who: who}
	invoices, err := cs.InvoicesOf(ctx, tx, c)
	if err != nil {
		return Waiting{}, err
	}
	var open []billing.Invoice
	var amounts []billing.Money
	for _, i := range invoices {
		if !i.Open() {
			continue
		}
		open = append(open, i)
		amounts = append(amounts, i.Remaining())
		if w.Since == 0 || i.Since() < w.Since {
			w.Since = i.Since()
		}
	}
	w.Class, w.Owes = classOf(open), billing.Totals(amounts)
	active, err := cs.ActivePauses(ctx, tx, id)
	if err != nil {
		return Waiting{}, err
	}
	w.Also = len(active) > 1
	in, err := cs.SituationOf(ctx, tx, c, at)
	if err != nil {
		return Waiting{}, err
	}
	c.RestedDays += c.Resting(at, in.Zones[0])
	c.RestingSince = 0
	for _, p := range c.Ahead(in) {
		if len(p.Step.Channels) == 0 {
			continue
		}
		w.First, w.Comes = p, true
		switch {
		case p.Step.Has(outbox.Email) && who.Email != "" && !(cs.stripeMails && !p.Step.Announces && !p.Step.Consequence):
			w.Channel = "mail"
		case p.Step.Has(outbox.App):
			w.Channel = "app"
		}
		break
	}
	return w, nil
}

// Release lets an imported case go back on its schedule from the instant on: now, or a later day when many are
// released at once. It answers whether it did; a case that no longer waits, or that somebody released already, stays
// as it is.
func (cs *Cases) Release(ctx context.Context, tx *sql.Tx, caseID, actor string, from, now time.Time) (bool, error) {
	res, err := tx.ExecContext(ctx, `
		UPDATE pauses SET until = $1, actor = $2
		WHERE case_id = $3 AND reason = 'imported' AND ended_at = 0 AND until = 0
			AND EXISTS (SELECT 1 FROM cases WHERE id = $3 AND status = 'open')`, from.Unix(), actor, caseID)
	if err != nil {
		return false, fmt.Errorf("release case %s: %w", caseID, err)
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return false, err
	}
	if from.After(now) {
		why := "Released; reminders go on from " + from.UTC().Format("2 January 2006") + "."
		return true, writeLog(ctx, tx, Entry{CaseID: caseID, At: now.Unix(), What: "released", Why: why, Actor: actor})
	}
	err = cs.Resume(ctx, tx, caseID, actor, now, PauseImported)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}
