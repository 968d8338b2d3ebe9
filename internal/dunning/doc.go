// Package dunning leads failed invoices to being paid. A Case is one customer's run through a campaign, over all their
// overdue invoices.
//
// Two kinds of files: those in the singular (case.go, outlook.go, promise.go, retry.go, final.go) hold pure functions that
// decide from what is stored what happens next; those in the plural (cases.go, promises.go, retries.go, finals.go) read
// what is stored, keep what was decided, and queue the notices in the same transaction. The way in is Reconsider, after
// news of invoices, and AdvanceAll, when steps are due.
package dunning
