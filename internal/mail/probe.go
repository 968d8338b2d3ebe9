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
	_, err = c.askSoon(ctx, "NOOP")
	if err != nil {
		return Seen{}, err
	}
	seen := Seen{SignedIn: p.server.user != ""}
	if c.encrypted == nil {
		return seen, nil
	}
	certificates := c.encrypted.ConnectionState().PeerCertificates
	if len(certificates) > 0 {
		seen.Encrypted, seen.Expires = true, certificates[0].NotAfter
	}
	return seen, nil
}
