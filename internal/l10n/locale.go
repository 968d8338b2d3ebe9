package l10n

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Locale is one language, with the money and date habits of one region. A Locale never changes and may be shared.
type Locale struct {
	tag          string
	data         localeData
	dates        datePatterns
	own, english *dictionary
}

// Args are the values of a message's placeholders by name. A value is a string, an integer, which is written with
// the language's grouping, or an Isolated. "Count" also chooses the plural form.
type Args map[string]any

// Isolated is text that keeps its own direction wherever it stands: an amount, a number, an id, an address. In
// right-to-left text it must be set apart (<bdi>, or U+2068 and U+2069), or its parts change places.
type Isolated string

// Span is a piece of a message. Isolated says that it came from an argument of that type; Strong that the message
// marks it as words of weight.
type Span struct {
	Text     string
	Isolated bool
	Strong   bool
}

func newLocale(tag string, data localeData, own, english *dictionary) (*Locale, error) {
	dates, err := parseDatePatterns(tag, data)
	if err != nil {
		return nil, err
	}
	return &Locale{tag: tag, data: data, dates: dates, own: own, english: english}, nil
}

// Tag answers the BCP 47 tag, as <html lang> wants it: "it", "pt-BR".
func (l *Locale) Tag() string { return l.tag }

// Language answers the tag of the language whose messages are spoken, one of those Catalog.Locales offers: "en" for
// the locale "en-US", otherwise the tag itself.
func (l *Locale) Language() string { return cmp.Or(l.data.Parent, l.tag) }

// Dir answers the direction the language is written in, "ltr" or "rtl".
func (l *Locale) Dir() string {
	if l.data.RightToLeft {
		return "rtl"
	}
	return "ltr"
}

// Name answers the language's own name, as a choice of languages shows it: "Italiano".
func (l *Locale) Name() string { return l.data.Name }

// EnglishName answers the language's name as English readers call it: "Italian".
func (l *Locale) EnglishName() string { return l.data.EnglishName }

// Gap answers what parts two sentences: a space, or nothing where the full stop is as wide as a letter.
func (l *Locale) Gap() string {
	if l.Language() == "ja" {
		return ""
	}
	return " "
}

// Comma answers what parts two things that are named side by side.
func (l *Locale) Comma() string {
	switch l.Language() {
	case "ja":
		return "、"
	case "ar":
		return "، "
	}
	return ", "
}

// Colon answers what stands between a term and its value.
func (l *Locale) Colon() string {
	switch l.Language() {
	case "fr":
		return "\u202f: " // French sets its colon off, and not so that a line could begin with it
	case "ja":
		return "："
	}
	return ": "
}

// Text answers a message as plain text, strong marks dropped, in English when the language lacks it. A key English
// lacks as well is a programming error and answers the key itself; a placeholder without an argument is answered
// as it is written ("{{.Amount}}"). Both are meant to be seen by a test.
func (l *Locale) Text(key string, args ...Args) string {
	return l.join(key, args, false)
}

// IsolatedText answers a message as Text does, with Isolated arguments between U+2068 and U+2069 when the
// language is written right to left: for mail subjects and text parts, where there is no markup.
func (l *Locale) IsolatedText(key string, args ...Args) string {
	return l.join(key, args, l.data.RightToLeft)
}

func (l *Locale) join(key string, args []Args, isolate bool) string {
	m, ok := l.message(key)
	if !ok {
		return key
	}
	segments := m.form(args)
	if len(segments) == 1 && segments[0].argument == "" {
		return segments[0].text
	}
	var b strings.Builder
	for _, s := range segments {
		if s.argument == "" {
			b.WriteString(s.text)
			continue
		}
		text, isolated := l.argument(s.argument, args)
		if isolate && isolated {
			b.WriteRune(firstStrongIsolate)
			b.WriteString(text)
			b.WriteRune(popDirectionalIsolate)
			continue
		}
		b.WriteString(text)
	}
	return b.String()
}

const (
	firstStrongIsolate    = '\u2068'
	popDirectionalIsolate = '\u2069'
)

// Spans answers the same message as Text, cut where Isolated arguments and strong words begin and end, so that a
// view can wrap them. Neighbouring pieces of the same kind come as one. An unknown key is one plain span of the
// key itself.
func (l *Locale) Spans(key string, args ...Args) []Span {
	m, ok := l.message(key)
	if !ok {
		return []Span{{Text: key}}
	}
	segments := m.form(args)
	spans := make([]Span, 0, len(segments))
	for _, s := range segments {
		next := Span{Text: s.text, Strong: s.strong}
		if s.argument != "" {
			next.Text, next.Isolated = l.argument(s.argument, args)
		}
		last := len(spans) - 1
		if last >= 0 && !next.Isolated && !spans[last].Isolated && spans[last].Strong == next.Strong {
			spans[last].Text += next.Text
			continue
		}
		spans = append(spans, next)
	}
	return spans
}

func (l *Locale) message(key string) (message, bool) {
	m, ok := l.own.messages()[key]
	if !ok {
		m, ok = l.english.messages()[key]
	}
	return m, ok
}

// argument answers the text of a placeholder's argument and whether it is to be isolated.
func (l *Locale) argument(name string, args []Args) (string, bool) {
	for _, a := range args {
		v, ok := a[name]
		if !ok {
			continue
		}
		switch v := v.(type) {
		case string:
			return v, false
		case Isolated:
			return string(v), true
		}
		n, ok := integer(v)
		if ok {
			return l.Number(n), false
		}
		return fmt.Sprint(v), false
	}
	return "{{." + name + "}}", false
}

func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case int32:
		return int64(v), true
	case uint:
		return int64(min(v, math.MaxInt64)), true
	case uint32:
		return int64(v), true
	case uint64:
		return int64(min(v, math.MaxInt64)), true
	}
	return 0, false
}

// Number answers a whole number with the language's grouping and sign: "1,234", "1.234", "-5".
func (l *Locale) Number(n int64) string {
	digits := strconv.FormatUint(magnitude(n), 10)
	grouped := l.group(digits, l.data.Group)
	if n < 0 {
		return l.data.Minus + grouped
	}
	return grouped
}

// magnitude answers |n|, also of the one number that has no positive counterpart.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// group sets a separator between every three digits, but leaves numbers of four digits whole in the languages
// that do (Spanish, Italian, Polish: CLDR's minimumGroupingDigits).
func (l *Locale) group(digits, separator string) string {
	const size = 3
	if len(digits) < size+l.data.MinGrouping {
		return digits
	}
	var b strings.Builder
	head := len(digits) % size
	b.WriteString(digits[:head])
	for i := head; i < len(digits); i += size {
		if i > 0 {
			b.WriteString(separator)
		}
		b.WriteString(digits[i : i+size])
	}
	return b.String()
}

// List answers the items as one phrase: "a", "a and b", "a, b and c". No items answer "".
func (l *Locale) List(items []string) string {
	if len(items) == 0 {
		return ""
	}
	if len(items) == 1 {
		return items[0]
	}
	last := len(items) - 1
	if last == 1 {
		return joinTwo(l.data.ListTwo, items[0], items[1])
	}
	list := joinTwo(l.data.ListEnd, items[last-1], items[last])
	for i := last - 2; i > 0; i-- {
		list = joinTwo(l.data.ListMiddle, items[i], list)
	}
	return joinTwo(l.data.ListStart, items[0], list)
}

// joinTwo fills CLDR's {0} and {1} in one pass, so that items which themselves hold "{1}" stay as they are.
func joinTwo(pattern, first, second string) string {
	return strings.NewReplacer("{0}", first, "{1}", second).Replace(pattern)
}
