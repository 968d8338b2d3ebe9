package email

import (
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// wide is where lines of the text part end, in columns, so that they can be quoted twice within 78.
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
		add(indented(l.isolate(string(amount.Money)), l.about(amount)))
	}
	if l.Button != nil {
		add(l.leads(l.Button.Label, l.Button.URL))
	}
	var facts []string
	for _, fact := range l.Facts {
		term, value := l.words(fact.Term), l.words(fact.Value)
		if value == "" {
			facts = append(facts, term)
			continue
		}
		facts = append(facts, wrap(term+l.Locale.Colon()+value))
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
		add(l.leads(way.Label, way.URL))
	}
	add(wrap(l.Merchant.LegalAddress))
	b.WriteString("\n")
	return b.String()
}

// leads names where an address leads, the address on a line of its own. A question needs no colon.
func (l Letter) leads(label Paragraph, url string) string {
	words := l.words(label)
	if !strings.HasSuffix(words, "?") && !strings.HasSuffix(words, "？") && !strings.HasSuffix(words, "؟") {
		words += strings.TrimRight(l.Locale.Colon(), " ")
	}
	return wrap(words) + "\n" + url
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
func (l Letter) about(a Amount) string {
	if a.What == "" || a.Period == "" {
		return a.What + a.Period
	}
	return a.What + l.Locale.Comma() + a.Period
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
func wrapTo(text string, room int) string {
	if len(text) <= room && !strings.Contains(text, "\n") && !strings.HasPrefix(text, " ") {
		return text
	}
	var out []string
	for l := range strings.SplitSeq(text, "\n") {
		out = append(out, wrapLine(l, room))
	}
	return strings.Join(out, "\n")
}

// stretches cuts a line where it may break, each with the space that follows it. It is the plain space alone: a no-break
// space in an amount keeps the amount together. What is written without spaces breaks after its stops and commas, and
// the names in it stay whole.
func stretches(text string, most int) iter.Seq[string] {
	if !strings.Contains(text, "。") && !strings.Contains(text, "、") {
		return strings.SplitAfterSeq(text, " ")
	}
	var all []string
	for sentence := range strings.SplitAfterSeq(text, "。") {
		for part := range strings.SplitAfterSeq(sentence, "、") {
			if columns(part) > most {
				all = append(all, strings.SplitAfter(part, " ")...)
				continue
			}
			all = append(all, part)
		}
	}
	return slices.Values(all)
}

func wrapLine(text string, most int) string {
	var b strings.Builder
	b.Grow(len(text))
	column, space := 0, ""
	for stretch := range stretches(text, most) {
		words := strings.TrimRight(stretch, " ")
		room := columns(words)
		if column > 0 && room > 0 && column+len(space)+room > most {
			b.WriteByte('\n')
			column = 0
		} else {
			b.WriteString(space)
			column += len(space)
		}
		b.WriteString(words)
		column += room
		space = stretch[len(words):]
	}
	return b.String()
}

// columns counts how much room a text takes: a sign of Japanese is as wide as two letters.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r < utf8.RuneSelf {
			continue
		}
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n++
		}
	}
	return n
}

// dir and tag name the letter's direction and language for the markup.
func (l Letter) dir() string { return l.Locale.Dir() }
func (l Letter) tag() string { return l.Locale.Tag() }
