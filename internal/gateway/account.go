package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/charge"
	"github.com/stripe/stripe-go/v76/checkout/session"
	"github.com/stripe/stripe-go/v76/creditnote"
	"github.com/stripe/stripe-go/v76/dispute"
	"github.com/stripe/stripe-go/v76/invoice"
	"github.com/stripe/stripe-go/v76/invoiceitem"
	"github.com/stripe/stripe-go/v76/mandate"
	"github.com/stripe/stripe-go/v76/paymentintent"
	"github.com/stripe/stripe-go/v76/paymentmethod"
	"github.com/stripe/stripe-go/v76/refund"
	"github.com/stripe/stripe-go/v76/setupintent"
	"github.com/stripe/stripe-go/v76/subscription"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
)

// Account reads one customer as a whole: the customer, all their subscriptions, every open invoice over all
// pages, and the payment methods these name. A deleted customer answers as Customer{Deleted: true} with the id
// alone. A page that fails fails the whole reading, so that a short list never passes for a paid one. Errors:
// fault.NotFound, fault.Unavailable.
func (c *Client) Account(ctx context.Context, customerID string) (billing.Account, error) {
	doing := "read customer " + customerID
	holder, err := c.holder(ctx, customerID)
	if err != nil {
		return billing.Account{}, err
	}
	now := c.now().Unix()
	if holder.Deleted {
		return billing.Account{Customer: billing.Customer{ID: holder.ID, Deleted: true, SyncedAt: now}}, nil
	}
	subscriptions, err := c.subscriptions(ctx, customerID)
	if err != nil {
		return billing.Account{}, fmt.Errorf("%s: %w", doing, err)
	}
	invoices, err := c.openInvoices(ctx, customerID)
	if err != nil {
		return billing.Account{}, fmt.Errorf("%s: %w", doing, err)
	}

	var found methods
	found.ofCustomer(holder)
	account := billing.Account{Customer: translateCustomer(holder, now)}
	byID := make(map[string]*stripeSubscription, len(subscriptions))
	for n := range subscriptions {
		s := (*stripeSubscription)(&subscriptions[n])
		found.ofSubscription(s)
		byID[s.ID] = s
		names, err := c.productsOf(ctx, s)
		if err != nil {
			return billing.Account{}, fmt.Errorf("%s: %w", doing, err)
		}
		account.Subscriptions = append(account.Subscriptions, translateSubscription(s, holder, names))
	}
	for n := range invoices {
		i := &invoices[n]
		found.ofInvoice(i)
		reading := invoiceReading{invoice: i, subscription: i.Subscription, customer: holder, now: now}
		if i.Subscription != nil && byID[i.Subscription.ID] != nil {
			reading.subscription = byID[i.Subscription.ID]
		}
		account.Invoices = append(account.Invoices, reading.translate())
	}
	account.Methods = found.list(customerID)
	return account, nil
}

func (c *Client) holder(ctx context.Context, customerID string) (*stripeCustomer, error) {
	var holder stripeCustomer
	err := c.ask(ctx, stripe.FormatURLPath("/v1/customers/%s", customerID), expanding("invoice_settings.default_payment_method", "default_source"), (*plainCustomer)(&holder))
	return &holder, failed("read customer "+customerID, err)
}

// Invoice reads one invoice of any status and the payment methods it names. Errors: fault.NotFound,
// fault.Unavailable.
func (c *Client) Invoice(ctx context.Context, invoiceID string) (billing.Invoice, []billing.Method, error) {
	i, err := c.invoice(ctx, invoiceID, "payment_intent.payment_method", "payment_intent.latest_charge.refunds", "charge.refunds", "default_payment_method",
		"default_source", "subscription.default_payment_method", "subscription.default_source",
		"customer.invoice_settings.default_payment_method", "customer.default_source")
	if err != nil {
		return billing.Invoice{}, nil, failed("read invoice "+invoiceID, err)
	}
	if i.Deleted {
		return billing.Invoice{}, nil, fault.New(fault.NotFound, "The invoice %s was deleted", invoiceID)
	}
	err = c.complete(ctx, i)
	if err != nil {
		return billing.Invoice{}, nil, err
	}
	var found methods
	found.ofInvoice(i)
	found.ofSubscription(i.Subscription)
	found.ofCustomer(i.Customer)
	reading := invoiceReading{invoice: i, subscription: i.Subscription, customer: i.Customer, now: c.now().Unix()}
	translated := reading.translate()
	return translated, found.list(translated.CustomerID), nil
}

// invoice reads one with what is to come along in full.
func (c *Client) invoice(ctx context.Context, id string, expand ...string) (*stripeInvoice, error) {
	var i stripeInvoice
	err := c.ask(ctx, stripe.FormatURLPath("/v1/invoices/%s", id), expanding(expand...), &i)
	return &i, err
}

// subscriptions reads all subscriptions of a customer, ended ones too: a stored one must learn of its end.
func (c *Client) subscriptions(ctx context.Context, customerID string) ([]plainSubscription, error) {
	which := expanding("data.default_payment_method", "data.default_source").with("customer", customerID).with("status", "all")
	all, err := everything(ctx, c, "/v1/subscriptions", which, func(s plainSubscription) string { return s.ID })
	return all, failed("list subscriptions", err)
}

func (c *Client) openInvoices(ctx context.Context, customerID string) ([]stripeInvoice, error) {
	which := expanding("data.payment_intent.payment_method", "data.payment_intent.latest_charge", "data.charge",
		"data.default_payment_method", "data.default_source").with("customer", customerID).with("status", "open")
	all, err := everything(ctx, c, "/v1/invoices", which, func(i stripeInvoice) string { return i.ID })
	if err != nil {
		return nil, failed("list open invoices", err)
	}
	for n := range all {
		err = c.complete(ctx, &all[n])
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// CustomerOf asks Stripe whose an object is, for events whose object names its customer only through another
// (a dispute through its charge). objectType is Stripe's "object" word. The answer is "" when the object is
// nobody's, or of a type that has no customer. Errors: fault.NotFound, fault.Unavailable, which is ErrPermission too where the
// key may not read it.
func (c *Client) CustomerOf(ctx context.Context, objectType, objectID string) (string, error) {
	owner, err := c.owner(ctx, objectType, objectID)
	if err != nil {
		return "", refused(fmt.Sprintf("read whose the %s %s is", objectType, objectID), err)
	}
	if owner == nil {
		return "", nil
	}
	return owner.ID, nil
}

// InvoiceOf asks Stripe which invoice an object is about that moves money after it was paid: a charge, a refund or a
// credit note. The answer is "" for one of no invoice, for any other type, and for a key that may not read it. Errors:
// fault.NotFound, fault.Unavailable.
func (c *Client) InvoiceOf(ctx context.Context, objectType, objectID string) (string, error) {
	about, err := c.about(ctx, objectType, objectID)
	var e *stripe.Error
	if errors.As(err, &e) && e.HTTPStatusCode == http.StatusForbidden {
		return "", nil
	}
	if err != nil {
		return "", failed(fmt.Sprintf("read which invoice the %s %s is about", objectType, objectID), err)
	}
	if about == nil {
		return "", nil
	}
	return about.ID, nil
}

func (c *Client) about(ctx context.Context, objectType, id string) (*stripe.Invoice, error) {
	switch objectType {
	case "charge":
		o, err := charge.Client{B: c.backend, Key: c.key}.Get(id, &stripe.ChargeParams{Params: reading(ctx)})
		if err != nil {
			return nil, err
		}
		return o.Invoice, nil
	case "refund":
		params := &stripe.RefundParams{Params: reading(ctx)}
		params.AddExpand("charge")
		o, err := refund.Client{B: c.backend, Key: c.key}.Get(id, params)
		if err != nil || o.Charge == nil {
			return nil, err
		}
		if o.Charge.Object == "" {
			return c.about(ctx, "charge", o.Charge.ID)
		}
		return o.Charge.Invoice, nil
	case "credit_note":
		o, err := creditnote.Client{B: c.backend, Key: c.key}.Get(id, &stripe.CreditNoteParams{Params: reading(ctx)})
		if err != nil {
			return nil, err
		}
		return o.Invoice, nil
	}
	return nil, nil
}

// owner asks for whatever stands between an object and its customer by itself where it did not come along.
func (c *Client) owner(ctx context.Context, objectType, id string) (*stripe.Customer, error) {
	plain := reading(ctx)
	switch objectType {
	case "customer":
		return &stripe.Customer{ID: id}, nil
	case "charge":
		o, err := charge.Client{B: c.backend, Key: c.key}.Get(id, &stripe.ChargeParams{Params: plain})
		return pick(o, err, func() *stripe.Customer { return o.Customer })
	case "dispute":
		params := &stripe.DisputeParams{Params: plain}
		params.AddExpand("charge")
		o, err := dispute.Client{B: c.backend, Key: c.key}.Get(id, params)
		if err == nil && o.Charge != nil && o.Charge.Object == "" {
			return c.owner(ctx, "charge", o.Charge.ID)
		}
		return pick(o, err, func() *stripe.Customer { return ofCharge(o.Charge) })
	case "refund":
		params := &stripe.RefundParams{Params: plain}
		params.AddExpand("charge")
		o, err := refund.Client{B: c.backend, Key: c.key}.Get(id, params)
		if err == nil && o.Charge != nil && o.Charge.Object == "" {
			return c.owner(ctx, "charge", o.Charge.ID)
		}
		return pick(o, err, func() *stripe.Customer { return ofCharge(o.Charge) })
	case "mandate":
		params := &stripe.MandateParams{Params: plain}
		params.AddExpand("payment_method")
		o, err := mandate.Client{B: c.backend, Key: c.key}.Get(id, params)
		if err == nil && o.PaymentMethod != nil && o.PaymentMethod.Object == "" {
			return c.owner(ctx, "payment_method", o.PaymentMethod.ID)
		}
		return pick(o, err, func() *stripe.Customer { return ofMethod(o.PaymentMethod) })
	case "payment_method":
		o, err := paymentmethod.Client{B: c.backend, Key: c.key}.Get(id, &stripe.PaymentMethodParams{Params: plain})
		return pick(o, err, func() *stripe.Customer { return o.Customer })
	case "payment_intent":
		o, err := paymentintent.Client{B: c.backend, Key: c.key}.Get(id, &stripe.PaymentIntentParams{Params: plain})
		return pick(o, err, func() *stripe.Customer { return o.Customer })
	case "setup_intent":
		o, err := setupintent.Client{B: c.backend, Key: c.key}.Get(id, &stripe.SetupIntentParams{Params: plain})
		return pick(o, err, func() *stripe.Customer { return o.Customer })
	case "invoice":
		o, err := invoice.Client{B: c.backend, Key: c.key}.Get(id, &stripe.InvoiceParams{Params: plain})
		return pick(o, err, func() *stripe.Customer { return o.Customer })
	case "invoiceitem":
		o, err := invoiceitem.Client{B: c.backend, Key: c.key}.Get(id, &stripe.InvoiceItemParams{Params: plain})
		return pick(o, err, func() *stripe.Customer { return o.Customer })
	case "subscription":
		o, err := subscription.Client{B: c.backend, Key: c.key}.Get(id, &stripe.SubscriptionParams{Params: plain})
		return pick(o, err, func() *stripe.Customer { return o.Customer })
	case "credit_note":
		o, err := creditnote.Client{B: c.backend, Key: c.key}.Get(id, &stripe.CreditNoteParams{Params: plain})
		return pick(o, err, func() *stripe.Customer { return o.Customer })
	case "checkout.session":
		o, err := session.Client{B: c.backend, Key: c.key}.Get(id, &stripe.CheckoutSessionParams{Params: plain})
		return pick(o, err, func() *stripe.Customer { return o.Customer })
	}
	return nil, nil
}

// pick looks into an object only when it was read without an error.
func pick[T any](_ T, err error, owner func() *stripe.Customer) (*stripe.Customer, error) {
	if err != nil {
		return nil, err
	}
	return owner(), nil
}

func ofCharge(c *stripe.Charge) *stripe.Customer {
	if c == nil {
		return nil
	}
	return c.Customer
}

func ofMethod(m *stripe.PaymentMethod) *stripe.Customer {
	if m == nil {
		return nil
	}
	return m.Customer
}
