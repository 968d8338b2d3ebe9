package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // teaches go-message the character sets other than UTF-8
	"github.com/emersion/go-message/textproto"
)

// maxMailDepth bounds how deep multiparts are followed into each other.
const maxMailDepth = 20

// readMail decodes a mail as far as it can be decoded. It never fails: a mail
// whose form is broken shows its readable header lines and its body as it came.
func readMail(raw []byte) Mail {
	mail := Mail{Headers: map[string]string{}, Raw: raw}
	reader := bufio.NewReader(bytes.NewReader(raw))
	header, err := textproto.ReadHeader(reader)
	if err != nil {
		readBrokenMail(&mail, raw)
		return mail
	}
	fields := message.Header{Header: header}
	seen := map[string]bool{}
	for lines := fields.Fields(); lines.Next(); {
		if seen[lines.Key()] {
			continue
		}
		seen[lines.Key()] = true
		mail.Headers[spelling(lines)] = decodedValue(lines)
	}
	mail.From, mail.Subject = mail.Header("From"), mail.Header("Subject")
	entity, err := message.New(fields, reader)
	if entity == nil || (err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err)) {
		readBrokenMail(&mail, raw)
		return mail
	}
	readPart(&mail, entity, 0)
	return mail
}

// spelling is the header line's name as the mail writes it; the library knows
// it only in Go's canonical spelling ("Message-Id").
func spelling(line message.HeaderFields) string {
	raw, err := line.Raw()
	if err != nil {
		return line.Key()
	}
	name, _, found := bytes.Cut(raw, []byte(":"))
	if !found {
		return line.Key()
	}
	return strings.TrimSpace(string(name))
}

func decodedValue(line message.HeaderFields) string {
	text, err := line.Text()
	if err != nil {
		return line.Value()
	}
	return text
}

// readPart puts the first plain text and the first HTML below this part into
// the mail, leaving attachments out.
func readPart(mail *Mail, part *message.Entity, depth int) {
	if depth > maxMailDepth {
		return
	}
	parts := part.MultipartReader()
	if parts != nil {
		for {
			child, err := parts.NextPart()
			if child == nil {
				return // the end, or a multipart cut short: what came before it is kept
			}
			if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				return
			}
			readPart(mail, child, depth+1)
		}
	}
	disposition, _, err := part.Header.ContentDisposition()
	if err == nil && strings.EqualFold(disposition, "attachment") {
		return
	}
	kind, _, err := part.Header.ContentType()
	if err != nil {
		kind = "text/plain" // RFC 2045 §5.2: what has no readable type is plain text
	}
	var place *string
	switch strings.ToLower(kind) {
	case "text/plain":
		place = &mail.Text
	case "text/html":
		place = &mail.HTML
	default:
		return
	}
	if *place != "" {
		return
	}
	body, err := io.ReadAll(part.Body)
	if err != nil && len(body) == 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
		return
	}
	*place = unixLines(string(body))
}

// readBrokenMail keeps what a reader could still make of a mail without a
// proper header: the lines that look like one, and all the rest as text.
func readBrokenMail(mail *Mail, raw []byte) {
	text := unixLines(string(raw))
	head, body, found := strings.Cut(text, "\n\n")
	if !found {
		head, body = text, ""
	}
	for line := range strings.Lines(head) {
		name, value, isField := strings.Cut(line, ":")
		if !isField || name == "" || strings.ContainsAny(name, " \t") {
			continue
		}
		_, seen := mail.Headers[name]
		if !seen {
			mail.Headers[name] = strings.TrimSpace(value)
		}
	}
	mail.From, mail.Subject = mail.Header("From"), mail.Header("Subject")
	mail.Text = body
	if mail.Text == "" && len(mail.Headers) == 0 {
		mail.Text = text
	}
}

func unixLines(text string) string {
	return strings.ReplaceAll(text, "\r\n", "\n")
}
