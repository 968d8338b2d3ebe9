package jobs_test

import (
	"database/sql"
	"log/slog"
	"testing"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/jobs"
)

// The schedule looks at the cases that are due in the order of their days, and holds their customers in everybody's.
func TestTheScheduleHoldsCustomersInEverybodysOrder(t *testing.T) {
	if !databasetest.OnPostgres() {
		return // SQLite's writers wait for each other anyway
	}
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	db, _, sender := waiting(t, now, 2, nil)
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE cases SET next_step_at = CASE customer_id WHEN 'cus_1' THEN 1 ELSE 2 END`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	schedule := jobs.Schedule{DB: db, Cases: sender.Cases, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	ran := make(chan error, 1)
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		err := database.Hold(t.Context(), tx, "cus_0")
		if err != nil {
			return err
		}
		go func() {
			_, err := schedule.RunOnce(t.Context())
			ran <- err
		}()
		for waits := 0; waits == 0; time.Sleep(10 * time.Millisecond) {
			err = tx.QueryRow(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`).Scan(&waits)
			if err != nil {
				return err
			}
		}
		var free bool
		err = tx.QueryRow(`SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&free)
		if err == nil && !free {
			t.Error("a later customer is held before an earlier one")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = <-ran
	if err != nil {
		t.Fatal(err)
	}
}
