package email

import (
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	"sollecito/internal/billing"
	"sollecito/internal/l10n"
)

// How long text that others chose may be in a letter, in characters.
const (
	longestSubject = 78 // security M1: a subject stays one unfolded line
	longestCaller  = 36 // the merchant's name in a subject, so that the fact after it is still read
	longestName    = 60
	longestWhat    = 120
)

// writer holds what every letter is written with.
type writer struct {
	locale   *l10n.Locale
	merchant Merchant
}

// letter begins a letter: who writes, how the reader is greeted, how it ends.
func (w writer) letter(firstName string) Letter {
	letter := Letter{
		Locale:   w.locale,
		Merchant: w.merchant,
		Greeting: w.text("mail.greeting_nobody"),
		SignOff:  w.merchant.Name,
		Why:      w.text("mail.why", l10n.Args{"Merchant": w.merchant.Name}),
	}
	name := greetable(firstName)
	if name != "" {
		letter.Greeting = w.text("mail.greeting", l10n.Args{"Name": name})
	}
	return letter
}

func (w writer) text(key string, args ...l10n.Args) string { return w.locale.Text(key, args...) }

func (w writer) spans(key string, args ...l10n.Args) Paragraph { return w.locale.Spans(key, args...) }

func (w writer) term(key string) Paragraph { return plain(w.text(key)) }

// subject answers a message as a subject: one line, cut to length.
func (w writer) subject(key string, args l10n.Args) string {
	args = maps.Clone(args)
	args["Merchant"] = line(w.merchant.Name, longestCaller)
	return line(w.locale.IsolatedText(key, args), longestSubject)
}

func (w writer) money(m billing.Money) l10n.Isolated { return w.locale.Money(m.Minor, m.Currency) }

// names lists what strangers called their files. None becomes a link in a program that makes links of what looks like one.
func (w writer) names(all []string) l10n.Isolated {
	shown := make([]string, len(all))
	for i, name := range all {
		shown[i] = line(unlinked(name), longestWhat)
	}
	return l10n.Isolated(w.locale.List(shown))
}

// sums lists one amount per currency in a sentence: "€29.00 and ¥14,400". A single one is isolated by its reader.
func (w writer) sums(totals []billing.Money) l10n.Isolated {
	texts := make([]string, len(totals))
	for i, total := range totals {
		texts[i] = string(w.money(total))
	}
	return l10n.Isolated(w.locale.List(texts))
}

// card is "Visa ending 4242", and "bank account ending 3000" for an account whose bank we do not know, as inside a sentence.
func (w writer) card(c Card) Paragraph {
	if c.Brand == "" && c.Account {
		return w.spans("card.account_ending", l10n.Args{"Last4": l10n.Isolated(c.Last4)})
	}
	if c.Brand == "" {
		return isolated("•••• " + c.Last4)
	}
	return w.spans("mail.card", l10n.Args{"Brand": line(c.Brand, longestName), "Last4": l10n.Isolated(c.Last4)})
}

// cardAlone is card where it stands alone: a noun in front begins with a capital.
func (w writer) cardAlone(c Card) Paragraph {
	words := w.card(c)
	if !words[0].Isolated {
		first, size := utf8.DecodeRuneInString(words[0].Text)
		words[0].Text = string(unicode.ToUpper(first)) + words[0].Text[size:]
	}
	return words
}

// cardFact tells by which card or account it was, under its own term.
func (w writer) cardFact(c Card) Fact {
	switch {
	case c.Account && c.Brand == "":
		return Fact{w.term("card.account"), isolated("•••• " + c.Last4)}
	case c.Account:
		return Fact{w.term("card.account"), w.card(c)}
	}
	return Fact{w.term("mail.fact.card"), w.card(c)}
}

func plain(text string) Paragraph { return Paragraph{{Text: text}} }

func isolated(text string) Paragraph {
	return Paragraph{{Text: line(text, longestWhat), Isolated: true}}
}

// line makes text from elsewhere safe to stand on one line: no control characters, no invisible marks that turn
// the direction or split words, single spaces, at most longest characters.
func line(text string, longest int) string {
	return cut(strings.Join(strings.Fields(visible(text)), " "), longest)
}

// lines is line for text of several lines, which it keeps.
func lines(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	kept := strings.Split(strings.ReplaceAll(text, "\r", "\n"), "\n")
	for i, l := range kept {
		kept[i] = strings.TrimRightFunc(visible(l), unicode.IsSpace)
	}
	return strings.Trim(strings.Join(kept, "\n"), "\n")
}

// visible drops what cannot be seen. The isolates and the joiners stay: right-to-left text, Indian scripts and
// emoji need them.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= ' ' && r <= '~':
			return r
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r == '\u200c' || r == '\u200d' || r == '\u2068' || r == '\u2069':
			return r
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text)
}

// cut answers at most longest characters of text, the last of them an ellipsis when something was left out.
func cut(text string, longest int) string {
	runes := []rune(text)
	if len(runes) <= longest {
		return text
	}
	return strings.TrimRightFunc(string(runes[:longest-1]), unicode.IsSpace) + "…"
}

// greetable is a name fit to greet with, "" when it could be read as markup or as an address: names come from
// strangers, and mail programs turn "evil.example" into a link by themselves.
func greetable(name string) string {
	name = line(name, longestName)
	if strings.ContainsAny(name, `<>./\:@="()[]{}`) {
		return ""
	}
	return name
}

// unlinked keeps a name that must be shown from turning into a link in the reader's mail program: a word joiner,
// which nobody sees, stands after every dot, colon and at sign.
func unlinked(name string) string {
	return strings.NewReplacer(".", ".\u2060", ":", ":\u2060", "@", "@\u2060").Replace(line(name, longestName))
}
