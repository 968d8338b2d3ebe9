package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"sollecito/internal/link"
	"sollecito/internal/portal"
	"sollecito/internal/sandbox"
)

// Options make a Demo.
type Options struct {
	Listen string           // HOST:PORT; port 0 takes a free one
	Data   string           // folder in which the demo is kept and goes on; "" for a temporary one
	Real   func() time.Time // the real clock; nil is time.Now
	Log    *slog.Logger
}

// Demo is a running demo. Its pages are below /demo, beside the portal's own on the same address.
type Demo struct {
	options Options
	base    string // the address it is reached at, without a final slash
	clock   *Clock
	log     *slog.Logger

	portal  *portal.Portal
	sandbox *sandbox.Server
	catcher *sandbox.Catcher
	stripe  *account
	mailbox *mailbox
	memory  *memory
	embed   string // secret that signs the notice's tokens
	door    string // address at which mail comes in to the portal
	flashes flashes

	moving sync.Mutex  // one move of the clock, and one keeper, at a time
	kept   time.Time   // when everything was last written down, in real time
	built  bool        // everything stands; what is kept may be written
	risen  atomic.Bool // the story has been told and people may come in

	life  context.Context // ends when the demo is to end
	end   context.CancelCauseFunc
	work  sync.WaitGroup
	stops []func() error // in the order in which they were made; run from the last
}

// Start opens the demo's addresses and answers at once; the story is played in the background, and until it has been
// state.json answers 503. The demo runs until ctx ends or something it cannot go on without fails; Wait tells.
func Start(ctx context.Context, o Options) (*Demo, error) {
	if o.Real == nil {
		o.Real = time.Now
	}
	d := &Demo{options: o, log: o.Log, embed: link.NewToken()}
	d.life, d.end = context.WithCancelCause(ctx)
	err := d.build()
	if err != nil {
		d.end(err)
		return nil, errors.Join(err, d.stop())
	}
	played := make(chan struct{})
	d.stops = append(d.stops, func() error {
		<-played
		return nil
	})
	go func() {
		defer close(played)
		d.play()
	}()
	return d, nil
}

// Base is the address the demo is reached at, as http://127.0.0.1:8080.
func (d *Demo) Base() string { return d.base }

// Wait answers when the demo has ended and everything it began is closed: nil when ctx ended it.
func (d *Demo) Wait() error {
	<-d.life.Done()
	cause := context.Cause(d.life)
	if errors.Is(cause, context.Canceled) {
		cause = nil
	}
	return errors.Join(cause, d.stop())
}

// Exposed reports whether an address to listen on can be reached from other machines.
func Exposed(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host != "localhost" && (ip == nil || !ip.IsLoopback())
}

// stop closes everything from the last to the first.
func (d *Demo) stop() error {
	var faults []error
	for len(d.stops) > 0 {
		last := len(d.stops) - 1
		faults = append(faults, d.stops[last]())
		d.stops = d.stops[:last]
	}
	d.work.Wait()
	return errors.Join(faults...)
}

// Welcome writes what people need to know to begin.
func (d *Demo) Welcome(w io.Writer) error {
	kept := "It is all gone when you stop it (Ctrl-C); --data FOLDER keeps it."
	if d.options.Data != "" {
		kept = "It is kept in " + d.options.Data + " and goes on from there next time."
	}
	_, err := fmt.Fprintf(w, `Sollecito, on a stage. Open:

    %s/demo

A make-believe company with its own Stripe, its own mailbox and a clock you can
move. Nothing leaves this machine, no mail goes out, no money moves.
%s
`, d.base, kept)
	return err
}
