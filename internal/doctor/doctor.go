package doctor

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"sollecito/internal/config"
	"sollecito/internal/gateway"
)

// Resolver asks DNS. net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupHost(ctx context.Context, name string) ([]string, error)
}

// Doctor looks at one installation.
type Doctor struct {
	Config   *config.Config
	Faults   []error  // of the configuration, one line each; the checks that need a faulty setting say so
	Unknown  []string // variables that look like settings and are none
	Stripe   *gateway.Client
	Resolver Resolver
	HTTP     *http.Client   // to the public address; it must not follow redirects
	Roots    *x509.CertPool // to trust the mail server by; nil is the system's
	Now      func() time.Time
}

// within bounds every group of checks; together, since the groups run at the same time, the whole.
const within = 20 * time.Second

// Examine looks at everything and answers what it found. Groups of checks that do not need each other run at the same
// time; the report keeps their order.
func (d *Doctor) Examine(ctx context.Context) Report {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	groups := []func(context.Context) Report{d.configuration, d.database, d.stripe, d.mail, d.names, d.address}
	found := make([]Report, len(groups))
	var all sync.WaitGroup
	for i, group := range groups {
		all.Go(func() { found[i] = group(ctx) })
	}
	all.Wait()
	var report Report
	for _, r := range found {
		report = append(report, r...)
	}
	return report
}

// configuration tells every fault, and what is allowed but seldom meant.
func (d *Doctor) configuration(context.Context) Report {
	var r Report
	for _, f := range d.Faults {
		r = append(r, fail("configuration", "`sollecito config --table` explains every setting.", "%s", f))
	}
	if len(r) == 0 {
		r = append(r, ok("configuration", "every setting can be read and makes sense"))
	}
	for _, name := range d.Unknown {
		r = append(r, warn("configuration", "`sollecito config --table` lists every setting.", "there is no setting %s; it changes nothing", name))
	}
	c := d.Config
	if !c.Live && c.StripeKey != "" {
		r = append(r, testMode(c.TestRecipient))
	}
	r = append(r, contact(c.ContactHours, c.ContactDays, c.Policy.From, c.Policy.To))
	if c.Policy.Collector {
		r = append(r, collector(c.Policy.From, c.Policy.To, c.BaseURL))
	}
	r = append(r, embed(len(c.EmbedSecrets), c.EmbedOrigins))
	r = append(r, looks(c.Brand)...)
	if c.StripeEmails == "on" {
		r = append(r, warn("stripe emails", "Turn them off at https://dashboard.stripe.com/settings/billing/automatic, then set SOLLECITO_STRIPE_EMAILS=off.",
			"Stripe mails customers about failed payments itself (SOLLECITO_STRIPE_EMAILS=on): the first steps of every campaign show in the app only"))
	}
	if c.StripeEmails == "off" {
		r = append(r, ok("stripe emails", "told to be off; Stripe does not say so by its API: look once at https://dashboard.stripe.com/settings/billing/automatic, and at Smart Retries on the same page"))
	}
	return r
}

func testMode(recipient string) Finding {
	if recipient == "*" {
		return warn("test mode", "Set SOLLECITO_TEST_RECIPIENT to your own address unless every customer of this Stripe account is made up.",
			"the key is a test key and mail goes to the customers' own addresses (SOLLECITO_TEST_RECIPIENT=*)")
	}
	return ok("test mode", "the key is a test key: no real money moves, and all mail goes to %s", recipient)
}

// contact finds a window in which reminders have hardly a chance, or hardly a limit.
func contact(hours, days string, from, to int) Finding {
	switch {
	case to-from >= 16:
		return warn("contact hours", "Unset SOLLECITO_CONTACT_HOURS for 9-18.", "reminders may go out from %s, %s: at night too", hours, days)
	case to-from < 3 && to > from:
		return warn("contact hours", "Give SOLLECITO_CONTACT_HOURS a window of three hours or more, as 9-18.", "reminders may go out only from %s, %s: many will wait for days", hours, days)
	}
	return ok("contact hours", "reminders go out from %s, %s, by each customer's own clock", hours, days)
}

// collector says what collector mode is and is not.
func collector(from, to int, base string) Finding {
	const check = "collector mode"
	switch {
	case strings.HasPrefix(base, "http://"):
		return warn(check, "Give SOLLECITO_BASE_URL an https address.", "on, but mail programs offer their unsubscribe button for https addresses alone (RFC 8058)")
	case from < 8 || to > 21:
		return warn(check, "Set SOLLECITO_CONTACT_HOURS within 8-21.", "on, and reminders may go out before 8 or after 21, which Regulation F forbids collectors in the US")
	}
	return warn(check, "Ask your lawyer what else binds you where your customers live.",
		"on: reminders carry an opt-out notice and a one-click unsubscribe. That is not a certificate that you keep the law on debt collection")
}

func embed(secrets int, origins []string) Finding {
	switch {
	case secrets == 0 && len(origins) == 0:
		return ok("banner", "off: SOLLECITO_EMBED_SECRET and SOLLECITO_EMBED_ORIGINS are not set")
	case secrets == 0:
		return warn("banner", "Set SOLLECITO_EMBED_SECRET; make one with: openssl rand -hex 32", "origins are named but no secret signs the banner's tokens: it shows nothing")
	case len(origins) == 0:
		return warn("banner", "Set SOLLECITO_EMBED_ORIGINS to your app's origin, as https://app.example.com", "a secret is set but no origin may load the banner")
	}
	for _, o := range origins {
		u, err := url.Parse(o)
		if err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
			return warn("banner", "Name only https origins in SOLLECITO_EMBED_ORIGINS.", "%s may load the banner without encryption", o)
		}
	}
	return ok("banner", "%d origins may load it", len(origins))
}
