package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
)

const caseColumns = `id, customer_id, campaign, campaign_version, status, access, step, opened_at, opened_day,
	rested_days, resting_since, next_step_at, consequence_at, closed_at, holdout, variant, puzzling`

func selectCases(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Case, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+caseColumns+` FROM cases `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []Case
	for rows.Next() {
		c, err := scanCase(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, rows.Err()
}

// scanCase reads a row of caseColumns, and what follows them into more.
func scanCase(rows *sql.Rows, more ...any) (Case, error) {
	var c Case
	var next sql.NullInt64
	err := rows.Scan(append([]any{&c.ID, &c.CustomerID, &c.Campaign, &c.CampaignVersion, &c.Status, &c.Access, &c.Step,
		&c.OpenedAt, &c.OpenedDay, &c.RestedDays, &c.RestingSince, &next, &c.ConsequenceAt, &c.ClosedAt, &c.Holdout, &c.Variant, &c.Puzzling}, more...)...)
	c.NextStepAt, c.stored = next.Int64, stage{c.Status, c.Access}
	return c, err
}

const newestFirst = `ORDER BY opened_at DESC, status = 'open' DESC, id`

// latestWithMembers answers the customer's newest case and the ids of the invoices it is about, in the order they joined;
// false when they never had one.
func latestWithMembers(ctx context.Context, tx *sql.Tx, customer string) (c Case, members []string, has bool, err error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT `+caseColumns+`, coalesce(invoice_id, '')
		FROM cases LEFT JOIN case_invoices ON case_id = id AND left_at = 0
		WHERE id = (SELECT id FROM cases WHERE customer_id = $1 `+newestFirst+` LIMIT 1)
		ORDER BY joined_at, invoice_id`, customer)
	if err != nil {
		return Case{}, nil, false, fmt.Errorf("read the latest case of %s: %w", customer, err)
	}
	defer rows.Close()
	for rows.Next() {
		invoice := ""
		c, err = scanCase(rows, &invoice)
		if err != nil {
			return Case{}, nil, false, fmt.Errorf("read the latest case of %s: %w", customer, err)
		}
		has = true
		if invoice != "" {
			members = append(members, invoice)
		}
	}
	return c, members, has, rows.Err()
}

// insertCase writes a case that begins, and tells of it.
func insertCase(ctx context.Context, tx *sql.Tx, c *Case) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO cases (`+caseColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		c.ID, c.CustomerID, c.Campaign, c.CampaignVersion, c.Status, c.Access, c.Step,
		c.OpenedAt, c.OpenedDay, c.RestedDays, c.RestingSince, nullable(c.NextStepAt), c.ConsequenceAt, c.ClosedAt, c.Holdout, c.Variant, c.Puzzling)
	if err != nil {
		return err
	}
	err = tell(ctx, tx, *c, time.Unix(c.OpenedAt, 0))
	c.stored = stage{c.Status, c.Access}
	return err
}

// updateCase writes what the schedule and the closing change, and tells of it; the rest of a case is fixed at its opening.
// Whoever changes a case's status or access writes it once.
func updateCase(ctx context.Context, tx *sql.Tx, c Case, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE cases SET status = $1, access = $2, step = $3, rested_days = $4, resting_since = $5,
			next_step_at = $6, consequence_at = $7, closed_at = $8, puzzling = $9
		WHERE id = $10`,
		c.Status, c.Access, c.Step, c.RestedDays, c.RestingSince, nullable(c.NextStepAt), c.ConsequenceAt, c.ClosedAt, c.Puzzling, c.ID)
	if err != nil {
		return err
	}
	return tell(ctx, tx, c, now)
}

// updateFrom is updateCase for a case of which is known how it is stored: most looks at one change nothing.
func updateFrom(ctx context.Context, tx *sql.Tx, was, c Case, now time.Time) error {
	if c == was {
		return nil
	}
	return updateCase(ctx, tx, c, now)
}

func nullable(instant int64) sql.NullInt64 { return sql.NullInt64{Int64: instant, Valid: instant != 0} }

func addMember(ctx context.Context, tx *sql.Tx, caseID, invoice string, now int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO case_invoices (case_id, invoice_id, joined_at, left_at) VALUES ($1, $2, $3, 0)
		ON CONFLICT (case_id, invoice_id) DO UPDATE SET left_at = 0`, caseID, invoice, now)
	if err != nil {
		return err
	}
	return billing.EnterCase(ctx, tx, invoice)
}

// leaveOther takes the invoice out of every other case of the customer.
func leaveOther(ctx context.Context, tx *sql.Tx, caseID, invoice string, now int64) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE case_invoices SET left_at = $1 WHERE invoice_id = $2 AND case_id <> $3 AND left_at = 0`, now, invoice, caseID)
	return err
}

// lastLeft answers when (unix seconds) the last invoice of the case went over to another one, 0 when none did.
func lastLeft(ctx context.Context, tx *sql.Tx, caseID string) (int64, error) {
	var at sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT max(left_at) FROM case_invoices WHERE case_id = $1`, caseID).Scan(&at)
	return at.Int64, err
}

// casesLeft answers the cases from which the invoice went over to another.
func casesLeft(ctx context.Context, tx *sql.Tx, invoice string) ([]string, error) {
	left, err := database.Strings(ctx, tx, `SELECT case_id FROM case_invoices WHERE invoice_id = $1 AND left_at > 0`, invoice)
	if err != nil {
		return nil, fmt.Errorf("read which cases %s left: %w", invoice, err)
	}
	return left, nil
}

// joinedSince answers the invoices of a case that joined it after the instant (unix seconds).
func joinedSince(ctx context.Context, tx *sql.Tx, caseID string, at int64) ([]string, error) {
	late, err := database.Strings(ctx, tx, `SELECT invoice_id FROM case_invoices WHERE case_id = $1 AND left_at = 0 AND joined_at > $2`, caseID, at)
	if err != nil {
		return nil, fmt.Errorf("read what joined %s late: %w", caseID, err)
	}
	return late, nil
}

// everMember reports whether the invoice was ever in a case.
func everMember(ctx context.Context, tx *sql.Tx, invoice string) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM case_invoices WHERE invoice_id = $1`, invoice).Scan(&n)
	return n > 0, err
}

func selectPauses(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Pause, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, case_id, reason, note, actor, since, until, ended_at FROM pauses `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Pause
	for rows.Next() {
		var p Pause
		err = rows.Scan(&p.ID, &p.CaseID, &p.Reason, &p.Note, &p.Actor, &p.Since, &p.Until, &p.EndedAt)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

func insertPause(ctx context.Context, tx *sql.Tx, p Pause) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO pauses (id, case_id, reason, note, actor, since, until, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`,
		database.NewID("pause"), p.CaseID, p.Reason, p.Note, p.Actor, p.Since, p.Until)
	return err
}

// Entry is one line of a case's story: what happened, why, and who did it.
type Entry struct {
	CaseID string
	At     int64
	What   string // a word: opened, joined, step, waits, paused, resumed, recovered, …
	Why    string // a Reason, or a sentence for staff
	Actor  string // a member of staff, "customer", or "" for the program
}

func writeLog(ctx context.Context, tx *sql.Tx, e Entry) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO case_log (id, case_id, at, what, why, actor) VALUES ($1, $2, $3, $4, $5, $6)`,
		database.NewID("log"), e.CaseID, e.At, e.What, e.Why, e.Actor)
	if err != nil {
		return fmt.Errorf("write the story of %s: %w", e.CaseID, err)
	}
	return nil
}
