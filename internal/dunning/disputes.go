package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
)

// Disputed takes in that a dispute began or changed. The customer's open case rests or goes on by it; a closed one
// stays as it is, because the invoice stays paid at Stripe, and only its story tells of it.
func (cs *Cases) Disputed(ctx context.Context, tx *sql.Tx, d billing.Dispute, now time.Time) error {
	c, err := cs.LatestOf(ctx, tx, d.CustomerID)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	about := billing.Invoice{ID: d.InvoiceID}
	known, err := billing.FindInvoice(ctx, tx, d.InvoiceID)
	if err == nil {
		about = known
	} else if !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("find what is disputed: %w", err)
	}
	err = writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: "disputed", Why: disputeWords(d, nameOf(about))})
	if err != nil {
		return err
	}
	return cs.Reconsider(ctx, tx, d.CustomerID, now)
}

// disputeWords are what a dispute says now, for staff; invoice is the name of what it is about, "" when nobody knows.
func disputeWords(d billing.Dispute, invoice string) string {
	about := ""
	if invoice != "" {
		about = " of invoice " + invoice
	}
	switch {
	case d.Running():
		return fmt.Sprintf("The customer's bank disputes the payment%s (%s). It is answered at Stripe; nothing is charged or sent meanwhile.", about, d.Reason)
	case d.Lost():
		return fmt.Sprintf("The bank took the payment%s back for good (%s). It is not charged again by itself; whether to ask for it is for a person to decide.", about, d.Reason)
	}
	return "The dispute of the payment" + about + " is over; the money stays."
}

// disputed reports whether a dispute lets the case rest: one the bank has not decided, or one that was lost since the
// first of the case's invoices was made, whether or not that invoice is among them. A customer who took money back is
// not reminded of the next bill by a program. Who ended the pause after the dispute began has decided.
func (cs *Cases) disputed(ctx context.Context, tx *sql.Tx, c Case, invoices []billing.Invoice) (bool, error) {
	all, err := billing.Disputes(ctx, tx, c.CustomerID)
	if err != nil || len(all) == 0 {
		return false, err
	}
	left, err := undecided(ctx, tx, c, all)
	if err != nil {
		return false, err
	}
	begun := c.OpenedAt
	for _, i := range invoices {
		begun = min(begun, i.CreatedAt)
	}
	return slices.ContainsFunc(left, func(d billing.Dispute) bool { return d.Running() || d.Lost() && d.CreatedAt >= begun }), nil
}

// disputeRuns reports whether a bank looks into a payment of the case's customer, and nobody has decided to go on meanwhile.
func (cs *Cases) disputeRuns(ctx context.Context, tx *sql.Tx, caseID string) (bool, error) {
	c, err := cs.Find(ctx, tx, caseID)
	if err != nil {
		return false, err
	}
	all, err := billing.Disputes(ctx, tx, c.CustomerID)
	if err != nil {
		return false, err
	}
	left, err := undecided(ctx, tx, c, all)
	return slices.ContainsFunc(left, billing.Dispute.Running), err
}

// undecided answers those of the disputes after whose beginning nobody has ended the case's pause for one.
func undecided(ctx context.Context, tx *sql.Tx, c Case, all []billing.Dispute) ([]billing.Dispute, error) {
	if len(all) == 0 {
		return nil, nil
	}
	pauses, err := selectPauses(ctx, tx, `WHERE case_id = $1 AND reason = $2 AND ended_at > 0`, c.ID, PauseDispute)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(d billing.Dispute) bool {
		return slices.ContainsFunc(pauses, func(p Pause) bool { return p.EndedAt >= d.CreatedAt })
	}), nil
}

// overWords say for staff that a pause has ended. Whoever ends one that a lost dispute left has answered what it asked.
func overWords(ctx context.Context, tx *sql.Tx, c Case, p Pause, actor string) (string, error) {
	if p.Reason == PauseDispute && actor != "" {
		all, err := billing.Disputes(ctx, tx, c.CustomerID)
		if err != nil {
			return "", err
		}
		if !slices.ContainsFunc(all, billing.Dispute.Running) && slices.ContainsFunc(all, billing.Dispute.Lost) {
			return "A dispute was lost, and somebody decided to ask for what is open.", nil
		}
	}
	return pauseWords[p.Reason] + " That is over.", nil
}
