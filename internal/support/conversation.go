package support

import (
	"strings"
	"unicode/utf8"

	"sollecito/internal/fault"
)

// ConversationStatus says whose turn it is.
type ConversationStatus string

const (
	Waiting  ConversationStatus = "waiting"  // for staff
	Answered ConversationStatus = "answered" // by staff
)

// Conversation is all that one customer and staff say to each other. A customer has one; it opens with their
// first message and goes on for as long as either writes. Instants are unix seconds.
type Conversation struct {
	ID         string
	CustomerID string
	Status     ConversationStatus
	OpenedAt   int64
	UpdatedAt  int64
}

// Message is one thing said. Name is the member of staff's, as the customer reads it.
type Message struct {
	ID             string
	ConversationID string
	Author         string // customer, staff
	StaffID        string
	Name           string
	Body           string
	At             int64
	Sender         string       // who wrote by mail when it was not the address on file; "" otherwise
	MailID         string       // the Message-ID of what came by mail, without brackets; "" for the page
	Attachments    []Attachment // came along with the mail and were not kept
}

// FromCustomer reports who said it.
func (m Message) FromCustomer() bool { return m.Author == "customer" }

// Longest is the most characters one message may have.
const Longest = 5000

// What Clean refuses a message for: the Message of its fault.Invalid.
const (
	FaultEmpty = "empty"
	FaultLong  = "long"
	FaultCard  = "card"
)

// Clean checks what somebody typed and answers it as it is kept: line ends unified, control characters gone.
// fault.Invalid when nothing is left, when it is too long, or when it holds a payment card's number, which
// we must never store.
func Clean(text string) (string, error) {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\r\n", "\n")
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", fault.New(fault.Invalid, FaultEmpty)
	case utf8.RuneCountInString(text) > Longest:
		return "", fault.New(fault.Invalid, FaultLong)
	case holdsCardNumber(text):
		return "", fault.New(fault.Invalid, FaultCard)
	}
	return text, nil
}

// holdsCardNumber finds a payment card's number.
func holdsCardNumber(text string) bool { return len(cardNumbers(text)) > 0 }

// cardNumbers answers where in a text 13 to 19 digits stand, single blanks or dashes between them, that pass the check
// every card number passes (Luhn): from the first digit to past the last.
func cardNumbers(text string) [][2]int {
	var found [][2]int
	var digits []byte
	gap := false
	from, to := 0, 0
	check := func() {
		if len(digits) >= 13 && len(digits) <= 19 && luhn(digits) {
			found = append(found, [2]int{from, to})
		}
	}
	for i := range len(text) {
		switch b := text[i]; {
		case b >= '0' && b <= '9':
			if len(digits) == 0 {
				from = i
			}
			digits = append(digits, b-'0')
			gap, to = false, i+1
		case (b == ' ' || b == '-') && len(digits) > 0 && !gap:
			gap = true
		default:
			check()
			digits, gap = digits[:0], false
		}
	}
	check()
	return found
}

func luhn(digits []byte) bool {
	sum := 0
	for i, d := range digits {
		n := int(d)
		if (len(digits)-i)%2 == 0 {
			n *= 2
			if n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}
