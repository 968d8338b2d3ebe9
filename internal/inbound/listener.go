package inbound

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"

	"sollecito/internal/database"
	"sollecito/internal/reading"
)

// Listener is a small SMTP server that takes mail under our own tokens and no other: it relays nothing and knows no
// passwords. A mail is durable before its 250.
type Listener struct {
	DB        *database.DB
	Addresses Addresses
	Now, Real func() time.Time
	Wake      func() // something came in
	Log       *slog.Logger
	// Certificate and key offer STARTTLS; they are read again at each handshake, so a renewed one needs no restart.
	CertFile, KeyFile string

	refused atomic.Int64
	inHand  atomic.Int64 // bytes of the mails that are being taken
	mu      sync.Mutex
	open    map[*session]bool // the connections; true while one hands over a mail
	server  *smtp.Server
}

const (
	mostConnections = 64
	mostPerHost     = 20                  // what Postfix opens to one place by default
	mostRefusals    = 10                  // recipients that are none of ours, before the connection ends
	mostInHand      = 4 * reading.Largest // bytes of all mails being taken; more wait at their senders
	longestLine     = 64 << 10
	smtpPatience    = time.Minute
	stopPatience    = 10 * time.Second // for mails that are being taken when it stops
)

// Refused answers how many recipients were turned away since the start.
func (l *Listener) Refused() int64 { return l.refused.Load() }

// Serve takes mail on the listener until ctx ends; what is under way may finish.
func (l *Listener) Serve(ctx context.Context, door net.Listener) error {
	l.server = smtp.NewServer(l)
	l.open = map[*session]bool{}
	l.server.Domain = l.Addresses.Domain()
	l.server.MaxMessageBytes = reading.Largest
	l.server.MaxRecipients = 5
	l.server.MaxLineLength = longestLine
	l.server.ReadTimeout, l.server.WriteTimeout = smtpPatience, smtpPatience
	l.server.ErrorLog = slog.NewLogLogger(l.Log.Handler(), slog.LevelDebug)
	l.server.EnableSMTPUTF8 = true
	if l.CertFile != "" {
		l.server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(l.CertFile, l.KeyFile)
			return &pair, err
		}}
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		wait, cancel := context.WithTimeout(context.Background(), stopPatience)
		defer cancel()
		l.hangUp(false) // a peer that says nothing must not hold up the stop
		stopped <- l.server.Shutdown(wait)
	}()
	err := l.server.Serve(door)
	if ctx.Err() == nil {
		return err
	}
	err = <-stopped
	if errors.Is(err, context.DeadlineExceeded) {
		l.hangUp(true) // it was not told 250, so its mail comes again
		return nil
	}
	return err
}

// hangUp closes the connections that hand over no mail, or all.
func (l *Listener) hangUp(all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s, busy := range l.open {
		if all || !busy {
			s.conn.Close()
		}
	}
}

// NewSession lets a connection in. It implements smtp.Backend.
func (l *Listener) NewSession(c *smtp.Conn) (smtp.Session, error) {
	host, _, err := net.SplitHostPort(c.Conn().RemoteAddr().String())
	if err != nil {
		host = c.Conn().RemoteAddr().String()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	same := 0
	for s := range l.open {
		if s.host == host {
			same++
		}
	}
	if len(l.open) >= mostConnections || same >= mostPerHost {
		return nil, &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "Too many connections, try again later"}
	}
	s := &session{l: l, host: host, conn: c.Conn()}
	l.open[s] = false
	return s, nil
}

// session is one connection. It implements smtp.Session.
type session struct {
	l       *Listener
	host    string
	conn    net.Conn
	sender  string
	to      []Tag
	refused int
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.sender = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	tag, ours := s.l.Addresses.Check(to)
	if ours {
		s.to = append(s.to, tag)
		return nil
	}
	s.refused++
	s.l.refused.Add(1)
	if s.refused == 1 { // once for each connection: a guesser must not fill the log
		s.l.Log.Warn("mail for an address that is none of ours was refused", "host", s.host, "since_start", s.l.Refused())
	}
	if s.refused >= mostRefusals {
		return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "Too many unknown addresses"}
	}
	return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "There is no such address here"}
}

func (s *session) busy(is bool) {
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	_, open := s.l.open[s]
	if open {
		s.l.open[s] = is
	}
}

func (s *session) Data(r io.Reader) error {
	s.busy(true)
	defer s.busy(false)
	held := &held{r: r, l: s.l}
	defer held.letGo()
	raw, err := io.ReadAll(held)
	if err != nil {
		return err // go-smtp says why: too large, a line too long, a broken connection
	}
	ctx, cancel := context.WithTimeout(context.Background(), smtpPatience)
	defer cancel()
	err = s.l.DB.Do(ctx, func(tx *sql.Tx) error {
		for _, tag := range s.to {
			err := Keep(ctx, tx, Arrival{Tag: tag, Sender: s.sender, Raw: raw}, s.l.Now(), s.l.Real())
			if err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, ErrTooMany) {
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 5, 3}, Message: "Too much mail for this address, try again in an hour"}
	}
	if err != nil {
		s.l.Log.Error("mail could not be kept, its sender will try again", "err", err)
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "It could not be kept, try again later"}
	}
	s.l.Wake()
	return nil
}

// held counts what is read of one mail among what all of them hold in memory, and breaks off where that is too much. One
// who sends slowly, or says much and sends little, takes no room from the others.
type held struct {
	r     io.Reader
	l     *Listener
	bytes int64
}

var errFull = &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "Too much mail at once, try again in a few minutes"}

func (h *held) Read(p []byte) (int, error) {
	n, err := h.r.Read(p[:min(len(p), longestLine)]) // go-smtp answers only when p is full
	h.bytes += int64(n)
	if h.l.inHand.Add(int64(n)) > mostInHand {
		return 0, errFull
	}
	return n, err
}

func (h *held) letGo() { h.l.inHand.Add(-h.bytes) }

func (s *session) Reset() { s.sender, s.to = "", nil }

func (s *session) Logout() error {
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	delete(s.l.open, s)
	return nil
}
