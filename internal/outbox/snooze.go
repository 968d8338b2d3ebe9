package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Snooze keeps that the customer put the in-app notice off until the instant (unix seconds). It is kept here and
// not in the browser, so that it follows them across devices.
func Snooze(ctx context.Context, tx *sql.Tx, customer string, until int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO snoozes (customer_id, until) VALUES ($1, $2)
		ON CONFLICT (customer_id) DO UPDATE SET until = excluded.until`, customer, until)
	if err != nil {
		return fmt.Errorf("snooze: %w", err)
	}
	return nil
}

// SnoozedUntil answers until when the customer put the in-app notice off (unix seconds), 0 when they never did.
func SnoozedUntil(ctx context.Context, tx *sql.Tx, customer string) (int64, error) {
	var until int64
	err := tx.QueryRowContext(ctx, `SELECT until FROM snoozes WHERE customer_id = $1`, customer).Scan(&until)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read snooze: %w", err)
	}
	return until, nil
}
