package desk

import (
	"net/url"
	"time"
)

// PeoplePage lists everybody on staff and lets an administrator add somebody. Its form is POST /admin/people with
// email, name and role.
type PeoplePage struct {
	Frame
	People             []Person
	Email, Name, Chose string // what was typed before, kept; Chose is the role
	Faults             []Fault
	Invited            *Invited
}

// Person is one member of staff as an administrator sees them.
type Person struct {
	ID         string
	Name       string
	Email      string
	Role       string
	Enrolled   bool
	Factor     bool
	Disabled   bool
	SignedInAt time.Time // zero for never
	Self       bool
}

// Invited is a one-use address just made. It is shown once.
type Invited struct {
	Email   string
	Role    string
	Address string
}

// PersonPage is one member of staff with what may be done to their account.
type PersonPage struct {
	Frame
	Person   Person
	Sessions []SessionRow
	Invited  *Invited
}

func (p PeoplePage) title() string { return faulty("People", len(p.Faults) > 0) }

func (p Person) called() string {
	if p.Name == "" {
		return p.Email
	}
	return p.Name
}

func (p Person) state() string {
	switch {
	case p.Disabled:
		return "Shut out"
	case !p.Enrolled:
		return "Invited"
	case !p.Factor:
		return "No second factor yet"
	}
	return "Active"
}

func (p Person) tone() Tone {
	switch {
	case p.Disabled:
		return Bad
	case !p.Enrolled, !p.Factor:
		return Wait
	}
	return Good
}

// roles are what can be chosen, with what each may do.
var roles = []struct{ name, may string }{
	{"viewer", "sees everything"},
	{"agent", "leads cases and answers customers"},
	{"manager", "steers sending and links"},
	{"admin", "administers people and API keys and reads the audit log"},
}

func personURL(id string) string { return "/admin/people/" + url.PathEscape(id) }
