package outbox

import (
	"context"
	"database/sql"
	"fmt"

	"sollecito/internal/database"
)

// What is asked or kept about many at once is one statement, whose answer is by id. Unknown ids are left out.

// StillClaimed answers which of the notices wait to be sent, and are left to whoever claimed them so.
func StillClaimed(ctx context.Context, tx *sql.Tx, claimed []Notice) (map[string]bool, error) {
	if len(claimed) == 0 {
		return nil, nil
	}
	ids, leases := make([]string, len(claimed)), make(map[string]int64, len(claimed))
	for i, n := range claimed {
		ids[i], leases[n.ID] = n.ID, n.LeaseUntil
	}
	marks, args := database.List(ids)
	rows, err := tx.QueryContext(ctx, `SELECT id, lease_until FROM notices WHERE status = 'queued' AND id IN (`+marks+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("look through notices: %w", err)
	}
	defer rows.Close()
	still := make(map[string]bool, len(claimed))
	for rows.Next() {
		var id string
		var lease int64
		err = rows.Scan(&id, &lease)
		if err != nil {
			return nil, fmt.Errorf("look through notices: %w", err)
		}
		still[id] = lease == leases[id]
	}
	return still, rows.Err()
}

// OneMail answers which of the customers exactly one mail waits for or is being handed over to.
func OneMail(ctx context.Context, tx *sql.Tx, customers []string) (map[string]bool, error) {
	if len(customers) == 0 {
		return nil, nil
	}
	marks, args := database.List(customers)
	return marked(database.Strings(ctx, tx, `
		SELECT customer_id FROM notices WHERE customer_id IN (`+marks+`)
		GROUP BY customer_id HAVING count(*) FILTER (WHERE channel = 'email' AND status IN ('queued', 'sending')) = 1`, args...))
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

// contactAt is when a notice is a contact: one being handed over is so now, however long ago it was first tried. The
// argument is the placeholder of now.
const contactAt = `min(CASE WHEN status = 'sending' THEN cast(%s AS BIGINT) WHEN settled_at > 0 THEN settled_at ELSE dated END)`

// ContactsOf answers Contacts for several customers.
func ContactsOf(ctx context.Context, tx *sql.Tx, customers []string, since, now int64) (map[string][]Contact, error) {
	all := make(map[string][]Contact, len(customers))
	if len(customers) == 0 {
		return all, nil
	}
	marks, args := database.List(customers)
	at := fmt.Sprintf(contactAt, fmt.Sprintf("$%d", len(args)+2))
	rows, err := tx.QueryContext(ctx, fmt.Sprintf(`
		SELECT customer_id, %[2]s AS at, case_id, step
		FROM notices
		WHERE customer_id IN (%[1]s) AND counts AND status IN ('sent', 'uncertain', 'sending')
		GROUP BY customer_id, case_id, step, subject_id
		HAVING %[2]s >= $%[3]d
		ORDER BY 2`, marks, at, len(args)+1), append(args, since, now)...)
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
	plain, kept := make(map[string]string, 2*len(addresses)), make([]string, 0, 2*len(addresses))
	for _, a := range addresses {
		normal := Normal(a)
		if plain[normal] != "" || normal == "" {
			continue
		}
		plain[normal], plain[digest(a)] = normal, normal
		kept = append(kept, normal, digest(a))
	}
	if len(kept) == 0 {
		return all, nil
	}
	marks, args := database.List(kept)
	found, err := selectSuppressions(ctx, tx, `WHERE lifted_at = 0 AND address IN (`+marks+`)`, args...)
	if err != nil {
		return nil, err
	}
	for _, s := range found {
		s.Nameless = s.Address != plain[s.Address]
		s.Address = plain[s.Address]
		all[s.Address] = s
	}
	return all, nil
}

// BeginAll marks claimed notices as being handed over now: committed before their dialogues, with the copies of what goes
// (KeepCopies). It answers which of them were still claimed so; nothing may be sent of the others.
func BeginAll(ctx context.Context, tx *sql.Tx, notices []Notice, lease int64) (map[string]bool, error) {
	if len(notices) == 0 {
		return nil, nil
	}
	args := []any{lease}
	for _, n := range notices {
		args = append(args, n.ID, n.LeaseUntil, n.MessageID, n.Dated, n.Subject, n.Recipient)
	}
	rows := database.Rows(2, len(notices), `($%d, cast($%d AS BIGINT), $%d, cast($%d AS BIGINT), $%d, $%d)`, 6)
	return marked(database.Strings(ctx, tx, `
		WITH written (id, claimed, message_id, dated, subject, recipient) AS (VALUES `+rows+`)
		UPDATE notices SET status = 'sending', lease_until = $1, attempts = attempts + 1, message_id = written.message_id,
			dated = written.dated, subject = written.subject, recipient = written.recipient, reason = ''
		FROM written WHERE notices.id = written.id AND status = 'queued' AND lease_until = written.claimed
		RETURNING notices.id`, args...))
}

// Begun answers which of the notices stand as BeginAll left them, begun with the lease and the number of tries they carry.
func Begun(ctx context.Context, tx *sql.Tx, notices []Notice) (map[string]bool, error) {
	if len(notices) == 0 {
		return nil, nil
	}
	args := []any{}
	for _, n := range notices {
		args = append(args, n.ID, n.LeaseUntil, n.Attempts)
	}
	rows := database.Rows(1, len(notices), `($%d, cast($%d AS BIGINT), cast($%d AS BIGINT))`, 3)
	return marked(database.Strings(ctx, tx, `
		WITH begun (id, lease, try) AS (VALUES `+rows+`)
		SELECT n.id FROM notices n JOIN begun b ON b.id = n.id
		WHERE n.status = 'sending' AND n.lease_until = b.lease AND n.attempts = b.try`, args...))
}

// SentAll is Conclude for several notices that were sent. It answers for which the try was still the last word.
func SentAll(ctx context.Context, tx *sql.Tx, notices []Notice, now int64) (map[string]bool, error) {
	if len(notices) == 0 {
		return nil, nil
	}
	args := []any{now}
	for _, n := range notices {
		args = append(args, n.ID, n.Attempts)
	}
	rows := database.Rows(2, len(notices), `($%d, cast($%d AS BIGINT))`, 2)
	return marked(database.Strings(ctx, tx, `
		WITH told (id, try) AS (VALUES `+rows+`)
		UPDATE notices SET status = 'sent', reason = '', settled_at = $1, lease_until = 0
		FROM told WHERE notices.id = told.id AND`+thisTry+`told.try
		RETURNING notices.id`, args...))
}
