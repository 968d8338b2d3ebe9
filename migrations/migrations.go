// Package migrations holds the steps that bring a database from any released shape to today's, in order, for
// both engines.
package migrations

import "embed"

// Files are the goose migrations, named NNNNN_what.sql: one text for both engines.
//
//go:embed *.sql
var Files embed.FS

// EnginesVersion is the number, among those of Files, of the step that says what the engines say differently.
const EnginesVersion = 2

//go:embed engines/*.sql
var engines embed.FS

// Engine answers the statements of step EnginesVersion for an engine, "sqlite" or "postgres".
func Engine(name string) (string, error) {
	text, err := engines.ReadFile("engines/" + name + ".sql")
	return string(text), err
}
