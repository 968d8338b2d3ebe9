package dunning_test

import (
	"strings"
	"testing"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/dunning"
)

// What an act would do is read from what is stored: only what is open, undisputed and in nobody's hands.
func TestWhatAFinalActIsAbout(t *testing.T) {
	t.Parallel()
	invoice := func(id, sub, status string) billing.Invoice {
		return billing.Invoice{ID: id, SubscriptionID: sub, Status: status, AmountRemaining: 2900, Currency: "eur"}
	}
	processing, disputed := invoice("in_3", "sub_3", "open"), invoice("in_4", "sub_4", "open")
	processing.IntentStatus, disputed.Disputed = "processing", true
	invoices := []billing.Invoice{
		invoice("in_1", "sub_1", "open"), invoice("in_2", "sub_2", "paid"), processing, disputed, invoice("in_5", "", "open"), invoice("in_6", "sub_1", "open"), invoice("in_7", "sub_7", "open"),
	}
	var subscriptions []billing.Subscription
	for _, id := range []string{"sub_1", "sub_2", "sub_3", "sub_4"} {
		subscriptions = append(subscriptions, billing.Subscription{ID: id, Status: "past_due"})
	}
	subscriptions = append(subscriptions, billing.Subscription{ID: "sub_7", Status: "canceled"})
	for act, want := range map[campaign.Act]string{campaign.ActCancel: "sub_1", campaign.ActPause: "sub_1", campaign.ActWriteOff: "in_1 in_5 in_6 in_7"} {
		e := dunning.EffectOf(act, invoices, subscriptions)
		if got := strings.Join(e.Objects(), " "); got != want {
			t.Errorf("%s is about %q, want %q", act, got, want)
		}
		if len(e.Invoices) != 4 {
			t.Errorf("%s: %d invoices are open, want 4", act, len(e.Invoices))
		}
	}
}
