package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"sollecito/internal/config"
	"sollecito/internal/database"
)

// openDatabase opens the installation's database in this release's shape. Unless it may be made, one that does not
// exist is refused: a mistyped address must not look like an installation in which all is well.
func openDatabase(p program, c *config.Config, mayMake bool) (*database.DB, error) {
	ctx, stop := untilHangUp(p.ctx)
	defer stop()
	db, err := openAsItIs(ctx, c, mayMake)
	if err != nil {
		return nil, err
	}
	done, err := db.Upgrade(ctx, c.MigrationCopy != "off", time.Now())
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if done.Copy != "" {
		fmt.Fprintf(p.err, "Before the database was brought into this release's shape it was copied to %s\n", done.Copy)
	}
	return db, nil
}

// openAsItIs opens the installation's database and changes nothing of its shape.
func openAsItIs(ctx context.Context, c *config.Config, mayMake bool) (*database.DB, error) {
	path, inFile := strings.CutPrefix(c.DatabaseURL, "sqlite:")
	if !mayMake && inFile {
		file := strings.TrimPrefix(path, "//")
		_, err := os.Stat(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, noDatabase(file)
		}
	}
	db, err := database.Open(ctx, c.DatabaseURL)
	if err != nil {
		return nil, err
	}
	empty, err := db.Empty(ctx)
	if err == nil && empty && !mayMake {
		err = noDatabase(db.Address())
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func noDatabase(at string) error {
	return fmt.Errorf("there is no database at %s: name the portal's own with SOLLECITO_DATABASE_URL or --database-url", at)
}

func migrateCommand(p program, args []string) error {
	u := newUsage("migrate [--restored INSTANT] [flags]", "Brings the database to the shape this release needs, and makes it when there is none. `sollecito serve` does the same when it\n"+
		"starts. An SQLite file that holds data is copied first. After a backup was put back that\n"+
		"`sollecito backup` did not make, --restored says when it was taken: serve then sends nothing that may have been sent since.").withSettings()
	restored := u.String("restored", "", "the `instant` at which the backup that was put back was taken, as 2026-11-25T03:00:00Z; too early is safer than too late")
	err := u.parseNone(p, args)
	if err != nil {
		return err
	}
	now := time.Now()
	taken, err := instantBefore(*restored, now)
	if err != nil {
		return err
	}
	c, err := u.configuration(p, "DATABASE_URL", "MIGRATION_BACKUP")
	if err != nil {
		return err
	}
	ctx, stop := untilHangUp(p.ctx)
	defer stop()
	db, err := openAsItIs(ctx, c, taken.IsZero())
	if err != nil {
		return err
	}
	defer db.Close()
	done, err := db.Upgrade(ctx, c.MigrationCopy != "off", now)
	if err != nil {
		return err
	}
	if done.Copy != "" {
		fmt.Fprintf(p.out, "As it was before it lies in %s\n", done.Copy)
	}
	if done.Steps == 0 {
		fmt.Fprintf(p.out, "%s is up to date.\n", db.Address())
	} else {
		fmt.Fprintf(p.out, "%s is up to date after %d steps.\n", db.Address(), done.Steps)
	}
	if taken.IsZero() {
		return nil
	}
	err = db.Do(ctx, func(tx *sql.Tx) error { return database.MarkCopy(ctx, tx, taken) })
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "It is taken for a backup of %s. When serve starts on it, all sending is stopped until you resume it.\n", taken.UTC().Format(time.RFC3339))
	return nil
}

// instantBefore reads an instant that lies before now; "" is none.
func instantBefore(typed string, now time.Time) (time.Time, error) {
	if typed == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, typed)
	if err != nil {
		return time.Time{}, misused("--restored must read as 2026-11-25T03:00:00Z; got %q", typed)
	}
	if at.After(now) {
		return time.Time{}, misused("--restored %s has not come yet", typed)
	}
	return at, nil
}
