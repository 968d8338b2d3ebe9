package l10n

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
)

// category is a CLDR plural category.
type category uint8

const (
	other category = iota
	zero
	one
	two
	few
	many
	categories
)

// message is one message of one language. plurals holds the segments of each plural category and is nil for a message
// without plurals, which has only the form other: most are such. plural is the rule of the language it is written in,
// which after a fallback is not the reader's.
type message struct {
	other   []segment
	plurals *[categories][]segment
	plural  func(int64) category
}

// in answers the segments of one plural category, nil when there are none.
func (m message) in(c category) []segment {
	switch {
	case c == other:
		return m.other
	case m.plurals == nil:
		return nil
	}
	return m.plurals[c]
}

// segment is a stretch of a message: literal text, or the place of an argument when argument is not empty.
type segment struct {
	text     string
	argument string
	strong   bool
}

// form answers the segments to use for the given arguments: those of the category Count falls into, those of
// other when the language has no such form.
func (m message) form(args []Args) []segment {
	count, ok := countOf(args)
	if ok {
		segments := m.in(m.plural(count))
		if segments != nil {
			return segments
		}
	}
	return m.other
}

func countOf(args []Args) (int64, bool) {
	for _, a := range args {
		v, ok := a["Count"]
		if ok {
			return integer(v)
		}
	}
	return 0, false
}

func parseMessage(m *i18n.Message, plural func(int64) category) (message, error) {
	parsed := message{plural: plural}
	texts := [categories]string{other: m.Other, zero: m.Zero, one: m.One, two: m.Two, few: m.Few, many: m.Many}
	for i, text := range texts {
		if text == "" {
			continue
		}
		segments, err := parseSegments(text)
		switch {
		case err != nil:
			return message{}, err
		case category(i) == other:
			parsed.other = segments
			continue
		case parsed.plurals == nil:
			parsed.plurals = &[categories][]segment{}
		}
		parsed.plurals[i] = segments
	}
	if parsed.other == nil {
		return message{}, errors.New(`the form "other" is missing or empty`)
	}
	return parsed, nil
}

// parseSegments cuts a message at its {{.Name}} placeholders and **strong** marks. It refuses anything else
// between braces: messages are written by translators and run no template language.
func parseSegments(text string) ([]segment, error) {
	var segments []segment
	strong := false
	literal := func(s string) {
		if s != "" {
			segments = append(segments, segment{text: s, strong: strong})
		}
	}
	rest := text
	for rest != "" {
		brace, mark := strings.Index(rest, "{{"), strings.Index(rest, "**")
		switch {
		case brace < 0 && mark < 0:
			literal(rest)
			rest = ""
		case brace < 0 || mark >= 0 && mark < brace:
			literal(rest[:mark])
			strong = !strong
			rest = rest[mark+len("**"):]
		default:
			literal(rest[:brace])
			inside, after, closed := strings.Cut(rest[brace+len("{{"):], "}}")
			if !closed {
				return nil, fmt.Errorf("a placeholder is not closed in %q", text)
			}
			name, dotted := strings.CutPrefix(strings.TrimSpace(inside), ".")
			if !dotted || !isName(name) {
				return nil, fmt.Errorf("{{%s}} is not a placeholder; write {{.Name}}", inside)
			}
			segments = append(segments, segment{argument: name, strong: strong})
			rest = after
		}
	}
	if strong {
		return nil, fmt.Errorf("a ** mark is not closed in %q", text)
	}
	return segments, nil
}

func isName(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}
