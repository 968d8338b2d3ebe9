package jobs

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"sollecito/internal/mail"
	"sollecito/views/email"
)

// cut stands in a kept copy where a token stood; quoted, as it is written in a letter's body.
const (
	cut       = "•••"
	quotedCut = "=E2=80=A2=E2=80=A2=E2=80=A2"
)

// Draft is a letter with all its facts, still to be drawn.
type Draft struct {
	words        email.Letter
	letter       mail.Letter // but for its parts
	signer       *mail.Signer
	tokens       []string // the copy keeps none of them
	hide, hidden string   // an address the copy keeps in another form
}

// Finish draws and signs the letter and answers the copy that is kept of it, without the signature: with the tokens cut
// out it would hold no more. It asks nobody, so that several can be drawn at once.
func (d Draft) Finish(ctx context.Context) (post mail.Post, kept string, err error) {
	d.letter.HTML, err = d.words.HTML(ctx)
	if err != nil {
		return mail.Post{}, "", err
	}
	d.letter.Text = d.words.Text()
	post, kept, err = pack(d.letter, d.tokens...)
	if err != nil {
		return mail.Post{}, "", err
	}
	if d.hide != "" {
		kept = strings.ReplaceAll(kept, d.hide, d.hidden)
	}
	post, err = d.signer.Sign(post)
	return post, kept, err
}

// pack makes a letter ready to go and answers the copy that is kept of it: its bytes as they go, the tokens cut out.
func pack(letter mail.Letter, tokens ...string) (mail.Post, string, error) {
	post, err := mail.Pack(letter)
	if err != nil {
		return mail.Post{}, "", fmt.Errorf("keep a copy: %w", err)
	}
	head, body, _ := strings.Cut(string(bytes.ToValidUTF8(post.Bytes(), []byte("?"))), "\r\n\r\n")
	for _, token := range tokens {
		if token != "" {
			head, body = strings.ReplaceAll(head, token, cut), cutOut(body, token)
		}
	}
	return post, head + "\r\n\r\n" + body, nil
}

// cutOut takes a token, of letters that quoted-printable leaves as they are, out of a body so written. A line may end
// anywhere in it.
func cutOut(body, token string) string {
	var out strings.Builder
	for from := 0; ; {
		i := strings.IndexByte(body[from:], token[0])
		if i < 0 {
			out.WriteString(body)
			return out.String()
		}
		at := from + i
		length := spelled(body[at:], token)
		if length == 0 {
			from = at + 1
			continue
		}
		out.WriteString(body[:at])
		if length > len(token) {
			out.WriteString(softBreak)
		}
		out.WriteString(quotedCut)
		body, from = body[at+length:], 0
	}
}

// softBreak ends a line that goes on in the next.
const softBreak = "=\r\n"

// spelled answers how many bytes of the text spell the token, 0 when it does not begin with it.
func spelled(text, token string) int {
	at := 0
	for i := range len(token) {
		if i > 0 && strings.HasPrefix(text[at:], softBreak) {
			at += len(softBreak)
		}
		if at == len(text) || text[at] != token[i] {
			return 0
		}
		at++
	}
	return at
}
