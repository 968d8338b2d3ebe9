// Package migrations holds the steps that bring a database from any released shape to today's, in order, for
// both engines.
package migrations

import "embed"

// Files are the goose migrations, named NNNNN_what.sql.
//
//go:embed *.sql
var Files embed.FS
