package main

import (
	"bytes"
	"database/sql"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
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

// Whoever reads a copy goes away, or the terminal does: nothing of it stays beside the database.
func TestACopyThatNobodyReadsLeavesNothing(t *testing.T) {
	t.Parallel()
	if databasetest.OnPostgres() {
		return
	}
	path, err := exec.LookPath("sollecito")
	if err != nil {
		t.Fatal(err)
	}
	for what, leave := range map[string]func(backup *exec.Cmd, reader *os.File){
		"the reader goes": func(_ *exec.Cmd, reader *os.File) { reader.Close() },
		"the terminal goes": func(backup *exec.Cmd, reader *os.File) {
			_, err := reader.Read(make([]byte, 1)) // the copy is whole, and too large for the pipe
			if err == nil {
				err = backup.Process.Signal(syscall.SIGHUP)
			}
			if err == nil {
				_, err = io.Copy(io.Discard, reader)
			}
			if err != nil {
				t.Error(err)
			}
		},
	} {
		address := databasetest.Migrated(t)
		folder := filepath.Dir(strings.TrimPrefix(address, "sqlite:"))
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		backup := exec.Command(path, "backup", "--to", "-", "--database-url", address)
		backup.Stdout = writer
		err = backup.Start()
		if err != nil {
			t.Fatal(err)
		}
		writer.Close()
		leave(backup, reader)
		reader.Close()
		err = backup.Wait()
		if !backup.ProcessState.Exited() || what == "the reader goes" && backup.ProcessState.ExitCode() != exitFault {
			t.Errorf("when %s the program ends so: %v", what, err)
		}
		left, err := filepath.Glob(filepath.Join(folder, ".*"))
		if err != nil || len(left) > 0 {
			t.Errorf("when %s this is left: %q, %v", what, left, err)
		}
	}
}
