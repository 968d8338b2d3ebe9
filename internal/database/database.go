package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// DB is the open database of an installation. It is safe for concurrent use.
type DB struct {
	write *sql.DB
	read  *sql.DB
	file  string
}

// Open opens the database named by a DATABASE_URL ("sqlite:PATH") and creates the file when it is missing. It
// does not migrate.
func Open(ctx context.Context, address string) (*DB, error) {
	scheme, path, _ := strings.Cut(address, ":")
	if scheme != "sqlite" || path == "" {
		return nil, fmt.Errorf("open database %q: the address must read sqlite:PATH", redact(address))
	}
	path = strings.TrimPrefix(path, "//")
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	err = createPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	write, err := sql.Open("sqlite", dsn(path, "_txlock=immediate"))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	write.SetMaxOpenConns(1)
	err = write.PingContext(ctx)
	if err != nil {
		write.Close()
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	read, err := sql.Open("sqlite", dsn(path, "_txlock=deferred", "_pragma=query_only(1)"))
	if err != nil {
		write.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	read.SetMaxOpenConns(max(4, runtime.NumCPU()))
	read.SetMaxIdleConns(max(4, runtime.NumCPU()))
	return &DB{write: write, read: read, file: path}, nil
}

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
		"_pragma=busy_timeout(10000)", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=foreign_keys(1)",
	}, extra...)
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + strings.Join(options, "&")
}

func redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(unreadable)"
	}
	return u.Redacted()
}

// Path is the file that holds the data.
func (db *DB) Path() string { return db.file }

// Close closes both pools; a second call does nothing.
func (db *DB) Close() error { return errors.Join(db.read.Close(), db.write.Close()) }

// Do runs work in one transaction that may write, commits when it answers nil and rolls back otherwise. A
// panic rolls back and goes on.
func (db *DB) Do(ctx context.Context, work func(tx *sql.Tx) error) error {
	return run(ctx, db.write, nil, work)
}

// See runs work in one transaction that can only read, on one state of the data.
func (db *DB) See(ctx context.Context, work func(tx *sql.Tx) error) error {
	return run(ctx, db.read, &sql.TxOptions{ReadOnly: true}, work)
}

func run(ctx context.Context, pool *sql.DB, options *sql.TxOptions, work func(tx *sql.Tx) error) error {
	tx, err := pool.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // after a commit this does nothing
	err = work(tx)
	if err != nil {
		return err
	}
	err = tx.Commit()
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Check answers whether the database can be read and written now.
func (db *DB) Check(ctx context.Context) error {
	return db.Do(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO settings (name, value) VALUES ('checked', '1')
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`)
		return err
	})
}

// Strings answers the one text column of a query's rows.
func Strings(ctx context.Context, tx *sql.Tx, query string, args ...any) ([]string, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		err = rows.Scan(&s)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// IsUnique reports whether err says that a row with this key stands already.
func IsUnique(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}
