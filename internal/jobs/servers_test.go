package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"sollecito/internal/mail"
	"sollecito/internal/sandbox"
)

// fewConnections lets so many connections to a server stand at once.
type fewConnections struct {
	address string
	most    int

	mu   sync.Mutex
	open int
}

type counted struct {
	net.Conn
	gone func()
}

func (c *counted) Close() error {
	c.gone()
	return c.Conn.Close()
}

func (f *fewConnections) dial(ctx context.Context) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == f.most {
		return nil, errors.New("421 4.3.2 too many connections")
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", f.address)
	if err != nil {
		return nil, err
	}
	f.open++
	return &counted{conn, sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.open--
	})}, nil
}

// A mail server that lets in fewer connections than there may be takes all mails over those it lets in, and none waits.
// One that lets in none is down: nothing is begun, and all wait for it.
func TestAMailServerThatTakesFewConnections(t *testing.T) {
	const customers = 40
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	for _, most := range []int{1, 3, 0} {
		db, catcher, sender := waiting(t, now, customers, []string{"first"})
		door, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go catcher.Serve(door)
		few := &fewConnections{address: door.Addr().String(), most: most}
		server, err := mail.Parse("smtp://mail.lumen.example")
		if err != nil {
			t.Fatal(err)
		}
		sender.Pool = mail.NewPool(server, sender.Connections, mail.WithDial(few.dial))
		t.Cleanup(func() { sender.Pool.Close() })
		for done := 1; done > 0; {
			done, err = sender.RunOnce(t.Context())
			if err != nil {
				t.Fatal(err)
			}
		}
		want := customers
		if most == 0 {
			want = 0
		}
		if got := len(catcher.Mails()); got != want {
			t.Errorf("over %d connections %d of %d mails went out", most, got, customers)
		}
		var queued, begun, due int
		err = db.See(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRow(`SELECT count(*), coalesce(sum(attempts), 0), coalesce(min(due_at), 0) FROM notices WHERE status = 'queued' AND channel = 'email'`).
				Scan(&queued, &begun, &due)
		})
		if err != nil || queued != customers-want || begun > 0 || queued > 0 && due != int(now.Add(time.Minute).Unix()) {
			t.Errorf("over %d connections %d wait, %d begun, due in %d s: %v", most, queued, begun, due-int(now.Unix()), err)
		}
	}
}

// touchy is a connection that breaks as soon as it hears a word, as some boxes on the way make it.
type touchy struct {
	net.Conn
	word string
}

func (c touchy) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.word) {
		_ = c.Close()
	}
	return c.Conn.Write(p)
}

// A mail at which the connection breaks each time is not tried for ever: after two days and many tries it failed, for staff to
// see. Its address is not given up, and the other mails are not held up.
func TestAMailTheConnectionBreaksAt(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	db, catcher, sender := waiting(t, now, 5, []string{"first"})
	sender.Now = func() time.Time { return now }
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go catcher.Serve(door)
	server, err := mail.Parse("smtp://mail.lumen.example")
	if err != nil {
		t.Fatal(err)
	}
	sender.Pool = mail.NewPool(server, sender.Connections, mail.WithDial(func(ctx context.Context) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", door.Addr().String())
		return touchy{conn, "RCPT TO:<c0@"}, err
	}))
	t.Cleanup(func() { sender.Pool.Close() })
	for _, at := range []struct {
		after          time.Duration
		tried          int
		status, reason string
	}{
		{0, 0, "queued", "The connection broke before the mail was handed over."},
		{47 * time.Hour, 20, "queued", "The connection broke before the mail was handed over."},
		{49 * time.Hour, 2, "queued", "The connection broke before the mail was handed over."}, // it waited for its hours
		{72 * time.Hour, 20, "failed", "The connection broke at each try for two days, before the mail was handed over."},
	} {
		now = time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC).Add(at.after)
		err = db.Do(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(`UPDATE notices SET attempts = $1 WHERE customer_id = 'cus_0'`, at.tried)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = sender.RunOnce(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var status, reason string
		var suppressed int
		err = db.See(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRow(`SELECT status, reason, (SELECT count(*) FROM suppressions) FROM notices WHERE customer_id = 'cus_0' AND channel = 'email'`).
				Scan(&status, &reason, &suppressed)
		})
		if err != nil || status != at.status || reason != at.reason || suppressed > 0 {
			t.Errorf("after %v it is %s, %q, %d addresses given up: %v", at.after, status, reason, suppressed, err)
		}
		if got := len(catcher.Mails()); got != 4 {
			t.Errorf("after %v %d others arrived", at.after, got)
		}
	}
}

// While the mail server lets a line wait for its answer, the others take what else is due, and what comes due meanwhile; what
// became of theirs is kept at once.
func TestAMailTheServerWaitsWithHoldsUpNoOther(t *testing.T) {
	const customers = 70 // more than two connections claim at once
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	db, catcher, sender := waiting(t, now, customers, []string{"first"})
	sender.Connections = 2
	catcher.SetFault(sandbox.Fault{Place: sandbox.FaultSilence, Recipient: "c0@"})
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE notices SET due_at = due_at - 60 WHERE customer_id = 'cus_0'`) // it goes first
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	type batch struct {
		done int
		err  error
	}
	ended := make(chan batch, 1)
	go func() {
		done, err := sender.RunOnce(t.Context())
		ended <- batch{done, err}
	}()
	deadline := time.After(30 * time.Second)
	kept := func(status string) (n int) {
		t.Helper()
		err := db.See(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRow(`SELECT count(*) FROM notices WHERE channel = 'email' AND status = $1`, status).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for len(catcher.Mails()) < customers || kept("sent") < customers-1 {
		select {
		case <-time.After(20 * time.Millisecond):
		case b := <-ended:
			t.Fatalf("the batch ended with %d mails: %d, %v", len(catcher.Mails()), b.done, b.err)
		case <-deadline:
			t.Fatalf("%d of %d mails went out beside one that waits, of which %d are known to have", len(catcher.Mails()), customers, kept("sent"))
		}
	}
	catcher.Close() // the answer never comes
	b := <-ended
	if b.done != customers || b.err != nil {
		t.Errorf("it dealt with %d mails, %v", b.done, b.err)
	}
	if sent, uncertain := kept("sent"), kept("uncertain"); sent != customers-1 || uncertain != 1 {
		t.Errorf("%d mails are sent and %d uncertain", sent, uncertain)
	}
}
