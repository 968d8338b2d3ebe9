package link

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sollecito/internal/database"
)

// Stop is what a mail's stop token speaks of. The token opens nothing: whoever holds it can stop the reminders that
// its customer gets by mail. It works for ever, and revoking a customer's links leaves it as it is.
type Stop struct {
	CustomerID string
	NoticeID   string // the mail that carries it
}

// NewStop is a stop token that a mail is about to carry. It is kept nowhere but in the mail.
type NewStop struct {
	Stop
	Token string
}

// IssueStops keeps some stop tokens as issued at now (unix seconds). A notice that is tried again gets a new one.
func IssueStops(ctx context.Context, tx *sql.Tx, stops []NewStop, now int64) error {
	if len(stops) == 0 {
		return nil
	}
	var notices []string
	var args []any
	for _, s := range stops {
		notices = append(notices, s.NoticeID)
		args = append(args, Hash(s.Token), s.CustomerID, s.NoticeID, now)
	}
	marks, ids := database.List(notices)
	_, err := tx.ExecContext(ctx, `DELETE FROM stop_tokens WHERE notice_id IN (`+marks+`)`, ids...)
	if err != nil {
		return fmt.Errorf("forget earlier stop tokens: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO stop_tokens (hash, customer_id, notice_id, issued_at)
		VALUES `+database.Rows(1, len(stops), `($%d, $%d, $%d, cast($%d AS BIGINT))`, 4), args...)
	if err != nil {
		return fmt.Errorf("issue stop tokens: %w", err)
	}
	return nil
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
