package gateway_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

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
