package config

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sollecito/internal/brand"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/gateway"
	"sollecito/internal/inbound"
	"sollecito/internal/interest"
	mailroom "sollecito/internal/mail"
	"sollecito/internal/names"
)

// Config is everything `serve` and the commands beside it can be told. Each field is the environment variable
// SOLLECITO_<env>, the flag of the same name in lower case with dashes, and for secrets the file named by
// SOLLECITO_<env>_FILE. Lists are comma-separated.
type Config struct {
	Listen         string   `env:"LISTEN" default:"127.0.0.1:8080" help:"address the portal listens on"`
	BaseURL        string   `env:"BASE_URL" shown:"redacted" need:"yes" help:"address people reach the portal at, as https://pay.example.com; decides cookies and every printed link"`
	DatabaseURL    string   `env:"DATABASE_URL" default:"sqlite:sollecito.db" shown:"redacted" help:"sqlite:PATH, or postgres://USER:PASSWORD@HOST/NAME"`
	MigrationCopy  string   `env:"MIGRATION_BACKUP" default:"on" help:"on or off: an SQLite file is copied beside itself before a release changes its shape; the last three copies stay (docs/backup.md)"`
	StripeKey      Secret   `env:"STRIPE_SECRET_KEY" need:"yes" help:"Stripe's secret or restricted key"`
	StripePublic   string   `env:"STRIPE_PUBLISHABLE_KEY" need:"yes" help:"Stripe's publishable key"`
	WebhookSecrets []Secret `env:"STRIPE_WEBHOOK_SECRET" need:"yes" help:"signing secrets of the webhook endpoint; several while one is rolled"`
	StripeAPI      string   `env:"STRIPE_API_URL" shown:"redacted" default:"https://api.stripe.com" help:"address of Stripe's API; another only with a test key"`
	StripeJS       string   `env:"STRIPE_JS_URL" shown:"redacted" default:"https://js.stripe.com/v3/" help:"address of Stripe's browser script; another only with a test key"`
	StripeEmails   string   `env:"STRIPE_EMAILS" need:"yes" help:"on or off: whether Stripe itself mails customers about failed payments; on makes our first steps in-app only"`
	SMTP           Secret   `env:"SMTP_URL" need:"yes" help:"smtp://user:password@host:587 (STARTTLS when offered, required with credentials; ?starttls=require|never) or smtps://…"`
	Connections    string   `env:"SMTP_CONNECTIONS" default:"4" help:"how many conversations with that server may be open at once, 1 to 64; a program that dies leaves at most that many mails in doubt"`
	MailFrom       string   `env:"MAIL_FROM" need:"yes" help:"sender of every mail, as Lumen Studio <billing@example.com>"`
	DKIMDomain     string   `env:"DKIM_DOMAIN" help:"the domain in whose name mails are signed (DKIM); that of MAIL_FROM when empty"`
	DKIMSelectors  []string `env:"DKIM_SELECTOR" help:"the name below _domainkey where the public key is published, as s2026; several for several keys, in their order. Empty leaves signing to the mail server"`
	DKIMKey        Secret   `env:"DKIM_KEY" help:"the private key in PEM, RSA or Ed25519, or several one after the other; best as SOLLECITO_DKIM_KEY_FILE"`
	MerchantName   string   `env:"MERCHANT_NAME" need:"yes" help:"the company's name as customers know it"`
	MerchantAddr   string   `env:"MERCHANT_ADDRESS" need:"yes" help:"legal name and postal address, shown on every page and mail"`
	SupportEmail   string   `env:"SUPPORT_EMAIL" need:"yes" help:"where customers' messages are mailed, and answers go"`
	BrandLogo      string   `env:"BRAND_LOGO" help:"a PNG file with the merchant's logo, best below 20 KB and 128 pixels high; square, or up to five times as wide as high. Empty shows the name's first letter on BRAND_COLOR"`
	BrandColor     string   `env:"BRAND_COLOR" help:"the brand's colour, as #14566b: buttons are filled with it and links are written in it (docs/brand.md)"`
	BrandText      string   `env:"BRAND_TEXT" help:"the colour of text on BRAND_COLOR; white or black, whichever is read better, when empty"`
	BrandPaper     string   `env:"BRAND_PAPER" help:"the background of pages and mails by day, a very light colour; #f6f4ef when empty"`
	BrandNight     string   `env:"BRAND_NIGHT_COLOR" help:"the brand's colour where the reader's device is dark; a light tint of BRAND_COLOR when empty"`
	BrandNightText string   `env:"BRAND_NIGHT_TEXT" help:"the colour of text on BRAND_NIGHT_COLOR; worked out when empty"`
	BrandNightPage string   `env:"BRAND_NIGHT_PAPER" help:"the background of pages and mails there, a very dark colour; #161513 when empty"`
	InboundAddress string   `env:"INBOUND_ADDRESS" help:"where bounces and replies come back, one address for each mail: mail+{token}@in.example.com; off when empty"`
	InboundListen  string   `env:"INBOUND_LISTEN" help:"address our own small SMTP server for INBOUND_ADDRESS listens on, as :2525"`
	InboundCert    string   `env:"INBOUND_TLS_CERT" help:"certificate file with which that server offers STARTTLS"`
	InboundKey     string   `env:"INBOUND_TLS_KEY" help:"key file of that certificate"`
	InboundIMAP    Secret   `env:"INBOUND_IMAP_URL" help:"a mailbox to look into instead, as imaps://user:password@host/INBOX"`
	HomeURL        string   `env:"HOME_URL" shown:"redacted" help:"where a customer goes back to after paying"`
	DefaultZone    string   `env:"DEFAULT_ZONE" default:"UTC" help:"time zone of customers whose place is unknown, as Europe/Rome"`
	DefaultLang    string   `env:"DEFAULT_LANGUAGE" default:"en" help:"language when nothing tells the customer's"`
	SessionKey     Secret   `env:"SESSION_KEY" need:"yes" help:"at least 32 random characters; signs what must not be forged and encrypts staff's second factors"`
	EmbedSecrets   []Secret `env:"EMBED_SECRET" help:"at least 32 random characters; the merchant's app signs the banner's tokens with it; two while one is rolled"`
	EmbedOrigins   []string `env:"EMBED_ORIGINS" shown:"redacted" help:"origins of the merchant's app that may load the banner, as https://app.example.com"`
	MetricsListen  string   `env:"METRICS_LISTEN" help:"address of /metrics for Prometheus, as 127.0.0.1:9090; empty is off. Never one that the public reaches"`
	TrustedProxies []string `env:"TRUSTED_PROXIES" help:"addresses or networks of reverse proxies whose X-Forwarded-For is believed"`
	HookNetworks   []string `env:"WEBHOOK_NETWORKS" help:"addresses or networks beside the public internet in which your app's webhook endpoints may lie, as 10.1.2.0/24 (docs/webhooks.md)"`
	LogFormat      string   `env:"LOG_FORMAT" default:"text" help:"text or json"`
	TestRecipient  string   `env:"TEST_RECIPIENT" help:"with a test key: the one address all mail goes to, or * for the real ones"`
	ContactHours   string   `env:"CONTACT_HOURS" default:"9-18" help:"hours of the customer's day in which reminders may go out"`
	ContactDays    string   `env:"CONTACT_DAYS" default:"mon-fri" help:"days on which reminders may go out"`
	BeforeFailure  string   `env:"BEFORE_FAILURE" default:"off" help:"what customers are told before anything fails: off, expiring (their card expires before the renewal), renewals (there is nothing to charge) or all"`
	BeforeDays     string   `env:"BEFORE_DAYS" default:"14" help:"how many days before the renewal they are told, 1 to 60"`
	Holidays       string   `env:"CONTACT_HOLIDAYS" default:"on" help:"on or off: no reminder goes out on a public holiday of the customer's country; with all seven days in CONTACT_DAYS holidays are not kept either"`
	ContactCap     string   `env:"CONTACT_CAP" default:"3" help:"most reminders a customer gets in 7 days over all channels, from 1 to 7"`
	CollectorMode  string   `env:"COLLECTOR_MODE" default:"off" help:"on or off: you collect for others. Each reminder then carries an opt-out notice and a one-click unsubscribe (RFC 8058). It does not certify that you comply with the law: ask your lawyer"`
	Regulated      string   `env:"REGULATED_CREDIT" default:"off" help:"on or off: your bills are regulated credit. Whatever else is set, reminders then keep to 8-20, no Sundays and no holidays, two days apart and two in 7 days (docs/contact-policy.md)"`
	PromiseDays    string   `env:"PROMISE_DAYS" default:"14" help:"how many days ahead a customer may set a date to be charged or to pay; 0 offers none"`
	PromiseMost    string   `env:"PROMISES_PER_CASE" default:"2" help:"how many such dates a customer may set in one case, changed ones counted"`
	PromiseBeyond  string   `env:"PROMISE_BEYOND_NOTICE" default:"off" help:"on or off: whether such a date may lie past the announced day of a consequence"`
	ClaimDays      string   `env:"CLAIM_DAYS" default:"5" help:"how many business days reminders rest when a customer says that a transfer is on its way"`
	FinalActs      string   `env:"FINAL_ACTS" default:"person" help:"person or automatic: whether a campaign's final act at Stripe waits for a manager's yes"`
	ErasedYears    string   `env:"ERASED_YEARS" default:"10" help:"how many years the nameless rest of an erased customer (sums, dates, counts) is kept, counted from the end of the calendar year of the erasing (in DEFAULT_ZONE); 0 keeps it for good"`
	LateInterest   string   `env:"LATE_INTEREST" default:"off" help:"on or off: whether managers may work out statutory late interest of customers who are businesses (docs/late-interest.md)"`
	InterestRates  string   `env:"INTEREST_RATES" help:"a YAML file with rates of late interest by country and half-year, which take precedence over the built-in ones"`

	// Made from the above by Check.
	Zone    *time.Location    `env:"-"`
	Policy  contact.Policy    `env:"-"`
	Before  dunning.Before    `env:"-"`
	Server  mailroom.Server   `env:"-"`
	Lines   int               `env:"-"` // SMTP_CONNECTIONS as a number
	From    mail.Address      `env:"-"`
	Signer  *mailroom.Signer  `env:"-"` // nil while mails are not signed here
	Proxies []netip.Prefix    `env:"-"`
	Hooks   []netip.Prefix    `env:"-"` // WEBHOOK_NETWORKS
	Live    bool              `env:"-"`
	Inbound inbound.Addresses `env:"-"`
	Mailbox inbound.Mailbox   `env:"-"`

	Brand    brand.Brand          `env:"-"`
	Promises dunning.PromiseRules `env:"-"`
	Claim    int                  `env:"-"` // business days
	Erased   int                  `env:"-"` // years
	Interest interest.Rates       `env:"-"` // none while LATE_INTEREST is off
}

const (
	stripeAPI = "https://api.stripe.com"
	stripeJS  = "https://js.stripe.com/v3/"

	longestName = 100 // letters of the merchant's name
)

// Check reads what the values mean and answers every fault at once, one per line, joined.
func (c *Config) Check() error {
	var faults []error
	fault := func(name, format string, args ...any) {
		faults = append(faults, fmt.Errorf("SOLLECITO_%s: %s", name, fmt.Sprintf(format, args...)))
	}
	for _, f := range fields(c) {
		if f.need && f.empty() {
			fault(f.env, "is missing: %s", f.help)
		}
	}
	checkListen(fault, "LISTEN", c.Listen, "127.0.0.1:8080")
	if c.MetricsListen != "" {
		checkListen(fault, "METRICS_LISTEN", c.MetricsListen, "127.0.0.1:9090")
		if c.MetricsListen == c.Listen && !strings.HasSuffix(c.Listen, ":0") {
			fault("METRICS_LISTEN", "must be another address than SOLLECITO_LISTEN: figures are not for the public")
		}
	}
	c.checkBase(fault)
	scheme, rest, _ := strings.Cut(c.DatabaseURL, ":")
	if rest == "" || scheme != "sqlite" && scheme != "postgres" && scheme != "postgresql" {
		fault("DATABASE_URL", "must read sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME")
	}
	if scheme == "sqlite" && strings.Contains(rest, ":memory:") {
		fault("DATABASE_URL", "must name a file: what is in memory alone is lost at every stop")
	}
	if c.MigrationCopy != "" && c.MigrationCopy != "on" && c.MigrationCopy != "off" {
		fault("MIGRATION_BACKUP", "must be on or off; got %q", c.MigrationCopy)
	}
	c.checkName(fault)
	c.checkStripe(fault)
	c.checkMail(fault)
	c.checkSigning(fault)
	c.checkInbound(fault)
	c.checkBrand(fault)
	c.checkPlace(fault)
	c.checkPromises(fault)
	c.checkInterest(fault)
	c.checkEmbed(fault)
	c.Proxies = networks(fault, "TRUSTED_PROXIES", c.TrustedProxies)
	c.Hooks = networks(fault, "WEBHOOK_NETWORKS", c.HookNetworks)
	if c.SessionKey != "" && len(c.SessionKey) < 32 {
		fault("SESSION_KEY", "must be at least 32 characters; make one with: openssl rand -hex 32")
	}
	c.checkErased(fault)
	if c.FinalActs != "" && c.FinalActs != "person" && c.FinalActs != "automatic" {
		fault("FINAL_ACTS", "must be person or automatic; got %q", c.FinalActs)
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		fault("LOG_FORMAT", "must be text or json; got %q", c.LogFormat)
	}
	return errors.Join(faults...)
}

func (c *Config) checkErased(fault func(string, string, ...any)) {
	years, err := strconv.Atoi(cmp.Or(c.ErasedYears, "10"))
	if err != nil || years < 0 || years > 100 {
		fault("ERASED_YEARS", "must be a number from 0 to 100; got %q", c.ErasedYears)
	}
	c.Erased = years
}

func (c *Config) checkEmbed(fault func(string, string, ...any)) {
	for _, s := range c.EmbedSecrets {
		if len(s) < 32 {
			fault("EMBED_SECRET", "must be at least 32 characters; make one with: openssl rand -hex 32")
		}
	}
	for i, o := range c.EmbedOrigins {
		u, ok := webAddress(o)
		if !ok || !bare(u, o) {
			fault("EMBED_ORIGINS", "%q is not an origin, as https://app.example.com", redacted(o))
			continue
		}
		c.EmbedOrigins[i] = origin(u)
	}
}

// networks reads what a setting names of addresses and networks.
func networks(fault func(string, string, ...any), name string, listed []string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range listed {
		prefix, err := parsePrefix(text)
		if err != nil {
			fault(name, "%q is neither an address nor a network, as 10.0.0.0/8", text)
			continue
		}
		all = append(all, prefix)
	}
	return all
}

func checkListen(fault func(string, string, ...any), name, address, example string) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		fault(name, "must read HOST:PORT, as %s; got %q", example, address)
		return
	}
	_, err = strconv.ParseUint(port, 10, 16)
	if err != nil {
		fault(name, "must end with a port from 0 to 65535, as %s; got %q", example, address)
	}
}

// checkName keeps out what would break a subject or a heading that the name stands in.
func (c *Config) checkName(fault func(string, string, ...any)) {
	if !names.Visible(c.MerchantName) {
		fault("MERCHANT_NAME", "must be one line of text, without characters that nobody sees; got %q", c.MerchantName)
	}
	if len([]rune(c.MerchantName)) > longestName {
		fault("MERCHANT_NAME", "must have at most %d letters; it stands in subjects and headings", longestName)
	}
}

func (c *Config) checkBase(fault func(string, string, ...any)) {
	if c.BaseURL == "" {
		return
	}
	u, ok := webAddress(c.BaseURL)
	switch {
	case !ok:
		fault("BASE_URL", "must be an address, as https://pay.example.com; got %q", redacted(c.BaseURL))
	case !bare(u, c.BaseURL):
		fault("BASE_URL", "must have no path, query, fragment or user, as https://pay.example.com; got %q", redacted(c.BaseURL))
	case u.Scheme == "http" && !loopback(u.Hostname()):
		fault("BASE_URL", "must be https:// except on this machine itself; got %q", redacted(c.BaseURL))
	}
}

// isAnotherOfStripes reports whether what stands for a signing secret is the endpoint's id or a key, by which no event could
// ever be told from a forged one. Stand-ins may have secrets of any form.
func isAnotherOfStripes(secret string) bool {
	return slices.ContainsFunc([]string{"we_", "sk_", "rk_", "pk_"}, func(start string) bool { return strings.HasPrefix(secret, start) })
}

func (c *Config) checkStripe(fault func(string, string, ...any)) {
	key := c.StripeKey.Reveal()
	c.Live = gateway.KeyIsLive(key)
	isKey := strings.HasPrefix(key, "sk_") || strings.HasPrefix(key, "rk_")
	if key != "" && !isKey {
		fault("STRIPE_SECRET_KEY", "must begin with sk_ or rk_")
	}
	isPublic := strings.HasPrefix(c.StripePublic, "pk_")
	if c.StripePublic != "" && !isPublic {
		fault("STRIPE_PUBLISHABLE_KEY", "must begin with pk_")
	}
	if isKey && isPublic && c.Live == strings.HasPrefix(c.StripePublic, "pk_test_") {
		fault("STRIPE_PUBLISHABLE_KEY", "is of another mode (live or test) than the secret key")
	}
	for name, address := range map[string]string{"STRIPE_API_URL": c.StripeAPI, "STRIPE_JS_URL": c.StripeJS} {
		u, ok := webAddress(address)
		switch {
		case !ok:
			fault(name, "must be an address; got %q", redacted(address))
		case !plainHost(u.Host):
			fault(name, "must have a host of letters, digits, dots and hyphens only; got %q", redacted(address))
		}
	}
	for _, secret := range c.WebhookSecrets {
		switch {
		case secret.Reveal() == "whsec_":
			fault("STRIPE_WEBHOOK_SECRET", "is nothing but its beginning: Stripe shows the whole of it where the webhook endpoint is")
		case isAnotherOfStripes(secret.Reveal()):
			fault("STRIPE_WEBHOOK_SECRET", "is something else of Stripe's: it must be the endpoint's signing secret, which begins with whsec_, neither its id nor a key")
		}
	}
	u, err := url.Parse(c.StripeAPI)
	if err == nil && strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/v1") {
		fault("STRIPE_API_URL", "must not end with /v1, as %s; got %q", stripeAPI, redacted(c.StripeAPI))
	}
	if c.Live && isKey && strings.TrimSuffix(c.StripeAPI, "/") != stripeAPI {
		fault("STRIPE_API_URL", "a live key goes to Stripe's own address only, %s", stripeAPI)
	}
	if c.Live && isKey && c.StripeJS != stripeJS {
		fault("STRIPE_JS_URL", "a live key works with Stripe's own script only, %s", stripeJS)
	}
	if c.StripeEmails != "" && c.StripeEmails != "on" && c.StripeEmails != "off" {
		fault("STRIPE_EMAILS", "must be on or off; got %q", c.StripeEmails)
	}
	if !c.Live && key != "" && c.TestRecipient == "" {
		fault("TEST_RECIPIENT", "with a test key, name the one address all mail goes to, or * for the real ones")
	}
}

func (c *Config) checkMail(fault func(string, string, ...any)) {
	if c.SMTP != "" {
		server, err := mailroom.Parse(c.SMTP.Reveal())
		if err != nil {
			fault("SMTP_URL", "%s", err)
		}
		c.Server = server
	}
	lines, err := strconv.Atoi(cmp.Or(c.Connections, "4"))
	if err != nil || lines < 1 || lines > 64 {
		fault("SMTP_CONNECTIONS", "must be a number from 1 to 64; got %q", c.Connections)
	}
	c.Lines = lines
	if c.MailFrom != "" {
		from, err := mail.ParseAddress(c.MailFrom)
		if err != nil || !mailroom.Sendable(from.Address) {
			fault("MAIL_FROM", "must be an address without quotation marks before its @, as Lumen Studio <billing@example.com>; got %q", c.MailFrom)
		} else {
			c.From = *from
		}
	}
	for name, address := range map[string]string{"SUPPORT_EMAIL": c.SupportEmail, "TEST_RECIPIENT": strings.Trim(c.TestRecipient, "*")} {
		if address == "" {
			continue
		}
		a, err := mail.ParseAddress(address)
		if err != nil || a.Address != address || !mailroom.Sendable(address) {
			fault(name, "must be a plain address without quotation marks, as billing@example.com; got %q", address)
		}
	}
}

func (c *Config) checkInbound(fault func(string, string, ...any)) {
	addresses, err := inbound.NewAddresses(c.InboundAddress, c.SessionKey.Reveal())
	if err != nil {
		fault("INBOUND_ADDRESS", "%s; got %q", err, c.InboundAddress)
	}
	c.Inbound = addresses
	ways := c.InboundListen != "" || c.InboundIMAP != ""
	if addresses.On() && !ways {
		fault("INBOUND_ADDRESS", "needs a way its mail comes in: SOLLECITO_INBOUND_LISTEN or SOLLECITO_INBOUND_IMAP_URL")
	}
	if c.InboundAddress == "" && ways {
		fault("INBOUND_ADDRESS", "is missing: name the address whose mail comes in, as mail+{token}@in.example.com")
	}
	if c.InboundListen != "" {
		_, _, err := net.SplitHostPort(c.InboundListen)
		if err != nil {
			fault("INBOUND_LISTEN", "must read HOST:PORT, as 127.0.0.1:2525 or :25; got %q", c.InboundListen)
		}
	}
	if (c.InboundCert == "") != (c.InboundKey == "") {
		fault("INBOUND_TLS_CERT", "and INBOUND_TLS_KEY belong together; give both or none")
	} else if c.InboundCert != "" {
		_, err := tls.LoadX509KeyPair(c.InboundCert, c.InboundKey)
		if err != nil {
			fault("INBOUND_TLS_CERT", "cannot be used with INBOUND_TLS_KEY: %s", err)
		}
	}
	if c.InboundIMAP != "" {
		c.Mailbox, err = inbound.ParseMailbox(c.InboundIMAP.Reveal())
		if err != nil {
			fault("INBOUND_IMAP_URL", "%s", err)
		}
	}
}

func (c *Config) checkPlace(fault func(string, string, ...any)) {
	zone, err := time.LoadLocation(c.DefaultZone)
	if err != nil || c.DefaultZone == "Local" {
		fault("DEFAULT_ZONE", "must be a zone of the tz database, as Europe/Rome; got %q", c.DefaultZone)
	}
	c.Zone = zone
	c.checkLanguage(fault)
	c.Policy = contact.DefaultPolicy()
	err = c.Policy.ParseHours(c.ContactHours)
	if err != nil {
		fault("CONTACT_HOURS", "%s", err)
	}
	err = c.Policy.ParseDays(c.ContactDays)
	if err != nil {
		fault("CONTACT_DAYS", "%s", err)
	}
	c.checkBefore(fault)
	c.checkContact(fault)
	if c.HomeURL != "" {
		_, ok := webAddress(c.HomeURL)
		if !ok {
			fault("HOME_URL", "must be an address, as https://app.example.com; got %q", redacted(c.HomeURL))
		}
	}
}

// checkBefore reads what is told before anything fails.
func (c *Config) checkBefore(fault func(string, string, ...any)) {
	switch c.BeforeFailure {
	case "", "off":
		return
	case "expiring", "renewals", "all":
	default:
		fault("BEFORE_FAILURE", "must be off, expiring, renewals or all; got %q", c.BeforeFailure)
		return
	}
	days, err := strconv.Atoi(c.BeforeDays)
	if err != nil || days < 1 || days > 60 {
		fault("BEFORE_DAYS", "must be a number of days from 1 to 60; got %q", c.BeforeDays)
		return
	}
	c.Before = dunning.Before{
		Expiring: c.BeforeFailure != "renewals", Renewals: c.BeforeFailure != "expiring", Lead: time.Duration(days) * 24 * time.Hour,
	}
}

func parsePrefix(text string) (netip.Prefix, error) {
	addr, err := netip.ParseAddr(text)
	if err == nil {
		return addr.Prefix(addr.BitLen())
	}
	return netip.ParsePrefix(text)
}
