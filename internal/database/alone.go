package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A program that was killed may be missing for a moment before its server knows.
const (
	joinTries = 20
	joinPause = 50 * time.Millisecond
)

// Join counts the program among those that work on the database, until Close. Where no other does, recover is called
// first: whatever was under way there, its program is gone. SQLite's file belongs to one program. PostgreSQL's programs
// share a lock on a connection each, which ends with them; who can have it alone is alone.
func (db *DB) Join(ctx context.Context, recover func(context.Context) error) error {
	if db.file != "" {
		return recover(ctx)
	}
	life, err := db.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("join the programs on the database: %w", err)
	}
	err = join(ctx, life, recover)
	if err != nil {
		return errors.Join(err, leave(life))
	}
	db.life.Store(life)
	return nil
}

func join(ctx context.Context, life *sql.Conn, recover func(context.Context) error) error {
	alone, err := haveAlone(ctx, life)
	if err != nil {
		return fmt.Errorf("look for other programs on the database: %w", err)
	}
	if alone {
		err := recover(ctx)
		if err != nil {
			return err
		}
	}
	_, err = life.ExecContext(ctx, `SELECT pg_advisory_lock_shared(hashtext('sollecito'), 1)`)
	if err == nil && alone {
		_, err = life.ExecContext(ctx, `SELECT pg_advisory_unlock(hashtext('sollecito'), 1)`)
	}
	if err != nil {
		return fmt.Errorf("join the programs on the database: %w", err)
	}
	return nil
}

// haveAlone asks for the lock that only one program can have, and reports whether it got it: after a while at most, or an
// error as soon as ctx ends.
func haveAlone(ctx context.Context, life *sql.Conn) (bool, error) {
	pause := time.NewTicker(joinPause)
	defer pause.Stop()
	for try := 1; ; try++ {
		alone := false
		err := life.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(hashtext('sollecito'), 1)`).Scan(&alone)
		if err != nil || alone || try == joinTries {
			return alone, err
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// Stay sees to it that the program still counts among those that work on the database: its connection's end, as when the
// server starts anew, took its lock along, and another program that starts then would take it for gone. It does nothing
// before Join and on SQLite.
func (db *DB) Stay(ctx context.Context) error {
	life := db.life.Load()
	if life == nil {
		return nil
	}
	held := false
	err := life.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND mode = 'ShareLock' AND granted)`).Scan(&held)
	if err == nil && held || ctx.Err() != nil {
		return ctx.Err()
	}
	fresh, err := db.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("stay among the programs on the database: %w", err)
	}
	_, err = fresh.ExecContext(ctx, `SELECT pg_advisory_lock_shared(hashtext('sollecito'), 1)`)
	if err != nil {
		return errors.Join(fmt.Errorf("stay among the programs on the database: %w", err), leave(fresh))
	}
	if !db.life.CompareAndSwap(life, fresh) { // the program is being closed
		return leave(fresh)
	}
	_ = life.Close() // what it stood for is gone
	return nil
}

// leave gives the connection back without the locks.
func leave(life *sql.Conn) error {
	_, err := life.ExecContext(context.Background(), `SELECT pg_advisory_unlock_all()`)
	return errors.Join(err, life.Close())
}
