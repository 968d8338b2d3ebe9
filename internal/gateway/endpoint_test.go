package gateway_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"sollecito/internal/gateway"
)

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
