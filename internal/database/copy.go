package database

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
)

// ErrServers is why Copy copies nothing: the data is a server's, and so are the tools that copy it.
var ErrServers = errors.New("the data is in PostgreSQL, which copies it by its own tools")

// Copy writes all that is committed at one instant, now, into a file of its own that is not there yet; with over it may
// take the place of one that is. Others read and write meanwhile. The copy is written beside its place, checked from end to
// end, on disk and readable by its owner alone before it has its name: whatever goes wrong, nothing is left of it. It
// carries a mark that it is a copy (CopiedAt), and SQLite alone can do this; else the error is ErrServers.
func (db *DB) Copy(ctx context.Context, to string, over bool, now time.Time) (err error) {
	if db.file == "" {
		return ErrServers
	}
	err = db.mayBecome(to, over)
	if err != nil {
		return err
	}
	forgetUnfinished(filepath.Dir(db.file))
	folder, leave, err := Workplace(filepath.Dir(to))
	if err != nil {
		return fmt.Errorf("make a copy of the database: %w", err)
	}
	defer func() { // it has its name by then, or is half a copy
		gone := leave()
		if err == nil {
			err = gone
		}
	}()
	part, err := os.OpenFile(filepath.Join(folder, "copy.part"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make a copy of the database: %w", err)
	}
	err = db.copyInto(ctx, part.Name())
	if err == nil {
		err = mark(ctx, part.Name(), now)
	}
	if err == nil {
		err = part.Sync()
	}
	err = errors.Join(err, part.Close())
	if err != nil {
		return fmt.Errorf("make a copy of the database: %w", err)
	}
	err = giveName(part.Name(), to, over)
	if err != nil {
		return fmt.Errorf("make a copy of the database: %w", err)
	}
	return nil
}

// mayBecome answers an error when a copy may not have the name: something has it already and is not to be replaced, or a
// log lies beside it, which SQLite would take for the copy's own, or it is the database itself.
func (db *DB) mayBecome(to string, over bool) error {
	if !over {
		err := vacant(to)
		if err != nil {
			return err
		}
	}
	there, err := os.Stat(to)
	if err == nil && there.IsDir() {
		return fmt.Errorf("%s is a folder", to)
	}
	ours, failed := os.Stat(db.file)
	if err == nil && failed == nil && os.SameFile(there, ours) {
		return fmt.Errorf("%s is the database itself", to)
	}
	err = vacant(to + "-wal")
	if err != nil {
		return fmt.Errorf("%w: the log of a database that is open, or was not closed", err)
	}
	return nil
}

// vacant answers an error when something has the name already.
func vacant(name string) error {
	_, err := os.Lstat(name)
	switch {
	case err == nil:
		return fmt.Errorf("%s: %w", name, fs.ErrExist)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// copyInto fills an empty file. The connection is one of its own: the readers' may only read, and the writer has others to
// serve.
func (db *DB) copyInto(ctx context.Context, file string) error {
	connector, err := sqlite.NewConnector(dsn(db.file, "_txlock=deferred"))
	if err != nil {
		return err
	}
	pool := sql.OpenDB(connector)
	_, err = pool.ExecContext(ctx, `VACUUM INTO $1`, file)
	return errors.Join(err, pool.Close())
}

// mark writes into a copy that it is one, and walks through all of it. One that was marked before, and is copied before
// anybody began to work on it, stays as old as it was.
func mark(ctx context.Context, file string, at time.Time) error {
	connector, err := sqlite.NewConnector("file:" + escaped(file) + "?_pragma=journal_mode(DELETE)&_pragma=synchronous(FULL)")
	if err != nil {
		return err
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(1)
	_, err = pool.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, settingCopied, strconv.FormatInt(at.Unix(), 10))
	found := ""
	if err == nil {
		err = pool.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&found)
	}
	if err == nil && found != "ok" {
		err = fmt.Errorf("the copy is damaged as the database itself must be: %s", found)
	}
	return errors.Join(err, pool.Close())
}

// giveName lets a file have its name, on disk: in one step, and over nothing unless it may.
func giveName(part, name string, over bool) error {
	err := error(nil)
	if !over {
		err = os.Link(part, name)
	}
	if over || err != nil && !errors.Is(err, fs.ErrExist) { // some file systems know no second name
		if !over {
			err = vacant(name)
			if err != nil {
				return err
			}
		}
		err = os.Rename(part, name)
	}
	if err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

const settingCopied = "copied_at"

// CopiedAt answers when the copy was taken that this database is, and false when it is none, or one that somebody has begun
// to work on (Begun).
func CopiedAt(ctx context.Context, tx *sql.Tx) (time.Time, bool, error) {
	text, err := Setting(ctx, tx, settingCopied)
	if err != nil || text == "" {
		return time.Time{}, false, err
	}
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read when the copy was taken: %w", err)
	}
	return time.Unix(at, 0), true, nil
}

// MarkCopy says of a database that it is a copy taken at the instant: for copies that were not made by Copy.
func MarkCopy(ctx context.Context, tx *sql.Tx, at time.Time) error {
	return SetSetting(ctx, tx, settingCopied, strconv.FormatInt(at.Unix(), 10))
}

// Begun takes the mark of a copy away: it is the installation's database from here on.
func Begun(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM settings WHERE name = $1`, settingCopied)
	return err
}

// copiesKept is how many of the copies made before a migration are kept.
const copiesKept = 3

// timeInName is how an instant, in UTC, is written into a file's name.
const timeInName = "20060102T150405Z"

// NameOfCopy answers a name for a copy of a file, beside it.
func NameOfCopy(file, what string, at time.Time) string {
	end := filepath.Ext(file)
	return strings.TrimSuffix(file, end) + "-" + what + at.UTC().Format(timeInName) + end
}

// copyBeforeMigrating keeps a copy of SQLite's file beside it when Migrate is about to change its shape, and answers its
// name; "" when there is nothing to change, or nothing to lose. It takes the place of those made earlier of the same shape:
// where a step fails again at each start there is one of what it stood at, besides the one of before the upgrade.
func (db *DB) copyBeforeMigrating(ctx context.Context, now time.Time) (string, error) {
	if db.file == "" {
		return "", nil
	}
	empty, err := db.Empty(ctx)
	if err != nil || empty {
		return "", err
	}
	has, newest, err := db.Shape(ctx)
	if err != nil || has >= newest {
		return "", err
	}
	earlier, err := db.ownCopies()
	if err != nil {
		return "", err
	}
	name := NameOfCopy(db.file, "shape"+strconv.FormatInt(has, 10)+"-", now)
	err = db.Copy(ctx, name, false, now)
	if errors.Is(err, fs.ErrExist) { // another program that starts in this second may have made it
		made, missing := os.Lstat(name)
		if missing == nil && made.Mode().IsRegular() {
			return name, nil
		}
	}
	if err != nil {
		return "", err
	}
	return name, db.forget(slices.DeleteFunc(earlier, func(c ownCopy) bool { return c.shape != has || c.name == filepath.Base(name) }))
}

// ownCopy is a copy that was made before a migration.
type ownCopy struct {
	name  string // beside the file
	shape int64
	at    string // as in its name, which sorts as time does
}

// ownCopies answers the copies made before migrations, oldest first.
func (db *DB) ownCopies() ([]ownCopy, error) {
	end := filepath.Ext(db.file)
	start := strings.TrimSuffix(filepath.Base(db.file), end) + "-shape"
	files, err := os.ReadDir(filepath.Dir(db.file))
	if err != nil {
		return nil, err
	}
	var made []ownCopy
	for _, f := range files {
		middle, is := strings.CutPrefix(strings.TrimSuffix(f.Name(), end), start)
		shape, at, parted := strings.Cut(middle, "-")
		number, wrong := strconv.ParseInt(shape, 10, 64)
		_, instant := time.Parse(timeInName, at)
		if is && parted && wrong == nil && instant == nil && strings.HasSuffix(f.Name(), end) {
			made = append(made, ownCopy{f.Name(), number, at})
		}
	}
	slices.SortFunc(made, func(a, b ownCopy) int { return cmp.Or(strings.Compare(a.at, b.at), cmp.Compare(a.shape, b.shape)) })
	return made, nil
}

// forgetCopies removes the copies made before migrations but the last few.
func (db *DB) forgetCopies() error {
	made, err := db.ownCopies()
	if err != nil {
		return err
	}
	return db.forget(made[:max(0, len(made)-copiesKept)])
}

func (db *DB) forget(copies []ownCopy) error {
	err := error(nil)
	for _, c := range copies {
		gone := os.Remove(filepath.Join(filepath.Dir(db.file), c.name))
		if !errors.Is(gone, fs.ErrNotExist) { // another program that starts now may have removed it
			err = errors.Join(err, gone)
		}
	}
	return err
}
