package database_test

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
)

func stampOf(t *testing.T, db *database.DB) database.Stamp {
	t.Helper()
	stamp, err := db.Stamp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return stamp
}

func set(ctx context.Context, db *database.DB, value string) error {
	return db.Do(ctx, func(tx *sql.Tx) error { return database.SetSetting(ctx, tx, "stamped", value) })
}

// A stamp stays while nothing is committed, and moves with each commit of this program or of another.
func TestAStampMovesWithEachCommit(t *testing.T) {
	url := databasetest.URL(t)
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	stays := false
	for range 20 { // PostgreSQL's own upkeep may commit something between two
		before := stampOf(t, db)
		err = db.See(t.Context(), func(tx *sql.Tx) error { _, err := database.Setting(t.Context(), tx, "stamped"); return err })
		if err != nil {
			t.Fatal(err)
		}
		refused := errors.New("no")
		err = db.Do(t.Context(), func(tx *sql.Tx) error { return refused })
		if !errors.Is(err, refused) {
			t.Fatal(err)
		}
		stays = stays || before == stampOf(t, db)
	}
	if !stays {
		t.Error("the stamp moves though nothing is committed")
	}
	seen := map[database.Stamp]bool{}
	for n := range 20 {
		who := db
		if n%2 == 1 {
			who = other
		}
		err = set(t.Context(), who, strconv.Itoa(n))
		if err != nil {
			t.Fatal(err)
		}
		stamp := stampOf(t, db)
		if seen[stamp] {
			t.Errorf("commit %d has the stamp of an earlier one, %q", n, stamp)
		}
		seen[stamp] = true
	}
}

// Whoever knows of a commit never gets a stamp from before it, however many ask at the same time.
func TestStampsOfManyAskersAreNeverStale(t *testing.T) {
	db := open(t)
	var written atomic.Int64 // committed so far
	var mu sync.Mutex
	latest := map[database.Stamp]int64{} // the most commits that were known when each stamp was asked for
	oldest := map[database.Stamp]int64{} // and the fewest when it was answered
	var askers sync.WaitGroup
	done := make(chan struct{})
	for range 8 {
		askers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				before := written.Load()
				stamp, err := db.Stamp(t.Context())
				after := written.Load()
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				latest[stamp] = max(latest[stamp], before)
				known, is := oldest[stamp]
				if !is || after < known {
					oldest[stamp] = after
				}
				mu.Unlock()
			}
		})
	}
	for n := range 200 {
		err := set(t.Context(), db, strconv.Itoa(n))
		if err != nil {
			t.Error(err)
			break
		}
		written.Add(1)
	}
	close(done)
	askers.Wait()
	for stamp, known := range latest {
		// A commit may be done and not yet counted: one more than was counted.
		if known > oldest[stamp]+1 {
			t.Errorf("stamp %q was answered to one who knew of %d commits, and to another when there were at most %d", stamp, known, oldest[stamp]+1)
		}
	}
}

// A caller who leaves does not take the answer from the others.
func TestAStampSurvivesACallerWhoLeaves(t *testing.T) {
	db := open(t)
	gone, leave := context.WithCancel(t.Context())
	leave()
	var all sync.WaitGroup
	for n := range 40 {
		all.Go(func() {
			ctx := t.Context()
			if n%2 == 0 {
				ctx = gone
			}
			_, err := db.Stamp(ctx)
			if err != nil && ctx == t.Context() {
				t.Error(err)
			}
		})
	}
	all.Wait()
	stampOf(t, db)
}
