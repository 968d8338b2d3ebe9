package portal

import (
	"bytes"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"sollecito/internal/database"
)

// Whoever waits long for another program says so each minute, which is six waits for a lock.
func TestAProgramThatWaitsSaysSoEachMinute(t *testing.T) {
	t.Parallel()
	db, err := database.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "portal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var said bytes.Buffer
	p := &Portal{DB: db, log: slog.New(slog.NewTextHandler(&said, nil))}
	tries := 0
	err = p.patiently(t.Context(), func(*sql.Tx) error {
		tries++
		if tries <= 15 {
			return &pgconn.PgError{Code: "55P03", Message: "canceling statement due to lock timeout"}
		}
		return nil
	})
	if n := strings.Count(said.String(), "this one waits for it"); err != nil || n != 3 {
		t.Errorf("in two minutes and a half it is said %d times: %v\n%s", n, err, said.String())
	}
}
