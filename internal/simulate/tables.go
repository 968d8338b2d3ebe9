package main

import (
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

func (t *tables) note(query string) {
	if t.judging {
		return
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
	if len(s.writes) > 0 {
		t.now++
	}
	for _, name := range s.writes {
		t.written[name] = t.now
	}
	if t.reading != nil {
		for _, name := range s.reads {
			t.reading[name] = true
		}
	}
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
