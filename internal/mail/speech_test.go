package mail

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// What servers answer, in all the forms the standard and experience know, however it is cut on its way.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]answer{
		"250 2.0.0 fine\r\n":                {250, []string{"2.0.0 fine"}},
		"250\r\n":                           {250, []string{""}},
		"250 \r\n":                          {250, []string{""}},
		"354 go on\n":                       {354, []string{"go on"}},
		"220-first\r\n220-\r\n220 last\r\n": {220, []string{"first", "", "last"}},
		"250-a\r\n250\r\n":                  {250, []string{"a", ""}},
		"550-5.1.1 no such user\r\nsee https://mail.example\r\n550 end\r\n": {550, []string{"5.1.1 no such user", "see https://mail.example", "end"}},
		strings.Repeat("550-no\r\n", 200) + "550 no\r\n":                    {550, strings.Split(strings.Repeat("no\n", 200)+"no", "\n")},
	} {
		heard, err := (speech{r: bufio.NewReader(iotest.OneByteReader(strings.NewReader(said)))}).hear()
		if err != nil || !reflect.DeepEqual(heard, want) {
			t.Errorf("%.40q: %+v, %v", said, heard, err)
		}
	}
	for _, said := range []string{
		"", "25", "250", "250 fine", "250-fine\r\n", "25\r\n", "hello\r\n", "\r\n", "2500 fine\r\n", "199 hm\r\n", "600 hm\r\n", "+25 hm\r\n", "250_fine\r\n",
		"250-fine\r\n550 no\r\n", strings.Repeat("250-on and on\r\n", longestAnswer/10), strings.Repeat("2", longestAnswer+1),
	} {
		heard, err := (speech{r: bufio.NewReader(strings.NewReader(said))}).hear()
		if err == nil {
			t.Errorf("%.40q is taken as %+v", said, heard)
		}
	}
}

// TestAnswersOfACodeAlone: a server may leave out every text (RFC 5321, 4.2).
func TestAnswersOfACodeAlone(t *testing.T) {
	t.Parallel()
	codes := map[string]string{"greeting": "220", "EHLO": "250", "MAIL": "250", "RCPT": "250", "DATA": "354", "dot": "250"}
	server := startFaultServer(t, func(_ int, place string) string { return codes[place] })
	pool := NewPool(server.address("smtp", "", ""), 1)
	_, err := attempt(t.Context(), pool, sample())
	_ = pool.Close()
	_, accepted, _ := server.history()
	if err != nil || len(accepted) != 1 {
		t.Errorf("told %v, while the server accepted %d letters", err, len(accepted))
	}
}

// TestAServerThatKnowsNoEHLO is greeted as one was in 1982.
func TestAServerThatKnowsNoEHLO(t *testing.T) {
	t.Parallel()
	for what, want := range map[string]string{"502 5.5.1 what": "sent", "421 4.3.2 not now": "refused for now at EHLO"} {
		server := startFaultServer(t, func(_ int, place string) string {
			if place == "EHLO" {
				return what
			}
			return ""
		}, "PIPELINING")
		pool := NewPool(server.address("smtp", "", ""), 1)
		_, err := attempt(t.Context(), pool, sample())
		_ = pool.Close()
		if outcome(err) != want {
			t.Errorf("after %q told %q (%v)", what, outcome(err), err)
		}
	}
}

// Each way to sign in, as servers really ask.
func TestWaysToSignIn(t *testing.T) {
	t.Parallel()
	coded := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	// RFC 2195's own example.
	const challenge, response = "<1896.697170952@postoffice.reston.mci.net>", "tim b913a602c7eda7a495b4e6e7334d3890"
	for name, test := range map[string]struct {
		offer string
		turns []string // what the client must say, and what it is answered with, in turn
		fails bool
	}{
		"PLAIN":             {"AUTH PLAIN", []string{"AUTH PLAIN " + coded("\x00tim\x00tanstaaftanstaaf"), "235"}, false},
		"LOGIN":             {"AUTH LOGIN", []string{"AUTH LOGIN", "334 " + coded("Username:"), coded("tim"), "334 " + coded("Password:"), coded("tanstaaftanstaaf"), "235 2.7.0 welcome"}, false},
		"LOGIN, in words":   {"AUTH LOGIN", []string{"AUTH LOGIN", "334 Username:", coded("tim"), "334", coded("tanstaaftanstaaf"), "235 ok"}, false},
		"CRAM-MD5":          {"auth cram-md5", []string{"AUTH CRAM-MD5", "334 " + coded(challenge), coded(response), "235 ok"}, false},
		"CRAM-MD5, garbage": {"AUTH CRAM-MD5", []string{"AUTH CRAM-MD5", "334 what?"}, true},
		"LOGIN, no":         {"AUTH LOGIN", []string{"AUTH LOGIN", "334 " + coded("Username:"), coded("tim"), "454 4.7.0 later"}, true},
		"LOGIN, on and on":  {"AUTH LOGIN", []string{"AUTH LOGIN", "334", coded("tim"), "334", coded("tanstaaftanstaaf"), "334"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			near, far := net.Pipe()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				defer far.Close()
				lines := bufio.NewReader(far)
				answers := append([]string{"220 hello", "", "250-hello\r\n250 " + test.offer}, test.turns...)
				for i, said := range answers {
					if i%2 == 0 {
						_, _ = io.WriteString(far, said+"\r\n")
						continue
					}
					line, _ := lines.ReadString('\n')
					if i > 2 && strings.TrimRight(line, "\r\n") != said {
						t.Errorf("it says %q instead of %q", line, said)
					}
				}
			}()
			server, err := Parse("smtp://tim:tanstaaftanstaaf@mail.example?starttls=never")
			if err != nil {
				t.Fatal(err)
			}
			pool := NewPool(server, 1, WithDial(func(context.Context) (net.Conn, error) { return near, nil }))
			c, err := pool.Acquire(t.Context())
			if (err != nil) != test.fails {
				t.Errorf("signed in: %v", err)
			}
			var refusal *Refusal
			if name == "LOGIN, no" && (!errors.As(err, &refusal) || refusal.Code != 454 || !refusal.Temporary) {
				t.Errorf("a no is told as %v", err)
			}
			if err == nil {
				pool.Release(c)
			}
			near.Close()
			<-ended
			_ = pool.Close()
		})
	}
}
