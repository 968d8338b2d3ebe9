package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	stripe "github.com/stripe/stripe-go/v76"
)

// form calls the API as curl would, with any key, and gives status and body.
func (w *world) form(key, method, path string, fields url.Values) (int, map[string]any) {
	w.t.Helper()
	target, body := w.address+path, ""
	if method == http.MethodGet {
		target += "?" + fields.Encode()
	} else {
		body = fields.Encode()
	}
	request, err := http.NewRequest(method, target, strings.NewReader(body))
	must(w.t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if key != "" {
		request.SetBasicAuth(key, "")
	}
	response, err := w.plain.Do(request)
	must(w.t, err)
	defer func() { must(w.t, response.Body.Close()) }()
	var answer map[string]any
	must(w.t, json.NewDecoder(response.Body).Decode(&answer))
	return response.StatusCode, answer
}

func errorOf(answer map[string]any) map[string]any {
	inner, _ := answer["error"].(map[string]any)
	return inner
}

func cardFields(number string) url.Values {
	return url.Values{
		"payment_method_data[type]": {"card"}, "payment_method_data[card][number]": {number},
		"payment_method_data[card][exp_month]": {"12"}, "payment_method_data[card][exp_year]": {"2034"}, "payment_method_data[card][cvc]": {"314"},
	}
}

func (w *world) answerBank(intent, secret string, approve bool) {
	w.t.Helper()
	outcome := map[bool]string{true: "complete", false: "fail"}[approve]
	response, err := http.PostForm(w.address+"/v3/3ds/"+intent+"/complete", url.Values{"client_secret": {secret}, "outcome": {outcome}})
	must(w.t, err)
	must(w.t, response.Body.Close())
}

func TestPublishedCardsDeclineAsPublished(t *testing.T) {
	w := newWorld(t)
	for number, want := range map[string][2]string{
		"4000000000000002": {"card_declined", "generic_decline"},
		"4000000000009995": {"card_declined", "insufficient_funds"},
		"4000000000009987": {"card_declined", "lost_card"},
		"4000000000009979": {"card_declined", "stolen_card"},
		"4000000000000069": {"expired_card", "expired_card"},
		"4000000000000127": {"incorrect_cvc", "incorrect_cvc"},
		"4000000000000119": {"processing_error", "processing_error"},
		"4000000000006975": {"card_declined", "card_velocity_exceeded"},
		"4242424242424241": {"incorrect_number", ""},
	} {
		pi, err := w.client.PaymentIntents.New(&stripe.PaymentIntentParams{Amount: stripe.Int64(1000), Currency: stripe.String("eur")})
		must(t, err)
		fields := cardFields(number)
		fields.Set("client_secret", pi.ClientSecret)
		status, answer := w.form(w.server.PublishableKey(), "POST", "/v1/payment_intents/"+pi.ID+"/confirm", fields)
		refused := errorOf(answer)
		expect(t, number+" status", status, 402)
		expect(t, number+" type", refused["type"], any("card_error"))
		expect(t, number+" code", refused["code"], any(want[0]))
		decline, _ := refused["decline_code"].(string)
		expect(t, number+" decline code", decline, want[1])

		// Kept for later, the bank is asked already when the card is attached.
		if want[1] == "" {
			continue
		}
		owner := w.customer("", "")
		si, err := w.client.SetupIntents.New(&stripe.SetupIntentParams{Customer: stripe.String(owner.ID)})
		must(t, err)
		fields.Set("client_secret", si.ClientSecret)
		status, answer = w.form(w.server.PublishableKey(), "POST", "/v1/setup_intents/"+si.ID+"/confirm", fields)
		expect(t, number+" setup", status, 402)
		expect(t, number+" setup decline", errorOf(answer)["decline_code"], any(want[1]))
	}
}

func TestMistypedCardsAreToldApart(t *testing.T) {
	w := newWorld(t)
	for change, code := range map[string]string{
		"card[exp_month]=13": "invalid_expiry_month", "card[exp_year]=2020": "invalid_expiry_year", "card[cvc]=12": "invalid_cvc",
		"card[number]=4242424242424241": "incorrect_number", "card[number]=4111111111111111": "card_declined",
	} {
		fields := url.Values{"type": {"card"}, "card[number]": {"4242 4242 4242 4242"}, "card[exp_month]": {"1"}, "card[exp_year]": {"34"}, "card[cvc]": {"123"}}
		name, value, _ := strings.Cut(change, "=")
		fields.Set(name, value)
		status, answer := w.form(w.server.PublishableKey(), "POST", "/v1/payment_methods", fields)
		expect(t, change, status, 402)
		expect(t, change, errorOf(answer)["code"], any(code))
	}
}

func TestAuthenticationRules(t *testing.T) {
	w := newWorld(t)
	for number, want := range map[string]struct {
		setupAsks, renewalAsks bool
		declines               string
	}{
		"4000002500003155": {setupAsks: true},
		"4000002760003184": {setupAsks: true, renewalAsks: true},
		"4000003800000446": {},
		"4000008260003178": {setupAsks: true, declines: "insufficient_funds"},
		"4000008400001629": {setupAsks: true, renewalAsks: true},
	} {
		owner := w.customer("pm_card_visa", "")
		sub := w.subscribe(owner.ID)
		si, err := w.client.SetupIntents.New(&stripe.SetupIntentParams{Customer: stripe.String(owner.ID), Usage: stripe.String("off_session")})
		must(t, err)
		fields := cardFields(number)
		fields.Set("client_secret", si.ClientSecret)
		status, answer := w.form(w.server.PublishableKey(), "POST", "/v1/setup_intents/"+si.ID+"/confirm", fields)
		expect(t, number+" setup", status, 200)
		expect(t, number+" setup asks", answer["status"] == "requires_action", want.setupAsks)
		if want.setupAsks {
			w.answerBank(si.ID, si.ClientSecret, true)
		}
		kept, err := w.client.SetupIntents.Get(si.ID, nil)
		must(t, err)
		expect(t, number+" setup ends", kept.Status, stripe.SetupIntentStatusSucceeded)
		_, err = w.client.Subscriptions.Update(sub.ID, &stripe.SubscriptionParams{DefaultPaymentMethod: stripe.String(kept.PaymentMethod.ID)})
		must(t, err)

		inv, err := w.client.Invoices.New(&stripe.InvoiceParams{Customer: stripe.String(owner.ID), DefaultPaymentMethod: stripe.String(kept.PaymentMethod.ID), Currency: stripe.String("eur")})
		must(t, err)
		_, err = w.client.InvoiceItems.New(&stripe.InvoiceItemParams{Customer: stripe.String(owner.ID), Invoice: stripe.String(inv.ID), Amount: stripe.Int64(500), Currency: stripe.String("eur")})
		must(t, err)
		_, err = w.client.Invoices.Pay(inv.ID, &stripe.InvoicePayParams{})
		open := w.invoice(inv.ID, "payment_intent")
		switch {
		case want.renewalAsks:
			refused := refusalOf(t, err)
			expect(t, number, refused.Code, stripe.ErrorCodeInvoicePaymentIntentRequiresAction)
			expect(t, number, refused.HTTPStatusCode, 402)
			expect(t, number, open.PaymentIntent.Status, stripe.PaymentIntentStatusRequiresAction)
		case want.declines != "":
			expect(t, number, string(refusalOf(t, err).DeclineCode), want.declines)
		default:
			must(t, err)
			expect(t, number, open.Status, stripe.InvoiceStatusPaid)
		}
	}
}

func TestBankConfirmsARenewalInTheBrowser(t *testing.T) {
	w := newWorld(t)
	owner := w.customer("pm_card_visa", "")
	sub := w.subscribe(owner.ID)
	w.listen()
	id, err := w.server.FailRenewal(owner.ID, "authentication_required")
	must(t, err)
	w.expectHeard("payment_intent.requires_action", "invoice.payment_failed", "invoice.payment_action_required", "customer.subscription.updated")
	open := w.invoice(id, "payment_intent")
	pi := open.PaymentIntent
	expect(t, "intent", pi.Status, stripe.PaymentIntentStatusRequiresAction)
	expect(t, "next action", pi.NextAction.Type, stripe.PaymentIntentNextActionTypeUseStripeSDK)
	expect(t, "no retry", open.NextPaymentAttempt, int64(0))

	w.answerBank(pi.ID, "wrong", true)
	expect(t, "a wrong secret changes nothing", w.invoice(id).Status, stripe.InvoiceStatusOpen)
	w.answerBank(pi.ID, pi.ClientSecret, false)
	failed := w.invoice(id, "payment_intent").PaymentIntent
	expect(t, "after a no", failed.Status, stripe.PaymentIntentStatusRequiresPaymentMethod)
	expect(t, "after a no", failed.LastPaymentError.Code, stripe.ErrorCodePaymentIntentAuthenticationFailure)

	_, err = w.client.Invoices.Pay(id, &stripe.InvoicePayParams{OffSession: stripe.Bool(false)})
	expect(t, "asked again", refusalOf(t, err).Code, stripe.ErrorCodeInvoicePaymentIntentRequiresAction)
	w.heard()
	w.answerBank(pi.ID, pi.ClientSecret, true)
	expect(t, "after a yes", w.invoice(id).Status, stripe.InvoiceStatusPaid)
	expect(t, "subscription", w.subscription(sub.ID).Status, stripe.SubscriptionStatusActive)
	w.expectHeard("charge.succeeded", "payment_intent.succeeded", "invoice.updated", "invoice.paid", "invoice.payment_succeeded", "customer.subscription.updated")
}

func TestBrowserPaysAnInvoiceWithATypedCard(t *testing.T) {
	w := newWorld(t)
	owner := w.customer("pm_card_visa", "")
	w.subscribe(owner.ID)
	id, err := w.server.FailRenewal(owner.ID, "insufficient_funds")
	must(t, err)
	pi := w.invoice(id, "payment_intent").PaymentIntent
	path := "/v1/payment_intents/" + pi.ID
	status, _ := w.form(w.server.PublishableKey(), "GET", path, url.Values{})
	expect(t, "without the secret", status, 400)
	status, _ = w.form(w.server.PublishableKey(), "GET", path, url.Values{"client_secret": {"pi_x_secret_y"}})
	expect(t, "with another secret", status, 404)
	status, seen := w.form("", "GET", path, url.Values{"client_secret": {pi.ClientSecret}, "key": {w.server.PublishableKey()}})
	expect(t, "with its secret", status, 200)
	_, told := seen["customer"]
	expect(t, "the customer is not told", told, false)
	status, _ = w.form(w.server.PublishableKey(), "GET", "/v1/customers/"+owner.ID, url.Values{})
	expect(t, "a browser may not read customers", status, 401)

	fields := cardFields("5555555555554444")
	fields.Set("client_secret", pi.ClientSecret)
	status, answer := w.form(w.server.PublishableKey(), "POST", path+"/confirm", fields)
	expect(t, "status", status, 200)
	expect(t, "intent", answer["status"], any("succeeded"))
	expect(t, "invoice", w.invoice(id).Status, stripe.InvoiceStatusPaid)
	status, answer = w.form(w.server.PublishableKey(), "POST", path+"/confirm", fields)
	expect(t, "again", status, 400)
	expect(t, "again", errorOf(answer)["code"], any("payment_intent_unexpected_state"))
}

func TestCardsOfEveryPublishedCountryPay(t *testing.T) {
	w := newWorld(t)
	for name, country := range map[string]string{
		"us": "US", "br": "BR", "mx": "MX", "nl": "NL", "pl": "PL", "es": "ES", "ch": "CH", "se": "SE", "au": "AU", "th_credit": "TH",
		"riskLevelElevated": "US", "avsZipFail": "US", "bypassPendingInternational": "IE",
	} {
		owner := w.customer("pm_card_"+name, "")
		method, err := w.client.PaymentMethods.Get(owner.InvoiceSettings.DefaultPaymentMethod.ID, nil)
		must(t, err)
		expect(t, name, method.Card.Country, country)
		_, err = w.charge(owner)
		must(t, err)
	}
	_, err := w.charge(w.customer("pm_card_riskLevelHighest", ""))
	expect(t, "too risky", refusalOf(t, err).DeclineCode, stripe.DeclineCodeFraudulent)
}

func (w *world) charge(owner *stripe.Customer) (*stripe.PaymentIntent, error) {
	return w.client.PaymentIntents.New(&stripe.PaymentIntentParams{
		Amount: stripe.Int64(1000), Currency: stripe.String("usd"), Customer: stripe.String(owner.ID), Confirm: stripe.Bool(true),
		OffSession: stripe.Bool(true), PaymentMethod: stripe.String(owner.InvoiceSettings.DefaultPaymentMethod.ID),
		PaymentMethodTypes: stripe.StringSlice([]string{"card", "us_bank_account"}),
	})
}

func TestPublishedBankAccountsEndAsPublished(t *testing.T) {
	w := newWorld(t)
	made := map[string]string{}
	for name := range map[string]string{"noAccount": "", "debitNotAuthorized": "", "invalidCurrency": "", "dispute": "", "processing": ""} {
		intent, err := w.charge(w.customer("pm_usBankAccount_"+name, ""))
		must(t, err)
		expect(t, name, intent.Status, stripe.PaymentIntentStatusProcessing)
		made[name] = intent.ID
	}
	w.pass(20 * 24 * time.Hour)
	for name, want := range map[string]string{
		"noAccount": "no_account", "debitNotAuthorized": "debit_not_authorized", "invalidCurrency": "invalid_currency", "dispute": "succeeded", "processing": "processing",
	} {
		intent, err := w.client.PaymentIntents.Get(made[name], nil)
		must(t, err)
		got := string(intent.Status)
		if intent.LastPaymentError != nil {
			got = string(intent.LastPaymentError.Code)
		}
		expect(t, name, got, want)
	}
}
