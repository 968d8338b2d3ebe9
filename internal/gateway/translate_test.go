package gateway_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

// shelf answers each path with one body, lists as a single page, and counts what is asked for.
type shelf struct {
	bodies map[string]string
	mu     sync.Mutex
	asked  map[string]int
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[r.URL.Path]++
	body, ok := s.bodies[r.URL.Path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		body = `{"error":{"type":"invalid_request_error","code":"resource_missing"}}`
	}
	io.WriteString(w, body)
}

func reading(t *testing.T, bodies map[string]string) (*gateway.Client, *shelf) {
	t.Helper()
	s := &shelf{bodies: bodies, asked: map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return gateway.New(gateway.Options{SecretKey: testKey, APIURL: server.URL, Now: func() time.Time { return now }}), s
}

// renewal is a failed renewal; fields are replaced or added by name.
func renewal(fields map[string]string) string {
	all := map[string]string{
		"id": `"in_1"`, "object": `"invoice"`, "status": `"open"`, "collection_method": `"charge_automatically"`,
		"billing_reason": `"subscription_cycle"`, "customer": `{"id":"cus_1","object":"customer"}`, "currency": `"eur"`,
		"amount_due": `2900`, "amount_remaining": `2400`, "amount_paid": `500`, "attempted": `true`, "attempt_count": `2`,
		"created": `1000`, "period_start": `1`, "period_end": `2`, "next_payment_attempt": `null`, "due_date": `null`,
		"status_transitions": `{"finalized_at":1100,"paid_at":null}`,
		"lines":              `{"object":"list","data":[{"id":"il_1","object":"line_item","type":"subscription","description":"1 × Studio plan (at €29.00 / month)","period":{"start":1000,"end":3000}}]}`,
		"payment_intent": `{"id":"pi_1","object":"payment_intent","status":"requires_payment_method","latest_charge":{"id":"ch_1","object":"charge","status":"failed","created":1200,"outcome":{"type":"issuer_declined","reason":"insufficient_funds"}},` +
			`"last_payment_error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","charge":"ch_1","payment_method":{"id":"pm_1","object":"payment_method","type":"card","card":{"brand":"visa","last4":"9995","exp_month":4,"exp_year":2030,"fingerprint":"fp"}}}}`,
	}
	maps.Copy(all, fields)
	var parts []string
	for name, value := range all {
		if value == "" { // left out
			continue
		}
		parts = append(parts, fmt.Sprintf("%q:%s", name, value))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func readInvoice(t *testing.T, fields map[string]string) (billing.Invoice, []billing.Method) {
	t.Helper()
	client, _ := reading(t, map[string]string{"/v1/invoices/in_1": renewal(fields)})
	i, methods, err := client.Invoice(t.Context(), "in_1")
	if err != nil {
		t.Fatal(err)
	}
	return i, methods
}

func TestAFailedRenewalIsUnderstood(t *testing.T) {
	got, methods := readInvoice(t, nil)
	want := billing.Invoice{
		ID: "in_1", CustomerID: "cus_1", Status: "open", CollectionMethod: "charge_automatically", BillingReason: "subscription_cycle",
		Currency: "eur", AmountDue: 2900, AmountPaid: 500, AmountRemaining: 2400, Description: "Studio plan",
		PeriodStart: 1000, PeriodEnd: 3000, CreatedAt: 1000, Attempted: true, AttemptCount: 2, FailedAt: 1100, FirstFailed: 2400,
		Intent: "pi_1", IntentStatus: "requires_payment_method", MethodID: "pm_1",
		Decline: billing.Decline{Code: "card_declined", DeclineCode: "insufficient_funds"}, SyncedAt: now.Unix(), Charge: "ch_1", ChargedAt: 1200,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("invoice\n%+v, want\n%+v", got, want)
	}
	card := billing.Method{ID: "pm_1", CustomerID: "cus_1", Type: "card", Brand: "visa", Last4: "9995", ExpMonth: 4, ExpYear: 2030, Fingerprint: "fp"}
	if !slices.Equal(methods, []billing.Method{card}) {
		t.Errorf("methods %+v", methods)
	}
}

func TestWhenAChargeHasFailed(t *testing.T) {
	intent := func(status string) string {
		return `{"id":"pi_1","object":"payment_intent","status":"` + status + `"}`
	}
	for name, c := range map[string]struct {
		fields map[string]string
		want   int64
	}{
		"a retry's charge is not the first": {nil, 1100},
		"one attempt, its charge tells":     {map[string]string{"attempt_count": "1"}, 1200},
		"several attempts, no instant":      {map[string]string{"status_transitions": "{}"}, 1200},
		"nothing tells":                     {map[string]string{"status_transitions": "{}", "payment_intent": intent("requires_action")}, 1000},
		"one attempt, no charge":            {map[string]string{"attempt_count": "1", "payment_intent": intent("requires_action")}, 1100},
		"several attempts, no charge":       {map[string]string{"payment_intent": intent("requires_confirmation")}, 1100},
		"no intent, no method":              {map[string]string{"attempt_count": "1", "payment_intent": "null"}, 1100},
		"no intent, but a method":           {map[string]string{"payment_intent": "null", "default_payment_method": `"pm_2"`}, 0},
		"a debit under way":                 {map[string]string{"payment_intent": intent("processing")}, 0},
		"not attempted yet":                 {map[string]string{"attempted": "false"}, 0},
		"not attempted, a customer tried":   {map[string]string{"attempted": "false", "attempt_count": ""}, 0},
		"not said, its payment tells":       {map[string]string{"attempted": "", "attempt_count": ""}, 1200},
		"not said, its charge tells":        {map[string]string{"attempted": "", "attempt_count": "", "payment_intent": `{"id":"pi_1","object":"payment_intent","status":"requires_payment_method","latest_charge":{"id":"ch_1","object":"charge","status":"failed","created":1150}}`}, 1150},
		"not said, but counted":             {map[string]string{"attempted": "null", "payment_intent": intent("requires_payment_method")}, 1100},
		"not said, nothing tells":           {map[string]string{"attempted": "", "attempt_count": "", "payment_intent": intent("requires_payment_method")}, 0},
		"paid":                              {map[string]string{"status": `"paid"`}, 0},
		"to be paid by hand":                {map[string]string{"collection_method": `"send_invoice"`}, 0},
		"an older charge than this error":   {map[string]string{"attempt_count": "1", "payment_intent": `{"id":"pi_1","object":"payment_intent","status":"requires_action","latest_charge":{"id":"ch_1","object":"charge","status":"failed","created":1150}}`}, 1150},
	} {
		got, _ := readInvoice(t, c.fields)
		first := int64(0)
		if c.want > 0 {
			first = 2400
		}
		if got.FailedAt != c.want || got.FirstFailed != first {
			t.Errorf("%s: failed at %d (want %d), first failed %d", name, got.FailedAt, c.want, got.FirstFailed)
		}
	}
}

func TestWhyAChargeFailed(t *testing.T) {
	intent := func(failure, charge string) map[string]string {
		return map[string]string{"payment_intent": `{"id":"pi_1","object":"payment_intent","status":"requires_payment_method","last_payment_error":` + failure + `,"latest_charge":` + charge + `}`}
	}
	charge := func(outcome string) string {
		return `{"id":"ch_1","object":"charge","status":"failed","created":1200,"failure_code":"card_declined","outcome":` + outcome + `}`
	}
	const generic = `{"type":"card_error","code":"card_declined","decline_code":"generic_decline","charge":"ch_1"}`
	for name, c := range map[string]struct {
		fields map[string]string
		want   billing.Decline
	}{
		"newer answers say more": {intent(
			`{"type":"card_error","code":"card_declined","decline_code":"do_not_honor","advice_code":"do_not_try_again","charge":"ch_1"}`,
			charge(`{"reason":"do_not_honor","network_advice_code":"03","network_decline_code":"05"}`)),
			billing.Decline{Code: "card_declined", DeclineCode: "do_not_honor", AdviceCode: "do_not_try_again", NetworkAdviceCode: "03", NetworkDeclineCode: "05"}},
		"held back by Stripe": {intent(generic, charge(`{"type":"blocked","reason":"highest_risk_level","network_status":"not_sent_to_network"}`)),
			billing.Decline{Code: "card_declined", DeclineCode: "highest_risk_level"}},
		"another charge's outcome": {intent(strings.Replace(generic, "ch_1", "ch_0", 1), charge(`{"reason":"stolen_card","network_decline_code":"43"}`)),
			billing.Decline{Code: "card_declined", DeclineCode: "generic_decline"}},
		"only the charge is left": {intent("null", charge(`{"reason":"expired_card"}`)), billing.Decline{Code: "card_declined", DeclineCode: "expired_card"}},
		"expired, by code alone": {intent(`{"type":"card_error","code":"expired_card","charge":"ch_1"}`, charge(`{"reason":"generic_decline"}`)),
			billing.Decline{Code: "expired_card"}},
		"charge unexpanded":  {intent(generic, `"ch_1"`), billing.Decline{Code: "card_declined", DeclineCode: "generic_decline"}},
		"odd shapes":         {intent(strings.Replace(generic, `"charge"`, `"advice_code":{"x":1},"charge"`, 1), charge(`{"reason":null,"network_advice_code":3}`)), billing.Decline{Code: "card_declined", DeclineCode: "generic_decline"}},
		"waits for the bank": {map[string]string{"payment_intent": `{"id":"pi_1","object":"payment_intent","status":"requires_action"}`}, billing.Decline{}},
		"paid meanwhile":     {map[string]string{"status": `"paid"`}, billing.Decline{}},
	} {
		got, _ := readInvoice(t, c.fields)
		if got.Decline != c.want {
			t.Errorf("%s: %+v, want %+v", name, got.Decline, c.want)
		}
	}
}

func TestWhatAnInvoiceIsFor(t *testing.T) {
	for want, lines := range map[string][]string{
		"Studio plan":                 {"1 × Studio plan (at €29.00 / month)"},
		"3 × Seat":                    {"3 × Seat (at $5.00 / month)"},
		"Offre Studio":                {"1 × Offre Studio (à 29,00 € / mois)"},
		"Plan (2026 edition)":         {"1 × Plan (2026 edition) (at £9.00 every 3 months)"},
		"Plan (old)":                  {"Plan (old)"},
		"Studio plan, Extra storage":  {"1 × Studio plan (at €29.00 / month)", "1 × Extra storage (at €4.00 / month)", "1 × Studio plan (at €29.00 / month)"},
		"Studio plan, 2 × Seat +2":    {"Studio plan", "2 × Seat (at €1.00 / month)", "Setup", "Training"},
		"Remaining time on Pro after": {"Remaining time on Pro after"},
		"the merchant's own words":    nil,
	} {
		var items []string
		for i, line := range lines {
			items = append(items, fmt.Sprintf(`{"id":"il_%d","object":"line_item","type":"invoiceitem","description":%q}`, i, line))
		}
		got, _ := readInvoice(t, map[string]string{
			"lines": `{"object":"list","data":[` + strings.Join(items, ",") + `]}`, "description": `"the merchant's own words"`,
		})
		if got.Description != want {
			t.Errorf("%q: %q, want %q", lines, got.Description, want)
		}
		if got.PeriodStart != 1 || got.PeriodEnd != 2 {
			t.Errorf("without a subscription line: period %d to %d", got.PeriodStart, got.PeriodEnd)
		}
	}
}

func TestWhichMethodIsMeant(t *testing.T) {
	const quiet = `{"id":"pi_1","object":"payment_intent","status":"requires_payment_method"}`
	subscription := `{"id":"sub_1","object":"subscription","default_payment_method":{"id":"pm_sub","object":"payment_method","type":"sepa_debit","sepa_debit":{"last4":"3201"}}}`
	customer := `{"id":"cus_1","object":"customer","invoice_settings":{"default_payment_method":null},"default_source":{"id":"card_1","object":"card","brand":"American Express","last4":"0005"}}`
	for name, c := range map[string]struct {
		fields map[string]string
		want   string
	}{
		"last attempt":  {nil, "pm_1"},
		"invoice's own": {map[string]string{"payment_intent": quiet, "default_payment_method": `"pm_own"`, "subscription": subscription, "customer": customer}, "pm_own"},
		"subscription":  {map[string]string{"payment_intent": quiet, "subscription": subscription, "customer": customer}, "pm_sub"},
		"customer":      {map[string]string{"payment_intent": quiet, "customer": customer}, "card_1"},
		"none":          {map[string]string{"payment_intent": quiet}, ""},
	} {
		got, methods := readInvoice(t, c.fields)
		if got.MethodID != c.want {
			t.Errorf("%s: %q, want %q", name, got.MethodID, c.want)
		}
		at := slices.IndexFunc(methods, func(m billing.Method) bool { return m.ID == "card_1" })
		if name == "customer" && (at < 0 || methods[at] != billing.Method{ID: "card_1", CustomerID: "cus_1", Type: "card", Brand: "amex", Last4: "0005"}) {
			t.Errorf("methods %+v", methods)
		}
	}
}

func TestAPaidInvoice(t *testing.T) {
	got, _ := readInvoice(t, map[string]string{
		"status": `"paid"`, "amount_remaining": "0", "amount_paid": "2900", "paid_out_of_band": "true", "number": `"LUMEN-0007"`,
		"status_transitions": `{"paid_at":1500}`, "due_date": "1400", "subscription": `"sub_1"`,
		"payment_intent": `{"id":"pi_1","object":"payment_intent","status":"succeeded","payment_method":{"id":"pm_2","object":"payment_method","type":"card","card":{"last4":"4242"}},"latest_charge":{"id":"ch_2","object":"charge","status":"succeeded","created":1500,"disputed":true,"receipt_number":"1234-5678"}}`,
	})
	if got.PaidAt != 1500 || !got.PaidOutOfBand || !got.Disputed || got.ReceiptNumber != "1234-5678" || got.MethodID != "pm_2" ||
		got.DueAt != 1400 || got.SubscriptionID != "sub_1" || got.Number != "LUMEN-0007" || got.Decline != (billing.Decline{}) {
		t.Errorf("%+v", got)
	}
}

func TestAnAccountIsReadAsAWhole(t *testing.T) {
	item := func(price string, quantity int) string {
		return fmt.Sprintf(`{"id":"si_%s","object":"subscription_item","quantity":%d,"price":{"id":"price_%s","object":"price","unit_amount":%s,"product":"prod_1","recurring":{"interval":"month"}}}`, price, quantity, price, price)
	}
	client, asked := reading(t, map[string]string{
		"/v1/customers/cus_1": `{"id":"cus_1","object":"customer","name":" Giulia Rossi ","email":"giulia@example.com","livemode":true,"created":900,
			"preferred_locales":["it","en"],"metadata":{"timezone":"Europe/Rome"},"address":{"country":"it","state":"RM"},
			"invoice_settings":{"default_payment_method":{"id":"pm_c","object":"payment_method","type":"card","card":{"brand":"visa","last4":"4242"}}}}`,
		"/v1/subscriptions": `{"object":"list","has_more":false,"data":[
			{"id":"sub_1","object":"subscription","status":"past_due","currency":"eur","current_period_end":3000,"cancel_at":4000,"items":{"object":"list","data":[` + item("900", 2) + `,` + item("100", 3) + `]}},
			{"id":"sub_2","object":"subscription","status":"canceled","currency":"eur","default_source":"card_9","description":"Old","items":{"object":"list","data":[
				{"id":"si_9","object":"subscription_item","quantity":25,"price":{"id":"price_9","object":"price","unit_amount":null,"unit_amount_decimal":"0.5","product":"prod_gone","recurring":{"interval":"year"},"transform_quantity":{"divide_by":10,"round":"up"}}}]}}]}`,
		"/v1/products/prod_1": `{"id":"prod_1","object":"product","name":"Studio plan"}`,
		"/v1/invoices": `{"object":"list","has_more":false,"data":[` + renewal(map[string]string{"subscription": `"sub_1"`}) + `,` +
			renewal(map[string]string{"id": `"in_2"`, "payment_intent": `{"id":"pi_2","object":"payment_intent","status":"requires_payment_method","last_payment_error":{"code":"card_declined","advice_code":"confirm_card_data"}}`}) + `]}`,
	})
	got, err := client.Account(t.Context(), "cus_1")
	if err != nil {
		t.Fatal(err)
	}
	wantCustomer := billing.Customer{
		ID: "cus_1", Name: "Giulia Rossi", Email: "giulia@example.com", PreferredLocales: []string{"it", "en"}, Country: "IT", State: "RM",
		Zone: "Europe/Rome", DefaultMethod: "pm_c", Livemode: true, CreatedAt: 900, SyncedAt: now.Unix(),
	}
	if !reflect.DeepEqual(got.Customer, wantCustomer) {
		t.Errorf("customer %+v", got.Customer)
	}
	wantSubscriptions := []billing.Subscription{
		{ID: "sub_1", CustomerID: "cus_1", Status: "past_due", Description: "Studio plan", Interval: "month", PeriodEnd: 3000, CancelAt: 4000, Amount: billing.Money{Minor: 2100, Currency: "eur"}},
		{ID: "sub_2", CustomerID: "cus_1", Status: "canceled", Description: "Old", Interval: "year", DefaultMethod: "card_9", Amount: billing.Money{Minor: 2, Currency: "eur"}},
	}
	if !slices.Equal(got.Subscriptions, wantSubscriptions) {
		t.Errorf("subscriptions %+v", got.Subscriptions)
	}
	if len(got.Invoices) != 2 || got.Invoices[0].ID != "in_1" || got.Invoices[0].Decline.AdviceCode != "" ||
		got.Invoices[1].MethodID != "pm_c" || got.Invoices[1].Decline.AdviceCode != "confirm_card_data" {
		t.Errorf("invoices %+v", got.Invoices)
	}
	if len(got.Methods) != 2 {
		t.Errorf("methods %+v", got.Methods)
	}
	if asked.asked["/v1/products/prod_1"] != 1 {
		t.Errorf("the same product was asked for %d times", asked.asked["/v1/products/prod_1"])
	}
}

func TestZonesAreNamesOfPlaces(t *testing.T) {
	for given, want := range map[string]string{"America/New_York": "America/New_York", "Local": "", "Mars/Olympus": "", "../etc/passwd": "", "": "", " Europe/Rome ": "Europe/Rome"} {
		client, _ := reading(t, map[string]string{
			"/v1/customers/cus_1": fmt.Sprintf(`{"id":"cus_1","object":"customer","metadata":{"timezone":%q}}`, given),
			"/v1/subscriptions":   `{"object":"list","data":[]}`, "/v1/invoices": `{"object":"list","data":[]}`,
		})
		got, err := client.Account(t.Context(), "cus_1")
		if err != nil || got.Customer.Zone != want {
			t.Errorf("%q: %q, %v", given, got.Customer.Zone, err)
		}
	}
}

func TestADeletedCustomer(t *testing.T) {
	client, _ := reading(t, map[string]string{"/v1/customers/cus_1": `{"id":"cus_1","object":"customer","deleted":true}`})
	got, err := client.Account(t.Context(), "cus_1")
	if err != nil || !reflect.DeepEqual(got, billing.Account{Customer: billing.Customer{ID: "cus_1", Deleted: true, SyncedAt: now.Unix()}}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhoseAnObjectIs(t *testing.T) {
	const customer = `"customer":"cus_1"`
	client, _ := reading(t, map[string]string{
		"/v1/charges/ch_1":           `{"id":"ch_1","object":"charge",` + customer + `}`,
		"/v1/disputes/dp_1":          `{"id":"dp_1","object":"dispute","charge":{"id":"ch_1","object":"charge",` + customer + `}}`,
		"/v1/refunds/re_1":           `{"id":"re_1","object":"refund","charge":{"id":"ch_1","object":"charge",` + customer + `}}`,
		"/v1/mandates/mandate_1":     `{"id":"mandate_1","object":"mandate","payment_method":{"id":"pm_1","object":"payment_method",` + customer + `}}`,
		"/v1/payment_methods/pm_1":   `{"id":"pm_1","object":"payment_method",` + customer + `}`,
		"/v1/payment_methods/pm_2":   `{"id":"pm_2","object":"payment_method","customer":null}`,
		"/v1/payment_intents/pi_1":   `{"id":"pi_1","object":"payment_intent",` + customer + `}`,
		"/v1/setup_intents/seti_1":   `{"id":"seti_1","object":"setup_intent",` + customer + `}`,
		"/v1/invoices/in_1":          `{"id":"in_1","object":"invoice",` + customer + `}`,
		"/v1/invoiceitems/ii_1":      `{"id":"ii_1","object":"invoiceitem",` + customer + `}`,
		"/v1/subscriptions/sub_1":    `{"id":"sub_1","object":"subscription",` + customer + `}`,
		"/v1/credit_notes/cn_1":      `{"id":"cn_1","object":"credit_note",` + customer + `}`,
		"/v1/checkout/sessions/cs_1": `{"id":"cs_1","object":"checkout.session",` + customer + `}`,
	})
	for _, object := range []string{
		"customer cus_1", "charge ch_1", "dispute dp_1", "refund re_1", "mandate mandate_1", "payment_method pm_1", "payment_intent pi_1", "setup_intent seti_1",
		"invoice in_1", "invoiceitem ii_1", "subscription sub_1", "credit_note cn_1", "checkout.session cs_1",
	} {
		kind, id, _ := strings.Cut(object, " ")
		got, err := client.CustomerOf(t.Context(), kind, id)
		if err != nil || got != "cus_1" {
			t.Errorf("%s: %q, %v", object, got, err)
		}
	}
	for _, object := range []string{"payment_method pm_2", "product prod_1"} {
		kind, id, _ := strings.Cut(object, " ")
		got, err := client.CustomerOf(t.Context(), kind, id)
		if err != nil || got != "" {
			t.Errorf("%s: %q, %v", object, got, err)
		}
	}
}

func TestOnlyAddressesOfPagesAreAnswered(t *testing.T) {
	for address, ok := range map[string]bool{"https://invoice.stripe.com/i/1?s=ap": true, "http://127.0.0.1:12111/i/1": true, "javascript:alert(1)": false, "//host/x": false, "": false} {
		client, _ := reading(t, map[string]string{"/v1/invoices/in_1": renewal(map[string]string{"hosted_invoice_url": fmt.Sprintf("%q", address), "invoice_pdf": fmt.Sprintf("%q", address)})})
		page, err := client.HostedPage(t.Context(), "in_1")
		pdf, pdfErr := client.InvoicePDF(t.Context(), "in_1")
		if ok != (err == nil) || ok != (pdfErr == nil) || (ok && (page != address || pdf != address)) {
			t.Errorf("%q: %q, %v, %q, %v", address, page, err, pdf, pdfErr)
		}
	}
}

// TestEventsAreVisitedPageByPage also holds the listing to Stripe's twenty types a call.
func TestEventsAreVisitedPageByPage(t *testing.T) {
	var types []string
	client := against(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		var asked []string
		for name, values := range q {
			if strings.HasPrefix(name, "types[") {
				asked = append(asked, values...)
			}
		}
		if len(asked) > 20 || q.Has("delivery_success") || q.Get("created[gte]") != "500" {
			t.Errorf("asked for %d types, %s", len(asked), r.URL.RawQuery)
		}
		if q.Get("starting_after") == "" {
			types = append(types, asked...)
		}
		switch {
		case !slices.Contains(asked, "invoice.paid"):
			io.WriteString(w, `{"object":"list","data":[{"id":"evt_2","object":"event","type":"mandate.updated","created":602,"data":{"object":{"id":"mandate_1","object":"mandate"}}}]}`)
		case q.Get("starting_after") == "":
			io.WriteString(w, `{"object":"list","has_more":true,"data":[{"id":"evt_3","object":"event","type":"invoice.paid","created":603,"data":{"object":{"id":"in_1","object":"invoice","customer":"cus_1"}}}]}`)
		default:
			io.WriteString(w, `{"object":"list","data":[{"id":"evt_1","object":"event","type":"invoice.updated","created":601}]}`)
		}
	})
	var visited, left []string
	visit := func(page []gateway.Event, after string) error {
		for _, e := range page {
			visited = append(visited, fmt.Sprintf("%s %s %d %s %s", e.ID, e.Type, e.Created, e.Customer, e.Unreadable))
		}
		visited, left = append(visited, "page"), append(left, after)
		return nil
	}
	err := client.Happened(t.Context(), 500, "", visit)
	want := []string{"evt_3 invoice.paid 603 cus_1 ", "page", "evt_1 invoice.updated 601  it carries no object", "page", "evt_2 mandate.updated 602  ", "page"}
	if err != nil || !slices.Equal(visited, want) {
		t.Errorf("%q, %v", visited, err)
	}
	slices.Sort(types)
	if !slices.Equal(types, slices.Sorted(slices.Values(gateway.ListenTo))) {
		t.Errorf("asked for %q", types)
	}
	err = client.Happened(t.Context(), 500, "", func([]gateway.Event, string) error { return io.ErrUnexpectedEOF })
	if err == nil {
		t.Error("a failed visit was passed over")
	}
	for n, after := range slices.Clone(left) {
		visited = nil
		err = client.Happened(t.Context(), 500, after, visit)
		if rest := want[2*(n+1):]; err != nil || !slices.Equal(visited, rest) {
			t.Errorf("after %q: %q, %v, want %q", after, visited, err, rest)
		}
	}
	for _, after := range []string{"evt_1", "-1 evt_1", "x evt_1"} {
		err = client.Happened(t.Context(), 500, after, visit)
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("after %q: %v", after, err)
		}
	}
}

// What the next renewal costs, and whether it is charged by itself.
func TestWhatTheNextRenewalIs(t *testing.T) {
	tests := []struct {
		name, subscription, customer string
		amount                       int64
		automatic                    bool
	}{
		{"plain", `"collection_method":"charge_automatically"`, "", 2900, true},
		{"paid by hand", `"collection_method":"send_invoice"`, "", 2900, false},
		{"paused", `"collection_method":"charge_automatically","pause_collection":{"behavior":"void"}`, "", 2900, false},
		{"paused, and on again before it", `"collection_method":"charge_automatically","pause_collection":{"behavior":"void","resumes_at":2999}`, "", 2900, true},
		{"paused beyond it", `"collection_method":"charge_automatically","pause_collection":{"behavior":"void","resumes_at":3001}`, "", 2900, false},
		{"a third off", `"discount":{"end":null,"coupon":{"percent_off":33.3}}`, "", 1934, false},
		{"for nothing", `"discount":{"coupon":{"percent_off":100}}`, "", 0, false},
		{"more off than it costs", `"discount":{"coupon":{"amount_off":5000,"currency":"eur"}}`, "", 0, false},
		{"off in another currency", `"discount":{"coupon":{"amount_off":500,"currency":"usd"}}`, "", 2900, false},
		{"a discount that ends first", `"discount":{"end":3000,"coupon":{"percent_off":50}}`, "", 2900, false},
		{"the customer's discount", `"discount":null`, `,"discount":{"coupon":{"percent_off":50}}`, 1450, false},
		{"its own before the customer's", `"discount":{"coupon":{"percent_off":10}}`, `,"discount":{"coupon":{"percent_off":50}}`, 2610, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, _ := reading(t, map[string]string{
				"/v1/customers/cus_1": `{"id":"cus_1","object":"customer"` + tt.customer + `}`,
				"/v1/subscriptions": `{"object":"list","data":[{"id":"sub_1","object":"subscription","status":"active","currency":"eur","current_period_end":3000,
					"items":{"object":"list","data":[{"id":"si_1","object":"subscription_item","quantity":1,"price":{"id":"price_1","object":"price","unit_amount":2900,"product":"prod_1"}}]},` + tt.subscription + `}]}`,
				"/v1/products/prod_1": `{"id":"prod_1","object":"product","name":"Studio plan"}`,
				"/v1/invoices":        `{"object":"list","data":[]}`,
			})
			got, err := client.Account(t.Context(), "cus_1")
			if err != nil || len(got.Subscriptions) != 1 {
				t.Fatalf("%+v, %v", got.Subscriptions, err)
			}
			s := got.Subscriptions[0]
			if s.Amount.Minor != tt.amount || s.Automatic != tt.automatic {
				t.Errorf("costs %d, automatic %v; want %d, %v", s.Amount.Minor, s.Automatic, tt.amount, tt.automatic)
			}
		})
	}
}
