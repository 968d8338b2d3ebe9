// Package dunning leads failed invoices to being paid. A Case is one customer's run through a campaign, over all their
// overdue invoices. What happens next is decided by pure functions (case.go, outlook.go, promise.go, retry.go, final.go)
// from what is stored; the files in the plural keep what was decided and queue the notices in the same transaction.
package dunning
