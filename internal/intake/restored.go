package intake

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"sollecito/internal/dunning"
)

// PutBack takes in that the database was put back from a copy: the next catch-up begins at once, and where the copy stood,
// and everybody who owed something then is read again.
func (in *Intake) PutBack(ctx context.Context, tx *sql.Tx) error {
	state, err := LastReconcile(ctx, tx)
	if err != nil {
		return err
	}
	state.RanAt, state.CaughtUp, state.UnderWay = 0, 0, catchUp{}
	err = keepState(ctx, tx, settingReconcile, state)
	if err != nil {
		return err
	}
	now := in.now().Unix()
	err = askUnread(ctx, tx, now, math.MaxInt32, now)
	if err != nil {
		return fmt.Errorf("have everybody read again who owes: %w", err)
	}
	return nil
}

// Ignorant reports whether sending is stopped because the database was put back from a copy, and what happened at Stripe
// since the copy has not been read yet: the first catch-up has not ended, or the events and readings it left behind are not
// done. What came in after that catch-up does not count, nor does what waits for a person or for another day. Until then
// nobody may resume.
func Ignorant(ctx context.Context, tx *sql.Tx, sending dunning.Switch) (bool, error) {
	if !sending.PutBack() {
		return false, nil
	}
	state, err := LastReconcile(ctx, tx)
	if err != nil || state.RanAt < sending.Since.Unix() {
		return true, err
	}
	waiting := 0
	err = tx.QueryRowContext(ctx, `
		SELECT (SELECT count(*) FROM events WHERE status = 'received' AND created_at <= $1) + (SELECT count(*) FROM rereads WHERE asked_at <= $1)`,
		state.CaughtUp).Scan(&waiting)
	if err != nil {
		return true, fmt.Errorf("look for what has not been read yet: %w", err)
	}
	return waiting > 0, nil
}
