package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Post is a letter ready to go: who hands it to whom, and its exact bytes.
type Post struct {
	envelope envelope
	message  []byte // with room behind it for the final dot
	form     *Form
	own      []int // where each piece that is not its form's begins and ends
}

// Pack makes a letter ready to go: its header and body with CRLF line ends, no line longer than 998 bytes, before
// dot-stuffing. The same letter always becomes the same bytes. It returns ErrUnsendable for one that cannot be sent.
//
// room is what Bytes gave of an earlier letter that is needed no more, so that whoever sends one letter after the other does
// not allocate some 16 KB for each; nil makes new room.
func Pack(room []byte, l Letter) (Post, error) {
	l, e, err := seal(l)
	if err != nil {
		return Post{}, err
	}
	p, err := render(room, l)
	p.envelope = e
	return p, err
}

// Bytes are those that are sent. They must not be changed before they are.
func (p Post) Bytes() []byte { return p.message }

// Own answers the pieces of an unsigned message that are not its form's, in their order: the form's stand between them.
// Without a form there is one, the whole message. The first holds the header.
func (p Post) Own() [][]byte {
	all := make([][]byte, 0, len(p.own)/2)
	for i := 0; i < len(p.own); i += 2 {
		all = append(all, p.message[p.own[i]:p.own[i+1]])
	}
	return all
}

// Form answers the form the letter was filled into, nil for none.
func (p Post) Form() *Form { return p.form }

// render writes a sealed letter.
func render(room []byte, l Letter) (Post, error) {
	if l.Form != nil && len(l.Words) != len(l.Form.fixed)-1 {
		return Post{}, fmt.Errorf("%w: its form has %d places and it has %d words", ErrUnsendable, len(l.Form.fixed)-1, len(l.Words))
	}
	b := bytes.NewBuffer(room[:0])
	b.Grow(sizeOf(l))
	err := writeHeaders(b, l)
	if err != nil {
		return Post{}, err
	}
	if l.HTML == "" && l.Form == nil {
		writePart(b, "text/plain", l.Text)
		return Post{message: b.Bytes(), own: []int{0, b.Len()}}, nil
	}
	boundary := boundaryOf(l)
	fmt.Fprintf(b, "Content-Type: multipart/alternative;\r\n boundary=\"%[1]s\"\r\n\r\n--%[1]s\r\n", boundary)
	writePart(b, "text/plain", l.Text)
	fmt.Fprintf(b, "--%s\r\n", boundary)
	own := []int{0}
	if l.Form == nil {
		writePart(b, "text/html", l.HTML)
	} else {
		own = writeForm(b, l.Form, l.Words)
	}
	fmt.Fprintf(b, "--%s--\r\n", boundary)
	return Post{message: b.Bytes(), form: l.Form, own: append(own, b.Len())}, nil
}

// sizeOf is about as many bytes as the letter will have, and a few more.
func sizeOf(l Letter) int {
	size := len(l.HTML)*5/4 + len(l.Text)*5/4 + 2048
	if l.Form == nil {
		return size
	}
	size += l.Form.size
	for _, word := range l.Words {
		size += len(word) * 5 / 4
	}
	return size
}

// boundaryOf makes the boundary from the letter, so that rendering is repeatable. It cannot occur in a part: in
// quoted-printable no "=" is followed by "_".
func boundaryOf(l Letter) string {
	sum := sha256.Sum256([]byte(l.MessageID))
	return "=_" + hex.EncodeToString(sum[:16])
}

func writeHeaders(b *bytes.Buffer, l Letter) error {
	if l.Date.IsZero() {
		return fmt.Errorf("%w: it has no date", ErrUnsendable)
	}
	if !isMessageID(l.MessageID) {
		return fmt.Errorf("%w: the Message-ID %q is malformed", ErrUnsendable, l.MessageID)
	}
	writeHeader(b, "Date", l.Date.Format(time.RFC1123Z))
	writeHeader(b, "From", encodeAddress(l.From))
	writeHeader(b, "To", encodeAddress(l.To))
	if l.ReplyTo.Address != "" {
		writeHeader(b, "Reply-To", encodeAddress(l.ReplyTo))
	}
	writeHeader(b, "Subject", encodeText(l.Subject))
	writeHeader(b, "Message-ID", "<"+l.MessageID+">")
	if isMessageID(l.InReplyTo) {
		writeHeader(b, "In-Reply-To", "<"+l.InReplyTo+">")
	}
	thread := references(l.References)
	if thread != "" {
		writeHeader(b, "References", thread)
	}
	if isLanguageTag(l.Language) {
		writeHeader(b, "Content-Language", l.Language)
	}
	err := writeFurtherHeaders(b, l.Headers)
	if err != nil {
		return err
	}
	writeHeader(b, "MIME-Version", "1.0")
	return nil
}

// references answers the well-formed ids in brackets: of a long thread its beginning and its newest part, as
// RFC 5322 readers need no more to find the thread again.
func references(ids []string) string {
	const most = 20
	var thread []string
	for _, id := range ids {
		if isMessageID(id) {
			thread = append(thread, "<"+id+">")
		}
	}
	if len(thread) > most {
		thread = append(thread[:1], thread[len(thread)-most+1:]...)
	}
	return strings.Join(thread, " ")
}

// writeFurtherHeaders writes the letter's own headers in the order of their names, over the two defaults that tell
// out-of-office programs not to answer (RFC 3834, and Microsoft's own).
func writeFurtherHeaders(b *bytes.Buffer, headers map[string]string) error {
	all := map[string]string{"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		if !isHeaderName(name) || isOurs(canonical) {
			return fmt.Errorf("%w: %q cannot be set as a header", ErrUnsendable, name)
		}
		value := oneLine(headers[name])
		if !isASCII(value) {
			value = encodedWords(value)
		}
		if longest(value) > longestWord {
			return fmt.Errorf("%w: the header %s is too long for a line", ErrUnsendable, name)
		}
		all[canonical] = value
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		writeHeader(b, name, all[name])
	}
	return nil
}

// isOurs reports whether the header says who, where to or how, which the letter's fields decide.
func isOurs(canonical string) bool {
	switch canonical {
	case "Date", "From", "Sender", "To", "Cc", "Bcc", "Reply-To", "Subject", "Message-Id", "In-Reply-To", "References",
		"Mime-Version", "Return-Path", "Received":
		return true
	}
	return strings.HasPrefix(canonical, "Content-") || strings.HasPrefix(canonical, "Resent-")
}

func isHeaderName(name string) bool {
	const longest = 60
	if name == "" || len(name) > longest {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	})
}

func isLanguageTag(tag string) bool { return isHeaderName(tag) }

// writePart writes the headers and the body of one part. Text that is not UTF-8 is mended, since the part says it is,
// and every kind of line break becomes the one of mail.
func writePart(b *bytes.Buffer, kind, text string) {
	writePartHeaders(b, kind)
	writeQuoted(b, text)
	b.WriteString("\r\n")
}

func writePartHeaders(b *bytes.Buffer, kind string) {
	b.WriteString("Content-Type: ")
	b.WriteString(kind)
	b.WriteString("; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
}

func writeQuoted(b *bytes.Buffer, text string) {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	b.Write(appendQuoted(b.AvailableBuffer(), text))
}

// writeForm writes a filled form as the HTML part. It answers where the message begins, and then where it went from the
// letter's own bytes into the form's, and back.
func writeForm(b *bytes.Buffer, f *Form, words []string) []int {
	own := make([]int, 1, 2*len(f.fixed)+2)
	writePartHeaders(b, "text/html")
	for i, fixed := range f.fixed {
		if i > 0 {
			writeQuoted(b, words[i-1])
		}
		own = append(own, b.Len(), b.Len()+len(fixed))
		b.WriteString(fixed)
	}
	b.WriteString("\r\n")
	return own
}
