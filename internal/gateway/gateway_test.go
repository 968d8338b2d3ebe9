package gateway_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
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
	"sollecito/internal/fault"
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

func readsAnAccount(t *testing.T, l *lumen) {
	insufficient := l.fail("insufficient_funds")
	got, err := l.Account(t.Context(), l.customer)
	if err != nil {
		t.Fatal(err)
	}
	c := got.Customer
	if c.ID != l.customer || c.Name != "Giulia Rossi" || c.Email != "giulia@example.com" || !slices.Equal(c.PreferredLocales, []string{"it"}) ||
		c.Country != "IT" || c.Zone != "Europe/Rome" || c.DefaultMethod != l.method || c.Livemode || c.Deleted || c.CreatedAt == 0 || c.SyncedAt != now.Unix() {
		t.Errorf("customer %+v", c)
	}
	if len(got.Subscriptions) != 1 {
		t.Fatalf("subscriptions %+v", got.Subscriptions)
	}
	s := got.Subscriptions[0]
	if s.ID != l.subscription || s.CustomerID != l.customer || s.Status != "past_due" || s.Description != "Studio plan" || s.Interval != "month" ||
		s.DefaultMethod != "" || s.PeriodEnd <= now.Unix() || s.CancelAt != 0 || s.Amount != (billing.Money{Minor: 5800, Currency: "eur"}) {
		t.Errorf("subscription %+v", s)
	}
	if len(got.Invoices) != 1 {
		t.Fatalf("invoices %+v", got.Invoices)
	}
	i := got.Invoices[0]
	if i.ID != insufficient || i.CustomerID != l.customer || i.SubscriptionID != l.subscription || i.Number == "" || i.Status != "open" ||
		i.CollectionMethod != "charge_automatically" || i.BillingReason != "subscription_cycle" || i.Currency != "eur" || i.AmountDue != 5800 ||
		i.AmountPaid != 0 || i.AmountRemaining != 5800 || i.Description != "2 × Studio plan" || i.PeriodEnd <= i.PeriodStart ||
		!i.Attempted || i.AttemptCount != 1 || i.FailedAt != now.Unix() || i.FirstFailed != 5800 || i.NextAttemptAt <= now.Unix() ||
		!strings.HasPrefix(i.Intent, "pi_") || i.IntentStatus != "requires_payment_method" || i.MethodID != l.method ||
		i.Decline != (billing.Decline{Code: "card_declined", DeclineCode: "insufficient_funds"}) || i.Class() != billing.ClassMoney || !i.Failed() {
		t.Errorf("invoice %+v", i)
	}
	if len(got.Methods) != 1 || got.Methods[0].ID != l.method || got.Methods[0].CustomerID != l.customer || got.Methods[0].Type != "card" ||
		got.Methods[0].Brand != "visa" || got.Methods[0].Last4 != "4242" || got.Methods[0].ExpYear == 0 || got.Methods[0].Fingerprint == "" {
		t.Errorf("methods %+v", got.Methods)
	}
	_, err = l.Account(t.Context(), "cus_unknown")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown customer: %v", err)
	}
}

func readsAnInvoice(t *testing.T, l *lumen) {
	id := l.fail("authentication_required")
	open := l.invoice(id)
	if open.IntentStatus != "requires_action" || open.Class() != billing.ClassAuthentication || open.FailedAt == 0 || open.NextAttemptAt != 0 && open.NextAttemptAt < now.Unix() {
		t.Errorf("waiting for the bank: %+v", open)
	}
	err := l.stripe.Pay(id, true)
	if err != nil {
		t.Fatal(err)
	}
	paid, methods, err := l.Invoice(t.Context(), id)
	if err != nil || paid.Status != "paid" || !paid.PaidOutOfBand || paid.PaidAt != now.Unix() || paid.AmountPaid != 0 || paid.FailedAt != 0 || paid.Open() {
		t.Errorf("paid out of band: %+v, %v", paid, err)
	}
	if len(methods) != 1 || methods[0].ID != l.method {
		t.Errorf("methods %+v", methods)
	}
	second := l.fail("expired_card")
	expired := l.invoice(second)
	if expired.Class() != billing.ClassExpired || expired.FailedAt != now.Unix() || expired.Decline.Code != "expired_card" {
		t.Errorf("expired card: %+v", expired)
	}
	_, _, err = l.Invoice(t.Context(), "in_unknown")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown invoice: %v", err)
	}
}

func findsTheInvoice(t *testing.T, l *lumen) {
	invoice := l.fail("insufficient_funds")
	paid, err := l.Pay(t.Context(), gateway.PayRequest{Invoice: invoice, Method: l.attach("pm_card_visa"), Key: "press-refund"})
	if err != nil || paid.Charge == "" {
		t.Fatalf("%+v, %v", paid, err)
	}
	refund := l.post("/v1/refunds", "charge", paid.Charge, "amount", "900")
	note := l.id("/v1/credit_notes", "invoice", invoice, "amount", "500", "credit_amount", "500")
	for kind, id := range map[string]string{"charge": paid.Charge, "refund": refund["id"].(string), "credit_note": note} {
		got, err := l.InvoiceOf(t.Context(), kind, id)
		if err != nil || got != invoice {
			t.Errorf("%s: %q, %v", kind, got, err)
		}
	}
	got, err := l.InvoiceOf(t.Context(), "customer", l.customer)
	if err != nil || got != "" {
		t.Errorf("a customer: %q, %v", got, err)
	}
	_, err = l.InvoiceOf(t.Context(), "charge", "ch_unknown")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown charge: %v", err)
	}
	i := l.invoice(invoice)
	if i.Refunded != 900 || float64(i.RefundedAt) != refund["created"] || i.Credited != 500 || i.ChargedAt == 0 || !slices.Contains(i.Takes, "card") {
		t.Errorf("after a refund: %+v", i)
	}
}

func findsTheOwner(t *testing.T, l *lumen) {
	intent, err := l.Intent(t.Context(), l.fail("do_not_honor"))
	if err != nil {
		t.Fatal(err)
	}
	for kind, id := range map[string]string{
		"payment_intent": intent.ID, "payment_method": l.method, "subscription": l.subscription, "customer": l.customer,
	} {
		got, err := l.CustomerOf(t.Context(), kind, id)
		if err != nil || got != l.customer {
			t.Errorf("%s: %q, %v", kind, got, err)
		}
	}
	_, err = l.CustomerOf(t.Context(), "charge", "ch_unknown")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown charge: %v", err)
	}
}

func readsDisputes(t *testing.T, l *lumen) {
	ctx := t.Context()
	id := l.fail("do_not_honor")
	disputed := l.attach("pm_card_createDispute")
	_, err := l.Pay(ctx, gateway.PayRequest{Invoice: id, Method: disputed, Key: "press-1"})
	if err != nil {
		t.Fatal(err)
	}
	all, more, err := l.Disputes(ctx, l.now().Add(-time.Hour), "")
	if err != nil || len(all) != 1 || more {
		t.Fatalf("%+v, %t, %v", all, more, err)
	}
	d := all[0]
	if d.CustomerID != l.customer || d.InvoiceID != id || !d.Running() || d.Lost() || d.Reason != "fraudulent" || d.Amount != (billing.Money{Minor: 5800, Currency: "eur"}) {
		t.Errorf("dispute %+v", d)
	}
	again, err := l.Dispute(ctx, d.ID)
	if err != nil || again != d {
		t.Errorf("read alone: %+v, %v", again, err)
	}
	l.post("/v1/disputes/"+d.ID, "evidence[uncategorized_text]", "losing_evidence")
	closed, err := l.Dispute(ctx, d.ID)
	if err != nil || closed.Running() || !closed.Lost() {
		t.Errorf("closed: %+v, %v", closed, err)
	}
	for after, since := range map[string]time.Time{"": l.now().Add(time.Hour), d.ID: l.now().Add(-time.Hour)} {
		none, more, err := l.Disputes(ctx, since, after)
		if err != nil || len(none) != 0 || more {
			t.Errorf("later than %s, after %q: %+v, %v", since, after, none, err)
		}
	}
}

// Every try is read, whoever made it, with the card's own mark, so that tries on one card add up over its methods.
func readsCharges(t *testing.T, l *lumen) {
	ctx := t.Context()
	id := l.fail("insufficient_funds")
	declined, err := l.Pay(ctx, gateway.PayRequest{Invoice: id, Method: l.method, OffSession: true, Key: "retry-1"})
	if err != nil || declined.Charge == "" {
		t.Fatalf("%+v, %v", declined, err)
	}
	same := l.attach("pm_card_visa")
	paid, err := l.Pay(ctx, gateway.PayRequest{Invoice: id, Method: same, Key: "press-1"})
	if err != nil || paid.Status != gateway.Paid {
		t.Fatalf("%+v, %v", paid, err)
	}
	tries, err := l.Charges(ctx, l.customer, now.Add(-time.Hour).Unix())
	if err != nil {
		t.Fatal(err)
	}
	var ofInvoice []billing.Attempt
	for _, a := range tries {
		if a.InvoiceID == id {
			ofInvoice = append(ofInvoice, a)
		}
	}
	if len(ofInvoice) != 3 || ofInvoice[0].Charge != paid.Charge || ofInvoice[1].Charge != declined.Charge {
		t.Fatalf("tries %+v", ofInvoice)
	}
	for n, want := range []billing.AttemptStatus{billing.AttemptPaid, billing.AttemptDeclined, billing.AttemptDeclined} {
		a := ofInvoice[n]
		if a.Status != want || a.Network != "visa" || a.Card == "" || a.Card != ofInvoice[0].Card || a.By != billing.ByStripe ||
			a.Amount != (billing.Money{Minor: 5800, Currency: "eur"}) || a.StartedAt != now.Unix() {
			t.Errorf("try %d: %+v", n, a)
		}
	}
	if ofInvoice[2].Decline.Class() != billing.ClassMoney {
		t.Errorf("the first was declined: %+v", ofInvoice[2].Decline)
	}
	none, err := l.Charges(ctx, l.customer, now.Add(time.Hour).Unix())
	if err != nil || len(none) != 0 {
		t.Errorf("later ones: %+v, %v", none, err)
	}
}

func pays(t *testing.T, l *lumen) {
	ctx := t.Context()
	id := l.fail("insufficient_funds")
	declined, err := l.Pay(ctx, gateway.PayRequest{Invoice: id, Method: l.method, Key: "press-1"})
	if err != nil || declined.Status != gateway.Declined || declined.Intent == "" || declined.Decline != (billing.Decline{Code: "card_declined", DeclineCode: "insufficient_funds"}) {
		t.Errorf("method on file: %+v, %v", declined, err)
	}
	again, err := l.Pay(ctx, gateway.PayRequest{Invoice: id, Method: l.method, Key: "press-1"})
	if err != nil || again != declined {
		t.Errorf("same key: %+v, %v", again, err)
	}
	other := l.attach("pm_card_mastercard")
	_, err = l.Pay(ctx, gateway.PayRequest{Invoice: id, Method: other, Key: "press-1"})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("a used key for another order: %v", err)
	}
	paid, err := l.Pay(ctx, gateway.PayRequest{Invoice: id, Method: other, Key: "press-2"})
	if err != nil || paid.Charge == "" || paid != (gateway.Payment{Status: gateway.Paid, Intent: declined.Intent, Charge: paid.Charge}) {
		t.Errorf("another card: %+v, %v", paid, err)
	}
	if i := l.invoice(id); i.Status != "paid" || i.PaidAt == 0 || i.MethodID != other || i.AmountPaid != 5800 {
		t.Errorf("invoice %+v", i)
	}
	twice, err := l.Pay(ctx, gateway.PayRequest{Invoice: id, Method: other, Key: "press-3"})
	if err != nil || twice.Status != gateway.AlreadyPaid {
		t.Errorf("paid before: %+v, %v", twice, err)
	}
	asking := l.attach("pm_card_authenticationRequired")
	second := l.fail("generic_decline")
	action, err := l.Pay(ctx, gateway.PayRequest{Invoice: second, Method: asking, Key: "press-4"})
	if err != nil || action.Status != gateway.Action || action.Intent == "" || action.Decline != (billing.Decline{}) {
		t.Errorf("a bank that asks: %+v, %v", action, err)
	}
	l.post("/v1/invoices/" + second + "/void")
	void, err := l.Pay(ctx, gateway.PayRequest{Invoice: second, Method: other, Key: "press-5"})
	if err != nil || void.Status != gateway.Gone {
		t.Errorf("void: %+v, %v", void, err)
	}
	unknown, err := l.Pay(ctx, gateway.PayRequest{Invoice: "in_unknown", Key: "press-6"})
	if err != nil || unknown.Status != gateway.Gone {
		t.Errorf("unknown: %+v, %v", unknown, err)
	}
	third := l.fail("generic_decline")
	l.post("/v1/payment_methods/" + other + "/detach")
	detached, err := l.Pay(ctx, gateway.PayRequest{Invoice: third, Method: other, Key: "press-7"})
	if err != nil || detached.Status != gateway.Declined || detached.Decline.Class() != billing.ClassNoMethod {
		t.Errorf("a card taken away: %+v, %v", detached, err)
	}
}

func addsACard(t *testing.T, l *lumen) {
	ctx := t.Context()
	request := gateway.SetupRequest{Customer: l.customer, Metadata: map[string]string{"press": "press-1"}, Key: "press-1"}
	started, err := l.StartSetup(ctx, request)
	if err != nil || started.Status != "requires_payment_method" || started.Customer != l.customer || started.Metadata["press"] != "press-1" ||
		!strings.HasPrefix(started.ClientSecret, started.ID+"_secret_") {
		t.Fatalf("%+v, %v", started, err)
	}
	again, err := l.StartSetup(ctx, request)
	if err != nil || again.ID != started.ID {
		t.Errorf("same key: %+v, %v", again, err)
	}
	l.post("/v1/setup_intents/"+started.ID+"/confirm", "payment_method", "pm_card_mastercard", "return_url", "https://lumen.example/back")
	done, err := l.Setup(ctx, started.ID)
	if err != nil || done.Status != "succeeded" || done.ClientSecret != "" || done.Customer != l.customer || done.Method.Brand != "mastercard" ||
		done.Method.CustomerID != l.customer || done.Metadata["press"] != "press-1" || done.Decline != (billing.Decline{}) {
		t.Errorf("%+v, %v", done, err)
	}
	once, err := l.StartSetup(ctx, gateway.SetupRequest{Customer: l.customer, Key: "press-3", Types: []string{"card"}, Once: true})
	if err != nil || once.Status != "requires_payment_method" {
		t.Fatalf("%+v, %v", once, err)
	}
	made := l.post("/v1/setup_intents/"+once.ID, "metadata[note]", "once")
	if types, _ := made["payment_method_types"].([]any); made["usage"] != "on_session" || len(types) != 1 || types[0] != "card" {
		t.Errorf("a card for once: %v of %v", made["usage"], made["payment_method_types"])
	}
	_, err = l.StartSetup(ctx, gateway.SetupRequest{Customer: "cus_unknown", Key: "press-2"})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown customer: %v", err)
	}
}

func closesCardFields(t *testing.T, l *lumen) {
	ctx := t.Context()
	started, err := l.StartSetup(ctx, gateway.SetupRequest{Customer: l.customer, Key: "press-1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"close-1", "close-1", "close-2"} { // again, and once it is closed
		err = l.CancelSetup(ctx, started.ID, key)
		if err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	closed, err := l.Setup(ctx, started.ID)
	if err != nil || closed.Status != "canceled" {
		t.Errorf("%+v, %v", closed, err)
	}
	err = l.CancelSetup(ctx, "seti_unknown", "close-3")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown one: %v", err)
	}
}

func addsACardThatFails(t *testing.T, l *lumen) {
	ctx := t.Context()
	started, err := l.StartSetup(ctx, gateway.SetupRequest{Customer: l.customer, Key: "press-1"})
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"payment_method": {"pm_card_visa_chargeDeclinedInsufficientFunds"}, "return_url": {"https://lumen.example/back"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/v1/setup_intents/"+started.ID+"/confirm", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+l.stripe.SecretKey())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	failed, err := l.Setup(ctx, started.ID)
	if err != nil || resp.StatusCode != http.StatusPaymentRequired || failed.Status != "requires_payment_method" || failed.Decline.Class() != billing.ClassMoney {
		t.Errorf("%+v, %v after %d", failed, err, resp.StatusCode)
	}
	_, err = l.Setup(ctx, "seti_unknown")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown setup: %v", err)
	}
}

func listsMethods(t *testing.T, l *lumen) {
	ctx := t.Context()
	other := l.attach("pm_card_mastercard")
	both, err := l.Methods(ctx, l.customer)
	if err != nil || len(both) != 2 || both[0].ID != other || both[0].Brand != "mastercard" || both[0].CustomerID != l.customer || both[1].Last4 != "4242" {
		t.Fatalf("%+v, %v", both, err)
	}
	request := gateway.UseRequest{Customer: l.customer, Method: other, Subscriptions: []string{l.subscription}, Key: "removal-1", OnlySubscriptions: true}
	err = l.UseMethod(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"removal-1", "removal-1", "removal-2"} { // asked again, and by another key after the first is forgotten
		err = l.DetachMethod(ctx, l.method, key)
		if err != nil {
			t.Fatal(err)
		}
	}
	left, err := l.Methods(ctx, l.customer)
	if err != nil || len(left) != 1 || left[0].ID != other {
		t.Errorf("%+v, %v", left, err)
	}
	got, err := l.Account(ctx, l.customer)
	if err != nil || got.Customer.DefaultMethod != "" || got.Subscriptions[0].DefaultMethod != other {
		t.Errorf("%+v, %v", got, err)
	}
	err = l.DetachMethod(ctx, "pm_unknown", "removal-3")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown method: %v", err)
	}
	_, err = l.Methods(ctx, "cus_unknown")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown customer: %v", err)
	}
}

func usesAMethodEverywhere(t *testing.T, l *lumen) {
	ctx := t.Context()
	l.post("/v1/subscriptions/"+l.subscription, "default_payment_method", l.method)
	other := l.attach("pm_card_mastercard")
	request := gateway.UseRequest{Customer: l.customer, Method: other, Subscriptions: []string{l.subscription, "sub_ended"}, Key: "press-1"}
	for range 2 { // asked again it changes nothing
		err := l.UseMethod(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := l.Account(ctx, l.customer)
	if err != nil || got.Customer.DefaultMethod != other || got.Subscriptions[0].DefaultMethod != other {
		t.Errorf("%+v, %v", got, err)
	}
	err = l.UseMethod(ctx, gateway.UseRequest{Customer: "cus_unknown", Method: other, Key: "press-2"})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown customer: %v", err)
	}
}

func handsOutTheIntent(t *testing.T, l *lumen) {
	id := l.fail("authentication_required")
	intent, err := l.Intent(t.Context(), id)
	if err != nil || intent.ID != l.invoice(id).Intent || intent.Status != "requires_action" || !strings.HasPrefix(intent.ClientSecret, intent.ID+"_secret_") {
		t.Errorf("%+v, %v", intent, err)
	}
	draft := l.id("/v1/invoices", "customer", l.customer)
	_, err = l.Intent(t.Context(), draft)
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("a draft's: %v", err)
	}
}

func findsThePages(t *testing.T, l *lumen) {
	id := l.fail("do_not_honor")
	page, err := l.HostedPage(t.Context(), id)
	if err != nil || !strings.HasPrefix(page, l.url+"/") {
		t.Errorf("page %q, %v", page, err)
	}
	pdf, err := l.InvoicePDF(t.Context(), id)
	if err != nil || !strings.HasPrefix(pdf, l.url+"/") || pdf == page {
		t.Errorf("PDF %q, %v", pdf, err)
	}
	draft := l.id("/v1/invoices", "customer", l.customer)
	_, err = l.HostedPage(t.Context(), draft)
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("a draft's page: %v", err)
	}
}

func ensuresTheEndpoint(t *testing.T, l *lumen) {
	ctx := t.Context()
	const address = "https://billing.lumen.example/webhooks/stripe"
	secret, err := l.EnsureEndpoint(ctx, address)
	if err != nil || secret != l.stripe.WebhookSecret() {
		t.Errorf("new: %q, %v", secret, err)
	}
	standing, err := l.Endpoints(ctx)
	if err != nil || len(standing) != 1 || standing[0].URL != address || standing[0].Version != gateway.APIVersion || !standing[0].Enabled || len(standing[0].Missing) != 0 {
		t.Errorf("made %+v, %v", standing, err)
	}
	secret, err = l.EnsureEndpoint(ctx, address)
	if err != nil || secret != "" {
		t.Errorf("standing: %q, %v", secret, err)
	}
	const narrow = "https://narrow.lumen.example/webhooks/stripe"
	id := l.id("/v1/webhook_endpoints", "url", narrow, "enabled_events[]", "charge.succeeded")
	_, err = l.EnsureEndpoint(ctx, narrow)
	if err != nil {
		t.Fatal(err)
	}
	widened, _ := l.post("/v1/webhook_endpoints/"+id, "description", "looked at")["enabled_events"].([]any)
	if len(widened) != len(gateway.ListenTo)+1 || !slices.Contains(widened, any("charge.succeeded")) {
		t.Errorf("listens to %v", widened)
	}
}

// readsWhatIsSigned lets a receiver refuse everything, and also proves that what the stand-in signs we read.
func readsWhatIsSigned(t *testing.T, l *lumen) {
	ctx := t.Context()
	var mu sync.Mutex
	heard := map[string]gateway.Event{}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e, err := gateway.VerifyEvent(body, r.Header.Get("Stripe-Signature"), []string{l.stripe.WebhookSecret()}, time.Now())
		if err != nil || e.Unreadable != "" || e.APIVersion != gateway.APIVersion {
			t.Errorf("event %+v, %v", e, err)
		}
		mu.Lock()
		heard[e.ID] = e
		mu.Unlock()
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer receiver.Close()
	_, err := l.EnsureEndpoint(ctx, receiver.URL)
	if err != nil {
		t.Fatal(err)
	}
	id := l.fail("insufficient_funds")
	err = l.stripe.DeliverWebhooks(ctx)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	err = l.Happened(ctx, now.Add(-time.Hour).Unix(), "", func(page []gateway.Event, _ string) error {
		for _, e := range page {
			listed[e.ID] = e.Type
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	failed := false
	for eventID, e := range heard {
		if listed[eventID] != e.Type {
			t.Errorf("%s %s was refused and is not listed", eventID, e.Type)
		}
		if e.Type == "invoice.payment_failed" {
			failed = e.ObjectID == id && e.ObjectType == "invoice" && e.Customer == l.customer && e.Created == now.Unix()
		}
	}
	if !failed {
		t.Errorf("no invoice.payment_failed of %s among %v", id, heard)
	}
	err = l.Happened(ctx, now.Add(time.Hour).Unix(), "", func(page []gateway.Event, _ string) error {
		return errors.New(page[0].Type + " is older than asked")
	})
	if err != nil {
		t.Error(err)
	}
}

type carry func(*http.Request) (*http.Response, error)

func (c carry) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

// gatesBite plants one fault before each gate: a gate that lets it through proves nothing.
func gatesBite(t *testing.T, spec *gates.Spec) {
	unknownParameter := func(next http.RoundTripper) http.RoundTripper {
		return carry(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			q := r.URL.Query()
			q.Set("colour", "blue")
			r.URL.RawQuery = q.Encode()
			return next.RoundTrip(r)
		})
	}
	unknownField := func(next http.RoundTripper) http.RoundTripper {
		return carry(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			body = bytes.Replace(body, []byte(`{`), []byte(`{"colour":"blue",`), 1)
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			resp.Header.Del("Content-Length")
			return resp, err
		})
	}
	for name, fault := range map[string][2]func(http.RoundTripper) http.RoundTripper{
		"a parameter Stripe doesn't know": {unknownParameter, nil},
		"a field Stripe doesn't have":     {nil, unknownField},
	} {
		l := newLumen(t, spec, fault[0], fault[1])
		l.HostedPage(t.Context(), l.fail("do_not_honor"))
		if len(l.complaints) == 0 || !strings.Contains(errors.Join(l.complaints...).Error(), "colour") && !strings.Contains(errors.Join(l.complaints...).Error(), "additional properties") {
			t.Errorf("%s passed: %v", name, l.complaints)
		}
	}
}

func happens(t *testing.T, l *lumen) {
	id := l.fail("insufficient_funds")
	var failed []gateway.Event
	err := l.Happened(t.Context(), now.Add(-time.Hour).Unix(), "", func(page []gateway.Event, _ string) error {
		for _, e := range page {
			if e.Type == "invoice.payment_failed" {
				failed = append(failed, e)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(failed) != 1 || failed[0].ObjectID != id || failed[0].ObjectType != "invoice" || failed[0].Customer != l.customer || failed[0].Unreadable != "" {
		t.Errorf("listed %+v", failed)
	}
	stop := errors.New("enough")
	err = l.Happened(t.Context(), now.Add(-time.Hour).Unix(), "", func([]gateway.Event, string) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("a visit's error is answered as %v", err)
	}
	readsWhatIsSigned(t, l)
}

// listsOpenInvoices finds that a page of a listing says of an invoice what a reading of its customer says.
func listsOpenInvoices(t *testing.T, l *lumen) {
	id := l.fail("insufficient_funds")
	page, err := l.OpenPage(t.Context(), gateway.Open{}, "")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := l.Account(t.Context(), l.customer)
	if err != nil {
		t.Fatal(err)
	}
	if page.Invoices != 1 || page.More || page.Last != id || len(page.Accounts) != 1 {
		t.Fatalf("page %+v", page)
	}
	part := page.Accounts[0]
	if !reflect.DeepEqual(part.Customer, whole.Customer) || !reflect.DeepEqual(part.Invoices, whole.Invoices) || !reflect.DeepEqual(part.Subscriptions, whole.Subscriptions) {
		t.Errorf("page says\n%+v\nreading says\n%+v", part, whole)
	}
	none, err := l.OpenPage(t.Context(), gateway.Open{ByHand: true, DueUntil: now.Unix()}, "")
	if err != nil || none.Invoices != 0 {
		t.Errorf("to be paid by hand: %+v, %v", none, err)
	}
}

func listsRenewals(t *testing.T, l *lumen) {
	whole, err := l.Account(t.Context(), l.customer)
	if err != nil {
		t.Fatal(err)
	}
	ends := whole.Subscriptions[0].PeriodEnd
	page, err := l.RenewingPage(t.Context(), ends-1, ends, "")
	if err != nil || page.More || page.Last != l.subscription || len(page.Accounts) != 1 {
		t.Fatalf("page %+v, %v", page, err)
	}
	part := page.Accounts[0]
	if !reflect.DeepEqual(part.Customer, whole.Customer) || !reflect.DeepEqual(part.Methods, whole.Methods) || !reflect.DeepEqual(part.Subscriptions, whole.Subscriptions) {
		t.Errorf("page says\n%+v\nreading says\n%+v", part, whole)
	}
	if !part.Subscriptions[0].Automatic || part.Subscriptions[0].TrialMissing != "create_invoice" {
		t.Errorf("subscription %+v", part.Subscriptions[0])
	}
	none, err := l.RenewingPage(t.Context(), ends, ends+86400, "")
	if err != nil || len(none.Accounts) != 0 {
		t.Errorf("a day later: %+v, %v", none, err)
	}
	l.post("/v1/subscriptions/"+l.subscription, "pause_collection[behavior]", "void")
	page, err = l.RenewingPage(t.Context(), ends-1, ends, "")
	if err != nil || page.Accounts[0].Subscriptions[0].Automatic {
		t.Errorf("paused: %+v, %v", page, err)
	}
}
