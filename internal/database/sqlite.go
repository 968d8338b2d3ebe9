package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
)

func openSQLite(ctx context.Context, path string, how opening) (*DB, error) {
	path, _, _ = strings.Cut(path, "?") // its settings are ours to make
	err := defineHold()
	if err != nil {
		return nil, err
	}
	err = os.MkdirAll(filepath.Dir(path), 0o700)
	if err != nil {
		return nil, err
	}
	err = createPrivate(path)
	if err != nil {
		return nil, err
	}
	file, err := filepath.EvalSymlinks(path) // as SQLite does: its log lies beside the file, not beside a link to it
	if err != nil {
		return nil, err
	}
	// As every distribution's SQLite does: what is written is as durable, and the disk is not made to keep the file's times.
	_, err = sqlite.Fdatasync(true)
	if err != nil && !errors.Is(err, sqlite.ErrFdatasyncUnavailable) {
		return nil, err
	}
	if how.exclusive {
		return openExclusive(ctx, path, file, how)
	}
	// The writer keeps 8 MB of pages, so that a burst of mails seldom reads the disk, and brings what it wrote to its
	// place every 16 MB instead of every 4: pages that change often are then copied less often.
	write, err := openWriter(ctx, path, how, inWAL, synced, "_pragma=cache_size(-8000)", "_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		return nil, err
	}
	reading, err := sqlite.NewConnector(dsn(path, inWAL, synced, "_txlock=deferred", "_pragma=query_only(1)"))
	if err != nil {
		write.Close()
		return nil, err
	}
	read := sql.OpenDB(how.through(preparing{reading}))
	readers := max(4, runtime.NumCPU())
	read.SetMaxOpenConns(readers + 1) // and the one of stamps
	read.SetMaxIdleConns(readers)
	version := &dataVersion{pool: read}
	return &DB{write: write, read: read, stamp: stamps{ask: version.ask, close: version.close}, engine: inFile(path, file)}, nil
}

const (
	inWAL  = "_pragma=journal_mode(WAL)"
	synced = "_pragma=synchronous(FULL)"
)

// openWriter opens the pool of the one connection that writes.
func openWriter(ctx context.Context, path string, how opening, settings ...string) (*sql.DB, error) {
	writing, err := sqlite.NewConnector(dsn(path, append(settings, "_txlock=immediate")...))
	if err != nil {
		return nil, err
	}
	write := sql.OpenDB(how.through(preparing{writing}))
	write.SetMaxOpenConns(1)
	err = write.PingContext(ctx)
	if err != nil {
		write.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return write, nil
}

// openExclusive is for Exclusive.
func openExclusive(ctx context.Context, path, file string, how opening) (*DB, error) {
	where, settings := path, []string{"_pragma=locking_mode(EXCLUSIVE)", "_pragma=journal_mode(MEMORY)", "_pragma=synchronous(OFF)", "_pragma=cache_size(-256000)"}
	if how.memory != nil {
		where, settings = how.memory.name, append(settings, inMemory)
	}
	pool, err := openWriter(ctx, where, how, settings...)
	if err != nil {
		return nil, err
	}
	return &DB{write: pool, read: pool, stamp: stamps{ask: noStamp, close: func() error { return nil }}, engine: inFile(path, file)}, nil
}

func noStamp(context.Context) (Stamp, error) { return "", errors.New("who is alone gets no stamps") }

func inFile(path, file string) engine {
	return engine{
		name: "sqlite", file: file, address: path, dialect: goose.DialectSQLite3, reading: &sql.TxOptions{ReadOnly: true},
		empty: `SELECT NOT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'settings')`,
	}
}

// defineHold gives SQLite the function that Hold asks for; PostgreSQL's is made by a migration. One writer needs nothing
// held. The driver keeps functions for the whole process, for connections that are opened afterwards.
var defineHold = sync.OnceValue(func() error {
	return sqlite.RegisterFunction("hold", &sqlite.FunctionImpl{
		NArgs:        1,
		VolatileArgs: true, // the name is not looked at, let alone kept
		Scalar:       func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) { return nil, nil },
	})
})

// createPrivate makes the file readable by its owner alone: it holds names and addresses.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func dsn(path string, extra ...string) string {
	options := append([]string{
		"_pragma=busy_timeout(10000)", "_pragma=foreign_keys(1)", "_pragma=temp_store(MEMORY)",
	}, extra...)
	return "file:" + escaped(path) + "?" + strings.Join(options, "&")
}

// escaped is a path as it stands in the name of a connection.
func escaped(path string) string { return (&url.URL{Path: path}).EscapedPath() }
