package sandbox_test

import (
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"sollecito/internal/sandbox/gates"
)

// explorer calls the API through both gates by plain forms, and remembers ids by name.
type explorer struct {
	*world
	ids *strings.Replacer
	all []string
}

func explore(t *testing.T) *explorer {
	w := newWorld(t)
	w.plain = &http.Client{Transport: w.gate}
	return &explorer{world: w, ids: strings.NewReplacer()}
}

func (e *explorer) name(name, id string) {
	e.all = append(e.all, "{"+name+"}", id)
	e.ids = strings.NewReplacer(e.all...)
}

// call makes a call whose path and fields may name remembered ids, and remembers the id of the answer.
func (e *explorer) call(name, method, path, fields string, want int) map[string]any {
	e.t.Helper()
	values, err := url.ParseQuery(e.ids.Replace(fields))
	must(e.t, err)
	status, answer := e.form(e.server.SecretKey(), method, e.ids.Replace(path), values)
	if status != want {
		e.t.Errorf("%s %s %s: %d, want %d: %v", method, path, fields, status, want, errorOf(answer)["message"])
	}
	id, _ := answer["id"].(string)
	if name != "" {
		e.name(name, id)
	}
	return answer
}

// TestEveryCallAnswersAsStripeDoes makes every call of the API at least once; the gates check each answer, and at the
// end every event.
func TestEveryCallAnswersAsStripeDoes(t *testing.T) {
	e := explore(t)
	e.listen()
	for _, step := range []struct {
		name, method, path, fields string
		status                     int
	}{
		{"", "GET", "/v1/account", "", 200},
		{"", "GET", "/v1/balance", "", 200},
		{"clock", "POST", "/v1/test_helpers/test_clocks", "frozen_time=1932714000&name=C", 200},
		{"", "GET", "/v1/test_helpers/test_clocks", "", 200},
		{"product", "POST", "/v1/products", "name=Studio&description=D&metadata[a]=b", 200},
		{"", "GET", "/v1/products", "active=true", 200},
		{"", "GET", "/v1/products/{product}", "", 200},
		{"", "POST", "/v1/products/{product}", "name=Studio plan", 200},
		{"price", "POST", "/v1/prices", "product={product}&currency=eur&unit_amount=2900&recurring[interval]=month", 200},
		{"once", "POST", "/v1/prices", "product={product}&currency=eur&unit_amount=900", 200},
		{"yen", "POST", "/v1/prices", "product={product}&currency=jpy&unit_amount=500&recurring[interval]=year", 200},
		{"", "GET", "/v1/prices", "product={product}&type=recurring&expand[]=data.product", 200},
		{"", "GET", "/v1/prices/{price}", "expand[]=product", 200},
		{"", "POST", "/v1/prices/{price}", "nickname=N", 200},
		{"cus", "POST", "/v1/customers", "email=a@example.org&name=Ada&address[country]=IT&preferred_locales[]=it&shipping[name]=A&shipping[address][line1]=V&tax_exempt=none&phone=1", 200},
		{"", "GET", "/v1/customers", "email=a@example.org&expand[]=data.subscriptions", 200},
		{"", "GET", "/v1/customers/{cus}", "expand[]=subscriptions&expand[]=invoice_settings.default_payment_method", 200},
		{"pm", "POST", "/v1/payment_methods", "type=card&card[token]=tok_visa&billing_details[name]=Ada", 200},
		{"", "POST", "/v1/payment_methods/{pm}/attach", "customer={cus}", 200},
		{"", "POST", "/v1/payment_methods/{pm}", "card[exp_month]=11", 200},
		{"", "GET", "/v1/payment_methods/{pm}", "expand[]=customer", 200},
		{"", "GET", "/v1/payment_methods", "customer={cus}&type=card", 200},
		{"", "GET", "/v1/customers/{cus}/payment_methods", "", 200},
		{"", "GET", "/v1/customers/{cus}/payment_methods/{pm}", "", 200},
		{"", "POST", "/v1/customers/{cus}", "invoice_settings[default_payment_method]={pm}", 200},
		{"sepa", "POST", "/v1/payment_methods", "type=sepa_debit&sepa_debit[iban]=AT611904300234573201&billing_details[name]=A&billing_details[email]=a@example.org", 200},

		{"seti", "POST", "/v1/setup_intents", "customer={cus}&usage=off_session&automatic_payment_methods[enabled]=true&metadata[case]=1", 200},
		{"", "POST", "/v1/setup_intents/{seti}", "description=D", 200},
		{"", "POST", "/v1/setup_intents/{seti}/confirm", "payment_method=pm_card_authenticationRequiredOnSetup&return_url=https://example.org", 200},
		{"", "GET", "/v1/setup_intents/{seti}", "expand[]=payment_method&expand[]=latest_attempt", 200},
		{"seti2", "POST", "/v1/setup_intents", "customer={cus}&payment_method_types[]=sepa_debit", 200},
		{"", "POST", "/v1/setup_intents/{seti2}/confirm", "payment_method={sepa}&expand[]=mandate", 200},
		{"seti3", "POST", "/v1/setup_intents", "customer={cus}", 200},
		{"", "POST", "/v1/setup_intents/{seti3}/confirm", "payment_method=pm_card_chargeDeclined", 402},
		{"", "POST", "/v1/setup_intents/{seti3}/cancel", "", 200},
		{"", "GET", "/v1/setup_intents", "customer={cus}", 200},
		{"", "GET", "/v1/setup_attempts", "setup_intent={seti3}", 200},

		{"pi", "POST", "/v1/payment_intents", "amount=1500&currency=eur&customer={cus}&payment_method={pm}&confirm=true&expand[]=latest_charge.balance_transaction", 200},
		{"", "GET", "/v1/payment_intents/{pi}", "expand[]=latest_charge", 200},
		{"pi2", "POST", "/v1/payment_intents", "amount=1500&currency=usd&customer={cus}", 200},
		{"", "POST", "/v1/payment_intents/{pi2}", "setup_future_usage=off_session", 200},
		{"", "POST", "/v1/payment_intents/{pi2}/confirm", "payment_method=pm_card_visa_chargeDeclinedInsufficientFunds", 402},
		{"", "POST", "/v1/payment_intents/{pi2}/confirm", "payment_method=pm_card_authenticationRequired&off_session=true", 402},
		{"", "POST", "/v1/payment_intents/{pi2}/confirm", "payment_method=pm_card_authenticationRequired&return_url=https://example.org", 200},
		{"", "POST", "/v1/payment_intents/{pi2}/cancel", "", 200},
		{"", "GET", "/v1/payment_intents", "customer={cus}&expand[]=data.latest_charge", 200},
		{"pi3", "POST", "/v1/payment_intents", "amount=700&currency=eur&customer={cus}&payment_method=pm_card_createDispute&confirm=true", 200},
		{"pi4", "POST", "/v1/payment_intents", "amount=800&currency=eur&customer={cus}&payment_method={sepa}&payment_method_types[]=sepa_debit&confirm=true", 200},
		{"pi5", "POST", "/v1/payment_intents", "amount=800&currency=usd&payment_method=pm_usBankAccount&confirm=true", 200},

		{"sub", "POST", "/v1/subscriptions", "customer={cus}&items[0][price]={price}&items[0][quantity]=2&expand[]=latest_invoice.payment_intent", 200},
		{"", "GET", "/v1/subscriptions", "customer={cus}&status=all&expand[]=data.latest_invoice", 200},
		{"", "GET", "/v1/subscriptions/{sub}", "expand[]=customer&expand[]=items.data.price.product", 200},
		{"", "POST", "/v1/subscriptions/{sub}", "pause_collection[behavior]=void&default_payment_method={pm}", 200},
		{"", "POST", "/v1/subscriptions/{sub}", "pause_collection=&cancel_at_period_end=true", 200},
		{"", "POST", "/v1/subscriptions/{sub}", "cancel_at_period_end=false", 200},
		{"", "GET", "/v1/subscription_items", "subscription={sub}", 200},
		{"", "GET", "/v1/invoices/upcoming", "customer={cus}", 200},

		{"in", "POST", "/v1/invoices", "customer={cus}&collection_method=send_invoice&days_until_due=14&metadata[a]=b&currency=eur", 200},
		{"ii", "POST", "/v1/invoiceitems", "customer={cus}&invoice={in}&amount=5000&currency=eur&description=Work", 200},
		{"ii2", "POST", "/v1/invoiceitems", "customer={cus}&invoice={in}&price={once}&quantity=2", 200},
		{"", "GET", "/v1/invoiceitems/{ii}", "", 200},
		{"", "POST", "/v1/invoiceitems/{ii}", "description=Hours", 200},
		{"", "GET", "/v1/invoiceitems", "customer={cus}", 200},
		{"", "DELETE", "/v1/invoiceitems/{ii2}", "", 200},
		{"", "POST", "/v1/invoices/{in}", "description=D&footer=F", 200},
		{"", "POST", "/v1/invoices/{in}/finalize", "", 200},
		{"", "GET", "/v1/invoices/{in}", "expand[]=customer&expand[]=payment_intent.payment_method", 200},
		{"", "POST", "/v1/invoices/{in}/send", "", 200},
		{"", "GET", "/v1/invoices/{in}/lines", "", 200},
		{"", "GET", "/v1/invoices", "status=open&collection_method=send_invoice&due_date[lt]=2000000000&expand[]=data.payment_intent", 200},
		{"cn", "POST", "/v1/credit_notes", "invoice={in}&amount=1000&reason=order_change&memo=M", 200},
		{"", "GET", "/v1/credit_notes/{cn}", "expand[]=invoice", 200},
		{"", "GET", "/v1/credit_notes", "invoice={in}", 200},
		{"", "POST", "/v1/credit_notes/{cn}", "memo=N", 200},
		{"", "POST", "/v1/credit_notes/{cn}/void", "", 200},
		{"", "POST", "/v1/invoices/{in}/mark_uncollectible", "", 200},
		{"", "POST", "/v1/invoices/{in}/pay", "payment_method={pm}&off_session=false", 200},
		{"", "POST", "/v1/invoices/{in}/pay", "", 400},
		{"cn2", "POST", "/v1/credit_notes", "invoice={in}&amount=500&refund_amount=300&credit_amount=200", 200},
		{"in2", "POST", "/v1/invoices", "customer={cus}", 200},
		{"", "DELETE", "/v1/invoices/{in2}", "", 200},
		{"in3", "POST", "/v1/invoices", "customer={cus}&currency=eur", 200},
		{"ii3", "POST", "/v1/invoiceitems", "customer={cus}&invoice={in3}&amount=5000&currency=eur", 200},
		{"", "POST", "/v1/invoices/{in3}/finalize", "auto_advance=true", 200},
		{"", "POST", "/v1/invoices/{in3}/void", "", 200},

		{"re", "POST", "/v1/refunds", "payment_intent={pi}&amount=500&reason=requested_by_customer", 200},
		{"", "GET", "/v1/refunds/{re}", "expand[]=charge", 200},
		{"", "GET", "/v1/refunds", "payment_intent={pi}", 200},
		{"", "GET", "/v1/charges", "customer={cus}&expand[]=data.refunds", 200},

		{"", "GET", "/v1/customers/search", "query=email:'a@example.org'&expand[]=data.subscriptions", 200},
		{"", "GET", "/v1/invoices/search", "query=customer:'{cus}' -status:'draft'&expand[]=data.payment_intent&limit=1", 200},
		{"", "GET", "/v1/subscriptions/search", "query=status:'active' OR status:'past_due'", 200},
		{"", "GET", "/v1/charges/search", "query=amount>100", 200},
		{"", "GET", "/v1/payment_intents/search", "query=customer:'{cus}'", 200},
		{"", "GET", "/v1/prices/search", "query=currency:'eur'", 200},
		{"", "GET", "/v1/products/search", "query=active:'true'", 200},

		{"portal", "POST", "/v1/billing_portal/sessions", "customer={cus}&return_url=https://example.org&flow_data[type]=payment_method_update&flow_data[after_completion][type]=redirect&flow_data[after_completion][redirect][return_url]=https://example.org", 200},
		{"cs", "POST", "/v1/checkout/sessions", "mode=setup&customer={cus}&currency=eur&success_url=https://example.org", 200},
		{"", "GET", "/v1/checkout/sessions/{cs}", "expand[]=setup_intent", 200},
		{"", "GET", "/v1/checkout/sessions", "", 200},
		{"", "POST", "/v1/checkout/sessions/{cs}/expire", "", 200},
		{"we", "POST", "/v1/webhook_endpoints", "url=http://127.0.0.1:1/x&enabled_events[]=invoice.paid", 200},
		{"", "GET", "/v1/webhook_endpoints/{we}", "", 200},
		{"", "GET", "/v1/webhook_endpoints", "", 200},
		{"", "POST", "/v1/webhook_endpoints/{we}", "disabled=true", 200},
		{"", "DELETE", "/v1/webhook_endpoints/{we}", "", 200},

		{"cus2", "POST", "/v1/customers", "test_clock={clock}&payment_method=pm_card_visa&invoice_settings[default_payment_method]=pm_card_visa", 200},
		{"sub2", "POST", "/v1/subscriptions", "customer={cus2}&items[0][price]={yen}&trial_period_days=7", 200},
		{"sub3", "POST", "/v1/subscriptions", "customer={cus2}&items[0][price_data][currency]=jpy&items[0][price_data][product]={product}&items[0][price_data][unit_amount]=300&items[0][price_data][recurring][interval]=week&payment_behavior=default_incomplete&expand[]=latest_invoice.payment_intent", 200},
		{"", "POST", "/v1/test_helpers/test_clocks/{clock}/advance", "frozen_time=1933400000", 200},
		{"", "GET", "/v1/test_helpers/test_clocks/{clock}", "", 200},
		{"", "POST", "/v1/subscriptions/{sub2}", "items[0][price]={yen}&trial_end=now", 400},
		{"", "DELETE", "/v1/test_helpers/test_clocks/{clock}", "", 200},
		{"", "DELETE", "/v1/subscriptions/{sub}", "cancellation_details[comment]=bye", 200},
		{"", "POST", "/v1/subscriptions/{sub}/resume", "", 400},
		{"", "POST", "/v1/payment_methods/{pm}/detach", "", 200},
	} {
		e.call(step.name, step.method, step.path, step.fields, step.status)
	}
	e.call("ch", "GET", "/v1/payment_intents/{pi3}", "", 200)
	disputes := e.call("", "GET", "/v1/disputes", "payment_intent={pi3}", 200)
	disputed := disputes["data"].([]any)[0].(map[string]any)
	e.name("dp", disputed["id"].(string))
	e.name("charge", disputed["charge"].(string))
	charged := e.call("", "GET", "/v1/charges/{charge}", "expand[]=balance_transaction", 200)
	e.name("txn", charged["balance_transaction"].(map[string]any)["id"].(string))
	e.call("", "GET", "/v1/balance_transactions/{txn}", "", 200)
	e.call("", "POST", "/v1/charges/{charge}", "description=D", 200)
	e.call("", "GET", "/v1/disputes/{dp}", "expand[]=charge", 200)
	e.call("", "POST", "/v1/disputes/{dp}", "evidence[uncategorized_text]=Sorry&submit=true", 200)
	e.call("", "POST", "/v1/disputes/{dp}/close", "", 200)
	mandated := e.call("", "GET", "/v1/setup_intents/{seti2}", "", 200)
	e.name("mandate", mandated["mandate"].(string))
	e.call("", "GET", "/v1/mandates/{mandate}", "", 200)
	events := e.call("", "GET", "/v1/events", "type=invoice.*&limit=3", 200)
	e.name("evt", events["data"].([]any)[0].(map[string]any)["id"].(string))
	e.call("", "GET", "/v1/events/{evt}", "", 200)
	e.pass(40 * 24 * time.Hour)
	e.call("", "DELETE", "/v1/customers/{cus}", "", 200)
	e.call("", "GET", "/v1/customers/{cus}", "", 200)
	heard := e.heard()
	for _, kind := range []string{"charge.dispute.created", "charge.refunded", "credit_note.voided", "setup_intent.requires_action", "mandate.updated", "customer.deleted"} {
		expect(t, "heard "+kind, slices.Contains(heard, kind), true)
	}

	served, err := os.ReadFile("contract/calls.txt")
	must(t, err)
	seen := e.gate.Seen()
	for call := range strings.Lines(string(served)) {
		if !slices.Contains(seen, strings.TrimSpace(call)) {
			t.Errorf("not tried: %s", strings.TrimSpace(call))
		}
	}
}

// TestGatesFindPlantedFaults shows that the gates would have noticed.
func TestGatesFindPlantedFaults(t *testing.T) {
	loaded, err := spec()
	must(t, err)
	w := newWorld(t)
	ada := w.customer("", "")
	body := string(ada.LastResponse.RawJSON)
	must(t, loaded.CheckObject([]byte(body)))
	for from, to := range map[string]string{
		`"balance": 0`:           `"balance": "0"`,
		`"livemode": false`:      `"live": false`,
		`"currency": null`:       `"currency": null, "colour": "red"`,
		`"footer": null`:         `"footer": null, "colour": "red"`,
		`"tax_exempt": "none"`:   `"tax_exempt": "maybe"`,
		`"object": "customer"`:   `"object": "client"`,
		`"preferred_locales": [`: `"preferred_locales": [1`,
	} {
		planted := strings.Replace(body, from, to, 1)
		expect(t, "planted "+to, planted != body && loaded.CheckObject([]byte(planted)) != nil, true)
	}
	faults := 0
	gate, err := gates.NewTransport(nil, func(error) { faults++ })
	must(t, err)
	params := &stripe.CustomerParams{}
	params.AddExtra("colour", "red")
	_, err = w.clientWith(gate).Customers.New(params)
	expect(t, "refused by the stand-in", refusalOf(t, err).Code, stripe.ErrorCodeParameterUnknown)
	expect(t, "and by stripe-mock", faults, 1)
}
