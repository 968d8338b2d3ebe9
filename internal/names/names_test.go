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
	signs := []rune("aé مرا नी <\"\\ \t\n\x00\u200b\u200c\u200d\u200e\u202a\u202e\u2066\u2069\u2028\ufeff\u00ad\u0601👩💻")
	rapid.Check(t, func(t *rapid.T) {
		given := rapid.StringOfN(rapid.RuneFrom(signs), 0, 20, -1).Draw(t, "name")
		got := names.OneLine(given)
		if strings.ContainsFunc(got, names.Hidden) || strings.Contains(got, "  ") || strings.TrimSpace(got) != got || !utf8.ValidString(got) || names.OneLine(got) != got {
			t.Fatalf("%+q becomes %+q, then %+q", given, got, names.OneLine(got))
		}
		seen := func(s string) string {
			return strings.Map(func(r rune) rune {
				if names.Hidden(r) || unicode.IsSpace(r) || r == '\u200c' || r == '\u200d' {
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
