package staff

import (
	"slices"
	"strings"
	"time"
)

// Role is what a member of staff may do, from least to most: each may all that the ones before it may.
type Role string

// The roles.
const (
	Viewer  Role = "viewer"  // sees
	Agent   Role = "agent"   // leads cases and answers customers
	Manager Role = "manager" // steers sending and links
	Admin   Role = "admin"   // administers people and the installation
)

// Roles answers all roles, the least first.
func Roles() []Role { return []Role{Viewer, Agent, Manager, Admin} }

// Valid reports whether r is a role there is.
func (r Role) Valid() bool { return slices.Contains(Roles(), r) }

// Right is one kind of thing to do on the admin pages.
type Right string

// The rights.
const (
	See        Right = "see"        // read every page
	Act        Right = "act"        // pause, resume, release, announce again and reply
	Steer      Right = "steer"      // stop all sending, revoke links
	Administer Right = "administer" // people, replay of events, the audit log
)

// May reports whether the role has the right. An unknown role has none.
func (r Role) May(right Right) bool {
	switch right {
	case See:
		return r.Valid()
	case Act:
		return r == Agent || r == Manager || r == Admin
	case Steer:
		return r == Manager || r == Admin
	case Administer:
		return r == Admin
	}
	return false
}

// Member is one person on staff. Enrolled means that they have set a password. CreatedAt is in unix seconds.
type Member struct {
	ID        string
	Email     string // lower case
	Name      string
	Role      Role
	Enrolled  bool
	Disabled  bool
	CreatedAt int64
}

// Caller is where a request came from, for the audit log and the list of sessions: the client's address, its
// User-Agent and the request's id. Any may be "".
type Caller struct {
	IP      string
	Agent   string
	Request string
}

const (
	enrolFor     = 30 * time.Minute
	sessionIdle  = time.Hour
	sessionLife  = 24 * time.Hour
	touchEvery   = time.Minute
	deviceKnown  = 30 * 24 * time.Hour // how long a place somebody signed in from counts as theirs
	failuresKept = 24 * time.Hour      // after the last wait has passed
	longestWait  = 15 * time.Minute
)

// delay is how long the next try has to wait after so many failures in a row: one second, doubling, at most a
// quarter of an hour. It is never for good, so that nobody can lock somebody else out.
func delay(failures int64) time.Duration {
	if failures < 1 {
		return 0
	}
	if failures > 10 { // 2^10 seconds is past the longest
		return longestWait
	}
	return min(time.Second<<(failures-1), longestWait)
}

// session is a row of staff_sessions; instants are unix seconds, endedAt 0 while it lives.
type session struct {
	createdAt, seenAt, endedAt int64
}

// alive reports whether a session may still be used: not ended, in use within the hour, no older than a day.
func (s session) alive(now time.Time) bool {
	return s.endedAt == 0 &&
		now.Unix()-s.seenAt < int64(sessionIdle/time.Second) &&
		now.Unix()-s.createdAt < int64(sessionLife/time.Second)
}

// cleanEmail is an address as we compare and keep it.
func cleanEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }
