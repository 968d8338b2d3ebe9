// Package dunning leads failed invoices to being paid. A Campaign is the plan only: who is told what, when, by
// which channel. A Case is one customer's run through a campaign, over all their overdue invoices. The contact
// Policy says when a person may be written to. What happens next is decided by pure functions (case.go, plan.go,
// policy.go) from what is stored; cases.go keeps what was decided and queues the notices in the same
// transaction.
package dunning
