package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Shape answers the number of the last migration the database has had and of the last one this program knows. It
// changes nothing; a database that was never migrated is refused as any other failure.
func (db *DB) Shape(ctx context.Context) (has, newest int64, err error) {
	provider, err := db.provider()
	if err != nil {
		return 0, 0, err
	}
	err = db.See(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version`).Scan(&has)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("read the database's shape: %w", err)
	}
	return has, newestOf(provider), nil
}

// Integrity answers what SQLite finds wrong with the file, at most ten findings; nothing when it is whole. It walks through
// the whole file and, unlike what else is read, ends with its context.
func (db *DB) Integrity(ctx context.Context) ([]string, error) {
	conn, err := db.read.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("check integrity: %w", err)
	}
	defer conn.Close()
	var found []string
	err = conn.Raw(func(made any) error {
		asked, is := made.(*preparedConn)
		if !is {
			return errors.New("no file of SQLite's is behind this connection")
		}
		found, err = asked.watched(ctx, `PRAGMA integrity_check(10)`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("check integrity: %w", err)
	}
	if len(found) == 1 && found[0] == "ok" {
		return nil, nil
	}
	return found, nil
}

// Exposed answers who else may read the database's files, as the mode of the first such file; "" when only their
// owner may. The files beside the first (the log of what was written last) hold the same data.
func (db *DB) Exposed() (file string, mode fs.FileMode, err error) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(db.file + suffix)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return "", 0, err
		}
		if info.Mode().Perm()&0o077 != 0 {
			return db.file + suffix, info.Mode().Perm(), nil
		}
	}
	return "", 0, nil
}
