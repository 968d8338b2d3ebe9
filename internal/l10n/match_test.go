package l10n

import (
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	c := everyLanguage(t, nil)
	for _, test := range []struct {
		preferences []string
		want        string
	}{
		{nil, "en"},
		{[]string{""}, "en"},
		{[]string{"it"}, "it"},
		{[]string{"it-IT"}, "it"},
		{[]string{"it_CH"}, "it"},
		{[]string{"IT"}, "it"},
		{[]string{"en-US"}, "en-US"},
		{[]string{"en-GB"}, "en"},
		{[]string{"en-AU,en;q=0.9"}, "en"},
		{[]string{"pt-BR"}, "pt-BR"},
		{[]string{"pt-PT"}, "pt-BR"},
		{[]string{"pt"}, "pt-BR"},
		{[]string{"ar-AE"}, "ar"},
		{[]string{"", "it-IT,it;q=0.9,en;q=0.8"}, "it"},
		{[]string{"it-IT,it;q=0.9", "en"}, "it"},
		{[]string{"de;q=0.3,fr;q=0.8"}, "fr"},
		{[]string{"de;q=0, it"}, "it"},
		{[]string{"zh-Hant", "sw", "pl"}, "pl"},
		{[]string{"eu"}, "es"},
		{[]string{"eu,en;q=0.5"}, "en"}, // asked for in so many words, before a resemblance
		{[]string{"*"}, "en"},
		{[]string{"tlh"}, "en"},
		{[]string{"tlh-unknown-language, xx;q=0.9, fr;q=0.8"}, "fr"},
		{[]string{"de;q=nonsense, it;q=0.001"}, "it"},
		{[]string{"sv,*;q=0.5", "de"}, "de"},
		{[]string{strings.Repeat("xx-", 100000), "it"}, "it"},
		{[]string{"de," + strings.Repeat("xx,", 100000), "it"}, "de"},
		{[]string{"\x00\xff;q=;;,,,", "it"}, "it"},
	} {
		got := c.Match(test.preferences...).Tag()
		if got != test.want {
			t.Errorf("Match(%.60q) = %s, want %s", test.preferences, got, test.want)
		}
	}
	if got := c.Locale("fr-CA").Tag(); got != "fr" {
		t.Errorf("Locale(fr-CA) = %s", got)
	}
}

// TestVariantsFollowTheirLanguage: with the shipped files an American reads English messages with American dates,
// and a reader of a language without messages reads English.
func TestVariantsFollowTheirLanguage(t *testing.T) {
	t.Parallel()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	american := c.Match("en-US,en;q=0.9")
	if american.Tag() != "en-US" || american.Language() != "en" {
		t.Errorf("an American reads %s in %s", american.Language(), american.Tag())
	}
	if got := c.Match("it-CH").Tag(); got != "it" {
		t.Errorf("a Swiss Italian reads %s", got)
	}
}

func FuzzMatch(f *testing.F) {
	c, err := Load()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"it", "it-IT,it;q=0.9", "x-private", "en-u-ca-buddhist-t-it", "de-1996;q=1e9", "-,-", "i-klingon"} {
		f.Add(seed, "en")
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		if c.Match(first, second) == nil {
			t.Fatalf("no locale for %q, %q", first, second)
		}
	})
}
