package database_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sollecito/internal/database"
)

func open(t *testing.T) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "a folder", "sollecito.db"))
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
		_, err := tx.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
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
	for _, address := range []string{"", "sqlite:", "postgres://u:secret@h/db", "mysql:x", "sqlite:" + folder} {
		db, err := database.Open(t.Context(), address)
		if err == nil {
			db.Close()
			t.Errorf("%q was opened", address)
			continue
		}
		if address == "postgres://u:secret@h/db" && strings.Contains(err.Error(), "secret") {
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
