// Command gen reduces Unicode's CLDR to the few facts package l10n needs and writes them as one Go table. It reads
// the JSON edition as npm lays it out:
//
//	npm install --prefix DIR cldr-core cldr-numbers-full cldr-dates-full cldr-misc-full cldr-localenames-full
//	go run ./internal/l10n/gen -cldr DIR/node_modules -out internal/l10n/cldr_table.go
//
// A new language is one line in wanted; an unfamiliar pattern in its data stops the run rather than being guessed at.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
)

// locale is one locale of the table and where in CLDR its facts stand.
type locale struct {
	tag    string
	cldr   string // the folder of its numbers and dates
	names  string // the language under which its own name is found
	parent string // the language whose messages it speaks, for a regional variant
}

func wanted() []locale {
	return []locale{
		// English without a region is for readers anywhere: Britain's order of day and month and 24 hours, and
		// dollars that say whose they are.
		{tag: "en", cldr: "en-GB", names: "en"},
		{tag: "en-US", cldr: "en", names: "en", parent: "en"},
		{tag: "it", cldr: "it", names: "it"},
		{tag: "de", cldr: "de", names: "de"},
		{tag: "fr", cldr: "fr", names: "fr"},
		{tag: "es", cldr: "es", names: "es"},
		{tag: "pt-BR", cldr: "pt", names: "pt"},
		{tag: "nl", cldr: "nl", names: "nl"},
		{tag: "pl", cldr: "pl", names: "pl"},
		{tag: "ja", cldr: "ja", names: "ja"},
		{tag: "ar", cldr: "ar", names: "ar"},
	}
}

func main() {
	log.SetFlags(0)
	cldr := flag.String("cldr", "", "node_modules folder that holds the cldr-* packages")
	out := flag.String("out", "cldr_table.go", "file to write")
	flag.Parse()
	err := run(*cldr, *out)
	if err != nil {
		log.Fatal(err)
	}
}

func run(folder, out string) error {
	if folder == "" {
		return fmt.Errorf("say where CLDR is with -cldr DIR/node_modules")
	}
	text, err := table(source{folder: folder})
	if err != nil {
		return err
	}
	err = os.WriteFile(out, text, 0o644)
	if err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}
