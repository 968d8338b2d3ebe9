package main

import (
	"encoding/json"
	"fmt"
)

// What Stripe's objects look like, as far as anybody looks.

func drawCustomer(c *customer) string {
	kind := c.kind
	if c.business {
		kind = "business"
	}
	return fmt.Sprintf(`{"id":%q,"object":"customer","name":%q,"email":%q,"created":%d,"livemode":false,"preferred_locales":[%q],`+
		`"address":{"country":%q,"state":%q},"metadata":{"timezone":%q,"sollecito_customer":%q},"default_source":null,`+
		`"invoice_settings":{"default_payment_method":%s}}`,
		c.id, c.name, c.email, start.Unix(), c.locale, c.country, c.state, c.told, kind, drawDefault(c))
}

func drawDefault(c *customer) string {
	if c.invoiced || c.card.detached {
		return "null"
	}
	return drawCard(c.card)
}

func drawCard(by *card) string {
	if by.detached {
		return fmt.Sprintf(`{"id":%q,"object":"payment_method","type":"card","customer":null,"card":{"brand":"visa","last4":%q,"exp_month":12,"exp_year":2030,"fingerprint":"fp_%s"}}`,
			by.id, by.last4, by.id)
	}
	if by.debit {
		return fmt.Sprintf(`{"id":%q,"object":"payment_method","type":"sepa_debit","customer":%q,"sepa_debit":{"country":"NL","last4":%q,"fingerprint":"fp_%s"}}`,
			by.id, by.owner.id, by.last4, by.id)
	}
	return fmt.Sprintf(`{"id":%q,"object":"payment_method","type":"card","customer":%q,"card":{"brand":"visa","last4":%q,"exp_month":12,"exp_year":2030,"fingerprint":"fp_%s"}}`,
		by.id, by.owner.id, by.last4, by.id)
}

func drawSubscription(c *customer) string {
	status, paused := "active", "null"
	if c.paused {
		paused = `{"behavior":"void","resumes_at":null}`
	}
	switch {
	case c.canceled:
		status = "canceled"
	case c.owes():
		status = "past_due"
	}
	return fmt.Sprintf(`{"id":%q,"object":"subscription","status":%q,"customer":%q,"currency":%q,"collection_method":"charge_automatically","pause_collection":%s,"current_period_end":%d,"cancel_at":null,`+
		`"default_payment_method":null,"default_source":null,"items":{"object":"list","has_more":false,"data":[{"id":"si_%d","object":"subscription_item",`+
		`"quantity":1,"price":{"id":"price_studio","object":"price","currency":%q,"unit_amount":%d,"recurring":{"interval":"month"},"product":"prod_studio"}}]}}`,
		c.subscription, status, c.id, c.currency, paused, c.renews.Unix(), c.n, c.currency, c.amount)
}

func drawIntent(i *invoice) string {
	if i.status == "paid" {
		return fmt.Sprintf(`{"id":"pi_%s","object":"payment_intent","status":"succeeded","customer":%q,"payment_method":%s,"latest_charge":{"id":"ch_%s_paid",`+
			`"object":"charge","created":%d,"status":"succeeded","payment_method":%q}}`, i.id, i.of.id, drawCard(i.card), i.id, i.paidAt.Unix(), i.card.id)
	}
	if !i.under.IsZero() && !i.hidden {
		return fmt.Sprintf(`{"id":"pi_%[1]s","object":"payment_intent","status":"processing","customer":%[2]q,"payment_method":%[3]s,"latest_charge":{"id":"ch_%[1]s_%[4]d",`+
			`"object":"charge","created":%[5]d,"status":"pending","payment_method":%[6]q}}`, i.id, i.of.id, drawCard(i.card), i.tries, i.under.Unix(), i.card.id)
	}
	if i.tries == 0 {
		return fmt.Sprintf(`{"id":"pi_%s","object":"payment_intent","status":"requires_payment_method","customer":%q,"payment_method":null,"latest_charge":null}`, i.id, i.of.id)
	}
	return fmt.Sprintf(`{"id":"pi_%[1]s","object":"payment_intent","status":"requires_payment_method","customer":%[2]q,"payment_method":null,`+
		`"last_payment_error":{"type":"card_error","code":"card_declined","decline_code":%[3]q,"charge":"ch_%[1]s_%[4]d","payment_method":%[5]s},`+
		`"latest_charge":{"id":"ch_%[1]s_%[4]d","object":"charge","created":%[6]d,"status":"failed","failure_code":"card_declined","payment_method":%[7]q,`+
		`"outcome":{"network_status":"declined_by_network","reason":%[3]q,"type":"issuer_declined"}}}`,
		i.id, i.of.id, i.code, i.tries, drawCard(i.card), i.failed.Unix(), i.card.id)
}

func drawInvoice(i *invoice, holder string) string {
	remaining, paid, next, paidAt, due, method := i.amount, int64(0), "null", "null", "null", "charge_automatically"
	if !i.due.IsZero() {
		due, method = fmt.Sprint(i.due.Unix()), "send_invoice"
	}
	if i.status == "paid" {
		remaining, paid, paidAt = 0, i.amount, fmt.Sprint(i.paidAt.Unix())
	}
	if i.byHand {
		paid = 0 // Stripe does not count what it has not taken
	}
	if !i.next.IsZero() {
		next = fmt.Sprint(i.next.Unix())
	}
	return fmt.Sprintf(`{"id":%[1]q,"object":"invoice","number":%[2]q,"status":%[3]q,"customer":%[4]s,"subscription":%[5]q,"currency":%[6]q,`+
		`"collection_method":%[16]q,"billing_reason":"subscription_cycle","amount_due":%[7]d,"amount_paid":%[8]d,"amount_remaining":%[9]d,`+
		`"created":%[10]d,"due_date":%[17]s,"paid_out_of_band":%[18]t,"attempted":%[19]t,"attempt_count":%[11]d,"next_payment_attempt":%[12]s,`+
		`"status_transitions":{"finalized_at":%[10]d,"paid_at":%[13]s},"period_start":%[10]d,"period_end":%[14]d,`+
		`"lines":{"object":"list","has_more":false,"data":[{"id":"il_%[1]s","object":"line_item","type":"subscription","description":"1 × Studio plan (at 29.00 / month)",`+
		`"period":{"start":%[10]d,"end":%[14]d}}]},"payment_intent":%[15]s}`,
		i.id, "N-"+i.id[3:], i.status, holder, i.of.subscription, i.of.currency, i.amount, paid, remaining,
		i.created.Unix(), i.tries, next, paidAt, i.created.AddDate(0, 1, 0).Unix(), drawIntent(i), method, due, i.byHand, i.tries > 0)
}

func drawDispute(d *dispute) string {
	return fmt.Sprintf(`{"id":%q,"object":"dispute","status":%q,"reason":"fraudulent","created":%d,"amount":%d,"currency":%q,`+
		`"charge":{"id":"ch_%s_paid","object":"charge","created":%d,"customer":%q,"invoice":%q,"status":"succeeded"}}`,
		d.id, d.status, d.created.Unix(), d.invoice.amount, d.of.currency, d.invoice.id, d.invoice.paidAt.Unix(), d.of.id, d.invoice.id)
}

func drawSetup(s *setup) string {
	metadata, err := json.Marshal(s.metadata)
	if err != nil {
		panic(err) // a map of strings can always be written
	}
	status, method := "requires_payment_method", "null"
	if s.card != nil {
		status, method = "succeeded", drawCard(s.card)
	}
	return fmt.Sprintf(`{"id":%[1]q,"object":"setup_intent","status":%[2]q,"customer":%[3]q,"client_secret":"%[1]s_secret_x","metadata":%[4]s,"payment_method":%[5]s}`,
		s.id, status, s.of.id, metadata, method)
}

// drawEvent is an event as it is delivered and listed.
func drawEvent(e *event) string {
	holder := fmt.Sprintf(`,"customer":%q`, e.of.id)
	if e.object == "dispute" {
		holder = "" // it names its customer only through its charge
	}
	return fmt.Sprintf(`{"id":%q,"object":"event","type":%q,"api_version":"2023-10-16","created":%d,"livemode":false,"data":{"object":{"id":%q,"object":%q%s}}}`,
		e.id, e.kind, e.created.Unix(), e.objectID, e.object, holder)
}
