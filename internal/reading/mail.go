package reading

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"regexp"
	"strings"
	"unicode"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // teaches go-message the charsets beyond UTF-8
)

// Kind says what a mail is.
type Kind string

const (
	Report    Kind = "report"    // what became of a mail of ours, by RFC 3464 or in a server's own words
	Complaint Kind = "complaint" // a reader called a mail unwanted (RFC 5965)
	Automatic Kind = "automatic" // written by a program: out of office, a list, a ticket system
	Written   Kind = "written"   // written by a person
)

// Mail is what a mail turned out to be.
type Mail struct {
	Kind        Kind
	MessageID   string // without brackets, "" when it has none
	From        string // the bare address, "" when it is unreadable
	Outcomes    []Outcome
	Originals   []string // addresses a report or complaint names as the sender of the mail it is about
	Text        string   // what the person wrote, quotes and signature cut
	Attachments []Attachment
}

// Attachment is what came along with a mail: its name, its kind as the sender calls it, and its size as far as it was
// read. Its content is never kept.
type Attachment struct {
	Name, Kind string
	Bytes      int64
}

// Outcome is what a report says of one recipient, or for a server's own words of those it may be about.
type Outcome struct {
	Action     string   // failed, delayed, delivered, relayed, expanded
	Code       string   // "5.1.1" or "550", "" when none was told
	Words      string   // on one line, at most 300 bytes
	Recipients []string // bare addresses
}

// The bounds of one mail.
const (
	Largest    = 4 << 20 // bytes of a whole mail
	mostDepth  = 10
	mostParts  = 60
	mostText   = 256 << 10 // bytes of one text that are read
	mostFields = 1 << 20   // bytes of the header
	mostNamed  = 20        // recipients, attachments, originals
	mostWords  = 300
	mostKind   = 80
)

// ErrUnreadable marks what is no mail at all.
var ErrUnreadable = errors.New("this is no mail that can be read")

// Read takes a mail apart. nobody says that its envelope's sender was empty, as it is for mails no answer must go to.
func Read(raw []byte, nobody bool) (Mail, error) {
	if len(raw) > Largest {
		return Mail{}, fmt.Errorf("%w: it has %d bytes", ErrUnreadable, len(raw))
	}
	e, err := message.ReadWithOptions(bytes.NewReader(withoutStrayLines(raw)), &message.ReadOptions{MaxHeaderBytes: mostFields})
	if e == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return Mail{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	p := parts{}
	p.walk(e, 0)
	m := Mail{MessageID: bareID(e.Header.Get("Message-Id")), From: addressIn(e.Header.Get("From"))}
	switch {
	case len(p.feedback) > 0:
		m.complaint(p)
	case len(p.status) > 0:
		m.Kind, m.Outcomes, m.Originals = Report, outcomesOf(p.status, p.plain()), p.originals
	case saysItCameBack(e.Header, nobody):
		m.Kind, m.Outcomes, m.Originals = Report, ownWords(e.Header, p.plain()), p.originals
	case nobody || isAutomatic(e.Header):
		m.Kind = Automatic
	default:
		m.Kind, m.Text, m.Attachments = Written, cutQuotes(p.plain()), p.attached
	}
	return m, nil
}

// withoutStrayLines is a mail without the lines in its header that belong to no field, such as the "From " that mail folders
// put before it. They would make it unreadable.
func withoutStrayLines(raw []byte) []byte {
	var kept []byte
	whole, at, field, some := true, 0, false, false
	for line := range bytes.Lines(raw) {
		begins := line[0] != ' ' && line[0] != '\t'
		if len(bytes.TrimSpace(line)) == 0 && begins {
			break
		}
		if begins {
			field = fieldName.Match(line)
			some = some || field
		}
		at += len(line)
		if field && !whole {
			kept = append(kept, line...)
		}
		if !field && whole {
			whole, kept = false, append(kept, raw[:at-len(line)]...)
		}
	}
	if whole || !some {
		return raw
	}
	return append(kept, raw[at:]...)
}

var fieldName = regexp.MustCompile(`^[!-9;-~]+[ \t]*:`)

// parts are the leaves of a mail, by what they are for.
type parts struct {
	text, html []string
	status     []group // of delivery-status, the group of the message first
	feedback   []group
	originals  []string
	attached   []Attachment
	seen       int
}

func (p *parts) walk(e *message.Entity, depth int) {
	p.seen++
	if depth > mostDepth || p.seen > mostParts {
		return
	}
	kind, params, err := e.Header.ContentType()
	if err != nil {
		kind = "text/plain"
	}
	kind = strings.ToLower(kind)
	many := e.MultipartReader()
	if many != nil {
		defer many.Close()
		for p.seen <= mostParts {
			part, err := many.NextPart()
			if part == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				return // what follows is broken; what came before it counts
			}
			p.walk(part, depth+1)
		}
		return
	}
	body, _ := io.ReadAll(io.LimitReader(e.Body, mostText)) // a body that breaks off counts up to there
	disposition, named, _ := e.Header.ContentDisposition()
	switch {
	case kind == "message/delivery-status", kind == "message/global-delivery-status":
		p.status = append(p.status, groupsOf(string(body))...)
	case kind == "message/feedback-report":
		p.feedback = append(p.feedback, groupsOf(string(body))...)
	case kind == "message/rfc822", kind == "text/rfc822-headers", kind == "text/rfc822-header", kind == "message/global", kind == "message/global-headers":
		for _, g := range groupsOf(string(body))[:min(1, len(groupsOf(string(body))))] {
			for _, field := range []string{"return-path", "reply-to"} {
				p.original(addressIn(g[field]))
			}
		}
	case disposition == "attachment", !strings.HasPrefix(kind, "text/"), kind == "text/calendar":
		name := named["filename"]
		if name == "" {
			name = params["name"]
		}
		if len(p.attached) < mostNamed {
			rest, _ := io.Copy(io.Discard, e.Body) // one that breaks off is as large as it came
			p.attached = append(p.attached, Attachment{Name: nameOf(name, kind), Kind: oneLine(kind, mostKind), Bytes: int64(len(body)) + rest})
		}
	case kind == "text/html":
		p.html = append(p.html, clean(string(body)))
	default:
		p.text = append(p.text, clean(string(body)))
	}
}

func (p *parts) original(address string) {
	if address != "" && len(p.originals) < mostNamed {
		p.originals = append(p.originals, address)
	}
}

// plain is the mail's text; of a mail in HTML alone, the text in it.
func (p *parts) plain() string {
	text := strings.TrimSpace(strings.Join(p.text, "\n"))
	if text != "" || len(p.html) == 0 {
		return text
	}
	return strings.TrimSpace(textOf(strings.Join(p.html, "\n")))
}

// group is one paragraph of fields, by lower-case name; of a name that repeats, the first.
type group map[string]string

// groupsOf reads the paragraphs of "Name: value" lines, folded ones joined.
func groupsOf(body string) []group {
	var all []group
	g, last := group{}, ""
	end := func() {
		if len(g) > 0 && len(all) < mostParts {
			all = append(all, g)
		}
		g, last = group{}, ""
	}
	for line := range strings.Lines(clean(body)) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.TrimSpace(line) == "":
			end()
		case (line[0] == ' ' || line[0] == '\t') && last != "":
			g[last] += " " + strings.TrimSpace(line)
		default:
			name, value, ok := strings.Cut(line, ":")
			last = ""
			name = strings.ToLower(strings.TrimSpace(name))
			_, twice := g[name]
			if ok && !twice && len(g) < mostParts {
				g[name], last = strings.TrimSpace(value), name
			}
		}
	}
	end()
	return all
}

// clean makes text valid UTF-8 with \n line ends and no control characters.
func clean(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}

// oneLine is a text on one line, cut at most bytes.
func oneLine(text string, most int) string {
	text = strings.Join(strings.Fields(clean(text)), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}

func nameOf(name, kind string) string {
	const longest = 120
	name = oneLine(strings.NewReplacer("/", "_", "\\", "_").Replace(name), longest)
	if name == "" {
		return oneLine(kind, longest)
	}
	return name
}

// addressIn answers the one bare address in a header's value, "" when there is none.
func addressIn(value string) string {
	value = strings.TrimSpace(value)
	parsed, err := mail.ParseAddress(value)
	if err == nil {
		return parsed.Address
	}
	return strings.Trim(addressPattern.FindString(value), "<>")
}

func bareID(value string) string {
	const longest = 500
	id := strings.Trim(strings.TrimSpace(value), "<>")
	if len(id) > longest || strings.ContainsAny(id, " \t<>") {
		return ""
	}
	return clean(id)
}
