package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sollecito/internal/database"
)

func keepSettings(transactions *atomic.Int64) func(context.Context, *sql.Tx, []string) error {
	return func(ctx context.Context, tx *sql.Tx, names []string) error {
		transactions.Add(1)
		for _, name := range names {
			if strings.HasPrefix(name, "bad") {
				return errors.New("bad")
			}
			if strings.HasPrefix(name, "panic") {
				panic("in the middle")
			}
			err := database.SetSetting(ctx, tx, name, "kept")
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// Each caller hears of its own item alone, and what was acknowledged is there, though many shared a transaction.
func TestAGroupKeepsEachOnesOwn(t *testing.T) {
	t.Parallel()
	db := open(t)
	var transactions atomic.Int64
	group := database.NewGroup(db, keepSettings(&transactions))
	const callers, each = 40, 25
	var wrong atomic.Int64
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := range each {
				name := fmt.Sprintf("good-%d-%d", c, i)
				switch {
				case c == 7 && i%5 == 0:
					name = "bad" + name
				case c == 8 && i%5 == 0:
					name = "panic" + name
				}
				err := group.Keep(context.Background(), name)
				if (err != nil) != !strings.HasPrefix(name, "good") {
					wrong.Add(1)
				}
			}
		})
	}
	all.Wait()
	if wrong.Load() > 0 {
		t.Errorf("%d callers heard another's outcome", wrong.Load())
	}
	var kept int
	err := db.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM settings WHERE value = 'kept'`).Scan(&kept)
	})
	if err != nil || kept != callers*each-10 {
		t.Errorf("%d kept, %v", kept, err)
	}
	if n := transactions.Load(); n >= callers*each {
		t.Errorf("%d transactions for %d items: nothing was shared", n, callers*each)
	}
}

// A caller that goes away takes nobody with it, and the next one is served.
func TestAGroupSurvivesACallerWhoLeaves(t *testing.T) {
	t.Parallel()
	db := open(t)
	var transactions atomic.Int64
	group := database.NewGroup(db, keepSettings(&transactions))
	gone, leave := context.WithCancel(t.Context())
	leave()
	err := group.Keep(gone, "a")
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("who left heard %v", err)
	}
	err = group.Keep(t.Context(), "b")
	if err != nil {
		t.Errorf("who stayed heard %v", err)
	}
}

// A group that gathers waits for the others it was told of, and not for ever for those who do not come.
func TestAGroupGathers(t *testing.T) {
	t.Parallel()
	db := open(t)
	var transactions atomic.Int64
	group := database.NewGroup(db, keepSettings(&transactions)).Gather(4, time.Minute)
	var callers sync.WaitGroup
	for round := range 3 {
		for n := range 4 {
			callers.Go(func() {
				err := group.Keep(context.Background(), fmt.Sprintf("gathered %d %d", round, n))
				if err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
	}
	if transactions.Load() != 3 {
		t.Errorf("three times four callers were kept in %d transactions", transactions.Load())
	}
	alone := database.NewGroup(db, keepSettings(&transactions)).Gather(4, time.Millisecond)
	err := alone.Keep(t.Context(), "alone")
	if err != nil {
		t.Error(err)
	}
}
