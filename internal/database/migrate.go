package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"

	"sollecito/migrations"
)

// Migrate brings the database to today's shape and answers how many steps were taken. A database of a newer
// release is refused, so that an old program never writes into a shape it does not know. Several programs may
// start at once on one server: they take turns.
func (db *DB) Migrate(ctx context.Context) (int, error) {
	provider, err := db.provider()
	if err != nil {
		return 0, err
	}
	has, err := provider.GetDBVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	if has > newestOf(provider) {
		return 0, fmt.Errorf("the database has shape %d, this program knows %d: start the newer program, or restore a backup", has, newestOf(provider))
	}
	done, err := provider.Up(ctx)
	if err != nil {
		return len(done), fmt.Errorf("the database cannot be brought to this release's shape: %w; restore a backup, or mend what this names", err)
	}
	return len(done), nil
}

// Upgraded is what Upgrade did.
type Upgraded struct {
	Steps int
	Copy  string // the file that holds the data as it was before, "" for none
}

// Upgrade is Migrate for data that matters: with keep, SQLite's file is copied first, and where that fails nothing is
// changed.
func (db *DB) Upgrade(ctx context.Context, keep bool, now time.Time) (Upgraded, error) {
	var done Upgraded
	var err error
	if keep {
		done.Copy, err = db.copyBeforeMigrating(ctx, now)
	}
	if err != nil {
		return Upgraded{}, fmt.Errorf("the database is left as it was, since no copy could be made before changing its shape: %w; "+
			"make room or give the right to write its folder, or go on without one with SOLLECITO_MIGRATION_BACKUP=off", err)
	}
	done.Steps, err = db.Migrate(ctx)
	if err == nil && done.Copy != "" {
		err = db.forgetCopies() // not before all is well: they are what one goes back to
	}
	return done, err
}

// provider knows all steps: those both engines read alike, and the one they have each their own text for.
func (db *DB) provider() (*goose.Provider, error) {
	own, err := migrations.Engine(db.name)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	engines := goose.NewGoMigration(migrations.EnginesVersion, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, own)
		return err
	}}, nil)
	provider, err := goose.NewProvider(db.dialect, db.write, migrations.Files, append(db.options, goose.WithGoMigrations(engines))...)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return provider, nil
}

func newestOf(provider *goose.Provider) int64 {
	var newest int64
	for _, source := range provider.ListSources() {
		newest = max(newest, source.Version)
	}
	return newest
}

// Setting answers a setting of the installation, "" when it was never set.
func Setting(ctx context.Context, tx *sql.Tx, name string) (string, error) {
	var value string
	err := tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

// SetSetting keeps a setting of the installation.
func SetSetting(ctx context.Context, tx *sql.Tx, name, value string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO settings (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}
