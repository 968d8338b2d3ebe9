package billing

// Class is what a decline means for the way back to being paid. The order of decision and the table follow
// Stripe's documentation of decline codes and the list of codes Stripe itself never retries
// (docs.stripe.com/declines/codes, docs.stripe.com/billing/revenue-recovery/smart-retries).
type Class string

const (
	ClassNone           Class = ""               // nothing failed yet
	ClassDead           Class = "dead"           // this method will never work again; never says lost, stolen or fraud
	ClassConsent        Class = "consent"        // the customer withdrew their consent at the bank
	ClassAuthentication Class = "authentication" // the bank wants the customer to approve
	ClassExpired        Class = "expired"        // the card's date has passed
	ClassFixCard        Class = "fix_card"       // some card data is wrong
	ClassRenewed        Class = "renewed"        // its data was old, and the bank has sent new data since
	ClassMoney          Class = "money"          // not now: balance or limit
	ClassTransient      Class = "transient"      // the network hiccuped
	ClassGeneric        Class = "generic"        // the bank gave no reason
	ClassOurs           Class = "ours"           // a mistake on the merchant's side
	ClassNoMethod       Class = "none"           // there is no payment method to charge
	ClassOverdue        Class = "overdue"        // an invoice to be paid by hand passed its due date
	ClassTried          Class = "tried"          // this card was tried often enough for now; told of a press alone
	ClassUnapproved     Class = "unapproved"     // the customer was asked to approve just now, and did not; told of a press alone
)

// Classes answers the classes that an unpaid invoice can have.
func Classes() []Class {
	return []Class{
		ClassDead, ClassConsent, ClassAuthentication, ClassExpired, ClassFixCard, ClassMoney, ClassTransient, ClassGeneric,
		ClassOurs, ClassNoMethod, ClassOverdue,
	}
}

// Decline is why a charge failed, as the processor said it. Code is the error code (card_declined,
// expired_card, …), DeclineCode the issuer's word; the advice and network codes are empty when Stripe did not
// send them, which is normal.
type Decline struct {
	Code               string
	DeclineCode        string
	AdviceCode         string
	NetworkAdviceCode  string
	NetworkDeclineCode string
}

// Class answers what the decline means: advice_code first, then the networks' codes, then decline_code; an
// unknown code is generic. Where the decline code already names what the customer can mend (approve, new card
// data, a consent withdrawn), it keeps the word: none of these is charged again with the same method, whatever the
// advice. A code that is never to be tried again stays so, even when the advice is to try later.
func (d Decline) Class() Class {
	if d == (Decline{}) {
		return ClassNone
	}
	byCode, known := classOf[d.word()]
	if known && (byCode == ClassConsent || byCode == ClassExpired || byCode == ClassAuthentication || byCode == ClassFixCard) {
		return byCode
	}
	switch d.AdviceCode {
	case "do_not_try_again":
		return ClassDead
	case "confirm_card_data":
		return ClassFixCard
	}
	switch d.NetworkAdviceCode {
	case "01": // the card's data has changed, and what is on file is old
		if byCode != ClassDead {
			return ClassFixCard
		}
	case "03":
		return ClassDead
	case "21":
		return ClassConsent
	}
	if visaWithdrawn[d.NetworkDeclineCode] {
		return ClassConsent
	}
	if visaNever[d.NetworkDeclineCode] {
		return ClassDead
	}
	if known {
		return byCode
	}
	return ClassGeneric
}

// word is the most telling of the processor's own words.
func (d Decline) word() string {
	if d.DeclineCode != "" {
		return d.DeclineCode
	}
	return d.Code
}

// Retryable reports whether the same method may be charged again when the customer asks for it.
func (c Class) Retryable() bool {
	switch c {
	case ClassMoney, ClassTransient, ClassGeneric, ClassNone, ClassOverdue, ClassOurs, ClassRenewed:
		return true
	}
	return false
}

// visaNever are Visa's category 1 response codes: the issuer never approves, a retry costs a fee.
var visaNever = map[string]bool{"04": true, "07": true, "12": true, "14": true, "15": true, "41": true, "43": true, "46": true, "57": true}

// visaWithdrawn are those of category 1 by which a customer stopped the payment or withdrew their consent.
var visaWithdrawn = map[string]bool{"R0": true, "R1": true, "R3": true}

var classOf = map[string]Class{
	"lost_card": ClassDead, "stolen_card": ClassDead, "pickup_card": ClassDead, "incorrect_number": ClassDead,
	"invalid_number": ClassDead, "invalid_account": ClassDead, "restricted_card": ClassDead, "security_violation": ClassDead,
	"fraudulent": ClassDead, "merchant_blacklist": ClassDead, "highest_risk_level": ClassDead, "transaction_not_allowed": ClassDead,
	"do_not_try_again": ClassDead, "not_permitted": ClassDead, "service_not_allowed": ClassDead, "card_not_supported": ClassDead,
	"currency_not_supported": ClassDead, "previously_declined_do_not_retry": ClassDead, "blocklist": ClassDead,
	"live_mode_test_card": ClassDead, "testmode_decline": ClassDead, "test_mode_decline": ClassDead, "test_mode_live_card": ClassDead,
	// Bank debits, days later (docs.stripe.com/payments/sepa-debit, …/ach-direct-debit: failure codes).
	"account_closed": ClassDead, "bank_account_restricted": ClassDead, "bank_ownership_changed": ClassDead, "invalid_account_number": ClassDead,
	"no_account": ClassDead, "incorrect_account_holder_name": ClassDead, "invalid_currency": ClassDead,

	"revocation_of_authorization": ClassConsent, "revocation_of_all_authorizations": ClassConsent, "stop_payment_order": ClassConsent,
	"debit_not_authorized": ClassConsent,

	"authentication_required": ClassAuthentication, "mobile_device_authentication_required": ClassAuthentication, "authentication_not_handled": ClassAuthentication,
	"payment_intent_authentication_failure": ClassAuthentication, "invoice_payment_intent_requires_action": ClassAuthentication,

	"expired_card": ClassExpired, "invalid_expiry_month": ClassExpired, "invalid_expiry_year": ClassExpired,

	"incorrect_cvc": ClassFixCard, "invalid_cvc": ClassFixCard, "incorrect_zip": ClassFixCard, "incorrect_address": ClassFixCard,
	"new_account_information_available": ClassFixCard, "invalid_pin": ClassFixCard, "incorrect_pin": ClassFixCard,
	"pin_try_exceeded": ClassFixCard, "offline_pin_required": ClassFixCard, "online_or_offline_pin_required": ClassFixCard,

	"insufficient_funds": ClassMoney, "card_velocity_exceeded": ClassMoney, "withdrawal_count_limit_exceeded": ClassMoney,

	"processing_error": ClassTransient, "issuer_not_available": ClassTransient, "reenter_transaction": ClassTransient,
	"try_again_later": ClassTransient, "approve_with_id": ClassTransient,

	"generic_decline": ClassGeneric, "do_not_honor": ClassGeneric, "call_issuer": ClassGeneric, "no_action_taken": ClassGeneric,
	"card_declined": ClassGeneric, "partial_authorization_not_available": ClassGeneric, "payment_intent_payment_attempt_failed": ClassGeneric,
	"refer_to_customer": ClassGeneric, "could_not_process": ClassGeneric, "generic_could_not_process": ClassGeneric,

	"invalid_amount": ClassOurs, "duplicate_transaction": ClassOurs, CodeRefused: ClassOurs,

	"no_payment_method": ClassNoMethod,
}
