package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sollecito/internal/fault"
	"sollecito/internal/gateway"
	"sollecito/internal/sandbox"
)

// at opens the stand-in with a key of its own.
func at(t *testing.T, key string, observe func(string, string, int, time.Duration)) (*sandbox.Server, *gateway.Client) {
	t.Helper()
	stripe := sandbox.New(sandbox.Options{Seed: t.Name() + key, MerchantName: "Lumen"})
	t.Cleanup(stripe.Close)
	server := httptest.NewServer(stripe.Handler())
	t.Cleanup(server.Close)
	return stripe, gateway.New(gateway.Options{SecretKey: key, APIURL: server.URL, Rate: 10000, Observe: observe})
}

func TestPermissionsAreToldApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key  string
		want string
	}{
		{"sk_test_whole", ""},
		{"rk_test_whole", ""},
		{"rk_test_lacks_invoice_write", "Invoices"},
		{"rk_test_lacks_customer_write-event_read", "Customers, Events"},
		{"rk_test_lacks_checkout_session_read", "Checkout Sessions"},
	} {
		_, client := at(t, c.key, nil)
		missing, err := client.MissingPermissions(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", c.key, err)
		}
		var names []string
		for _, need := range missing {
			names = append(names, need.Resource)
		}
		if strings.Join(names, ", ") != c.want {
			t.Errorf("%s lacks %q, want %q", c.key, names, c.want)
		}
	}
	_, client := at(t, "rk_test_lacks_all", nil)
	missing, err := client.MissingPermissions(t.Context())
	if err != nil || len(missing) != len(gateway.Needs) {
		t.Errorf("%d of %d, %v", len(missing), len(gateway.Needs), err)
	}
	_, client = at(t, "nonsense", nil)
	_, err = client.MissingPermissions(t.Context())
	if !errors.Is(err, gateway.ErrKey) {
		t.Errorf("a key that Stripe does not know: %v", err)
	}
}

// A check of permissions is made against a real account: it must leave nothing behind.
func TestTryingPermissionsChangesNothing(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	orders := 0
	_, client := at(t, "sk_test_whole", func(method, _ string, status int, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if method == http.MethodPost {
			orders++
			if status != http.StatusNotFound {
				t.Errorf("an order was answered %d: it found something to change", status)
			}
		}
	})
	_, err := client.MissingPermissions(t.Context())
	if err != nil || orders == 0 {
		t.Fatalf("%d orders, %v", orders, err)
	}
	err = client.Happened(t.Context(), 0, "", func(page []gateway.Event, _ string) error {
		t.Errorf("it left the event %s %s", page[0].ID, page[0].Type)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func readsTheBusiness(t *testing.T, l *lumen) {
	business, err := l.Business(t.Context())
	if err != nil || business.Country != "IT" || business.Currency != "eur" || business.Name == "" || !business.Charges || business.ID == "" || business.Date.IsZero() {
		t.Errorf("%+v, %v", business, err)
	}
}

func readsTheEndpoints(t *testing.T, l *lumen) {
	_, err := l.EnsureEndpoint(t.Context(), "https://pay.example.com/webhooks/stripe")
	if err != nil {
		t.Fatal(err)
	}
	l.post("/v1/webhook_endpoints", "url", "https://pay.example.com/other", "enabled_events[]", "invoice.paid")
	endpoints, err := l.Endpoints(t.Context())
	if err != nil || len(endpoints) != 2 {
		t.Fatalf("%+v, %v", endpoints, err)
	}
	for _, e := range endpoints {
		ours := e.URL == "https://pay.example.com/webhooks/stripe"
		if !e.Enabled || ours != (e.Version == gateway.APIVersion) || ours != (len(e.Missing) == 0) || !ours && len(e.Missing) != len(gateway.ListenTo)-1 {
			t.Errorf("%+v", e)
		}
	}
}

func knowsPublishableKeys(t *testing.T, l *lumen) {
	for key, want := range map[string]bool{l.stripe.PublishableKey(): true, "pk_unknown": false} {
		known, err := l.KnowsPublishable(t.Context(), key)
		if err != nil || known != want {
			t.Errorf("%s: %v, %v", key, known, err)
		}
	}
	l.complaints = slices.DeleteFunc(l.complaints, func(err error) bool { // the request checker takes no such key: that is what is asked
		return strings.Contains(err.Error(), "401: Please authenticate")
	})
}

func triesPermissions(t *testing.T, l *lumen) {
	missing, err := l.MissingPermissions(t.Context())
	if err != nil || len(missing) != 0 {
		t.Errorf("%+v, %v", missing, err)
	}
}

func TestTheAccountAndItsEndpoints(t *testing.T) {
	t.Parallel()
	_, client := at(t, "sk_test_whole", nil)
	business, err := client.Business(t.Context())
	if err != nil || business.Country != "IT" || business.Currency != "eur" || business.Name != "Lumen" || !business.Charges || business.ID == "" {
		t.Errorf("%+v, %v", business, err)
	}
	if off := time.Since(business.Date); off < -5*time.Second || off > 5*time.Second {
		t.Errorf("Stripe's clock reads %s", business.Date)
	}
	_, err = client.EnsureEndpoint(t.Context(), "https://pay.example.com/webhooks/stripe")
	if err != nil {
		t.Fatal(err)
	}
	endpoints, err := client.Endpoints(t.Context())
	if err != nil || len(endpoints) != 1 || !endpoints[0].Enabled || endpoints[0].Version != gateway.APIVersion || len(endpoints[0].Missing) != 0 {
		t.Errorf("%+v, %v", endpoints, err)
	}

	_, refused := at(t, "rk_test_lacks_account_read-webhook_endpoint_read", nil)
	business, err = refused.Business(t.Context())
	if !errors.Is(err, gateway.ErrPermission) || business.Date.IsZero() {
		t.Errorf("%+v, %v", business, err)
	}
	_, err = refused.Endpoints(t.Context())
	if !errors.Is(err, gateway.ErrPermission) {
		t.Errorf("endpoints: %v", err)
	}
	gone := gateway.New(gateway.Options{SecretKey: "sk_test_x", APIURL: "http://127.0.0.1:1"})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = gone.Business(ctx)
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("nobody there: %v", err)
	}
}

// What is counted never names a customer: ids are cut out of every path the gateway asks for.
func TestCountedPathsHoldNoIDs(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	var mu sync.Mutex
	_, client := at(t, "sk_test_whole", func(_, path string, _ int, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		seen[path] = true
	})
	_, _ = client.Account(t.Context(), "cus_abcdefgh")
	_, _, _ = client.Invoice(t.Context(), "in_abcdefgh")
	_, _ = client.CustomerOf(t.Context(), "mandate", "pay")
	_, _ = client.MissingPermissions(t.Context())
	for path := range seen {
		if strings.Contains(path, "_abc") || strings.Contains(path, "permission") {
			t.Errorf("%s holds an id", path)
		}
		for part := range strings.SplitSeq(strings.TrimPrefix(path, "/v1/"), "/") {
			if part == "{id}" && strings.Count(path, "{id}") > 1 {
				t.Errorf("%s: a word of Stripe's is missing in the list", path)
			}
		}
	}
	for _, want := range []string{"/v1/customers/{id}", "/v1/invoices/{id}/pay", "/v1/checkout/sessions", "/v1/webhook_endpoints/{id}"} {
		if !seen[want] {
			t.Errorf("%s is not among %v", want, seen)
		}
	}
}
