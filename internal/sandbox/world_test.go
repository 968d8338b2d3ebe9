package sandbox_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	stripe "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
	"github.com/stripe/stripe-go/v76/webhook"

	"sollecito/internal/sandbox"
	"sollecito/internal/sandbox/gates"
)

// spec is loaded once for all tests of the package: it takes a second.
var spec = sync.OnceValues(gates.NewSpec)

// world is a stand-in with its own clock, an ordinary Stripe client behind both gates, and a receiver of webhooks.
type world struct {
	t       *testing.T
	server  *sandbox.Server
	address string
	client  *client.API
	gate    *gates.Transport
	// plain makes the calls of form; without the gates, since some are wrong on purpose.
	plain *http.Client

	mu     sync.Mutex
	now    time.Time
	events []stripe.Event
	refuse int
	// heardNow gets every received type when it is not nil.
	heardNow chan string
}

var morning = time.Date(2031, 3, 31, 9, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, sandbox.Options{})
}

func newWorldWith(t *testing.T, options sandbox.Options) *world {
	t.Helper()
	w := &world{t: t, now: morning, plain: http.DefaultClient}
	options.Now, options.Seed = w.clock, t.Name()
	w.server = sandbox.New(options)
	t.Cleanup(w.server.Close)
	listener := httptest.NewServer(w.server.Handler())
	t.Cleanup(listener.Close)
	w.address = listener.URL
	w.server.SetPublicURL(listener.URL)

	loaded, err := spec()
	must(t, err)
	w.gate, err = loaded.NewTransport(nil, func(fault error) { t.Errorf("gate: %v", fault) })
	must(t, err)
	w.client = w.clientWith(w.gate)
	t.Cleanup(w.checkEvents)
	return w
}

func (w *world) clientWith(transport http.RoundTripper) *client.API {
	return client.New(w.server.SecretKey(), stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL: stripe.String(w.address), HTTPClient: &http.Client{Transport: transport},
		MaxNetworkRetries: stripe.Int64(0), EnableTelemetry: stripe.Bool(false),
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	}))
}

// checkEvents reads every event back through the gate, which checks the objects in them.
func (w *world) checkEvents() {
	params := &stripe.EventListParams{}
	params.Limit = stripe.Int64(100)
	all := w.client.Events.List(params)
	for all.Next() {
	}
	must(w.t, all.Err())
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// pass moves the base clock and does what became due.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	w.now = w.now.Add(d)
	now := w.now
	w.mu.Unlock()
	w.server.RunDue(now)
}

// listen registers a receiver for everything and answers by its address.
func (w *world) listen() *stripe.WebhookEndpoint {
	w.t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(rw, "unreadable", http.StatusBadRequest)
			return
		}
		event, err := webhook.ConstructEvent(body, r.Header.Get("Stripe-Signature"), w.server.WebhookSecret())
		if err != nil {
			w.t.Errorf("a webhook is not signed as Stripe signs: %v", err)
		}
		loaded, err := spec()
		if err == nil {
			err = loaded.CheckObject(body)
		}
		if err != nil {
			w.t.Errorf("a webhook is not as Stripe's: %v", err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.refuse > 0 {
			w.refuse--
			http.Error(rw, "not now", http.StatusServiceUnavailable)
			return
		}
		w.events = append(w.events, event)
		if w.heardNow != nil {
			w.heardNow <- string(event.Type)
		}
	}))
	w.t.Cleanup(receiver.Close)
	endpoint, err := w.client.WebhookEndpoints.New(&stripe.WebhookEndpointParams{
		URL: stripe.String(receiver.URL), EnabledEvents: stripe.StringSlice([]string{"*"}), APIVersion: stripe.String("2023-10-16"),
	})
	must(w.t, err)
	if endpoint.Secret != w.server.WebhookSecret() {
		w.t.Errorf("the endpoint's secret is not the one that signs")
	}
	return endpoint
}

// heard delivers and gives the types received since the last call.
func (w *world) heard() []string {
	w.t.Helper()
	must(w.t, w.server.DeliverWebhooks(context.Background()))
	w.mu.Lock()
	defer w.mu.Unlock()
	var types []string
	for _, event := range w.events {
		types = append(types, string(event.Type))
	}
	w.events = nil
	return types
}

// expectHeard wants these types in this order, among others.
func (w *world) expectHeard(want ...string) {
	w.t.Helper()
	got := w.heard()
	rest := got
	for _, kind := range want {
		at := slices.Index(rest, kind)
		if at < 0 {
			w.t.Errorf("no %s in its place, heard: %v", kind, got)
			return
		}
		rest = rest[at+1:]
	}
}

// customer makes one with a card on file.
func (w *world) customer(method string, clock string) *stripe.Customer {
	w.t.Helper()
	params := &stripe.CustomerParams{Email: stripe.String("ada@example.org"), Name: stripe.String("Ada Rossi"), InvoicePrefix: stripe.String("LUMEN")}
	if method != "" {
		params.PaymentMethod = stripe.String(method)
		params.InvoiceSettings = &stripe.CustomerInvoiceSettingsParams{DefaultPaymentMethod: stripe.String(method)}
	}
	if clock != "" {
		params.TestClock = stripe.String(clock)
	}
	made, err := w.client.Customers.New(params)
	must(w.t, err)
	return made
}

// price is 29 euros a month for the Studio plan.
func (w *world) price() *stripe.Price {
	w.t.Helper()
	made, err := w.client.Prices.New(&stripe.PriceParams{
		Currency: stripe.String("eur"), UnitAmount: stripe.Int64(2900),
		Recurring:   &stripe.PriceRecurringParams{Interval: stripe.String("month")},
		ProductData: &stripe.PriceProductDataParams{Name: stripe.String("Studio plan")},
	})
	must(w.t, err)
	return made
}

func (w *world) subscribe(customer string) *stripe.Subscription {
	w.t.Helper()
	made, err := w.client.Subscriptions.New(&stripe.SubscriptionParams{
		Customer: stripe.String(customer), Items: []*stripe.SubscriptionItemsParams{{Price: stripe.String(w.price().ID)}},
	})
	must(w.t, err)
	return made
}

// useCard attaches a method and makes it the customer's default.
func (w *world) useCard(customer, method string) *stripe.PaymentMethod {
	w.t.Helper()
	attached, err := w.client.PaymentMethods.Attach(method, &stripe.PaymentMethodAttachParams{Customer: stripe.String(customer)})
	must(w.t, err)
	_, err = w.client.Customers.Update(customer, &stripe.CustomerParams{
		InvoiceSettings: &stripe.CustomerInvoiceSettingsParams{DefaultPaymentMethod: stripe.String(attached.ID)},
	})
	must(w.t, err)
	return attached
}

func (w *world) testClock(at time.Time) *stripe.TestHelpersTestClock {
	w.t.Helper()
	made, err := w.client.TestHelpersTestClocks.New(&stripe.TestHelpersTestClockParams{FrozenTime: stripe.Int64(at.Unix())})
	must(w.t, err)
	return made
}

func (w *world) advance(clock string, to time.Time) {
	w.t.Helper()
	moving, err := w.client.TestHelpersTestClocks.Advance(clock, &stripe.TestHelpersTestClockAdvanceParams{FrozenTime: stripe.Int64(to.Unix())})
	must(w.t, err)
	if moving.Status != stripe.TestHelpersTestClockStatusAdvancing {
		w.t.Errorf("advance answers %q", moving.Status)
	}
	there, err := w.client.TestHelpersTestClocks.Get(clock, nil)
	must(w.t, err)
	if there.Status != stripe.TestHelpersTestClockStatusReady || there.FrozenTime != to.Unix() {
		w.t.Errorf("the clock is %q at %d", there.Status, there.FrozenTime)
	}
}

func (w *world) invoice(id string, expand ...string) *stripe.Invoice {
	w.t.Helper()
	params := &stripe.InvoiceParams{}
	for _, path := range expand {
		params.AddExpand(path)
	}
	found, err := w.client.Invoices.Get(id, params)
	must(w.t, err)
	return found
}

func (w *world) subscription(id string) *stripe.Subscription {
	w.t.Helper()
	found, err := w.client.Subscriptions.Get(id, nil)
	must(w.t, err)
	return found
}

func refusalOf(t *testing.T, err error) *stripe.Error {
	t.Helper()
	var refused *stripe.Error
	if !errors.As(err, &refused) {
		t.Fatalf("no Stripe error: %v", err)
	}
	return refused
}

func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
