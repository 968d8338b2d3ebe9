// Package interest works out what the law lets one business claim from another for a late payment: interest by the
// half-year's rate and a fixed sum for recovery costs, by country. It charges nothing and decides nothing: a person reads
// its proposal, formula by formula, and confirms it or not. Its rates are data with a source and a date; a half-year for
// which it has no rate is an error, never a guess.
package interest
