package mail

import (
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	"golang.org/x/net/idna"
)

// Address is a mailbox and the name it is shown with. Name may be empty and may hold anything; Address is the bare
// address, without brackets, comments or quotes.
type Address struct {
	Name    string
	Address string
}

// Domain answers what stands behind the @ of the address, "" without one.
func (a Address) Domain() string {
	_, domain, _ := strings.Cut(a.Address, "@")
	return domain
}

// Letter is a finished mail to one reader. Line breaks and control characters in names, subject and header values
// are neutralised; addresses and identifiers that could break out of their place are refused with ErrUnsendable.
type Letter struct {
	From    Address
	To      Address
	ReplyTo Address // left out when its address is empty
	Subject string
	HTML    string   // the letter is plain text alone without it and without a Form
	Form    *Form    // in place of HTML, when not nil
	Words   []string // HTML that stands in the form's places
	Text    string
	// MessageID is written without angle brackets. It belongs to the letter, not to the attempt: a second attempt
	// carries the same one, and the same Date.
	MessageID  string
	Date       time.Time
	InReplyTo  string   // a Message-ID; one that is malformed is left out, since it came from outside
	References []string // Message-IDs, the oldest first; malformed ones are left out
	// EnvelopeFrom is where bounces go; From.Address when empty.
	EnvelopeFrom string
	// Headers are further headers by name. They may replace Auto-Submitted ("auto-generated") and
	// X-Auto-Response-Suppress ("All"), and no other header this package writes.
	Headers  map[string]string
	Language string // a BCP 47 tag for Content-Language; left out when empty or malformed
}

// envelope is what the server is told about a letter: MAIL FROM, RCPT TO, and whether either, or an address in the
// header, needs SMTPUTF8 (RFC 6531).
type envelope struct {
	from, to string
	utf8     bool
}

// seal checks every address of a letter and answers the letter with them in the form they are sent in, and its
// envelope.
func seal(l Letter) (Letter, envelope, error) {
	if l.EnvelopeFrom == "" {
		l.EnvelopeFrom = l.From.Address
	}
	for _, place := range []struct {
		name     string
		address  *string
		optional bool
	}{
		{"From", &l.From.Address, false}, {"To", &l.To.Address, false},
		{"Reply-To", &l.ReplyTo.Address, true}, {"envelope sender", &l.EnvelopeFrom, false},
	} {
		if *place.address == "" && place.optional {
			continue
		}
		checked, err := checkAddress(*place.address)
		if err != nil {
			return Letter{}, envelope{}, fmt.Errorf("%w: %s: %w", ErrUnsendable, place.name, err)
		}
		*place.address = checked
	}
	e := envelope{from: l.EnvelopeFrom, to: l.To.Address}
	e.utf8 = !isASCII(e.from + e.to + l.From.Address + l.ReplyTo.Address)
	return l, e, nil
}

// Sendable reports whether a letter can be addressed so.
func Sendable(address string) bool {
	_, err := checkAddress(address)
	return err == nil
}

// checkAddress answers the address with its domain in ASCII. It refuses everything but local@domain: what
// net/mail would repair, strip or unquote is not the address that was meant. A quoted local part is one by RFC 5321, which
// advises against it in the same breath (4.1.2): hardly a server takes mail for one, and most on the way would not carry it.
func checkAddress(address string) (string, error) {
	const longest = 254 // RFC 5321, 4.5.3.1.3, without the brackets
	if len(address) > longest {
		return "", fmt.Errorf("an address of %d bytes is too long", len(address))
	}
	if strings.HasPrefix(address, `"`) {
		return "", fmt.Errorf("%q has quotation marks before the @: no mail is sent to such an address, since hardly a server takes it", address)
	}
	parsed, err := netmail.ParseAddress(address)
	if err != nil {
		return "", fmt.Errorf("%q is not an address", address)
	}
	if parsed.Address != address || parsed.Name != "" {
		return "", fmt.Errorf("%q is not a bare address", address)
	}
	at := strings.LastIndexByte(address, '@')
	local, domain := address[:at], address[at+1:]
	if hasControl(address) || strings.ContainsAny(address, " <>\",;\\") {
		return "", fmt.Errorf("%q is not a bare address", address)
	}
	if isASCII(domain) {
		return address, nil
	}
	domain, err = idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", fmt.Errorf("the domain of %q does not exist", address)
	}
	return local + "@" + domain, nil
}

// isMessageID reports whether the id can stand between angle brackets: printable ASCII of the form left@right.
func isMessageID(id string) bool {
	left, right, ok := strings.Cut(id, "@")
	const longest = 500
	if !ok || left == "" || right == "" || len(id) > longest || strings.Contains(right, "@") {
		return false
	}
	for _, r := range id {
		if r <= ' ' || r > '~' || r == '<' || r == '>' {
			return false
		}
	}
	return true
}
