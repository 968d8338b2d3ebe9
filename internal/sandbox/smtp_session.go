package sandbox

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// catcherSession is one client's conversation after its EHLO.
type catcherSession struct {
	catcher    *Catcher
	conn       *catcherConn
	from       string
	recipients []string
}

var _ smtp.AuthSession = (*catcherSession)(nil)

// newSession answers a client's EHLO or HELO.
func (c *Catcher) newSession(client *smtp.Conn) (smtp.Session, error) {
	conn, err := catcherConnOf(client.Conn())
	if err != nil {
		return nil, err
	}
	fault, struck := c.strike(FaultEHLO)
	if struck {
		conn.hangUpAfterNextWrite()
		return nil, fault.reply(421, "Service not available, closing transmission channel")
	}
	s := &catcherSession{catcher: c, conn: conn}
	conn.answerData = s.answerData
	return s, nil
}

// AuthMechanisms names the ways to sign in; all of them let everybody in.
func (s *catcherSession) AuthMechanisms() []string {
	return []string{sasl.Plain}
}

// Auth accepts any name and password, unless a fault says otherwise.
func (s *catcherSession) Auth(mechanism string) (sasl.Server, error) {
	if mechanism != sasl.Plain {
		return nil, smtp.ErrAuthUnknownMechanism
	}
	return sasl.NewPlainServer(func(_, _, _ string) error {
		fault, struck := s.catcher.strike(FaultAuth)
		if struck {
			return fault.reply(535, "Authentication credentials invalid")
		}
		return nil
	}), nil
}

func (s *catcherSession) Mail(from string, _ *smtp.MailOptions) error {
	fault, struck := s.catcher.strike(FaultMail)
	if struck {
		return fault.reply(451, "Requested action aborted: try again later")
	}
	s.from = from
	return nil
}

func (s *catcherSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	fault, struck := s.catcher.strike(FaultRcpt, to)
	if struck {
		return fault.reply(550, "Requested action not taken: mailbox unavailable")
	}
	s.recipients = append(s.recipients, to)
	return nil
}

// answerData says whether the DATA command itself is refused, and with which
// line. It is asked at the moment the library would answer 354.
func (s *catcherSession) answerData() (refusal string, refused bool) {
	fault, struck := s.catcher.strike(FaultData, s.recipients...)
	if !struck {
		return "", false
	}
	reply := fault.reply(451, "Requested action aborted: local error in processing")
	return fmt.Sprintf("%d %d.0.0 %s\r\n", reply.Code, reply.Code/100, reply.Message), true
}

func (s *catcherSession) Data(r io.Reader) error {
	if s.conn.dataRefused {
		// The client was told no already; what is read here is the empty body
		// that catcherConn made up.
		s.conn.dataRefused = false
		return nil
	}
	_, struck := s.catcher.strike(FaultBody, s.recipients...)
	if struck {
		_, err := io.CopyN(io.Discard, r, 16)
		s.conn.reset()
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the start of a mail: %w", err)
		}
		return smtp.ErrDataReset
	}
	var raw bytes.Buffer
	_, err := raw.ReadFrom(r)
	if err != nil {
		return fmt.Errorf("read a mail: %w", err)
	}
	fault, struck := s.catcher.strike(FaultAccept, s.recipients...)
	if struck {
		return fault.reply(554, "Transaction failed")
	}
	s.catcher.keep(s.from, s.recipients, raw.Bytes())
	_, struck = s.catcher.strike(FaultReply, s.recipients...)
	if struck {
		s.conn.reset()
		return nil
	}
	_, struck = s.catcher.strike(FaultSilence, s.recipients...)
	if struck {
		s.conn.waitForHangUp()
	}
	return nil
}

func (s *catcherSession) Reset() {
	s.from, s.recipients = "", nil
}

func (s *catcherSession) Logout() error { return nil }

// catcherListener hands out connections that can break on request, and breaks
// those that a fault wants broken before the first word.
type catcherListener struct {
	net.Listener
	catcher *Catcher
}

func (l *catcherListener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err // the SMTP server looks at the very error to tell closing from failing
		}
		conn := &catcherConn{Conn: raw}
		_, struck := l.catcher.strike(FaultConnect)
		if struck {
			conn.reset()
			continue
		}
		_, struck = l.catcher.strike(FaultBanner)
		if struck {
			closeQuietly(conn)
			continue
		}
		return conn, nil
	}
}

// catcherConn is a client's connection that can be broken in ways the SMTP
// library offers no hook for. Only the goroutine that serves the client uses
// its fields.
type catcherConn struct {
	net.Conn
	answerData     func() (refusal string, refused bool)
	dataRefused    bool
	swallow        bool   // the next write answers the made-up body and is not sent
	madeUp         []byte // read by the library before anything the client sends
	hangUpAfterOne bool
}

// catcherConnOf finds the catcher's connection below TLS, if there is any.
func catcherConnOf(conn net.Conn) (*catcherConn, error) {
	encrypted, ok := conn.(*tls.Conn)
	if ok {
		conn = encrypted.NetConn()
	}
	own, ok := conn.(*catcherConn)
	if !ok {
		return nil, fmt.Errorf("mail catcher got a connection of type %T", conn)
	}
	return own, nil
}

// Write sends what the library says, except where a fault puts other words
// into its mouth. The library always answers DATA with 354 and then reads a
// body; to refuse DATA itself, the refusal goes out instead of the 354, the
// library reads an empty body made up here, and its answer to that is dropped.
// Under TLS the words are not readable here, so there DATA is never refused.
func (c *catcherConn) Write(p []byte) (int, error) {
	if c.swallow {
		c.swallow = false
		return len(p), nil
	}
	if c.answerData != nil && bytes.HasPrefix(p, []byte("354 ")) {
		refusal, refused := c.answerData()
		if refused {
			c.dataRefused, c.swallow, c.madeUp = true, true, []byte(".\r\n")
			_, err := c.Conn.Write([]byte(refusal))
			return len(p), err
		}
	}
	n, err := c.Conn.Write(p)
	if c.hangUpAfterOne {
		closeQuietly(c.Conn)
	}
	return n, err
}

func (c *catcherConn) Read(p []byte) (int, error) {
	if len(c.madeUp) > 0 {
		n := copy(p, c.madeUp)
		c.madeUp = c.madeUp[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

func (c *catcherConn) hangUpAfterNextWrite() { c.hangUpAfterOne = true }

// reset ends the connection without a goodbye: the client sees it reset or
// ended, and hears no further answer.
func (c *catcherConn) reset() {
	tcp, ok := c.Conn.(*net.TCPConn)
	if ok {
		// A connection that is gone already needs no linger setting.
		_ = tcp.SetLinger(0)
	}
	closeQuietly(c.Conn)
}

// waitForHangUp says nothing until the client gives up or the catcher closes.
func (c *catcherConn) waitForHangUp() {
	// Whatever ends the wait, nothing is left to say.
	_, _ = io.Copy(io.Discard, c.Conn)
	closeQuietly(c.Conn)
}

// closeQuietly closes what is being broken on purpose: an error here only says
// that the other side was faster.
func closeQuietly(c io.Closer) {
	_ = c.Close()
}

// anyContains tells whether one of the texts contains part, in any case.
func anyContains(texts []string, part string) bool {
	part = strings.ToLower(part)
	for _, text := range texts {
		if strings.Contains(strings.ToLower(text), part) {
			return true
		}
	}
	return false
}
