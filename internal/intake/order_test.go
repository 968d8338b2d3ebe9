package intake

import (
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
)

func opened(t *testing.T) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), databasetest.Migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func events(round, count int, customer string) []Event {
	all := make([]Event, count)
	for n := range all {
		all[n] = Event{ID: fmt.Sprintf("evt_%s_%d_%03d", customer, round, n), Type: "invoice.updated", CustomerID: customer, Status: Received}
	}
	return all
}

// Two programs that are told the same events in opposite order, while a third is at one of them, do not wait for each other
// in a circle.
func TestTheSameEventsAreKeptByTwoAtOnce(t *testing.T) {
	if !databasetest.OnPostgres() {
		return // SQLite has one writer
	}
	db := opened(t)
	told := events(0, 3, "cus_1")
	other := slices.Clone(told)
	slices.Reverse(other)
	var programs sync.WaitGroup
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		err := keepEvents(t.Context(), tx, told[1:2])
		if err != nil {
			return err
		}
		for _, all := range [][]Event{told, other} {
			programs.Go(func() {
				err := db.Do(t.Context(), func(tx *sql.Tx) error { return keepEvents(t.Context(), tx, all) })
				if err != nil {
					t.Error(err)
				}
			})
		}
		for waiting := 0; waiting < 2; {
			time.Sleep(5 * time.Millisecond)
			err = db.See(t.Context(), func(look *sql.Tx) error {
				return look.QueryRow(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
			})
			if err != nil {
				return err
			}
		}
		return errNobody // and keeps nothing
	})
	programs.Wait()
	if err != errNobody {
		t.Fatal(err)
	}
}

// Programs that claim events of the same customers at the same time do not wait for each other, and none claims what another
// has.
func TestEventsOfOneCustomerAreClaimedByManyAtOnce(t *testing.T) {
	db := opened(t)
	const programs, count = 6, 60
	for round := range 8 {
		err := db.Do(t.Context(), func(tx *sql.Tx) error {
			return keepEvents(t.Context(), tx, append(events(round, count, "cus_1"), events(round, count, "cus_2")...))
		})
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		claims := map[string]int{}
		var all sync.WaitGroup
		for range programs {
			all.Go(func() {
				for {
					var got []Event
					err := db.Do(t.Context(), func(tx *sql.Tx) error {
						var err error
						got, err = claimEvents(t.Context(), tx, db.SkipLocked(), int64(1000*round), int64(1000*round+500), 1)
						return err
					})
					if err != nil {
						t.Error(err)
						return
					}
					if len(got) == 0 {
						return
					}
					mu.Lock()
					for _, e := range got {
						claims[e.ID]++
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		for id, n := range claims {
			if n != 1 {
				t.Errorf("%s is claimed %d times", id, n)
			}
		}
		if len(claims) < 2*count {
			t.Errorf("%d of %d claimed", len(claims), 2*count)
		}
	}
}
