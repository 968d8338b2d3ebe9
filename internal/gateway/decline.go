package gateway

import (
	"encoding/json"

	"github.com/stripe/stripe-go/v76"

	"sollecito/internal/billing"
)

// advice is what newer answers of Stripe say about a decline and the library has no fields for. All of it may
// be missing, which is normal.
type advice struct {
	AdviceCode         string `json:"advice_code"`
	NetworkAdviceCode  string `json:"network_advice_code"`
	NetworkDeclineCode string `json:"network_decline_code"`
}

// or answers the first that says anything, field by field.
func (a advice) or(b advice) advice {
	if a.AdviceCode == "" {
		a.AdviceCode = b.AdviceCode
	}
	if a.NetworkAdviceCode == "" {
		a.NetworkAdviceCode = b.NetworkAdviceCode
	}
	if a.NetworkDeclineCode == "" {
		a.NetworkDeclineCode = b.NetworkDeclineCode
	}
	return a
}

// spoken is what one invoice's own JSON says and the library has no fields for: the advice of its last payment error and
// of its latest charge's outcome, and the ids of its payment and subscription where newer versions of the API name them;
// and what it does not say and the library fills in all the same.
type spoken struct {
	failure      advice
	outcome      advice
	intent       string
	subscription string
	silent       bool // whether Stripe has tried to charge it is not said
}

// rawInvoice is the part of an invoice's own JSON where that stands. Fields that are an id where we hoped
// for an object simply stay empty.
type rawInvoice struct {
	ID            string          `json:"id"`
	PaymentIntent json.RawMessage `json:"payment_intent"`
	Payments      json.RawMessage `json:"payments"` // since 2025-03-31, as is parent
	Parent        json.RawMessage `json:"parent"`
	Attempted     *bool           `json:"attempted"`
}

func (r rawInvoice) spoken() spoken {
	s := spokenOfIntent(r.PaymentIntent)
	s.intent, s.subscription, s.silent = r.newerIntent(), r.newerSubscription(), r.Attempted == nil
	return s
}

// spokenOfIntent is the advice that a payment's own JSON holds.
func spokenOfIntent(raw []byte) spoken {
	var intent struct {
		LastPaymentError json.RawMessage `json:"last_payment_error"`
		LatestCharge     json.RawMessage `json:"latest_charge"`
	}
	var charge struct {
		Outcome json.RawMessage `json:"outcome"`
	}
	var s spoken
	lenient(raw, &intent)
	lenient(intent.LastPaymentError, &s.failure)
	lenient(intent.LatestCharge, &charge)
	lenient(charge.Outcome, &s.outcome)
	return s
}

// lenient reads what can be read: these fields are no part of the version we asked for, and their absence or
// another shape must not spoil a reading that is otherwise sound.
func lenient(raw []byte, into any) {
	if len(raw) == 0 {
		return
	}
	err := json.Unmarshal(raw, into)
	if err != nil {
		return
	}
}

func spokenOfInvoice(raw []byte) spoken {
	var i rawInvoice
	lenient(raw, &i)
	return i.spoken()
}

func spokenOfPage(raw []byte) map[string]spoken {
	var page struct {
		Data []rawInvoice `json:"data"`
	}
	lenient(raw, &page)
	said := make(map[string]spoken, len(page.Data))
	for _, i := range page.Data {
		said[i.ID] = i.spoken()
	}
	return said
}

// decline says why the last attempt on an invoice's own payment failed.
func (s spoken) decline(intent *stripe.PaymentIntent) billing.Decline {
	if intent == nil {
		return billing.Decline{}
	}
	var charge *stripe.Charge
	if known(intent.LatestCharge) && intent.LatestCharge.Status == stripe.ChargeStatusFailed {
		charge = intent.LatestCharge
	}
	e := intent.LastPaymentError
	if e == nil {
		if charge == nil {
			return billing.Decline{}
		}
		return reasoned(billing.Decline{Code: charge.FailureCode}, charge).with(s.outcome)
	}
	told := declined{Code: string(e.Code), DeclineCode: string(e.DeclineCode)}
	if charge == nil || (e.ChargeID != "" && e.ChargeID != charge.ID) {
		return told.with(s.failure)
	}
	return reasoned(billing.Decline(told), charge).with(s.failure.or(s.outcome))
}

// declined is a billing.Decline that takes advice.
type declined billing.Decline

func (d declined) with(a advice) billing.Decline {
	d.AdviceCode, d.NetworkAdviceCode, d.NetworkDeclineCode = a.AdviceCode, a.NetworkAdviceCode, a.NetworkDeclineCode
	return billing.Decline(d)
}

// reasoned prefers the outcome's reason where the decline code says nothing: a charge that Stripe itself held
// back (highest_risk_level, previously_declined_do_not_retry) carries no more than a generic decline.
func reasoned(d billing.Decline, charge *stripe.Charge) declined {
	vague := (d.Code == "" || d.Code == string(stripe.ErrorCodeCardDeclined)) &&
		(d.DeclineCode == "" || d.DeclineCode == string(stripe.DeclineCodeGenericDecline))
	if vague && charge.Outcome != nil && charge.Outcome.Reason != "" {
		d.DeclineCode = charge.Outcome.Reason
	}
	return declined(d)
}

// declineOfError says why an order was answered with a decline.
func declineOfError(e *stripe.Error) billing.Decline {
	told := declined{Code: string(e.Code), DeclineCode: string(e.DeclineCode)}
	var body struct {
		Error advice `json:"error"`
	}
	if e.LastResponse != nil {
		lenient(e.LastResponse.RawJSON, &body)
	}
	return told.with(body.Error)
}
