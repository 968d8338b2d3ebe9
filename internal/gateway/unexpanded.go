package gateway

import (
	"context"
	"encoding/json"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/charge"

	"sollecito/internal/fault"
)

// complete fills in what an invoice was asked to bring along and did not: its payment, when only an id came, and what
// newer versions of the API name elsewhere. Stripe itself answers as asked; what stands between, or stands in for it, may
// not, and without its payment a failed renewal would look as if nothing had happened. Errors: fault.Unavailable.
func (c *Client) complete(ctx context.Context, i *stripeInvoice) error {
	if i.Subscription == nil {
		newer := i.newerSubscription()
		if newer != "" {
			i.Subscription = &stripeSubscription{ID: newer}
		}
	}
	if i.PaymentIntent != nil && i.PaymentIntent.Object != "" {
		return nil
	}
	id := i.newerIntent()
	if i.PaymentIntent != nil {
		id = i.PaymentIntent.ID
	}
	if id == "" {
		return nil
	}
	var intent stripeIntent
	err := c.ask(ctx, stripe.FormatURLPath("/v1/payment_intents/%s", id), expanding("payment_method", "latest_charge"), (*plainIntent)(&intent))
	err = failed("read payment "+id, err)
	if fault.Is(err, fault.NotFound) {
		return nil // the invoice is understood without it, as far as it goes
	}
	if err != nil {
		return err
	}
	i.PaymentIntent = &intent
	return nil
}

// whole is the customer that something in a list names, read by himself where only his id came along: what is not said of
// him would pass for what he does not have, and his address be forgotten. Errors: fault.NotFound, fault.Unavailable.
func (c *Client) whole(ctx context.Context, holder *stripeCustomer) (*stripeCustomer, error) {
	if holder.Object != "" {
		return holder, nil
	}
	return c.holder(ctx, holder.ID)
}

// charged is the charge of a dispute in full, read by itself where only its id came along; nil for none.
func (c *Client) charged(ctx context.Context, ch *stripe.Charge) (*stripe.Charge, error) {
	if ch == nil || ch.Object != "" {
		return ch, nil
	}
	full, err := charge.Client{B: c.backend, Key: c.key}.Get(ch.ID, &stripe.ChargeParams{Params: reading(ctx)})
	return full, failed("read charge "+ch.ID, err)
}

// newerIntent is the id of the invoice's payment in the list that took payment_intent's place: of the default one when
// it says which, else of the first.
func (i *stripeInvoice) newerIntent() string {
	var payments struct {
		Data []struct {
			Default bool `json:"is_default"`
			Payment struct {
				PaymentIntent json.RawMessage `json:"payment_intent"`
			} `json:"payment"`
		} `json:"data"`
	}
	lenient(i.Payments, &payments)
	id := ""
	for _, p := range payments.Data {
		if id == "" || p.Default {
			id = named(p.Payment.PaymentIntent)
		}
	}
	return id
}

func (i *stripeInvoice) newerSubscription() string {
	var parent struct {
		Details struct {
			Subscription json.RawMessage `json:"subscription"`
		} `json:"subscription_details"`
	}
	lenient(i.Parent, &parent)
	return named(parent.Details.Subscription)
}

// named is the id of something that is named by it or stands there in full.
func named(raw json.RawMessage) string {
	var id string
	lenient(raw, &id)
	var object struct {
		ID string `json:"id"`
	}
	lenient(raw, &object)
	if id == "" {
		id = object.ID
	}
	return id
}
