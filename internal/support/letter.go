package support

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Letter is what a customer wrote by mail.
type Letter struct {
	Text        string
	Attachments []Attachment
	Sender      string // when it is not the address on file
	MailID      string
}

// Attachment is something that came along with a mail. It is named and never kept: anybody can send one in anybody's
// name, and a colleague would open it.
type Attachment struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"` // as the sender calls it: application/pdf
	Bytes int64  `json:"bytes"`
}

// String names it as colleagues read it: "receipt.pdf (application/pdf, 32 KB)".
func (a Attachment) String() string {
	return fmt.Sprintf("%s (%s, %d KB)", a.Name, a.Kind, (a.Bytes+1023)>>10)
}

// What stands in a message for what is not kept; staff read it so.
const (
	CardCut = "[a card number was removed]"
	TextCut = "[the rest was too long and is not kept]"
	NoText  = "[the mail had no text]"
)

// Body is the letter as a message: cleaned, card numbers taken out, cut where it is too long.
func (l Letter) Body() string {
	text := withoutCards(l.Text)
	room := Longest - len(TextCut) - 1
	runes := []rune(text)
	if len(runes) > Longest {
		text = string(runes[:room]) + "\n" + TextCut
	}
	body, err := Clean(text)
	if err != nil { // nothing is left; a letter must never be lost to a rule of form
		return NoText
	}
	return body
}

// named are the attachments as they are kept: without card numbers in their names.
func (l Letter) named() []Attachment {
	named := slices.Clone(l.Attachments)
	for i := range named {
		named[i].Name = withoutCards(strings.Map(visible, named[i].Name))
	}
	return named
}

// visible leaves a blank where a name has what nobody sees. JSON would write it as a number, which next to other digits
// looks like a card's.
func visible(r rune) rune {
	if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
		return ' '
	}
	return r
}

// packed is a list of attachments as it is stored, "" for none.
func packed(all []Attachment) (string, error) {
	if len(all) == 0 {
		return "", nil
	}
	var text strings.Builder
	write := json.NewEncoder(&text)
	write.SetEscapeHTML(false) // an & stays one
	err := write.Encode(all)
	return strings.TrimSpace(text.String()), err
}

func unpacked(text string) ([]Attachment, error) {
	if text == "" {
		return nil, nil
	}
	var all []Attachment
	err := json.Unmarshal([]byte(text), &all)
	return all, err
}

// In is what the customer reads of a message of theirs: what stands in it for what was not kept is said by the words of
// their language.
func (m Message) In(words func(key string) string) string {
	if m.MailID == "" || !m.FromCustomer() {
		return m.Body
	}
	return strings.NewReplacer(CardCut, words("support.card_cut"), TextCut, words("support.text_cut"), NoText, words("support.no_text")).Replace(m.Body)
}

func withoutCards(text string) string {
	for _, span := range slices.Backward(cardNumbers(text)) {
		text = text[:span[0]] + CardCut + text[span[1]:]
	}
	return text
}
