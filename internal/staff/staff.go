package staff

import (
	"slices"
	"strings"
	"time"

	"sollecito/internal/audit"
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
	Act        Right = "act"        // pause, resume, release, announce again, reply, and write down that somebody wants no reminders
	Steer      Right = "steer"      // stop all sending, revoke links
	Administer Right = "administer" // people, API keys, replay of events, the audit log
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

// Member is one person on staff. Enrolled means that they have set a password, Factor that they have a second factor.
// Instants are in unix seconds; SignedInAt is 0 for somebody who never was.
type Member struct {
	ID         string
	Email      string // lower case
	Name       string
	Role       Role
	Enrolled   bool
	Factor     bool
	Disabled   bool
	CreatedAt  int64
	SignedInAt int64
}

// Standing is how far a session has come in.
type Standing string

// The standings, from the door inwards.
const (
	Half    Standing = "password" // one factor only: nothing may be seen but the way to the second
	Keeping Standing = "codes"    // both factors; new recovery codes are still to be kept
	Full    Standing = "full"
)

// Session is somebody in front of the pages. ID names it on pages and opens nothing. Fresh says that they proved who
// they are, by both factors, within five minutes.
type Session struct {
	Member
	ID       string
	Standing Standing
	Fresh    bool
}

// Caller is where a request came from, for the audit log and the list of sessions: the client's address, its
// User-Agent, the request's id, and the name by which the browser is known. Any may be "".
type Caller struct {
	IP      string
	Agent   string
	Request string
	Device  string
}

// Hand is who does something to somebody's account: a member of staff, or the command line.
type Hand struct {
	Caller
	ID   string
	Role Role
}

// ByCommand is the hand of who sits at the machine itself.
func ByCommand() Hand { return Hand{ID: "command"} }

// own is a member's hand on their own account.
func own(who Member, from Caller) Hand { return Hand{Caller: from, ID: who.ID, Role: who.Role} }

// entry is the line of the log that says what the hand did to a member.
func (h Hand) entry(at time.Time, action, memberID, detail string) audit.Entry {
	return audit.Entry{At: at, Actor: h.ID, Role: string(h.Role), Action: action, Object: memberID, Detail: detail, IP: h.IP, Request: h.Request}
}

const (
	enrolFor     = 30 * time.Minute
	sessionIdle  = time.Hour
	sessionLife  = 24 * time.Hour
	halfLife     = 15 * time.Minute // of a session with one factor only: time enough to set up an app
	freshFor     = 5 * time.Minute  // how long ago somebody may have proven who they are to do what must not be done in their name
	touchEvery   = time.Minute
	deviceKnown  = 30 * 24 * time.Hour // how long a browser somebody signed in from counts as theirs
	manyFailures = 10                  // in a row, after which the member is told
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
	createdAt, seenAt, endedAt, confirmedAt int64
	standing                                Standing
	draft                                   string // sealed
}

// alive reports whether a session may still be used: not ended, in use within the hour, no older than a day; with one
// factor only a quarter of an hour.
func (s session) alive(now time.Time) bool {
	life := sessionLife
	if s.standing == Half {
		life = halfLife
	}
	return s.endedAt == 0 &&
		now.Unix()-s.seenAt < int64(sessionIdle/time.Second) &&
		now.Unix()-s.createdAt < int64(life/time.Second)
}

// fresh reports whether the session's member proved lately who they are.
func (s session) fresh(now time.Time) bool {
	return s.standing == Full && now.Unix()-s.confirmedAt <= int64(freshFor/time.Second)
}

// nameOf is how a session is called on pages: enough of its hash to tell it from others.
func nameOf(hash string) string { return hash[:16] }

// cleanEmail is an address as we compare and keep it.
func cleanEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// BrowserOf calls a browser by what people know it by, from its User-Agent: "Firefox on Linux". It is a help to
// recognise one's own and proves nothing.
func BrowserOf(agent string) string {
	called := func(names [][2]string) string {
		for _, n := range names {
			if strings.Contains(agent, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	browser := called([][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"}})
	system := called([][2]string{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}})
	switch {
	case browser == "":
		return "A browser we don't know"
	case system == "":
		return browser
	}
	return browser + " on " + system
}
