package email

import (
	"strings"
	"unicode/utf8"
)

// wide is where lines of the text part end, so that they can be quoted twice within 78 characters.
const wide = 72

// Text draws the letter as plain text, by hand and not by stripping the HTML: short lines, the address alone on its
// line so that every program makes it clickable, facts as "term: value".
func (l Letter) Text() string {
	var b strings.Builder
	b.Grow(2 << 10)
	add := func(part ...string) {
		if len(part) == 1 && part[0] == "" {
			return
		}
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		for _, piece := range part {
			b.WriteString(piece)
		}
	}
	add(wrap(l.Heading))
	add(wrap(l.Greeting))
	for _, p := range l.Before {
		add(wrap(l.words(p)))
	}
	if l.Message != nil {
		add(wrap(l.Message.Who), "\n", quoted(l.Message.Text))
	}
	for _, amount := range l.Amounts {
		add(indented(l.isolate(string(amount.Money)), amount.about()))
	}
	if l.Button != nil {
		add(wrap(l.words(l.Button.Label)+":"), "\n", l.Button.URL)
	}
	var facts []string
	for _, fact := range l.Facts {
		term, value := l.words(fact.Term), l.words(fact.Value)
		if value == "" {
			facts = append(facts, term)
			continue
		}
		facts = append(facts, wrap(term+": "+value))
	}
	add(strings.Join(facts, "\n"))
	for _, p := range l.After {
		add(wrap(l.words(p)))
	}
	add(l.SignOff)
	if l.Quote != nil {
		add(wrap(l.Quote.Who), "\n", quoted(l.Quote.Text))
	}
	// "-- " opens a signature; programs fold it away when the letter is answered.
	add("-- \n", wrap(l.Why))
	for _, way := range l.Quiet {
		add(wrap(l.words(way.Label)+":"), "\n", way.URL)
	}
	add(wrap(l.Merchant.LegalAddress))
	b.WriteString("\n")
	return b.String()
}

// words joins the spans of a paragraph, with its amounts and numbers isolated where the language needs it.
func (l Letter) words(p Paragraph) string {
	if len(p) == 1 && !p[0].Isolated {
		return p[0].Text
	}
	var b strings.Builder
	for _, span := range p {
		if span.Isolated {
			b.WriteString(l.isolate(span.Text))
			continue
		}
		b.WriteString(span.Text)
	}
	return b.String()
}

// isolate sets text apart from the right-to-left words around it, as <bdi> does in HTML.
func (l Letter) isolate(text string) string {
	if l.Locale.Dir() != "rtl" {
		return text
	}
	return "\u2068" + text + "\u2069"
}

// about is what a sum is for, on one line.
func (a Amount) about() string {
	if a.What == "" || a.Period == "" {
		return a.What + a.Period
	}
	return a.What + ", " + a.Period
}

func indented(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		if l != "" {
			b.WriteString("    " + l + "\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func quoted(text string) string {
	var out []string
	for l := range strings.SplitSeq(wrapTo(text, wide-2), "\n") {
		out = append(out, strings.TrimRight("> "+l, " "))
	}
	return strings.Join(out, "\n")
}

func wrap(text string) string { return wrapTo(text, wide) }

// wrapTo breaks lines at spaces, and after the full stop and comma of languages that write without spaces. What is
// longer than a line all the same stays whole: it is an address, and the mail's transfer encoding folds it.
func wrapTo(text string, width int) string {
	if len(text) <= width && !strings.Contains(text, "\n") && !strings.HasPrefix(text, " ") {
		return text
	}
	var out []string
	for l := range strings.SplitSeq(text, "\n") {
		out = append(out, wrapLine(l, width))
	}
	return strings.Join(out, "\n")
}

// breakable marks where a line may break inside a word.
var breakable = strings.NewReplacer("。", "。\x00", "、", "、\x00")

func wrapLine(text string, width int) string {
	var b strings.Builder
	b.Grow(len(text))
	column := 0
	put := func(piece string, space bool) {
		length := utf8.RuneCountInString(piece)
		room := width - column
		if space {
			room--
		}
		if column > 0 && length > room {
			b.WriteByte('\n')
			column = 0
		} else if column > 0 && space {
			b.WriteByte(' ')
			column++
		}
		b.WriteString(piece)
		column += length
	}
	breaks := strings.Contains(text, "。") || strings.Contains(text, "、")
	// Split at the plain space alone: a no-break space in an amount keeps the amount together.
	for word := range strings.SplitSeq(text, " ") {
		if !breaks {
			put(word, true)
			continue
		}
		space := true
		for piece := range strings.SplitSeq(breakable.Replace(word), "\x00") {
			if piece != "" || space { // else the word ended with a stop
				put(piece, space)
			}
			space = false
		}
	}
	return b.String()
}

// dir and tag name the letter's direction and language for the markup.
func (l Letter) dir() string { return l.Locale.Dir() }
func (l Letter) tag() string { return l.Locale.Tag() }
