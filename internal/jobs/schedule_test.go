package jobs_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/jobs"
)

// A case that failed is put off; whose customer began to rest meanwhile is on no schedule, and keeps it from no sleep.
func TestWhatRestsIsNotPutOnTheSchedule(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	db, _, sender := waiting(t, now, 1, nil)
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		c, err := sender.Cases.OpenOf(t.Context(), tx, "cus_0")
		if err != nil {
			return err
		}
		err = sender.Cases.Pause(t.Context(), tx, c.ID, dunning.PauseStaff, "", "staff_1", time.Time{}, now)
		if err != nil {
			return err
		}
		return sender.Cases.PutOff(t.Context(), tx, c.ID, now.Add(time.Hour))
	})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Hour)
	s := &jobs.Schedule{DB: db, Cases: sender.Cases, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	done, err := s.RunOnce(t.Context())
	if err != nil || done != 0 {
		t.Errorf("the schedule did %d things about a case that rests: %v", done, err)
	}
}

// One customer who cannot be read keeps nobody else's pause from ending.
func TestAPauseThatCannotBeEndedHoldsUpNoOther(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	db, _, sender := waiting(t, now, 5, nil)
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		for n := range 5 {
			c, err := sender.Cases.OpenOf(t.Context(), tx, fmt.Sprintf("cus_%d", n))
			if err != nil {
				return err
			}
			err = sender.Cases.Pause(t.Context(), tx, c.ID, dunning.PauseClaim, "", "customer", now.Add(time.Hour), now)
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(`UPDATE customers SET metadata = '{' WHERE id = 'cus_3'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Hour)
	s := &jobs.Schedule{DB: db, Cases: sender.Cases, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	_, err = s.RunOnce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rest := 0
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM cases WHERE resting_since > 0`).Scan(&rest)
	})
	if err != nil || rest != 1 {
		t.Errorf("%d cases still rest, one of whom nothing can be read: %v", rest, err)
	}
}

// As many as are taken at a time, of whom nothing can be read, are left alone for an hour: those behind them have their turn.
func TestManyWhosePausesCannotBeEndedStarveNobody(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	const broken = 100
	db, _, sender := waiting(t, now, broken+1, nil)
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		for n := range broken + 1 {
			c, err := sender.Cases.OpenOf(t.Context(), tx, fmt.Sprintf("cus_%d", n))
			if err != nil {
				return err
			}
			until := now.Add(time.Hour)
			if n == broken { // the last of all
				until = until.Add(time.Minute)
			}
			err = sender.Cases.Pause(t.Context(), tx, c.ID, dunning.PauseClaim, "", "customer", until, now)
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(fmt.Sprintf(`UPDATE customers SET metadata = '{' WHERE id <> 'cus_%d'`, broken))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Hour)
	s := &jobs.Schedule{DB: db, Cases: sender.Cases, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	resting := func() (n int) {
		t.Helper()
		for range 2 {
			_, err := s.RunOnce(t.Context())
			if err != nil {
				t.Fatal(err)
			}
		}
		err := db.See(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRow(`SELECT count(*) FROM cases WHERE resting_since > 0`).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := resting(); n != broken {
		t.Errorf("%d cases rest, of whom %d cannot be read", n, broken)
	}
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE customers SET metadata = '{}'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if n := resting(); n != 0 {
		t.Errorf("%d cases still rest an hour after they can be read again", n)
	}
}

// A database that is away for a moment is nothing wrong with a case: it keeps its place, and goes on when it is back.
func TestACaseDoesNotWaitAnHourForADatabaseThatWasAway(t *testing.T) {
	broken := outage{as: io.ErrUnexpectedEOF}
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	db, _, sender := waiting(t, now, 3, nil, database.Through(broken.through))
	now = now.Add(72 * time.Hour)
	s := &jobs.Schedule{DB: db, Cases: sender.Cases, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	for _, begins := range []int32{1, 2, 3, 5} {
		broken.spared.Store(1) // they are found
		broken.begins.Store(begins)
		_, err := s.RunOnce(t.Context())
		if !database.Outage(err) {
			t.Errorf("while it is away: %v", err)
		}
	}
	broken.begins.Store(0)
	done, err := s.RunOnce(t.Context())
	if err != nil || done != 3 {
		t.Errorf("once it is back %d cases went on: %v", done, err)
	}
}

// A case that somebody else holds while other hours come into force has its instant by them a minute later, and a program that is
// ended before that begins anew.
func TestACaseThatIsHeldFollowsAnotherContactPolicy(t *testing.T) {
	broken := outage{as: &pgconn.PgError{Code: "55P03"}}
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC) // a Tuesday
	const customers = 3
	db, _, _ := waiting(t, now, customers, nil, database.Through(broken.through))
	follows := func(hours string) *jobs.Schedule {
		policy := contact.DefaultPolicy()
		err := policy.ParseHours(hours)
		if err != nil {
			t.Fatal(err)
		}
		cases := dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Shipped()), Policy: policy, Zone: time.UTC})
		return &jobs.Schedule{DB: db, Cases: cases, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	}
	run := func(s *jobs.Schedule) {
		t.Helper()
		_, err := s.RunOnce(t.Context())
		if err != nil {
			t.Fatal(err)
		}
	}
	following := func() int {
		t.Helper()
		n := 0
		err := db.See(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRow(`SELECT count(*) FROM cases WHERE status = 'open' AND next_step_at / 3600 % 24 = 15`).Scan(&n) // 16 in Ireland
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	s := follows("9-18")
	run(s)
	run(s)
	s = follows("16-18")
	broken.spared.Store(1) // they are found
	broken.begins.Store(2) // together, and the first by itself
	for range 3 {
		run(s)
	}
	if n := following(); n != customers-1 {
		t.Errorf("while one is held %d of %d follow", n, customers)
	}
	at, waits, err := s.Next(t.Context())
	if err != nil || !waits || at.After(now.Add(time.Minute)) {
		t.Errorf("it is looked at again at %v: %v", at, err)
	}
	ended := follows("16-18")
	now = now.Add(time.Minute)
	run(s)
	if n := following(); n != customers {
		t.Errorf("a minute later %d of %d follow", n, customers)
	}
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE cases SET next_step_at = next_step_at - 3600 WHERE status = 'open' AND customer_id = 'cus_1'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	run(ended) // all have followed, but that was not written down yet
	if n := following(); n != customers {
		t.Errorf("whoever starts before it is written down leaves %d of %d as they were", customers-n, customers)
	}
}

// Where somebody else holds many cases, a round waits for a few of them and for the others a minute later; all of them follow in
// the end.
func TestManyCasesThatAreHeldDoNotStopTheSchedule(t *testing.T) {
	broken := outage{as: &pgconn.PgError{Code: "55P03"}}
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC) // a Tuesday
	const customers = 110
	db, _, _ := waiting(t, now, customers, nil, database.Through(broken.through))
	s := follower(t, db, "9-18", func() time.Time { return now }, slog.DiscardHandler)
	run := func() {
		t.Helper()
		_, err := s.RunOnce(t.Context())
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		run()
	}
	s = follower(t, db, "16-18", func() time.Time { return now }, slog.DiscardHandler)
	for range 4 { // two batches, then those of them that were held
		broken.spared.Store(1) // they are found
		broken.begins.Store(1000)
		_, err := s.RunOnce(t.Context())
		if tried := 1000 - broken.begins.Load(); tried > 8 {
			t.Fatalf("%d held cases are waited for in one round: %v", tried, err)
		}
		broken.begins.Store(0)
		now = now.Add(time.Minute)
	}
	for range 5 {
		run()
		now = now.Add(time.Minute)
	}
	n := 0
	err := db.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM cases WHERE status = 'open' AND next_step_at / 3600 % 24 = 15`).Scan(&n) // 16 in Ireland
	})
	if err != nil || n != customers {
		t.Errorf("in the end %d of %d follow: %v", n, customers, err)
	}
}

// When the next case is due is answered while others follow another policy, which may have to wait for whoever holds them.
func TestTheNextInstantIsAnsweredWhileCasesFollowAnotherPolicy(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	db, _, _ := waiting(t, now, 2, nil)
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE customers SET metadata = '{' WHERE id = 'cus_1'`) // it is logged in the midst of it
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	var s *jobs.Schedule
	said := handling{slog.DiscardHandler, func(r slog.Record) {
		if !strings.Contains(r.Message, "could not be planned anew") {
			return
		}
		asked++
		answered := make(chan error, 1)
		go func() {
			_, _, err := s.Next(t.Context())
			answered <- err
		}()
		select {
		case err := <-answered:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(5 * time.Second):
			t.Error("whoever asks when the next case is due has to wait")
		}
	}}
	s = follower(t, db, "16-18", func() time.Time { return now }, said)
	_, err = s.RunOnce(t.Context())
	if err != nil || asked != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// follower is a schedule by other hours.
func follower(t *testing.T, db *database.DB, hours string, now func() time.Time, log slog.Handler) *jobs.Schedule {
	t.Helper()
	policy := contact.DefaultPolicy()
	err := policy.ParseHours(hours)
	if err != nil {
		t.Fatal(err)
	}
	cases := dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Shipped()), Policy: policy, Zone: time.UTC})
	return &jobs.Schedule{DB: db, Cases: cases, Now: now, Log: slog.New(log)}
}

// handling is a log that is listened to.
type handling struct {
	slog.Handler
	heard func(slog.Record)
}

// Enabled implements slog.Handler.
func (handling) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (h handling) Handle(_ context.Context, r slog.Record) error {
	h.heard(r)
	return nil
}

// With other hours in the settings the cases that wait already have their next instants by them, once and for all of them; one
// that cannot be read keeps nobody else from it.
func TestCasesThatWaitFollowAnotherContactPolicy(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC) // a Tuesday
	const customers = 103
	db, _, _ := waiting(t, now, customers, nil)
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE customers SET metadata = '{' WHERE id = 'cus_1'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	follow := func(hours string) *jobs.Schedule {
		t.Helper()
		policy := contact.DefaultPolicy()
		err := policy.ParseHours(hours)
		if err != nil {
			t.Fatal(err)
		}
		cases := dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Shipped()), Policy: policy, Zone: time.UTC})
		s := &jobs.Schedule{DB: db, Cases: cases, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
		for range 3 { // two batches, and that there is no third
			_, err = s.RunOnce(t.Context())
			if err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	hours := func() map[int]int {
		t.Helper()
		all := map[int]int{}
		err := db.See(t.Context(), func(tx *sql.Tx) error {
			next, err := database.Strings(t.Context(), tx, `SELECT cast(next_step_at AS TEXT) FROM cases WHERE status = 'open' AND customer_id <> 'cus_1'`)
			for _, text := range next {
				at, err := strconv.ParseInt(text, 10, 64)
				if err != nil {
					return err
				}
				all[time.Unix(at, 0).UTC().Hour()]++
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	follow("9-18")
	before := hours()
	follow("16-18")
	if got := hours(); len(got) != 1 || got[15] != customers-1 { // in UTC, an hour behind them
		t.Errorf("with 16 to 18 the next steps come at %v, before at %v", got, before)
	}
	follow("9-18")
	if got := hours(); !maps.Equal(got, before) {
		t.Errorf("with 9 to 18 again the next steps come at %v, before at %v", got, before)
	}
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE cases SET next_step_at = next_step_at + 60 WHERE status = 'open'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	follow("9-18") // which is the policy in force: nothing is planned anew
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		var n int
		err := tx.QueryRow(`SELECT count(*) FROM cases WHERE status = 'open' AND next_step_at % 3600 = 60`).Scan(&n)
		if err == nil && n != customers {
			t.Errorf("the policy did not change, and %d of %d cases kept their times", n, customers)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
