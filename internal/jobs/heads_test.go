package jobs_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/database"
	"sollecito/internal/jobs"
)

func TestTheHeadOfTheAuditLogIsToldOnceADay(t *testing.T) {
	db, err := database.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	var log bytes.Buffer
	heads := jobs.Heads{DB: db, Real: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 49 { // two days by the hour
		err = db.Do(t.Context(), func(tx *sql.Tx) error {
			return audit.Append(t.Context(), tx, audit.Entry{At: now, Actor: "staff_1", Action: "case.paused"})
		})
		if err != nil {
			t.Fatal(err)
		}
		n, err := heads.RunOnce(t.Context())
		if err != nil || n != 0 {
			t.Fatal(n, err)
		}
		now = now.Add(time.Hour)
	}
	if got := strings.Count(log.String(), "level=INFO"); got != 3 {
		t.Errorf("told %d times:\n%s", got, log.String())
	}
	// What was told is what the chain holds.
	for _, seq := range []int64{1, 25, 49} {
		var hash string
		_, after, found := strings.Cut(log.String(), fmt.Sprintf("seq=%d hash=", seq))
		hash, _, _ = strings.Cut(after, "\n")
		err = db.See(t.Context(), func(tx *sql.Tx) error { return audit.Holds(t.Context(), tx, seq, hash) })
		if !found || err != nil {
			t.Errorf("entry %d: %v", seq, err)
		}
	}
}
