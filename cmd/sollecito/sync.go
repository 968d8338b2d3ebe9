package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/config"
	"sollecito/internal/dunning"
	"sollecito/internal/gateway"
	"sollecito/internal/intake"
	"sollecito/internal/l10n"
	"sollecito/internal/link"
	"sollecito/internal/portal"
)

func syncCommand(p program, args []string) error {
	u := newUsage("sync [--endpoint=false] [flags]", "Connects the portal with an existing Stripe account: checks or makes the webhook endpoint, and imports every open\n"+
		"invoice with its customer, subscription and way to pay. It sends nothing: cases of failures from before the connection\n"+
		"rest until staff release them at /admin/imported. Interrupted, it goes on where it stood when it is started again; it\n"+
		"may run beside serve. Afterwards serve keeps itself up to date.").withSettings()
	endpoint := u.Bool("endpoint", true, "check the webhook endpoint at Stripe, make it or let it send more events; false leaves it alone")
	err := u.parseNone(p, args)
	if err != nil {
		return err
	}
	c, err := u.configuration(p, "DATABASE_URL", "BASE_URL", "STRIPE_SECRET_KEY", "STRIPE_API_URL", "DEFAULT_ZONE", "CONTACT_HOURS", "CONTACT_DAYS", "CONTACT_HOLIDAYS", "CONTACT_CAP",
		"COLLECTOR_MODE", "REGULATED_CREDIT", "STRIPE_EMAILS")
	if err != nil {
		return err
	}
	db, err := openDatabase(p, c, true)
	if err != nil {
		return err
	}
	defer db.Close()
	err = portal.RefuseDemo(p.ctx, db)
	if err != nil {
		return err
	}
	ctx, stop := untilHangUp(p.ctx)
	defer stop()
	stripe := gateway.New(gateway.Options{SecretKey: c.StripeKey.Reveal(), APIURL: c.StripeAPI, Now: time.Now})
	cases := dunning.NewCases(portal.Rules(c))
	err = db.Do(p.ctx, func(tx *sql.Tx) error {
		return campaign.Install(p.ctx, tx, campaign.Shipped(), time.Now())
	})
	if err != nil {
		return err
	}
	account := intake.New(intake.Options{
		DB: db, Stripe: stripe, Cases: cases, Live: c.Live, Now: time.Now, RealNow: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if *endpoint {
		err = connectEndpoint(ctx, p, c, stripe)
		if errors.Is(err, gateway.ErrPermission) {
			return errors.New("the key lacks Webhook Endpoints: Write; give it that at https://dashboard.stripe.com/apikeys, or make the endpoint by hand " +
				"(docs/going-live.md) and run sollecito sync --endpoint=false")
		}
		if err != nil {
			return plain(err)
		}
	}
	began, pages := time.Now(), 0
	done, err := account.Import(ctx, func(state intake.Imported) {
		pages++ // of this run: what an earlier one read says nothing about the pace
		how := ""
		if state.Continued {
			how = ", continued"
		}
		fmt.Fprintf(p.err, "%s read%s, %.1f pages a second\n", counted(state.Invoices, "invoice"), how, float64(pages)/max(time.Since(began).Seconds(), 0.001))
	})
	if ctx.Err() != nil {
		return fmt.Errorf("stopped after %s; nothing is lost, `sollecito sync` goes on from there", counted(done.Invoices, "invoice"))
	}
	if err != nil {
		return fmt.Errorf("%w; `sollecito sync` goes on after %s", plain(err), counted(done.Invoices, "invoice"))
	}
	return db.See(p.ctx, func(tx *sql.Tx) error { return summary(p.ctx, tx, p.out, cases, done) })
}

// connectEndpoint sees to the webhook endpoint and says everything it did at Stripe.
func connectEndpoint(ctx context.Context, p program, c *config.Config, stripe *gateway.Client) error {
	address := link.NewAddresses(c.BaseURL).Webhook()
	all, err := stripe.Endpoints(ctx)
	if err != nil {
		return err
	}
	standing := gateway.Endpoint{}
	at := slices.IndexFunc(all, func(e gateway.Endpoint) bool { return e.URL == address })
	if at >= 0 {
		standing = all[at]
	}
	secret, err := stripe.EnsureEndpoint(ctx, address)
	if err != nil {
		return err
	}
	switch {
	case standing.ID == "":
		fmt.Fprintf(p.out, "Made the webhook endpoint %s at Stripe. Stripe tells its secret only once; set it and restart serve:\nSOLLECITO_STRIPE_WEBHOOK_SECRET=%s\n", address, secret)
		return nil
	case len(standing.Missing) > 0:
		fmt.Fprintf(p.out, "The webhook endpoint %s now sends these events too: %s.\n", address, strings.Join(standing.Missing, ", "))
	default:
		fmt.Fprintf(p.out, "The webhook endpoint %s stands.\n", address)
	}
	if !standing.Enabled {
		fmt.Fprintf(p.err, "Warning: the endpoint %s is disabled at Stripe and delivers nothing: enable it there.\n", standing.ID)
	}
	if standing.Version != gateway.APIVersion {
		version := "version " + standing.Version
		if standing.Version == "" {
			version = "the account's own version"
		}
		fmt.Fprintf(p.err, "Warning: the endpoint %s sends %s, we read %s. Events are read again all the same; to mend it, delete the endpoint at Stripe and run sync, which makes one.\n",
			standing.ID, version, gateway.APIVersion)
	}
	return nil
}

// summary says what the account holds now. Currencies are never added up.
func summary(ctx context.Context, tx *sql.Tx, w io.Writer, cases *dunning.Cases, done intake.Imported) error {
	customers, open, err := billing.CountOpen(ctx, tx)
	if err != nil {
		return err
	}
	resting, owed, err := cases.Imported(ctx, tx)
	if err != nil {
		return err
	}
	if done.Invoices == 0 && open == 0 {
		fmt.Fprintln(w, "Nothing is open at Stripe. The portal is connected.")
		return nil
	}
	fmt.Fprintf(w, "Imported: %s of %s. Nothing was sent.\n", counted(open, "open invoice"), counted(customers, "customer"))
	if resting == 0 {
		fmt.Fprintln(w, "No case waits to be released.")
		return nil
	}
	catalog, err := l10n.Load()
	if err != nil {
		return err
	}
	var sums []string
	for _, m := range owed {
		sums = append(sums, string(catalog.Locale("en").Money(m.Minor, m.Currency)))
	}
	if resting == 1 {
		fmt.Fprintf(w, "1 case rests as imported and owes %s. Staff release it at /admin/imported.\n", strings.Join(sums, ", "))
		return nil
	}
	fmt.Fprintf(w, "%d cases rest as imported and owe %s. Staff release them at /admin/imported.\n", resting, strings.Join(sums, ", "))
	return nil
}

// counted is a number with its noun: "1 invoice", "3 invoices".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
