package mail

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func sample() Letter {
	return Letter{
		From: Address{"Lumen Studio", "billing@lumen.studio"}, To: Address{"Ann", "ann@example.com"},
		ReplyTo: Address{Address: "help@lumen.studio"}, Subject: "Your payment of 29,00\u00a0€ didn’t go through",
		Text: "Hello\n.\n..a line with dots\nbye", HTML: "<p>Hello</p>",
		MessageID: "notice-1@lumen.studio", Date: time.Date(2025, 11, 6, 10, 0, 0, 0, time.UTC), Language: "en",
	}
}

// bytesOf answers the bytes of a letter as they are sent.
func bytesOf(l Letter) ([]byte, error) {
	p, err := Pack(nil, l)
	return p.Bytes(), err
}

// send packs a letter and hands it over.
func send(ctx context.Context, c *Conn, l Letter) error {
	p, err := Pack(nil, l)
	if err != nil {
		return err
	}
	return c.Hand(ctx, p)
}

// outcome names what an attempt returned, in the words a sender acts by.
func outcome(err error) string {
	var refusal *Refusal
	switch {
	case err == nil:
		return "sent"
	case errors.Is(err, ErrUncertain):
		return "uncertain"
	case errors.Is(err, ErrUnsendable):
		return "unsendable"
	case errors.As(err, &refusal) && refusal.Temporary:
		return "refused for now at " + refusal.Place
	case errors.As(err, &refusal):
		return "refused at " + refusal.Place
	}
	return "safe"
}

// patience bounds the waits for a server that hangs. Steps that must succeed never come near it.
func patience(fault string) Option {
	if fault != hang {
		return WithTimeouts(Timeouts{})
	}
	const long = 500 * time.Millisecond
	return WithTimeouts(Timeouts{Command: long, Acceptance: long})
}

func attempt(ctx context.Context, pool *Pool, l Letter) (acquired bool, err error) {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return false, err
	}
	defer pool.Release(c)
	return true, send(ctx, c, l)
}

// TestEveryPlaceTheDialogueCanBreak walks each fault to each place, with and without pipelining, and holds what the
// sender is told against what the server really saw.
func TestEveryPlaceTheDialogueCanBreak(t *testing.T) {
	t.Parallel()
	faults := []struct{ name, what string }{
		{"drop", drop}, {"reset", reset}, {"hang", hang}, {"temporary", "451 4.3.0 later"}, {"permanent", "550 5.7.1 no"},
		{"goodbye", "421 4.3.2 closing"}, {"garbage", "what?"}, {"wrong code", "299 hm"}, {"half an answer", "25"},
	}
	places := []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "body", "dot"}
	for _, pipelining := range []bool{false, true} {
		var extensions []string
		if pipelining {
			extensions = append(extensions, "PIPELINING")
		}
		for _, fault := range faults {
			for _, place := range places {
				t.Run(fmt.Sprintf("%s at %s, pipelining %t", fault.name, place, pipelining), func(t *testing.T) {
					t.Parallel()
					server := startFaultServer(t, func(_ int, at string) string {
						if at == place || place == "EHLO" && at == "HELO" {
							return fault.what
						}
						return ""
					}, extensions...)
					pool := NewPool(server.address("smtp", "", ""), 1, patience(fault.what))
					acquired, err := attempt(t.Context(), pool, sample())
					_ = pool.Close()
					_, accepted, dots := server.history()
					got := outcome(err)

					if want := expected(fault.name, place); got != want {
						t.Errorf("the sender is told %q, want %q (%v)", got, want, err)
					}
					if acquired != (place != "greeting" && place != "EHLO") {
						t.Errorf("acquired: %t (%v)", acquired, err)
					}
					if got == "safe" && dots > 0 {
						t.Error("told that a second attempt is safe, while the dot had arrived")
					}
					if (got == "sent") != (len(accepted) == 1) && got != "uncertain" && fault.name != "wrong code" {
						t.Errorf("told %q, while the server accepted %d letters", got, len(accepted))
					}
				})
			}
		}
	}
}

// expected answers what a sender must be told. A short letter has wholly left before the server stops reading it, so
// a fault in its body can only show as a missing answer to the dot.
func expected(fault, place string) string {
	silent := "safe"
	if place == "dot" || place == "body" {
		silent = "uncertain"
	}
	at := place
	if place == "body" || place == "dot" {
		at = "message"
	}
	switch fault {
	case "temporary", "goodbye":
		return "refused for now at " + at
	case "permanent":
		return "refused at " + at
	case "wrong code":
		switch place {
		case "EHLO", "RCPT", "MAIL", "DATA", "greeting":
			return "safe"
		}
		return "sent" // any 2xx accepts
	}
	return silent
}

// TestLongLetterBreaksBeforeTheDot: a letter larger than every buffer cannot have left when the server stops reading.
func TestLongLetterBreaksBeforeTheDot(t *testing.T) {
	t.Parallel()
	long := sample()
	long.HTML = strings.Repeat("<p>"+strings.Repeat("long ", 200)+"</p>\n", 16<<10)
	for _, fault := range []string{drop, reset, hang} {
		ctx, cancel := context.WithCancel(t.Context())
		told := make(chan struct{})
		server := startFaultServer(t, func(_ int, place string) string {
			if place != "body" {
				return ""
			}
			if fault == hang {
				// Nothing else ends this one. The server reads nothing more until the sender was told, or the whole
				// letter might slip through before the end of ctx is noticed.
				cancel()
				<-told
			}
			return fault
		})
		pool := NewPool(server.address("smtp", "", ""), 1)
		_, err := attempt(ctx, pool, long)
		close(told)
		cancel()
		_ = pool.Close()
		_, _, dots := server.history()
		if outcome(err) != "safe" || dots != 0 {
			t.Errorf("%s: told %q (%v) and the server saw %d dots", fault, outcome(err), err, dots)
		}
	}
}

// TestContextEndsWhileTheAnswerIsAwaited: after the dot the end of ctx leaves the letter uncertain, before it safe.
func TestContextEndsWhileTheAnswerIsAwaited(t *testing.T) {
	t.Parallel()
	for place, want := range map[string]string{"MAIL": "safe", "DATA": "safe", "dot": "uncertain"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("the process is stopping")
		server := startFaultServer(t, func(_ int, at string) string {
			if at == place {
				cancel(cause)
				return hang
			}
			return ""
		})
		pool := NewPool(server.address("smtp", "", ""), 1)
		_, err := attempt(ctx, pool, sample())
		_ = pool.Close()
		if outcome(err) != want || !errors.Is(err, cause) {
			t.Errorf("%s: told %q (%v), want %q with the cause", place, outcome(err), err, want)
		}
	}
}

func TestRefusalSaysWhatTheServerSaid(t *testing.T) {
	t.Parallel()
	server := startFaultServer(t, func(_ int, place string) string {
		if place == "RCPT" {
			return "550-5.1.1 no such\r\n550 5.1.1 user\there"
		}
		return ""
	})
	pool := NewPool(server.address("smtp", "", ""), 1)
	_, err := attempt(t.Context(), pool, sample())
	_ = pool.Close()
	var refusal *Refusal
	if !errors.As(err, &refusal) || *refusal != (Refusal{550, "5.1.1", "no such user here", "RCPT", false}) {
		t.Errorf("got %+v", err)
	}
}

// TestPipelinedRefusalNeverDelivers: a server that asks for the message although it refused the recipient gets none.
func TestPipelinedRefusalNeverDelivers(t *testing.T) {
	t.Parallel()
	server := startFaultServer(t, func(connection int, place string) string {
		if connection == 0 && place == "RCPT" {
			return "452 4.2.2 mailbox full"
		}
		return ""
	}, "PIPELINING")
	pool := NewPool(server.address("smtp", "", ""), 1)
	_, err := attempt(t.Context(), pool, sample())
	if outcome(err) != "refused for now at RCPT" {
		t.Errorf("told %q (%v)", outcome(err), err)
	}
	_, err = attempt(t.Context(), pool, sample())
	if err != nil {
		t.Errorf("the next letter: %v", err)
	}
	_ = pool.Close()
	_, accepted, dots := server.history()
	if len(accepted) != 1 || dots != 1 {
		t.Errorf("the server accepted %d letters and saw %d dots, want one of each", len(accepted), dots)
	}
}
