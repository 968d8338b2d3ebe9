package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"sollecito/internal/sandbox"
)

func sandboxCommand(p program, args []string) error {
	u := newUsage("sandbox [--listen HOST:PORT] [--smtp HOST:PORT]", "Runs a make-believe Stripe and a mail server that delivers nothing. It prints the settings with which `sollecito serve`\n"+
		"works against them, one SOLLECITO_NAME=value per line, and keeps running. Port 0 takes a free port.\n"+
		"Mails caught are at /inbox.json. Register the portal with POST /v1/webhook_endpoints, as at Stripe.\n"+
		"What Stripe has no call for is ordered with a secret key below /sandbox/, as forms:\n"+
		"  fail          customer, decline_code                   a renewal fails now\n"+
		"  renew         customer                                 a renewal comes now\n"+
		"  pay           invoice, out_of_band=1                   an invoice is paid elsewhere, or outside Stripe\n"+
		"  part_payment  invoice, amount                          a part of it is paid\n"+
		"  card_update   payment_method, exp_month, exp_year      the network sends a card's new date\n"+
		"  disputes      charge, reason                           a payment is disputed (inquiry, debit_not_authorized, ...)\n"+
		"  delivery      late, double, shuffle, drop              webhooks misbehave, each so many in a hundred\n"+
		"  outage        status=500|503|429|timeout|lost, count   the next calls fail\n"+
		"A dispute is won or lost by the evidence winning_evidence or losing_evidence, as at Stripe.")
	listen := u.String("listen", "127.0.0.1:12111", "`address` of the make-believe Stripe")
	smtp := u.String("smtp", "127.0.0.1:12525", "`address` of the mail server")
	err := u.parseNone(p, args)
	if err != nil {
		return err
	}
	ctx, stop := untilHangUp(p.ctx)
	defer stop()
	return runSandbox(ctx, p, *listen, *smtp)
}

func runSandbox(ctx context.Context, p program, listen, smtp string) error {
	front, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --listen", err)
	}
	post, err := net.Listen("tcp", smtp)
	if err != nil {
		return errors.Join(fmt.Errorf("%w; choose another address with --smtp", err), front.Close())
	}
	log := newLogger(p.err, "text", slog.LevelWarn)
	catcher := sandbox.NewCatcher(time.Now, log)
	address := "http://" + reachedAt(front)
	stripe := sandbox.New(sandbox.Options{Now: time.Now, Logger: log, PublicURL: address, AutoTick: true, MerchantName: sandboxMerchant})
	stripe.SetCatcher(catcher)
	server := &http.Server{Handler: stripe.Handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(front) }()
	go func() { ended <- catcher.Serve(post) }()
	err = printSettings(p.out, settingsFor(stripe, address, reachedAt(post)))
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-ended:
		}
	}
	stripe.Close()
	return errors.Join(err, server.Close(), catcher.Close())
}

// reachedAt is the host and port a listener is reached at from this machine.
func reachedAt(l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return l.Addr().String()
	}
	ip := net.ParseIP(host)
	if ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

const sandboxMerchant = "Lumen"

type setting struct{ name, value string }

// settingsFor is a complete set of settings for serve. No value holds a space or anything else that a shell would
// read, so the lines are an environment file for every program that takes one.
func settingsFor(s *sandbox.Server, address, smtp string) []setting {
	return []setting{
		{"LISTEN", "127.0.0.1:8080"},
		{"BASE_URL", "http://127.0.0.1:8080"},
		{"STRIPE_SECRET_KEY", s.SecretKey()},
		{"STRIPE_PUBLISHABLE_KEY", s.PublishableKey()},
		{"STRIPE_WEBHOOK_SECRET", s.WebhookSecret()},
		{"STRIPE_API_URL", address},
		{"STRIPE_JS_URL", address + "/v3/"},
		{"STRIPE_EMAILS", "off"},
		{"SMTP_URL", "smtp://" + smtp},
		{"TEST_RECIPIENT", "*"},
		{"MAIL_FROM", "billing@lumen.example"},
		{"MERCHANT_NAME", sandboxMerchant},
		{"MERCHANT_ADDRESS", "Lumen-Srl,Via-Tortona-31,20144-Milano,Italy"},
		{"SUPPORT_EMAIL", "support@lumen.example"},
		{"SESSION_KEY", randomKey()},
		{"EMBED_SECRET", randomKey()},
		{"EMBED_ORIGINS", "http://127.0.0.1:8080"},
	}
}

func randomKey() string {
	raw := make([]byte, 32)
	rand.Read(raw) // never fails: the runtime ends the program when the system has no randomness
	return hex.EncodeToString(raw)
}

func printSettings(w io.Writer, settings []setting) error {
	for _, s := range settings {
		_, err := fmt.Fprintf(w, "SOLLECITO_%s=%s\n", s.name, s.value)
		if err != nil {
			return fmt.Errorf("print the settings: %w", err)
		}
	}
	return nil
}
