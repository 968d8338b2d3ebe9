// Package campaign is what a merchant plans: versioned documents that say who they are for, in which order they are asked,
// and which steps, texts, variants, retries and last act they have. It reads and checks documents, reports what is wrong
// with its line, and keeps every version that was ever applied, since a case keeps the one it began with. It knows nobody's
// case: leading one through a campaign is dunning's.
package campaign
