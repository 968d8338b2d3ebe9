package intake

import (
	"context"
	"database/sql"
)

// LastEvent answers when Stripe last delivered an event, in unix seconds of real time; 0 before the first.
func LastEvent(ctx context.Context, tx *sql.Tx) (int64, error) {
	var at int64
	err := tx.QueryRowContext(ctx, `SELECT coalesce(max(received_at), 0) FROM events`).Scan(&at)
	return at, err
}

// Count answers how many events have a status.
func Count(ctx context.Context, tx *sql.Tx, status Status) (int64, error) {
	var n int64
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM events WHERE status = $1`, status).Scan(&n)
	return n, err
}
