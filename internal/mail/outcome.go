package mail

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// ErrUncertain marks a letter whose fate is unknown: the final dot was sent and no answer to it arrived. It must not
// be sent again without a person's word.
var ErrUncertain = errors.New("the server's answer to the letter never arrived")

// ErrUnsendable marks a letter no server can be given: an address that is none, a Message-ID that would break the
// header. Trying again cannot help.
var ErrUnsendable = errors.New("the letter cannot be sent")

// ErrClosed is answered by a pool that has been closed.
var ErrClosed = errors.New("the mail pool is closed")

// Refusal is a server's own no. From Conn.Hand it is about this letter; from Pool.Acquire it is about the
// connection (a full server, a wrong password) and says nothing of any letter.
type Refusal struct {
	Code      int    // the SMTP code, 400 to 599
	Enhanced  string // the enhanced status code of RFC 3463 ("5.1.1"), "" when the server gave none
	Text      string // what the server wrote, on one line, at most 500 bytes
	Place     string // where in the dialogue: "greeting", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA" or "message"
	Temporary bool   // 4xx: another time it may go through
}

// OfUs reports whether a refusal for good is of whoever hands letters over: the server wants a sign-in, does not take the
// sender, or does not relay for us. The next letter would fare no better, and the same one goes once that is mended.
func (r *Refusal) OfUs() bool {
	if r.Temporary || r.foreign() {
		return false
	}
	return r.Place == "MAIL" && r.Code != 552 || r.Code == 530 || r.Place == "RCPT" && r.noRelay() || r.wrongSender()
}

// wrongSender reports whether a server that does not take the sender, or the host, says so only when it is asked for the
// recipient, as Postfix does, or when it has the letter, as Exchange does.
func (r *Refusal) wrongSender() bool {
	if r.Place != "RCPT" && r.Place != "message" {
		return false
	}
	return r.Enhanced == "5.1.7" || r.Enhanced == "5.1.8" || r.Enhanced == "5.7.60" || senderRefused.MatchString(strings.ToLower(r.Text))
}

// noRelay reports whether a refused recipient is none of whom the server hands letters on to. Of a mailbox that does not
// exist (RFC 3463 X.1.X, X.2.X) servers say other things in which the word may stand, as does the address itself.
func (r *Refusal) noRelay() bool {
	if strings.HasPrefix(r.Enhanced, "5.1.") || strings.HasPrefix(r.Enhanced, "5.2.") {
		return false
	}
	said := strings.ToLower(address.ReplaceAllString(r.Text, ""))
	return relayRefused.MatchString(said)
}

var (
	address      = regexp.MustCompile(`\S*@\S*`)
	enhancedCode = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)`)
	// Of Postfix, Exchange, Microsoft 365 and Amazon.
	senderRefused = regexp.MustCompile(`(sender address|client host|helo command) rejected: |not owned by user|permissions to send as|sendasdenied|email address is not verified`)
	relayRefused  = regexp.MustCompile(`relay(ing)? (access )?(is )?(denied|not (permitted|allowed)|prohibited)|unable to relay|not permitted to relay|(do|does) not relay|no relaying`)
)

// foreign reports whether the server cannot spell an address: it takes none outside ASCII (RFC 6531).
func (r *Refusal) foreign() bool { return r.Enhanced == "5.6.7" }

func (r *Refusal) Error() string {
	status := fmt.Sprint(r.Code)
	if r.Enhanced != "" {
		status += " " + r.Enhanced
	}
	return fmt.Sprintf("the server refused at %s: %s %s", r.Place, status, r.Text)
}

// splitEnhanced parts the enhanced status code from the text. Servers repeat the code on every line of an answer.
func splitEnhanced(said []string) (enhanced, text string) {
	var lines []string
	for _, line := range said {
		line = strings.TrimSpace(line)
		m := enhancedCode.FindStringSubmatch(line)
		if m != nil {
			enhanced = m[1]
			line = line[len(m[0]):]
		}
		lines = append(lines, line)
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.Join(lines, " "))
	const longest = 500
	if len(text) > longest {
		text = text[:longest]
	}
	return enhanced, strings.ToValidUTF8(text, "")
}
