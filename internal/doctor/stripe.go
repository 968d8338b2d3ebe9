package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"sollecito/internal/gateway"
)

// stripe looks at the key, the account, the clock and the webhook endpoint.
func (d *Doctor) stripe(ctx context.Context) Report {
	if d.faulty("STRIPE_SECRET_KEY", "STRIPE_API_URL") {
		return Report{skipped("stripe", "its settings must be mended first")}
	}
	before := d.Now()
	business, err := d.Stripe.Business(ctx)
	asked := before.Add(d.Now().Sub(before) / 2)
	if errors.Is(err, gateway.ErrKey) {
		return Report{clock(business.Date, asked), fail("stripe key", "Copy the key anew from https://dashboard.stripe.com/apikeys into SOLLECITO_STRIPE_SECRET_KEY.",
			"Stripe does not know this key: it was mistyped, rolled or revoked")}
	}
	if err != nil && !errors.Is(err, gateway.ErrPermission) {
		return Report{fail("stripe", "Let this machine reach "+d.Config.StripeAPI+" (firewall, proxy, DNS). Look at https://status.stripe.com", "Stripe does not answer at %s: %s", d.Config.StripeAPI, cause(err))}
	}
	r := Report{clock(business.Date, asked), kind(d.Config.StripeKey.Reveal(), d.Config.Live)}
	if err != nil {
		r = append(r, skipped("stripe account", "this restricted key may not read the account itself, which the portal does not need"))
	} else {
		r = append(r, account(business)...)
	}
	r = append(r, d.permissions(ctx)...)
	r = append(r, d.publishable(ctx, business.ID))
	return append(r, d.endpoints(ctx)...)
}

// cause is the innermost reason of an error: what led there, the finding says itself.
func cause(err error) string {
	text := err.Error()
	at := strings.LastIndex(text, ": ")
	if at < 0 {
		return text
	}
	return text[at+2:]
}

// clock compares this machine's with Stripe's, by which it signs webhooks: those that are 300 seconds off are refused.
func clock(stripe, ours time.Time) Finding {
	const mend = "Let the machine keep its time: timedatectl set-ntp true"
	if stripe.IsZero() {
		return skipped("clock", "Stripe's answer told no time to compare with")
	}
	off := ours.Sub(stripe).Round(time.Second)
	word := "ahead of"
	if off < 0 {
		word = "behind"
	}
	switch {
	case off.Abs() > 300*time.Second:
		return fail("clock", mend, "this machine is %s %s Stripe: every webhook is refused, and codes of authenticator apps do not match", off.Abs(), word)
	case off.Abs() > 30*time.Second:
		return warn("clock", mend, "this machine is %s %s Stripe; at 300 seconds webhooks are refused, sooner codes of authenticator apps do not match", off.Abs(), word)
	}
	return ok("clock", "within %d seconds of Stripe's", max(1, int(off.Abs().Seconds())))
}

func kind(key string, live bool) Finding {
	mode := "test"
	if live {
		mode = "live"
	}
	if strings.HasPrefix(key, "rk_") {
		return ok("stripe key", "a restricted key in %s mode, which Stripe knows", mode)
	}
	mend := "Make a restricted key with the permissions that docs/going-live.md lists, and set it as SOLLECITO_STRIPE_SECRET_KEY."
	if !live {
		return ok("stripe key", "a secret key in test mode, which Stripe knows; for live use make a restricted one")
	}
	return warn("stripe key", mend, "a secret key in live mode: it may do everything in your Stripe account, the portal needs little of it")
}

func account(b gateway.Business) Report {
	if !b.Charges {
		return Report{fail("stripe account", "Finish what Stripe asks for at https://dashboard.stripe.com/account/onboarding", "%s (%s) may not charge yet", b.ID, b.Name)}
	}
	return Report{ok("stripe account", "%s, %s, %s, may charge", b.ID, strings.ToUpper(b.Country), strings.ToUpper(b.Currency))}
}

func (d *Doctor) permissions(ctx context.Context) Report {
	missing, err := d.Stripe.MissingPermissions(ctx)
	if err != nil {
		return Report{skipped("permissions", "Stripe did not answer while they were tried: %s", cause(err))}
	}
	if len(missing) == 0 {
		return Report{ok("permissions", "the key may do all that the portal asks for")}
	}
	var r Report
	for _, need := range missing {
		r = append(r, permission(need))
	}
	return r
}

func permission(need gateway.Need) Finding {
	mend := fmt.Sprintf("At https://dashboard.stripe.com/apikeys edit the key and set %s to %s.", need.Resource, need.Level)
	if need.Vital {
		return fail("permissions", mend, "the key lacks %s: %s; without it %s cannot be", need.Resource, need.Level, need.For)
	}
	return warn("permissions", mend, "the key lacks %s: %s, by which %s", need.Resource, need.Level, need.For)
}

func (d *Doctor) publishable(ctx context.Context, account string) Finding {
	const check, mend = "publishable key", "Copy it anew from https://dashboard.stripe.com/apikeys, from the same account and mode as the secret key, into SOLLECITO_STRIPE_PUBLISHABLE_KEY."
	if d.faulty("STRIPE_PUBLISHABLE_KEY") {
		return skipped(check, "SOLLECITO_STRIPE_PUBLISHABLE_KEY must be mended first")
	}
	known, err := d.Stripe.KnowsPublishable(ctx, d.Config.StripePublic)
	switch {
	case err != nil:
		return skipped(check, "Stripe did not answer: %s", cause(err))
	case !known:
		return fail(check, mend, "Stripe does not know it: customers could leave no card")
	case !sameAccount(d.Config.StripePublic, account):
		return warn(check, mend, "it seems to be of another account than %s: customers' cards would be refused", account)
	}
	return ok(check, "Stripe knows it, and it is of the same mode as the secret key")
}

// sameAccount compares a key with the account's id, which Stripe's present keys repeat after a 5 (acct_1Abc…,
// pk_test_51Abc…). Keys of another form may be of any account.
func sameAccount(key, account string) bool {
	const enough = 10 // letters of the id
	parts := strings.SplitN(key, "_", 3)
	id := strings.TrimPrefix(account, "acct_")
	if len(parts) != 3 || !strings.HasPrefix(parts[2], "51") || !strings.HasPrefix(id, "1") || len(id) < enough {
		return true
	}
	return strings.HasPrefix(parts[2][1:], id[:enough])
}

// decisive are the events without which cases do not open or do not close.
var decisive = []string{"invoice.payment_failed", "invoice.payment_action_required", "invoice.paid", "invoice.voided"}

func (d *Doctor) endpoints(ctx context.Context) Report {
	if d.faulty("BASE_URL") {
		return Report{skipped("webhook", "SOLLECITO_BASE_URL must be mended first")}
	}
	all, err := d.Stripe.Endpoints(ctx)
	if errors.Is(err, gateway.ErrPermission) {
		return Report{skipped("webhook", "the key may not read the webhook endpoints (Webhook Endpoints: Read); look at https://dashboard.stripe.com/webhooks")}
	}
	if err != nil {
		return Report{skipped("webhook", "Stripe did not answer: %s", cause(err))}
	}
	return webhook(all, strings.TrimSuffix(d.Config.BaseURL, "/")+"/webhooks/stripe")
}

// webhook judges the endpoints that stand for our address.
func webhook(all []gateway.Endpoint, address string) Report {
	const dashboard = "https://dashboard.stripe.com/webhooks"
	const check = "webhook"
	var ours []gateway.Endpoint
	for _, e := range all {
		if e.URL == address {
			ours = append(ours, e)
		}
	}
	if len(ours) == 0 {
		u, err := url.Parse(address)
		if err == nil && u.Scheme == "http" {
			return Report{warn(check, "stripe listen --forward-to "+address+"  (at a stand-in: sollecito sync)",
				"Stripe has no endpoint for %s, and could not reach this machine there; its command line tool can forward to it", address)}
		}
		return Report{fail(check, "sollecito sync makes it; by hand: "+dashboard+", address "+address+", API version "+gateway.APIVersion+".",
			"Stripe has no endpoint for %s: nothing that happens there is heard here", address)}
	}
	var r Report
	if len(ours) > 1 {
		r = append(r, warn(check, "Delete all but one at "+dashboard+" and keep its signing secret in SOLLECITO_STRIPE_WEBHOOK_SECRET.",
			"%d endpoints stand for this address: every event arrives %d times, each signed with a secret of its own", len(ours), len(ours)))
	}
	for _, e := range ours {
		r = append(r, endpoint(e, dashboard+"/"+e.ID)...)
	}
	return r
}

func endpoint(e gateway.Endpoint, page string) Report {
	const check = "webhook"
	if !e.Enabled {
		return Report{fail(check, "Enable it at "+page, "%s is disabled: Stripe delivers nothing to it", e.ID)}
	}
	var r Report
	if len(e.Missing) > 0 {
		mend := "sollecito sync adds them; by hand: " + page
		says := fmt.Sprintf("%s does not send %s", e.ID, strings.Join(e.Missing, ", "))
		if slices.ContainsFunc(e.Missing, func(m string) bool { return slices.Contains(decisive, m) }) {
			r = append(r, fail(check, mend, "%s: cases would not open or not close", says))
		} else {
			r = append(r, warn(check, mend, "%s", says))
		}
	}
	if e.Version != gateway.APIVersion {
		version := e.Version
		if version == "" {
			version = "the account's default version"
		}
		r = append(r, warn(check, "An endpoint's version cannot be changed. Delete it at "+page+", let sollecito sync make a new one, and put the secret it tells into SOLLECITO_STRIPE_WEBHOOK_SECRET.",
			"%s sends %s instead of %s; every object is read again in ours, so this costs nothing but a hint that a newer version hides", e.ID, version, gateway.APIVersion))
	}
	if len(r) == 0 {
		r = append(r, ok(check, "%s is enabled, at version %s, and sends all %d events", e.ID, e.Version, len(gateway.ListenTo)))
	}
	return r
}

// faulty reports whether one of the settings is at fault.
func (d *Doctor) faulty(names ...string) bool {
	for _, f := range d.Faults {
		setting, _, _ := strings.Cut(f.Error(), ":")
		setting = strings.TrimSuffix(strings.TrimPrefix(setting, "SOLLECITO_"), "_FILE")
		if slices.Contains(names, setting) {
			return true
		}
	}
	return false
}
