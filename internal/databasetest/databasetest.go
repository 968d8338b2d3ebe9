package databasetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that makes and drops a test's database

	"sollecito/internal/database"
)

// postgres is the server of the second run, nil during the first. Main alone sets it, between runs.
var postgres *server

// Main runs all tests of a package on SQLite, then on PostgreSQL, and answers the exit code. For TestMain.
func Main(m *testing.M) int { return run(m, false) }

// MainDurable is Main for benchmarks: the server it starts waits for the disk at each commit, as a real one does.
func MainDurable(m *testing.M) int { return run(m, true) }

func run(m *testing.M, durable bool) int {
	code := m.Run()
	if code != 0 || once() {
		return code
	}
	start := time.Now()
	s, err := findServer(durable)
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("SOLLECITO_TEST_REQUIRE"), ","), "postgres") {
			fmt.Fprintf(os.Stderr, "FAIL: SOLLECITO_TEST_REQUIRE asks for postgres: %v\n", err)
			return 1
		}
		fmt.Printf("SKIP: not told on PostgreSQL (%v); SOLLECITO_TEST_REQUIRE=postgres makes this a failure\n", err)
		return 0
	}
	defer s.stop()
	fmt.Printf("=== once more on PostgreSQL, ready after %s\n", time.Since(start).Round(time.Millisecond))
	postgres = s
	return m.Run()
}

// once reports whether there is to be no second run: somebody asks for SQLite alone, a fuzzing engine is at work, or
// tests are only listed.
func once() bool {
	if os.Getenv("SOLLECITO_TEST_ENGINES") == "sqlite" {
		return true
	}
	for _, name := range []string{"test.fuzz", "test.list"} {
		f := flag.Lookup(name)
		if f != nil && f.Value.String() != "" {
			return true
		}
	}
	return false
}

// OnPostgres reports whether this is the second run: for what a test asks of one engine alone, and for stories whose
// second telling proves nothing new.
func OnPostgres() bool { return postgres != nil }

// URL answers a DATABASE_URL that names an empty database of the engine under test, gone when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	if postgres == nil {
		return "sqlite:" + filepath.Join(t.TempDir(), "sollecito.db")
	}
	return postgres.create(t, "")
}

// Migrated is URL for a database of today's shape, as Migrate leaves an empty one. The steps are taken once, the rest
// are copies.
func Migrated(t testing.TB) string {
	t.Helper()
	if postgres != nil {
		template, err := postgres.migrated()
		if err != nil {
			t.Fatalf("make the template: %v", err)
		}
		return postgres.create(t, ` TEMPLATE `+template)
	}
	template, err := migratedFile()
	if err != nil {
		t.Fatalf("make the template: %v", err)
	}
	file := filepath.Join(t.TempDir(), "sollecito.db")
	err = os.WriteFile(file, template, 0o600)
	if err != nil {
		t.Fatalf("make a database: %v", err)
	}
	return "sqlite:" + file
}

// Twin answers a DATABASE_URL that names a copy of a PostgreSQL database as it is now. Whoever is connected to that one is
// parted from it for a moment.
func Twin(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	_, err = postgres.admin.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, name)
	if err != nil {
		t.Fatalf("part everybody from %s: %v", name, err)
	}
	return postgres.create(t, ` TEMPLATE `+name)
}

// migratedFile is the content of an SQLite file of today's shape.
var migratedFile = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "sollecito-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "sollecito.db")
	err = migrate("sqlite:" + file)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(file) // all of it, since closing moves what the write-ahead log holds
})

func migrate(address string) error {
	db, err := database.Open(context.Background(), address)
	if err != nil {
		return err
	}
	_, err = db.Migrate(context.Background())
	return errors.Join(err, db.Close())
}

// server is a PostgreSQL whose user may create databases.
type server struct {
	address *url.URL
	admin   *sql.DB
	end     func()

	migrated func() (string, error) // the name of a database of today's shape, made when first asked for; set by connect
	made     string                 // that name, "" before
}

func findServer(durable bool) (*server, error) {
	named := os.Getenv("SOLLECITO_TEST_POSTGRES")
	if named == "" {
		return startServer(durable)
	}
	return connect(named, func() {})
}

func connect(address string, end func()) (*server, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("SOLLECITO_TEST_POSTGRES is no address: %w", err)
	}
	admin, err := sql.Open("pgx", address)
	if err != nil {
		return nil, err
	}
	admin.SetMaxOpenConns(2)
	s := &server{address: u, admin: admin, end: end}
	s.migrated = sync.OnceValues(s.template)
	deadline := time.Now().Add(30 * time.Second)
	for {
		err = admin.Ping()
		if err == nil {
			return s, nil
		}
		if time.Now().After(deadline) {
			s.stop()
			return nil, err
		}
		time.Sleep(20 * time.Millisecond) // one that is named may be starting, and tells nobody when it is ready
	}
}

// create makes a database of its own for a test, which ends with it.
func (s *server) create(t testing.TB, how string) string {
	t.Helper()
	name := fresh()
	err := s.order(`CREATE DATABASE ` + name + how)
	if err != nil {
		t.Fatalf("make a database: %v", err)
	}
	t.Cleanup(func() {
		err := s.order(`DROP DATABASE ` + name + ` WITH (FORCE)`)
		if err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	return s.at(name)
}

func (s *server) template() (string, error) {
	name := fresh()
	err := s.order(`CREATE DATABASE ` + name)
	if err != nil {
		return "", err
	}
	s.made = name
	return name, migrate(s.at(name))
}

func fresh() string { return "test_" + strings.ToLower(rand.Text()) }

// at is the address of one of the server's databases.
func (s *server) at(name string) string {
	u := *s.address
	u.Path = "/" + name
	return u.String()
}

func (s *server) order(statement string) error {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	_, err := s.admin.ExecContext(ctx, statement)
	return err
}

func (s *server) stop() {
	if s.made != "" {
		err := s.order(`DROP DATABASE ` + s.made + ` WITH (FORCE)`)
		if err != nil {
			fmt.Fprintf(os.Stderr, "drop the template: %v\n", err)
		}
	}
	s.admin.Close()
	s.end()
}
