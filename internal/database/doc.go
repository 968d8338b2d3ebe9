// Package database opens the one database of an installation, brings it to today's shape and runs one
// transaction at a time. The words spoken to it live with their nouns; here are only the doors.
//
// SQLite is driven by one writer connection (WAL, synchronous=FULL: a committed row survives a power cut) and
// a pool of readers that cannot write. Functions below a collection take the *sql.Tx they are given and never
// reach for the pool, so that one open transaction cannot wait for another.
package database
