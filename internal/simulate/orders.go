package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// What the portal orders at Stripe besides money, and what it reads for it.

// charge is one try to take money, as Stripe lists it.
type charge struct {
	id, status, code string // status succeeded, pending, failed
	invoice          *invoice
	by               *card
	at               time.Time
}

// tried keeps a charge, in the place of the pending one it ends.
func (c *customer) tried(ch charge) {
	last := len(c.charges) - 1
	if last >= 0 && c.charges[last].status == "pending" && c.charges[last].invoice == ch.invoice {
		ch.at = c.charges[last].at
		c.charges = c.charges[:last]
	}
	c.charges = append(c.charges, ch)
}

func (p *processor) listCharges(c *customer, since int64) answer {
	if c == nil {
		return list()
	}
	var all []string
	for _, ch := range slices.Backward(c.charges) {
		if ch.at.Unix() >= since && len(all) < 100 {
			all = append(all, drawCharge(ch))
		}
	}
	return list(all...)
}

func drawCharge(ch charge) string {
	kind, failure, outcome := "card", "null", "null"
	if ch.by.debit {
		kind = "sepa_debit"
	}
	if ch.status == "failed" {
		failure, outcome = `"card_declined"`, fmt.Sprintf(`{"network_status":"declined_by_network","reason":%q,"type":"issuer_declined"}`, ch.code)
	}
	return fmt.Sprintf(`{"id":%q,"object":"charge","created":%d,"status":%q,"customer":%q,"invoice":%q,"payment_intent":"pi_%s","payment_method":%q,`+
		`"payment_method_details":{"type":%q,%q:{"fingerprint":"fp_%s"}},"amount":%d,"currency":%q,"failure_code":%s,"outcome":%s}`,
		ch.id, ch.at.Unix(), ch.status, ch.invoice.of.id, ch.invoice.id, ch.invoice.id, ch.by.id, kind, kind, ch.by.id, ch.invoice.amount, ch.invoice.of.currency, failure, outcome)
}

func (p *processor) listMethods(c *customer) answer {
	var all []string
	for _, by := range p.cardsOf(c) {
		all = append(all, drawCard(by))
	}
	return list(all...)
}

// changeSubscription ends one, or lets it rest.
func (p *processor) changeSubscription(method, id string, form url.Values) answer {
	c := p.subscriber(id)
	if c == nil || c.canceled {
		return unknown
	}
	switch {
	case method == http.MethodDelete:
		p.w.cancel(c)
	case form.Get("pause_collection[behavior]") != "" && !c.paused: // pausing twice is pausing once
		c.paused = true
		p.w.tell(c, "customer.subscription.updated", "subscription", c.subscription)
	}
	return ok(drawSubscription(c))
}

func (p *processor) subscriber(id string) *customer {
	number, is := strings.CutPrefix(id, "sub_")
	if !is {
		return nil
	}
	return p.w.known["cus_"+number]
}

func (p *processor) markUncollectible(i *invoice) answer {
	if i == nil {
		return unknown
	}
	if i.status != "open" {
		return answer{http.StatusBadRequest, `{"error":{"type":"invalid_request_error","message":"This invoice is not open"}}`}
	}
	p.w.writeOff(i)
	return ok(drawInvoice(i, `"`+i.of.id+`"`))
}

// detach takes a card off its customer, and out of the default it was.
func (p *processor) detach(id string) answer {
	by := p.cards[id]
	if by == nil {
		return unknown
	}
	if by.detached {
		return answer{http.StatusBadRequest, `{"error":{"type":"invalid_request_error","message":"The payment method is not attached to a customer"}}`}
	}
	by.detached, by.gone = true, p.w.at
	p.w.tell(by.owner, "payment_method.detached", "payment_method", by.id)
	return ok(drawCard(by))
}
