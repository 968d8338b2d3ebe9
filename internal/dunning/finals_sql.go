package dunning

import (
	"context"
	"database/sql"
	"fmt"

	"sollecito/internal/fault"
)

const finalColumns = `id, case_id, customer_id, step, act, status, actor, reason, proposed_at, ordered_at, ended_at, next_try_at`

func selectFinals(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Final, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+finalColumns+` FROM final_acts `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read final acts: %w", err)
	}
	defer rows.Close()
	var all []Final
	for rows.Next() {
		var f Final
		err = rows.Scan(&f.ID, &f.CaseID, &f.CustomerID, &f.Step, &f.Act, &f.Status, &f.Actor, &f.Reason, &f.ProposedAt, &f.OrderedAt, &f.EndedAt, &f.NextTryAt)
		if err != nil {
			return nil, fmt.Errorf("read final acts: %w", err)
		}
		all = append(all, f)
	}
	return all, rows.Err()
}

func oneFinal(found []Final, err error) (Final, error) {
	if err != nil {
		return Final{}, err
	}
	if len(found) == 0 {
		return Final{}, fault.New(fault.NotFound, "There is no final act.")
	}
	return found[0], nil
}

func insertFinal(ctx context.Context, tx *sql.Tx, f Final) (bool, error) {
	result, err := tx.ExecContext(ctx, `
		INSERT INTO final_acts (`+finalColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (case_id, step) DO NOTHING`,
		f.ID, f.CaseID, f.CustomerID, f.Step, string(f.Act), string(f.Status), f.Actor, f.Reason, f.ProposedAt, f.OrderedAt, f.EndedAt, f.NextTryAt)
	if err != nil {
		return false, fmt.Errorf("propose a final act: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// changeFinal changes an act if it still stands as the condition says, and answers whether it did.
func changeFinal(ctx context.Context, tx *sql.Tx, change string, args ...any) (bool, error) {
	result, err := tx.ExecContext(ctx, `UPDATE final_acts SET `+change, args...)
	if err != nil {
		return false, fmt.Errorf("change a final act: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

func selectTargets(ctx context.Context, tx *sql.Tx, finalID string) ([]Target, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT final_id, object, status, tried_at, ended_at, outcome FROM final_targets WHERE final_id = $1 ORDER BY object`, finalID)
	if err != nil {
		return nil, fmt.Errorf("read the targets of %s: %w", finalID, err)
	}
	defer rows.Close()
	var all []Target
	for rows.Next() {
		var t Target
		err = rows.Scan(&t.FinalID, &t.Object, &t.Status, &t.TriedAt, &t.EndedAt, &t.Outcome)
		if err != nil {
			return nil, fmt.Errorf("read the targets of %s: %w", finalID, err)
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

func insertTarget(ctx context.Context, tx *sql.Tx, t Target) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO final_targets (final_id, object, status, tried_at, ended_at, outcome) VALUES ($1, $2, $3, 0, 0, '')`,
		t.FinalID, t.Object, string(t.Status))
	if err != nil {
		return fmt.Errorf("keep target %s: %w", t.Object, err)
	}
	return nil
}

func updateTarget(ctx context.Context, tx *sql.Tx, t Target) error {
	_, err := tx.ExecContext(ctx, `UPDATE final_targets SET status = $1, tried_at = $2, ended_at = $3, outcome = $4 WHERE final_id = $5 AND object = $6`,
		string(t.Status), t.TriedAt, t.EndedAt, t.Outcome, t.FinalID, t.Object)
	if err != nil {
		return fmt.Errorf("keep target %s: %w", t.Object, err)
	}
	return nil
}
