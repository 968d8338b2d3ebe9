package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// The documents speak of commands there are.
func TestTheDocumentsKnowTheCommands(t *testing.T) {
	known := map[string]bool{"help": true}
	for _, c := range commands() {
		known[c.name] = true
	}
	documents, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(documents) == 0 {
		t.Fatal(err)
	}
	for _, path := range append(documents, "../../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile("(?m)(?:`|^|/bin/)sollecito ([a-z]+)").FindAllSubmatch(text, -1) {
			if !known[string(found[1])] {
				t.Errorf("%s speaks of `sollecito %s`, which there is not", filepath.Base(path), found[1])
			}
		}
	}
}
