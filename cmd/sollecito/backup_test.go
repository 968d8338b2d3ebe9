package main

import (
	"bytes"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/migrations"
)

// aged takes the last step of the migrations back, by its own words.
func aged(t *testing.T, address string) {
	t.Helper()
	files, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	last := slices.Max(files)
	text, err := fs.ReadFile(migrations.Files, last)
	if err != nil {
		t.Fatal(err)
	}
	_, down, _ := strings.Cut(string(text), "-- +goose Down")
	version, err := strconv.Atoi(last[:5])
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), down)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(t.Context(), `DELETE FROM goose_db_version WHERE version_id = $1`, version)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Whichever command comes first after an upgrade copies the file before it changes its shape, and says so; a mistyped folder
// or a name that is taken changes nothing.
func TestWhoeverMigratesFirstCopiesTheFile(t *testing.T) {
	t.Parallel()
	if databasetest.OnPostgres() {
		return
	}
	address := databasetest.Migrated(t)
	folder := filepath.Dir(strings.TrimPrefix(address, "sqlite:"))
	command := func(more map[string]string, words ...string) (code int, out, errs string) {
		var o, e bytes.Buffer
		code = run(t.Context(), words, func(name string) (string, bool) {
			value, is := more[name]
			if name == "SOLLECITO_DATABASE_URL" {
				return address, true
			}
			return value, is
		}, nil, &o, &e)
		return code, o.String(), e.String()
	}
	copies := func() []string {
		files, err := filepath.Glob(filepath.Join(folder, "sollecito-shape*-*Z.db"))
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	told := regexp.MustCompile(`copied to (\S+)\n`)

	aged(t, address)
	code, _, errs := command(nil, "staff", "list")
	found := told.FindStringSubmatch(errs)
	if code != 0 || len(found) != 2 || !slices.Equal(copies(), found[1:]) {
		t.Fatalf("staff list: %d %s; copies %q", code, errs, copies())
	}
	code, out, _ := command(nil, "migrate")
	if code != 0 || !strings.Contains(out, "is up to date.") || len(copies()) != 1 {
		t.Errorf("migrate again: %d %s; copies %q", code, out, copies())
	}
	err := os.Remove(found[1])
	if err != nil {
		t.Fatal(err)
	}
	aged(t, address)
	code, out, _ = command(nil, "migrate")
	if code != 0 || len(copies()) != 1 || !strings.Contains(out, "As it was before it lies in "+copies()[0]) || !strings.Contains(out, "after 1 steps") {
		t.Errorf("migrate: %d %s; copies %q", code, out, copies())
	}
	aged(t, address)
	code, out, _ = command(map[string]string{"SOLLECITO_MIGRATION_BACKUP": "off"}, "migrate")
	if code != 0 || strings.Contains(out, "lies in") || len(copies()) != 1 {
		t.Errorf("without: %d %s; copies %q", code, out, copies())
	}
	code, _, errs = command(map[string]string{"SOLLECITO_MIGRATION_BACKUP": "perhaps"}, "migrate")
	if code != exitFault || !strings.Contains(errs, "must be on or off") {
		t.Errorf("perhaps: %d %s", code, errs)
	}
}
