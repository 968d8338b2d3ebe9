package inbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"sollecito/internal/database"
	"sollecito/internal/reading"
)

// Mailbox is a mailbox elsewhere that is looked into over IMAP. The zero value is none.
type Mailbox struct {
	Address  string // host:port
	Host     string
	User     string
	Password string
	Folder   string
	TLS      bool // from the start; else STARTTLS, but to this machine itself
}

// On reports whether there is one.
func (m Mailbox) On() bool { return m.Address != "" }

// ParseMailbox reads imaps://user:password@host[:port]/FOLDER, or imap:// which asks for STARTTLS except from this
// machine itself. An error never holds the password.
func ParseMailbox(text string) (Mailbox, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "imaps" && u.Scheme != "imap" || u.Hostname() == "" || u.User == nil || u.User.Username() == "" {
		return Mailbox{}, errors.New("must read imaps://user:password@host/INBOX")
	}
	m := Mailbox{Host: u.Hostname(), User: u.User.Username(), TLS: u.Scheme == "imaps", Folder: strings.Trim(u.Path, "/")}
	m.Password, _ = u.User.Password()
	port := u.Port()
	if port == "" {
		port = map[bool]string{true: "993", false: "143"}[m.TLS]
	}
	if m.Folder == "" {
		m.Folder = "INBOX"
	}
	m.Address = net.JoinHostPort(m.Host, port)
	return m, nil
}

// Poller looks into a mailbox, keeps the mails that come under our tokens and moves them to the folder Sollecito, which
// it makes. All others are left as they are. A mail is moved only once it is durable; one that is brought twice, since
// the move did not happen, is one.
type Poller struct {
	DB        *database.DB
	Addresses Addresses
	Mailbox   Mailbox
	Roots     *x509.CertPool // beside the system's; may be nil
	Now, Real func() time.Time
	Log       *slog.Logger

	passed   map[imap.UID]bool      // looked at and not ours, while validity stays
	waits    map[imap.UID]time.Time // ours, and too many for now: until when they stay
	validity uint32
}

const (
	keptFolder  = "Sollecito"
	pollBatch   = 50
	pollTimeout = 90 * time.Second
)

// RunOnce keeps up to a batch of new mails and answers how many. A mailbox that cannot be reached is looked into again
// at the next turn.
func (p *Poller) RunOnce(ctx context.Context) (int, error) {
	c, err := p.dial(ctx)
	if err != nil {
		p.Log.WarnContext(ctx, "the mailbox for bounces and replies cannot be looked into", "host", p.Mailbox.Host, "err", err)
		return 0, nil
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	watch := time.AfterFunc(pollTimeout, func() { c.Close() })
	defer watch.Stop()
	defer c.Close()
	n, err := p.collect(ctx, c)
	if err != nil {
		p.Log.WarnContext(ctx, "looking into the mailbox broke off", "host", p.Mailbox.Host, "kept", n, "err", err)
		return n, nil
	}
	return n, c.Logout().Wait()
}

func (p *Poller) dial(ctx context.Context) (*imapclient.Client, error) {
	dialer := &net.Dialer{Timeout: 20 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", p.Mailbox.Address)
	if err != nil {
		return nil, err
	}
	secure := &tls.Config{ServerName: p.Mailbox.Host, MinVersion: tls.VersionTLS12, RootCAs: p.Roots}
	options := &imapclient.Options{TLSConfig: secure}
	ip := net.ParseIP(p.Mailbox.Host)
	var c *imapclient.Client
	switch {
	case p.Mailbox.TLS:
		c = imapclient.New(tls.Client(conn, secure), options)
	case p.Mailbox.Host == "localhost" || ip != nil && ip.IsLoopback():
		c = imapclient.New(conn, options)
	default:
		c, err = imapclient.NewStartTLS(conn, options)
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	err = c.Login(p.Mailbox.User, p.Mailbox.Password).Wait()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sign in: %w", err), c.Close())
	}
	return c, nil
}

// whereTo are the headers that may hold the address a mail came to.
var whereTo = []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "To", "Cc", "Return-Path"}

func (p *Poller) collect(ctx context.Context, c *imapclient.Client) (int, error) {
	selected, err := c.Select(p.Mailbox.Folder, nil).Wait()
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", p.Mailbox.Folder, err)
	}
	if selected.UIDValidity != p.validity || p.passed == nil {
		p.validity, p.passed, p.waits = selected.UIDValidity, map[imap.UID]bool{}, map[imap.UID]time.Time{}
	}
	found, err := c.UIDSearch(&imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagDeleted}}, nil).Wait()
	if err != nil {
		return 0, fmt.Errorf("search: %w", err)
	}
	kept := 0
	for _, uid := range found.AllUIDs() {
		if p.passed[uid] || p.Real().Before(p.waits[uid]) || kept == pollBatch {
			continue
		}
		took, err := p.take(ctx, c, uid)
		if errors.Is(err, ErrTooMany) { // the others do not wait for it
			p.waits[uid] = database.Reopens(time.Hour, p.Real())
			p.Log.WarnContext(ctx, "too much mail came for one of ours, it stays in the mailbox until the next hour", "uid", uint32(uid))
			continue
		}
		if err != nil {
			return kept, err
		}
		if !took {
			p.passed[uid] = true
			continue
		}
		kept++
	}
	return kept, nil
}

// take keeps one mail and moves it. It answers false for one that is none of ours, or too large to be kept.
func (p *Poller) take(ctx context.Context, c *imapclient.Client, uid imap.UID) (bool, error) {
	header := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, HeaderFields: whereTo, Peek: true}
	heads, err := c.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{RFC822Size: true, BodySection: []*imap.FetchItemBodySection{header}}).Collect()
	if err != nil || len(heads) == 0 {
		return false, err
	}
	text := string(heads[0].FindBodySection(header))
	tag, ours := p.tagIn(text)
	if !ours {
		return false, nil
	}
	if heads[0].RFC822Size > reading.Largest {
		p.Log.WarnContext(ctx, "a mail in the mailbox is too large and stays there", "uid", uint32(uid), "bytes", heads[0].RFC822Size)
		return false, nil
	}
	whole := &imap.FetchItemBodySection{Peek: true}
	bodies, err := c.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{whole}}).Collect()
	if err != nil || len(bodies) == 0 {
		return false, err
	}
	a := Arrival{Tag: tag, Sender: senderIn(text), Raw: bodies[0].FindBodySection(whole)}
	err = p.DB.Do(ctx, func(tx *sql.Tx) error { return Keep(ctx, tx, a, p.Now(), p.Real()) })
	if err != nil {
		return false, err
	}
	_, err = c.Move(imap.UIDSetNum(uid), keptFolder).Wait()
	if err == nil {
		return true, nil
	}
	createErr := c.Create(keptFolder, nil).Wait()
	if createErr != nil {
		return false, fmt.Errorf("move to %s: %w", keptFolder, err)
	}
	_, err = c.Move(imap.UIDSetNum(uid), keptFolder).Wait()
	if err != nil {
		return false, fmt.Errorf("move to %s: %w", keptFolder, err)
	}
	return true, nil
}

var returnPath = regexp.MustCompile(`(?im)^return-path:.*(\r?\n[ \t].*)*`)

var anyAddress = regexp.MustCompile(`[^\s<>"(),;:]{1,64}@[^\s<>"(),;:]{1,190}`)

// tagIn answers what the first of our addresses in a header says.
func (p *Poller) tagIn(header string) (Tag, bool) {
	// Whom it came from says nothing of whom it is for: a copy of our own mail has our address there too.
	header = returnPath.ReplaceAllString(header, "")
	for _, address := range anyAddress.FindAllString(header, 100) {
		tag, ours := p.Addresses.Check(address)
		if ours {
			return tag, true
		}
	}
	return Tag{}, false
}

// senderIn is the envelope's sender as the mailbox's server noted it. Without a note it is somebody.
func senderIn(header string) string {
	for line := range strings.Lines(header) {
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(name, "Return-Path") {
			return strings.Trim(strings.TrimSpace(value), "<>")
		}
	}
	return "unknown"
}
