package support_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"sollecito/internal/fault"
	"sollecito/internal/support"
)

func TestClean(t *testing.T) {
	t.Parallel()
	refused := map[string]string{
		"":                             support.FaultEmpty,
		" \r\n\t ":                     support.FaultEmpty,
		"\x00\x07":                     support.FaultEmpty,
		strings.Repeat("a", 5001):      support.FaultLong,
		"my card is 4242424242424242":  support.FaultCard,
		"4242 4242 4242 4242, 12/34":   support.FaultCard,
		"3782-822463-10005 is my amex": support.FaultCard,
	}
	for text, why := range refused {
		_, err := support.Clean(text)
		if !fault.Is(err, fault.Invalid) || fault.MessageOf(err) != why {
			t.Errorf("%.40q: %v, want %s", text, err, why)
		}
	}
	taken := map[string]string{
		"one\r\ntwo":                       "one\ntwo",
		"  Invoice LS-2025-1140, please ":  "Invoice LS-2025-1140, please",
		"IBAN DE89 3704 0044 0532 0130 01": "IBAN DE89 3704 0044 0532 0130 01",
		"call me: +39 02 1234 5678":        "call me: +39 02 1234 5678",
		"a\x00b":                           "ab",
	}
	for text, want := range taken {
		got, err := support.Clean(text)
		if err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("hello")
	f.Add("4242 4242 4242 4242")
	f.Add("\xff\xfe\x00")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := support.Clean(text)
		if err != nil {
			return
		}
		if got == "" || !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\r") || utf8.RuneCountInString(got) > support.Longest {
			t.Errorf("%q was taken as %q", text, got)
		}
		again, err := support.Clean(got)
		if err != nil || again != got {
			t.Errorf("cleaning twice differs: %q, %v", again, err)
		}
	})
}
