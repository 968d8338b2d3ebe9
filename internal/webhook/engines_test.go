package webhook

import (
	"os"
	"testing"

	"sollecito/internal/databasetest"
)

func TestMain(m *testing.M) { os.Exit(databasetest.Main(m)) }
