package billing

import (
	"slices"
	"time"
)

// keepable are Stripe's types of payment method that a customer can leave for later without writing to anybody, and
// that an invoice can then be charged with. Wallets of phones and browsers are cards; Stripe shows them where they are.
var keepable = []string{"card", "link", "cashapp", "us_bank_account", "sepa_debit", "bacs_debit", "au_becs_debit", "ideal", "bancontact"}

// becomeDebits are a bank's own ways to pay: what is kept of one is a SEPA debit, so that an invoice has to take both.
var becomeDebits = []string{"ideal", "bancontact"}

// TakenBy answers the types of payment method that can be kept and that every one of these invoices takes, cards first.
// It is empty when Stripe told of none of them what it takes: then the account's own choice holds.
func TakenBy(invoices []Invoice) []string {
	var taken []string
	told := false
	for _, kind := range keepable {
		fits := true
		for _, i := range invoices {
			if len(i.Takes) == 0 {
				continue
			}
			told = true
			fits = fits && slices.Contains(i.Takes, kind) && (!slices.Contains(becomeDebits, kind) || slices.Contains(i.Takes, "sepa_debit"))
		}
		if fits {
			taken = append(taken, kind)
		}
	}
	switch {
	case !told:
		return nil
	case len(taken) == 0:
		return []string{"card"} // Stripe charges an invoice with a card even when it lists others alone
	}
	return taken
}

// Debits reports whether one of some types of payment method is a debit of a bank account, whose answer takes days.
func Debits(types []string) bool { return slices.ContainsFunc(types, Debit) }

// Debit reports whether a type of payment method debits a bank account.
func Debit(kind string) bool { return answerDays[kind] > 0 || slices.Contains(becomeDebits, kind) }

// answerDays is after how many working days a bank's answer to a debit is expected, by Stripe's published times
// (docs.stripe.com/payments/sepa-debit, …/ach-direct-debit, …/bacs-debit, …/au-becs-debit, …/acss-debit).
var answerDays = map[string]int{"sepa_debit": 5, "us_bank_account": 4, "bacs_debit": 6, "au_becs_debit": 3, "acss_debit": 5}

// AnswerBy is when the bank's answer to a debit begun at the instant is expected, in that instant's zone; zero for a
// type of payment method that is answered at once or of which nothing is known.
func AnswerBy(kind string, begun time.Time) time.Time {
	left := answerDays[kind]
	if left == 0 {
		return time.Time{}
	}
	for left > 0 {
		begun = begun.AddDate(0, 0, 1)
		if begun.Weekday() != time.Saturday && begun.Weekday() != time.Sunday {
			left--
		}
	}
	return begun
}
