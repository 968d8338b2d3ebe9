package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Outage reports whether err says that the database cannot serve for now, through no fault of what was asked of it: a
// full or failing disk, a file that may only be read, a lock waited for too long, a server that is away, stopping, a
// standby or out of room. Asked again later, the same may work.
func Outage(err error) bool {
	var file *sqlite.Error
	if errors.As(err, &file) {
		switch file.Code() & 0xff { // the rest says which kind of it
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
			sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL:
			return true
		}
		return false
	}
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return passing(said.Code)
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF)
}

// InTheWay reports whether err says that somebody else held what was asked for, or that it took too long: that passes too, but
// it is about what was asked for, and others may be served meanwhile.
func InTheWay(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && slices.Contains(inTheWay, said.Code)
}

// inTheWay are PostgreSQL's words for it: another transaction was in the way, a lock was waited for too long, a statement took
// longer than it may.
var inTheWay = []string{"40001", "40P01", "55P03", "57014"}

// Locked reports whether err says that PostgreSQL waited too long for what another transaction holds.
func Locked(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && said.Code == "55P03"
}

// Interrupted reports whether err says that a statement was ended because whoever asked for it left.
func Interrupted(err error) bool {
	var file *sqlite.Error
	var said *pgconn.PgError
	return errors.Is(err, context.Canceled) || errors.As(err, &file) && file.Code()&0xff == sqlite3.SQLITE_INTERRUPT ||
		errors.As(err, &said) && said.Code == "57014"
}

// passing reports whether PostgreSQL's five letters tell of the server's own state (their list is appendix A of its manual).
func passing(state string) bool {
	if state == "25006" || slices.Contains(inTheWay, state) { // the former of a standby, or one told to be read only
		return true
	}
	if len(state) != 5 {
		return false
	}
	switch state[:2] {
	case "08", "53", "58": // the connection, room on disk or in memory, the system below
		return true
	}
	return state[:3] == "57P" // stopping, starting, crashed
}
