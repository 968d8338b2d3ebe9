package names_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"sollecito/internal/names"
)

func TestOneLine(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"": "", "Chiara Bellini": "Chiara Bellini", "  Chiara \t\r\n Bellini ": "Chiara Bellini", "José Ñandú": "José Ñandú",
		"Chiara\u202e inilleB": "Chiara inilleB", "\u2067Chiara\u2069": "Chiara", "A\u200bnn\ufeff Le\u00ade": "Ann Lee", "\u200fAnn\u200e": "Ann",
		"علی\u200cرضا": "علی\u200cرضا", "A\u200cnn": "Ann", "\u200dAnn\u200d": "Ann", "क\u094d\u200dष": "क\u094d\u200dष", "Ann\u2028Lee\u2029": "Ann Lee",
		"Ann\x00\x1b[31mLee": "Ann [31mLee", "\xffAnn": "Ann", "👩\u200d💻 Ann": "👩\u200d💻 Ann", "\u0601١٢": "\u0601١٢", "\u202e\u200b": "",
		// What is blank, or ignored where it stands, is no letter.
		"\u3164": "", "\u2800": "", "\u115f\u1160": "", "Ann\u2800Lee": "Ann Lee", "A\u034fnn": "Ann", "\uffa0Ann\u17b4\U000E01F0": "Ann",
		// Joiners stay where they show.
		"И\u200cнес": "Инес", "日\u200d本": "日本", "é\u200cé": "éé", "رضا\u200cعلی": "رضاعلی", "مي\u064e\u200cم": "مي\u064e\u200cم", "م\u200dم": "مم",
		"ء\u200cم": "ءم", "م\u200cء": "مء", "അനില\u0d4d\u200d": "അനില\u0d4d\u200d", "র\u200d\u09cdয": "র\u200d\u09cdয", "क\u094d\u200cष": "क\u094d\u200cष",
		"क\u094d\u200c": "क\u094d", "क\u200dष": "कष", "👩\u200dAnn": "👩Ann", "👩🏽\u200d🚀": "👩🏽\u200d🚀", "❤\ufe0f\u200d🔥": "❤\ufe0f\u200d🔥",
		"Ann \u200c \u200d Lee": "Ann Lee",
		// So do forms and the tags of flags.
		"A\ufe0fnn": "Ann", "A\ufe00n\U000E0100n": "Ann", "1\ufe0f\u20e3 Ann": "1\ufe0f\u20e3 Ann", "1\ufe0f Ann": "1 Ann", "葛\U000E0100城": "葛\U000E0100城",
		"🏴\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F Ann": "🏴\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F Ann",
		"🏴\U000E0067\U000E0062\U000E0073 Ann":                               "🏴 Ann", "A\U000E0067\U000E007Fnn": "Ann", "🏴\U000E007F": "🏴", "🏴\u200d☠\ufe0f": "🏴\u200d☠\ufe0f",
	} {
		if got := names.OneLine(given); got != want {
			t.Errorf("%+q becomes %+q, want %+q", given, got, want)
		}
	}
}

// Whatever it is given, it is one line without anything hidden, and cleaning it again changes nothing; what can be seen is
// all there.
func TestOneLineOfAnything(t *testing.T) {
	t.Parallel()
	signs := []rune("aé مرا नी <\"\\ \t\n\x00\u200b\u200c\u200d\u200e\u202a\u202e\u2066\u2069\u2028\ufeff\u00ad\u0601👩💻ا\u094d1\ufe0f\u20e3\u2800\u3164🏴\U000E0067\U000E0062\U000E007F葛\U000E0100")
	rapid.Check(t, func(t *rapid.T) {
		given := rapid.StringOfN(rapid.RuneFrom(signs), 0, 20, -1).Draw(t, "name")
		got := names.OneLine(given)
		if strings.ContainsFunc(got, names.Hidden) || strings.Contains(got, "  ") || strings.TrimSpace(got) != got || !utf8.ValidString(got) || names.OneLine(got) != got {
			t.Fatalf("%+q becomes %+q, then %+q", given, got, names.OneLine(got))
		}
		seen := func(s string) string {
			return strings.Map(func(r rune) rune {
				if names.Hidden(r) || unicode.IsSpace(r) || r == '\u200c' || r == '\u200d' || unicode.Is(unicode.Variation_Selector, r) || r >= '\U000E0020' && r <= '\U000E007F' {
					return -1
				}
				return r
			}, s)
		}
		if seen(got) != seen(given) {
			t.Fatalf("%+q becomes %+q", given, got)
		}
	})
}
