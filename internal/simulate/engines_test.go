package main

import (
	"os"
	"runtime/debug"
	"testing"

	"sollecito/internal/databasetest"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // as in the program itself
	os.Exit(databasetest.Main(m))
}
