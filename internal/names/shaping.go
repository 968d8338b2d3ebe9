package names

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	nonJoiner, joiner = '\u200c', '\u200d'
	blackFlag         = '\U0001F3F4' // tags after it spell a region: England, Scotland, Wales
	firstTag, lastTag = '\U000E0020', '\U000E007F'
	emojiForm         = '\uFE0F'
	textForm          = '\uFE0E'
	keycap            = '\u20E3'
	virama            = 9 // the combining class of signs that take a letter's vowel away
)

// shapes reports whether a character is not seen itself and may show in those beside it: in names in Persian, Hindi or
// Japanese, and in emoji.
func shapes(r rune) bool {
	return r == nonJoiner || r == joiner || firstTag <= r && r <= lastTag || unicode.Is(unicode.Variation_Selector, r)
}

// shapesBetween reports whether such a character shows between what stands before it and the next character, 0 at the end.
func shapesBetween(before []rune, r, next rune) bool {
	if len(before) == 0 {
		return false
	}
	last := before[len(before)-1]
	switch {
	case r == nonJoiner:
		return isVirama(last) && unicode.IsLetter(next) || joinsNext(before) && joinsBefore(next)
	case r == joiner:
		return isVirama(last) || isVirama(next) && unicode.IsLetter(last) || endsEmoji(before) && isEmoji(next)
	case firstTag <= r && r <= lastTag:
		return false // flagTags keeps them, all or none
	case r == emojiForm, r == textForm:
		return isEmoji(last) || next == keycap
	}
	return unicode.Is(unicode.Han, last) || unicode.Is(unicode.Mongolian, last)
}

func isVirama(r rune) bool { return norm.NFC.PropertiesString(string(r)).CCC() == virama }

// cursive are the scripts whose letters join the next one.
var cursive = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Nko, unicode.Mandaic, unicode.Manichaean, unicode.Phags_Pa, unicode.Psalter_Pahlavi,
	unicode.Adlam, unicode.Hanifi_Rohingya, unicode.Sogdian, unicode.Chorasmian, unicode.Old_Uyghur,
}

// unjoined are the Arabic letters that do not join the next one, by the Unicode Character Database's ArabicShaping.txt: beside
// them a non-joiner changes nothing.
var unjoined = &unicode.RangeTable{R16: []unicode.Range16{
	{0x0621, 0x0625, 1}, {0x0627, 0x0627, 1}, {0x0629, 0x0629, 1}, {0x062F, 0x0632, 1}, {0x0648, 0x0648, 1}, {0x0671, 0x0677, 1}, {0x0688, 0x0699, 1},
	{0x06C0, 0x06C0, 1}, {0x06C3, 0x06CB, 1}, {0x06CD, 0x06CD, 1}, {0x06CF, 0x06CF, 1}, {0x06D2, 0x06D3, 1}, {0x06D5, 0x06D5, 1}, {0x06EE, 0x06EF, 1},
	{0x0759, 0x075B, 1}, {0x076B, 0x076C, 1}, {0x0771, 0x0771, 1}, {0x0773, 0x0774, 1}, {0x0778, 0x0779, 1},
}}

// joinsNext reports whether the last letter, whatever marks it carries, would join the next one.
func joinsNext(before []rune) bool {
	for i := len(before) - 1; i >= 0; i-- {
		if !unicode.Is(unicode.Mn, before[i]) {
			return joinsBefore(before[i]) && !unicode.Is(unjoined, before[i])
		}
	}
	return false
}

// joinsBefore reports whether a letter would join the one before it. All of cursive scripts do but the hamza.
func joinsBefore(r rune) bool {
	return unicode.IsLetter(r) && unicode.In(r, cursive...) && r != '\u0621' && r != '\u0674'
}

// isEmoji reports whether a character may be an emoji, alone or with others.
func isEmoji(r rune) bool {
	switch {
	case 0x1F3FB <= r && r <= 0x1F3FF, r == 0x203C, r == 0x2049, r == 0x3030: // tones of skin, two exclamations and a dash
		return true
	case unicode.Is(unicode.Sm, r):
		return 0x2194 <= r && r <= 0x25FF
	}
	return unicode.Is(unicode.So, r)
}

// endsEmoji reports whether the last character, or the one whose form it says, is an emoji.
func endsEmoji(before []rune) bool {
	last := before[len(before)-1]
	if last == emojiForm && len(before) > 1 {
		last = before[len(before)-2]
	}
	return isEmoji(last)
}

// flagTags answers how many tags at the beginning of what follows spell a region of the flag before them, 0 when they do
// not to the end.
func flagTags(before, follows []rune) int {
	if len(before) == 0 || before[len(before)-1] != blackFlag {
		return 0
	}
	const longest = 7 // a country, a region of up to three letters or digits, and the end
	for i, r := range follows {
		spelled := r - firstTag + ' '
		switch {
		case i >= longest:
			return 0
		case r == lastTag && i >= 3:
			return i + 1
		case (spelled < 'a' || spelled > 'z') && (spelled < '0' || spelled > '9'):
			return 0
		}
	}
	return 0
}
