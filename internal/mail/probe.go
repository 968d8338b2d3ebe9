package mail

import (
	"context"
	"time"
)

// Seen is what a connection to the server showed.
type Seen struct {
	Encrypted bool
	Expires   time.Time // of the server's certificate; zero without TLS
	SignedIn  bool      // it took our credentials; false when we have none
}

// Probe connects, encrypts and signs in as for a letter, asks the server for nothing (NOOP) and says goodbye. No
// letter is sent. A *Refusal it returns holds the server's own words.
func (p *Pool) Probe(ctx context.Context) (Seen, error) {
	c, err := p.open(ctx)
	if err != nil {
		return Seen{}, err
	}
	defer c.bye()
	defer c.obey(ctx)()
	c.allow(ctx, p.timeouts.Probe)
	err = c.client.Noop()
	if err != nil {
		return Seen{}, stepError(ctx, "NOOP", err)
	}
	seen := Seen{SignedIn: p.server.user != ""}
	state, encrypted := c.client.TLSConnectionState()
	if encrypted && len(state.PeerCertificates) > 0 {
		seen.Encrypted, seen.Expires = true, state.PeerCertificates[0].NotAfter
	}
	return seen, nil
}
