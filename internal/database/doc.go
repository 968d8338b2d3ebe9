// Package database opens the one database of an installation, brings it to today's shape and runs one transaction at a
// time. The SQL lives with its nouns; here are only the doors.
//
// Two engines understand the same SQL. SQLite is one file with one writer connection (WAL, synchronous=FULL: a committed
// row survives a power cut) and a pool of readers that cannot write. PostgreSQL is a server with several writers at a time
// (READ COMMITTED), so whoever decides from what is stored about a customer takes Hold of them first; on SQLite, where
// there is one writer, Hold does nothing. Functions below a collection take the *sql.Tx they are given and never reach for
// the pool, so that one open transaction cannot wait for another.
package database
