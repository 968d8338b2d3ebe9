package gateway

import (
	"context"
	"errors"
	"net/http"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/customer"
	"github.com/stripe/stripe-go/v76/paymentmethod"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
)

// Methods reads every payment method that a customer has attached, the newest first, over all pages: Account names only
// those in use. Errors: fault.NotFound when the customer does not exist, fault.Unavailable.
func (c *Client) Methods(ctx context.Context, customerID string) ([]billing.Method, error) {
	params := &stripe.CustomerListPaymentMethodsParams{ListParams: listing(ctx), Customer: stripe.String(customerID)}
	var all []billing.Method
	pages := customer.Client{B: c.backend, Key: c.key}.ListPaymentMethods(params)
	for pages.Next() {
		m := translateMethod(pages.PaymentMethod())
		m.CustomerID = customerID
		all = append(all, m)
	}
	return all, failed("list payment methods of "+customerID, pages.Err())
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
