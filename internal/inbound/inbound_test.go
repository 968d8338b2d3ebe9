package inbound

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/reading"
)

func openDB(t *testing.T) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), databasetest.Migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// kept answers the mails that wait, whole.
func kept(t *testing.T, db *database.DB) []Arrival {
	t.Helper()
	var all []Arrival
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		ids, err := Waiting(t.Context(), tx, time.Now().Unix()+1, 100)
		if err != nil {
			return err
		}
		for _, id := range ids {
			a, _, err := Take(t.Context(), tx, id)
			if err != nil {
				return err
			}
			all = append(all, a)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func listen(t *testing.T, db *database.DB) (*Listener, string) {
	t.Helper()
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Listener{
		DB: db, Addresses: addresses(t, strings.Repeat("k", 32)), Now: time.Now, Real: time.Now, Wake: func() {}, Log: slog.New(slog.DiscardHandler),
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx, door) }()
	t.Cleanup(func() {
		cancel()
		err := <-served
		if err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return l, door.Addr().String()
}

func mailText(id, body string) string {
	return "From: anneke@waal.example\r\nMessage-ID: <" + id + ">\r\nReceived: now\r\n\r\n" + body + "\r\n"
}

// hand gives a mail to the server as another would.
func hand(t *testing.T, at, from, to, text string) error {
	t.Helper()
	c, err := smtp.Dial(at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.SendMail(from, []string{to}, strings.NewReader(text))
	if err != nil {
		return err
	}
	return c.Quit()
}

func code(err error) int {
	var said *smtp.SMTPError
	if !errors.As(err, &said) {
		return 0
	}
	return said.Code
}

func TestTheListenerTakesOurTokensAlone(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	l, at := listen(t, db)
	ours := l.Addresses.For(Reply, database.NewID("ntc"))
	send := func(to, text string) error { return hand(t, at, "anneke@waal.example", to, text) }
	for _, to := range []string{"anybody@elsewhere.example", "billing@in.lumen.example", strings.Replace(ours, "+r", "+b", 1)} {
		err := send(to, mailText("a@b", "x"))
		if code(err) != 550 {
			t.Errorf("%s: %v", to, err)
		}
	}
	if got := l.Refused(); got != 3 {
		t.Errorf("%d refused", got)
	}
	text := mailText("one@waal.example", "hello\r\n.dots\r\n\xff")
	err := send(ours, text)
	if err != nil {
		t.Fatal(err)
	}
	// The same mail over another way has other lines of its travel; it is the same.
	err = send(ours, strings.Replace(text, "Received: now", "Received: later", 1))
	if err != nil {
		t.Fatal(err)
	}
	err = send(strings.ToUpper(ours), mailText("two@waal.example", "hello"))
	if err != nil {
		t.Fatal(err)
	}
	all := kept(t, db)
	if len(all) != 2 || string(all[0].Raw) != text && string(all[1].Raw) != text || all[0].Sender != "anneke@waal.example" || all[0].Tag.Way != Reply {
		t.Errorf("kept: %+v", all)
	}
	err = send(ours, mailText("big@waal.example", strings.Repeat("a line that is not long\r\n", reading.Largest/20)))
	if code(err) != 552 {
		t.Errorf("too large: %v", err)
	}
	var last error
	for i := range mostPerHour + 1 {
		last = send(ours, mailText(fmt.Sprint(i, "@waal.example"), "again"))
		if last != nil {
			break
		}
	}
	if code(last) != 452 {
		t.Errorf("after many: %v", last)
	}
}

// What all mails hold in memory while they come in is bounded: one too many is asked to come again, whoever sends slowly
// keeps no small mail out, and afterwards there is room again.
func TestMailsTogetherAreBounded(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	l, at := listen(t, db)
	line := strings.Repeat("a line that is not long\r\n", 1024)
	var open []io.WriteCloser
	begin := func(n int) io.WriteCloser { // and stop in the middle
		c, err := smtp.Dial(at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		err = errors.Join(c.Mail("anneke@waal.example", nil), c.Rcpt(l.Addresses.For(Reply, database.NewID("ntc")), nil))
		if err != nil {
			t.Fatal(err)
		}
		w, err := c.Data()
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(w, mailText(fmt.Sprint(n, "@waal.example"), strings.Repeat(line, reading.Largest*9/10/len(line))))
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	for n := range 4 {
		open = append(open, begin(n))
	}
	arrived := func(bytes int64) {
		for began := time.Now(); l.inHand.Load() < bytes; time.Sleep(5 * time.Millisecond) {
			if time.Since(began) > 20*time.Second {
				t.Fatalf("%d bytes in hand", l.inHand.Load())
			}
		}
	}
	arrived(reading.Largest * 35 / 10)
	err := hand(t, at, "anneke@waal.example", l.Addresses.For(Reply, database.NewID("ntc")), mailText("small@waal.example", "hello"))
	if err != nil {
		t.Errorf("a small one beside them: %v", err)
	}
	err = begin(4).Close()
	if code(err) != 452 {
		t.Errorf("one too many: %v", err)
	}
	for _, w := range open {
		err = w.Close()
		if err != nil {
			t.Errorf("one that had room: %v", err)
		}
	}
	if got := l.inHand.Load(); got != 0 {
		t.Errorf("%d bytes are still held", got)
	}
	err = begin(5).Close()
	if err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if got := len(kept(t, db)); got != 6 {
		t.Errorf("%d kept", got)
	}
}

func TestAPeerThatSaysNothingHoldsUpNoStop(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Listener{DB: db, Addresses: addresses(t, strings.Repeat("k", 32)), Now: time.Now, Real: time.Now, Wake: func() {}, Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx, door) }()
	c, err := smtp.Dial(door.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Mail("a@b.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	cancel()
	err = <-served
	if err != nil || time.Since(began) >= stopPatience { // which a peer that is waited for uses up
		t.Errorf("stopped after %s: %v", time.Since(began), err)
	}
}

func TestNothingIsPromisedThatIsNotKept(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	l, at := listen(t, db)
	err := db.Close()
	if err != nil {
		t.Fatal(err)
	}
	err = hand(t, at, "", l.Addresses.For(Bounce, database.NewID("ntc")), mailText("a@b", "x"))
	if code(err) != 451 {
		t.Errorf("with the database gone: %v", err)
	}
}

// mailbox is a mailbox on a server of its own: what puts a mail into it, and what looks into it.
func mailbox(t *testing.T, db *database.DB) (p *Poller, user *imapmemserver.User, put func(text string), stop func()) {
	t.Helper()
	store := imapmemserver.New()
	user = imapmemserver.NewUser("billing", "secret")
	err := user.Create("INBOX", nil)
	if err != nil {
		t.Fatal(err)
	}
	store.AddUser(user)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return store.NewSession(), nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}},
		InsecureAuth: true,
	})
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(door)
	t.Cleanup(func() { server.Close() })
	put = func(text string) {
		t.Helper()
		_, err := user.Append("INBOX", literal{strings.NewReader(text), int64(len(text))}, &imap.AppendOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	box, err := ParseMailbox("imap://billing:secret@" + door.Addr().String() + "/INBOX")
	if err != nil {
		t.Fatal(err)
	}
	p = &Poller{
		DB: db, Addresses: addresses(t, strings.Repeat("k", 32)), Mailbox: box,
		Now: time.Now, Real: time.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	return p, user, put, func() { door.Close(); server.Close() }
}

// More mails under one token than anybody writes, such as those of two programs that answer each other, stay in the
// mailbox for an hour. The bounces and replies behind them do not wait for that.
func TestAFloodInTheMailboxHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	p, _, put, _ := mailbox(t, db)
	now := time.Now()
	p.Real = func() time.Time { return now }
	loop, other := p.Addresses.For(Reply, database.NewID("ntc")), p.Addresses.For(Bounce, database.NewID("ntc"))
	for n := range mostPerHour + 3 {
		put(fmt.Sprintf("Return-Path: <robot@waal.example>\r\nTo: %s\r\nMessage-ID: <%d@waal>\r\n\r\nthank you %d\r\n", loop, n, n))
	}
	put("Return-Path: <>\r\nTo: " + other + "\r\nMessage-ID: <r@mx>\r\n\r\nfailed\r\n")
	for _, want := range []int{mostPerHour + 1, 0} {
		n, err := p.RunOnce(t.Context())
		if err != nil || n != want {
			t.Errorf("kept %d, not %d: %v", n, want, err)
		}
	}
	now = now.Add(time.Hour)
	n, err := p.RunOnce(t.Context())
	if err != nil || n != 3 {
		t.Errorf("an hour later kept %d: %v", n, err)
	}
}

func TestTheMailboxIsEmptiedOfOursAlone(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	p, user, put, stop := mailbox(t, db)
	a := p.Addresses
	id := database.NewID("ntc")
	report := "Return-Path: <>\r\nTo: " + a.For(Bounce, id) + "\r\nMessage-ID: <r@mx>\r\n\r\nfailed\r\n"
	put(report)
	put("To: billing@lumen.example\r\nReturn-Path: <" + a.For(Bounce, id) + ">\r\n\r\na copy of our own\r\n")
	put("Delivered-To: mail+bforged@in.lumen.example\r\nTo: x@y.example\r\n\r\nforged\r\n")
	put("Return-Path: <anneke@waal.example>\r\nDelivered-To: " + a.For(Reply, id) + "\r\nTo: Lumen <x@y.example>\r\n\r\nhello\r\n")
	n, err := p.RunOnce(t.Context())
	if err != nil || n != 2 {
		t.Fatalf("kept %d, %v", n, err)
	}
	n, err = p.RunOnce(t.Context())
	if err != nil || n != 0 {
		t.Errorf("again: %d, %v", n, err)
	}
	all := kept(t, db)
	if len(all) != 2 {
		t.Fatalf("kept: %+v", all)
	}
	for _, arrived := range all {
		if arrived.Tag.Way == Bounce && (arrived.Sender != "" || string(arrived.Raw) != report) || arrived.Tag.Way == Reply && arrived.Sender != "anneke@waal.example" {
			t.Errorf("kept: %+v", arrived)
		}
	}
	status, err := user.Status("INBOX", &imap.StatusOptions{NumMessages: true})
	moved, movedErr := user.Status(keptFolder, &imap.StatusOptions{NumMessages: true})
	if err != nil || movedErr != nil || *status.NumMessages != 2 || *moved.NumMessages != 2 {
		t.Errorf("left %v (%v), moved %v (%v)", status, err, moved, movedErr)
	}
	// The program died between keeping and moving: the mail is brought again and is still one.
	put(report)
	n, err = p.RunOnce(t.Context())
	if err != nil || n != 1 || len(kept(t, db)) != 2 {
		t.Errorf("brought again: %d, %v, %d kept", n, err, len(kept(t, db)))
	}
	stop()
	n, err = p.RunOnce(t.Context())
	if err != nil || n != 0 {
		t.Errorf("without a server: %d, %v", n, err)
	}
}

type literal struct {
	*strings.Reader
	size int64
}

func (l literal) Size() int64 { return l.size }
