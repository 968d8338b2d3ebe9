package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// maxMailBytes is the size of the largest mail the catcher takes, as most
// providers set it for a single message without large attachments.
const maxMailBytes = 10 << 20

// Catcher is an SMTP server that delivers nothing: it takes every mail from
// anybody to anybody and keeps it in memory for a person or a test to read.
// On request it misbehaves at any point of the conversation (see Fault).
// It stands on its own and may be used without a Server. Its methods are
// safe for concurrent use.
type Catcher struct {
	now  func() time.Time
	smtp *smtp.Server

	mu        sync.Mutex
	mails     []Mail
	count     int // mails ever kept; ids go on counting after Clear
	faults    []Fault
	listeners []net.Listener
	closed    bool
}

// NewCatcher returns a catcher that stamps mails with the given clock. It
// listens nowhere yet; give a listener to Serve. log may be nil.
func NewCatcher(now func() time.Time, log *slog.Logger) *Catcher {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Catcher{now: now}
	server := smtp.NewServer(smtp.BackendFunc(c.newSession))
	server.Domain = "sandbox.invalid"
	server.MaxMessageBytes = maxMailBytes
	server.MaxLineLength = 64 << 10 // a test may send lines no real server takes; the mail then shows them
	server.AllowInsecureAuth = true
	server.EnableSMTPUTF8 = true
	server.ReadTimeout = 5 * time.Minute
	server.WriteTimeout = time.Minute
	server.ErrorLog = quietLog{log}
	c.smtp = server
	return c
}

// EnableTLS offers STARTTLS with a certificate made on the spot for
// localhost, 127.0.0.1 and ::1, and returns the pool that trusts it. Call it
// before Serve.
func (c *Catcher) EnableTLS() *x509.CertPool {
	certificate, err := selfSigned()
	if err != nil {
		// The template is a constant and Go's random source does not fail:
		// only a mistake in this file leads here.
		panic(fmt.Sprintf("sandbox: make the catcher's certificate: %v", err))
	}
	c.smtp.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	pool := x509.NewCertPool()
	pool.AddCert(certificate.Leaf)
	return pool
}

// Serve takes mails on l until Close is called, and then returns nil. It may
// run on several listeners at once. Any other return is a listener's failure.
func (c *Catcher) Serve(l net.Listener) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		closeQuietly(l)
		return nil
	}
	// Kept here too, because the SMTP server forgets to close a listener that
	// it gets while it is being closed.
	c.listeners = append(c.listeners, l)
	c.mu.Unlock()
	err := c.smtp.Serve(&catcherListener{Listener: l, catcher: c})
	if err != nil {
		return fmt.Errorf("catch mail on %s: %w", l.Addr(), err)
	}
	return nil
}

// Close closes the listeners and ends every conversation. The mails caught so
// far stay readable. A second Close does nothing.
func (c *Catcher) Close() error {
	c.mu.Lock()
	c.closed = true
	listeners := c.listeners
	c.listeners = nil
	c.mu.Unlock()
	// The server first: it takes a listener that ends before it was told to
	// stop for a failure.
	err := c.smtp.Close()
	for _, l := range listeners {
		closeQuietly(l)
	}
	if err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the mail catcher: %w", err)
	}
	return nil
}

// selfSigned makes a certificate for this machine's loopback names. It is
// valid at any time a moved test clock may show.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "localhost"},
		NotBefore:             time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read it back: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// quietLog passes the SMTP library's own remarks on at debug level: a client
// that hangs up is no news in a test server.
type quietLog struct{ log *slog.Logger }

func (l quietLog) Printf(format string, v ...any) {
	l.log.Debug("mail catcher", "remark", fmt.Sprintf(format, v...))
}

func (l quietLog) Println(v ...any) {
	l.log.Debug("mail catcher", "remark", fmt.Sprint(v...))
}
