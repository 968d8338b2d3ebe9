package support

import (
	"slices"
	"strings"

	"sollecito/internal/fault"
)

// Letter is what a customer wrote by mail.
type Letter struct {
	Text        string
	Attachments []string // names; what was in them is not kept
	Sender      string   // when it is not the address on file
	MailID      string
}

// What stands in a message for what is not kept.
const (
	cardCut = "[a card number was removed]"
	textCut = "[the rest was too long and is not kept]"
	noText  = "[the mail had no text]"
)

// Body is the letter as a message: cleaned, card numbers taken out, cut where it is too long, and each attachment named.
func (l Letter) Body() string {
	var named []string
	for _, a := range l.Attachments {
		named = append(named, withoutCards("[an attachment, "+a+", was not kept]"))
	}
	notes := strings.Join(named, "\n")
	text := withoutCards(l.Text)
	room := Longest - len([]rune(notes)) - len(textCut) - 4
	runes := []rune(text)
	if len(runes) > room {
		text = string(runes[:max(room, 0)]) + "\n" + textCut
	}
	body, err := Clean(text)
	if fault.MessageOf(err) == FaultEmpty {
		body = noText
	}
	if notes != "" {
		body += "\n\n" + notes
	}
	body, err = Clean(body)
	if err != nil { // the cuts above leave nothing to refuse; a letter must never be lost to a rule of form
		return noText
	}
	return body
}

func withoutCards(text string) string {
	for _, span := range slices.Backward(cardNumbers(text)) {
		text = text[:span[0]] + cardCut + text[span[1]:]
	}
	return text
}
