package gateway_test

import (
	"testing"

	"sollecito/internal/fault"
)

// subscriptionStatus is how the account's one subscription stands.
func (l *lumen) subscriptionStatus() string {
	l.t.Helper()
	a, err := l.Account(l.t.Context(), l.customer)
	if err != nil || len(a.Subscriptions) != 1 {
		l.t.Fatalf("%+v, %v", a, err)
	}
	return a.Subscriptions[0].Status
}

func endsASubscription(t *testing.T, l *lumen) {
	ctx := t.Context()
	id := l.fail("insufficient_funds")
	err := l.CancelSubscription(ctx, l.subscription, "It stayed overdue.")
	if err != nil || l.subscriptionStatus() != "canceled" {
		t.Errorf("%v, it is %s", err, l.subscriptionStatus())
	}
	left := l.invoice(id)
	if !left.Open() || left.NextAttemptAt != 0 {
		t.Errorf("what is open stays payable and is charged by nobody: %+v", left)
	}
	for _, gone := range []string{l.subscription, "sub_unknown"} {
		err = l.CancelSubscription(ctx, gone, "Again.")
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", gone, err)
		}
	}
	err = l.PauseCollection(ctx, l.subscription, "fin_1-sub")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("pausing an ended one: %v", err)
	}
}

func pausesCollection(t *testing.T, l *lumen) {
	ctx := t.Context()
	id := l.fail("insufficient_funds")
	for _, key := range []string{"fin_1-a", "fin_1-a", "fin_1-b"} { // the same try again, and another
		err := l.PauseCollection(ctx, l.subscription, key)
		if err != nil {
			t.Errorf("key %s: %v", key, err)
		}
	}
	paused, _ := l.post("/v1/subscriptions/" + l.subscription)["pause_collection"].(map[string]any)
	if paused["behavior"] != "void" {
		t.Errorf("collection pauses as %v", paused)
	}
	if l.subscriptionStatus() == "canceled" || !l.invoice(id).Open() {
		t.Errorf("the subscription is %s, the invoice %+v", l.subscriptionStatus(), l.invoice(id))
	}
	err := l.PauseCollection(ctx, "sub_unknown", "fin_1-c")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func writesOff(t *testing.T, l *lumen) {
	ctx := t.Context()
	id := l.fail("insufficient_funds")
	for range 2 { // the same try again
		err := l.MarkUncollectible(ctx, id, "fin_1-a")
		if err != nil {
			t.Fatal(err)
		}
	}
	if i := l.invoice(id); i.Status != "uncollectible" || i.AmountRemaining == 0 {
		t.Errorf("written off: %+v", i)
	}
	for _, gone := range []string{id, "in_unknown"} {
		err := l.MarkUncollectible(ctx, gone, "fin_1-"+gone)
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", gone, err)
		}
	}
	paid := l.fail("insufficient_funds")
	err := l.stripe.Pay(paid, false)
	if err != nil {
		t.Fatal(err)
	}
	err = l.MarkUncollectible(ctx, paid, "fin_2-a")
	if !fault.Is(err, fault.NotFound) || l.invoice(paid).Status != "paid" {
		t.Errorf("a paid one: %v", err)
	}
}
