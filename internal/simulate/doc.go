// Command simulate lets a company's customers live through months or years in seconds, against the real portal: its
// intake, cases, schedule, policy, letters and sender on a real database. Stripe and the mail server are stand-ins in
// the same process that fail as real ones do; the clock jumps from one instant at which something is due to the next.
//
// What every mail had to obey is judged by rules written down here a second time, from what is true at the stand-ins,
// never by asking the portal's own rules (security.md calls them I1 to I12). The same seed plays the same lives; a
// broken rule is reported with the seed, the customer and all that happened to them.
//
//	go run ./internal/simulate -customers 10000 -days 365 -seed 1
package main
