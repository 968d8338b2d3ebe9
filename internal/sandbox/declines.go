package sandbox

import (
	"net/http"
	"slices"
)

// declineCodes are the issuers' reasons that Stripe publishes (the constants of stripe-go v76, and those of its list
// of decline codes): https://stripe.com/docs/declines/codes.
var declineCodes = []string{
	"approve_with_id", "authentication_required", "authentication_not_handled", "call_issuer", "card_not_supported",
	"card_velocity_exceeded", "currency_not_supported", "do_not_honor", "do_not_try_again", "duplicate_transaction",
	"expired_card", "fraudulent", "generic_decline", "highest_risk_level", "incorrect_address", "incorrect_cvc",
	"incorrect_number", "incorrect_pin", "incorrect_zip", "insufficient_funds", "invalid_account", "invalid_amount",
	"invalid_cvc", "invalid_expiry_month", "invalid_expiry_year", "invalid_number", "invalid_pin",
	"issuer_not_available", "live_mode_test_card", "lost_card", "merchant_blacklist", "mobile_device_authentication_required",
	"new_account_information_available", "no_action_taken", "not_permitted", "offline_pin_required",
	"online_or_offline_pin_required", "partial_authorization_not_available", "pickup_card", "pin_try_exceeded",
	"previously_declined_do_not_retry", "processing_error", "reenter_transaction", "restricted_card",
	"revocation_of_all_authorizations", "revocation_of_authorization", "security_violation", "service_not_allowed",
	"stolen_card", "stop_payment_order", "test_mode_decline", "testmode_decline", "test_mode_live_card",
	"transaction_not_allowed", "try_again_later", "withdrawal_count_limit_exceeded", "blocklist",
}

// neverRetried are the nine reasons after which Stripe's schedule does not try the same method again:
// https://stripe.com/docs/billing/revenue-recovery/smart-retries#non-retryable-decline-codes.
var neverRetried = []string{
	"incorrect_number", "lost_card", "pickup_card", "stolen_card", "revocation_of_authorization",
	"revocation_of_all_authorizations", "authentication_required", "highest_risk_level", "transaction_not_allowed",
}

// decline is one refusal of an issuer, or of Stripe on its behalf.
type decline struct {
	Code, DeclineCode, Message string
	// As on the charge's outcome.
	NetworkStatus, Type, Reason, Seller string
}

// ownCodes are the reasons that have an error code of their own; the others are "card_declined".
var ownCodes = []string{
	"expired_card", "incorrect_cvc", "incorrect_number", "incorrect_zip", "processing_error", "invalid_cvc",
	"invalid_expiry_month", "invalid_expiry_year", "invalid_number", "authentication_required", "incorrect_address",
}

// messages are Stripe's sentences for the person at the card; every other reason has the plain one.
var declineMessages = map[string]string{
	"insufficient_funds":      "Your card has insufficient funds.",
	"expired_card":            "Your card has expired.",
	"incorrect_cvc":           "Your card's security code is incorrect.",
	"invalid_cvc":             "Your card's security code is invalid.",
	"incorrect_number":        "Your card number is incorrect.",
	"invalid_number":          "Your card number is invalid.",
	"incorrect_zip":           "The zip code you supplied failed validation.",
	"invalid_expiry_month":    "Your card's expiration month is invalid.",
	"invalid_expiry_year":     "Your card's expiration year is invalid.",
	"processing_error":        "An error occurred while processing your card. Try again in a little bit.",
	"card_velocity_exceeded":  "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
	"card_not_supported":      "Your card does not support this type of purchase.",
	"currency_not_supported":  "Your card does not support this currency.",
	"authentication_required": "Your card was declined. This transaction requires authentication.",
	"do_not_honor":            "Your card was declined. You can call your bank for details.",
	"test_mode_live_card":     "Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of valid test cards, visit: https://stripe.com/docs/testing.",
}

func declineFor(code string) decline {
	d := decline{
		Code: "card_declined", DeclineCode: code, Message: declineMessages[code],
		NetworkStatus: "declined_by_network", Type: "issuer_declined", Reason: code,
		Seller: "The bank returned the decline code `" + code + "`.",
	}
	if slices.Contains(ownCodes, code) {
		d.Code = code
	}
	if d.Message == "" {
		d.Message = "Your card was declined."
	}
	switch code {
	case "generic_decline":
		d.Seller = "The bank did not return any further details with this decline."
	case "highest_risk_level", "fraudulent", "merchant_blacklist", "blocklist":
		d.NetworkStatus, d.Type = "not_sent_to_network", "blocked"
		d.Seller = "Stripe blocked this payment as too risky."
		if code == "fraudulent" {
			d.Reason = "highest_risk_level"
		}
	case "previously_declined_do_not_retry":
		d.NetworkStatus, d.Type = "not_sent_to_network", "blocked"
	}
	return d
}

// debitFailure is why a bank debit did not go through, days later.
func debitFailure(code string) decline {
	message := "The customer's bank account could not be debited."
	if code == "insufficient_funds" {
		message = "The customer's account has insufficient funds to cover this payment."
	}
	if code == "generic_decline" {
		code = "payment_intent_payment_attempt_failed"
		message = "The payment attempt failed because the customer's bank declined the debit."
	}
	return decline{
		Code: code, Message: message, NetworkStatus: "declined_by_network", Type: "issuer_declined", Reason: "generic_decline",
		Seller: "The bank did not return any further details with this decline.",
	}
}

func (d decline) apiError() *apiError {
	return &apiError{Status: http.StatusPaymentRequired, Type: "card_error", Code: d.Code, DeclineCode: d.DeclineCode, Message: d.Message}
}

// DeclineCodes answers the codes that FailRenewal takes: all that Stripe publishes.
func DeclineCodes() []string { return slices.Clone(declineCodes) }
