package intake

import (
	"os"
	"testing"

	"sollecito/internal/databasetest"
)

// Every test of this package that asks for a database is told on SQLite and on PostgreSQL.
func TestMain(m *testing.M) { os.Exit(databasetest.Main(m)) }
