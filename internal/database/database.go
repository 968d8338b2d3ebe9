package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/pressly/goose/v3"
)

// DB is the open database of an installation. It is safe for concurrent use.
type DB struct {
	write *sql.DB
	read  *sql.DB
	stamp stamps
	life  atomic.Pointer[sql.Conn] // says to other programs that this one lives; nil before Join and on SQLite
	engine
}

// engine is what the two databases do not say alike.
type engine struct {
	name    string // sqlite or postgres, as the folder of its own migrations
	file    string // SQLite's file, "" for PostgreSQL
	address string // for people: the file, or the address without its password
	dialect goose.Dialect
	options []goose.ProviderOption
	reading *sql.TxOptions // of a transaction that only reads, on one state of the data
	empty   string         // asks whether nothing of ours is in it
	skip    string         // ends a claiming SELECT, so that two claimers take different rows instead of waiting
}

// Option changes how a database is opened. The program itself takes none; those that try it do.
type Option func(*opening)

type opening struct {
	through   func(driver.Connector) driver.Connector
	exclusive bool // SQLite's
	memory    *Memory
}

// Through makes every connection through what wrap makes of the engine's own connector, so that a test can count
// statements and let them fail.
func Through(wrap func(driver.Connector) driver.Connector) Option {
	return func(o *opening) { o.through = wrap }
}

// Exclusive lets one connection have SQLite's file for itself, to write and to read, in whose memory stays what it has read and
// what it would roll back, and which never waits for the disk: only for data that may be lost with the program, and for one
// that does a thing after the other. It gives no stamps.
func Exclusive() Option { return func(o *opening) { o.exclusive = true } }

// Open opens the database named by a DATABASE_URL: "sqlite:PATH", whose file is created when it is missing, or
// "postgres://USER:PASSWORD@HOST/NAME", which must exist. It does not migrate. The error is an *Unopened.
func Open(ctx context.Context, address string, options ...Option) (*DB, error) {
	scheme, rest, _ := strings.Cut(address, ":")
	how := opening{through: func(c driver.Connector) driver.Connector { return c }}
	for _, option := range options {
		option(&how)
	}
	var db *DB
	var err error
	switch {
	case scheme == "sqlite" && rest != "":
		db, err = openSQLite(ctx, strings.TrimPrefix(rest, "//"), how)
	case scheme == "postgres" || scheme == "postgresql":
		db, err = openPostgres(ctx, address, how)
	default:
		err = fmt.Errorf("%s: %w", Redact(address), errAddress)
	}
	if err != nil {
		return nil, unopened(scheme == "sqlite", err)
	}
	return db, nil
}

// Redact is an address without its password, for people and logs.
func Redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(unreadable)"
	}
	if u.RawQuery != "" {
		q := u.Query()
		if q.Has("password") {
			q.Set("password", "xxxxx")
			u.RawQuery = q.Encode()
		}
	}
	return u.Redacted()
}

// WithoutPassword is an address as it may stand on a command line, which others can see.
func WithoutPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(unreadable)"
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	q := u.Query()
	if q.Has("password") {
		q.Del("password")
		u.RawQuery = q.Encode()
	}
	return u.String()
}

// Path is the file that holds the data, behind whatever links lead to it, "" when a server does.
func (db *DB) Path() string { return db.file }

// Address says where the data is, for people: the file, or the server's address without its password.
func (db *DB) Address() string { return db.address }

// SkipLocked ends a SELECT that claims rows, so that two claimers at once take different ones. It is PostgreSQL's
// word; with SQLite's one writer there is nothing to skip and nothing to say.
func (db *DB) SkipLocked() string { return db.skip }

// Close closes both pools; a second call does nothing.
func (db *DB) Close() error {
	err := errors.Join(db.stamp.close(), db.read.Close(), db.write.Close())
	life := db.life.Swap(nil)
	if life != nil { // its connection ends now, the pool being closed
		err = errors.Join(err, life.Close())
	}
	return err
}

// Do runs work in one transaction that may write, commits when it answers nil and rolls back otherwise. A
// panic rolls back and goes on.
func (db *DB) Do(ctx context.Context, work func(tx *sql.Tx) error) error {
	return run(ctx, db.write, nil, work)
}

// See runs work in one transaction that can only read, on one state of the data.
func (db *DB) See(ctx context.Context, work func(tx *sql.Tx) error) error {
	if db.file != "" {
		ctx = context.WithoutCancel(ctx) // whoever reads leaves between statements: to watch for it costs as much as reading
	}
	return run(ctx, db.read, db.reading, work)
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
	return db.Do(ctx, func(tx *sql.Tx) error { return SetSetting(ctx, tx, "checked", "1") })
}

// Empty reports whether the database holds nothing of ours: no step of Migrate was ever taken.
func (db *DB) Empty(ctx context.Context) (bool, error) {
	var empty bool
	err := db.read.QueryRowContext(ctx, db.empty).Scan(&empty)
	if err != nil {
		return false, fmt.Errorf("look into the database: %w", err)
	}
	return empty, nil
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
