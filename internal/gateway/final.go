package gateway

import (
	"context"
	"errors"
	"net/http"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/invoice"
	"github.com/stripe/stripe-go/v76/subscription"

	"sollecito/internal/fault"
)

// CancelSubscription ends a subscription at once; its open invoices stay open and payable, and Stripe charges them no
// more by itself. Nothing is refunded, and nothing invoiced for the time since the last renewal. comment is kept beside
// the cancellation in Stripe's dashboard. Stripe knows no idempotency key here: a subscription ends once. Errors:
// fault.NotFound when it does not exist or has ended already, fault.Unavailable when that is not known.
func (c *Client) CancelSubscription(ctx context.Context, id, comment string) error {
	_, err := subscription.Client{B: c.backend, Key: c.key}.Cancel(id, &stripe.SubscriptionCancelParams{
		Params:              reading(ctx),
		CancellationDetails: &stripe.SubscriptionCancelCancellationDetailsParams{Comment: stripe.String(comment)},
	})
	return refusedFinal("cancel "+id, err)
}

// PauseCollection lets a subscription go on without asking for money: the invoices of its next renewals are voided
// until somebody resumes collection at Stripe. What is open already stays so. key is the idempotency key; pausing
// twice is pausing once. Errors as CancelSubscription.
func (c *Client) PauseCollection(ctx context.Context, id, key string) error {
	err := harmless(key, func(key string) error {
		_, err := subscription.Client{B: c.backend, Key: c.key}.Update(id, &stripe.SubscriptionParams{
			Params:          ordering(ctx, key),
			PauseCollection: &stripe.SubscriptionPauseCollectionParams{Behavior: stripe.String(string(stripe.SubscriptionPauseCollectionBehaviorVoid))},
		})
		return err
	})
	return refusedFinal("pause "+id, err)
}

// MarkUncollectible writes an open invoice off. Stripe still takes a payment of it. key is the idempotency key. Errors:
// fault.NotFound when it does not exist or is not open any more, fault.Unavailable when that is not known.
func (c *Client) MarkUncollectible(ctx context.Context, id, key string) error {
	err := harmless(key, func(key string) error {
		_, err := invoice.Client{B: c.backend, Key: c.key}.MarkUncollectible(id, &stripe.InvoiceMarkUncollectibleParams{Params: ordering(ctx, key)})
		return err
	})
	return refusedFinal("write off "+id, err)
}

// refusedFinal is failed for orders about something that may have ended meanwhile: Stripe says so with a 400 and no
// code of its own, and has then done nothing.
func refusedFinal(doing string, err error) error {
	var e *stripe.Error
	if errors.As(err, &e) && e.HTTPStatusCode == http.StatusBadRequest && e.Type == stripe.ErrorTypeInvalidRequest {
		return fault.Wrap(fault.NotFound, failed(doing, err), "It has ended already")
	}
	return failed(doing, err)
}
