package dunning_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"sollecito/internal/dunning"
)

// A pause that somebody ended and began anew after it was found to be over is another one, and lasts.
func TestAPauseThatBeganAnewIsNotEnded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "insufficient_funds"))
	c := w.latest()
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		return w.cases.Pause(ctx, tx, c.ID, dunning.PauseClaim, "", "customer", w.now.Add(time.Hour), w.now)
	})
	w.now = w.now.Add(2 * time.Hour)
	var over []string
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		var err error
		over, err = w.cases.ElapsedPauses(ctx, tx, w.now, 10)
		if len(over) != 1 {
			t.Errorf("%d pauses are over", len(over))
		}
		return err
	})
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		err := w.cases.Resume(ctx, tx, c.ID, "staff_1", w.now, dunning.PauseClaim)
		if err != nil {
			return err
		}
		return w.cases.Pause(ctx, tx, c.ID, dunning.PauseClaim, "", "customer", w.now.Add(72*time.Hour), w.now)
	})
	w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.EndPauses(ctx, tx, over, w.now) })
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		active, err := w.cases.ActivePauses(ctx, tx, c.ID)
		if len(active) != 1 {
			t.Errorf("the new pause was ended with the old one: %v", active)
		}
		return err
	})
}
