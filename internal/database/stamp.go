package database

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// Stamp stands for all that was committed until some instant. While two are equal nobody committed anything between
// them, whichever program it was; that they differ may be another database's doing.
type Stamp string

// stampTime bounds one question for a stamp: it belongs to no single caller.
const stampTime = 10 * time.Second

// stamps asks for stamps. Callers who come while one is being asked for share the next one: the one under way may know
// nothing yet of what they know was committed.
type stamps struct {
	ask   func(ctx context.Context) (Stamp, error)
	close func() error

	mu     sync.Mutex
	next   *asked // for those who wait; nil when nobody does
	asking bool
}

// asked is one question and, once done is closed, its answer.
type asked struct {
	done  chan struct{}
	stamp Stamp
	err   error
}

// Stamp answers the stamp of an instant since it was called.
func (db *DB) Stamp(ctx context.Context) (Stamp, error) {
	s := &db.stamp
	s.mu.Lock()
	if s.next == nil {
		s.next = &asked{done: make(chan struct{})}
	}
	mine, leads := s.next, !s.asking
	s.asking = true
	s.mu.Unlock()
	if leads && s.turn(context.WithoutCancel(ctx)) {
		go func() { // for the others, so that no caller works for ever for them
			for s.turn(context.WithoutCancel(ctx)) {
			}
		}()
	}
	select {
	case <-mine.done:
		return mine.stamp, mine.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// turn asks once for everybody who waits and reports whether others have come meanwhile.
func (s *stamps) turn(ctx context.Context) bool {
	ctx, stop := context.WithTimeout(ctx, stampTime)
	defer stop()
	s.mu.Lock()
	now := s.next
	s.next = nil
	s.mu.Unlock()
	now.stamp, now.err = s.ask(ctx)
	close(now.done)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking = s.next != nil
	return s.asking
}

// dataVersion asks SQLite. Its number means something to the connection alone that asks, and tells it what all others
// committed, this program's own writer among them; so one connection is kept for it that writes nothing.
type dataVersion struct {
	pool *sql.DB

	mu     sync.Mutex
	conn   *sql.Conn // nil until asked, and after a failure
	opened int       // how many connections there were
}

func (d *dataVersion) ask(ctx context.Context) (Stamp, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil {
		conn, err := d.pool.Conn(ctx)
		if err != nil {
			return "", fmt.Errorf("ask for the data's version: %w", err)
		}
		d.conn = conn
		d.opened++
	}
	var version int64
	err := d.conn.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version)
	if err != nil {
		d.conn.Close()
		d.conn = nil
		return "", fmt.Errorf("ask for the data's version: %w", err)
	}
	return Stamp(strconv.Itoa(d.opened) + " " + strconv.FormatInt(version, 10)), nil
}

// close gives the connection back.
func (d *dataVersion) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil {
		return nil
	}
	err := d.conn.Close()
	d.conn = nil
	return err
}

// snapshot asks PostgreSQL: which transactions have ended is in the name of a snapshot.
func snapshot(ctx context.Context, pool *sql.DB) (Stamp, error) {
	var stamp Stamp
	err := pool.QueryRowContext(ctx, `SELECT CAST(pg_current_snapshot() AS text)`).Scan(&stamp)
	if err != nil {
		return "", fmt.Errorf("ask for a snapshot: %w", err)
	}
	return stamp, nil
}
