package billing_test

import (
	"strings"
	"testing"

	"sollecito/internal/billing"
)

func TestClassOfADecline(t *testing.T) {
	t.Parallel()
	tests := []struct {
		decline billing.Decline
		want    billing.Class
		again   bool
	}{
		{billing.Decline{}, billing.ClassNone, true},
		{billing.Decline{Code: "card_declined", DeclineCode: "insufficient_funds"}, billing.ClassMoney, true},
		{billing.Decline{Code: "card_declined", DeclineCode: "lost_card"}, billing.ClassDead, false},
		{billing.Decline{Code: "card_declined", DeclineCode: "stolen_card"}, billing.ClassDead, false},
		{billing.Decline{Code: "expired_card"}, billing.ClassExpired, false},
		{billing.Decline{Code: "authentication_required", DeclineCode: "authentication_required"}, billing.ClassAuthentication, false},
		{billing.Decline{Code: "card_declined", DeclineCode: "revocation_of_all_authorizations"}, billing.ClassConsent, false},
		{billing.Decline{Code: "card_declined", DeclineCode: "a_code_of_next_year"}, billing.ClassGeneric, true},
		{billing.Decline{Code: "card_declined", DeclineCode: "do_not_honor", AdviceCode: "do_not_try_again"}, billing.ClassDead, false},
		{billing.Decline{Code: "card_declined", DeclineCode: "generic_decline", NetworkAdviceCode: "21"}, billing.ClassConsent, false},
		{billing.Decline{Code: "card_declined", DeclineCode: "generic_decline", NetworkDeclineCode: "43"}, billing.ClassDead, false},
		{billing.Decline{Code: "card_declined", DeclineCode: "insufficient_funds", AdviceCode: "try_again_later"}, billing.ClassMoney, true},
	}
	for _, tt := range tests {
		got := tt.decline.Class()
		if got != tt.want || got.Retryable() != tt.again {
			t.Errorf("%+v: %s, charged again %v", tt.decline, got, got.Retryable())
		}
	}
}

// Every published code by what it asks for, and with it the codes of bank debits. Only the soft ones are charged again.
func TestClassOfEveryPublishedCode(t *testing.T) {
	t.Parallel()
	for class, codes := range map[billing.Class]string{
		billing.ClassDead: `lost_card stolen_card pickup_card incorrect_number invalid_number invalid_account restricted_card security_violation
			fraudulent merchant_blacklist highest_risk_level transaction_not_allowed do_not_try_again not_permitted service_not_allowed
			card_not_supported currency_not_supported previously_declined_do_not_retry blocklist live_mode_test_card testmode_decline
			test_mode_decline test_mode_live_card account_closed bank_account_restricted no_account invalid_account_number`,
		billing.ClassConsent:        `revocation_of_authorization revocation_of_all_authorizations stop_payment_order debit_not_authorized`,
		billing.ClassAuthentication: `authentication_required authentication_not_handled mobile_device_authentication_required`,
		billing.ClassExpired:        `expired_card invalid_expiry_month invalid_expiry_year`,
		billing.ClassFixCard: `incorrect_cvc invalid_cvc incorrect_zip incorrect_address new_account_information_available invalid_pin incorrect_pin
			pin_try_exceeded offline_pin_required online_or_offline_pin_required`,
		billing.ClassMoney:     `insufficient_funds card_velocity_exceeded withdrawal_count_limit_exceeded`,
		billing.ClassTransient: `processing_error issuer_not_available reenter_transaction try_again_later approve_with_id`,
		billing.ClassGeneric: `generic_decline do_not_honor call_issuer no_action_taken partial_authorization_not_available refer_to_customer
			payment_intent_payment_attempt_failed a_code_of_next_year`,
		billing.ClassOurs: `invalid_amount duplicate_transaction`,
	} {
		again := map[billing.Class]bool{billing.ClassMoney: true, billing.ClassTransient: true, billing.ClassGeneric: true, billing.ClassOurs: true}[class]
		for _, code := range strings.Fields(codes) {
			for _, d := range []billing.Decline{{Code: "card_declined", DeclineCode: code}, {Code: code}} {
				if got := d.Class(); got != class || got.Retryable() != again {
					t.Errorf("%+v: %s, charged again %v; want %s", d, got, got.Retryable(), class)
				}
			}
		}
	}
}

// The order of decision: the advice, the networks' advice, the networks' codes, then the decline code. No advice makes a
// method that is never to be tried again one that is.
func TestOrderOfDecision(t *testing.T) {
	t.Parallel()
	soft := billing.Decline{Code: "card_declined", DeclineCode: "insufficient_funds"}
	for name, c := range map[string]struct {
		change func(*billing.Decline)
		want   billing.Class
	}{
		"stop":                            {func(d *billing.Decline) { d.AdviceCode = "do_not_try_again" }, billing.ClassDead},
		"stop before the network":         {func(d *billing.Decline) { d.AdviceCode, d.NetworkAdviceCode = "do_not_try_again", "21" }, billing.ClassDead},
		"card data":                       {func(d *billing.Decline) { d.AdviceCode, d.NetworkDeclineCode = "confirm_card_data", "43" }, billing.ClassFixCard},
		"Mastercard 01":                   {func(d *billing.Decline) { d.NetworkAdviceCode = "01" }, billing.ClassFixCard},
		"Mastercard 01 of a dead card":    {func(d *billing.Decline) { d.DeclineCode, d.NetworkAdviceCode = "lost_card", "01" }, billing.ClassDead},
		"Mastercard 03":                   {func(d *billing.Decline) { d.NetworkAdviceCode = "03" }, billing.ClassDead},
		"Mastercard 21":                   {func(d *billing.Decline) { d.NetworkAdviceCode, d.NetworkDeclineCode = "21", "04" }, billing.ClassConsent},
		"Mastercard 24 waits":             {func(d *billing.Decline) { d.NetworkAdviceCode = "24" }, billing.ClassMoney},
		"Visa 46":                         {func(d *billing.Decline) { d.NetworkDeclineCode = "46" }, billing.ClassDead},
		"Visa R1":                         {func(d *billing.Decline) { d.NetworkDeclineCode = "R1" }, billing.ClassConsent},
		"Visa 51":                         {func(d *billing.Decline) { d.NetworkDeclineCode = "51" }, billing.ClassMoney},
		"later":                           {func(d *billing.Decline) { d.AdviceCode = "try_again_later" }, billing.ClassMoney},
		"later, but the card is dead":     {func(d *billing.Decline) { d.DeclineCode, d.AdviceCode = "stolen_card", "try_again_later" }, billing.ClassDead},
		"later, but consent is withdrawn": {func(d *billing.Decline) { d.DeclineCode, d.AdviceCode = "stop_payment_order", "try_again_later" }, billing.ClassConsent},
		"expired keeps its word":          {func(d *billing.Decline) { d.DeclineCode, d.AdviceCode = "expired_card", "do_not_try_again" }, billing.ClassExpired},
	} {
		d := soft
		c.change(&d)
		if got := d.Class(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// A card whose data was old and has been renewed since works again; the failure itself stays what it was.
func TestARenewedCard(t *testing.T) {
	t.Parallel()
	i := billing.Invoice{Status: "open", AmountRemaining: 1, FailedAt: 100, MethodID: "pm_1", Decline: billing.Decline{Code: "expired_card"}}
	for renewed, want := range map[int64]billing.Class{0: billing.ClassExpired, 99: billing.ClassExpired, 101: billing.ClassRenewed} {
		i.MethodRenewedAt = renewed
		if got := i.Class(); got != want {
			t.Errorf("renewed at %d: %s, want %s", renewed, got, want)
		}
	}
	i.MethodRenewedAt, i.Decline = 101, billing.Decline{Code: "card_declined", DeclineCode: "lost_card"}
	if got := i.Class(); got != billing.ClassDead {
		t.Errorf("a dead card that was renewed: %s", got)
	}
}

func TestTotalsNeverAddCurrencies(t *testing.T) {
	t.Parallel()
	got := billing.Totals([]billing.Money{{Minor: 2900, Currency: "eur"}, {Minor: 4800, Currency: "jpy"}, {Minor: 100, Currency: "eur"}})
	if len(got) != 2 || got[0] != (billing.Money{Minor: 3000, Currency: "eur"}) || got[1] != (billing.Money{Minor: 4800, Currency: "jpy"}) {
		t.Errorf("got %v", got)
	}
}

func TestWhatACustomerIsCalled(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Chiara Bellini": "Chiara", "": "", "  Ana  María ": "Ana", "<svg/onload=x>": "", "evil.example/pay now": "", "4Corners Ltd": "",
		"🦊 Fox": "", "— ": "", "Александра-Владиславовна Петрова": "Александра-Владиславовна",
	} {
		if got := (billing.Customer{Name: name}).FirstName(); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	for address, want := range map[string]string{"chiara@bellini.it": "c•••@b•••.it", "é@ü.example": "é•••@ü•••.example", "broken": "", "@x.it": "", "a@localhost": "a•••@l•••"} {
		if got := billing.MaskedEmail(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
