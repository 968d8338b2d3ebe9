package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	stripe "github.com/stripe/stripe-go/v76"
)

func TestIdempotencyKeys(t *testing.T) {
	w := newWorld(t)
	owner := w.customer("pm_card_visa", "")
	w.subscribe(owner.ID)
	id, err := w.server.FailRenewal(owner.ID, "insufficient_funds")
	must(t, err)

	pay := func(method string) (*stripe.Invoice, error) {
		params := &stripe.InvoicePayParams{}
		if method != "" {
			params.PaymentMethod = stripe.String(method)
		}
		params.SetIdempotencyKey("case-1-attempt-1")
		return w.client.Invoices.Pay(id, params)
	}
	_, err = pay("")
	first := refusalOf(t, err)
	expect(t, "declines", first.DeclineCode, stripe.DeclineCodeInsufficientFunds)
	charges := countOf(w.client.Charges.List(&stripe.ChargeListParams{Customer: stripe.String(owner.ID)}).Iter)
	_, err = pay("")
	again := refusalOf(t, err)
	expect(t, "the same decline", again.ChargeID, first.ChargeID)
	expect(t, "no second charge", countOf(w.client.Charges.List(&stripe.ChargeListParams{Customer: stripe.String(owner.ID)}).Iter), charges)
	expect(t, "replayed", again.LastResponse.Header.Get("Idempotent-Replayed"), "true")
	expect(t, "replayed from", again.LastResponse.Header.Get("Original-Request"), first.RequestID)
	good := w.useCard(owner.ID, "pm_card_visa")
	_, err = pay(good.ID)
	expect(t, "other parameters", refusalOf(t, err).Type, stripe.ErrorTypeIdempotency)
	expect(t, "other parameters", refusalOf(t, err).HTTPStatusCode, 400)

	// What is refused before execution leaves the key free.
	for _, name := range []string{"", "Ada"} {
		params := &stripe.CustomerParams{Name: stripe.String(name)}
		params.SetIdempotencyKey("free-key")
		if name == "" {
			params.AddExtra("nonsense", "1")
			_, err := w.clientWith(nil).Customers.New(params)
			expect(t, "unknown parameter", refusalOf(t, err).Code, stripe.ErrorCodeParameterUnknown)
			continue
		}
		_, err := w.client.Customers.New(params)
		must(t, err)
	}
}

func TestOneKeyAtOnceChargesOnce(t *testing.T) {
	w := newWorld(t)
	owner := w.customer("pm_card_visa", "")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			params := &stripe.PaymentIntentParams{
				Amount: stripe.Int64(1000), Currency: stripe.String("eur"), Customer: stripe.String(owner.ID), Confirm: stripe.Bool(true),
				PaymentMethod: stripe.String(owner.InvoiceSettings.DefaultPaymentMethod.ID),
			}
			params.SetIdempotencyKey("once")
			_, err := w.clientWith(nil).PaymentIntents.New(params)
			if err != nil {
				expect(t, "only a conflict may be told", refusalOf(t, err).HTTPStatusCode, 409)
			}
		})
	}
	group.Wait()
	expect(t, "charges", countOf(w.client.Charges.List(&stripe.ChargeListParams{Customer: stripe.String(owner.ID)}).Iter), 1)
}

func countOf(all *stripe.Iter) int {
	count := 0
	for all.Next() {
		count++
	}
	return count
}

func TestRefusalsAreInStripesWords(t *testing.T) {
	w := newWorld(t)
	secret, owner := w.server.SecretKey(), w.customer("", "").ID
	for _, c := range []struct {
		key, method, path, fields string
		status                    int
		code, param, says         string
	}{
		{"", "GET", "/v1/customers", "", 401, "", "", "You did not provide an API key."},
		{"sk_live_abcdefghijkl", "GET", "/v1/customers", "", 401, "", "", "live keys"},
		{"banana-banana-banana", "GET", "/v1/customers", "", 401, "", "", "Invalid API Key provided: banana-b********nana"},
		{"sk_test_anything", "GET", "/v1/customers", "", 200, "", "", ""},
		{secret, "GET", "/v1/customers/cus_none", "", 404, "resource_missing", "id", "No such customer: 'cus_none'"},
		{secret, "GET", "/v1/nothing", "", 404, "", "", "Unrecognized request URL (GET: /v1/nothing)."},
		{secret, "POST", "/v1/customers", "colour=red", 400, "parameter_unknown", "colour", "Received unknown parameter: colour"},
		{secret, "POST", "/v1/customers", "address[planet]=mars", 400, "parameter_unknown", "address[planet]", "Received unknown parameter: address[planet]"},
		{secret, "POST", "/v1/subscriptions", "items[0][price]=x", 400, "parameter_missing", "customer", "Missing required param: customer."},
		{secret, "POST", "/v1/payment_intents", "amount=ten&currency=eur", 400, "parameter_invalid_integer", "amount", "Invalid integer: ten"},
		{secret, "GET", "/v1/invoices", "status=late", 400, "", "status", "must be one of draft, open, paid, uncollectible, or void"},
		{secret, "GET", "/v1/customers", "limit=0", 400, "", "limit", "This value must be greater than or equal to 1."},
		{secret, "GET", "/v1/customers", "starting_after=cus_none", 400, "resource_missing", "starting_after", "No such customer"},
		{secret, "POST", "/v1/customers", "expand[]=planet", 400, "", "expand", "This property cannot be expanded (planet)."},
		{secret, "POST", "/v1/checkout/sessions", "mode=setup&currency=eur&success_url=javascript:alert(1)", 400, "url_invalid", "success_url", "Not a valid URL"},
		{secret, "POST", "/v1/checkout/sessions", "mode=setup&currency=eur&success_url=https://shop.example&cancel_url=/back", 400, "url_invalid", "cancel_url", "Not a valid URL"},
		{secret, "POST", "/v1/checkout/sessions", "mode=setup&currency=eur&success_url=https://shop.example/%3Fs={CHECKOUT_SESSION_ID}&cancel_url=http://127.0.0.1:1/", 200, "", "", ""},
		{secret, "POST", "/v1/billing_portal/sessions", "customer=" + owner + "&return_url=data:text/html,x", 400, "url_invalid", "return_url", "Not a valid URL"},
		{secret, "POST", "/v1/billing_portal/sessions", "customer=" + owner + "&flow_data[type]=payment_method_update&flow_data[after_completion][type]=redirect&flow_data[after_completion][redirect][return_url]=javascript:1",
			400, "url_invalid", "flow_data[after_completion][redirect][return_url]", "Not a valid URL"},
		{secret, "POST", "/v1/billing_portal/sessions", "customer=" + owner + "&return_url=https:/shop.example", 400, "url_invalid", "return_url", "Not a valid URL"},
		{secret, "POST", "/v1/customers", "coupon=half", 400, "", "coupon", "does not simulate"},
	} {
		fields, err := url.ParseQuery(c.fields)
		must(t, err)
		status, answer := w.form(c.key, c.method, c.path, fields)
		name := c.method + " " + c.path + " " + c.fields
		expect(t, name, status, c.status)
		if c.status == 200 {
			continue
		}
		refused := errorOf(answer)
		code, _ := refused["code"].(string)
		param, _ := refused["param"].(string)
		message, _ := refused["message"].(string)
		expect(t, name+" code", code, c.code)
		expect(t, name+" param", param, c.param)
		expect(t, name+" says "+message, strings.Contains(message, c.says), true)
	}
}

func TestPagesGoBothWays(t *testing.T) {
	w := newWorld(t)
	var made []string
	for range 5 {
		made = append(made, w.customer("", "").ID)
	}
	page := func(fields string) (ids string, more bool) {
		values, err := url.ParseQuery(fields)
		must(t, err)
		_, answer := w.form(w.server.SecretKey(), "GET", "/v1/customers", values)
		for _, item := range answer["data"].([]any) {
			for i, id := range made {
				if item.(map[string]any)["id"] == id {
					ids += string(rune('1' + i))
				}
			}
		}
		return ids, answer["has_more"].(bool)
	}
	for fields, want := range map[string]string{
		"limit=2": "54+", "limit=2&starting_after=" + made[3]: "32+", "limit=2&starting_after=" + made[1]: "1",
		"limit=2&ending_before=" + made[1]: "43+", "limit=3&ending_before=" + made[2]: "54",
	} {
		ids, more := page(fields)
		if more {
			ids += "+"
		}
		expect(t, fields, ids, want)
	}
}

func TestExpandGoesDeep(t *testing.T) {
	w := newWorld(t)
	owner := w.customer("pm_card_visa", "")
	sub := w.subscribe(owner.ID)
	params := &stripe.InvoiceListParams{Subscription: stripe.String(sub.ID)}
	params.AddExpand("data.payment_intent.latest_charge.customer")
	params.AddExpand("data.lines.data.price.product")
	all := w.client.Invoices.List(params)
	expect(t, "found", all.Next(), true)
	found := all.Invoice()
	expect(t, "customer", found.PaymentIntent.LatestCharge.Customer.Email, "ada@example.org")
	expect(t, "product", found.Lines.Data[0].Price.Product.Name, "Studio plan")
}

func TestOutagesStrikeAsAsked(t *testing.T) {
	w := newWorld(t)
	for status, want := range map[string]int{"500": 500, "429": 429} {
		_, _ = w.form(w.server.SecretKey(), "POST", "/sandbox/outage", url.Values{"status": {status}, "count": {"1"}})
		_, err := w.clientWith(nil).Customers.New(&stripe.CustomerParams{})
		expect(t, status, refusalOf(t, err).HTTPStatusCode, want)
	}
	_, _ = w.form(w.server.SecretKey(), "POST", "/sandbox/outage", url.Values{"status": {"lost"}, "count": {"1"}})
	params := &stripe.CustomerParams{Email: stripe.String("lost@example.org")}
	params.SetIdempotencyKey("lost")
	// On a kept connection Go's client would try again by itself, since the call has a key.
	_, err := w.clientWith(&http.Transport{DisableKeepAlives: true}).Customers.New(params)
	expect(t, "no answer", err != nil, true)
	_, err = w.client.Customers.New(params)
	must(t, err)
	list := &stripe.CustomerListParams{Email: stripe.String("lost@example.org")}
	expect(t, "made once", countOf(w.client.Customers.List(list).Iter), 1)
}

// Stripe's client for Python writes booleans as Python does.
func TestBooleansMayBeginWithACapital(t *testing.T) {
	w := newWorld(t)
	secret := w.server.SecretKey()
	owner := w.customer("pm_card_threeDSecure2Required", "")
	method := owner.InvoiceSettings.DefaultPaymentMethod.ID
	for offSession, want := range map[string]int{"True": 402, "False": 200} {
		status, answer := w.form(secret, "POST", "/v1/payment_intents", url.Values{
			"amount": {"1000"}, "currency": {"eur"}, "customer": {owner.ID}, "payment_method": {method},
			"payment_method_types[]": {"card"}, "confirm": {"True"}, "off_session": {offSession},
		})
		expect(t, "off_session="+offSession, status, want)
		if want == 200 {
			expect(t, "the bank asks", answer["status"], any("requires_action"))
		}
	}
	status, _ := w.form(secret, "GET", "/v1/events", url.Values{"delivery_success": {"False"}})
	expect(t, "events not delivered", status, 200)
	_, made := w.form(secret, "POST", "/v1/webhook_endpoints", url.Values{"url": {"http://127.0.0.1:9/x"}, "enabled_events[]": {"*"}})
	_, changed := w.form(secret, "POST", "/v1/webhook_endpoints/"+made["id"].(string), url.Values{"disabled": {"True"}})
	expect(t, "the endpoint", changed["status"], any("disabled"))
	payer := w.customer("pm_card_visa", "")
	w.subscribe(payer.ID)
	invoice, err := w.server.FailRenewal(payer.ID, "insufficient_funds")
	must(t, err)
	_, paid := w.form(secret, "POST", "/v1/invoices/"+invoice+"/pay", url.Values{"paid_out_of_band": {"True"}})
	expect(t, "paid elsewhere", paid["paid_out_of_band"], any(true))
	for _, wrong := range []string{"yes", "TRUEE", "2"} {
		status, answer := w.form(secret, "POST", "/v1/webhook_endpoints/"+made["id"].(string), url.Values{"disabled": {wrong}})
		expect(t, wrong, status, 400)
		expect(t, wrong, errorOf(answer)["message"], any("Invalid boolean: "+wrong))
	}
}
