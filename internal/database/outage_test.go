package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// What SQLite says of a full disk, a file that may only be read and a lock is an outage; a wrong word is a mistake.
func TestOutages(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.db")
	db, err := Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	do := func(words string) error {
		return db.Do(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), words)
			return err
		})
	}
	err = do(`CREATE TABLE things (x TEXT NOT NULL UNIQUE)`)
	if err != nil {
		t.Fatal(err)
	}
	err = do(`PRAGMA max_page_count = 8`)
	if err != nil {
		t.Fatal(err)
	}
	full := do(`INSERT INTO things VALUES (hex(randomblob(100000)))`)
	mistake := do(`FROBNICATE`)
	err = do(`PRAGMA query_only = 1`)
	if err != nil {
		t.Fatal(err)
	}
	for what, failure := range map[string]struct {
		err  error
		want bool
	}{
		"a full file":           {fmt.Errorf("keep: %w", full), true},
		"a file only to read":   {do(`INSERT INTO things VALUES ('a')`), true},
		"a word it has not":     {mistake, false},
		"nothing":               {nil, false},
		"something of ours":     {errors.New("no"), false},
		"a standby":             {&pgconn.PgError{Code: "25006"}, true},
		"a full server":         {&pgconn.PgError{Code: "53100"}, true},
		"a server that stops":   {&pgconn.PgError{Code: "57P01"}, true},
		"a deadlock":            {&pgconn.PgError{Code: "40P01"}, true},
		"a lost connection":     {&pgconn.PgError{Code: "08006"}, true},
		"a row twice":           {&pgconn.PgError{Code: "23505"}, false},
		"a statement cancelled": {&pgconn.PgError{Code: "57014"}, true},
	} {
		if what != "nothing" && failure.err == nil {
			t.Errorf("%s: it did not fail", what)
		}
		if got := Outage(failure.err); got != failure.want {
			t.Errorf("%s (%v): %v", what, failure.err, got)
		}
	}
}

// Of what passes some is about one thing: somebody else holds it, or it took too long.
func TestWhatIsInTheWayIsToldFromADatabaseThatIsAway(t *testing.T) {
	for code, want := range map[string]struct{ way, left bool }{
		"55P03": {way: true}, "40001": {way: true}, "40P01": {way: true}, "57014": {true, true}, "57P01": {}, "53200": {}, "08006": {}, "23505": {},
	} {
		err := fmt.Errorf("hold: %w", &pgconn.PgError{Code: code})
		if InTheWay(err) != want.way || Interrupted(err) != want.left {
			t.Errorf("%s: in the way %v, interrupted %v", code, InTheWay(err), Interrupted(err))
		}
	}
	if InTheWay(io.ErrUnexpectedEOF) || Interrupted(io.ErrUnexpectedEOF) || !Interrupted(fmt.Errorf("begin: %w", context.Canceled)) {
		t.Error("a lost connection is in the way, or whoever left did not interrupt it")
	}
}
