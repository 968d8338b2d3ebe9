package jobs_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sollecito/internal/gateway"
	"sollecito/internal/intake"
)

// A Stripe that is silent is told in the log when it begins and when it is over, with how many reminders waited for it, and not at
// each try of each of them.
func TestStripesSilenceIsToldTwice(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	const customers = 3
	db, catcher, sender := waiting(t, now, customers, []string{"first"})
	var silent atomic.Bool
	silent.Store(true)
	stripe := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, id, one := strings.Cut(r.URL.Path, "/v1/customers/")
		switch {
		case silent.Load():
			w.Header().Set("Stripe-Should-Retry", "false") // at once
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"error": {"type": "api_error"}}`)
		case one:
			number := strings.TrimPrefix(id, "cus_")
			fmt.Fprintf(w, `{"id": %q, "object": "customer", "email": "c%s@customer.example"}`, id, number)
		case strings.HasPrefix(r.URL.Path, "/v1/invoices/"):
			id := strings.TrimPrefix(r.URL.Path, "/v1/invoices/")
			fmt.Fprintf(w, `{"id": %q, "object": "invoice", "customer": %q, "status": "open", "collection_method": "charge_automatically", "billing_reason": "subscription_cycle",
				"currency": "eur", "amount_due": 2900, "amount_remaining": 2900, "attempted": true, "attempt_count": 1, "created": %d}`, id, strings.TrimPrefix(id, "in_"), now.Unix())
		default:
			fmt.Fprint(w, `{"object": "list", "data": [], "has_more": false}`)
		}
	}))
	t.Cleanup(stripe.Close)
	var said bytes.Buffer
	sender.Log = slog.New(slog.NewTextHandler(&said, nil))
	sender.Now = func() time.Time { return now }
	sender.Intake = intake.New(intake.Options{
		DB: db, Cases: sender.Cases, Now: sender.Now, RealNow: time.Now, Logger: slog.New(slog.DiscardHandler),
		Stripe: gateway.New(gateway.Options{SecretKey: "sk_test_none", APIURL: stripe.URL, Now: sender.Now, Rate: 10000}),
	})
	run := func(rounds int) {
		t.Helper()
		for range rounds {
			now = now.Add(11 * time.Minute) // what is stored is no longer fresh
			_, err := sender.RunOnce(t.Context())
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	run(5)
	if n := strings.Count(said.String(), "\n"); n != 1 || !strings.Contains(said.String(), "Stripe could not be asked") || len(catcher.Mails()) != 0 {
		t.Errorf("after five rounds there are %d mails, and the log has %d lines:\n%s", len(catcher.Mails()), n, said.String())
	}
	said.Reset()
	silent.Store(false)
	run(2)
	if n := strings.Count(said.String(), "\n"); n != 1 || !strings.Contains(said.String(), "Stripe answers again") || !strings.Contains(said.String(), "count=3") || !strings.Contains(said.String(), "after=") {
		t.Errorf("once it answers the log has %d lines:\n%s", n, said.String())
	}
	if n := len(catcher.Mails()); n != customers {
		t.Errorf("%d of %d mails went out", n, customers)
	}
}
