package billing

import (
	"cmp"
	"slices"
)

// Money is an amount in the currency's minor units as Stripe counts them (cents for eur, whole yen for jpy).
// Currency is the lower-case ISO code. Amounts of different currencies are never added.
type Money struct {
	Minor    int64
	Currency string
}

// Totals adds amounts by currency and answers one Money per currency, the largest number of invoices first and
// then by code, so that a page always lists them in the same order.
func Totals(amounts []Money) []Money {
	type sum struct {
		Money
		count int
	}
	var sums []sum
	for _, a := range amounts {
		i := slices.IndexFunc(sums, func(s sum) bool { return s.Currency == a.Currency })
		if i < 0 {
			sums = append(sums, sum{Money: Money{Currency: a.Currency}})
			i = len(sums) - 1
		}
		sums[i].Minor += a.Minor
		sums[i].count++
	}
	slices.SortFunc(sums, func(a, b sum) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.Currency, b.Currency))
	})
	totals := make([]Money, len(sums))
	for i, s := range sums {
		totals[i] = s.Money
	}
	return totals
}
