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
	alone := false
	for try := 0; try < joinTries && !alone; try++ {
		if try > 0 {
			time.Sleep(joinPause)
		}
		err := life.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(hashtext('sollecito'), 1)`).Scan(&alone)
		if err != nil {
			return fmt.Errorf("look for other programs on the database: %w", err)
		}
	}
	if alone {
		err := recover(ctx)
		if err != nil {
			return err
		}
	}
	_, err := life.ExecContext(ctx, `SELECT pg_advisory_lock_shared(hashtext('sollecito'), 1)`)
	if err == nil && alone {
		_, err = life.ExecContext(ctx, `SELECT pg_advisory_unlock(hashtext('sollecito'), 1)`)
	}
	if err != nil {
		return fmt.Errorf("join the programs on the database: %w", err)
	}
	return nil
}

// leave gives the connection back without the locks.
func leave(life *sql.Conn) error {
	_, err := life.ExecContext(context.Background(), `SELECT pg_advisory_unlock_all()`)
	return errors.Join(err, life.Close())
}
