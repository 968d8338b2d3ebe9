package gateway

import (
	"context"
	"errors"
	"net/http"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/paymentmethod"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
)

// Methods reads every payment method that a customer has attached, the newest first, over all pages: Account names only
// those in use. Errors: fault.NotFound when the customer does not exist, fault.Unavailable.
func (c *Client) Methods(ctx context.Context, customerID string) ([]billing.Method, error) {
	attached, err := everything(ctx, c, stripe.FormatURLPath("/v1/customers/%s/payment_methods", customerID), query{}, func(m plainMethod) string { return m.ID })
	if err != nil {
		return nil, failed("list payment methods of "+customerID, err)
	}
	var all []billing.Method
	for n := range attached {
		m := translateMethod((*stripeMethod)(&attached[n]))
		m.CustomerID = customerID
		all = append(all, m)
	}
	return all, nil
}

// DetachMethod takes a payment method off its customer for good; Stripe also takes it out of every default it was. One
// that is attached to nobody any more is no error. Errors: fault.NotFound when there is no such method,
// fault.Unavailable.
func (c *Client) DetachMethod(ctx context.Context, method, key string) error {
	err := harmless(key, func(key string) error {
		_, err := paymentmethod.Client{B: c.backend, Key: c.key}.Detach(method, &stripe.PaymentMethodDetachParams{Params: ordering(ctx, key)})
		return err
	})
	var e *stripe.Error
	if errors.As(err, &e) && e.HTTPStatusCode == http.StatusBadRequest && e.Code != stripe.ErrorCodeResourceMissing {
		attached, readErr := c.attached(ctx, method)
		if readErr != nil || !attached {
			return readErr
		}
	}
	return failed("detach "+method, err)
}

func (c *Client) attached(ctx context.Context, method string) (bool, error) {
	m, err := paymentmethod.Client{B: c.backend, Key: c.key}.Get(method, &stripe.PaymentMethodParams{Params: reading(ctx)})
	err = failed("read payment method "+method, err)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil && m.Customer != nil, err
}
