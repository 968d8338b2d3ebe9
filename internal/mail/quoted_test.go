package mail

import (
	"mime/quotedprintable"
	"strings"
	"testing"
)

// FuzzQuoted: a text is written as the standard library writes it, once its line breaks are those of one kind.
func FuzzQuoted(f *testing.F) {
	for _, text := range []string{
		"", "a\r\nb\rc\n\nd", "ends in a space \nand a tab\t", "é=€\x00\xff", strings.Repeat("x", 75) + "\n" + strings.Repeat("x", 76) + " \n",
		strings.Repeat("y", 74) + " ", strings.Repeat("=", 80), strings.Repeat("z ", 200), "\r\r\n\n\r", strings.Repeat("w", 73) + "é", " ",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want strings.Builder
		w := quotedprintable.NewWriter(&want)
		_, err := w.Write([]byte(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)))
		if err != nil {
			t.Fatal(err)
		}
		err = w.Close()
		if err != nil {
			t.Fatal(err)
		}
		got := string(appendQuoted(nil, text))
		if got != want.String() {
			t.Errorf("%q is written\n%q, not\n%q", text, got, want.String())
		}
	})
}
