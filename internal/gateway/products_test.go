package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"sollecito/internal/gateway"
)

// A product's name is asked for once in an hour, and one that was known serves while Stripe does not answer for it: a
// whole customer does not fail for it.
func TestAKnownNameServesWhileStripeDoesNotTellIt(t *testing.T) {
	at, name, asked := now, "Studio plan", 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/customers/cus_1":
			io.WriteString(w, `{"id":"cus_1","object":"customer"}`)
		case "/v1/subscriptions":
			io.WriteString(w, `{"object":"list","data":[{"id":"sub_1","object":"subscription","items":{"object":"list","data":[
				{"id":"si_1","object":"subscription_item","quantity":1,"price":{"id":"price_1","object":"price","product":"prod_1"}}]}}]}`)
		case "/v1/products/prod_1":
			asked++
			if name == "" {
				w.Header().Set("Stripe-Should-Retry", "false")
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			io.WriteString(w, `{"id":"prod_1","object":"product","name":"`+name+`"}`)
		default:
			io.WriteString(w, `{"object":"list","data":[]}`)
		}
	}))
	t.Cleanup(server.Close)
	client := gateway.New(gateway.Options{SecretKey: testKey, APIURL: server.URL, Rate: 1000, Now: func() time.Time { return at }})
	for _, step := range []struct {
		passed time.Duration
		name   string // as Stripe has it, "" when it does not answer
		want   string
		asked  int
	}{
		{0, "Studio plan", "Studio plan", 1},
		{59 * time.Minute, "Atelier plan", "Studio plan", 1},
		{2 * time.Minute, "", "Studio plan", 2},
		{0, "Atelier plan", "Atelier plan", 3},
	} {
		at, name = at.Add(step.passed), step.name
		got, err := client.Account(t.Context(), "cus_1")
		if err != nil {
			t.Fatal(err)
		}
		if got.Subscriptions[0].Description != step.want || asked != step.asked {
			t.Errorf("%q after %d calls, want %q after %d", got.Subscriptions[0].Description, asked, step.want, step.asked)
		}
	}
	name = ""
	other := gateway.New(gateway.Options{SecretKey: testKey, APIURL: server.URL, Rate: 1000})
	_, err := other.Account(t.Context(), "cus_1")
	if err == nil {
		t.Error("a name that was never known is passed over")
	}
}
