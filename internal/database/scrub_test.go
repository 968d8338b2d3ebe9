package database_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"strings"
	"testing"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
)

// What was deleted lies in the file's free pages and in its log until the file is written anew, beside a program that has
// it open too.
func TestNothingDeletedCanBeReadAfterAScrub(t *testing.T) {
	t.Parallel()
	address := databasetest.URL(t)
	serving, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer serving.Close()
	_, err = serving.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const secret = "Anneke Vanishing"
	set := func(value string) {
		t.Helper()
		err := serving.Do(t.Context(), func(tx *sql.Tx) error {
			return errors.Join(database.SetSetting(t.Context(), tx, "one", value), database.SetSetting(t.Context(), tx, "two", value))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	set(strings.Repeat(secret+" ", 2000))
	set("nobody")
	other, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if databasetest.OnPostgres() {
		err = other.Scrub(t.Context())
		if err != nil {
			t.Errorf("a server is left alone, but: %v", err)
		}
		return
	}
	read := func() bool {
		t.Helper()
		found := false
		for _, suffix := range []string{"", "-wal"} {
			text, err := os.ReadFile(serving.Path() + suffix)
			if err != nil {
				t.Fatal(err)
			}
			found = found || bytes.Contains(text, []byte(secret))
		}
		return found
	}
	if !read() {
		t.Fatal("nothing is left of it already, so this shows nothing")
	}
	err = other.Scrub(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if read() {
		t.Error("it can be read after the scrub")
	}
	set("somebody") // both go on
	err = other.Check(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Error(err)
	}
	wrong, err := serving.Integrity(t.Context())
	if err != nil || len(wrong) > 0 {
		t.Errorf("the file is damaged: %q, %v", wrong, err)
	}
}
