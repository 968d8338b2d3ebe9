package database_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"sollecito/internal/database"
)

// Whoever has the file alone keeps and takes back as others do, and leaves a file that everybody can open.
func TestAFileThatOneHasForItself(t *testing.T) {
	t.Parallel()
	address := "sqlite:" + filepath.Join(t.TempDir(), "alone.db")
	alone, err := database.Open(t.Context(), address, database.Exclusive())
	if err != nil {
		t.Fatal(err)
	}
	defer alone.Close()
	_, err = alone.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = alone.Do(t.Context(), func(tx *sql.Tx) error { return database.SetSetting(t.Context(), tx, "kept", "yes") })
	if err != nil {
		t.Fatal(err)
	}
	second := errors.New("second thoughts")
	err = alone.Do(t.Context(), func(tx *sql.Tx) error {
		return errors.Join(database.SetSetting(t.Context(), tx, "kept", "no"), second)
	})
	if !errors.Is(err, second) {
		t.Errorf("taken back: %v", err)
	}
	holds := func(db *database.DB, who string) {
		t.Helper()
		err := db.See(t.Context(), func(tx *sql.Tx) error {
			kept, err := database.Setting(t.Context(), tx, "kept")
			if kept != "yes" {
				t.Errorf("%s reads %q, want yes", who, kept)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	holds(alone, "who is alone")
	err = alone.Close()
	if err != nil {
		t.Fatal(err)
	}
	shared, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	holds(shared, "who comes after")
}

// What is opened in a place of memory is found there until the place is closed, and the file of its address stays empty.
func TestADatabaseInMemory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "memory.db")
	place, err := database.NewMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer place.Close()
	other, err := database.NewMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for _, c := range []struct {
		in    *database.Memory
		empty bool // when it is opened
	}{{place, true}, {place, false}, {other, true}} {
		db, err := database.Open(t.Context(), "sqlite:"+path, database.Exclusive(), database.In(c.in))
		if err != nil {
			t.Fatal(err)
		}
		empty, err := db.Empty(t.Context())
		if err != nil || empty != c.empty {
			t.Errorf("empty %t (%v), want %t", empty, err, c.empty)
		}
		_, err = db.Migrate(t.Context())
		err = errors.Join(err, db.Close())
		if err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Stat(path)
	if err != nil || file.Size() > 0 {
		t.Errorf("the file: %v (%v)", file, err)
	}
}
