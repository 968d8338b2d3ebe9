package mail

import (
	"context"
	"crypto/tls"
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
	spoken := wire
	if p.server.security == fromTheStart {
		allow(ctx, wire, p.timeouts.Command)
		encrypted := tls.Client(wire, p.tlsConfig())
		err := encrypted.HandshakeContext(ctx)
		if err != nil {
			return nil, lost(ctx, "begin TLS", err)
		}
		spoken = encrypted
	}
	allow(ctx, wire, p.timeouts.Command)
	client, err := smtp.NewClient(spoken, p.server.host)
	if err != nil {
		return nil, stepError(ctx, "greeting", err)
	}
	err = client.Hello(p.hello)
	if err != nil {
		return nil, stepError(ctx, "EHLO", err)
	}
	err = p.encrypt(ctx, wire, client)
	if err != nil {
		return nil, err
	}
	err = p.signIn(ctx, wire, client)
	if err != nil {
		return nil, err
	}
	c := &Conn{pool: p, wire: wire, client: client}
	c.pipelining, _ = client.Extension("PIPELINING")
	c.utf8, _ = client.Extension("SMTPUTF8")
	return c, nil
}

// encrypt starts TLS where the server's address asks for it. A server that offers TLS and then cannot prove its name
// is refused, never spoken to in plain text instead.
func (p *Pool) encrypt(ctx context.Context, wire net.Conn, client *smtp.Client) error {
	if p.server.security == fromTheStart || p.server.security == neverTLS {
		return nil
	}
	offered, _ := client.Extension("STARTTLS")
	if !offered {
		if p.server.needsTLS() {
			return errors.New("the server does not offer STARTTLS, without which nothing is sent to it " +
				"(?starttls=never allows plain text)")
		}
		return nil
	}
	allow(ctx, wire, p.timeouts.Command)
	err := client.StartTLS(p.tlsConfig())
	if err != nil {
		return stepError(ctx, "STARTTLS", err)
	}
	return nil
}

func (p *Pool) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: p.server.host, MinVersion: tls.VersionTLS12, RootCAs: p.roots}
}

// signIn sends the credentials by the best mechanism the server has. Behind TLS that is the one servers get right;
// in plain text, which the operator allowed, one that does not give the password away comes first.
func (p *Pool) signIn(ctx context.Context, wire net.Conn, client *smtp.Client) error {
	if p.server.user == "" {
		return nil
	}
	_, list := client.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(list))
	preferred := []string{"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"}
	if p.server.security == neverTLS {
		preferred = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"}
	}
	for _, mechanism := range preferred {
		if !slices.Contains(offered, mechanism) {
			continue
		}
		allow(ctx, wire, p.timeouts.Command)
		err := client.Auth(p.credentials(mechanism))
		if err != nil {
			return stepError(ctx, "AUTH", err)
		}
		return nil
	}
	return fmt.Errorf("the server offers no way to sign in that is known here (it offers %q)", offered)
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

// stepError answers the refusal a failed step holds, or the failure itself.
func stepError(ctx context.Context, place string, err error) error {
	refusal := refusalIn(place, err)
	if refusal != nil {
		return refusal
	}
	return lost(ctx, place, err)
}
