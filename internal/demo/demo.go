package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sollecito/internal/config"
	"sollecito/internal/link"
	"sollecito/internal/portal"
	"sollecito/internal/sandbox"
)

// keepEvery is how old, in real time, what is written down may grow while much happens.
const keepEvery = 200 * time.Millisecond

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

// build makes everything that the demo consists of, in the order in which one needs the other.
func (d *Demo) build() error {
	front, err := net.Listen("tcp", d.options.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; choose another address with --listen HOST:PORT", d.options.Listen, err)
	}
	host, port := reachedAt(front)
	d.base = "http://" + net.JoinHostPort(host, port)
	d.stops = append(d.stops, func() error { return ignoreClosed(front.Close()) })
	err = d.openFolder()
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(merchantZone)
	if err != nil {
		return err
	}
	rec := d.memory.record()
	offset := rec.Offset
	if !rec.Seeded {
		offset = opening(curtainTime(d.options.Real(), zone)).Sub(d.options.Real())
	}
	d.clock = NewClock(d.options.Real, offset)
	mailServer, err := d.openMailbox()
	if err != nil {
		return err
	}
	err = d.openSandbox(host, rec)
	if err != nil {
		return err
	}
	err = d.openPortal(mailServer)
	if err != nil {
		return err
	}
	routes, err := d.routes()
	if err != nil {
		return err
	}
	serving, quit := context.WithCancel(context.WithoutCancel(d.life))
	served := make(chan struct{})
	d.stops = append(d.stops, func() error {
		quit()
		<-served
		return nil
	})
	go func() {
		defer close(served)
		err := d.portal.Serve(serving, front, d.byItsOwnName(front.Addr(), routes))
		if err != nil {
			d.end(fmt.Errorf("serve %s: %w", d.base, err))
		}
	}()
	d.built = true
	return nil
}

// reachedAt is the host and port people and programs reach a listener at. One that listens on every address of the
// machine is reached by the machine's own name for itself.
func reachedAt(l net.Listener) (host, port string) {
	host, port, _ = net.SplitHostPort(l.Addr().String())
	ip := net.ParseIP(host)
	if ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return host, port
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (d *Demo) openFolder() error {
	folder := d.options.Data
	if folder == "" {
		made, err := os.MkdirTemp("", "sollecito-demo-")
		if err != nil {
			return fmt.Errorf("make a temporary folder: %w; name one with --data", err)
		}
		folder = made
		d.stops = append(d.stops, func() error { return os.RemoveAll(made) })
	}
	var err error
	d.memory, err = openMemory(folder, d.options.Data != "")
	return err
}

// openMailbox begins to catch mails and answers the address of their server.
func (d *Demo) openMailbox() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen for mails: %w", err)
	}
	d.catcher = sandbox.NewCatcher(d.clock.Now, d.log)
	d.work.Go(func() {
		err := d.catcher.Serve(l)
		if err != nil {
			d.end(err)
		}
	})
	d.stops = append(d.stops, d.catcher.Close)
	path := ""
	if d.options.Data != "" {
		path = d.memory.path(mailsFile)
	}
	d.mailbox, err = openMailbox(d.catcher, path)
	return "smtp://" + l.Addr().String() + "?starttls=never", err
}

// openSandbox sets the stand-in going on an address of its own, the one it had before when that is free.
func (d *Demo) openSandbox(host string, rec record) error {
	bind, _, err := net.SplitHostPort(d.options.Listen)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(bind, portOf(rec.Stripe)))
	if err != nil {
		l, err = net.Listen("tcp", net.JoinHostPort(bind, "0"))
	}
	if err != nil {
		return fmt.Errorf("listen for the stand-in: %w", err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return err
	}
	address := "http://" + net.JoinHostPort(host, port)
	d.sandbox = sandbox.New(sandbox.Options{Now: d.clock.Now, Logger: d.log, PublicURL: address, AutoTick: true, MerchantName: merchantName})
	d.sandbox.SetCatcher(d.catcher)
	d.stripe = newAccount(address, d.sandbox.SecretKey())
	server := &http.Server{Handler: d.byItsOwnName(l.Addr(), d.sandbox.Handler()), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelDebug)}
	d.work.Go(func() {
		err := server.Serve(l)
		if !errors.Is(err, http.ErrServerClosed) {
			d.end(fmt.Errorf("serve the stand-in: %w", err))
		}
	})
	d.stops = append(d.stops, func() error {
		d.sandbox.Close()
		err := server.Close()
		if d.built { // what was not read whole must not be written over
			err = errors.Join(err, d.keep())
		}
		return err
	})
	if !rec.Seeded {
		return nil
	}
	err = d.sandbox.Load(strings.NewReader(string(rec.Sandbox)))
	if err != nil {
		return fmt.Errorf("%w: name another folder with --data", err)
	}
	return nil
}

func portOf(address string) string {
	_, port, err := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
	if err != nil {
		return "0"
	}
	return port
}

// lumenLogo is the make-believe company's.
//
//go:embed logo.png
var lumenLogo []byte

// openPortal puts the real program together, with settings as an installation would have them.
func (d *Demo) openPortal(mailServer string) error {
	logo := d.memory.path(logoFile)
	err := os.WriteFile(logo, lumenLogo, 0o600)
	if err != nil {
		return fmt.Errorf("keep the company's logo: %w", err)
	}
	settings := map[string]string{
		"BRAND_LOGO": logo,
		"LISTEN":     d.options.Listen, "BASE_URL": "http://localhost", "DATABASE_URL": "sqlite:" + d.memory.path(databaseFile),
		"STRIPE_SECRET_KEY": d.sandbox.SecretKey(), "STRIPE_PUBLISHABLE_KEY": d.sandbox.PublishableKey(),
		"STRIPE_WEBHOOK_SECRET": d.sandbox.WebhookSecret(), "STRIPE_API_URL": d.stripe.base, "STRIPE_JS_URL": d.stripe.base + "/v3/",
		"STRIPE_EMAILS": "off", "SMTP_URL": mailServer, "TEST_RECIPIENT": "*", "MAIL_FROM": merchantFrom,
		"MERCHANT_NAME": merchantName, "MERCHANT_ADDRESS": merchantAddress, "SUPPORT_EMAIL": supportEmail,
		"HOME_URL": d.base + "/demo/app", "DEFAULT_ZONE": merchantZone, "SESSION_KEY": d.memory.sessionKey(), "EMBED_SECRET": d.embed,
		"EMBED_ORIGINS": d.base, "BEFORE_FAILURE": "all", "LATE_INTEREST": "on",
	}
	nothing := func(string) (string, bool) { return "", false } // the demo is the same whatever the environment says
	c, err := config.Read(nothing, settings)
	if err != nil {
		return err
	}
	err = c.Check()
	if err != nil {
		return err
	}
	// An installation off this machine must be reached over TLS; a demo may be shown without, after a warning.
	c.BaseURL = d.base
	d.portal, err = portal.New(d.life, c, portal.Surroundings{Now: d.clock.Now, Real: d.options.Real, Log: d.log, Demo: true, Rate: ownStripe})
	if err != nil {
		return err
	}
	d.stops = append(d.stops, d.portal.Close)
	return nil
}

// play connects the portal to the stand-in, tells the story if it has not been told, and then keeps the demo going.
func (d *Demo) play() {
	err := d.rise()
	if err != nil && d.life.Err() == nil {
		d.end(err)
	}
	if err != nil {
		return
	}
	often := time.NewTicker(time.Second)
	defer often.Stop()
	for {
		select {
		case <-d.life.Done():
			return
		case <-often.C:
		}
		err = d.keepUnlessMoving()
		if err != nil {
			d.log.Error("the demo could not be kept", "err", err)
		}
	}
}

func (d *Demo) rise() error {
	ctx := d.life
	err := d.connect(ctx)
	if err != nil {
		return fmt.Errorf("connect the portal to the stand-in: %w", err)
	}
	if !d.memory.seeded() {
		err = d.memory.begin()
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(merchantZone)
		if err != nil {
			return err
		}
		d.moving.Lock()
		err = d.seed(ctx, curtainTime(d.options.Real(), zone))
		d.moving.Unlock()
		if err != nil {
			return fmt.Errorf("play the story: %w", err)
		}
	}
	if d.memory.record().Secret == "" { // a folder from before staff had a second factor
		err = d.hire(ctx)
		if err != nil {
			return err
		}
	}
	err = d.portal.Start(ctx)
	if err != nil {
		return err
	}
	d.risen.Store(true)
	return nil
}

// connect has the stand-in send its events to the portal. The address of an earlier run is given up.
func (d *Demo) connect(ctx context.Context) error {
	webhook := d.base + "/webhooks/stripe"
	before := d.memory.record().Webhook
	if before != "" && before != webhook {
		endpoints, err := d.stripe.call(ctx, http.MethodGet, "/v1/webhook_endpoints", form{"limit": "100"})
		if err != nil {
			return err
		}
		for _, e := range endpoints.Data {
			if e.URL != before {
				continue
			}
			_, err = d.stripe.call(ctx, http.MethodDelete, "/v1/webhook_endpoints/"+e.ID, nil)
			if err != nil {
				return err
			}
		}
	}
	_, err := d.portal.Stripe.EnsureEndpoint(ctx, webhook)
	if err != nil {
		return err
	}
	d.memory.setAddresses(webhook, d.stripe.base)
	return nil
}

// keep writes down how everything stands.
func (d *Demo) keep() error {
	d.kept = d.options.Real()
	return errors.Join(d.memory.write(d.clock.Offset(), d.sandbox), d.mailbox.keep())
}

// keepSometimes is keep for what comes many times in a second, the steps of a walk.
func (d *Demo) keepSometimes() error {
	since := d.options.Real().Sub(d.kept)
	if since >= 0 && since < keepEvery {
		return nil
	}
	return d.keep()
}

// keepUnlessMoving leaves it to a move under way to keep what it does.
func (d *Demo) keepUnlessMoving() error {
	if !d.moving.TryLock() {
		return nil
	}
	defer d.moving.Unlock()
	return d.keep()
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
