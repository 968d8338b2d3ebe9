package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// silence is an outage of somebody a task speaks with, told twice: when it began and when it is over, with how many things waited
// for it. A line for each of them and each of their tries would bury all others.
type silence struct {
	mu     sync.Mutex
	since  time.Time       // of its first failure, zero while there is none
	waits  map[string]bool // what failed in it, up to mostCounted
	last   any             // why the last of them did
	told   bool            // the log has its beginning
	answer bool            // the one who was silent has answered since the last failure
}

// mostCounted is how many things that wait are told apart: an outage may last for days.
const mostCounted = 1000

// fails notes that a thing waits, and why.
func (s *silence) fails(id string, why any, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() {
		s.since, s.waits = now, map[string]bool{}
	}
	if len(s.waits) < mostCounted {
		s.waits[id] = true
	}
	s.last, s.answer = why, false
}

// answers notes that it is over, should there have been one.
func (s *silence) answers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = true
}

// tell writes down what is new of it in the words for its beginning and its end, when a round is over: several failures in one
// are one line.
func (s *silence) tell(ctx context.Context, log *slog.Logger, began, ended string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() {
		return
	}
	if !s.told {
		s.told = true
		log.WarnContext(ctx, began, "count", s.count(), "err", s.last)
	}
	if s.answer {
		s.close(ctx, log, ended, now)
	}
}

// end writes down in the words for it that nobody waits any more for the one who was silent.
func (s *silence) end(ctx context.Context, log *slog.Logger, ended string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.since.IsZero() {
		s.close(ctx, log, ended, now)
	}
}

// over reports whether there is no outage.
func (s *silence) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.since.IsZero()
}

// close tells the end and begins anew. The caller holds mu.
func (s *silence) close(ctx context.Context, log *slog.Logger, ended string, now time.Time) {
	log.InfoContext(ctx, ended, "count", s.count(), "after", now.Sub(s.since).Round(time.Second))
	s.since, s.waits, s.last, s.told = time.Time{}, nil, nil, false
}

// count is how many things waited, as the log says it.
func (s *silence) count() any {
	if len(s.waits) == mostCounted {
		return fmt.Sprintf("%d or more", mostCounted)
	}
	return len(s.waits)
}
