package gateway_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/gateway"
	"sollecito/internal/sandbox"
	"sollecito/internal/sandbox/gates"
)

// lumen is a merchant's account at the stand-in, with one customer whose subscription is paid by card. What the
// gateway sends is also judged by Stripe's official request checker, what it is answered by the official schemas.
type lumen struct {
	*gateway.Client
	t            *testing.T
	stripe       *sandbox.Server
	url          string
	gate         *gates.Transport
	customer     string
	subscription string
	method       string
	mu           sync.Mutex
	clock        time.Time
	complaints   []error
}

func (l *lumen) now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clock
}

func (l *lumen) complain(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.complaints = append(l.complaints, err)
}

// newLumen opens the account. outside may change what goes through the gate on its way out, inside what comes
// back into it; nil is nothing.
func newLumen(t *testing.T, spec *gates.Spec, outside, inside func(http.RoundTripper) http.RoundTripper) *lumen {
	t.Helper()
	l := &lumen{t: t, clock: now}
	l.stripe = sandbox.New(sandbox.Options{Now: l.now, Seed: t.Name()})
	t.Cleanup(l.stripe.Close)
	server := httptest.NewServer(l.stripe.Handler())
	t.Cleanup(server.Close)
	l.url = server.URL
	l.stripe.SetPublicURL(server.URL)

	base := http.RoundTripper(server.Client().Transport)
	if inside != nil {
		base = inside(base)
	}
	gate, err := spec.NewTransport(base, l.complain)
	if err != nil {
		t.Fatal(err)
	}
	l.gate = gate
	carrier := http.RoundTripper(gate)
	if outside != nil {
		carrier = outside(carrier)
	}
	l.Client = gateway.New(gateway.Options{
		SecretKey: l.stripe.SecretKey(), APIURL: server.URL, HTTP: &http.Client{Transport: carrier, Timeout: 10 * time.Second},
		Now: l.now, Rate: 10000,
	})

	product := l.id("/v1/products", "name", "Studio plan")
	price := l.id("/v1/prices", "product", product, "currency", "eur", "unit_amount", "2900", "recurring[interval]", "month")
	l.customer = l.id("/v1/customers", "name", "Giulia Rossi", "email", "giulia@example.com", "preferred_locales[]", "it",
		"metadata[timezone]", "Europe/Rome", "address[country]", "IT", "address[line1]", "Via Roma 1")
	l.method = l.attach("pm_card_visa")
	l.post("/v1/customers/"+l.customer, "invoice_settings[default_payment_method]", l.method)
	l.subscription = l.id("/v1/subscriptions", "customer", l.customer, "items[0][price]", price, "items[0][quantity]", "2")
	return l
}

// post does at Stripe what is no part of the gateway: what the merchant and the customer's browser do.
func (l *lumen) post(path string, pairs ...string) map[string]any {
	l.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+l.stripe.SecretKey())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	var object map[string]any
	err = json.NewDecoder(resp.Body).Decode(&object)
	if err != nil || resp.StatusCode != http.StatusOK {
		l.t.Fatalf("POST %s: %d, %v, %v", path, resp.StatusCode, object, err)
	}
	return object
}

func (l *lumen) id(path string, pairs ...string) string {
	l.t.Helper()
	id, _ := l.post(path, pairs...)["id"].(string)
	return id
}

func (l *lumen) attach(method string) string {
	l.t.Helper()
	return l.id("/v1/payment_methods/"+method+"/attach", "customer", l.customer)
}

func (l *lumen) fail(code string) string {
	l.t.Helper()
	invoice, err := l.stripe.FailRenewal(l.customer, code)
	if err != nil {
		l.t.Fatal(err)
	}
	return invoice
}

func (l *lumen) invoice(id string) billing.Invoice {
	l.t.Helper()
	i, _, err := l.Invoice(l.t.Context(), id)
	if err != nil {
		l.t.Fatal(err)
	}
	return i
}

// stories holds one story per method of the client; everyMethod compares the two sets.
var stories = map[string]func(*testing.T, *lumen){
	"Account":        readsAnAccount,
	"Invoice":        readsAnInvoice,
	"CustomerOf":     findsTheOwner,
	"InvoiceOf":      findsTheInvoice,
	"Pay":            pays,
	"StartSetup":     addsACard,
	"Setup":          addsACardThatFails,
	"CancelSetup":    closesCardFields,
	"UseMethod":      usesAMethodEverywhere,
	"Intent":         handsOutTheIntent,
	"HostedPage":     findsThePages,
	"InvoicePDF":     findsThePages,
	"EnsureEndpoint": ensuresTheEndpoint,

	"Business":           readsTheBusiness,
	"Endpoints":          readsTheEndpoints,
	"KnowsPublishable":   knowsPublishableKeys,
	"MissingPermissions": triesPermissions,
	"Happened":           happens,
	"OpenPage":           listsOpenInvoices,
	"RenewingPage":       listsRenewals,
	"Charges":            readsCharges,
	"Dispute":            readsDisputes,
	"Disputes":           readsDisputes,

	"Methods":      listsMethods,
	"DetachMethod": listsMethods,

	"CancelSubscription": endsASubscription,
	"PauseCollection":    pausesCollection,
	"MarkUncollectible":  writesOff,
}

// TestStripesText reads Stripe's text once, which takes seconds, for all that is held against it.
func TestStripesText(t *testing.T) {
	spec, err := gates.NewSpec()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("every method keeps to it", func(t *testing.T) { everyMethod(t, spec) })
	t.Run("the gates bite", func(t *testing.T) { gatesBite(t, spec) })
}

func everyMethod(t *testing.T, spec *gates.Spec) {
	var methods []string
	for m := range reflect.TypeFor[*gateway.Client]().Methods() {
		methods = append(methods, m.Name)
	}
	if told := slices.Sorted(maps.Keys(stories)); !slices.Equal(told, methods) {
		t.Errorf("methods %v, stories %v", methods, told)
	}
	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			l := newLumen(t, spec, nil, nil)
			story(t, l)
			for _, err := range l.complaints {
				t.Errorf("against Stripe's text: %v", err)
			}
			if len(l.gate.Seen()) == 0 {
				t.Error("nothing went through the gate")
			}
		})
	}
}
