package link

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Stop is what a mail's stop token speaks of. The token opens nothing: whoever holds it can stop the reminders that
// its customer gets by mail. It works for ever, and revoking a customer's links leaves it as it is.
type Stop struct {
	CustomerID string
	NoticeID   string // the mail that carries it
}

// IssueStop makes the token with which a mail's reader stops reminders, and answers it; it is kept nowhere. A notice
// that is tried again gets a new one.
func IssueStop(ctx context.Context, tx *sql.Tx, s Stop, now int64) (string, error) {
	token := NewToken()
	_, err := tx.ExecContext(ctx, `DELETE FROM stop_tokens WHERE notice_id = $1`, s.NoticeID)
	if err != nil {
		return "", fmt.Errorf("forget the earlier stop token: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO stop_tokens (hash, customer_id, notice_id, issued_at) VALUES ($1, $2, $3, $4)`,
		Hash(token), s.CustomerID, s.NoticeID, now)
	if err != nil {
		return "", fmt.Errorf("issue stop token: %w", err)
	}
	return token, nil
}

// FindStop answers what a stop token speaks of, or fault.NotFound.
func FindStop(ctx context.Context, tx *sql.Tx, token string) (Stop, error) {
	var s Stop
	err := tx.QueryRowContext(ctx, `SELECT customer_id, notice_id FROM stop_tokens WHERE hash = $1`, Hash(token)).Scan(&s.CustomerID, &s.NoticeID)
	if errors.Is(err, sql.ErrNoRows) {
		return Stop{}, errDead
	}
	return s, err
}
