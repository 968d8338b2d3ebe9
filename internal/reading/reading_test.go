package reading

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

func mailFile(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "mails", name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What servers of many makes report, each in its own shape.
func TestReports(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, action, code, words string }{
		{"postfix-unknown", "failed", "5.1.1", "User unknown"},
		{"postfix-delayed", "delayed", "4.4.1", "timed out"},
		{"postfix-expired", "failed", "4.4.1", "timed out"},
		{"delivered", "delivered", "2.0.0", ""},
		{"exchange-online", "failed", "5.1.10", "RecipientNotFound"},
		{"gmail-blocked", "failed", "5.7.26", "unauthenticated"},
		{"full", "failed", "5.2.2", "mailbox full"},
		{"vague-status", "failed", "5.1.1", "does not exist"},
		{"qmail", "failed", "5.1.1", "no mailbox here"},
		{"exim", "failed", "", "Unrouteable"},
		{"exim-delayed", "delayed", "", "connection timed out"},
		{"exchange-old", "failed", "5.1.1", "does not exist"},
		{"opensmtpd-full", "failed", "5.2.2", "Mailbox full"},
		{"exim-expired", "failed", "5.0.0", "retry timeout exceeded"},
		{"mimecast", "failed", "5.4.1", "possibly incorrect"},
		{"workmail", "failed", "5.1.1", ""},
		{"dma", "failed", "5.1.1", "User unknown"},
		{"sendmail-contradicts", "failed", "5.7.1", "blacklisted"},
		{"no-action", "failed", "5.1.1", "failed"},
	}
	for _, tt := range tests {
		m, err := Read(mailFile(t, tt.name), true)
		if err != nil || m.Kind != Report || len(m.Outcomes) != 1 {
			t.Errorf("%s: %+v, %v", tt.name, m, err)
			continue
		}
		o := m.Outcomes[0]
		if o.Action != tt.action || o.Code != tt.code || !strings.Contains(o.Words, tt.words) || o.Recipients[0] != "anneke@waal.example" {
			t.Errorf("%s: %+v", tt.name, o)
		}
	}
	m, err := Read(mailFile(t, "utf8-recipient"), true)
	if err != nil || len(m.Outcomes) != 1 || m.Outcomes[0].Recipients[0] != "anneke@bücher.example" {
		t.Errorf("a recipient beyond ASCII: %+v, %v", m, err)
	}
}

func TestComplaints(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Kind{"arf-abuse": Complaint, "arf-redacted": Complaint, "arf-not-spam": Automatic} {
		m, err := Read(mailFile(t, name), false)
		if err != nil || m.Kind != want {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
		if want == Complaint && (len(m.Originals) != 2 || m.Originals[0] != "mail+btoken@in.lumen.example") {
			t.Errorf("%s is about mails from %q", name, m.Originals)
		}
	}
	m, _ := Read(mailFile(t, "arf-abuse"), false)
	if len(m.Outcomes) != 1 || m.Outcomes[0].Recipients[0] != "anneke@waal.example" {
		t.Errorf("who complained: %+v", m.Outcomes)
	}
}

func TestWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"reply-gmail":      "Hi, I get a new card on Friday – is that fine?\n\nAnneke",
		"reply-html-only":  "Paid by transfer today.\nThanks & bye",
		"reply-attachment": "Here is the receipt of my bank.\n\n--\nAnneke",
		"reply-latin1":     "Perché no? Grüße",
		"reply-inline":     "> Your payment didn't go through.\n\nWhich one?\n\n> Pay here\n\nNo.",
	}
	for name, want := range tests {
		m, err := Read(mailFile(t, name), false)
		if err != nil || m.Kind != Written || m.Text != want || m.From != "anneke@waal.example" {
			t.Errorf("%s: %q as %+v, %v", name, m.Text, m, err)
		}
	}
	m, _ := Read(mailFile(t, "reply-attachment"), false)
	if len(m.Attachments) != 1 || m.Attachments[0].Name != ".._receipt.pdf" || m.Attachments[0].Kind != "application/pdf" || m.Attachments[0].Bytes == 0 {
		t.Errorf("attachments: %+v", m.Attachments)
	}
}

func TestProgramsAreNoPeople(t *testing.T) {
	t.Parallel()
	m, err := Read(mailFile(t, "out-of-office"), false)
	if err != nil || m.Kind != Automatic {
		t.Errorf("out of office: %+v, %v", m, err)
	}
	for _, header := range []string{"Precedence: bulk", "X-Autoreply: yes", "List-Id: <a.example>", "Auto-Submitted: auto-generated; x=y", "Return-Path: <>"} {
		m, err := Read([]byte(header+"\r\nFrom: a@b.example\r\n\r\nhello\r\n"), false)
		if err != nil || m.Kind != Automatic {
			t.Errorf("%s: %+v, %v", header, m, err)
		}
	}
	m, err = Read([]byte("Auto-Submitted: no\r\nFrom: a@b.example\r\n\r\nhello\r\n"), false)
	if err != nil || m.Kind != Written || m.Text != "hello" {
		t.Errorf("a person's: %+v, %v", m, err)
	}
	m, err = Read([]byte("From: a@b.example\r\n\r\nhello\r\n"), true)
	if err != nil || m.Kind != Automatic {
		t.Errorf("from nobody: %+v, %v", m, err)
	}
}

func TestReadingIsBounded(t *testing.T) {
	t.Parallel()
	deep := ""
	for range 200 {
		deep += "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
	}
	many := "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\nContent-Type: application/pdf\r\n\r\na\r\n", 5000) + "--x--\r\n"
	for name, raw := range map[string]string{"deep": deep, "many parts": many, "long": "From: a@b.example\r\n\r\n" + strings.Repeat("a", Largest-100)} {
		m, err := Read([]byte(raw), false)
		if err == nil && (len(m.Attachments) > mostNamed || len(m.Text) > mostText) {
			t.Errorf("%s: %d attachments, %d bytes of text", name, len(m.Attachments), len(m.Text))
		}
	}
	m, err := Read([]byte("no header at all\r\nand no field\r\n\r\nhello\r\n"), false)
	if err == nil {
		t.Errorf("what is no mail was read as %+v", m)
	}
	_, err = Read(make([]byte, Largest+1), false)
	if err == nil {
		t.Error("a mail past the limit was read")
	}
}

func FuzzRead(f *testing.F) {
	names, err := filepath.Glob("testdata/mails/*.eml")
	if err != nil || len(names) < 15 {
		f.Fatalf("%d mails to begin with, %v", len(names), err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, true)
		f.Add(raw, false)
	}
	f.Fuzz(func(t *testing.T, raw []byte, nobody bool) {
		m, err := Read(raw, nobody)
		if err != nil {
			return
		}
		if m.Kind == "" || !utf8.ValidString(m.Text) || strings.ContainsAny(m.Text, "\x00\r") || len(m.Outcomes) > mostNamed || len(m.Attachments) > mostNamed {
			t.Errorf("read as %+v", m)
		}
		if nobody && m.Kind == Written {
			t.Error("nobody wrote a message")
		}
		for _, o := range m.Outcomes {
			if len(o.Recipients) == 0 || len(o.Words) > mostWords || strings.ContainsAny(o.Words, "\r\n") || !utf8.ValidString(o.Words) {
				t.Errorf("outcome %+v", o)
			}
		}
	})
}

func FuzzTextOf(f *testing.F) {
	f.Add("<p>a</p><script>x</script><blockquote>q</blockquote>")
	f.Add("<style><style></style>b")
	f.Fuzz(func(t *testing.T, page string) {
		if text := textOf(page); strings.ContainsAny(text, "\x00\r") {
			t.Errorf("%q became %q", page, text)
		}
	})
}
