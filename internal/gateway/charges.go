package gateway

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/charge"

	"sollecito/internal/billing"
)

// Charges reads every charge of a customer's made since then (unix seconds), the declined ones too, as the tries they
// stand for, the newest first. Stripe does not say who asked for a charge: one that the customer's bank was asked about
// is the customer's, the others are its own. Errors: fault.NotFound, fault.Unavailable.
func (c *Client) Charges(ctx context.Context, customerID string, since int64) ([]billing.Attempt, error) {
	params := &stripe.ChargeListParams{
		ListParams: listing(ctx), Customer: stripe.String(customerID), CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: since},
	}
	var all []billing.Attempt
	var page *stripe.ChargeList
	var said map[string]advice
	pages := charge.Client{B: c.backend, Key: c.key}.List(params)
	for pages.Next() {
		if pages.ChargeList() != page {
			page = pages.ChargeList()
			said = spokenOfCharges(page.LastResponse.RawJSON)
		}
		ch := pages.Charge()
		if ch.Invoice == nil || ch.Customer == nil || ch.Customer.ID != customerID {
			continue // not for an invoice of theirs: nothing of ours
		}
		all = append(all, translateCharge(ch, said[ch.ID], customerID))
	}
	return all, failed("list charges of "+customerID, pages.Err())
}

func translateCharge(ch *stripe.Charge, said advice, customerID string) billing.Attempt {
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
		a.Network = cmp.Or(string(details.Card.Network), string(details.Card.Brand))
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
		a.Decline = declined(told).with(said)
	}
	return a
}

// spokenOfCharges is the advice in a page of charges, by charge.
func spokenOfCharges(raw []byte) map[string]advice {
	var page struct {
		Data []struct {
			ID      string          `json:"id"`
			Outcome json.RawMessage `json:"outcome"`
		} `json:"data"`
	}
	lenient(raw, &page)
	said := make(map[string]advice, len(page.Data))
	for _, ch := range page.Data {
		var a advice
		lenient(ch.Outcome, &a)
		said[ch.ID] = a
	}
	return said
}
