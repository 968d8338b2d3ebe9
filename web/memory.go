package web

import (
	"context"
	"net/http"
	"sync"

	"sollecito/internal/database"
)

// memory remembers what was just read for a session, for as long as it is the same second and nobody has committed
// anything. A page that is asked for over and over, by somebody who reloads it or by a scanner that fetches an address
// fifty times, then costs little more than its drawing. What is remembered is exactly what reading would answer, since
// whether anything was committed is asked each time.
type memory struct {
	mu   sync.Mutex
	at   moment
	told map[string]told // by the session's cookie; of that moment alone
}

// moment is one second of both clocks in one state of what is stored.
type moment struct {
	stamp          database.Stamp
	business, real int64 // unix seconds
}

// told is what was read for one session. Whoever gets it may change nothing of it but their own copy of the session.
type told struct {
	visitor  visitor
	standing standing
}

// mostTold bounds the memory: some kilobytes for each.
const mostTold = 500

// recall answers what was read for a session in this very moment.
func (m *memory) recall(at moment, cookie string) (told, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at != at {
		return told{}, false
	}
	t, known := m.told[cookie]
	return t, known
}

// keep keeps what was read for a session since a moment, in place of what was read at any other.
func (m *memory) keep(at moment, cookie string, t told) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at != at || m.told == nil {
		m.at, m.told = at, map[string]told{}
	}
	if len(m.told) < mostTold {
		m.told[cookie] = t
	}
}

// momentNow answers the moment at which whatever is read from now on is read, or later.
func (s *Server) momentNow(ctx context.Context) (moment, error) {
	business, real := s.Now().Unix(), s.Real().Unix()
	stamp, err := s.DB.Stamp(ctx)
	return moment{stamp: stamp, business: business, real: real}, err
}

// recalled answers what readBoth would, from memory where a page is only looked at.
func (s *Server) recalled(r *http.Request) (visitor, standing, error) {
	cookie, err := r.Cookie(s.Sessions.CookieName())
	if err != nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return s.readBoth(r)
	}
	at, err := s.momentNow(r.Context())
	if err != nil { // reading needs no stamp, and says better what is wrong
		return s.readBoth(r)
	}
	t, known := s.memory.recall(at, cookie.Value)
	if !known {
		t.visitor, t.standing, err = s.readBoth(r)
		if err != nil {
			return nobody, standing{}, err
		}
		if s.Now().Unix() == at.business && s.Real().Unix() == at.real {
			s.memory.keep(at, cookie.Value, t)
		}
	}
	t.visitor.visit = t.visitor.visit.Clone()
	t.visitor.session = t.visitor.visit.Session
	return t.visitor, t.standing, nil
}
