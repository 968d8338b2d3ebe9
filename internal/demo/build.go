package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"sollecito/internal/config"
	"sollecito/internal/portal"
	"sollecito/internal/sandbox"
)

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
	err := os.MkdirAll(folder, 0o700)
	if err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	held, err := hold(folder)
	if err != nil {
		return err
	}
	d.stops = append(d.stops, held.Close)
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
	rates := d.memory.path(ratesFile)
	err = os.WriteFile(rates, []byte(stageRates(d.clock.Now())), 0o600)
	if err != nil {
		return fmt.Errorf("keep the stage's rates: %w", err)
	}
	settings := map[string]string{
		"BRAND_LOGO": logo, "INTEREST_RATES": rates,
		"LISTEN": d.options.Listen, "BASE_URL": "http://localhost", "DATABASE_URL": "sqlite:" + d.memory.path(databaseFile),
		"STRIPE_SECRET_KEY": d.sandbox.SecretKey(), "STRIPE_PUBLISHABLE_KEY": d.sandbox.PublishableKey(),
		"STRIPE_WEBHOOK_SECRET": d.sandbox.WebhookSecret(), "STRIPE_API_URL": d.stripe.base, "STRIPE_JS_URL": d.stripe.base + "/v3/",
		"STRIPE_EMAILS": "off", "SMTP_URL": mailServer, "TEST_RECIPIENT": "*", "MAIL_FROM": merchantFrom,
		"MERCHANT_NAME": merchantName, "MERCHANT_ADDRESS": merchantAddress, "SUPPORT_EMAIL": supportEmail,
		"HOME_URL": d.base + "/demo/app", "DEFAULT_ZONE": merchantZone, "SESSION_KEY": d.memory.sessionKey(), "EMBED_SECRET": d.embed,
		"EMBED_ORIGINS": d.base, "BEFORE_FAILURE": "all", "LATE_INTEREST": "on",
		"INBOUND_ADDRESS": inboundAddress, "INBOUND_LISTEN": "127.0.0.1:0",
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
	return d.openDoor()
}
