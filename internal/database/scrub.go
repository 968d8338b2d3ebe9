package database

import (
	"context"
	"errors"
	"fmt"
)

// Scrub writes SQLite's file anew, without the pages and the log in which deleted data could still be read. Others may go on
// reading meanwhile, and whoever wants to write waits. PostgreSQL does its own housekeeping: there it does nothing.
func (db *DB) Scrub(ctx context.Context) error {
	if db.file == "" {
		return nil
	}
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("write the file anew: %w", err)
	}
	defer conn.Close()
	_, err = conn.ExecContext(ctx, `PRAGMA temp_store(FILE)`) // the copy may be larger than what memory there is
	if err == nil {
		_, err = conn.ExecContext(ctx, `VACUUM`)
	}
	var busy, log, done int
	if err == nil {
		err = conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &done)
	}
	if err == nil && busy != 0 {
		err = errors.New("somebody reads it all the time")
	}
	_, back := conn.ExecContext(ctx, `PRAGMA temp_store(MEMORY)`)
	err = errors.Join(err, back)
	if err != nil {
		return fmt.Errorf("write the file anew: %w", err)
	}
	return nil
}
