package mail

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

// open connects, encrypts and signs in. A *Refusal it returns is about the connection, never about a letter.
func (p *Pool) open(ctx context.Context) (*Conn, error) {
	wire, err := p.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", p.server.dialAddress(), err)
	}
	c, err := p.greet(ctx, wire)
	if err != nil {
		_ = wire.Close()
		return nil, fmt.Errorf("connect to %s: %w", p.server.dialAddress(), err)
	}
	return c, nil
}

func (p *Pool) dialTCP(ctx context.Context) (net.Conn, error) {
	dialer := net.Dialer{Timeout: p.timeouts.Dial}
	return dialer.DialContext(ctx, "tcp", p.server.dialAddress())
}

// greet brings a fresh connection to where letters can be sent.
func (p *Pool) greet(ctx context.Context, wire net.Conn) (*Conn, error) {
	defer obey(ctx, wire)()
	c := &Conn{pool: p, wire: wire, speech: newSpeech(wire)}
	if p.server.security == fromTheStart {
		err := c.beginTLS(ctx)
		if err != nil {
			return nil, err
		}
	}
	c.allow(ctx, p.timeouts.Command)
	refusal, err := c.hear(ctx, "greeting", 220)
	if err == nil && refusal != nil {
		err = refusal
	}
	if err != nil {
		return nil, err
	}
	err = c.hello(ctx)
	if err != nil {
		return nil, err
	}
	err = c.encrypt(ctx)
	if err != nil {
		return nil, err
	}
	err = c.signIn(ctx)
	if err != nil {
		return nil, err
	}
	_, c.pipelining = c.offers["PIPELINING"]
	_, c.utf8 = c.offers["SMTPUTF8"]
	return c, nil
}

// hello says who we are and hears what the server can do. One that knows no EHLO can do nothing beyond HELO.
func (c *Conn) hello(ctx context.Context) error {
	c.offers = nil
	a, err := c.ask(ctx, "EHLO", "EHLO "+c.pool.hello, 250)
	var refusal *Refusal
	if errors.As(err, &refusal) && !refusal.Temporary {
		_, heloErr := c.ask(ctx, "EHLO", "HELO "+c.pool.hello, 250)
		if heloErr != nil {
			return err
		}
		return nil
	}
	if err != nil {
		return err
	}
	c.offers = offersIn(a.lines)
	return nil
}

// offersIn reads what follows the first line of an answer to EHLO. Names come in any case (RFC 5321, 4.1.1.1), and from
// old servers the ways to sign in come behind an equals sign.
func offersIn(lines []string) map[string][]string {
	offers := map[string][]string{}
	for _, line := range lines[1:] {
		words := strings.Fields(strings.ToUpper(line))
		if len(words) == 0 {
			continue
		}
		name, first, old := strings.Cut(words[0], "=")
		if old {
			words[0] = first
		} else {
			words = words[1:]
		}
		offers[name] = append(offers[name], words...)
	}
	return offers
}

// encrypt starts TLS where the server's address asks for it. A server that offers TLS and then cannot prove its name
// is refused, never spoken to in plain text instead.
func (c *Conn) encrypt(ctx context.Context) error {
	server := c.pool.server
	if server.security == fromTheStart || server.security == neverTLS {
		return nil
	}
	_, offered := c.offers["STARTTLS"]
	if !offered {
		if server.needsTLS() {
			return errors.New("the server does not offer STARTTLS, without which nothing is sent to it " +
				"(?starttls=never allows plain text)")
		}
		return nil
	}
	_, err := c.ask(ctx, "STARTTLS", "STARTTLS", 220)
	if err != nil {
		return err
	}
	if c.speech.r.Buffered() > 0 {
		// Somebody on the way put words into the server's mouth that would be taken for said under TLS.
		return errors.New("the server goes on in plain text after it agreed to TLS")
	}
	err = c.beginTLS(ctx)
	if err != nil {
		return err
	}
	return c.hello(ctx)
}

func (c *Conn) beginTLS(ctx context.Context) error {
	c.allow(ctx, c.pool.timeouts.Command)
	encrypted := tls.Client(c.wire, c.pool.tlsConfig())
	err := encrypted.HandshakeContext(ctx)
	if err != nil {
		return lost(ctx, "begin TLS", err)
	}
	c.encrypted, c.speech = encrypted, newSpeech(encrypted)
	return nil
}

func (p *Pool) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: p.server.host, MinVersion: tls.VersionTLS12, RootCAs: p.roots}
}

// signIn sends the credentials by the best mechanism the server has. Behind TLS that is the one servers get right;
// in plain text, which the operator allowed, one that does not give the password away comes first.
func (c *Conn) signIn(ctx context.Context) error {
	server := c.pool.server
	if server.user == "" {
		return nil
	}
	preferred := []string{"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"}
	if server.security == neverTLS {
		preferred = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"}
	}
	offered := c.offers["AUTH"]
	for _, mechanism := range preferred {
		if slices.Contains(offered, mechanism) {
			return c.signInBy(ctx, mechanism)
		}
	}
	return fmt.Errorf("the server offers no way to sign in that is known here (it offers %q)", offered)
}

// signInBy speaks one mechanism (RFC 4954).
func (c *Conn) signInBy(ctx context.Context, mechanism string) error {
	way := c.pool.credentials(mechanism)
	_, first, err := way.Start(&smtp.ServerInfo{Name: c.pool.server.host, TLS: c.encrypted != nil, Auth: c.offers["AUTH"]})
	if err != nil {
		return fmt.Errorf("AUTH: %w", err)
	}
	line := "AUTH " + mechanism
	if len(first) > 0 {
		line += " " + base64.StdEncoding.EncodeToString(first)
	}
	for {
		a, err := c.ask(ctx, "AUTH", line, 235, 334)
		if err != nil || a.code == 235 {
			return err
		}
		challenge, err := base64.StdEncoding.DecodeString(a.lines[0])
		if err != nil && mechanism != "LOGIN" { // whose challenges say nothing, in whatever words
			return fmt.Errorf("AUTH: the server asks %q", a.lines[0])
		}
		reply, err := way.Next(challenge, true)
		if err != nil {
			return fmt.Errorf("AUTH: %w", err)
		}
		line = base64.StdEncoding.EncodeToString(reply)
	}
}

// credentials answers user and password in the form of one mechanism. Whether they may travel unencrypted is decided
// before, by encrypt.
func (p *Pool) credentials(mechanism string) smtp.Auth {
	user, password := p.server.user, p.server.password
	switch mechanism {
	case "LOGIN":
		return smtp.LoginAuth(user, password, p.server.host, true)
	case "SCRAM-SHA-256":
		return smtp.ScramSHA256Auth(user, password)
	case "SCRAM-SHA-1":
		return smtp.ScramSHA1Auth(user, password)
	case "CRAM-MD5":
		return smtp.CRAMMD5Auth(user, password)
	}
	return smtp.PlainAuth("", user, password, p.server.host, true)
}
