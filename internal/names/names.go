// Package names reads names of people and companies that somebody else wrote. They stand in headers of mails and in the middle
// of sentences: there, what nobody sees must not break a line, turn the words around it or make two names look alike.
package names

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	nonJoiner, joiner = '\u200c', '\u200d'
)

// Hidden reports whether a character is not seen: it controls a line, the direction of the words around it, or nothing at
// all. The two joiners are left out: they shape the letters beside them, in Persian and Hindi names for one.
func Hidden(r rune) bool {
	switch {
	case r == nonJoiner, r == joiner, unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return false
	}
	return breaks(r) || unicode.In(r, unicode.Cf)
}

// breaks reports whether a character ends a line or controls one, or is none.
func breaks(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || r == utf8.RuneError
}

// OneLine answers a name without what is hidden in it: what breaks a line is a space, runs of spaces are one, and a joiner
// stays between letters that it can join.
func OneLine(name string) string {
	if plain(name) {
		return name
	}
	var clean strings.Builder
	before, waiting := rune(0), rune(0) // the letter before, and a joiner that waits for the next one
	for _, r := range name {
		switch {
		case breaks(r), r == ' ':
			waiting = 0
			if before != 0 && before != ' ' {
				clean.WriteByte(' ')
				before = ' '
			}
			continue
		case r == nonJoiner, r == joiner:
			waiting = r
			continue
		case Hidden(r):
			continue
		}
		if waiting != 0 && joins(before) && joins(r) {
			clean.WriteRune(waiting)
		}
		clean.WriteRune(r)
		before, waiting = r, 0
	}
	return strings.TrimSuffix(clean.String(), " ")
}

// joins reports whether a joiner beside a character may shape it.
func joins(r rune) bool { return r >= utf8.RuneSelf }

// plain reports whether the text is of printable ASCII with single spaces inside, as most are.
func plain(s string) bool {
	before := byte(' ')
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && before == ' ' {
			return false
		}
		before = s[i]
	}
	return s == "" || before != ' '
}
