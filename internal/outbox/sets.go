package outbox

import (
	"context"
	"database/sql"
	"fmt"

	"sollecito/internal/database"
)

// What is asked or kept about many at once is one statement, whose answer is by id. Unknown ids are left out.

// StillQueued answers which of the notices wait to be sent.
func StillQueued(ctx context.Context, tx *sql.Tx, ids []string) (map[string]bool, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	marks, args := database.List(ids)
	return marked(database.Strings(ctx, tx, `SELECT id FROM notices WHERE status = 'queued' AND id IN (`+marks+`)`, args...))
}

func marked(ids []string, err error) (map[string]bool, error) {
	if err != nil {
		return nil, fmt.Errorf("look through notices: %w", err)
	}
	all := make(map[string]bool, len(ids))
	for _, id := range ids {
		all[id] = true
	}
	return all, nil
}

// ContactsOf answers Contacts for several customers.
func ContactsOf(ctx context.Context, tx *sql.Tx, customers []string, since int64) (map[string][]Contact, error) {
	all := make(map[string][]Contact, len(customers))
	if len(customers) == 0 {
		return all, nil
	}
	marks, args := database.List(customers)
	rows, err := tx.QueryContext(ctx, fmt.Sprintf(`
		SELECT customer_id, min(CASE WHEN settled_at > 0 THEN settled_at ELSE dated END) AS at, case_id, step
		FROM notices
		WHERE customer_id IN (%s) AND counts AND status IN ('sent', 'uncertain', 'sending')
		GROUP BY customer_id, case_id, step, subject_id
		HAVING min(CASE WHEN settled_at > 0 THEN settled_at ELSE dated END) >= $%d
		ORDER BY 2`, marks, len(args)+1), append(args, since)...)
	if err != nil {
		return nil, fmt.Errorf("read contacts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var customer string
		var c Contact
		err = rows.Scan(&customer, &c.At, &c.CaseID, &c.Step)
		if err != nil {
			return nil, fmt.Errorf("read contacts: %w", err)
		}
		all[customer] = append(all[customer], c)
	}
	return all, rows.Err()
}

// Suppressed answers which of the addresses get no mail any more and why, by their normal form.
func Suppressed(ctx context.Context, tx *sql.Tx, addresses []string) (map[string]Suppression, error) {
	all := map[string]Suppression{}
	if len(addresses) == 0 {
		return all, nil
	}
	normal := make([]string, len(addresses))
	for i, a := range addresses {
		normal[i] = Normal(a)
	}
	marks, args := database.List(normal)
	found, err := selectSuppressions(ctx, tx, `WHERE lifted_at = 0 AND address IN (`+marks+`)`, args...)
	if err != nil {
		return nil, err
	}
	for _, s := range found {
		all[s.Address] = s
	}
	return all, nil
}

// BeginAll is Begin for several notices. It answers which of them were still queued; nothing may be sent of the others.
func BeginAll(ctx context.Context, tx *sql.Tx, notices []Notice, lease int64) (map[string]bool, error) {
	if len(notices) == 0 {
		return nil, nil
	}
	args := []any{lease}
	for _, n := range notices {
		args = append(args, n.ID, n.MessageID, n.Dated, n.Subject, n.Copy, n.Recipient)
	}
	rows := database.Rows(2, len(notices), `($%d, $%d, cast($%d AS BIGINT), $%d, $%d, $%d)`, 6)
	return marked(database.Strings(ctx, tx, `
		WITH written (id, message_id, dated, subject, copy, recipient) AS (VALUES `+rows+`)
		UPDATE notices SET status = 'sending', lease_until = $1, attempts = attempts + 1, message_id = written.message_id,
			dated = written.dated, subject = written.subject, copy = written.copy, recipient = written.recipient, reason = ''
		FROM written WHERE notices.id = written.id AND status = 'queued'
		RETURNING notices.id`, args...))
}

// SentAll settles several notices as sent.
func SentAll(ctx context.Context, tx *sql.Tx, ids []string, now int64) error {
	if len(ids) == 0 {
		return nil
	}
	marks, args := database.List(ids)
	_, err := tx.ExecContext(ctx, fmt.Sprintf(`
		UPDATE notices SET status = 'sent', reason = '', settled_at = $%d, lease_until = 0
		WHERE id IN (%s) AND status IN ('queued', 'sending')`, len(args)+1, marks), append(args, now)...)
	if err != nil {
		return fmt.Errorf("settle notices as sent: %w", err)
	}
	return nil
}
