package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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
	program := filepath.Join(t.TempDir(), "sollecito")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "sollecito/cmd/sollecito")
	said, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	r, err := run(t.Context(), plan{Kills: 30, Seed: 1, Database: databasetest.URL(t), Program: program, Folder: t.TempDir()})
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
