package apikey_test

import (
	"os"
	"testing"

	"sollecito/internal/databasetest"
)

// Every test of this package is told on SQLite and on PostgreSQL.
func TestMain(m *testing.M) { os.Exit(databasetest.Main(m)) }
