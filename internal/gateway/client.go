package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"
	"golang.org/x/time/rate"
)

// APIVersion is the version of Stripe's API that every request carries and every answer is read as.
const APIVersion = stripe.APIVersion

// defaultRate keeps well below Stripe's 25 requests per second and endpoint, which the merchant's own programs
// share with us.
const (
	defaultRate  = 20
	defaultBurst = 10
)

// Options is what a Client is made of.
type Options struct {
	SecretKey string           // sk_… or rk_…
	APIURL    string           // "" means Stripe's own address
	HTTP      *http.Client     // nil means one of our own with timeouts that fit a waiting person
	Logger    *slog.Logger     // nil means none; it is told methods, paths and statuses, never bodies
	Now       func() time.Time // the clock of the business; nil means time.Now
	Rate      float64          // requests per second over all callers, 0 means 20

	// Observe, when set, is told of each exchange with Stripe: its method, its path with ids cut out, the status (0
	// when there was no answer) and how long it took. It must not block.
	Observe func(method, path string, status int, took time.Duration)
}

// Client is the way to one Stripe account. It is safe for concurrent use and shares its rate over all callers.
type Client struct {
	backend  *stripe.BackendImplementation
	http     *http.Client
	key      string
	now      func() time.Time
	products *productNames
}

// New makes a Client. It touches no global of Stripe's library and sends nothing.
func New(options Options) *Client {
	now := options.Now
	if now == nil {
		now = time.Now
	}
	logger := options.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	perSecond := options.Rate
	if perSecond <= 0 {
		perSecond = defaultRate
	}
	own := http.Client{Timeout: 20 * time.Second}
	if options.HTTP != nil {
		own = *options.HTTP
	}
	if own.Transport == nil {
		own.Transport = ownTransport()
	}
	own.Transport = &courier{
		base:    own.Transport,
		limiter: rate.NewLimiter(rate.Limit(perSecond), defaultBurst),
		logger:  logger,
		observe: options.Observe,
	}
	config := &stripe.BackendConfig{
		HTTPClient:        &own,
		EnableTelemetry:   stripe.Bool(false),
		MaxNetworkRetries: stripe.Int64(0), // the courier tries again itself: the library's pause is deaf to the context
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull},
	}
	if options.APIURL != "" {
		config.URL = stripe.String(options.APIURL)
	}
	return &Client{
		backend:  stripe.GetBackendWithConfig(stripe.APIBackend, config).(*stripe.BackendImplementation), // of which it says that it is one
		http:     &own,
		key:      options.SecretKey,
		now:      now,
		products: newProductNames(now),
	}
}

func ownTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: 18 * time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          20,
		MaxIdleConnsPerHost:   20,
		IdleConnTimeout:       90 * time.Second,
	}
}

// KeyIsLive reports whether a secret or restricted key may move real money: every key does that does not say it is
// for tests, Stripe's older kinds and those to come included. No key at all moves none.
func KeyIsLive(secretKey string) bool {
	return secretKey != "" && !strings.HasPrefix(secretKey, "sk_test_") && !strings.HasPrefix(secretKey, "rk_test_")
}

// reading is the params of a call that only reads.
func reading(ctx context.Context) stripe.Params { return stripe.Params{Context: ctx} }

// ordering is the params of a call that changes something. The key is never left to the library, which sends
// none at all for nil params and yet tries again.
func ordering(ctx context.Context, key string) stripe.Params {
	return stripe.Params{Context: ctx, IdempotencyKey: stripe.String(key)}
}

// harmless gives an order that changes nothing when it is given twice. Stripe keeps a failure of its own with the key for a
// day and answers with it whenever it is asked again; such an order is then given anew, under a key of its own. An order to
// pay never is.
func harmless(key string, order func(key string) error) error {
	err := order(key)
	var e *stripe.Error
	if errors.As(err, &e) && e.HTTPStatusCode == http.StatusInternalServerError && e.LastResponse != nil && e.LastResponse.Header.Get("Idempotent-Replayed") == "true" {
		return order(freshKey(key))
	}
	return err
}

// listing is the params of a list read page by page to its end.
func listing(ctx context.Context) stripe.ListParams {
	return stripe.ListParams{Context: ctx, Limit: stripe.Int64(100)}
}

// freshKey is the idempotency key of an order that nobody will ask for again under the same name.
func freshKey(what string) string { return what + "-" + rand.Text() }
