package mail

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sollecito/internal/names"
)

func TestRender(t *testing.T) {
	t.Parallel()
	l := sample()
	l.InReplyTo, l.References = "q@example.com", []string{"a@example.com", "broken", "q@example.com"}
	l.Headers = map[string]string{"x-case": "case_1", "Auto-Submitted": "auto-replied"}
	got, err := bytesOf(l)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`Date: Thu, 06 Nov 2025 10:00:00 +0000
From: "Lumen Studio" <billing@lumen.studio>
To: "Ann" <ann@example.com>
Reply-To: <help@lumen.studio>
Subject: =?utf-8?Q?Your_payment_of_29=2C00=C2=A0=E2=82=AC_didn=E2=80=99?=
 =?utf-8?Q?t_go_through?=
Message-ID: <notice-1@lumen.studio>
In-Reply-To: <q@example.com>
References: <a@example.com> <q@example.com>
Content-Language: en
Auto-Submitted: auto-replied
X-Auto-Response-Suppress: All
X-Case: case_1
MIME-Version: 1.0
Content-Type: multipart/alternative;
 boundary="=_2cb69a08ba8274894e2976a867a537b9"

--=_2cb69a08ba8274894e2976a867a537b9
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Hello
.
..a line with dots
bye
--=_2cb69a08ba8274894e2976a867a537b9
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>Hello</p>
--=_2cb69a08ba8274894e2976a867a537b9--
`, "\n", "\r\n")
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestUnsendableLetters(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Letter){
		"no recipient":              func(l *Letter) { l.To.Address = "" },
		"line break in recipient":   func(l *Letter) { l.To.Address = "a@example.com\r\nBcc: b@example.com" },
		"two recipients":            func(l *Letter) { l.To.Address = "a@example.com, b@example.com" },
		"recipient with a name":     func(l *Letter) { l.To.Address = "Ann <a@example.com>" },
		"recipient with a comment":  func(l *Letter) { l.To.Address = "a@example.com (Ann)" },
		"NUL in recipient":          func(l *Letter) { l.To.Address = "a\x00@example.com" },
		"no domain":                 func(l *Letter) { l.To.Address = "ann" },
		"endless recipient":         func(l *Letter) { l.To.Address = strings.Repeat("a", 300) + "@example.com" },
		"line break in sender":      func(l *Letter) { l.EnvelopeFrom = "a@example.com>\r\nRCPT TO:<b@example.com" },
		"line break in Message-ID":  func(l *Letter) { l.MessageID = "a@b\r\nBcc: c@d" },
		"no Message-ID":             func(l *Letter) { l.MessageID = "" },
		"no date":                   func(l *Letter) { l.Date = time.Time{} },
		"a header of ours":          func(l *Letter) { l.Headers = map[string]string{"bcc": "b@example.com"} },
		"a header that breaks out":  func(l *Letter) { l.Headers = map[string]string{"X-A: 1\r\nBcc": "b@example.com"} },
		"a header that is one word": func(l *Letter) { l.Headers = map[string]string{"X-A": strings.Repeat("a", 2000)} },
	} {
		l := sample()
		spoil(&l)
		_, err := bytesOf(l)
		if !errors.Is(err, ErrUnsendable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRenderHoldsWhateverPeopleWrite: whatever stands in names, subject, headers and bodies, the letter parses to
// exactly the headers meant and the bodies given.
func TestRenderHoldsWhateverPeopleWrite(t *testing.T) {
	t.Parallel()
	hostile := rapid.OneOf(
		rapid.String(),
		rapid.StringOfN(rapid.RuneFrom([]rune("ab \r\n\x00\t\u2028\u0085\u200b\u200d\u202e\u2067\u2069\"\\<>@,;:=?_.é€ع日😀")), 0, 200, -1),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 100), func(b []byte) string { return string(b) }),
		rapid.Map(rapid.IntRange(0, 10_000), func(n int) string { return strings.Repeat("x", n) }),
		rapid.SampledFrom([]string{"a\r\nBcc: evil@example.com", "=?utf-8?q?evil?=", "\r\n\r\nbody", "--=_", ".", "x\r\n.\r\nQUIT"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		l := sample()
		l.From.Name, l.To.Name, l.ReplyTo.Name = hostile.Draw(t, "from"), hostile.Draw(t, "to"), hostile.Draw(t, "reply")
		l.Subject = hostile.Draw(t, "subject")
		l.Text, l.HTML = hostile.Draw(t, "text"), "<p>"+hostile.Draw(t, "html")
		l.InReplyTo, l.References = hostile.Draw(t, "in reply to"), []string{hostile.Draw(t, "reference")}
		l.Language = hostile.Draw(t, "language")
		note := hostile.Draw(t, "note")
		if longest(oneLine(note)) <= longestWord {
			l.Headers = map[string]string{"X-Note": note}
		}
		rendered, err := bytesOf(l)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := bytesOf(l)
		if !bytes.Equal(rendered, again) {
			t.Fatal("the same letter renders in two ways")
		}
		for line := range strings.SplitSeq(string(rendered), "\r\n") {
			if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") || !isASCII(line) {
				t.Fatalf("a line of %d bytes: %.100q", len(line), line)
			}
		}
		m, err := netmail.ReadMessage(bytes.NewReader(rendered))
		if err != nil {
			t.Fatal(err)
		}
		checkHeaders(t, m, l)
		checkParts(t, m, l)
	})
}

func checkHeaders(t *rapid.T, m *netmail.Message, l Letter) {
	known := []string{"Date", "From", "To", "Reply-To", "Subject", "Message-Id", "Auto-Submitted", "X-Auto-Response-Suppress",
		"Mime-Version", "Content-Type", "X-Note", "In-Reply-To", "References", "Content-Language"}
	for name, values := range m.Header {
		if !slices.Contains(known, name) || len(values) != 1 {
			t.Fatalf("the header %s is there %d times: %q", name, len(values), values)
		}
	}
	for name, want := range map[string]Address{"From": l.From, "To": l.To, "Reply-To": l.ReplyTo} {
		list, err := m.Header.AddressList(name)
		if err != nil || len(list) != 1 || list[0].Address != want.Address || list[0].Name != names.OneLine(want.Name) || strings.ContainsFunc(list[0].Name, names.Hidden) {
			t.Fatalf("%s is %q (%v), want %q", name, m.Header.Get(name), err, names.OneLine(want.Name))
		}
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != oneLine(l.Subject) || strings.ContainsAny(subject, "\u202a\u202b\u202c\u202d\u202e") {
		t.Fatalf("the subject is %q (%v), want %q", subject, err, oneLine(l.Subject))
	}
	if m.Header.Get("Message-ID") != "<"+l.MessageID+">" || m.Header.Get("MIME-Version") != "1.0" {
		t.Fatalf("headers are %q", m.Header)
	}
	date, err := m.Header.Date()
	if err != nil || !date.Equal(l.Date) {
		t.Fatalf("the date is %v (%v)", date, err)
	}
}

func checkParts(t *rapid.T, m *netmail.Message, l Letter) {
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("the type is %s (%v)", kind, err)
	}
	r := multipart.NewReader(m.Body, parameters["boundary"])
	for _, want := range []struct{ kind, text string }{{"text/plain", l.Text}, {"text/html", l.HTML}} {
		part, err := r.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		if got := part.Header.Get("Content-Type"); got != want.kind+"; charset=utf-8" {
			t.Fatalf("a part is %s, want %s", got, want.kind)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		if got, meant := lines(string(text)), lines(strings.ToValidUTF8(want.text, "\uFFFD")); !slices.Equal(got, meant) {
			t.Fatalf("the %s part is %q, want %q", want.kind, got, meant)
		}
	}
	_, err = r.NextRawPart()
	if !errors.Is(err, io.EOF) {
		t.Fatalf("after the parts: %v", err)
	}
}

// lines parts a text at every kind of line break: which of them a text had is not kept, its lines are.
func lines(s string) []string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	return strings.Split(strings.TrimRight(s, "\n"), "\n")
}

// A letter of a form reads as one of the same HTML does, whatever stands in the places, and what is not the form's is
// told apart from it to the byte.
func TestAFormReadsAsItsHTML(t *testing.T) {
	t.Parallel()
	piece := rapid.StringOfN(rapid.RuneFrom([]rune("ab=.\t \né–<\r")), 0, 90, -1)
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOfN(piece, 0, 5).Draw(rt, "words")
		fixed := rapid.SliceOfN(piece, len(words)+1, len(words)+1).Draw(rt, "fixed")
		l := sample()
		l.HTML, l.Form, l.Words = "", NewForm(fixed), words
		breaks := strings.NewReplacer("\r\n", "\n", "\r", "\n") // one must not be cut in two
		for i, piece := range fixed {
			l.HTML += breaks.Replace(piece)
			if i < len(words) {
				l.HTML += breaks.Replace(words[i])
			}
		}
		post, err := Pack(nil, l)
		if err != nil {
			rt.Fatal(err)
		}
		own := post.Own()
		woven := ""
		for i, piece := range own {
			woven += string(piece)
			if i < len(own)-1 {
				woven += post.Form().Fixed()[i]
			}
		}
		if len(own) != len(fixed)+1 || woven != string(post.Bytes()) {
			rt.Fatalf("%d pieces give\n%q\nand the message is\n%q", len(own), woven, post.Bytes())
		}
		for line := range strings.SplitSeq(woven, "\r\n") {
			if len(line) > 78 {
				rt.Fatalf("a line of %d bytes: %q", len(line), line)
			}
		}
		m, err := netmail.ReadMessage(bytes.NewReader(post.Bytes()))
		if err != nil {
			rt.Fatal(err)
		}
		checkParts(rt, m, l)
	})
}

func TestAFormNeedsAWordForEachPlace(t *testing.T) {
	t.Parallel()
	l := sample()
	l.Form, l.Words = NewForm([]string{"<p>", "</p>"}), nil
	_, err := Pack(nil, l)
	if !errors.Is(err, ErrUnsendable) {
		t.Errorf("got %v", err)
	}
}
