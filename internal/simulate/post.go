package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"
)

// post is the mail server: it keeps what it took, with the final dot, and sometimes does not say so.
type post struct {
	w    *world
	dice *rand.Rand // for letters to staff
	dead bool
	keep bool                    // what was written
	wire func(net.Conn) net.Conn // what the portal's end goes through; nil for nothing

	mu    sync.Mutex
	taken []letter
}

// letter is one mail after the final dot.
type letter struct {
	at     time.Time
	to, id string
	speaks string // its language
	stop   string // where one press stops further ones, "" for nowhere
	reply  string // where an answer goes
	sender string // where it comes back to
	text   string // as it came, when the post office keeps it
}

func newPost(w *world) *post { return &post{w: w, dice: rand.New(rand.NewPCG(w.play.seed*8+6, 0))} }

// Dial answers a connection to the mail server.
func (p *post) Dial(context.Context) (net.Conn, error) {
	if p.dead || p.w.postIsDown() {
		return nil, errors.New("connection refused")
	}
	ours, theirs := net.Pipe()
	go p.serve(theirs)
	if p.wire != nil {
		return p.wire(ours), nil
	}
	return ours, nil
}

// postIsDown reports whether the mail server has one of its bad half days.
func (w *world) postIsDown() bool {
	return w.play.faults.silentPost && w.at.YearDay()%40 == 11 && w.at.Hour() < 16
}

// fresh answers what was taken since the last time.
func (p *post) fresh() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.taken
	p.taken = nil
	return taken
}

// serve speaks SMTP (RFC 5321) on one connection until its end.
func (p *post) serve(wire net.Conn) {
	defer wire.Close()
	in := bufio.NewReader(wire)
	say := func(line string) { _, _ = fmt.Fprintf(wire, "%s\r\n", line) } // a client that has gone is noticed when reading
	say("220 post.example ESMTP")
	from, to := "", ""
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-post.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8")
		case "RCPT":
			_, rest, _ = strings.Cut(rest, "<")
			to, _, _ = strings.Cut(rest, ">")
			if chance(p.diceFor(to), p.w.play.faults.refused) {
				to = ""
				say("451 4.3.0 Try again later")
				continue
			}
			say("250 2.1.5 OK")
		case "DATA":
			if to == "" {
				say("503 5.5.1 No recipients")
				continue
			}
			say("354 Go ahead")
			l := letter{at: p.w.at, to: to, sender: from}
			err := l.read(in, p.keep)
			if err != nil {
				return
			}
			p.mu.Lock()
			p.taken = append(p.taken, l)
			p.mu.Unlock()
			if chance(p.diceFor(to), p.w.play.faults.dropped) {
				return
			}
			say("250 2.0.0 Taken")
		case "MAIL":
			_, rest, _ = strings.Cut(rest, "<")
			from, _, _ = strings.Cut(rest, ">")
			say("250 2.1.0 OK")
		case "RSET", "NOOP":
			say("250 2.0.0 OK")
		case "QUIT":
			say("221 2.0.0 Bye")
			return
		default:
			say("502 5.5.2 What?")
		}
	}
}

func (p *post) diceFor(to string) *rand.Rand {
	c := p.w.addressed[to]
	if c == nil {
		return p.dice
	}
	return c.letters
}

// read reads to the final dot and keeps what the head says, and all of it when it shall be kept.
func (l *letter) read(in *bufio.Reader, keep bool) error {
	head := true
	name, values := "", map[string]string{}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if string(line) == ".\r\n" {
			l.id, l.speaks = strings.Trim(values["Message-ID"], "<> "), strings.TrimSpace(values["Content-Language"])
			l.reply = strings.TrimSpace(values["Reply-To"])
			l.stop = strings.Trim(values["List-Unsubscribe"], "<> ")
			return nil
		}
		if keep {
			l.text += string(line)
		}
		head = head && len(line) > 2
		if !head {
			continue
		}
		text := strings.TrimRight(string(line), "\r\n")
		more, folded := strings.CutPrefix(text, " ")
		if folded {
			values[name] += more
			continue
		}
		name, text, _ = strings.Cut(text, ":")
		values[name] = text
	}
}
