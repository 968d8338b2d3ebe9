package database_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
)

// A large file takes long to walk through: whoever looks at it in a hurry is not held up, and others go on.
func TestTheWalkThroughTheFileEndsInTime(t *testing.T) {
	t.Parallel()
	address := databasetest.Migrated(t)
	if !strings.HasPrefix(address, "sqlite:") {
		t.Skip("a server keeps no file of ours")
	}
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		for _, statement := range []string{
			`CREATE TABLE many (n BIGINT, words TEXT)`, `CREATE INDEX many_words ON many (words, n)`,
			`WITH RECURSIVE some (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM some WHERE n < 30000)
			INSERT INTO many SELECT n, hex(randomblob(40)) FROM some`,
		} {
			_, err := tx.ExecContext(t.Context(), statement)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	hurry, stop := context.WithTimeout(t.Context(), time.Millisecond)
	defer stop()
	_, err = db.Integrity(hurry)
	if err == nil || !errors.Is(hurry.Err(), context.DeadlineExceeded) {
		t.Errorf("in a hurry: %v", err)
	}
	found, err := db.Integrity(t.Context())
	if err != nil || len(found) > 0 {
		t.Errorf("with time: %q, %v", found, err)
	}
	err = db.Check(t.Context())
	if err != nil {
		t.Errorf("after that: %v", err)
	}
}
