package mail

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// What a faultServer does at a place instead of answering; any other text is the answer it gives there.
const (
	drop  = "drop"  // closes the connection in good order
	reset = "reset" // closes it with a TCP reset
	hang  = "hang"  // says nothing until the client goes
)

// faultServer is an SMTP server that goes wrong where it is told to. Places are "greeting", the commands, "body"
// (some bytes into the message) and "dot" (after the final dot).
type faultServer struct {
	t          *testing.T
	listener   net.Listener
	extensions []string
	tls        *tls.Config
	direct     bool                                      // TLS from the start
	at         func(connection int, place string) string // "" means: behave; nil: always behave

	mu          sync.Mutex
	connections int
	said        []string       // commands received, without arguments that are secret
	accepted    []string       // messages answered with 250
	dots        int            // final dots received
	serving     sync.WaitGroup // the loop that lets clients in
	gone        sync.WaitGroup // the clients
	greeted     string         // the name in the last EHLO
}

// startFaultServer listens on a free port until the test ends.
func startFaultServer(t *testing.T, at func(connection int, place string) string, extensions ...string) *faultServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &faultServer{t: t, listener: listener, extensions: extensions, at: at}
	s.serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			n := s.connections
			s.connections++
			s.mu.Unlock()
			s.gone.Go(func() { s.serve(conn, n) })
		}
	})
	t.Cleanup(func() { _, _, _ = s.history() })
	return s
}

// address answers the URL of the server.
func (s *faultServer) address(scheme, credentials, options string) Server {
	s.t.Helper()
	server, err := Parse(scheme + "://" + credentials + s.listener.Addr().String() + options)
	if err != nil {
		s.t.Fatal(err)
	}
	return server
}

// history lets no more clients in, waits until every one has gone and answers what was seen of them.
func (s *faultServer) history() (said, accepted []string, dots int) {
	_ = s.listener.Close()
	s.serving.Wait()
	s.gone.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said, s.accepted, s.dots
}

func (s *faultServer) note(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// serve speaks with one client.
func (s *faultServer) serve(raw net.Conn, number int) {
	defer func() { _ = raw.Close() }()
	v := &visit{server: s, number: number, raw: raw, conn: raw}
	if s.direct {
		v.encrypt()
	}
	v.r = bufio.NewReader(v.conn)
	_, over := v.answer("greeting", "220 fault.test ESMTP")
	for !over {
		line, err := v.r.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		verb = strings.ToUpper(verb)
		s.note(func() {
			s.said = append(s.said, verb)
			if verb == "EHLO" {
				s.greeted = rest
			}
		})
		over = v.obey(verb)
	}
}

// visit is one client's connection.
type visit struct {
	server *faultServer
	number int
	raw    net.Conn
	conn   net.Conn
	r      *bufio.Reader
}

func (v *visit) encrypt() {
	v.conn = tls.Server(v.raw, v.server.tls)
	v.r = bufio.NewReader(v.conn)
}

func (v *visit) obey(verb string) (over bool) {
	switch verb {
	case "EHLO", "HELO":
		_, over = v.answer(verb, v.hello())
	case "STARTTLS":
		said, over := v.answer(verb, "220 go ahead")
		if !over && strings.HasPrefix(said, "220") {
			v.encrypt()
		}
		return over
	case "AUTH":
		_, over = v.answer(verb, "235 2.7.0 welcome")
	case "MAIL", "RCPT", "RSET", "NOOP":
		_, over = v.answer(verb, "250 2.0.0 fine")
	case "DATA":
		said, over := v.answer(verb, "354 go on")
		if !over && strings.HasPrefix(said, "354") {
			return v.receive()
		}
		return over
	case "QUIT":
		_, _ = v.answer(verb, "221 bye")
		return true
	default:
		_, over = v.answer(verb, "500 5.5.1 what")
	}
	return over
}

// receive reads a message and answers its dot.
func (v *visit) receive() (over bool) {
	var message strings.Builder
	for {
		line, err := v.r.ReadString('\n')
		if err != nil {
			return true
		}
		if line == ".\r\n" {
			break
		}
		message.WriteString(strings.TrimPrefix(line, "."))
		said, over := v.answer("body", "")
		if over || said != "" {
			return true
		}
	}
	v.server.note(func() { v.server.dots++ })
	said, over := v.answer("dot", "250 2.0.0 queued")
	if strings.HasPrefix(said, "250") {
		v.server.note(func() { v.server.accepted = append(v.server.accepted, message.String()) })
	}
	return over
}

// answer says what is normal at a place, or does what the test asked for instead. It returns what was said and
// whether the connection is over.
func (v *visit) answer(place, normal string) (said string, over bool) {
	said = normal
	if v.server.at != nil {
		asked := v.server.at(v.number, place)
		if asked != "" {
			said = asked
		}
	}
	switch said {
	case "":
		return "", false
	case drop:
		return "", true
	case reset:
		_ = v.raw.(*net.TCPConn).SetLinger(0)
		return "", true
	case hang:
		// Until the client goes. What it still writes is looked at, lest a dot slip through unseen.
		rest, _ := io.ReadAll(v.r)
		if strings.Contains("\r\n"+string(rest), "\r\n.\r\n") {
			v.server.note(func() { v.server.dots++ })
		}
		return "", true
	}
	_, err := io.WriteString(v.conn, said+"\r\n")
	return said, err != nil || strings.HasPrefix(said, "421")
}

func (v *visit) hello() string {
	lines := []string{"fault.test"}
	for _, e := range v.server.extensions {
		if e != "STARTTLS" || v.conn == v.raw {
			lines = append(lines, e)
		}
	}
	for i := range lines {
		separator := "-"
		if i == len(lines)-1 {
			separator = " "
		}
		lines[i] = "250" + separator + lines[i]
	}
	return strings.Join(lines, "\r\n")
}

// certificate makes a certificate for 127.0.0.1 and the pool that trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}
