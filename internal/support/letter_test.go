package support_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"sollecito/internal/support"
)

// What comes by mail cannot be asked to be written again: it is always taken, without what must not be kept.
func FuzzLetterBody(f *testing.F) {
	f.Add("hello", "a.pdf")
	f.Add("my card: 4242-4242-4242-4242!", "4242424242424242.pdf")
	f.Add(strings.Repeat("a", 6000), "b")
	f.Add("", "")
	f.Add("\x00", "\n")
	f.Fuzz(func(t *testing.T, text, attachment string) {
		body := support.Letter{Text: text, Attachments: []string{attachment}}.Body()
		again, err := support.Clean(body)
		if err != nil || again != body || utf8.RuneCountInString(body) > support.Longest {
			t.Errorf("%q became %q: %v", text, body, err)
		}
	})
}

func TestLetterBody(t *testing.T) {
	t.Parallel()
	for want, l := range map[string]support.Letter{
		"hello\n\n[an attachment, a.pdf, was not kept]": {Text: "hello", Attachments: []string{"a.pdf"}},
		"[a card number was removed], 12/34":            {Text: "4242 4242 4242 4242, 12/34"},
		"[the mail had no text]":                        {Text: " \n"},
	} {
		if got := l.Body(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	long := support.Letter{Text: strings.Repeat("é", 9000), Attachments: []string{"a.pdf"}}.Body()
	if !strings.Contains(long, "too long") || !strings.HasSuffix(long, "[an attachment, a.pdf, was not kept]") {
		t.Errorf("a long letter ends %q", long[len(long)-120:])
	}
}
