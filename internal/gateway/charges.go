package gateway

import (
	"cmp"
	"context"

	"github.com/stripe/stripe-go/v76"

	"sollecito/internal/billing"
)

// Charges reads every charge of a customer's made since then (unix seconds), the declined ones too, as the tries they
// stand for, the newest first. Stripe does not say who asked for a charge: one that the customer's bank was asked about
// is the customer's, the others are its own. Errors: fault.NotFound, fault.Unavailable.
func (c *Client) Charges(ctx context.Context, customerID string, since int64) ([]billing.Attempt, error) {
	which := query{}.with("customer", customerID).number("created[gte]", since)
	charges, err := everything(ctx, c, "/v1/charges", which, func(ch plainCharge) string { return ch.ID })
	if err != nil {
		return nil, failed("list charges of "+customerID, err)
	}
	var all []billing.Attempt
	for n := range charges {
		ch := (*stripeCharge)(&charges[n])
		if ch.Invoice == nil || ch.Customer == nil || ch.Customer.ID != customerID {
			continue // not for an invoice of theirs: nothing of ours
		}
		all = append(all, translateCharge(ch, customerID))
	}
	return all, nil
}

func translateCharge(ch *stripeCharge, customerID string) billing.Attempt {
	a := billing.Attempt{
		Kind: "charge", CustomerID: customerID, InvoiceID: ch.Invoice.ID, MethodID: ch.PaymentMethod, By: billing.ByStripe,
		Amount: billing.Money{Minor: ch.Amount, Currency: string(ch.Currency)}, Charge: ch.ID, StartedAt: ch.Created,
	}
	if ch.PaymentIntent != nil {
		a.Reference = ch.PaymentIntent.ID
	}
	a.Card = a.MethodID
	details := ch.PaymentMethodDetails
	if details != nil && details.Card != nil {
		a.Card = cmp.Or(details.Card.Fingerprint, a.MethodID)
		a.Network = cmp.Or(details.Card.Network, details.Card.Brand)
		if details.Card.ThreeDSecure != nil {
			a.By = billing.ByCustomer
		}
	}
	if details != nil && details.SEPADebit != nil {
		a.Card = cmp.Or(details.SEPADebit.Fingerprint, a.MethodID)
	}
	if details != nil && details.USBankAccount != nil {
		a.Card = cmp.Or(details.USBankAccount.Fingerprint, a.MethodID)
	}
	switch ch.Status {
	case stripe.ChargeStatusSucceeded:
		a.Status = billing.AttemptPaid
	case stripe.ChargeStatusPending:
		a.Status = billing.AttemptProcessing
	default:
		a.Status = billing.AttemptDeclined
		told := billing.Decline{Code: ch.FailureCode}
		if ch.Outcome != nil {
			told.DeclineCode = ch.Outcome.Reason
		}
		a.Decline = declined(told).with(ch.advised())
	}
	return a
}
