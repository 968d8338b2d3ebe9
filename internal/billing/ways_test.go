package billing_test

import (
	"slices"
	"testing"
	"time"

	"sollecito/internal/billing"
)

func TestWhatInvoicesTake(t *testing.T) {
	t.Parallel()
	takes := func(kinds ...string) billing.Invoice { return billing.Invoice{Takes: kinds} }
	tests := []struct {
		name     string
		invoices []billing.Invoice
		want     []string
	}{
		{"none", nil, nil},
		{"nothing told", []billing.Invoice{{}, {}}, nil},
		{"a card alone", []billing.Invoice{takes("card")}, []string{"card"}},
		{"card and debit", []billing.Invoice{takes("sepa_debit", "card", "customer_balance")}, []string{"card", "sepa_debit"}},
		{"what both take", []billing.Invoice{takes("card", "sepa_debit"), takes("card", "us_bank_account"), {}}, []string{"card"}},
		{"a bank's own way beside the debit", []billing.Invoice{takes("card", "ideal", "sepa_debit")}, []string{"card", "sepa_debit", "ideal"}},
		{"a bank's own way that could not be charged again", []billing.Invoice{takes("card", "ideal")}, []string{"card"}},
		{"nothing that can be kept", []billing.Invoice{takes("customer_balance")}, []string{"card"}},
	}
	for _, tt := range tests {
		got := billing.TakenBy(tt.invoices)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if !billing.Debits([]string{"card", "sepa_debit"}) || billing.Debits([]string{"card", "link"}) {
		t.Error("what a debit is")
	}
}

// A bank's answer is expected after working days.
func TestWhenABankAnswers(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		instant, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return instant
	}
	tests := []struct{ kind, begun, want string }{
		{"sepa_debit", "2026-11-02T09:00:00Z", "2026-11-09T09:00:00Z"}, // from a Monday
		{"sepa_debit", "2026-11-06T23:30:00Z", "2026-11-13T23:30:00Z"}, // from a Friday
		{"sepa_debit", "2026-11-07T09:00:00Z", "2026-11-13T09:00:00Z"}, // from a Saturday
		{"us_bank_account", "2026-11-05T09:00:00Z", "2026-11-11T09:00:00Z"},
	}
	for _, tt := range tests {
		if got := billing.AnswerBy(tt.kind, at(tt.begun)); !got.Equal(at(tt.want)) {
			t.Errorf("%s from %s: %s, want %s", tt.kind, tt.begun, got, tt.want)
		}
	}
	if !billing.AnswerBy("card", at("2026-11-02T09:00:00Z")).IsZero() {
		t.Error("a date for what has none")
	}
}
