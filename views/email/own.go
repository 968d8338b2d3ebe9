package email

import (
	"strings"

	"sollecito/internal/l10n"
)

// OwnWords are a merchant's own words for a reminder, in the reader's language. They stand in the place of ours in the
// subject and around the sum and the button; the layout, the sum, the facts, the date of a consequence and how to reach
// a person stay ours. What they say is plain text with the places of variables: nothing in it can become markup.
type OwnWords struct {
	Subject []OwnPiece
	Before  []OwnBlock // before the sum
	After   []OwnBlock // after the facts
}

// OwnBlock is a paragraph, or an item of a list with its mark.
type OwnBlock struct {
	Mark   string
	Pieces []OwnPiece
}

// OwnPiece is a stretch of words, or the place of a variable.
type OwnPiece struct {
	Text     string
	Variable string // as campaigns name it: amount, consequence.date, …
	Strong   bool
}

// own answers the letter told in the merchant's own words, and false when a variable they name has no value here: a
// sentence with a hole in it is worse than ours.
func (r reminder) own(letter Letter) (Letter, bool) {
	whole := true
	fill := func(pieces []OwnPiece) Paragraph {
		var p Paragraph
		for _, piece := range pieces {
			span := l10n.Span{Text: visibleLines(piece.Text), Strong: piece.Strong}
			if piece.Variable != "" {
				span.Text, span.Isolated = r.variable(piece.Variable)
				whole = whole && span.Text != ""
			}
			p = append(p, span)
		}
		return p
	}
	paragraphs := func(blocks []OwnBlock) []Paragraph {
		var all []Paragraph
		for _, b := range blocks {
			p := fill(b.Pieces)
			if b.Mark != "" {
				p = append(plain(b.Mark+" "), p...)
			}
			all = append(all, p)
		}
		return all
	}
	letter.Subject = line(letter.words(fill(r.Own.Subject)), longestSubject)
	letter.Before = paragraphs(r.Own.Before)
	letter.After = paragraphs(r.Own.After)
	if r.announces() {
		letter.After = append(letter.After, r.spans("mail.consequence_"+r.level(), r.args))
	}
	letter.After = append(letter.After, r.reach()...)
	return letter, whole
}

// visibleLines is visible for words of several lines, which it keeps; spaces at its ends stand between two pieces.
func visibleLines(text string) string {
	all := strings.Split(text, "\n")
	for i := range all {
		all[i] = visible(all[i])
	}
	return strings.Join(all, "\n")
}

// variable answers what a variable stands for, "" when it has no value in this letter, and whether it is set apart from
// right-to-left words around it.
func (r reminder) variable(name string) (string, bool) {
	switch name {
	case "amount":
		return string(r.sums(r.totals)), true
	case "card":
		if r.Card.Last4 == "" {
			return "", false
		}
		var b strings.Builder
		for _, span := range r.writer.card(r.Card) {
			b.WriteString(span.Text)
		}
		return b.String(), true
	case "consequence.date":
		if !r.Consequence.At.IsZero() {
			return r.locale.Day(r.Consequence.At), false
		}
	case "customer.first_name":
		return greetable(r.FirstName), false
	case "customer.name":
		return greetable(r.Name), false
	case "due":
		if !r.Due.IsZero() {
			return r.locale.Day(r.Due), false
		}
	case "invoice":
		if r.several() {
			return r.text("mail.invoices", r.args), false
		}
		return line(r.Invoices[0].Number, longestName), true
	case "merchant":
		return line(r.merchant.Name, longestCaller), false
	case "plan":
		if !r.several() {
			return line(r.Invoices[0].What, longestWhat), false
		}
	case "retry.date":
		if !r.NextAttempt.IsZero() {
			return r.locale.Day(r.NextAttempt), false
		}
	}
	return "", false
}
