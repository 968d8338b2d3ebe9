package jobs

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sollecito/internal/link"
	"sollecito/internal/mail"
	"sollecito/internal/outbox"
	"sollecito/views/email"
)

// cut stands in a kept copy where a token stood; quoted, as it is written in a letter's body.
const (
	cut       = "•••"
	quotedCut = "=E2=80=A2=E2=80=A2=E2=80=A2"
)

// Draft is a letter with all its facts, still to be drawn.
type Draft struct {
	notice       string // whose it is
	words        email.Letter
	letter       mail.Letter // but for its parts
	forms        *forms
	signer       *mail.Signer
	link         link.New     // no token: it carries none
	code         string       // the mailed code, "" for none
	stop         link.NewStop // no token: it carries none that stops reminders
	hide, hidden string       // an address the copy keeps in another form
}

// Finish draws and signs the letter and answers the copy that is kept of it, without the signature: with the tokens cut
// out it would hold no more. It asks nobody, so that several can be drawn at once. room is that of an earlier letter.
func (d Draft) Finish(ctx context.Context, room []byte) (mail.Post, outbox.Copy, error) {
	var err error
	d.letter.Form, d.letter.Words, err = d.forms.fill(ctx, d.words)
	if err != nil {
		return mail.Post{}, outbox.Copy{}, err
	}
	d.letter.Text = d.words.Text()
	post, kept, err := pack(room, d.letter, d.link.Token, d.code, d.stop.Token)
	if err != nil {
		return mail.Post{}, outbox.Copy{}, err
	}
	if d.hide != "" {
		kept.Own = strings.ReplaceAll(kept.Own, d.hide, d.hidden)
	}
	kept.NoticeID = d.notice
	post, err = d.signer.Sign(post)
	return post, kept, err
}

// issueAll keeps the links and stop tokens of some drafts.
func issueAll(ctx context.Context, tx *sql.Tx, drafts []*Draft, now time.Time) error {
	var links []link.New
	var stops []link.NewStop
	for _, d := range drafts {
		if d.link.Token != "" {
			links = append(links, d.link)
		}
		if d.stop.Token != "" {
			stops = append(stops, d.stop)
		}
	}
	err := link.IssueAll(ctx, tx, links)
	if err != nil {
		return err
	}
	return link.IssueStops(ctx, tx, stops, now.Unix())
}

// pack makes a letter ready to go and answers the copy that is kept of it: its bytes as they go, the tokens cut out.
func pack(room []byte, letter mail.Letter, tokens ...string) (mail.Post, outbox.Copy, error) {
	post, err := mail.Pack(room, letter)
	if err != nil {
		return mail.Post{}, outbox.Copy{}, fmt.Errorf("keep a copy: %w", err)
	}
	var kept outbox.Copy
	if post.Form() != nil {
		kept.FormID, kept.Fixed = post.Form().ID(), post.Form().Fixed()
	}
	pieces := post.Own()
	size := len(pieces)
	for _, piece := range pieces {
		size += len(piece)
	}
	var own strings.Builder
	own.Grow(size)
	const blank = "\r\n\r\n"
	head, body, _ := bytes.Cut(pieces[0], []byte(blank))
	own.Write(cutHead(head, tokens))
	own.WriteString(blank)
	cutOut(&own, body, tokens)
	for _, piece := range pieces[1:] {
		own.WriteString(outbox.Joint)
		cutOut(&own, piece, tokens)
	}
	kept.Own = own.String()
	return post, kept, nil
}

// cutHead answers a header without its tokens.
func cutHead(head []byte, tokens []string) []byte {
	kept := head
	if !utf8.Valid(head) { // a server that takes UTF-8 takes it in addresses
		kept = bytes.ToValidUTF8(head, []byte("?"))
	}
	for _, token := range tokens {
		if token != "" && bytes.Contains(kept, []byte(token)) {
			kept = bytes.ReplaceAll(kept, []byte(token), []byte(cut))
		}
	}
	return kept
}

// cutOut writes a body in quoted-printable without its tokens, which are of letters that it leaves as they are. A line may
// end anywhere in one.
func cutOut(out *strings.Builder, body []byte, tokens []string) {
	var found []place
	for _, token := range tokens {
		if token != "" {
			found = append(found, places(body, token)...)
		}
	}
	slices.SortFunc(found, func(a, b place) int { return cmp.Compare(a.from, b.from) })
	from := 0
	for _, p := range found {
		out.Write(body[from:p.from])
		if p.broken {
			out.WriteString(softBreak)
		}
		out.WriteString(quotedCut)
		from = p.to
	}
	out.Write(body[from:])
}

// place is where a token stands in a body; a line ends in it when it is broken.
type place struct {
	from, to int
	broken   bool
}

func places(body []byte, token string) []place {
	var found []place
	for from := 0; ; {
		i := bytes.IndexByte(body[from:], token[0])
		if i < 0 {
			return found
		}
		at := from + i
		length := spelled(body[at:], token)
		from = at + max(length, 1)
		if length > 0 {
			found = append(found, place{at, from, length > len(token)})
		}
	}
}

// softBreak ends a line that goes on in the next.
const softBreak = "=\r\n"

// spelled answers how many bytes of the text spell the token, 0 when it does not begin with it.
func spelled(text []byte, token string) int {
	at := 0
	for i := range len(token) {
		if i > 0 && bytes.HasPrefix(text[at:], []byte(softBreak)) {
			at += len(softBreak)
		}
		if at == len(text) || text[at] != token[i] {
			return 0
		}
		at++
	}
	return at
}
