// Package interest works out what the law lets a business ask of another business for a late payment: interest by the
// half-year's rate and a fixed sum for the costs of asking, by country. It decides nothing and charges nothing: a
// person looks at what it says, formula by formula, and confirms it or not. Its rates are data with a source and a
// day; a half-year it has no rate for is an error, never a guess.
package interest
