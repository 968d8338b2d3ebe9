package mail

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Timeouts bound the waits for the server. They run on real time.
type Timeouts struct {
	Dial       time.Duration // for the connection to stand; 10 s
	Command    time.Duration // for the answer to one command, a TLS handshake, or the message to be written; 30 s
	Acceptance time.Duration // for the answer to the final dot; 2 min, since servers scan before they answer
	Probe      time.Duration // for an idle connection to show that it lives; 5 s
}

// Option changes a pool from its defaults.
type Option func(*Pool)

// WithTimeouts sets the timeouts that are not zero.
func WithTimeouts(t Timeouts) Option {
	return func(p *Pool) {
		for _, timeout := range []struct {
			set   *time.Duration
			value time.Duration
		}{
			{&p.timeouts.Dial, t.Dial}, {&p.timeouts.Command, t.Command},
			{&p.timeouts.Acceptance, t.Acceptance}, {&p.timeouts.Probe, t.Probe},
		} {
			if timeout.value > 0 {
				*timeout.set = timeout.value
			}
		}
	}
}

// WithRoots trusts these certificate authorities instead of the system's.
func WithRoots(roots *x509.CertPool) Option { return func(p *Pool) { p.roots = roots } }

// WithHello sets the name given in EHLO; the machine's host name by default.
func WithHello(name string) Option { return func(p *Pool) { p.hello = name } }

// WithDial makes connections another way than by TCP to the server's address.
func WithDial(dial func(ctx context.Context) (net.Conn, error)) Option {
	return func(p *Pool) { p.dial = dial }
}

// WithLettersPerConnection sets after how many letters a connection is replaced; 500 by default. Servers that allow
// fewer say so with 421, which replaces it too.
func WithLettersPerConnection(n int) Option { return func(p *Pool) { p.perConnection = n } }

// WithIdle sets how long an unused connection is kept, one minute by default, and after which idle time it must show
// that it lives before it is used again, two seconds by default.
func WithIdle(keep, probeAfter time.Duration) Option {
	return func(p *Pool) { p.keepIdle, p.probeAfter = keep, probeAfter }
}

// Pool keeps up to a fixed number of connections to one server. They are made when asked for and kept while they are
// used; dialling for each letter would cost several times the letter. A Pool is safe for concurrent use.
type Pool struct {
	server        Server
	timeouts      Timeouts
	roots         *x509.CertPool
	dial          func(context.Context) (net.Conn, error)
	hello         string
	perConnection int
	keepIdle      time.Duration
	probeAfter    time.Duration

	places chan struct{} // one token for each connection handed out
	done   chan struct{} // closed by Close

	mu     sync.Mutex
	idle   []*Conn // the most recently used last
	closed bool
}

// NewPool makes a pool of at most size connections, at least one. It does not connect.
func NewPool(server Server, size int, options ...Option) *Pool {
	p := &Pool{
		server:        server,
		timeouts:      Timeouts{Dial: 10 * time.Second, Command: 30 * time.Second, Acceptance: 2 * time.Minute, Probe: 5 * time.Second},
		hello:         hostName(),
		perConnection: 500,
		keepIdle:      time.Minute,
		probeAfter:    2 * time.Second,
		places:        make(chan struct{}, max(size, 1)),
		done:          make(chan struct{}),
	}
	p.dial = p.dialTCP
	for _, option := range options {
		option(p)
	}
	p.hello = literal(p.hello)
	return p
}

// literal writes a bare address as EHLO wants it (RFC 5321, 4.1.3), for portals that are reached by one: careful servers
// refuse it otherwise. Names stay.
func literal(name string) string {
	ip, err := netip.ParseAddr(name)
	switch {
	case err != nil:
		return name
	case ip.Is6():
		return "[IPv6:" + ip.WithZone("").String() + "]"
	}
	return "[" + ip.String() + "]"
}

// hostName answers the machine's name where it can stand in EHLO.
func hostName() string {
	name, err := os.Hostname()
	if err != nil || !isHostName(name) {
		return "localhost"
	}
	return name
}

func isHostName(name string) bool {
	if name == "" || len(name) > 255 {
		return false
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' {
			return false
		}
	}
	return true
}

// Acquire answers a connection ready for letters, waiting for a free place until ctx ends. Any error, a *Refusal
// included, means that nothing was handed over. ErrClosed is returned after Close. The caller must Release it.
func (p *Pool) Acquire(ctx context.Context) (*Conn, error) {
	select {
	case <-p.done:
		return nil, ErrClosed
	default:
	}
	select {
	case p.places <- struct{}{}:
	case <-p.done:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a mail connection: %w", context.Cause(ctx))
	}
	c, err := p.take(ctx)
	if err != nil {
		<-p.places
		return nil, err
	}
	return c, nil
}

// take answers an idle connection that lives, or a new one.
func (p *Pool) take(ctx context.Context) (*Conn, error) {
	for {
		c, err := p.popIdle()
		if err != nil {
			return nil, err
		}
		if c == nil {
			break
		}
		if !c.unfinished && time.Since(c.idleSince) < p.probeAfter {
			return c, nil
		}
		err = c.reset(ctx)
		if err == nil {
			return c, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
	}
	c, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	c.held = true
	return c, nil
}

// popIdle takes the most recently used idle connection, nil when there is none.
func (p *Pool) popIdle() (*Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	last := len(p.idle) - 1
	if last < 0 {
		return nil, nil
	}
	c := p.idle[last]
	p.idle = p.idle[:last]
	c.idle.Stop()
	c.held = true
	return c, nil
}

// Release gives a connection back. One that broke, was told 421 or has carried its share of letters is closed, and
// the next Acquire makes a new one. Releasing a connection twice does nothing.
func (p *Pool) Release(c *Conn) {
	p.mu.Lock()
	if !c.held {
		p.mu.Unlock()
		return
	}
	c.held = false
	keep := !p.closed && !c.broken && c.sent < p.perConnection
	if keep {
		c.idleSince = time.Now()
		c.idle = time.AfterFunc(p.keepIdle, func() { p.retire(c) })
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		c.bye()
	}
	<-p.places
}

// retire closes a connection that has been idle for too long, unless it was taken in the meantime.
func (p *Pool) retire(c *Conn) {
	p.mu.Lock()
	found := false
	for i, idle := range p.idle {
		if idle == c {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			found = true
			break
		}
	}
	p.mu.Unlock()
	if found {
		c.bye()
	}
}

// Close says goodbye on the idle connections and refuses new ones. Connections in use stay usable and are closed
// when they are released. Closing twice is fine.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	close(p.done)
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()

	var leaving sync.WaitGroup
	for _, c := range idle {
		c.idle.Stop()
		leaving.Go(c.bye)
	}
	leaving.Wait()
	return nil
}
