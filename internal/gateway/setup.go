package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/customer"
	"github.com/stripe/stripe-go/v76/setupintent"
	"github.com/stripe/stripe-go/v76/subscription"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
)

// SetupRequest orders that a customer may add a way to pay. Metadata is kept at Stripe and comes back with
// Setup, so that the caller knows what it was for. Key is the idempotency key.
type SetupRequest struct {
	Customer string
	Metadata map[string]string
	Key      string
	Types    []string // Stripe's types of payment method it may be; empty lets Stripe choose among the account's
	// Once is for one payment with its owner there. A bank debit is kept all the same until its bank has answered; an account
	// at a bank in the United States is proven at once, by signing in there, or not taken: small deposits would take days.
	Once bool
}

// Setup is the adding of one payment method. Status is Stripe's word: succeeded means that the method is
// attached, processing that a bank still confirms, requires_payment_method that it failed (see Decline).
// ClientSecret is set by StartSetup alone; it is for the customer's page and never logged or stored.
type Setup struct {
	ID           string
	ClientSecret string
	Status       string
	Customer     string
	Method       billing.Method
	Mandate      string // of a bank debit, "" for others
	Metadata     map[string]string
	Decline      billing.Decline
	VerifyURL    string // Stripe's page for what small deposits to a bank account came to, "" when none are on their way
}

// StartSetup begins the adding of a payment method that may later be charged without the customer, unless it is for
// once. Errors:
// fault.NotFound when the customer does not exist, fault.Unavailable.
func (c *Client) StartSetup(ctx context.Context, request SetupRequest) (Setup, error) {
	params := &stripe.SetupIntentParams{
		Params:                  ordering(ctx, request.Key),
		Customer:                stripe.String(request.Customer),
		Usage:                   stripe.String(string(stripe.SetupIntentUsageOffSession)),
		AutomaticPaymentMethods: &stripe.SetupIntentAutomaticPaymentMethodsParams{Enabled: stripe.Bool(true)},
		Metadata:                request.Metadata,
	}
	if len(request.Types) > 0 {
		params.AutomaticPaymentMethods, params.PaymentMethodTypes = nil, stripe.StringSlice(request.Types)
	}
	if request.Once && len(request.Types) == 1 && request.Types[0] == "card" { // Stripe keeps a debit off-session or not at all
		params.Usage = stripe.String(string(stripe.SetupIntentUsageOnSession))
	}
	if request.Once && slices.Contains(request.Types, "us_bank_account") {
		params.PaymentMethodOptions = &stripe.SetupIntentPaymentMethodOptionsParams{
			USBankAccount: &stripe.SetupIntentPaymentMethodOptionsUSBankAccountParams{
				VerificationMethod: stripe.String(string(stripe.SetupIntentPaymentMethodOptionsUSBankAccountVerificationMethodInstant)),
			},
		}
	}
	intent, err := setupintent.Client{B: c.backend, Key: c.key}.New(params)
	if err != nil {
		return Setup{}, failed("start a setup for "+request.Customer, err)
	}
	setup := translateSetup(intent)
	setup.ClientSecret = intent.ClientSecret
	return setup, nil
}

// Setup reads how the adding of a payment method stands. Its ClientSecret is left out. Errors: fault.NotFound,
// fault.Unavailable.
func (c *Client) Setup(ctx context.Context, id string) (Setup, error) {
	params := &stripe.SetupIntentParams{Params: reading(ctx)}
	params.AddExpand("payment_method")
	params.AddExpand("latest_attempt")
	intent, err := setupintent.Client{B: c.backend, Key: c.key}.Get(id, params)
	if err != nil {
		return Setup{}, failed("read setup "+id, err)
	}
	return translateSetup(intent), nil
}

// CancelSetup ends the adding of a payment method: what was handed to a browser for it confirms nothing any more. One that
// succeeded or was canceled before stays as it is and is no error. key is the idempotency key. Errors: fault.NotFound,
// fault.Unavailable.
func (c *Client) CancelSetup(ctx context.Context, id, key string) error {
	_, err := setupintent.Client{B: c.backend, Key: c.key}.Cancel(id, &stripe.SetupIntentCancelParams{
		Params: ordering(ctx, key), CancellationReason: stripe.String(string(stripe.SetupIntentCancellationReasonAbandoned)),
	})
	var e *stripe.Error
	if errors.As(err, &e) && e.Code == stripe.ErrorCodeSetupIntentUnexpectedState {
		return nil
	}
	return failed("cancel setup "+id, err)
}

func translateSetup(intent *stripe.SetupIntent) Setup {
	var said struct {
		PaymentMethod  *stripeMethod `json:"payment_method"`
		LastSetupError advice        `json:"last_setup_error"`
	}
	lenient(intent.LastResponse.RawJSON, &said)
	setup := Setup{
		ID: intent.ID, Status: string(intent.Status), Method: translateMethod(said.PaymentMethod), Metadata: intent.Metadata,
	}
	debit := becameDebit(intent.LatestAttempt)
	if debit.ID != "" {
		setup.Method = debit
	}
	if intent.Mandate != nil {
		setup.Mandate = intent.Mandate.ID
	}
	if next := intent.NextAction; next != nil && next.VerifyWithMicrodeposits != nil && isPage(next.VerifyWithMicrodeposits.HostedVerificationURL) {
		setup.VerifyURL = next.VerifyWithMicrodeposits.HostedVerificationURL
	}
	if intent.Customer != nil {
		setup.Customer = intent.Customer.ID
		if setup.Method.ID != "" {
			setup.Method.CustomerID = intent.Customer.ID
		}
	}
	if e := intent.LastSetupError; e != nil {
		setup.Decline = declined{Code: string(e.Code), DeclineCode: string(e.DeclineCode)}.with(said.LastSetupError)
	}
	return setup
}

// becameDebit is the bank debit that a bank's own way to pay became: iDEAL, Bancontact and Sofort ask their customer
// once, and what can be charged from then on is a SEPA debit of the same account
// (docs.stripe.com/payments/ideal/set-up-payment).
func becameDebit(attempt *stripe.SetupAttempt) billing.Method {
	if attempt == nil || attempt.PaymentMethodDetails == nil || attempt.Status != stripe.SetupAttemptStatusSucceeded {
		return billing.Method{}
	}
	method := billing.Method{Type: "sepa_debit"}
	var made *stripe.PaymentMethod
	details := attempt.PaymentMethodDetails
	switch {
	case details.IDEAL != nil:
		made, method.Last4 = details.IDEAL.GeneratedSEPADebit, details.IDEAL.IBANLast4
	case details.Bancontact != nil:
		made, method.Last4 = details.Bancontact.GeneratedSEPADebit, details.Bancontact.IBANLast4
	case details.Sofort != nil:
		made, method.Last4 = details.Sofort.GeneratedSEPADebit, details.Sofort.IBANLast4
	}
	if made == nil {
		return billing.Method{}
	}
	method.ID = made.ID
	return method
}

// UseRequest orders that a method becomes the customer's default and that of the named subscriptions, those
// whose own default says otherwise: Stripe charges a subscription's own default before the customer's. Key is
// the idempotency key that the calls' own keys are made from.
type UseRequest struct {
	Customer      string
	Method        string
	Subscriptions []string
	Key           string

	OnlySubscriptions bool // leaves the customer's own default as it is
}

// UseMethod sets the defaults; it charges nothing. Every call is made even when one before it failed, and
// asking again with the same key is harmless. A subscription that has ended meanwhile needs no method and is
// no error. Errors: fault.NotFound when customer or method does not exist, fault.Unavailable, and ErrPlanRefuses where nothing
// else is amiss than that a living subscription does not take the method.
func (c *Client) UseMethod(ctx context.Context, request UseRequest) error {
	var err error
	if !request.OnlySubscriptions {
		err = harmless(request.Key+"-customer", func(key string) error {
			_, err := customer.Client{B: c.backend, Key: c.key}.Update(request.Customer, &stripe.CustomerParams{
				Params:          ordering(ctx, key),
				InvoiceSettings: &stripe.CustomerInvoiceSettingsParams{DefaultPaymentMethod: stripe.String(request.Method)},
			})
			return err
		})
	}
	failures := []error{failed("make "+request.Method+" the default of "+request.Customer, err)}
	if fault.Is(failures[0], fault.NotFound) {
		return failures[0]
	}
	for _, id := range request.Subscriptions {
		err := c.useForSubscription(ctx, id, request.Method, request.Key+"-"+id)
		if err != nil && !fault.Is(err, fault.NotFound) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// ErrPlanRefuses says that a living subscription does not take a method for its own: of a type it is not to be paid by, or led
// by something that does not let it be changed.
var ErrPlanRefuses = errors.New("the subscription does not take it")

// useForSubscription makes a method a subscription's own default. One that has ended refuses that with a 400 of no code of its
// own, which says as much as that there is none: fault.NotFound.
func (c *Client) useForSubscription(ctx context.Context, id, method, key string) error {
	subscriptions := subscription.Client{B: c.backend, Key: c.key}
	err := harmless(key, func(key string) error {
		_, err := subscriptions.Update(id, &stripe.SubscriptionParams{Params: ordering(ctx, key), DefaultPaymentMethod: stripe.String(method)})
		return err
	})
	var e *stripe.Error
	if errors.As(err, &e) && e.HTTPStatusCode == http.StatusBadRequest && e.Type == stripe.ErrorTypeInvalidRequest {
		s, readErr := subscriptions.Get(id, &stripe.SubscriptionParams{Params: reading(ctx)})
		switch {
		case readErr != nil: // whether it refuses for good is to be asked again
			return failed("read why "+id+" does not take "+method, readErr)
		case s.Status == stripe.SubscriptionStatusCanceled || s.Status == stripe.SubscriptionStatusIncompleteExpired:
			return fault.Wrap(fault.NotFound, failed("make "+method+" the default of "+id, err), "It has ended already")
		}
		return fmt.Errorf("%w: %w", ErrPlanRefuses, failed("make "+method+" the default of "+id, err))
	}
	return failed(fmt.Sprintf("make %s the default of %s", method, id), err)
}
