package sandbox

import (
	"strings"
)

// Cards, tokens and accounts that Stripe publishes for tests, and how each behaves:
// https://stripe.com/docs/testing, https://stripe.com/docs/billing/testing.

// authenticationRule says when a bank wants its customer to confirm; the zero rule never asks.
type authenticationRule int

const (
	// asksAlways: every payment and every setup, whatever was agreed before.
	asksAlways authenticationRule = iota + 1
	// asksUnlessSetUp: payments made without the customer pass once a setup was confirmed.
	asksUnlessSetUp
	// asksInPerson: payments made without the customer always pass, as if set up elsewhere.
	asksInPerson
)

// testCard is one published number. Names are what follows pm_card_ and tok_. Declines is the decline code of every
// charge; OnAttach says that already attaching it to a customer is declined.
type testCard struct {
	Number, Brand, Funding, Country string
	Names                           []string
	Declines                        string
	OnAttach                        bool
	Asks                            authenticationRule
	Dispute                         string
	CVCFails, Blocked               bool
}

var testCards = []testCard{
	{Number: "4242424242424242", Brand: "visa", Names: []string{"visa", "us"}},
	{Number: "4000056655665556", Brand: "visa", Funding: "debit", Names: []string{"visa_debit"}},
	{Number: "5555555555554444", Brand: "mastercard", Names: []string{"mastercard"}},
	{Number: "2223003122003222", Brand: "mastercard"},
	{Number: "5200828282828210", Brand: "mastercard", Funding: "debit", Names: []string{"mastercard_debit"}},
	{Number: "5105105105105100", Brand: "mastercard", Funding: "prepaid", Names: []string{"mastercard_prepaid"}},
	{Number: "378282246310005", Brand: "amex", Names: []string{"amex"}},
	{Number: "371449635398431", Brand: "amex"},
	{Number: "6011111111111117", Brand: "discover", Names: []string{"discover"}},
	{Number: "6011000990139424", Brand: "discover"},
	{Number: "3056930009020004", Brand: "diners", Names: []string{"diners"}},
	{Number: "36227206271667", Brand: "diners"},
	{Number: "3566002020360505", Brand: "jcb", Names: []string{"jcb"}},
	{Number: "6200000000000005", Brand: "unionpay", Names: []string{"unionpay"}},
	{Number: "4000003800000008", Brand: "visa", Country: "IT", Names: []string{"it"}},
	{Number: "4000002760000016", Brand: "visa", Country: "DE", Names: []string{"de"}},
	{Number: "4000002500000003", Brand: "visa", Country: "FR", Names: []string{"fr"}},
	{Number: "4000008260000000", Brand: "visa", Country: "GB", Names: []string{"gb"}},
	{Number: "4000003920000003", Brand: "visa", Country: "JP", Names: []string{"jp"}},
	{Number: "4000003560000008", Brand: "visa", Country: "IN", Names: []string{"in"}},

	{Number: "4000000000000002", Brand: "visa", Declines: "generic_decline", OnAttach: true, Names: []string{"chargeDeclined", "visa_chargeDeclined"}},
	{Number: "4000000000009995", Brand: "visa", Declines: "insufficient_funds", OnAttach: true, Names: []string{"chargeDeclinedInsufficientFunds", "visa_chargeDeclinedInsufficientFunds"}},
	{Number: "4000000000009987", Brand: "visa", Declines: "lost_card", OnAttach: true, Names: []string{"chargeDeclinedLostCard", "visa_chargeDeclinedLostCard"}},
	{Number: "4000000000009979", Brand: "visa", Declines: "stolen_card", OnAttach: true, Names: []string{"chargeDeclinedStolenCard", "visa_chargeDeclinedStolenCard"}},
	{Number: "4000000000000069", Brand: "visa", Declines: "expired_card", OnAttach: true, Names: []string{"chargeDeclinedExpiredCard", "visa_chargeDeclinedExpiredCard"}},
	{Number: "4000000000000127", Brand: "visa", Declines: "incorrect_cvc", OnAttach: true, CVCFails: true, Names: []string{"chargeDeclinedIncorrectCvc", "visa_chargeDeclinedIncorrectCvc"}},
	{Number: "4000000000000119", Brand: "visa", Declines: "processing_error", OnAttach: true, Names: []string{"chargeDeclinedProcessingError", "visa_chargeDeclinedProcessingError"}},
	{Number: "4000000000006975", Brand: "visa", Declines: "card_velocity_exceeded", OnAttach: true, Names: []string{"chargeDeclinedVelocityLimitExceeded", "visa_chargeDeclinedVelocityLimitExceeded"}},
	{Number: "4100000000000019", Brand: "visa", Declines: "fraudulent", OnAttach: true, Blocked: true, Names: []string{"radarBlock", "chargeDeclinedFraudulent"}},
	{Number: "4000000000000341", Brand: "visa", Declines: "generic_decline", Names: []string{"chargeCustomerFail"}},
	{Number: "4000000000000101", Brand: "visa", CVCFails: true, Names: []string{"cvcCheckFail"}},

	{Number: "4000002500003155", Brand: "visa", Country: "FR", Asks: asksUnlessSetUp, Names: []string{"authenticationRequiredOnSetup"}},
	{Number: "4000002760003184", Brand: "visa", Country: "DE", Asks: asksAlways, Names: []string{"authenticationRequired"}},
	{Number: "4000003800000446", Brand: "visa", Country: "IT", Asks: asksInPerson, Names: []string{"authenticationRequiredSetupForOffSession"}},
	{Number: "4000008260003178", Brand: "visa", Country: "GB", Asks: asksUnlessSetUp, Declines: "insufficient_funds", Names: []string{"authenticationRequiredChargeDeclinedInsufficientFunds"}},
	{Number: "4000008400001629", Brand: "visa", Asks: asksAlways, Declines: "generic_decline", Names: []string{"threeDSecureRequiredChargeDeclined"}},
	{Number: "4000008400001280", Brand: "visa", Asks: asksAlways, Declines: "processing_error", Names: []string{"threeDSecureRequiredProcessingError"}},
	{Number: "4000000000003220", Brand: "visa", Asks: asksUnlessSetUp, Names: []string{"threeDSecure2Required"}},
	{Number: "4000000000003063", Brand: "visa", Asks: asksUnlessSetUp, Names: []string{"threeDSecureRequired"}},
	{Number: "4000000000003055", Brand: "visa", Names: []string{"threeDSecureOptional"}},

	{Number: "4000000000000259", Brand: "visa", Dispute: "fraudulent", Names: []string{"createDispute"}},
	{Number: "4000000000002685", Brand: "visa", Dispute: "product_not_received", Names: []string{"createDisputeProductNotReceived"}},
	{Number: "4000000000001976", Brand: "visa", Dispute: "inquiry", Names: []string{"createDisputeInquiry"}},
}

// testAccount is a published bank account: its debit succeeds or fails days after it began.
type testAccount struct {
	Number, Type, Country string
	Names                 []string
	Fails                 string
	Dispute               string
}

var testAccounts = []testAccount{
	{Number: "AT611904300234573201", Type: "sepa_debit", Country: "AT", Names: []string{"pm_success_at", "pm_sepaDebit", "pm_sepaDebit_success"}},
	{Number: "AT861904300235473202", Type: "sepa_debit", Country: "AT", Names: []string{"pm_failed_at", "pm_sepaDebit_failed"}, Fails: "generic_decline"},
	{Number: "AT591904300235473205", Type: "sepa_debit", Country: "AT", Names: []string{"pm_disputed_at"}, Dispute: "debit_not_authorized"},
	{Number: "DE89370400440532013000", Type: "sepa_debit", Country: "DE", Names: []string{"pm_success_de"}},
	{Number: "DE62370400440532013001", Type: "sepa_debit", Country: "DE", Names: []string{"pm_failed_de"}, Fails: "generic_decline"},
	{Number: "DE35370400440532013002", Type: "sepa_debit", Country: "DE", Names: []string{"pm_disputed_de"}, Dispute: "debit_not_authorized"},
	{Number: "FR1420041010050500013M02606", Type: "sepa_debit", Country: "FR", Names: []string{"pm_success_fr"}},
	{Number: "FR8420041010050500013M02607", Type: "sepa_debit", Country: "FR", Names: []string{"pm_failed_fr"}, Fails: "generic_decline"},
	{Number: "IT40S0542811101000000123456", Type: "sepa_debit", Country: "IT", Names: []string{"pm_success_it"}},
	{Number: "IT60X0542811101000000123456", Type: "sepa_debit", Country: "IT", Names: []string{"pm_failed_it"}, Fails: "generic_decline"},
	{Number: "000123456789", Type: "us_bank_account", Country: "US", Names: []string{"pm_usBankAccount", "pm_usBankAccount_success"}},
	{Number: "000222222227", Type: "us_bank_account", Country: "US", Names: []string{"pm_usBankAccount_insufficientFunds"}, Fails: "insufficient_funds"},
	{Number: "000111111113", Type: "us_bank_account", Country: "US", Names: []string{"pm_usBankAccount_accountClosed"}, Fails: "account_closed"},
}

func cardByNumber(number string) (testCard, bool) {
	for _, card := range testCards {
		if card.Number == number {
			if card.Funding == "" {
				card.Funding = "credit"
			}
			if card.Country == "" {
				card.Country = "US"
			}
			return card, true
		}
	}
	return testCard{}, false
}

// cardByName finds pm_card_visa and tok_visa.
func cardByName(name string) (testCard, bool) {
	short, isMethod := strings.CutPrefix(name, "pm_card_")
	if !isMethod {
		isToken := false
		short, isToken = strings.CutPrefix(name, "tok_")
		if !isToken {
			return testCard{}, false
		}
	}
	for _, card := range testCards {
		for _, known := range card.Names {
			if known == short {
				return cardByNumber(card.Number)
			}
		}
	}
	return testCard{}, false
}

func accountByNumber(number string) (testAccount, bool) {
	for _, account := range testAccounts {
		if account.Number == number {
			return account, true
		}
	}
	return testAccount{}, false
}

func accountByName(name string) (testAccount, bool) {
	for _, account := range testAccounts {
		for _, known := range account.Names {
			if known == name {
				return account, true
			}
		}
	}
	return testAccount{}, false
}

// passesLuhn is the check digit rule of card numbers.
func passesLuhn(number string) bool {
	sum, double := 0, false
	for i := len(number) - 1; i >= 0; i-- {
		digit := int(number[i] - '0')
		if digit < 0 || digit > 9 {
			return false
		}
		if double {
			digit *= 2
			if digit > 9 {
				digit -= 9
			}
		}
		sum += digit
		double = !double
	}
	return len(number) >= 12 && sum%10 == 0
}

// asks reports whether the bank wants a confirmation of a payment.
func (c testCard) asks(m *method, inPerson bool) bool {
	switch c.Asks {
	case asksAlways:
		return true
	case asksUnlessSetUp:
		return inPerson || !m.SetUp
	case asksInPerson:
		return inPerson
	}
	return false
}
