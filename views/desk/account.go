package desk

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// CodePage asks for the second factor after the password. Its form is POST /admin/signin/code with code and back.
type CodePage struct {
	Frame
	Back     string        // as SignInPage
	Recovery bool          // asks for a recovery code instead of the app's
	Fault    string        // why the code was not taken; "" for none
	Wait     time.Duration // as SignInPage
}

// QR is a QR code: a square of Size modules, quiet zone included, and the path over the dark ones.
type QR struct {
	Size int
	Path string
}

// FactorPage is where somebody puts a new second factor into their app. Its form is POST /admin/factor with code and
// back.
type FactorPage struct {
	Frame
	Back   string
	Email  string
	QR     QR
	URI    string // otpauth://…, for the app on this same device
	Secret string // base32, for typing by hand
	Change bool   // there is one already, which the new one replaces
	Fault  string
	Wait   time.Duration
}

// CodesPage shows new recovery codes until they are kept. Its form is POST /admin/factor/codes with kept and back.
type CodesPage struct {
	Frame
	Back  string
	Codes []string
	Fault string // at the tick that they are kept; "" for none
}

// Field is one value of a form that was sent and waits for its sender to prove who they are.
type Field struct{ Name, Value string }

// ConfirmPage asks somebody signed in for both factors once more. Its form is POST to Action with confirm_password and
// confirm_code, and Kept beside them.
type ConfirmPage struct {
	Frame
	Action string
	Kept   []Field
	Sent   bool // a form was sent already and goes on once it is confirmed
	Fault  string
	Wait   time.Duration
}

// AccountPage is a member's own account.
type AccountPage struct {
	Frame
	Sessions []SessionRow
	Since    time.Time // of the second factor
	Codes    int       // recovery codes left
}

// SessionRow is one open session of a member.
type SessionRow struct {
	ID      string
	Browser string // "Firefox on Linux"
	From    string // a network address
	Since   time.Time
	SeenAt  time.Time
	Here    bool // it is the one that looks at the page
}

// PasswordPage is where a member chooses another password. Its form is POST /admin/account/password with password.
type PasswordPage struct {
	Frame
	Minimum int
	Fault   string
}

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

func (p CodePage) title() string    { return faulty("Sign in: second factor", p.Fault != "") }
func (p CodesPage) title() string   { return faulty("Your recovery codes", p.Fault != "") }
func (p ConfirmPage) title() string { return faulty("Confirm that it is you", p.Fault != "") }
func (p PasswordPage) title() string {
	return faulty("Change your password", p.Fault != "")
}
func (p PeoplePage) title() string { return faulty("People", len(p.Faults) > 0) }

func (p FactorPage) title() string {
	return faulty(p.heading(), p.Fault != "")
}

func (p FactorPage) heading() string {
	if p.Change {
		return "Change your second factor"
	}
	return "Set up your second factor"
}

// grouped is a secret in groups of four, as people type it.
func (p FactorPage) grouped() string {
	var groups []string
	for rest := p.Secret; rest != ""; {
		n := min(4, len(rest))
		groups = append(groups, rest[:n])
		rest = rest[n:]
	}
	return strings.Join(groups, " ")
}

func (q QR) box() string { return fmt.Sprintf("0 0 %d %d", q.Size, q.Size) }

// faulty is a page's title, which says first when something went wrong.
func faulty(title string, fault bool) string {
	if fault {
		return "Error: " + title
	}
	return title
}

func (p AccountPage) others() int { return max(len(p.Sessions)-1, 0) }

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
	{"admin", "administers people and reads the audit log"},
}

// onlyFault is a list of faults for one field, none when all is well.
func onlyFault(field, text string) []Fault {
	if text == "" {
		return nil
	}
	return []Fault{{Field: field, Text: text}}
}

func personURL(id string) string { return "/admin/people/" + url.PathEscape(id) }

// codeURL leads to the page for the second factor, by the app or by a recovery code.
func codeURL(by, back string) string {
	query := url.Values{}
	if by != "" {
		query.Set("by", by)
	}
	if back != "" {
		query.Set("back", back)
	}
	if len(query) == 0 {
		return "/admin/signin/code"
	}
	return "/admin/signin/code?" + query.Encode()
}
