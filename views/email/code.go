package email

import (
	"time"

	"sollecito/internal/l10n"
)

// CodeFacts are what a letter with a code is written from.
type CodeFacts struct {
	Merchant  Merchant
	FirstName string
	Code      string // its digits
	Card      Card   // what it lets the reader take off
	Minutes   int    // how long it works
}

// Code builds the letter with a code somebody asked for on the reader's billing page. It holds no link: whoever finds it
// must not have both. The code is the largest thing in it, and stands neither in the subject nor in the preheader, which
// a locked phone shows.
func Code(locale *l10n.Locale, facts CodeFacts) Letter {
	w := writer{locale, facts.Merchant}
	args := l10n.Args{"Merchant": facts.Merchant.Name, "Count": facts.Minutes}
	letter := w.letter(facts.FirstName)
	letter.Subject = w.subject("mail.code.subject", args)
	letter.Preheader = locale.IsolatedText("mail.code.preheader", args)
	letter.Heading = w.text("mail.code.heading")
	letter.Before = []Paragraph{w.spans("mail.code.lead", args)}
	letter.Amounts = []Amount{{Money: l10n.Isolated(facts.Code), What: w.text("mail.code_works", args)}}
	if facts.Card != (Card{}) {
		letter.Facts = []Fact{{w.term("mail.code.removes"), w.cardAlone(facts.Card)}}
	}
	letter.After = []Paragraph{w.spans("mail.code.tell_nobody", args), w.spans("mail.code.not_you", args)}
	return letter
}

// MethodGoneFacts are what the letter about a removed payment method is written from.
type MethodGoneFacts struct {
	Merchant  Merchant
	FirstName string
	Card      Card
	Successor Card // what is charged from now on; zero when nothing took its place
	On        time.Time
	LinkURL   string
}

// MethodGone builds the letter that confirms that a payment method was taken off.
func MethodGone(locale *l10n.Locale, facts MethodGoneFacts) Letter {
	w := writer{locale, facts.Merchant}
	args := l10n.Args{"Merchant": facts.Merchant.Name, "Day": locale.Day(facts.On)}
	letter := w.letter(facts.FirstName)
	letter.Subject = w.subject("mail.method.subject", args)
	letter.Preheader = locale.IsolatedText("mail.method.preheader", args)
	letter.Heading = w.text("mail.method.heading")
	letter.Before = []Paragraph{w.spans("mail.method.lead", args)}
	letter.Facts = []Fact{{w.term("mail.method.removed"), w.cardAlone(facts.Card)}}
	if facts.Successor != (Card{}) {
		letter.Facts = append(letter.Facts, Fact{w.term("mail.method.successor"), w.cardAlone(facts.Successor)})
	}
	letter.Button = &Button{Label: w.spans("mail.button.open"), URL: facts.LinkURL}
	letter.LinkLine = w.text("mail.link.or_open")
	letter.After = []Paragraph{w.spans("mail.method.not_you", args)}
	return letter
}
