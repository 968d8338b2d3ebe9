package database

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Unopened is why a database cannot be opened, and what to do about it. Its text says both and never holds a password.
type Unopened struct {
	Reason error
	Mend   string // a sentence
}

func (u *Unopened) Error() string { return "open database: " + u.Reason.Error() + ". " + u.Mend }

func (u *Unopened) Unwrap() error { return u.Reason }

func unopened(file bool, err error) *Unopened {
	if file {
		return &Unopened{err, mendFile(err)}
	}
	return &Unopened{err, mendServer(err)}
}

func mendFile(err error) string {
	var said *sqlite.Error
	switch {
	case errors.Is(err, syscall.EISDIR):
		return "Name a file in it with SOLLECITO_DATABASE_URL, as sqlite:/var/lib/sollecito/sollecito.db."
	case errors.Is(err, fs.ErrNotExist):
		return "Name another place with SOLLECITO_DATABASE_URL: nothing can be made there."
	case errors.As(err, &said) && said.Code() == sqlite3.SQLITE_NOTADB:
		return "Something else is in that file: name the right one with SOLLECITO_DATABASE_URL, or restore a backup."
	}
	return "Give the user this runs as the right to write the file and its folder, or name another with SOLLECITO_DATABASE_URL."
}

func mendServer(err error) string {
	var said *pgconn.PgError
	isSaid := errors.As(err, &said)
	switch {
	case errors.Is(err, errAddress):
		return "Write SOLLECITO_DATABASE_URL so, with what is special in user and password percent-encoded."
	case isSaid && strings.HasPrefix(said.Code, "28"): // invalid authorization
		return "Mend user and password in SOLLECITO_DATABASE_URL, or let them in at the server."
	case isSaid && said.Code == "3D000": // no such database
		return "Make it with createdb, or name another with SOLLECITO_DATABASE_URL."
	case isSaid:
		return "Mend it at the server, or name another with SOLLECITO_DATABASE_URL."
	}
	return "Start that server, or mend host and port in SOLLECITO_DATABASE_URL."
}
