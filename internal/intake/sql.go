package intake

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sollecito/internal/database"
	"sollecito/internal/dunning"
)

const eventColumns = `id, type, object_type, object_id, customer_id, api_version, livemode, created_at, received_at,
	status, attempts, next_try_at, reason, processed_at, serves_from`

// mostAtOnce is how many events one statement keeps. A smaller number is padded with copies of the last event, which are
// then duplicates, up to a power of two: so a connection keeps only these few statements prepared, which saves half of the
// work when a swarm of webhooks arrives.
const mostAtOnce = 32

// insertEvents keeps new events and answers how many were new; known ones stay as they are. They are written in the order
// of their ids, so that two programs that are told the same cannot block each other in a circle.
func insertEvents(ctx context.Context, tx *sql.Tx, events []Event) (int, error) {
	events = slices.SortedFunc(slices.Values(events), func(a, b Event) int { return strings.Compare(a.ID, b.ID) })
	added := 0
	for some := range slices.Chunk(events, mostAtOnce) {
		rows := 1
		for rows < len(some) {
			rows *= 2
		}
		args := make([]any, 0, 12*rows)
		for i := range rows {
			e := some[min(i, len(some)-1)]
			args = append(args, e.ID, e.Type, e.ObjectType, e.ObjectID, e.CustomerID, e.APIVersion, e.Livemode, e.CreatedAt, e.ReceivedAt, e.Status, e.Reason, e.ServesFrom)
		}
		res, err := tx.ExecContext(ctx, `
			INSERT INTO events (`+eventColumns+`)
			VALUES `+database.Rows(1, rows, `($%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, 0, 0, $%d, 0, $%d)`, 12)+`
			ON CONFLICT (id) DO NOTHING`, args...)
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		added += int(n)
	}
	return added, nil
}

// keepEvents is insertEvents for those who need not know how many were new.
func keepEvents(ctx context.Context, tx *sql.Tx, events []Event) error {
	_, err := insertEvents(ctx, tx, events)
	return err
}

// claimEvents takes waiting events, oldest first, with all others of their customers, and leaves them to the
// caller until lease. skip is the engine's word for leaving out what another claimer is taking: of the others too, or two
// who take some of one customer would wait for each other.
func claimEvents(ctx context.Context, tx *sql.Tx, skip string, now, lease int64, limit int) ([]Event, error) {
	rows, err := tx.QueryContext(ctx, `
		WITH first AS (
			SELECT id, customer_id FROM events WHERE status = 'received' AND next_try_at <= $2
			ORDER BY received_at, created_at, id LIMIT $3`+skip+`),
		theirs AS (
			SELECT id FROM events WHERE status = 'received' AND next_try_at <= $2
				AND (id IN (SELECT id FROM first) OR customer_id IN (SELECT customer_id FROM first WHERE customer_id <> ''))`+skip+`)
		UPDATE events SET attempts = attempts + 1, next_try_at = $1 WHERE id IN (SELECT id FROM theirs)
		RETURNING `+eventColumns, lease, now, limit)
	if err != nil {
		return nil, err
	}
	return collect(rows)
}

func selectEvents(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Event, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+eventColumns+` FROM events `+where, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows)
}

func collect(rows *sql.Rows) ([]Event, error) {
	defer rows.Close()
	var all []Event
	for rows.Next() {
		var e Event
		err := rows.Scan(&e.ID, &e.Type, &e.ObjectType, &e.ObjectID, &e.CustomerID, &e.APIVersion, &e.Livemode,
			&e.CreatedAt, &e.ReceivedAt, &e.Status, &e.Attempts, &e.NextTryAt, &e.Reason, &e.ProcessedAt, &e.ServesFrom)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, rows.Err()
}

func setStatus(ctx context.Context, tx *sql.Tx, id string, status Status, reason string, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE events SET status = $1, reason = $2, processed_at = $3 WHERE id = $4`, status, reason, now, id)
	return err
}

// setProcessed concludes events whose customer was read; their reasons stay.
func setProcessed(ctx context.Context, tx *sql.Tx, ids []string, now int64) error {
	if len(ids) == 0 {
		return nil
	}
	marks, args := database.List(ids)
	_, err := tx.ExecContext(ctx, fmt.Sprintf(`UPDATE events SET status = 'processed', processed_at = $%d WHERE id IN (%s)`, len(args)+1, marks), append(args, now)...)
	if err != nil {
		return fmt.Errorf("conclude events: %w", err)
	}
	return nil
}

// retryAt lets an event wait. One that was concluded although nobody heard so stays as it is.
func retryAt(ctx context.Context, tx *sql.Tx, id string, at int64, reason string) error {
	_, err := tx.ExecContext(ctx, `UPDATE events SET next_try_at = $1, reason = $2 WHERE id = $3 AND status = 'received'`, at, reason, id)
	return err
}

// retryUncounted is retryAt for an event that nobody could try: it is none of its tries.
func retryUncounted(ctx context.Context, tx *sql.Tx, id string, at int64, reason string) error {
	_, err := tx.ExecContext(ctx, `UPDATE events SET next_try_at = $1, reason = $2, attempts = attempts - 1 WHERE id = $3 AND status = 'received' AND attempts > 0`, at, reason, id)
	return err
}

// waitingFor answers which of the customers have events that nobody has looked at.
func waitingFor(ctx context.Context, tx *sql.Tx, customers []string) ([]string, error) {
	if len(customers) == 0 {
		return nil, nil
	}
	marks, args := database.List(customers)
	return database.Strings(ctx, tx, `SELECT DISTINCT customer_id FROM events WHERE status = 'received' AND customer_id IN (`+marks+`)`, args...)
}

// closedAndMember reports whether a stored invoice belongs to a case and is not open, one that a reading of open
// invoices says nothing about, and was last read before the instant.
func closedAndMember(ctx context.Context, tx *sql.Tx, invoice string, before int64) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, `
		SELECT count(*) FROM invoices i JOIN case_invoices m ON m.invoice_id = i.id
		WHERE i.id = $1 AND i.status NOT IN ('open', 'paid', 'void') AND i.synced_at < $2`, invoice, before).Scan(&n)
	return n > 0, err
}

// failuresTold answers the invoices of which Stripe told us that a charge failed. Since the first import, a further try on
// an invoice that had failed before the connection is not among them: the import brings that invoice, and it must make no
// difference whether the import's page or the try's webhook comes first.
func failuresTold(ctx context.Context, tx *sql.Tx, customer string) ([]string, error) {
	var imported Imported
	err := findState(ctx, tx, settingImport, &imported)
	if err != nil {
		return nil, err
	}
	var connected int64
	if imported.StartedAt > 0 {
		connected, err = connectedAt(ctx, tx)
		if err != nil {
			return nil, err
		}
	}
	return database.Strings(ctx, tx, `
		SELECT DISTINCT e.object_id FROM events e JOIN invoices i ON i.id = e.object_id
		WHERE e.customer_id = $1 AND e.type IN ('invoice.payment_failed', 'invoice.payment_action_required')
			AND NOT (i.attempt_count > 1 AND i.failed_at < $2)`, customer, connected)
}

// connectedAt answers since when the installation listens to Stripe, 0 when it never did.
func connectedAt(ctx context.Context, tx *sql.Tx) (int64, error) {
	text, err := database.Setting(ctx, tx, dunning.SettingConnected)
	if err != nil || text == "" {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}
