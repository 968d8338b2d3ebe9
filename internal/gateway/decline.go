package gateway

import (
	"encoding/json"

	"github.com/stripe/stripe-go/v76"

	"sollecito/internal/billing"
)

// advice is what newer answers of Stripe say about a decline and the library has no fields for. All of it may
// be missing, which is normal.
type advice struct {
	AdviceCode         loose `json:"advice_code"`
	NetworkAdviceCode  loose `json:"network_advice_code"`
	NetworkDeclineCode loose `json:"network_decline_code"`
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

// declineOf says why the last attempt on an invoice's own payment failed.
func declineOf(intent *stripeIntent) billing.Decline {
	if intent == nil {
		return billing.Decline{}
	}
	var charge *stripeCharge
	if known(intent.LatestCharge) && intent.LatestCharge.Status == stripe.ChargeStatusFailed {
		charge = intent.LatestCharge
	}
	e := intent.LastPaymentError
	if e == nil {
		if charge == nil {
			return billing.Decline{}
		}
		return reasoned(billing.Decline{Code: charge.FailureCode}, charge).with(charge.advised())
	}
	told := declined{Code: string(e.Code), DeclineCode: string(e.DeclineCode)}
	if charge == nil || (e.ChargeID != "" && e.ChargeID != charge.ID) {
		return told.with(e.advice)
	}
	return reasoned(billing.Decline(told), charge).with(e.advice.or(charge.advised()))
}

// advised is the advice that came with a charge's outcome.
func (c *stripeCharge) advised() advice {
	if c.Outcome == nil {
		return advice{}
	}
	return c.Outcome.advice
}

// declined is a billing.Decline that takes advice.
type declined billing.Decline

func (d declined) with(a advice) billing.Decline {
	d.AdviceCode, d.NetworkAdviceCode, d.NetworkDeclineCode = string(a.AdviceCode), string(a.NetworkAdviceCode), string(a.NetworkDeclineCode)
	return billing.Decline(d)
}

// reasoned prefers the outcome's reason where the decline code says nothing: a charge that Stripe itself held
// back (highest_risk_level, previously_declined_do_not_retry) carries no more than a generic decline.
func reasoned(d billing.Decline, charge *stripeCharge) declined {
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
