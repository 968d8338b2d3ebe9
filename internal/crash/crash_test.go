package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sollecito/internal/databasetest"
)

// Killed on SQLite, then on PostgreSQL.
func TestMain(m *testing.M) { os.Exit(databasetest.Main(m)) }

// The real program is killed at random moments while everybody uses it. Nothing that it acknowledged is lost, and nothing
// happens twice.
func TestKilledAtAnyMomentItLosesNothingAndRepeatsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	r, err := run(t.Context(), plan{Kills: 30, Seed: 1, Database: databasetest.URL(t), Program: built(t), Folder: t.TempDir()})
	judge(t, r, err)
}

// Its database is taken away instead, or it is stood still. It goes on by itself.
func TestWithoutItsDatabaseOrFrozenItLosesNothingEither(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	if !databasetest.OnPostgres() {
		r, err := run(t.Context(), plan{Kills: 3, Seed: 1, Database: databasetest.URL(t), Freeze: 2 * time.Second, Program: built(t), Folder: t.TempDir()})
		judge(t, r, err)
		return
	}
	server, err := databasetest.NewServer(false)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	r, err := run(t.Context(), plan{Kills: 8, Seed: 2, Database: server.Address(), Server: server, Program: built(t), Folder: t.TempDir()})
	judge(t, r, err)
}

// built is the portal's program.
func built(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "sollecito")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "sollecito/cmd/sollecito")
	said, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return program
}

func judge(t *testing.T, r report, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	r.print(&table)
	if !r.held() || r.Acknowledged == 0 || r.Paid+r.Written == 0 {
		t.Errorf("\n%s", &table)
	}
	t.Log(table.String())
}
