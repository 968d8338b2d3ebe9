package sandbox

import "github.com/emersion/go-smtp"

// FaultPlace names the point of the SMTP conversation at which a Fault strikes.
type FaultPlace string

// The places, in the order a conversation passes them.
const (
	FaultConnect FaultPlace = "connect" // the connection is reset as soon as it is made
	FaultBanner  FaultPlace = "banner"  // the connection is closed where the banner is due
	FaultEHLO    FaultPlace = "ehlo"    // EHLO is answered with the code (421 unless given), then the connection is closed
	FaultAuth    FaultPlace = "auth"    // the password is refused with the code (535 unless given)
	FaultMail    FaultPlace = "mail"    // MAIL is answered with the code (451 unless given)
	FaultRcpt    FaultPlace = "rcpt"    // RCPT is answered with the code (550 unless given)
	FaultData    FaultPlace = "data"    // DATA is answered with the code (451 unless given); not under STARTTLS
	FaultBody    FaultPlace = "body"    // the connection breaks in the middle of the body; nothing is kept
	FaultAccept  FaultPlace = "accept"  // the final dot is answered with the code (554 unless given); nothing is kept
	FaultReply   FaultPlace = "reply"   // the mail is kept, but the connection breaks before the 250 is said
	FaultSilence FaultPlace = "silence" // the mail is kept, but no answer ever comes
)

// Fault is one way to misbehave, until it has done so Count times.
type Fault struct {
	Place   FaultPlace
	Code    int    // the SMTP answer where the place has one, 400 to 599; 0 takes the place's usual one
	Message string // the text beside the code; "" takes the usual one
	Count   int    // how often to strike; 0 strikes until SetFault is called again
	// Recipient limits the fault to mails with a recipient that contains this
	// text, in any case. The places before RCPT know no recipient and ignore it.
	Recipient string
}

// SetFault replaces all faults by the given ones; without any, the catcher
// behaves from now on. Of two faults at one place the first that fits strikes.
func (c *Catcher) SetFault(faults ...Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append([]Fault(nil), faults...)
}

// strike returns the fault that is due at this place, and counts it.
func (c *Catcher) strike(place FaultPlace, recipients ...string) (Fault, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, fault := range c.faults {
		if fault.Place != place {
			continue
		}
		if fault.Recipient != "" && len(recipients) > 0 && !anyContains(recipients, fault.Recipient) {
			continue
		}
		switch fault.Count {
		case 0:
		case 1:
			c.faults = append(c.faults[:i:i], c.faults[i+1:]...)
		default:
			c.faults[i].Count--
		}
		return fault, true
	}
	return Fault{}, false
}

// reply is the SMTP answer of the fault, or the place's usual one.
func (f Fault) reply(code int, message string) *smtp.SMTPError {
	if f.Code != 0 {
		code = f.Code
	}
	if f.Message != "" {
		message = f.Message
	}
	return &smtp.SMTPError{Code: code, Message: message}
}
