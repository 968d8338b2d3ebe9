package desk

import "time"

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

func (p PasswordPage) title() string {
	return faulty("Change your password", p.Fault != "")
}

func (p AccountPage) others() int { return max(len(p.Sessions)-1, 0) }
