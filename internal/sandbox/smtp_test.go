package sandbox_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/smtp"
	"net/textproto"
	"os"
	"strings"
	"testing"
	"time"

	gomail "github.com/wneessen/go-mail"

	"sollecito/internal/sandbox"
)

var noon = time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)

func startCatcher(t *testing.T, prepare func(*sandbox.Catcher)) (*sandbox.Catcher, string) {
	t.Helper()
	catcher := sandbox.NewCatcher(func() time.Time { return noon }, nil)
	if prepare != nil {
		prepare(catcher)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- catcher.Serve(listener) }()
	t.Cleanup(func() {
		err := catcher.Close()
		if err != nil {
			t.Errorf("close: %v", err)
		}
		err = <-served
		if err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return catcher, listener.Addr().String()
}

const plainMail = "From: Lumen <billing@lumen.example>\r\nTo: ada@example.org\r\nSubject: Hello\r\n\r\nHi Ada\r\n"

func TestCatcherShowsMailsDecoded(t *testing.T) {
	t.Parallel()
	catcher, address := startCatcher(t, nil)
	host, _, _ := strings.Cut(address, ":")
	port := listenerPort(t, address)

	letter := gomail.NewMsg()
	must(t, letter.FromFormat("Lümen Büro", "billing@lumen.example"))
	must(t, letter.To("ada@example.org", "bob@example.org"))
	letter.Subject("Il pagamento non è riuscito – 29,00 €")
	letter.SetBodyString(gomail.TypeTextPlain, "Ciao è\nhttps://x.example/?a=b\n")
	letter.AddAlternativeString(gomail.TypeTextHTML, `<p lang="it">Ciao è</p>`)
	letter.SetGenHeader("List-Id", "reminders <r.lumen.example>")
	client, err := gomail.NewClient(host, gomail.WithPort(port), gomail.WithTLSPolicy(gomail.NoTLS),
		gomail.WithSMTPAuth(gomail.SMTPAuthPlainNoEnc), gomail.WithUsername("u"), gomail.WithPassword("p"))
	must(t, err)
	must(t, client.DialAndSendWithContext(context.Background(), letter))
	must(t, smtp.SendMail(address, nil, "billing@lumen.example", []string{"ada@example.org"}, []byte(plainMail)))

	page := httptest.NewRecorder()
	catcher.ServeHTTP(page, httptest.NewRequest("GET", "/inbox.json", nil))
	var mails []struct {
		ID, From, To, Subject, Text, HTML string
		At                                time.Time
		Headers                           map[string]string
	}
	must(t, json.Unmarshal(page.Body.Bytes(), &mails))
	if len(mails) != 2 {
		t.Fatalf("%d mails, want 2: %s", len(mails), page.Body)
	}
	first := mails[0]
	if first.Subject != "Il pagamento non è riuscito – 29,00 €" || first.To != "ada@example.org, bob@example.org" ||
		!strings.Contains(first.From, "Lümen Büro") || !strings.Contains(first.From, "<billing@lumen.example>") {
		t.Errorf("wrong envelope or header: %+v", first)
	}
	if !strings.Contains(first.Text, "Ciao è\nhttps://x.example/?a=b") || !strings.Contains(first.HTML, `<p lang="it">Ciao è</p>`) {
		t.Errorf("parts are not decoded: %q %q", first.Text, first.HTML)
	}
	if first.Headers["List-Id"] != "reminders <r.lumen.example>" || first.Headers["Message-ID"] == "" {
		t.Errorf("headers: %v", first.Headers)
	}
	if !first.At.Equal(noon) || first.ID == "" || first.ID == mails[1].ID || mails[1].Text != "Hi Ada\n" {
		t.Errorf("stamp, id or second mail: %+v", mails)
	}

	catcher.Clear()
	page = httptest.NewRecorder()
	catcher.ServeHTTP(page, httptest.NewRequest("GET", "/inbox.json", nil))
	if strings.TrimSpace(page.Body.String()) != "[]" {
		t.Errorf("a cleared inbox reads %q", page.Body)
	}
}

func TestServerShowsItsCatchersInbox(t *testing.T) {
	t.Parallel()
	catcher, address := startCatcher(t, nil)
	must(t, send(address, "ada@example.org"))
	server := sandbox.New(sandbox.Options{})
	t.Cleanup(server.Close)
	server.SetCatcher(catcher)
	page := httptest.NewRecorder()
	server.Handler().ServeHTTP(page, httptest.NewRequest("GET", "/inbox.json", nil))
	if page.Code != 200 || !strings.Contains(page.Body.String(), `"to": "ada@example.org"`) {
		t.Errorf("%d %s", page.Code, page.Body)
	}
}

func TestCatcherListsBrokenMailToo(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"no header":        "just words\r\n",
		"cut multipart":    "Subject: cut\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\njust words",
		"no boundary":      "Subject: none\r\nContent-Type: multipart/mixed\r\n\r\njust words\r\n",
		"unknown charset":  "Subject: odd\r\nContent-Type: text/plain; charset=klingon\r\n\r\njust words\r\n",
		"unknown encoding": "Subject: odd\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: rot13\r\n\r\njust words\r\n",
		"bad type":         "Subject: odd\r\nContent-Type: ;;;\r\n\r\njust words\r\n",
		"empty":            "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			catcher, address := startCatcher(t, nil)
			must(t, smtp.SendMail(address, nil, "a@example.org", []string{"b@example.org"}, []byte(raw)))
			mails := catcher.Mails()
			if len(mails) != 1 {
				t.Fatalf("%d mails", len(mails))
			}
			if raw != "" && name != "no boundary" && !strings.Contains(mails[0].Text, "just words") {
				t.Errorf("text is %q", mails[0].Text)
			}
		})
	}
}

func TestCatcherOffersTLS(t *testing.T) {
	t.Parallel()
	var settings tls.Config
	catcher, address := startCatcher(t, func(c *sandbox.Catcher) { settings.RootCAs = c.EnableTLS() })
	settings.ServerName = "127.0.0.1"
	client, err := smtp.Dial(address)
	must(t, err)
	must(t, client.StartTLS(&settings))
	must(t, sendOver(client, "ada@example.org"))
	if len(catcher.Mails()) != 1 {
		t.Errorf("%d mails", len(catcher.Mails()))
	}
}

func TestCatcherMisbehavesOnRequest(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		fault sandbox.Fault
		code  int // 0: the connection breaks
		kept  int
	}{
		{sandbox.Fault{Place: sandbox.FaultConnect}, 0, 0},
		{sandbox.Fault{Place: sandbox.FaultBanner}, 0, 0},
		{sandbox.Fault{Place: sandbox.FaultMail, Code: 452}, 452, 0},
		{sandbox.Fault{Place: sandbox.FaultRcpt}, 550, 0},
		{sandbox.Fault{Place: sandbox.FaultRcpt, Code: 451, Message: "Greylisted"}, 451, 0},
		{sandbox.Fault{Place: sandbox.FaultData, Code: 421}, 421, 0},
		{sandbox.Fault{Place: sandbox.FaultBody}, 0, 0},
		{sandbox.Fault{Place: sandbox.FaultAccept, Code: 452}, 452, 0},
		{sandbox.Fault{Place: sandbox.FaultReply}, 0, 1},
	} {
		t.Run(string(tc.fault.Place), func(t *testing.T) {
			t.Parallel()
			tc.fault.Count = 1
			catcher, address := startCatcher(t, func(c *sandbox.Catcher) { c.SetFault(tc.fault) })
			err := send(address, "ada@example.org")
			if err == nil {
				t.Fatal("the mail went through")
			}
			var reply *textproto.Error
			switch {
			case errors.As(err, &reply):
				if reply.Code != tc.code {
					t.Errorf("answered %v, want %d", reply, tc.code)
				}
			case tc.code != 0:
				t.Errorf("broke with %v, want answer %d", err, tc.code)
			}
			if len(catcher.Mails()) != tc.kept {
				t.Errorf("kept %d mails, want %d", len(catcher.Mails()), tc.kept)
			}
			must(t, send(address, "ada@example.org"))
			if len(catcher.Mails()) != tc.kept+1 {
				t.Errorf("after the fault %d mails, want %d", len(catcher.Mails()), tc.kept+1)
			}
		})
	}
}

func TestCatcherGoesOnAfterRefusingData(t *testing.T) {
	t.Parallel()
	catcher, address := startCatcher(t, func(c *sandbox.Catcher) {
		c.SetFault(sandbox.Fault{Place: sandbox.FaultData, Count: 1}, sandbox.Fault{Place: sandbox.FaultRcpt, Recipient: "BAD@"})
	})
	client, err := smtp.Dial(address)
	must(t, err)
	must(t, client.Mail("billing@lumen.example"))
	must(t, client.Rcpt("ada@example.org"))
	_, err = client.Data()
	var reply *textproto.Error
	if !errors.As(err, &reply) || reply.Code != 451 {
		t.Fatalf("DATA answered %v, want 451", err)
	}
	must(t, client.Reset())
	err = client.Mail("billing@lumen.example")
	must(t, err)
	err = client.Rcpt("bad@example.org")
	if !errors.As(err, &reply) || reply.Code != 550 {
		t.Fatalf("RCPT answered %v, want 550", err)
	}
	must(t, client.Reset())
	must(t, sendOver(client, "ada@example.org"))
	if len(catcher.Mails()) != 1 {
		t.Errorf("%d mails, want 1", len(catcher.Mails()))
	}
}

func TestCatcherKeepsSilent(t *testing.T) {
	t.Parallel()
	catcher, address := startCatcher(t, func(c *sandbox.Catcher) { c.SetFault(sandbox.Fault{Place: sandbox.FaultSilence, Count: 1}) })
	conn, err := net.Dial("tcp", address)
	must(t, err)
	must(t, conn.SetDeadline(time.Now().Add(200*time.Millisecond)))
	client, err := smtp.NewClient(conn, "127.0.0.1")
	must(t, err)
	err = sendOver(client, "ada@example.org")
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the client ended with %v", err)
	}
	if len(catcher.Mails()) != 1 {
		t.Errorf("%d mails, want 1", len(catcher.Mails()))
	}
}

func TestCatcherAnswersEHLOWith421(t *testing.T) {
	t.Parallel()
	_, address := startCatcher(t, func(c *sandbox.Catcher) { c.SetFault(sandbox.Fault{Place: sandbox.FaultEHLO}) })
	conn, err := net.Dial("tcp", address)
	must(t, err)
	_, err = io.WriteString(conn, "EHLO there\r\n")
	must(t, err)
	said, err := io.ReadAll(conn)
	must(t, err)
	if !strings.Contains(string(said), "\r\n421 ") {
		t.Errorf("the server said %q", said)
	}
}

// send hands over one mail as an ordinary client does.
func send(address, recipient string) error {
	client, err := smtp.Dial(address)
	if err != nil {
		return err
	}
	return sendOver(client, recipient)
}

func sendOver(client *smtp.Client, recipient string) error {
	defer func() { _ = client.Close() }()
	err := client.Mail("billing@lumen.example")
	if err != nil {
		return err
	}
	err = client.Rcpt(recipient)
	if err != nil {
		return err
	}
	body, err := client.Data()
	if err != nil {
		return err
	}
	_, err = io.WriteString(body, plainMail+strings.Repeat("more\r\n", 50))
	if err != nil {
		return err
	}
	return body.Close()
}

func listenerPort(t *testing.T, address string) int {
	t.Helper()
	tcp, err := net.ResolveTCPAddr("tcp", address)
	must(t, err)
	return tcp.Port
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
