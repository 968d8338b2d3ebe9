package dunning_test

import (
	"context"
	"database/sql"
	"slices"
	"testing"
	"time"

	"sollecito/internal/dunning"
)

// What fails in a case that has rested is tried again by its own days; a rest from then on moves them.
func TestRetriesOfAnInvoiceCountFromItsOwnFailure(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.walks(`name: trying
title: Trying
retries: {days: [1, 3], at: "09:00"}
steps:
  - {key: only, day: 30, at: "10:00", channels: [email]}
`)
	first := w.failed("in_1", "do_not_honor") // on Monday 2 November
	w.hear(first)
	rest := func(days int) {
		c := w.latest()
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			return w.cases.Pause(ctx, tx, c.ID, dunning.PauseStaff, "", "giulia", time.Time{}, w.now)
		})
		w.now = w.now.AddDate(0, 0, days)
		w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Resume(ctx, tx, c.ID, "giulia", w.now) })
	}
	stands := func(ctx context.Context, tx *sql.Tx) dunning.Retry {
		all, err := w.cases.RetriesOf(ctx, tx, w.latestID(ctx, tx))
		i := slices.IndexFunc(all, func(r dunning.Retry) bool { return r.InvoiceID == "in_2" })
		if err != nil || i < 0 {
			t.Fatalf("the retries stand at %v: %v", all, err)
		}
		return all[i]
	}
	var r dunning.Retry
	rest(10)
	w.now = w.now.AddDate(0, 0, 1)
	w.hear(first, w.failed("in_2", "do_not_honor")) // on Friday 13 November
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		r = stands(ctx, tx)
		return nil
	})
	if got := time.Unix(r.DueAt, 0).In(rome).Format("Mon 2 15:04"); got != "Sat 14 09:00" {
		t.Errorf("its first retry is due on %s", got)
	}
	w.now = w.now.AddDate(0, 0, 1) // what lies between its failure and a rest does not count either
	rest(2)
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		_, _, err := w.cases.TakeRetry(ctx, tx, r, time.Date(2026, 11, 16, 8, 59, 0, 0, rome))
		r = stands(ctx, tx)
		return err
	})
	if got := time.Unix(r.DueAt, 0).In(rome).Format("Mon 2 15:04"); got != "Mon 16 09:00" {
		t.Errorf("after two days of rest it is due on %s", got)
	}
}
