package gateway_test

import (
	"testing"

	"sollecito/internal/billing"
	"sollecito/internal/gateway"
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

// A list that names its customers by their ids alone does not say that they have neither name nor address, and a dispute
// that names its charge so is no dispute of nobody's.
func TestWhoseItIsThoughOnlyAnIDCameAlong(t *testing.T) {
	subscription := `{"id":"sub_1","object":"subscription","customer":"cus_1","status":"active","current_period_end":5000,` +
		`"discount":"di_1","items":{"object":"list","data":[{"id":"si_1","quantity":1,"price":"price_1"}]}}`
	disputed := `{"id":"dp_1","object":"dispute","charge":"ch_1","status":"needs_response","amount":2900,"currency":"eur"}`
	client, asked := reading(t, map[string]string{
		"/v1/customers/cus_1":      `{"id":"cus_1","object":"customer","name":"Ada Prova","email":"ada@prova.example","discount":{"id":"di_2","coupon":"co_1"}}`,
		"/v1/invoices":             `{"object":"list","data":[` + renewal(map[string]string{"customer": `"cus_1"`}) + `,` + renewal(map[string]string{"id": `"in_2"`, "customer": `"cus_1"`}) + `]}`,
		"/v1/subscriptions":        `{"object":"list","data":[` + subscription + `]}`,
		"/v1/disputes":             `{"object":"list","data":[` + disputed + `]}`,
		"/v1/disputes/dp_1":        disputed,
		"/v1/charges/ch_1":         `{"id":"ch_1","object":"charge","customer":"cus_1","invoice":"in_1"}`,
		"/v1/refunds/re_1":         `{"id":"re_1","object":"refund","charge":"ch_1"}`,
		"/v1/mandates/mandate_1":   `{"id":"mandate_1","object":"mandate","payment_method":"pm_1"}`,
		"/v1/payment_methods/pm_1": `{"id":"pm_1","object":"payment_method","type":"card","customer":"cus_1"}`,
	})
	open, err := client.OpenPage(t.Context(), gateway.Open{}, "")
	if err != nil || len(open.Accounts) != 1 || open.Accounts[0].Customer.Email != "ada@prova.example" || open.Accounts[0].Customer.Name != "Ada Prova" {
		t.Errorf("open invoices: %+v, %v", open.Accounts, err)
	}
	if asked.asked["/v1/customers/cus_1"] != 1 {
		t.Errorf("one customer of two invoices was read %d times", asked.asked["/v1/customers/cus_1"])
	}
	renewing, err := client.RenewingPage(t.Context(), 0, 5000, "")
	if err != nil || len(renewing.Accounts) != 1 || renewing.Accounts[0].Customer.Email != "ada@prova.example" {
		t.Errorf("renewals: %+v, %v", renewing.Accounts, err)
	}
	one, err := client.Dispute(t.Context(), "dp_1")
	if err != nil || one.CustomerID != "cus_1" || one.InvoiceID != "in_1" {
		t.Errorf("dispute: %+v, %v", one, err)
	}
	all, _, err := client.Disputes(t.Context(), now, "")
	if err != nil || len(all) != 1 || all[0] != one {
		t.Errorf("disputes: %+v, %v", all, err)
	}
	for object, id := range map[string]string{"dispute": "dp_1", "refund": "re_1", "mandate": "mandate_1"} {
		got, err := client.CustomerOf(t.Context(), object, id)
		if err != nil || got != "cus_1" {
			t.Errorf("the %s is of %q, %v", object, got, err)
		}
	}
	about, err := client.InvoiceOf(t.Context(), "refund", "re_1")
	if err != nil || about != "in_1" {
		t.Errorf("the refund is about %q, %v", about, err)
	}
}

// A list that goes on after something without an id would be read from its beginning for ever.
func TestAListThatCannotGoOn(t *testing.T) {
	client, _ := reading(t, map[string]string{
		"/v1/customers/cus_1": `{"id":"cus_1","object":"customer"}`,
		"/v1/subscriptions":   `{"object":"list","has_more":true,"data":[{"object":"subscription","status":"active"}]}`,
	})
	_, err := client.Account(t.Context(), "cus_1")
	if err == nil {
		t.Error("it is a reading")
	}
}
