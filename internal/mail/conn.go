package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

// Conn is one connection to the server, held by one caller from Pool.Acquire to Pool.Release.
type Conn struct {
	pool      *Pool
	wire      net.Conn
	encrypted *tls.Conn // over wire; nil in plain text
	speech    speech
	offers    map[string][]string // what the server can do beyond RFC 5321, by upper-case name, with its parameters

	pipelining bool
	utf8       bool
	sent       int  // letters accepted on this connection
	broken     bool // nothing more can be said on it
	unfinished bool // a transaction was begun and refused; RSET is due
	held       bool // between Acquire and Release; the pool's lock guards it
	idle       *time.Timer
	idleSince  time.Time
}

// Hand hands over one packed letter. What it returns says where the letter is:
//
//   - nil: the server has it; it answered the final dot with 250.
//   - a *Refusal: the server said no, for now (Temporary) or for good.
//   - ErrUncertain: the dot was sent and the connection, the wait or ctx ended before an answer.
//   - any other error: the connection or ctx ended before the dot. The server does not have the letter and it is
//     safe to send it again.
//
// A connection that broke at an earlier letter, or that the server closed while it lay idle, is opened anew, once.
func (c *Conn) Hand(ctx context.Context, p Post) error {
	used := c.broken || c.sent > 0 || !c.idleSince.IsZero()
	answered, err := c.transact(ctx, p.envelope, p.message)
	if err == nil || answered || !used || ctx.Err() != nil {
		return err
	}
	err = c.reopen(ctx)
	if err != nil {
		return err
	}
	_, err = c.transact(ctx, p.envelope, p.message)
	return err
}

// reopen replaces a dead connection by a new one. A refusal met on the way (a full server, a changed password) is
// about the connection, so it is told as a failure to connect and not as a *Refusal, which would be about the letter.
func (c *Conn) reopen(ctx context.Context) error {
	c.hangUp()
	fresh, err := c.pool.open(ctx)
	if ctx.Err() != nil {
		return lost(ctx, "open the connection anew", err)
	}
	if err != nil {
		return fmt.Errorf("open the connection anew: %v", err)
	}
	c.wire, c.encrypted, c.speech, c.offers = fresh.wire, fresh.encrypted, fresh.speech, fresh.offers
	c.pipelining, c.utf8 = fresh.pipelining, fresh.utf8
	c.sent, c.broken, c.unfinished, c.idleSince = 0, false, false, time.Time{}
	return nil
}

// transact speaks one mail transaction. answered reports whether the server reacted to it at all: otherwise the
// connection was dead before the letter came into it.
func (c *Conn) transact(ctx context.Context, e envelope, message []byte) (answered bool, err error) {
	if c.broken {
		return false, errors.New("hand over a letter: the connection is closed")
	}
	err = ctx.Err()
	if err != nil {
		return true, fmt.Errorf("hand over a letter: %w", err)
	}
	if e.utf8 && !c.utf8 {
		return true, &Refusal{Code: 553, Enhanced: "5.6.7", Place: "MAIL", Text: "the server takes no addresses outside ASCII"}
	}
	if c.unfinished {
		err = c.reset(ctx)
		if err != nil {
			return false, err
		}
	}
	defer c.obey(ctx)()

	answered, err = c.announce(ctx, e)
	if err != nil {
		return answered, err
	}
	return true, c.deliver(ctx, message)
}

// announce sends MAIL, RCPT and DATA, at once where the server takes them so (RFC 2920), and returns nil when the
// server waits for the message.
func (c *Conn) announce(ctx context.Context, e envelope) (answered bool, err error) {
	parameters := ""
	if e.utf8 {
		parameters = " SMTPUTF8"
	}
	commands := []struct {
		place  string
		line   string
		expect int // the code, or its leading digits
	}{
		{"MAIL", "MAIL FROM:<" + e.from + ">" + parameters, 250},
		{"RCPT", "RCPT TO:<" + e.to + ">", 25},
		{"DATA", "DATA", 354},
	}
	if c.pipelining {
		err = c.say(ctx, commands[0].line, commands[1].line, commands[2].line)
		if err != nil {
			return false, err
		}
	}
	var refused *Refusal // the first no; those to the rest of a pipeline only follow from it
	waiting := false     // the server asked for the message
	for _, command := range commands {
		if !c.pipelining {
			err = c.say(ctx, command.line)
			if err != nil {
				return answered, err
			}
		}
		refusal, err := c.hear(ctx, command.place, command.expect)
		if err != nil && refused == nil {
			return answered, err
		}
		waiting = err == nil && refusal == nil
		// As the very first answer, 421 is the goodbye of a server that tired of waiting, said before it read MAIL.
		answered = answered || refusal == nil || refusal.Code != 421
		if refused == nil {
			refused = refusal
		}
		if refused != nil && (c.broken || !c.pipelining) {
			break
		}
	}
	if refused == nil {
		return true, nil
	}
	c.unfinished = true
	if waiting {
		// It waits for a message it already refused, and must not get one, not even an empty one.
		c.hangUp()
	}
	return answered, refused
}

// say sends lines in one write.
func (c *Conn) say(ctx context.Context, lines ...string) error {
	c.allow(ctx, c.pool.timeouts.Command)
	err := c.speech.say(lines...)
	if err != nil {
		return c.lost(ctx, "send a command", err)
	}
	return nil
}

// hear reads one answer: nil and nil when it is the expected one, a refusal when it is a no, an error, with the
// connection closed, when there is no answer that makes sense.
func (c *Conn) hear(ctx context.Context, place string, expect int) (*Refusal, error) {
	_, refusal, err := c.listen(ctx, place, expect)
	return refusal, err
}

// listen is hear for those who want the answer's text as well.
func (c *Conn) listen(ctx context.Context, place string, expect ...int) (answer, *Refusal, error) {
	a, err := c.speech.hear()
	if err != nil {
		return answer{}, nil, c.lost(ctx, "wait for the answer to "+place, err)
	}
	if slices.ContainsFunc(expect, a.is) {
		return a, nil, nil
	}
	refusal := a.refusal(place)
	if refusal == nil {
		return answer{}, nil, c.lost(ctx, "wait for the answer to "+place, fmt.Errorf("the server says %d", a.code))
	}
	if refusal.Code == 421 {
		c.hangUp()
	}
	return a, refusal, nil
}

// ask says one command of the dialogue before any letter and answers what the server said to it, its no as an error.
func (c *Conn) ask(ctx context.Context, place, line string, expect ...int) (answer, error) {
	err := c.say(ctx, line)
	if err != nil {
		return answer{}, err
	}
	a, refusal, err := c.listen(ctx, place, expect...)
	if err == nil && refusal != nil {
		err = refusal
	}
	return a, err
}

// deliver writes the message and waits for the answer to the final dot. The message and its dot go out in one
// write: when that write fails, the operating system did not take its last byte, so the server cannot have seen the
// dot. Once it succeeds, only the server's answer can tell.
func (c *Conn) deliver(ctx context.Context, message []byte) error {
	if c.speech.r.Buffered() > 0 {
		// An answer to a question not yet asked could be mistaken for the one to the dot.
		return c.lost(ctx, "hand over a letter", errors.New("the server answers out of turn"))
	}
	c.allow(ctx, c.pool.timeouts.Command)
	_, _ = c.speech.w.Write(dotted(message))
	err := c.speech.w.Flush()
	if err != nil {
		return c.lost(ctx, "write the message", err)
	}
	c.allow(ctx, c.pool.timeouts.Acceptance)
	refusal, err := c.hear(ctx, "message", 2)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUncertain, err)
	}
	if refusal != nil {
		return refusal
	}
	c.sent++
	return nil
}

// dotted answers the message as it stands between 354 and its answer: a dot doubled at the beginning of each line
// that has one (RFC 5321, 4.5.2), and the final dot. It may stand in the room behind the message, which nobody reads.
func dotted(message []byte) []byte {
	if len(message) > 0 && message[0] != '.' && !bytes.Contains(message, []byte("\n.")) {
		return append(message, ".\r\n"...)
	}
	out := make([]byte, 0, len(message)+len(message)/64+3)
	for line := range bytes.Lines(message) {
		if line[0] == '.' {
			out = append(out, '.')
		}
		out = append(out, line...)
	}
	return append(out, ".\r\n"...)
}

// askSoon says a command that costs a server nothing, and waits no longer for its answer than shows that the server lives.
func (c *Conn) askSoon(ctx context.Context, command string) (answer, error) {
	c.allow(ctx, c.pool.timeouts.Probe)
	err := c.speech.say(command)
	if err != nil {
		return answer{}, c.lost(ctx, "send a command", err)
	}
	a, refusal, err := c.listen(ctx, command, 250)
	if err == nil && refusal != nil {
		err = refusal
	}
	return a, err
}

// reset ends a transaction left open and finds out whether the server is still there.
func (c *Conn) reset(ctx context.Context) error {
	defer c.obey(ctx)()
	_, err := c.askSoon(ctx, "RSET")
	if err != nil {
		return c.lost(ctx, "reset the connection", err)
	}
	c.unfinished = false
	return nil
}

// obey ends every wait on the wire when ctx does, until the function it answers is called.
func (c *Conn) obey(ctx context.Context) (stop func()) {
	return obey(ctx, c.wire)
}

func obey(ctx context.Context, wire net.Conn) (stop func()) {
	cut := make(chan struct{})
	forget := context.AfterFunc(ctx, func() {
		// A deadline that cannot be set belongs to a connection that is closed, whose waits have ended anyway.
		_ = wire.SetDeadline(time.Unix(1, 0))
		close(cut)
	})
	return func() {
		if !forget() {
			// Wait for the cut, or it would fall into the connection's next use.
			<-cut
		}
	}
}

// allow gives the next steps on the wire so much time. These are waits for a machine and run on real time.
func (c *Conn) allow(ctx context.Context, d time.Duration) { allow(ctx, c.wire, d) }

func allow(ctx context.Context, wire net.Conn, d time.Duration) {
	_ = wire.SetDeadline(time.Now().Add(d))
	if ctx.Err() != nil {
		// ctx ended between its own cut and the line above, which undid it.
		_ = wire.SetDeadline(time.Unix(1, 0))
	}
}

// lost closes a connection on which something went wrong and answers the error that tells what.
func (c *Conn) lost(ctx context.Context, doing string, err error) error {
	c.hangUp()
	return lost(ctx, doing, err)
}

func lost(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// hangUp closes the connection without a word.
func (c *Conn) hangUp() {
	c.broken = true
	_ = c.wire.Close()
}

// bye closes the connection with QUIT, which a server that does not answer can delay only for a moment.
func (c *Conn) bye() {
	if !c.broken {
		const patience = time.Second
		_ = c.wire.SetDeadline(time.Now().Add(patience))
		err := c.speech.say("QUIT")
		if err == nil {
			_, _ = c.speech.hear()
		}
	}
	c.hangUp()
}
