package main

import (
	"database/sql/driver"
	"fmt"
	"regexp"
	"strings"

	"sollecito/internal/jobs"
)

// tables knows by the statements themselves which tables were read and when each was last written, so that what was
// answered from tables nobody wrote since need not be asked again.
type tables struct {
	known   map[string]spoken // by statement
	now     int               // counts the statements that wrote
	written map[string]int    // by table
	reading map[string]bool   // what is read while somebody wants to know; nil for nobody
	judging bool              // what is asked is the judge's own, and not noted
}

// spoken is what one statement is about.
type spoken struct{ reads, writes []string }

var (
	writing = regexp.MustCompile(`(?i)\b(?:insert\s+into|update|delete\s+from)\s+([a-z_]+)`)
	reading = regexp.MustCompile(`(?i)\b(?:from|join)\s+([a-z_]+)`)
)

// note answers what a statement is about, and keeps what it reads.
func (t *tables) note(query string, args []driver.NamedValue) spoken {
	if t.judging {
		return spoken{}
	}
	s, known := t.known[query]
	if !known {
		for _, m := range writing.FindAllStringSubmatch(query, -1) {
			s.writes = append(s.writes, strings.ToLower(m[1]))
		}
		for _, m := range reading.FindAllStringSubmatch(query, -1) {
			s.reads = append(s.reads, strings.ToLower(m[1]))
		}
		if t.known == nil {
			t.known, t.written = map[string]spoken{}, map[string]int{}
		}
		t.known[query] = s
	}
	if t.reading != nil {
		for _, name := range s.reads {
			t.reading[part(name, args)] = true
		}
	}
	return s
}

// wrote notes that a statement changed something.
func (t *tables) wrote(s spoken, args []driver.NamedValue) {
	if len(s.writes) > 0 {
		t.now++
	}
	for _, name := range s.writes {
		t.written[part(name, args)] = t.now
	}
}

// part names a table; of the settings it names one row alone, whose name is the first argument of each statement.
func part(table string, args []driver.NamedValue) string {
	if table != "settings" || len(args) == 0 {
		return table
	}
	return fmt.Sprint(table, " ", args[0].Value)
}

// foreseen is what a task said is due, and from which tables.
type foreseen struct {
	tables map[string]bool
	asked  int // how much had been written
	due    []jobs.Due
}

// stands reports whether none of its tables was written since.
func (t *tables) stands(f *foreseen) bool {
	if f == nil {
		return false
	}
	for name := range f.tables {
		if t.written[name] > f.asked {
			return false
		}
	}
	return true
}
