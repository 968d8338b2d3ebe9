package database_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
)

func open(t *testing.T) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), databasetest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	_, err = db.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// A committed row must survive a power cut, on whichever connection it was written, and readers must not write.
func TestEveryConnectionIsSetUpForDurability(t *testing.T) {
	t.Parallel()
	db := open(t)
	if databasetest.OnPostgres() {
		err := db.Do(t.Context(), func(tx *sql.Tx) error {
			var got string
			err := tx.QueryRow(`SHOW synchronous_commit`).Scan(&got)
			if got != "on" {
				t.Errorf("synchronous_commit is %s", got)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		err = db.See(t.Context(), func(tx *sql.Tx) error { return database.SetSetting(t.Context(), tx, "x", "y") })
		if err == nil {
			t.Error("a reader wrote")
		}
		return
	}
	check := func(tx *sql.Tx, readOnly int) error {
		for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1"} {
			var got string
			err := tx.QueryRow("PRAGMA " + pragma).Scan(&got)
			if err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s is %s, want %s", pragma, got, want)
			}
		}
		var got int
		err := tx.QueryRow("PRAGMA query_only").Scan(&got)
		if got != readOnly {
			t.Errorf("query_only is %d, want %d", got, readOnly)
		}
		return err
	}
	err := db.Do(t.Context(), func(tx *sql.Tx) error { return check(tx, 0) })
	if err != nil {
		t.Error(err)
	}
	var together, done sync.WaitGroup
	together.Add(4)
	for range 4 { // at the same time, so that each has a connection of its own
		done.Go(func() {
			err := db.See(context.Background(), func(tx *sql.Tx) error {
				together.Done()
				together.Wait()
				return check(tx, 1)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	err = db.See(t.Context(), func(tx *sql.Tx) error { return database.SetSetting(t.Context(), tx, "x", "y") })
	if err == nil {
		t.Error("a reader wrote")
	}
}

func TestATransactionIsAllOrNothing(t *testing.T) {
	t.Parallel()
	db := open(t)
	wrong := errors.New("wrong")
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		err := database.SetSetting(t.Context(), tx, "x", "y")
		if err != nil {
			return err
		}
		return wrong
	})
	if !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = db.Do(t.Context(), func(tx *sql.Tx) error {
			_ = database.SetSetting(t.Context(), tx, "x", "y")
			panic("in the middle")
		})
	}()
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		value, err := database.Setting(t.Context(), tx, "x")
		if value != "" {
			t.Errorf("half a transaction stands: %q", value)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestMigratingTwiceIsFineAndANewerShapeIsRefused(t *testing.T) {
	t.Parallel()
	db := open(t)
	n, err := db.Migrate(t.Context())
	if n != 0 || err != nil {
		t.Errorf("again: %d steps, %v", n, err)
	}
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Migrate(t.Context())
	if err == nil {
		t.Error("a database of a newer release was taken")
	}
}

func TestOpenRefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, address := range []string{
		"", "sqlite:", "mysql:x", "sqlite:" + folder, "postgres://u:secret@127.0.0.1:1/db", "postgres://u:secret@[/db",
		"postgres://127.0.0.1:1/db?user=u&password=secret",
	} {
		db, err := database.Open(t.Context(), address)
		if err == nil {
			db.Close()
			t.Errorf("%q was opened", address)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is told: %v", err)
		}
	}
	file := filepath.Join(folder, "not a database")
	err := os.WriteFile(file, []byte("hello, this is text and not a database at all, however long it is"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), "sqlite:"+file)
	if err == nil {
		_, err = db.Migrate(t.Context())
		db.Close()
	}
	if err == nil {
		t.Error("a text file was taken for a database")
	}
}

func TestWithinCountsPerWindow(t *testing.T) {
	t.Parallel()
	db := open(t)
	now := time.Unix(1_700_000_000, 0).Truncate(time.Hour)
	use := func(name string, at time.Time) bool {
		var within bool
		err := db.Do(t.Context(), func(tx *sql.Tx) error {
			var err error
			within, err = database.Within(t.Context(), tx, name, time.Hour, 2, at)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return within
	}
	if !use("a", now) || !use("a", now.Add(time.Minute)) || use("a", now.Add(59*time.Minute)) {
		t.Error("the third use within an hour is one too many, the first two are not")
	}
	if !use("b", now) || !use("a", now.Add(time.Hour)) {
		t.Error("another name, or another hour, starts anew")
	}
}

// Two who decide from what is stored take turns: neither acts on what the other has just changed.
func TestWhoeverHoldsDecidesAlone(t *testing.T) {
	t.Parallel()
	db := open(t)
	const callers = 20
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			err := db.Do(context.Background(), func(tx *sql.Tx) error {
				err := database.Hold(t.Context(), tx, "cus_1")
				if err != nil {
					return err
				}
				text, err := database.Setting(t.Context(), tx, "count")
				if err != nil {
					return err
				}
				n, _ := strconv.Atoi(text)
				return database.SetSetting(t.Context(), tx, "count", strconv.Itoa(n+1))
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	err := db.See(t.Context(), func(tx *sql.Tx) error {
		text, err := database.Setting(t.Context(), tx, "count")
		if text != strconv.Itoa(callers) {
			t.Errorf("%s of %d counted", text, callers)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// What was decided of a name aside stands while nobody who may have changed it held it, and no longer.
func TestHoldsAreCountedWithWhatTheyChanged(t *testing.T) {
	t.Parallel()
	db := open(t)
	held := func() map[string]int64 {
		var times map[string]int64
		err := db.See(t.Context(), func(tx *sql.Tx) error {
			var err error
			times, err = database.Held(t.Context(), tx, []string{"cus_1", "cus_2", "cus_3"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return times
	}
	do := func(work func(tx *sql.Tx) error) {
		err := db.Do(t.Context(), work)
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := held(); len(got) != 0 {
		t.Errorf("before anybody was held: %v", got)
	}
	do(func(tx *sql.Tx) error { return database.Hold(t.Context(), tx, "cus_1") })
	do(func(tx *sql.Tx) error { return database.HoldAll(t.Context(), tx, []string{"cus_1", "cus_2", "cus_3"}) })
	do(func(tx *sql.Tx) error { return database.HoldQuietly(t.Context(), tx, "cus_1", "cus_2") })
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		return errors.Join(database.Hold(t.Context(), tx, "cus_2"), errors.New("taken back"))
	})
	if err == nil {
		t.Error("the failure went unheard")
	}
	if got := held(); got["cus_1"] != 2 || got["cus_2"] != 1 || got["cus_3"] != 1 {
		t.Errorf("held %v times", got)
	}
}

// What strangers send must never fail a transaction: both engines keep a name with NUL and broken letters in it.
func TestAnyTextCanBeKept(t *testing.T) {
	t.Parallel()
	db := open(t)
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		return database.SetSetting(t.Context(), tx, "name", "a\x00b\xffc")
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		text, err := database.Setting(t.Context(), tx, "name")
		if !strings.HasPrefix(text, "a") || !strings.HasSuffix(text, "c") {
			t.Errorf("kept %q", text)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
