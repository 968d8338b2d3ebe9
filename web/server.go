package web

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"sollecito/internal/apikey"
	"sollecito/internal/checkout"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/gateway"
	"sollecito/internal/intake"
	"sollecito/internal/interest"
	"sollecito/internal/l10n"
	"sollecito/internal/link"
	"sollecito/internal/staff"
	"sollecito/internal/stepup"
	"sollecito/internal/support"
	"sollecito/internal/webhook"
	"sollecito/static"
	"sollecito/views"
)

// Options are what the Server needs. All of it is required but what says otherwise.
type Options struct {
	DB        *database.DB
	Stripe    *gateway.Client
	Intake    *intake.Intake
	Desk      *checkout.Desk
	Cases     *dunning.Cases
	Talks     *support.Conversations
	Members   *staff.Members
	Keys      *apikey.Keys
	Endpoints *webhook.Endpoints // of the merchant's app
	Sessions  *link.Store
	Codes     *stepup.Codes
	Addresses link.Addresses
	Catalog   *l10n.Catalog
	Assets    *static.Assets
	Merchant  views.Merchant
	MailFrom  string         // the address our mails come from
	Language  string         // when nothing tells the reader's
	Zone      *time.Location // the merchant's own, for staff pages

	StripeJS       string // address of Stripe's browser script
	StripeAPI      string // address of Stripe's API, for the content security policy
	PublishableKey string
	TestMode       bool // shows that no real money moves

	EmbedSecrets []string // sign the banner's tokens; none turns the banner off
	EmbedOrigins []string // whose pages may load it
	Proxies      []netip.Prefix
	Interest     interest.Rates // what late interest is worked out by; none turns it off

	Now    func() time.Time // business time
	Real   func() time.Time // sessions, limits
	Wake   func()           // tells the runner that there is work
	Ready  func() Readiness // how the portal stands; nil is ready
	Logger *slog.Logger

	// Observe, when set, is told of each answered request: the route's pattern, the status and how long it took.
	Observe  func(route string, status int, took time.Duration)
	ProofKey string // proves to the operator's own doctor that it reached this portal; "" proves nothing
}

// Server serves the portal's pages and calls.
type Server struct {
	Options
	policies policies
	origin   *http.CrossOriginProtection
	handler  http.Handler
	buffers  sync.Pool // of *bytes.Buffer, that pages are drawn into
	memory   memory
	outages  rate.Sometimes // tells of a database that is away
	silences rate.Sometimes // tells of a Stripe that does not answer
}

// New makes a Server; it listens nowhere.
func New(o Options) (*Server, error) {
	s := &Server{
		Options: o, buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
		outages: rate.Sometimes{First: 10, Interval: time.Second}, silences: rate.Sometimes{First: 10, Interval: time.Second},
	}
	var err error
	s.policies, err = newPolicies(o.StripeJS, o.StripeAPI)
	if err != nil {
		return nil, err
	}
	s.origin = http.NewCrossOriginProtection()
	err = s.origin.AddTrustedOrigin(o.Addresses.Base())
	if err != nil {
		return nil, fmt.Errorf("base address: %w", err)
	}
	mux, err := s.routes()
	if err != nil {
		return nil, err
	}
	s.handler = s.everywhere(mux)
	return s, nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// policies are the content security policies of the portal's pages. Stripe's hosts stand only in that of the
// pages that show Stripe's fields, and where a form leads to Stripe's own page.
type policies struct {
	script, frame, connect, form string
}

func newPolicies(scriptURL, apiURL string) (policies, error) {
	const stripeJS, stripeAPI = "https://js.stripe.com", "https://api.stripe.com"
	script, err := originOf(scriptURL)
	if err != nil {
		return policies{}, err
	}
	api, err := originOf(apiURL)
	if err != nil {
		return policies{}, err
	}
	p := policies{script: script, frame: script, connect: api + " " + script, form: api}
	if script == stripeJS {
		p.script = "https://js.stripe.com https://*.js.stripe.com"
		p.frame = p.script + " https://hooks.stripe.com"
	}
	if api == stripeAPI {
		p.connect = stripeAPI
		p.form = "https://invoice.stripe.com https://pay.stripe.com https://payments.stripe.com"
	}
	return p, nil
}

func originOf(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%q is not an address", address)
	}
	return u.Scheme + "://" + u.Host, nil
}
