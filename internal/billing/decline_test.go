package billing_test

import (
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
