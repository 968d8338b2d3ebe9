package mail

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func sendAll(t *testing.T, pool *Pool, letters int) {
	t.Helper()
	for range letters {
		_, err := attempt(t.Context(), pool, sample())
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestConnectionsAreKeptAndReplaced(t *testing.T) {
	t.Parallel()
	server := startFaultServer(t, nil)
	pool := NewPool(server.address("smtp", "", ""), 4, WithLettersPerConnection(3))
	sendAll(t, pool, 7)
	_ = pool.Close()
	said, accepted, _ := server.history()
	if len(accepted) != 7 || server.connections != 3 {
		t.Errorf("%d letters on %d connections, want 7 on 3", len(accepted), server.connections)
	}
	if n := strings.Count(strings.Join(said, " "), "QUIT"); n != 3 {
		t.Errorf("said QUIT %d times on 3 connections", n)
	}
	want, err := bytesOf(sample())
	if err != nil || accepted[0] != string(want) {
		t.Errorf("what arrived is not what Render answers (%v):\n%q\n%q", err, accepted[0], want)
	}
}

func TestIdleConnectionsAreProbed(t *testing.T) {
	t.Parallel()
	server := startFaultServer(t, nil)
	pool := NewPool(server.address("smtp", "", ""), 1, WithIdle(time.Minute, 0))
	sendAll(t, pool, 2)
	_ = pool.Close()
	said, _, _ := server.history()
	if !slices.Contains(said, "RSET") || server.connections != 1 {
		t.Errorf("%d connections, %v", server.connections, said)
	}
}

func TestIdleConnectionsAreRetired(t *testing.T) {
	t.Parallel()
	server := startFaultServer(t, nil)
	pool := NewPool(server.address("smtp", "", ""), 1, WithIdle(time.Millisecond, time.Minute))
	sendAll(t, pool, 1)
	said, _, _ := server.history() // returns when the client has gone, though the pool is not closed
	if said[len(said)-1] != "QUIT" {
		t.Errorf("the connection ended after %v", said)
	}
	_ = pool.Close()
}

// TestStaleConnectionIsReplacedUnseen: servers close idle connections with or without a goodbye, and the next letter
// must not suffer from it, nor be delivered twice.
func TestStaleConnectionIsReplacedUnseen(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{"closes": drop, "resets": reset, "says goodbye": "421 4.4.2 idle for too long"} {
		letters := 0
		var mu sync.Mutex
		server := startFaultServer(t, func(connection int, place string) string {
			mu.Lock()
			defer mu.Unlock()
			if place == "MAIL" {
				letters++
			}
			if connection == 0 && place == "MAIL" && letters == 2 {
				return end
			}
			return ""
		}, "PIPELINING")
		pool := NewPool(server.address("smtp", "", ""), 1)
		sendAll(t, pool, 2)
		_ = pool.Close()
		_, accepted, _ := server.history()
		if len(accepted) != 2 || server.connections != 2 {
			t.Errorf("the server %s: %d letters on %d connections, want 2 on 2", name, len(accepted), server.connections)
		}
	}
}

// TestOneBrokenLetterDoesNotStopTheNext within one Acquire: what became of the first does not touch the second.
func TestOneBrokenLetterDoesNotStopTheNext(t *testing.T) {
	t.Parallel()
	for place, want := range map[string]string{"MAIL": "safe", "dot": "uncertain"} {
		server := startFaultServer(t, func(connection int, at string) string {
			if connection == 0 && at == place {
				return drop
			}
			return ""
		})
		pool := NewPool(server.address("smtp", "", ""), 1)
		c, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first, second := send(t.Context(), c, sample()), send(t.Context(), c, sample())
		pool.Release(c)
		_ = pool.Close()
		_, accepted, _ := server.history()
		if outcome(first) != want || second != nil || len(accepted) != 1 {
			t.Errorf("drop at %s: first %v, second %v, %d letters accepted", place, first, second, len(accepted))
		}
	}
}

// TestRefusalWhileReopening: when a stale connection cannot be replaced, the letter was not refused; it may be tried
// again.
func TestRefusalWhileReopening(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	mails := 0
	server := startFaultServer(t, func(connection int, place string) string {
		mu.Lock()
		defer mu.Unlock()
		if place == "MAIL" {
			mails++
		}
		switch {
		case connection == 0 && place == "MAIL" && mails == 2:
			return drop
		case connection == 1 && place == "greeting":
			return "554 5.3.2 no service"
		}
		return ""
	})
	pool := NewPool(server.address("smtp", "", ""), 1)
	sendAll(t, pool, 1)
	_, err := attempt(t.Context(), pool, sample())
	if outcome(err) != "safe" || !strings.Contains(err.Error(), "no service") {
		t.Errorf("told %q (%v)", outcome(err), err)
	}
	_ = pool.Close()
}

// TestRefusedRecipientLeavesTheConnectionUsable within one Acquire, as senders use it.
func TestRefusedRecipientLeavesTheConnectionUsable(t *testing.T) {
	t.Parallel()
	for _, extensions := range [][]string{nil, {"PIPELINING"}} {
		var mu sync.Mutex
		asked := 0
		server := startFaultServer(t, func(_ int, place string) string {
			mu.Lock()
			defer mu.Unlock()
			if place == "RCPT" {
				asked++
			}
			if asked == 1 && (place == "RCPT" || place == "DATA") {
				return "550 5.1.1 no such user"
			}
			return ""
		}, extensions...)
		pool := NewPool(server.address("smtp", "", ""), 1)
		c, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first, second := send(t.Context(), c, sample()), send(t.Context(), c, sample())
		pool.Release(c)
		_ = pool.Close()
		said, _, _ := server.history()
		if outcome(first) != "refused at RCPT" || second != nil || server.connections != 1 || !slices.Contains(said, "RSET") {
			t.Errorf("first %v, second %v, %d connections, %v", first, second, server.connections, said)
		}
	}
}

func TestPlacesAreLimited(t *testing.T) {
	t.Parallel()
	server := startFaultServer(t, nil)
	const places, senders, letters = 3, 12, 20
	pool := NewPool(server.address("smtp", "", ""), places)
	var sending sync.WaitGroup
	for range senders {
		sending.Go(func() {
			for range letters {
				_, err := attempt(t.Context(), pool, sample())
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
	_ = pool.Close()
	_, accepted, _ := server.history()
	if len(accepted) != senders*letters || server.connections > places {
		t.Errorf("%d letters on %d connections", len(accepted), server.connections)
	}
}

func TestAcquireWaitsForAPlace(t *testing.T) {
	t.Parallel()
	server := startFaultServer(t, nil)
	pool := NewPool(server.address("smtp", "", ""), 1)
	c, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = pool.Acquire(ended)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a second Acquire answers %v", err)
	}
	waiting := make(chan error)
	go func() {
		_, err := pool.Acquire(t.Context())
		waiting <- err
	}()
	_ = pool.Close()
	err = <-waiting
	if !errors.Is(err, ErrClosed) {
		t.Errorf("Acquire after Close answers %v", err)
	}
	err = send(t.Context(), c, sample())
	if err != nil {
		t.Errorf("a connection in use while the pool closes: %v", err)
	}
	pool.Release(c)
	pool.Release(c)
	_, _, _ = server.history() // returns only when Release closed the connection
}

func TestTLSAndSignIn(t *testing.T) {
	t.Parallel()
	config, roots := certificate(t)
	const user = "ann%40example.com:s%3Acret%2F@"
	for name, test := range map[string]struct {
		scheme, credentials, options string
		extensions                   []string
		refuse                       string // what AUTH is answered with
		untrusted                    bool
		want                         string // the outcome
		says, never                  string // a command that must, or must not, have been said
	}{
		"plain":                        {"smtp", "", "", nil, "", false, "sent", "MAIL", "STARTTLS"},
		"offered":                      {"smtp", "", "", []string{"STARTTLS"}, "", false, "sent", "STARTTLS", "AUTH"},
		"offered, never":               {"smtp", "", "?starttls=never", []string{"STARTTLS"}, "", false, "sent", "MAIL", "STARTTLS"},
		"required, not offered":        {"smtp", "", "?starttls=require", nil, "", false, "safe", "EHLO", "MAIL"},
		"untrusted":                    {"smtp", "", "", []string{"STARTTLS"}, "", true, "safe", "STARTTLS", "MAIL"},
		"from the start":               {"smtps", "", "", nil, "", false, "sent", "MAIL", "STARTTLS"},
		"from the start, untrusted":    {"smtps", "", "", nil, "", true, "safe", "", "EHLO"},
		"credentials":                  {"smtp", user, "", []string{"STARTTLS", "AUTH PLAIN LOGIN"}, "", false, "sent", "AUTH", ""},
		"credentials, no TLS":          {"smtp", user, "", []string{"AUTH PLAIN"}, "", false, "safe", "EHLO", "AUTH"},
		"credentials, plain by choice": {"smtp", user, "?starttls=never", []string{"AUTH PLAIN"}, "", false, "sent", "AUTH", "STARTTLS"},
		"credentials, unknown way":     {"smtp", user, "", []string{"STARTTLS", "AUTH GSSAPI"}, "", false, "safe", "STARTTLS", "AUTH"},
		"offered in small letters":     {"smtp", "", "", []string{"size 1000000", "starttls"}, "", false, "sent", "STARTTLS", ""},
		"credentials, small letters":   {"smtp", user, "", []string{"StartTLS", "auth login plain"}, "", false, "sent", "AUTH", ""},
		"credentials, as of old":       {"smtps", user, "", []string{"AUTH=LOGIN PLAIN"}, "", false, "sent", "AUTH", ""},
		"credentials, in two lines":    {"smtps", user, "", []string{"AUTH GSSAPI", "AUTH=PLAIN"}, "", false, "sent", "AUTH", ""},
		"wrong password":               {"smtps", user, "", []string{"AUTH PLAIN"}, "535 5.7.8 wrong", false, "refused at AUTH", "AUTH", "MAIL"},
		"sign-in dropped":              {"smtps", user, "", []string{"AUTH PLAIN"}, drop, false, "safe", "AUTH", "MAIL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startFaultServer(t, func(_ int, place string) string {
				if place == "AUTH" {
					return test.refuse
				}
				return ""
			}, test.extensions...)
			server.note(func() { server.tls, server.direct = config, test.scheme == "smtps" })
			options := []Option{WithRoots(roots)}
			if test.untrusted {
				options = nil
			}
			pool := NewPool(server.address(test.scheme, test.credentials, test.options), 1, options...)
			_, err := attempt(t.Context(), pool, sample())
			_ = pool.Close()
			said, _, _ := server.history()
			if outcome(err) != test.want {
				t.Errorf("told %q (%v), want %q", outcome(err), err, test.want)
			}
			if test.says != "" && !slices.Contains(said, test.says) || test.never != "" && slices.Contains(said, test.never) {
				t.Errorf("said %v", said)
			}
			if err != nil && strings.Contains(err.Error(), "s:cret") {
				t.Errorf("the password is in %v", err)
			}
		})
	}
}

// TestAddressesOutsideASCII: such a mailbox is only named to a server that takes it; such a domain is spelt in ASCII.
func TestAddressesOutsideASCII(t *testing.T) {
	t.Parallel()
	l := sample()
	l.To.Address = "jörg@bücher.example"
	for _, extensions := range [][]string{nil, {"SMTPUTF8"}} {
		server := startFaultServer(t, nil, extensions...)
		pool := NewPool(server.address("smtp", "", ""), 1)
		_, err := attempt(t.Context(), pool, l)
		_ = pool.Close()
		_, accepted, _ := server.history()
		if extensions == nil && (outcome(err) != "refused at MAIL" || len(accepted) > 0) {
			t.Errorf("without SMTPUTF8: %v", err)
		}
		if extensions != nil && (err != nil || !bytes.Contains([]byte(accepted[0]), []byte("<jörg@xn--bcher-kva.example>"))) {
			t.Errorf("with SMTPUTF8: %v, %q", err, accepted)
		}
	}
}

func TestABareAddressGreetsAsALiteral(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"pay.lumen.example": "pay.lumen.example", "localhost": "localhost", "192.0.2.7": "[192.0.2.7]",
		"2001:db8::7": "[IPv6:2001:db8::7]", "::1": "[IPv6:::1]", "fe80::1%eth0": "[IPv6:fe80::1]",
	} {
		server := startFaultServer(t, nil)
		pool := NewPool(server.address("smtp", "", ""), 1, WithHello(name))
		sendAll(t, pool, 1)
		_ = pool.Close()
		if server.greeted != want {
			t.Errorf("%s greets as %q, want %q", name, server.greeted, want)
		}
	}
}
