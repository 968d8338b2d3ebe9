package outbox

import (
	"context"
	"database/sql"
	"fmt"
)

// CountWaiting answers how many e-mails could go out at now (unix seconds).
func CountWaiting(ctx context.Context, tx *sql.Tx, now int64) (int, error) {
	var n int
	err := tx.QueryRowContext(ctx, `
		SELECT count(*) FROM notices WHERE status = 'queued' AND channel = 'email' AND due_at <= $1`, now).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count waiting mails: %w", err)
	}
	return n, nil
}
