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

func (p CodePage) title() string { return faulty("Sign in: second factor", p.Fault != "") }

func (p CodesPage) title() string { return faulty("Your recovery codes", p.Fault != "") }

func (p ConfirmPage) title() string { return faulty("Confirm that it is you", p.Fault != "") }

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
