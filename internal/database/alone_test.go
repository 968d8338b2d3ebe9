package database_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
)

// Whoever starts beside a living program recovers nothing of it, also when the one that was alone first is gone.
func TestOnlyAProgramThatIsAloneRecovers(t *testing.T) {
	if !databasetest.OnPostgres() {
		return // SQLite's file belongs to one program
	}
	address := databasetest.URL(t)
	start := func() (*database.DB, bool) {
		db, err := database.Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		alone := false
		err = db.Join(t.Context(), func(context.Context) error {
			alone = true
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return db, alone
	}
	stop := func(db *database.DB) {
		err := db.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	first, alone := start()
	if !alone {
		t.Error("the first is not alone")
	}
	second, alone := start()
	if alone {
		t.Error("the second takes the first for gone")
	}
	stop(first)
	third, alone := start()
	if alone {
		t.Error("the third takes the second for gone")
	}
	stop(second)
	stop(third)
	_, alone = start()
	if !alone {
		t.Error("nobody recovers what the last one left")
	}
}

// A server that starts anew ends the connection that says a program lives: the program notices and says it again, so that
// whoever starts then recovers nothing of it.
func TestAProgramStaysThoughItsConnectionEnds(t *testing.T) {
	if !databasetest.OnPostgres() {
		return
	}
	address := databasetest.URL(t)
	open := func() *database.DB {
		db, err := database.Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	first := open()
	stay := func() {
		t.Helper()
		err := first.Stay(t.Context())
		if err != nil {
			t.Fatal(err)
		}
	}
	stay() // before it has joined
	err := first.Join(t.Context(), func(context.Context) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	stay()
	watcher := open()
	locks := func() (n int) {
		t.Helper()
		err := watcher.See(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRow(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'
				AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 2 {
		err = watcher.Do(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'
				AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); locks() > 0 && time.Since(began) < 5*time.Second; {
			time.Sleep(10 * time.Millisecond)
		}
		stay()
		if got := locks(); got != 1 {
			t.Fatalf("%d locks say that it lives", got)
		}
	}
	stay()
	second, alone := open(), false
	err = second.Join(t.Context(), func(context.Context) error {
		alone = true
		return nil
	})
	if err != nil || alone {
		t.Errorf("the second takes the first for gone: %v", err)
	}
	err = first.Close()
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); locks() > 1 && time.Since(began) < 5*time.Second; { // the server sees it go
		time.Sleep(10 * time.Millisecond)
	}
	stay() // nothing is said for a program that has ended
	if got := locks(); got != 1 {
		t.Errorf("%d locks stand beside the second's", got-1)
	}
}

// A program that is told to stop while it looks whether others have gone stops at once, and leaves nothing behind.
func TestAProgramThatIsToldToStopDoesNotWaitForOthers(t *testing.T) {
	if !databasetest.OnPostgres() {
		return
	}
	address := databasetest.URL(t)
	first, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.Close() })
	nothing := func(context.Context) error { return nil }
	err = first.Join(t.Context(), nothing)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	asked := 0
	second, err := database.Open(t.Context(), address, database.Through(answered(func(query string) {
		if strings.Contains(query, "pg_try_advisory_lock") {
			asked++
			stop() // while it goes on to wait
		}
	})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { second.Close() })
	err = second.Join(ctx, nothing)
	if !errors.Is(err, context.Canceled) || asked != 1 {
		t.Errorf("told to stop, it asked %d times and answered: %v", asked, err)
	}
	err = second.Join(t.Context(), nothing)
	if err != nil {
		t.Errorf("it cannot start afterwards: %v", err)
	}
}

// answered makes connections that tell of each query whose answer was read.
func answered(tell func(query string)) func(driver.Connector) driver.Connector {
	return func(inner driver.Connector) driver.Connector { return tellingConnector{inner, tell} }
}

type tellingConnector struct {
	driver.Connector
	tell func(query string)
}

func (c tellingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	made, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return tellingConn{made.(conn), c.tell}, nil
}

// conn is what database/sql uses of an engine's connections here.
type conn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
}

type tellingConn struct {
	conn
	tell func(query string)
}

func (c tellingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.conn.QueryContext(ctx, query, args)
	if err != nil {
		c.tell(query)
		return nil, err
	}
	return tellingRows{rows, func() { c.tell(query) }}, nil
}

type tellingRows struct {
	driver.Rows
	tell func()
}

func (r tellingRows) Close() error {
	err := r.Rows.Close()
	r.tell()
	return err
}
