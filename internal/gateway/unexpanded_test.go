package gateway_test

import (
	"testing"

	"sollecito/internal/billing"
)

// An invoice that came without what it was asked to bring, or in the shape of a newer version, is the same failed renewal.
func TestAnInvoiceThatCameShort(t *testing.T) {
	const payment = `{"id":"pi_1","object":"payment_intent","status":"requires_payment_method",` +
		`"latest_charge":{"id":"ch_1","object":"charge","status":"failed","created":1200,"outcome":{"type":"issuer_declined","reason":"insufficient_funds","advice_code":"try_again_later"}},` +
		`"last_payment_error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","payment_method":{"id":"pm_1","object":"payment_method","type":"card"}}}`
	parent := `{"type":"subscription_details","quote_details":null,"subscription_details":{"subscription":"sub_1","metadata":{}}}`
	newer := func(payments string) map[string]string {
		return map[string]string{"payment_intent": "null", "subscription": "null", "parent": parent, "payments": payments}
	}
	for name, c := range map[string]struct {
		fields map[string]string
		found  bool // its payment can be read
		want   bool // it is known to have failed
	}{
		"payment by its id":         {map[string]string{"payment_intent": `"pi_1"`, "subscription": `"sub_1"`}, true, true},
		"payment that is gone":      {map[string]string{"payment_intent": `"pi_1"`, "subscription": `"sub_1"`}, false, false},
		"newer, by its id":          {newer(`{"object":"list","data":[{"id":"inpay_1","is_default":true,"payment":{"type":"payment_intent","payment_intent":"pi_1"}}]}`), true, true},
		"newer, in full":            {newer(`{"object":"list","data":[{"payment":{"type":"payment_intent","payment_intent":{"id":"pi_1","status":"canceled"}}}]}`), true, true},
		"newer, the default counts": {newer(`{"data":[{"payment":{"payment_intent":"pi_0"}},{"is_default":true,"payment":{"payment_intent":"pi_1"}},{"payment":{"payment_intent":"pi_2"}}]}`), true, true},
		"newer, of another shape":   {newer(`[1,{"data":null}]`), true, true}, // no payment and no method: it failed for want of one
	} {
		bodies := map[string]string{"/v1/invoices/in_1": renewal(c.fields)}
		if c.found {
			bodies["/v1/payment_intents/pi_1"] = payment
		}
		client, asked := reading(t, bodies)
		got, _, err := client.Invoice(t.Context(), "in_1")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.FailedAt > 0 != c.want || got.SubscriptionID != "sub_1" {
			t.Errorf("%s: failed at %d, subscription %q", name, got.FailedAt, got.SubscriptionID)
		}
		read := asked.asked["/v1/payment_intents/pi_1"] > 0 && c.found
		want := billing.Decline{Code: "card_declined", DeclineCode: "insufficient_funds", AdviceCode: "try_again_later"}
		if read && (got.Decline != want || got.MethodID != "pm_1" || got.Intent != "pi_1" || got.Charge != "ch_1") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	client, asked := reading(t, map[string]string{"/v1/invoices/in_1": renewal(nil)})
	_, _, err := client.Invoice(t.Context(), "in_1")
	if err != nil || asked.asked["/v1/payment_intents/pi_1"] > 0 {
		t.Errorf("a whole invoice was asked for twice: %v %v", asked.asked, err)
	}
}
