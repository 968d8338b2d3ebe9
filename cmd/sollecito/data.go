package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"sollecito/internal/config"
	"sollecito/internal/database"
)

// openDatabase opens the installation's database in this release's shape. Unless it may be made, one that does not
// exist is refused: a mistyped address must not look like an installation in which all is well.
func openDatabase(ctx context.Context, c *config.Config, mayMake bool) (*database.DB, error) {
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
	_, err = db.Migrate(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func noDatabase(at string) error {
	return fmt.Errorf("there is no database at %s: name the portal's own with SOLLECITO_DATABASE_URL or --database-url", at)
}

func migrateCommand(p program, args []string) error {
	u := newUsage("migrate [flags]", "Brings the database to the shape this release needs, and makes it when there is none. `sollecito serve` does the same when it starts.").withSettings()
	err := u.parseNone(p, args)
	if err != nil {
		return err
	}
	c, err := u.configuration(p, "DATABASE_URL")
	if err != nil {
		return err
	}
	db, err := database.Open(p.ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	steps, err := db.Migrate(p.ctx)
	if err != nil {
		return err
	}
	if steps == 0 {
		fmt.Fprintf(p.out, "%s is up to date.\n", db.Address())
		return nil
	}
	fmt.Fprintf(p.out, "%s is up to date after %d steps.\n", db.Address(), steps)
	return nil
}
