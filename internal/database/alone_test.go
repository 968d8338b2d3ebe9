package database_test

import (
	"context"
	"testing"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
)

// Whoever starts beside a living program recovers nothing of it, also when the one that was alone first is gone.
func TestOnlyAProgramThatIsAloneRecovers(t *testing.T) {
	if !databasetest.OnPostgres() {
		return // SQLite's file belongs to one program
	}
	address := databasetest.URL(t)
	start := func() (*database.DB, bool) {
		db, err := database.Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		alone := false
		err = db.Join(t.Context(), func(context.Context) error {
			alone = true
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return db, alone
	}
	stop := func(db *database.DB) {
		err := db.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	first, alone := start()
	if !alone {
		t.Error("the first is not alone")
	}
	second, alone := start()
	if alone {
		t.Error("the second takes the first for gone")
	}
	stop(first)
	third, alone := start()
	if alone {
		t.Error("the third takes the second for gone")
	}
	stop(second)
	stop(third)
	_, alone = start()
	if !alone {
		t.Error("nobody recovers what the last one left")
	}
}
