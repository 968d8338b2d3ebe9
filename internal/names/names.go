// Package names reads names of people and companies that somebody else wrote. They stand in headers of mails and in the middle
// of sentences: there, what nobody sees must not break a line, turn the words around it or make two names look alike.
package names

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// brailleBlank is a sign of braille without a dot: a space, whatever else it is called.
const brailleBlank = '\u2800'

// Hidden reports whether a character is not seen: it controls a line, the direction of the words around it, or nothing at
// all. Those that shape the characters beside them are left out; OneLine keeps them only where they do.
func Hidden(r rune) bool {
	if shapes(r) || unicode.Is(unicode.Prepended_Concatenation_Mark, r) {
		return false
	}
	return breaks(r) || unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point)
}

// breaks reports whether a character ends a line or controls one, is blank, or is none.
func breaks(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || r == utf8.RuneError || r == brailleBlank
}

// Visible reports whether a name holds nothing that OneLine leaves out, spaces aside.
func Visible(name string) bool {
	return strings.ReplaceAll(OneLine(name), " ", "") == strings.ReplaceAll(name, " ", "")
}

// OneLine answers a name without what is hidden in it: what breaks a line is a space, runs of spaces are one, and what
// shapes the characters beside it stays where it does.
func OneLine(name string) string {
	if plain(name) {
		return name
	}
	return strings.Join(strings.FieldsFunc(string(shaped(seen(name))), func(r rune) bool { return r == ' ' }), " ")
}

// seen are the characters of a name that are not hidden, with spaces for those that break a line.
func seen(name string) []rune {
	var all []rune
	for _, r := range name {
		switch {
		case breaks(r):
			all = append(all, ' ')
		case !Hidden(r):
			all = append(all, r)
		}
	}
	return all
}

// shaped answers the characters without those that are to shape others and do not.
func shaped(all []rune) []rune {
	var kept []rune
	for i := 0; i < len(all); i++ {
		r := all[i]
		if !shapes(r) {
			kept = append(kept, r)
			continue
		}
		tags := flagTags(kept, all[i:])
		if tags > 0 {
			kept = append(kept, all[i:i+tags]...)
			i += tags - 1
			continue
		}
		next := rune(0)
		at := slices.IndexFunc(all[i:], func(r rune) bool { return !shapes(r) })
		if at >= 0 {
			next = all[i+at]
		}
		if shapesBetween(kept, r, next) {
			kept = append(kept, r)
		}
	}
	return kept
}

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
