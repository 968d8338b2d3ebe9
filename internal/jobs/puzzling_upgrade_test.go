package jobs_test

import (
	"database/sql"
	"log/slog"
	"testing"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/jobs"
)

// Cases that were open before it was kept whether a decline is for a person to find out are looked at once, as after another
// contact policy: two batches of them here.
func TestCasesFromBeforeAreLookedThroughForPuzzlingDeclines(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC) // a Tuesday
	const customers = 103
	db, _, _ := waiting(t, now, customers, nil)
	run := func() {
		t.Helper()
		s := &jobs.Schedule{
			DB: db, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
			Cases: dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Shipped()), Policy: contact.DefaultPolicy(), Zone: time.UTC}),
		}
		for range 3 { // two batches, and that there is no third
			_, err := s.RunOnce(t.Context())
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	run()
	puzzling := 0
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		for _, before := range []string{
			`UPDATE invoices SET decline_code = 'a_word_of_tomorrow'`,
			`UPDATE settings SET value = replace(value, ' puzzling', '') WHERE name = 'contact_policy'`, // as it was kept then
		} {
			_, err := tx.Exec(before)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	run()
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM cases WHERE status = 'open' AND puzzling`).Scan(&puzzling)
	})
	if err != nil || puzzling != customers {
		t.Errorf("%d of %d are marked: %v", puzzling, customers, err)
	}
}
