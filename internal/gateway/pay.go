package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/invoice"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
)

// PaymentStatus is how an order to pay ended.
type PaymentStatus string

const (
	Paid        PaymentStatus = "paid"         // this order settled the invoice
	Processing  PaymentStatus = "processing"   // a bank debit is under way and takes days
	Action      PaymentStatus = "action"       // the customer must approve at their bank; see Intent
	Declined    PaymentStatus = "declined"     // the charge failed; see Decline
	AlreadyPaid PaymentStatus = "already_paid" // the invoice was paid before this order
	Gone        PaymentStatus = "gone"         // the invoice is void, deleted or unknown: nothing to pay
	Refused     PaymentStatus = "refused"      // Stripe did not take the order, and the invoice, as it reads, does not tell why
)

// PayRequest orders one attempt on one invoice. Method "" lets Stripe take the one it would charge itself. Key
// is the idempotency key, at most 255 characters, written down by the caller before the call: the same key
// answers with the first call's end and charges nothing again.
type PayRequest struct {
	Invoice    string
	Method     string
	OffSession bool // the customer is not there to answer their bank
	Key        string
}

// Payment is how the order ended. Decline is set when it was declined; Code no_payment_method means there was
// nothing to charge. Intent is the invoice's own PaymentIntent where known.
type Payment struct {
	Status  PaymentStatus
	Decline billing.Decline
	Intent  string
	Charge  string // the charge this order made, "" when none is known
}

// Pay charges one open invoice, with its customer present unless told otherwise, so that their bank may ask them. The
// answer is what is known; the only error is fault.Unavailable, which says that it is not known whether money moved: ask
// again with the same key, or read the invoice.
func (c *Client) Pay(ctx context.Context, request PayRequest) (Payment, error) {
	params := &stripe.InvoicePayParams{Params: ordering(ctx, request.Key), OffSession: stripe.Bool(request.OffSession)}
	if request.Method != "" {
		params.PaymentMethod = stripe.String(request.Method)
	}
	params.AddExpand("payment_intent.latest_charge")
	answer, err := invoice.Client{B: c.backend, Key: c.key}.Pay(request.Invoice, params)
	if err == nil {
		i := &stripeInvoice{}
		err = json.Unmarshal(answer.LastResponse.RawJSON, i)
		if err == nil {
			err = c.complete(ctx, i)
		}
		if err != nil {
			return Payment{}, unsure("pay "+request.Invoice, err)
		}
		payment := paymentOf(i, Paid)
		charge := invoiceReading{invoice: i}.charge()
		if charge != nil && payment.Status != Gone && payment.Status != Action {
			payment.Charge = charge.ID
		}
		return payment, nil
	}
	var e *stripe.Error
	if !errors.As(err, &e) {
		return Payment{}, unsure("pay "+request.Invoice, err)
	}
	switch {
	case e.HTTPStatusCode == http.StatusPaymentRequired || e.Type == stripe.ErrorTypeCard,
		e.Code == stripe.ErrorCodeInvoicePaymentIntentRequiresAction:
		return c.refusedPayment(ctx, request.Invoice, e)
	case e.HTTPStatusCode == http.StatusBadRequest && e.Type != stripe.ErrorTypeIdempotency, e.HTTPStatusCode == http.StatusNotFound:
		return c.explainRefusal(ctx, request, e)
	}
	return Payment{}, unsure("pay "+request.Invoice, err)
}

// paymentOf reads the end of an order from the invoice. paid is the word for a settled one.
func paymentOf(i *stripeInvoice, paid PaymentStatus) Payment {
	var payment Payment
	if i.PaymentIntent != nil {
		payment.Intent = i.PaymentIntent.ID
	}
	switch i.Status {
	case stripe.InvoiceStatusPaid:
		payment.Status = paid
		return payment
	case stripe.InvoiceStatusVoid, stripe.InvoiceStatusDraft:
		payment.Status = Gone
		return payment
	}
	if i.Deleted {
		payment.Status = Gone
		return payment
	}
	if i.PaymentIntent == nil {
		payment.Status, payment.Decline = Declined, nothingToCharge
		return payment
	}
	switch i.PaymentIntent.Status {
	case stripe.PaymentIntentStatusProcessing, stripe.PaymentIntentStatusSucceeded, stripe.PaymentIntentStatusRequiresCapture:
		payment.Status = Processing
	case stripe.PaymentIntentStatusRequiresAction, stripe.PaymentIntentStatusRequiresConfirmation:
		payment.Status = Action
	default:
		payment.Status, payment.Decline = Declined, declineOf(i.PaymentIntent)
		if payment.Decline == (billing.Decline{}) {
			payment.Decline = nothingToCharge
		}
	}
	return payment
}

var nothingToCharge = billing.Decline{Code: "no_payment_method"}

// refusedPayment reads a 402: a decline, or a bank that wants to hear the customer.
func (c *Client) refusedPayment(ctx context.Context, invoiceID string, e *stripe.Error) (Payment, error) {
	payment := Payment{Status: Declined, Decline: declineOfError(e), Charge: e.ChargeID}
	if e.PaymentIntent != nil {
		payment.Intent = e.PaymentIntent.ID
	}
	waiting := e.PaymentIntent != nil && e.PaymentIntent.Status == stripe.PaymentIntentStatusRequiresAction
	if waiting || e.Code == stripe.ErrorCodeInvoicePaymentIntentRequiresAction || e.Code == stripe.ErrorCodePaymentIntentActionRequired {
		payment.Status, payment.Decline = Action, billing.Decline{}
	}
	if payment.Intent != "" {
		return payment, nil
	}
	i, err := c.settlement(ctx, invoiceID)
	if err != nil {
		return payment, nil // the order's end is known; only the name of its intent is not
	}
	if i.PaymentIntent != nil {
		payment.Intent = i.PaymentIntent.ID
	}
	return payment, nil
}

// explainRefusal finds out why an order was not taken. The invoice tells better than the error's sentence,
// which has no code for "already paid".
func (c *Client) explainRefusal(ctx context.Context, request PayRequest, refusal *stripe.Error) (Payment, error) {
	i, err := c.settlement(ctx, request.Invoice)
	if fault.Is(err, fault.NotFound) {
		return Payment{Status: Gone}, nil
	}
	if err != nil {
		return Payment{}, unsure("pay "+request.Invoice, err)
	}
	payment := paymentOf(i, AlreadyPaid)
	switch {
	case payment.Status == AlreadyPaid, payment.Status == Gone, payment.Status == Processing:
		return payment, nil
	case refusesMethod(refusal):
		return Payment{Status: Declined, Decline: nothingToCharge, Intent: payment.Intent}, nil
	case refusal.Type == stripe.ErrorTypeInvalidRequest:
		return Payment{Status: Refused, Decline: billing.Decline{Code: string(refusal.Code), DeclineCode: billing.CodeRefused}, Intent: payment.Intent}, nil
	}
	return Payment{}, unsure("pay "+request.Invoice, refusal)
}

// refusesMethod reports whether an order was not taken because there is no such method to charge: none on
// file, a detached one, somebody else's.
func refusesMethod(e *stripe.Error) bool {
	switch e.Code {
	case stripe.ErrorCodeResourceMissing, stripe.ErrorCodeMissing, stripe.ErrorCodePaymentMethodUnexpectedState,
		stripe.ErrorCodeInvoiceNoPaymentMethodTypes, stripe.ErrorCodePaymentIntentIncompatiblePaymentMethod:
		return true
	}
	return e.Param == "payment_method" || e.Param == "source"
}

func (c *Client) settlement(ctx context.Context, invoiceID string) (*stripeInvoice, error) {
	i, err := c.invoice(ctx, invoiceID, "payment_intent.latest_charge")
	if err != nil {
		return nil, failed("read invoice "+invoiceID, err)
	}
	return i, c.complete(ctx, i)
}

// Intent is an invoice's own payment, as the browser needs it. ClientSecret is for the customer's page alone
// and is never logged or stored. Status is Stripe's word.
type Intent struct {
	ID           string
	Status       string
	ClientSecret string
}

// Intent reads the invoice's own PaymentIntent. Errors: fault.NotFound when the invoice or its intent does not
// exist (a draft has none), fault.Unavailable.
func (c *Client) Intent(ctx context.Context, invoiceID string) (Intent, error) {
	i, err := c.settlement(ctx, invoiceID)
	if err != nil {
		return Intent{}, err
	}
	if i.PaymentIntent == nil {
		return Intent{}, fault.New(fault.NotFound, "The invoice %s has no payment of its own", invoiceID)
	}
	return Intent{ID: i.PaymentIntent.ID, Status: string(i.PaymentIntent.Status), ClientSecret: i.PaymentIntent.ClientSecret}, nil
}

// HostedPage answers the address of Stripe's own page for the invoice, fetched fresh because it expires.
// Errors: fault.NotFound when there is none (a draft), fault.Unavailable.
func (c *Client) HostedPage(ctx context.Context, invoiceID string) (string, error) {
	return c.address(ctx, invoiceID, func(i *stripeInvoice) string { return i.HostedInvoiceURL })
}

// InvoicePDF answers the address of the invoice's PDF, fetched fresh because it expires. Errors as HostedPage.
func (c *Client) InvoicePDF(ctx context.Context, invoiceID string) (string, error) {
	return c.address(ctx, invoiceID, func(i *stripeInvoice) string { return i.InvoicePDF })
}

func (c *Client) address(ctx context.Context, invoiceID string, of func(*stripeInvoice) string) (string, error) {
	i, err := c.invoice(ctx, invoiceID)
	if err != nil {
		return "", failed("read invoice "+invoiceID, err)
	}
	address := of(i)
	if !isPage(address) {
		return "", fault.New(fault.NotFound, "The invoice %s has no page at Stripe", invoiceID)
	}
	return address, nil
}

// isPage reports whether a browser may be sent to the address.
func isPage(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}
