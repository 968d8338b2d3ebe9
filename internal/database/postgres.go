package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// connections is how many conversations with the server one program keeps at most: its four senders, its readers of
// Stripe, the schedule and the pages, and room for a hundred default connections to serve several programs.
const connections = 16

var errAddress = errors.New("the address cannot be read: it must read sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME")

func openPostgres(ctx context.Context, address string, how opening) (*DB, error) {
	shown := Redact(address)
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shown, errAddress)
	}
	config.ConnectTimeout = 10 * time.Second
	config.DialFunc = dialWatched
	for name, value := range map[string]string{
		"application_name":                    "sollecito",
		"synchronous_commit":                  "on",  // a committed row survives a power cut, whatever the server's default
		"random_page_cost":                    "1.1", // of disks without arms: a list of ids is looked up, however little is known of a table
		"lock_timeout":                        "10s", // as long as SQLite's writers wait
		"statement_timeout":                   "60s",
		"idle_in_transaction_session_timeout": "60s",
	} {
		config.RuntimeParams[name] = value
	}
	pool := sql.OpenDB(how.through(connector{stdlib.GetConnector(*config, stdlib.OptionAfterConnect(packSoon))}))
	pool.SetMaxOpenConns(connections + 1) // and the one of Join
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	err = pool.PingContext(ctx)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("%s: %w", shown, plain(err))
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // another node may be migrating
	if err != nil {
		pool.Close()
		return nil, err
	}
	ask := func(ctx context.Context) (Stamp, error) { return snapshot(ctx, pool) }
	return &DB{write: pool, read: pool, stamp: stamps{ask: ask, close: func() error { return nil }}, engine: engine{
		name: "postgres", address: shown, dialect: goose.DialectPostgres,
		options: []goose.ProviderOption{goose.WithSessionLocker(locker)}, skip: " FOR UPDATE SKIP LOCKED",
		empty: `SELECT to_regclass('settings') IS NULL`, reading: &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead},
	}}, nil
}

// packSoon has the server pack long texts, as kept mails are, by the faster of the ways it was built with.
func packSoon(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `
		SELECT set_config(name, 'lz4', false) FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)`)
	return err
}

// plain is a connection's failure without the settings it was tried with: the library's text names user and
// database, and a text of its own for each address it tried.
func plain(err error) error {
	var connect *pgconn.ConnectError
	if !errors.As(err, &connect) {
		return err
	}
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return refusal{said}
	}
	inner := errors.Unwrap(connect)
	if inner == nil {
		return errors.New("the server cannot be reached")
	}
	tries := slices.Compact(strings.Split(inner.Error(), "\n")) // with TLS and without: mostly the same failure
	return fmt.Errorf("the server cannot be reached: %s", strings.Join(tries, "; "))
}

// refusal is what the server says when it lets nobody in, in its own sentence alone.
type refusal struct{ said *pgconn.PgError }

func (r refusal) Error() string { return "the server refuses: " + r.said.Message }

func (r refusal) Unwrap() error { return r.said }

// connector makes connections that send text as PostgreSQL can keep it: without NUL and as valid UTF-8. What strangers
// write into a name or a form must never fail a transaction.
type connector struct{ driver.Connector }

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	made, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return connection{made.(*stdlib.Conn)}, nil
}

type connection struct{ *stdlib.Conn }

// CheckNamedValue implements driver.NamedValueChecker.
func (c connection) CheckNamedValue(v *driver.NamedValue) error {
	_, speaks := v.Value.(driver.Valuer)
	text := reflect.ValueOf(v.Value)
	if !speaks && text.Kind() == reflect.String {
		v.Value = strings.ToValidUTF8(strings.ReplaceAll(text.String(), "\x00", ""), "\uFFFD")
		return nil
	}
	return c.Conn.CheckNamedValue(v)
}
