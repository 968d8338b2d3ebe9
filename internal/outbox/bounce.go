package outbox

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// BounceKind says what a mail's coming back means for its address.
type BounceKind string

const (
	Hard      BounceKind = "hard"      // the address takes no mail: nothing more is sent there
	Soft      BounceKind = "soft"      // not this time: a full mailbox, a server that stayed down
	Blocked   BounceKind = "blocked"   // we or the letter were refused, which says nothing of the address
	Complaint BounceKind = "complaint" // it arrived, and its reader reported it as unwanted
)

// Bounce is one mail that came back, as another server told it. At is in unix seconds.
type Bounce struct {
	Address string // as Normal has it
	Kind    BounceKind
	Code    string // "5.1.1", or "550"; "" when none was told
	Words   string // the other server's own, on one line
	At      int64
}

// softLimit is how many mails to an address may softly bounce within softWindow before it counts as dead.
const (
	softLimit  = 3
	softWindow = 60 * 24 * 3600
)

// Reason is the sentence staff read of the notice.
func (b Bounce) Reason() string {
	said := ""
	if b.Code != "" || b.Words != "" {
		said = fmt.Sprintf(" Its server said: %s", strings.TrimSpace(b.Code+" "+b.Words))
	}
	switch b.Kind {
	case Hard:
		return "It came back: the address " + b.Address + " takes no mail." + said
	case Soft:
		return "It came back: " + b.Address + " could not take it for now." + said
	case Blocked:
		return "It came back: the receiving server refused it for a reason that is not the address's." + said
	case Complaint:
		return "Its reader at " + b.Address + " reported it as unwanted."
	}
	return "It came back." + said
}

// Normal is an address as it is compared: lower case, the domain in ASCII. Nothing is cut out of the local part:
// what dots and plus signs mean is the business of the server it belongs to.
func Normal(address string) string {
	address = strings.ToLower(strings.TrimSpace(address))
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address
	}
	domain, err := idna.Lookup.ToASCII(strings.TrimRight(address[at+1:], "."))
	if err != nil {
		return address
	}
	return address[:at+1] + domain
}

// KindOf says what a server's final refusal means for the address: code is the enhanced status of RFC 3463 or the
// SMTP code, whichever was told, words the server's own.
func KindOf(code, words string) BounceKind {
	words = strings.ToLower(words)
	class, detail, enhanced := strings.Cut(code, ".")
	switch {
	case enhanced && class == "4", !enhanced && strings.HasPrefix(code, "4"):
		return Soft
	case enhanced && strings.HasPrefix(detail, "7."):
		return Blocked
	}
	if enhanced {
		kind, known := details[detail]
		if known {
			return kind
		}
	}
	switch {
	// Servers that say 5.0.0 or nothing tell the rest in words. Those about us come first: a block list's
	// sentence often names the mailbox as well.
	case holds(words, "spam", "blocked", "blacklist", "block list", "blocklist", "blacklisted", "policy", "reputation", "spf", "dkim", "dmarc", "relay", "not authorized", "not allowed to send", "banned", "sender rejected", "sender address rejected", "sender verify"):
		return Blocked
	case !enhanced && code == "552", holds(words, "quota", "mailbox full", "mailbox is full", "over limit", "insufficient storage"):
		return Soft
	}
	return Hard
}

// details are RFC 3463's subject and detail that do not mean a dead address.
var details = map[string]BounceKind{
	"1.7": Blocked, "1.8": Blocked, // the sender's address
	"1.1": Hard, "1.2": Hard, "1.3": Hard, "1.6": Hard, "1.10": Hard, "2.1": Hard, "4.1": Hard, "4.4": Hard,
	"2.2": Soft, "2.4": Soft, "3.1": Soft, "3.2": Soft, "4.2": Soft, "4.3": Soft, "4.5": Soft, "4.6": Soft, "4.7": Soft, // full, down, too long on its way
	"2.3": Blocked, "3.3": Blocked, "3.4": Blocked, "3.5": Blocked, // the letter is too much for them
	"5.1": Blocked, "5.2": Blocked, "5.4": Blocked, "5.5": Blocked, "5.6": Blocked, // the dialogue went wrong
	"6.0": Blocked, "6.1": Blocked, "6.2": Blocked, "6.3": Blocked, "6.4": Blocked, "6.5": Blocked, "6.6": Blocked, "6.7": Blocked,
}

func holds(words string, any ...string) bool {
	for _, w := range any {
		if strings.Contains(words, w) {
			return true
		}
	}
	return false
}
