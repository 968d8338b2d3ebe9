package database

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Within counts one use of name in the window that now lies in and reports whether it is within most. The
// counters are rows, so a restart forgets none. Windows of the day before yesterday are swept along the way.
func Within(ctx context.Context, tx *sql.Tx, name string, window time.Duration, most int64, now time.Time) (bool, error) {
	at := now.Truncate(window).Unix()
	_, err := tx.ExecContext(ctx, `DELETE FROM limits WHERE window_at < $1`, now.Add(-48*time.Hour).Unix())
	if err != nil {
		return false, fmt.Errorf("sweep limit: %w", err)
	}
	var used int64
	err = tx.QueryRowContext(ctx, `
		INSERT INTO limits (name, window_at, used) VALUES ($1, $2, 1)
		ON CONFLICT (name, window_at) DO UPDATE SET used = limits.used + 1
		RETURNING used`, name, at).Scan(&used)
	if err != nil {
		return false, fmt.Errorf("count limit: %w", err)
	}
	return used <= most, nil
}

// Used answers how often name was used in the window that now lies in.
func Used(ctx context.Context, tx *sql.Tx, name string, window time.Duration, now time.Time) (int64, error) {
	var used int64
	err := tx.QueryRowContext(ctx, `SELECT cast(coalesce(sum(used), 0) AS BIGINT) FROM limits WHERE name = $1 AND window_at = $2`,
		name, now.Truncate(window).Unix()).Scan(&used)
	if err != nil {
		return 0, fmt.Errorf("read limit: %w", err)
	}
	return used, nil
}

// Reopens is when the window that now lies in ends: what was used up may be used again from then on.
func Reopens(window time.Duration, now time.Time) time.Time { return now.Truncate(window).Add(window) }
