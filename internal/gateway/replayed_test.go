package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

// Stripe broke once and keeps that answer with the order's key. What may be ordered twice is ordered anew; a payment is not.
func TestAFailureThatStripeKeepsIsNotTheLastWord(t *testing.T) {
	kept := map[string]bool{} // keys
	var orders []string
	client := against(t, func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		if r.Method != http.MethodPost {
			io.WriteString(w, `{"id":"in_1","object":"invoice","status":"open"}`)
			return
		}
		orders = append(orders, r.URL.Path+" "+key)
		first := len(kept) == 0 || kept[key]
		if !first {
			io.WriteString(w, `{"id":"x"}`)
			return
		}
		if kept[key] {
			w.Header().Set("Idempotent-Replayed", "true")
		}
		kept[key] = true
		w.WriteHeader(http.StatusInternalServerError)
		io.WriteString(w, `{"error":{"type":"api_error"}}`)
	})
	ctx := t.Context()
	for name, order := range map[string]func() error{
		"default of the customer": func() error {
			return client.UseMethod(ctx, gateway.UseRequest{Customer: "cus_1", Method: "pm_1", Key: "key"})
		},
		"default of a subscription": func() error {
			return client.UseMethod(ctx, gateway.UseRequest{Customer: "cus_1", Method: "pm_1", Subscriptions: []string{"sub_1"}, OnlySubscriptions: true, Key: "key"})
		},
		"pause":     func() error { return client.PauseCollection(ctx, "sub_1", "key") },
		"write off": func() error { return client.MarkUncollectible(ctx, "in_1", "key") },
		"detach":    func() error { return client.DetachMethod(ctx, "pm_1", "key") },
	} {
		clear(kept)
		orders = nil
		err := order()
		if !fault.Is(err, fault.Unavailable) || len(orders) != 1 {
			t.Errorf("%s: while Stripe is broken: %v after %v", name, err, orders)
		}
		err = order()
		if err != nil || len(orders) != 3 || orders[1] != orders[0] || !strings.HasPrefix(orders[2], orders[0]+"-") {
			t.Errorf("%s: once it is well: %v after %v", name, err, orders)
		}
	}
	clear(kept)
	orders = nil
	for range 2 {
		_, err := client.Pay(ctx, gateway.PayRequest{Invoice: "in_1", Key: "key"})
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("a payment nobody knows of: %v", err)
		}
	}
	if len(orders) != 2 || orders[0] != orders[1] {
		t.Errorf("a payment was ordered anew: %v", orders)
	}
}
