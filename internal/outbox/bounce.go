package outbox

import (
	"fmt"
	"regexp"
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

// KindOf says what a server's final answer to RCPT means for the address: code is the enhanced status of RFC 3463 or the
// SMTP code, whichever was told, words the server's own. A no that says nothing else is about the address it was asked
// for.
func KindOf(code, words string) BounceKind {
	kind, told := meaning(code, words)
	if !told {
		return Hard
	}
	return kind
}

// KindReported is KindOf for a report, of which nobody knows at what word of the dialogue the no was said. One that names
// no reason is no proof that the mailbox is dead; several are.
func KindReported(code, words string) BounceKind {
	kind, told := meaning(code, words)
	if !told {
		return Soft
	}
	return kind
}

// meaning answers what a refusal for good says, and false when it says nothing but no.
func meaning(code, words string) (BounceKind, bool) {
	words = strings.ToLower(others.ReplaceAllString(words, " "))
	class, detail, enhanced := strings.Cut(code, ".")
	switch {
	case enhanced && class == "4", !enhanced && strings.HasPrefix(code, "4"):
		return Soft, true
	case enhanced && (strings.HasPrefix(detail, "7.") || strings.HasPrefix(detail, "6.")):
		return Blocked, true // security, and the letter's form
	case enhanced && detail == "2.1" && holds(words, "at a rate", "too many", "too quickly"):
		return Soft, true // so Gmail says it of a busy mailbox
	}
	if enhanced {
		kind, known := details[detail]
		if known {
			return kind, true
		}
	}
	switch {
	// Servers that say 5.0.0 or nothing tell the rest in words. Those about us come first: a block list's
	// sentence often names the mailbox as well.
	case holds(words, aboutUs...):
		return Blocked, true
	case !enhanced && code == "552", holds(words, forNow...):
		return Soft, true
	case deadMailbox.MatchString(words):
		return Hard, true
	case otherStage.MatchString(words):
		return Blocked, true
	case holds(words, deadAddress...):
		return Hard, true
	}
	return Hard, false
}

// others are the names a refusal mentions, of addresses and of the hosts that said it: their letters say nothing.
var others = regexp.MustCompile(`[^\s<>()\[\]:;,"']+@[^\s<>()\[\]:;,"']+|(?i)\bhost:? +[^\s.]+\.\S+`)

var (
	aboutUs = []string{
		"spam", "blocked", "blacklist", "block list", "blocklist", "dnsbl", "policy", "policies", "reputation", "spf", "dkim", "dmarc", "relay", "not authorized",
		"not allowed to send", "banned", "sender rejected", "sender address rejected", "sender verify", "unauthenticated", "authentication required",
		"smtp authentication", "reverse dns", "ptr record", "dns ptr", "client ip", "invalid ip", "content rejected", "virus", "frequency limited", "protocol violation",
	}
	forNow = []string{
		"quota", "mailbox full", "mailbox is full", "mailfolder is full", "over limit", "insufficient storage", "timed out", "timeout exceeded", "expired",
		"failing for a long time", "connection refused", "routing loop", "hop count", "too many hops",
	}
	// What names the mailbox, at whatever word it was said.
	deadMailbox = regexp.MustCompile(`(unknown|no such|invalid|inactive|illegal|nonexistent|non-existent) (or illegal )?(user|mailbox|recipient|account|address|alias|local)` +
		`|(user|mailbox|recipient|account|alias) (is |was |name is |has been |has |does |doesn't |you tried to reach )*` +
		`(unknown|not found|not exist|unavailable|inactive|disabled|deactivated|discontinued|invalid|not recognized|terminated|closed|suspended|frozen)` +
		`|(user|mailbox|recipient|account|alias) doesn't exist|mailbox name not allowed|user not local|no mailbox|doesn't have an? \S+ account|not our (user|customer)|no longer (on server|valid|active|employed|works)`)
	// Of a no to anything but RCPT, servers that pass it on tell where it was said.
	otherStage = regexp.MustCompile(`after (the )?(initial connection|helo|ehlo|lhlo|starttls|mail from|(pipelined )?(data|end of data))|in reply to (mail from|helo|ehlo|data|end of data)` +
		`|for (text|mail from|data) command|did not like our (\S+ )?(helo|ehlo|mail from|data)|my name was rejected`)
	deadAddress = []string{
		"unknown", "no such", "not exist", "doesn't exist", "unrouteable", "not found", "wasn't found", "could not be found", "couldn't be found", "couldn't find",
		"address rejected", "recipient rejected",
	}
)

// details are RFC 3463's subject and detail that tell what they mean, with those that large services added.
var details = map[string]BounceKind{
	"1.7": Blocked, "1.8": Blocked, // the sender's address
	"1.1": Hard, "1.2": Hard, "1.3": Hard, "1.4": Hard, "1.6": Hard, "1.10": Hard, "1.351": Hard, "2.1": Hard, "4.1": Hard, "4.4": Hard, "4.310": Hard,
	"2.2": Soft, "2.4": Soft, "2.121": Soft, "2.122": Soft, "3.1": Soft, "3.2": Soft, // full, too busy, down
	"4.2": Soft, "4.3": Soft, "4.5": Soft, "4.6": Soft, "4.7": Soft, "4.14": Soft, // too long on its way
	"4.300": Soft, "4.312": Soft, "4.316": Soft, "4.317": Soft, "4.318": Soft,
	"2.3": Blocked, "3.3": Blocked, "3.4": Blocked, "3.5": Blocked, // the letter is too much for them
	"5.1": Blocked, "5.2": Blocked, "5.4": Blocked, "5.5": Blocked, "5.6": Blocked, // the dialogue went wrong
}

func holds(words string, any ...string) bool {
	for _, w := range any {
		if strings.Contains(words, w) {
			return true
		}
	}
	return false
}
