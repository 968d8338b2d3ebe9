package jobs

import (
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
	"time"

	"sollecito/internal/link"
	"sollecito/internal/mail"
)

// Wherever the lines of a letter break, its copy says the same but for the token, no piece of which is kept.
func TestTheCopyOfALetterKeepsNoTokenWhereverItsLinesBreak(t *testing.T) {
	t.Parallel()
	for width := range 160 {
		token := link.NewToken()
		words := func(token string) string {
			return strings.Repeat("é", width%9) + strings.Repeat("x", width) + token + "?t=" + token + token[:20] + " and " + token
		}
		letter := mail.Letter{
			From: mail.Address{Address: "a@lumen.example"}, To: mail.Address{Address: "b@customer.example"}, Subject: "s", MessageID: "n@lumen.example",
			Date: time.Unix(0, 0), Text: words(token), Headers: map[string]string{"List-Unsubscribe": "<https://pay.example/" + token + ">"},
		}
		_, kept, err := pack(nil, letter, token, "")
		if err != nil {
			t.Fatal(err)
		}
		head, body, _ := strings.Cut(kept.Own, "\r\n\r\n")
		read, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.TrimSpace(string(read))
		want := strings.ReplaceAll(words(token), token, cut)
		if got != want || strings.Contains(head, token) || !strings.Contains(head, cut) {
			t.Fatalf("at width %d:\n%s\n%s\nwant\n%s", width, head, got, want)
		}
	}
}
