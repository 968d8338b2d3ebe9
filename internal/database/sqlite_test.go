package database_test

import (
	"database/sql"
	"errors"
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
