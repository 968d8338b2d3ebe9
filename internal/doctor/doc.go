// Package doctor looks at an installation from all sides before a customer does: configuration, database, clock,
// Stripe, mail, DNS and the public address. What it sees becomes findings by pure functions, each with the mend: the
// setting, the command or the DNS record. It sends no letter, charges nothing and changes nothing at Stripe.
package doctor
