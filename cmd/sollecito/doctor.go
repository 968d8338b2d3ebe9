package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"sollecito/internal/config"
	"sollecito/internal/doctor"
	"sollecito/internal/gateway"
)

func doctorCommand(p program, args []string) error {
	u := newUsage("doctor [--json] [flags]", "Looks at the installation from all sides: configuration, database, clock, Stripe's key, permissions and webhook\n"+
		"endpoint, the mail server, DNS and the public address. Each finding comes with its mend. It sends no letter and\n"+
		"changes nothing. Run it with the settings of serve. Exit code 0 means that nothing failed.").withSettings()
	asJSON := u.Bool("json", false, "answer as JSON")
	err := u.parseNone(p, args)
	if err != nil {
		return err
	}
	c, faults := u.configuration(p)
	if c.BaseURL == "" {
		c.BaseURL = "http://invalid." // is among the faults; nothing is asked of it
	}
	d := &doctor.Doctor{
		Config: c, Faults: split(faults), Unknown: config.Unknown(os.Environ()), Now: time.Now, Resolver: &net.Resolver{},
		Stripe: gateway.New(gateway.Options{SecretKey: c.StripeKey.Reveal(), APIURL: c.StripeAPI}),
		HTTP: &http.Client{
			Timeout:       10 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	report := d.Examine(p.ctx)
	if *asJSON {
		err = report.PrintJSON(p.out)
	} else {
		err = report.Print(p.out)
	}
	if err != nil {
		return err
	}
	if report.Failed() {
		return errors.New("something will not work as it is; each finding above says how to mend it")
	}
	return nil
}

// warnOfKey says once, after the start, what the key lacks, and that a key which may do everything is more than is
// needed. It delays nothing: a Stripe that does not answer is told of elsewhere.
func warnOfKey(ctx context.Context, stripe *gateway.Client, key string, log *slog.Logger) {
	if !strings.HasPrefix(key, "rk_") {
		if gateway.KeyIsLive(key) {
			log.WarnContext(ctx, "the key may do everything in the Stripe account; a restricted one is enough, see docs/going-live.md")
		}
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	missing, err := stripe.MissingPermissions(ctx)
	if err != nil {
		if ctx.Err() == nil {
			log.WarnContext(ctx, "the key's permissions could not be tried", "err", err)
		}
		return
	}
	for _, need := range missing {
		log.WarnContext(ctx, "the restricted key lacks a permission", "permission", need.Resource+": "+need.Level, "for", need.For, "vital", need.Vital)
	}
}
