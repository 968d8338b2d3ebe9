// Package campaign is what a merchant plans: versioned documents of steps, texts, segments, variants, retries and a last
// act, who they are for and in which order they are asked. It reads and checks them, says with the line what is wrong,
// and keeps every version that was ever applied, since a case keeps the one it began with. It knows nobody's case:
// leading one through a campaign is dunning's.
package campaign
