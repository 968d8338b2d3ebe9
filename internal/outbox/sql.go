package outbox

import (
	"context"
	"database/sql"
)

const columns = `id, kind, channel, customer_id, case_id, step, subject_id, recipient, status, reason, counts,
	attempts, created_at, due_at, lease_until, settled_at, message_id, dated, subject, stumbles`

func insert(ctx context.Context, tx *sql.Tx, n Notice) (bool, error) {
	res, err := tx.ExecContext(ctx, `
		INSERT INTO notices (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $13, 0, $14, '', 0, '', 0)
		ON CONFLICT (kind, case_id, step, channel, subject_id) DO NOTHING`,
		n.ID, n.Kind, n.Channel, n.CustomerID, n.CaseID, n.Step, n.SubjectID, n.Recipient, n.Status, n.Reason,
		n.Counts, n.CreatedAt, n.DueAt, n.SettledAt)
	if err != nil {
		return false, err
	}
	added, err := res.RowsAffected()
	return added == 1, err
}

func selectNotices(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Notice, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+columns+` FROM notices `+where, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows)
}

func collect(rows *sql.Rows) ([]Notice, error) {
	defer rows.Close()
	var all []Notice
	for rows.Next() {
		var n Notice
		err := rows.Scan(&n.ID, &n.Kind, &n.Channel, &n.CustomerID, &n.CaseID, &n.Step, &n.SubjectID, &n.Recipient,
			&n.Status, &n.Reason, &n.Counts, &n.Attempts, &n.CreatedAt, &n.DueAt, &n.LeaseUntil, &n.SettledAt,
			&n.MessageID, &n.Dated, &n.Subject, &n.Stumbles)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, rows.Err()
}
