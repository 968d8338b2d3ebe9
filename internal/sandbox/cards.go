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
	{Number: "4000000320000021", Brand: "visa", Country: "AR", Names: []string{"ar"}},
	{Number: "4000000760000002", Brand: "visa", Country: "BR", Names: []string{"br"}},
	{Number: "4000001240000000", Brand: "visa", Country: "CA", Names: []string{"ca"}},
	{Number: "4000001520000001", Brand: "visa", Country: "CL", Names: []string{"cl"}},
	{Number: "4000001700000003", Brand: "visa", Country: "CO", Names: []string{"co"}},
	{Number: "4000001880000005", Brand: "visa", Country: "CR", Names: []string{"cr"}},
	{Number: "4000002180000000", Brand: "visa", Country: "EC", Names: []string{"ec"}},
	{Number: "4000004840008001", Brand: "visa", Country: "MX", Names: []string{"mx"}},
	{Number: "4000005910000000", Brand: "visa", Country: "PA", Names: []string{"pa"}},
	{Number: "4000006000000066", Brand: "visa", Country: "PY", Names: []string{"py"}},
	{Number: "4000006040000068", Brand: "visa", Country: "PE", Names: []string{"pe"}},
	{Number: "4000008580000003", Brand: "visa", Country: "UY", Names: []string{"uy"}},
	{Number: "4000007840000001", Brand: "visa", Country: "AE", Names: []string{"ae"}},
	{Number: "4000000400000008", Brand: "visa", Country: "AT", Names: []string{"at"}},
	{Number: "4000000560000004", Brand: "visa", Country: "BE", Names: []string{"be"}},
	{Number: "4000001000000000", Brand: "visa", Country: "BG", Names: []string{"bg"}},
	{Number: "4000001120000005", Brand: "visa", Country: "BY", Names: []string{"by"}},
	{Number: "4000001910000009", Brand: "visa", Country: "HR", Names: []string{"hr"}},
	{Number: "4000001960000008", Brand: "visa", Country: "CY", Names: []string{"cy"}},
	{Number: "4000002030000002", Brand: "visa", Country: "CZ", Names: []string{"cz"}},
	{Number: "4000002080000001", Brand: "visa", Country: "DK", Names: []string{"dk"}},
	{Number: "4000002330000009", Brand: "visa", Country: "EE", Names: []string{"ee"}},
	{Number: "4000002460000001", Brand: "visa", Country: "FI", Names: []string{"fi"}},
	{Number: "4000002920000005", Brand: "visa", Country: "GI", Names: []string{"gi"}},
	{Number: "4000003000000030", Brand: "visa", Country: "GR", Names: []string{"gr"}},
	{Number: "4000003480000005", Brand: "visa", Country: "HU", Names: []string{"hu"}},
	{Number: "4000003720000005", Brand: "visa", Country: "IE", Names: []string{"ie"}},
	{Number: "4000004280000005", Brand: "visa", Country: "LV", Names: []string{"lv"}},
	{Number: "4000004380000004", Brand: "visa", Country: "LI", Names: []string{"li"}},
	{Number: "4000004400000000", Brand: "visa", Country: "LT", Names: []string{"lt"}},
	{Number: "4000004420000006", Brand: "visa", Country: "LU", Names: []string{"lu"}},
	{Number: "4000004700000007", Brand: "visa", Country: "MT", Names: []string{"mt"}},
	{Number: "4000005280000002", Brand: "visa", Country: "NL", Names: []string{"nl"}},
	{Number: "4000005780000007", Brand: "visa", Country: "NO", Names: []string{"no"}},
	{Number: "4000006160000005", Brand: "visa", Country: "PL", Names: []string{"pl"}},
	{Number: "4000006200000007", Brand: "visa", Country: "PT", Names: []string{"pt"}},
	{Number: "4000006420000001", Brand: "visa", Country: "RO", Names: []string{"ro"}},
	{Number: "4000006820000007", Brand: "visa", Country: "SA", Names: []string{"sa"}},
	{Number: "4000007050000006", Brand: "visa", Country: "SI", Names: []string{"si"}},
	{Number: "4000007030000001", Brand: "visa", Country: "SK", Names: []string{"sk"}},
	{Number: "4000007240000007", Brand: "visa", Country: "ES", Names: []string{"es"}},
	{Number: "4000007520000008", Brand: "visa", Country: "SE", Names: []string{"se"}},
	{Number: "4000007560000009", Brand: "visa", Country: "CH", Names: []string{"ch"}},
	{Number: "4000000360000006", Brand: "visa", Country: "AU", Names: []string{"au"}},
	{Number: "4000001560000002", Brand: "visa", Country: "CN", Names: []string{"cn"}},
	{Number: "4000003440000004", Brand: "visa", Country: "HK", Names: []string{"hk"}},
	{Number: "4000004580000002", Brand: "visa", Country: "MY", Names: []string{"my"}},
	{Number: "4000005540000008", Brand: "visa", Country: "NZ", Names: []string{"nz"}},
	{Number: "4000007020000003", Brand: "visa", Country: "SG", Names: []string{"sg"}},
	{Number: "4000001580000008", Brand: "visa", Country: "TW", Names: []string{"tw"}},
	{Number: "4000007640000003", Brand: "visa", Country: "TH", Names: []string{"th_credit"}},
	{Number: "4000057640000008", Brand: "visa", Funding: "debit", Country: "TH", Names: []string{"th_debit"}},

	{Number: "4000000000000002", Brand: "visa", Declines: "generic_decline", OnAttach: true, Names: []string{"chargeDeclined", "visa_chargeDeclined"}},
	{Number: "4000000000009995", Brand: "visa", Declines: "insufficient_funds", OnAttach: true, Names: []string{"chargeDeclinedInsufficientFunds", "visa_chargeDeclinedInsufficientFunds"}},
	{Number: "4000000000009987", Brand: "visa", Declines: "lost_card", OnAttach: true, Names: []string{"chargeDeclinedLostCard", "visa_chargeDeclinedLostCard"}},
	{Number: "4000000000009979", Brand: "visa", Declines: "stolen_card", OnAttach: true, Names: []string{"chargeDeclinedStolenCard", "visa_chargeDeclinedStolenCard"}},
	{Number: "4000000000000069", Brand: "visa", Declines: "expired_card", OnAttach: true, Names: []string{"chargeDeclinedExpiredCard", "visa_chargeDeclinedExpiredCard"}},
	{Number: "4000000000000127", Brand: "visa", Declines: "incorrect_cvc", OnAttach: true, CVCFails: true, Names: []string{"chargeDeclinedIncorrectCvc", "visa_chargeDeclinedIncorrectCvc"}},
	{Number: "4000000000000119", Brand: "visa", Declines: "processing_error", OnAttach: true, Names: []string{"chargeDeclinedProcessingError", "visa_chargeDeclinedProcessingError"}},
	{Number: "4000000000006975", Brand: "visa", Declines: "card_velocity_exceeded", OnAttach: true, Names: []string{"chargeDeclinedVelocityLimitExceeded", "visa_chargeDeclinedVelocityLimitExceeded"}},
	{Number: "4100000000000019", Brand: "visa", Declines: "fraudulent", OnAttach: true, Blocked: true, Names: []string{"radarBlock", "chargeDeclinedFraudulent"}},
	{Number: "4000000000004954", Brand: "visa", Declines: "fraudulent", Blocked: true, Names: []string{"riskLevelHighest"}},
	{Number: "4000000000009235", Brand: "visa", Names: []string{"riskLevelElevated"}},
	{Number: "4000000000000341", Brand: "visa", Declines: "generic_decline", Names: []string{"chargeCustomerFail"}},
	{Number: "4000000000000101", Brand: "visa", CVCFails: true, Names: []string{"cvcCheckFail"}},
	// The checks of addresses and the ways of refunds and fraud warnings are not played; the charge is an ordinary one.
	{Number: "4000000000000010", Brand: "visa", Names: []string{"avsFail"}},
	{Number: "4000000000000028", Brand: "visa", Names: []string{"avsLine1Fail"}},
	{Number: "4000000000000036", Brand: "visa", Names: []string{"avsZipFail"}},
	{Number: "4000000000000044", Brand: "visa", Names: []string{"avsUnchecked"}},
	{Number: "4000000000000077", Brand: "visa", Names: []string{"bypassPending"}},
	{Number: "4000003720000278", Brand: "visa", Country: "IE", Names: []string{"bypassPendingInternational"}},
	{Number: "4000000000007726", Brand: "visa", Names: []string{"pendingRefund"}},
	{Number: "4000000000005126", Brand: "visa", Names: []string{"refundFail"}},
	{Number: "4000000000005423", Brand: "visa", Names: []string{"createIssuerFraudRecord"}},

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
	// Stays says that its debit never ends by itself.
	Stays bool
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
	{Number: "000111111116", Type: "us_bank_account", Country: "US", Names: []string{"pm_usBankAccount_noAccount"}, Fails: "no_account"},
	{Number: "000333333335", Type: "us_bank_account", Country: "US", Names: []string{"pm_usBankAccount_debitNotAuthorized"}, Fails: "debit_not_authorized"},
	{Number: "000444444440", Type: "us_bank_account", Country: "US", Names: []string{"pm_usBankAccount_invalidCurrency"}, Fails: "invalid_currency"},
	{Number: "000555555559", Type: "us_bank_account", Country: "US", Names: []string{"pm_usBankAccount_dispute"}, Dispute: "debit_not_authorized"},
	{Number: "000000000009", Type: "us_bank_account", Country: "US", Names: []string{"pm_usBankAccount_processing"}, Stays: true},
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
