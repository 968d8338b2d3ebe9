// Package billing keeps customers, subscriptions, payment methods and invoices as the processor last reported
// them, with money in minor units and declines understood. It decides nothing about reminders; it answers what
// is owed, why a charge failed and whether what we stored is fresh enough to act on.
package billing
