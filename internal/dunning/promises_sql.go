package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/fault"
)

func selectPromises(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Promise, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, case_id, customer_id, press, kind, day, due_at, look_at, method_id, status, actor,
			made_at, charged_at, ended_at, ended_by, why
		FROM promises `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read promises: %w", err)
	}
	defer rows.Close()
	var all []Promise
	for rows.Next() {
		var p Promise
		err = rows.Scan(&p.ID, &p.CaseID, &p.CustomerID, &p.Press, &p.Kind, &p.Day, &p.DueAt, &p.LookAt, &p.MethodID, &p.Status, &p.Actor,
			&p.MadeAt, &p.ChargedAt, &p.EndedAt, &p.EndedBy, &p.Why)
		if err != nil {
			return nil, fmt.Errorf("read promises: %w", err)
		}
		all = append(all, p)
	}
	err = rows.Err()
	if err != nil {
		return nil, fmt.Errorf("read promises: %w", err)
	}
	return all, fillPromised(ctx, tx, all)
}

// fillPromised reads what each promise is about, oldest invoice first, of all of them in one statement.
func fillPromised(ctx context.Context, tx *sql.Tx, all []Promise) error {
	if len(all) == 0 {
		return nil
	}
	ids, at := make([]string, len(all)), map[string]int{}
	for n, p := range all {
		ids[n], at[p.ID] = p.ID, n
	}
	marks, args := database.List(ids)
	rows, err := tx.QueryContext(ctx, `
		SELECT p.promise_id, p.invoice_id, p.amount, p.currency FROM promise_invoices p JOIN invoices i ON i.id = p.invoice_id
		WHERE p.promise_id IN (`+marks+`) ORDER BY i.created_at, i.id`, args...)
	if err != nil {
		return fmt.Errorf("read what was promised: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var promise string
		var named Promised
		err = rows.Scan(&promise, &named.Invoice, &named.Amount.Minor, &named.Amount.Currency)
		if err != nil {
			return fmt.Errorf("read what was promised: %w", err)
		}
		p := &all[at[promise]]
		p.Invoices = append(p.Invoices, named)
	}
	err = rows.Err()
	if err != nil {
		return fmt.Errorf("read what was promised: %w", err)
	}
	return nil
}

func onePromise(found []Promise, err error) (Promise, error) {
	if err != nil {
		return Promise{}, err
	}
	if len(found) == 0 {
		return Promise{}, fault.New(fault.NotFound, "There is no such promise.")
	}
	return found[0], nil
}

func insertPromise(ctx context.Context, tx *sql.Tx, p Promise) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO promises (id, case_id, customer_id, press, kind, day, due_at, look_at, method_id, status, actor,
			made_at, charged_at, ended_at, ended_by, why)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, '', '')`,
		p.ID, p.CaseID, p.CustomerID, p.Press, p.Kind, p.Day, p.DueAt, p.LookAt, p.MethodID, p.Status, p.Actor, p.MadeAt)
	if err != nil {
		return fmt.Errorf("keep a promise: %w", err)
	}
	for _, i := range p.Invoices {
		_, err = tx.ExecContext(ctx, `INSERT INTO promise_invoices (promise_id, invoice_id, amount, currency) VALUES ($1, $2, $3, $4)`,
			p.ID, i.Invoice, i.Amount.Minor, i.Amount.Currency)
		if err != nil {
			return fmt.Errorf("keep what was promised: %w", err)
		}
	}
	return nil
}

// endPromise ends an active promise and tells the case's story of it.
func endPromise(ctx context.Context, tx *sql.Tx, p Promise, status PromiseStatus, by, why string, now time.Time) error {
	res, err := tx.ExecContext(ctx, `
		UPDATE promises SET status = $1, ended_at = $2, ended_by = $3, why = $4 WHERE id = $5 AND status = 'active'`,
		status, now.Unix(), by, why, p.ID)
	if err != nil {
		return fmt.Errorf("end promise %s: %w", p.ID, err)
	}
	changed, err := res.RowsAffected()
	if err != nil || changed == 0 {
		return err
	}
	return writeLog(ctx, tx, Entry{CaseID: p.CaseID, At: now.Unix(), What: "promise_" + string(status), Why: promiseWords(p) + " " + why, Actor: by})
}

// countPromises answers how many dates the customer has set in a case, changed and withdrawn ones counted.
func countPromises(ctx context.Context, tx *sql.Tx, caseID string) (int, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM promises WHERE case_id = $1 AND actor = 'customer'`, caseID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count promises: %w", err)
	}
	return n, nil
}
