package mail

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	"sollecito/internal/names"
)

const (
	foldAt      = 76  // columns a header line is folded at where it has a space (RFC 2047 allows no more)
	plainWord   = 60  // bytes without a space that are left as they are in a subject or a name
	longestWord = 900 // bytes without a space that still fit RFC 5322's 998 on a line with the header's name
)

// writeHeader writes one header, folded at single spaces. value must be free of control characters.
func writeHeader(b *bytes.Buffer, name, value string) {
	b.WriteString(name)
	b.WriteByte(':')
	column := len(name) + 1
	first := true
	for word := range strings.SplitSeq(value, " ") {
		// The first word stays on the header's line: a line of the name alone confuses some readers.
		if !first && column+1+len(word) > foldAt {
			b.WriteString("\r\n")
			column = 0
		}
		b.WriteByte(' ')
		b.WriteString(word)
		column += 1 + len(word)
		first = false
	}
	b.WriteString("\r\n")
}

// oneLine makes any text fit for a header: what is not UTF-8 or controls a line becomes a space, runs of spaces become one,
// and what overrides the direction of the words after it is left out. Isolates stay: a right-to-left subject has some.
func oneLine(s string) string {
	if isOneLine(s) {
		return s
	}
	clean := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == utf8.RuneError:
			return ' '
		case r >= '\u202a' && r <= '\u202e':
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.FieldsFunc(clean, func(r rune) bool { return r == ' ' }), " ")
}

// isOneLine reports whether the text is of printable ASCII with single spaces inside, as most are.
func isOneLine(s string) bool {
	before := byte(' ')
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && before == ' ' {
			return false
		}
		before = s[i]
	}
	return s == "" || before != ' '
}

// encodeText answers an unstructured value: as it is when it is short plain ASCII, otherwise as encoded words.
func encodeText(s string) string {
	s = oneLine(s)
	if isASCII(s) && !strings.Contains(s, "=?") && longest(s) <= plainWord {
		return s
	}
	return encodedWords(s)
}

// encodeAddress answers an address with its name: a quoted string where that is enough, otherwise encoded words. What turns
// the words around a name is left out of it: the address after it would be shown otherwise than it is.
func encodeAddress(a Address) string {
	name := names.OneLine(a.Name)
	bracketed := "<" + a.Address + ">"
	switch {
	case name == "":
		return bracketed
	case isASCII(name) && !strings.Contains(name, "=?") && longest(name) <= plainWord:
		return `"` + strings.ReplaceAll(strings.ReplaceAll(name, `\`, `\\`), `"`, `\"`) + `" ` + bracketed
	}
	return encodedWords(name) + " " + bracketed
}

// encodedWords answers s as the encoded words of RFC 2047, cut between characters, each short enough to stand on the
// line of the header's name. It takes the Q encoding where that is the shorter one, as in most European languages,
// and B elsewhere.
func encodedWords(s string) string {
	const room = 64 - len("=?utf-8?Q?") - len("?=")
	encoding, encode, most := "Q", quote, room
	size := quotedSize
	if size(s) > base64.StdEncoding.EncodedLen(len(s)) {
		encoding, encode, most = "B", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }, room/4*3
		size = func(chunk string) int { return len(chunk) }
	}
	var words []string
	start, used := 0, 0
	for i, r := range s {
		next := size(s[i : i+utf8.RuneLen(r)])
		if used+next > most {
			words = append(words, "=?utf-8?"+encoding+"?"+encode(s[start:i])+"?=")
			start, used = i, 0
		}
		used += next
	}
	words = append(words, "=?utf-8?"+encoding+"?"+encode(s[start:])+"?=")
	return strings.Join(words, " ")
}

// quote is the Q encoding, leaving only what RFC 2047 allows everywhere, in a name as well.
func quote(s string) string {
	const digits = "0123456789ABCDEF"
	quoted := make([]byte, 0, len(s)*3)
	for i := range len(s) {
		c := s[i]
		switch {
		case unquoted(c):
			quoted = append(quoted, c)
		case c == ' ':
			quoted = append(quoted, '_')
		default:
			quoted = append(quoted, '=', digits[c>>4], digits[c&15])
		}
	}
	return string(quoted)
}

func unquoted(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!*+-/", c) >= 0
}

// quotedSize is the length of quote's answer.
func quotedSize(s string) int {
	size := 0
	for i := range len(s) {
		if unquoted(s[i]) || s[i] == ' ' {
			size++
			continue
		}
		size += len("=00")
	}
	return size
}

// longest answers the length of the longest stretch without a space, which cannot be folded.
func longest(s string) int {
	most := 0
	for word := range strings.SplitSeq(s, " ") {
		most = max(most, len(word))
	}
	return most
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }
