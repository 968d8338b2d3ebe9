package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"sollecito/internal/database"
)

func backupCommand(p program, args []string) error {
	u := newUsage("backup [--to FILE|FOLDER|-] [--overwrite] [flags]", "Copies an SQLite database while others work on it: all that was committed at one instant, checked from end to end, in one\n"+
		"file that only you may read. It prints the file's name. Whatever goes wrong, nothing is left of a copy.\n"+
		"A copy knows that it is one: when serve starts on it, it sends nothing that may have been sent since it was made\n"+
		"(docs/backup.md). Of a database in PostgreSQL it says what to run instead.").withSettings()
	to := u.String("to", "", "where the copy goes: a `file`, a folder, or - for the standard output; beside the database when left out")
	over := u.Bool("overwrite", false, "let it take the place of a file that is there")
	err := u.parseNone(p, args)
	if err != nil {
		return err
	}
	c, err := u.configuration(p, "DATABASE_URL")
	if err != nil {
		return err
	}
	if !strings.HasPrefix(c.DatabaseURL, "sqlite:") {
		return byServer(c.DatabaseURL, *to)
	}
	signal.Ignore(syscall.SIGPIPE) // a reader that went away is an error of writing, after which the copy is removed
	ctx, stop := untilHangUp(p.ctx)
	defer stop()
	db, err := openAsItIs(ctx, c, false)
	if err != nil {
		return err
	}
	defer db.Close()
	now := time.Now()
	if *to == "-" {
		return backUpTo(ctx, db, p.out, now)
	}
	name, err := nameOfBackup(*to, db.Path(), now)
	if err != nil {
		return err
	}
	err = db.Copy(ctx, name, *over, now)
	if errors.Is(err, fs.ErrExist) && !*over {
		return fmt.Errorf("%w; name another place with --to, or say --overwrite", err)
	}
	if err != nil {
		return fmt.Errorf("%w. Nothing is left of the copy: make room or mend what this names, or name another place with --to", err)
	}
	fmt.Fprintln(p.out, name)
	return nil
}

// nameOfBackup answers the whole name of a copy made now.
func nameOfBackup(to, file string, now time.Time) (string, error) {
	usual := database.NameOfCopy(file, "", now)
	if to == "" {
		return filepath.Abs(usual)
	}
	info, err := os.Stat(to)
	if err == nil && info.IsDir() {
		to = filepath.Join(to, filepath.Base(usual))
	} else if strings.HasSuffix(to, string(filepath.Separator)) {
		return "", fmt.Errorf("there is no folder %s", to)
	}
	return filepath.Abs(to)
}

// backUpTo writes a copy to the standard output. It is whole before its first byte is written.
func backUpTo(ctx context.Context, db *database.DB, out io.Writer, now time.Time) (err error) {
	folder, leave, err := database.Workplace(filepath.Dir(db.Path()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, leave()) }()
	name := filepath.Join(folder, "copy.db")
	err = db.Copy(ctx, name, false, now)
	if err != nil {
		return fmt.Errorf("%w. Nothing is left of the copy: make room beside the database, or name another place with --to", err)
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	goOn := context.AfterFunc(ctx, func() { file.Close() }) // so that nothing more is read
	_, err = io.Copy(out, file)
	if !goOn() {
		return errors.Join(ctx.Err(), err)
	}
	return errors.Join(err, file.Close())
}

// byServer says how a database in PostgreSQL is copied.
func byServer(address, to string) error {
	if to == "" || to == "-" {
		to = "sollecito.dump"
	}
	return fmt.Errorf("the data is in PostgreSQL, whose own tool copies it: pg_dump --format=custom --no-owner --file='%s' '%s'\n"+
		"give it the password in PGPASSWORD or ~/.pgpass, not on the command line; docs/backup.md says how to put such a copy back without sending old mail",
		to, database.WithoutPassword(address))
}
