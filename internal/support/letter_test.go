package support

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// What comes by mail cannot be asked to be written again: it is always taken, without what must not be kept.
func FuzzLetterBody(f *testing.F) {
	f.Add("hello", "a.pdf")
	f.Add("my card: 4242-4242-4242-4242!", "4242424242424242.pdf")
	f.Add(strings.Repeat("a", 6000), "b")
	f.Add("", "")
	f.Add("\x00", "\n")
	f.Fuzz(func(t *testing.T, text, attachment string) {
		l := Letter{Text: text, Attachments: []Attachment{{Name: attachment, Kind: "application/pdf", Bytes: 1}}}
		body := l.Body()
		again, err := Clean(body)
		if err != nil || again != body || utf8.RuneCountInString(body) > Longest {
			t.Errorf("%q became %q: %v", text, body, err)
		}
		stored, err := packed(l.named())
		if err != nil || holdsCardNumber(stored) {
			t.Errorf("%q is stored as %q: %v", attachment, stored, err)
		}
		back, err := unpacked(stored)
		if err != nil || len(back) != 1 {
			t.Errorf("%q comes back as %+v: %v", stored, back, err)
		}
	})
}

func TestLetterBody(t *testing.T) {
	t.Parallel()
	for want, l := range map[string]Letter{
		"hello":                              {Text: "hello", Attachments: []Attachment{{Name: "a.pdf"}}},
		"[a card number was removed], 12/34": {Text: "4242 4242 4242 4242, 12/34"},
		"[the mail had no text]":             {Text: " \n", Attachments: []Attachment{{Name: "a.pdf"}}},
	} {
		if got := l.Body(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	long := Letter{Text: strings.Repeat("é", 9000)}.Body()
	if utf8.RuneCountInString(long) != Longest || !strings.HasSuffix(long, TextCut) {
		t.Errorf("a long letter ends %q", long[len(long)-120:])
	}
	if got := (Attachment{"receipt.pdf", "application/pdf", 33000}).String(); got != "receipt.pdf (application/pdf, 33 KB)" {
		t.Errorf("told as %q", got)
	}
}
