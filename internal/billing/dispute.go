package billing

import (
	"context"
	"database/sql"
)

// Dispute is a payment that the customer's bank takes back, or asks about. Stripe keeps the invoice as paid. It begins
// with the bank, goes back and forth between bank and merchant, and ends won or lost; a bank debit the customer
// reversed is lost from its first day.
type Dispute struct {
	ID         string
	CustomerID string
	InvoiceID  string // "" for a payment without an invoice
	Status     string // Stripe's word
	Reason     string // Stripe's word: fraudulent, debit_not_authorized, …
	Amount     Money
	CreatedAt  int64 // unix seconds
	SyncedAt   int64 // unix seconds
}

// Running reports whether the bank has not decided yet.
func (d Dispute) Running() bool {
	switch d.Status {
	case "needs_response", "under_review", "warning_needs_response", "warning_under_review":
		return true
	}
	return false
}

// RunningDisputes is the SQL list of the statuses of a dispute that is Running.
const RunningDisputes = `'needs_response', 'under_review', 'warning_needs_response', 'warning_under_review'`

// Lost reports whether the bank took the money back for good.
func (d Dispute) Lost() bool { return d.Status == "lost" }

// SaveDispute keeps what one reading said and reports whether that is news: a dispute nobody knew, or another status.
// A reading older than what is stored changes nothing. Its customer must be stored.
func SaveDispute(ctx context.Context, tx *sql.Tx, d Dispute) (news bool, err error) {
	known, err := selectDisputes(ctx, tx, `WHERE id = $1`, d.ID)
	if err != nil {
		return false, err
	}
	res, err := tx.ExecContext(ctx, `
		INSERT INTO disputes (id, customer_id, invoice_id, status, reason, amount, currency, created_at, synced_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET
			status = excluded.status, reason = excluded.reason, amount = excluded.amount, synced_at = excluded.synced_at
		WHERE disputes.synced_at <= excluded.synced_at`,
		d.ID, d.CustomerID, d.InvoiceID, d.Status, d.Reason, d.Amount.Minor, d.Amount.Currency, d.CreatedAt, d.SyncedAt)
	if err != nil {
		return false, err
	}
	changed, err := res.RowsAffected()
	return changed > 0 && (len(known) == 0 || known[0].Status != d.Status), err
}

// AnyDispute asks whether a customer disputes a payment, or ever did; see FindCustomerAnd.
const AnyDispute = `FROM disputes WHERE customer_id = customers.id`

// Disputes answers the customer's disputes, oldest first.
func Disputes(ctx context.Context, tx *sql.Tx, customer string) ([]Dispute, error) {
	return selectDisputes(ctx, tx, `WHERE customer_id = $1 ORDER BY created_at, id`, customer)
}

func selectDisputes(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Dispute, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, customer_id, invoice_id, status, reason, amount, currency, created_at, synced_at FROM disputes `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Dispute
	for rows.Next() {
		var d Dispute
		err = rows.Scan(&d.ID, &d.CustomerID, &d.InvoiceID, &d.Status, &d.Reason, &d.Amount.Minor, &d.Amount.Currency, &d.CreatedAt, &d.SyncedAt)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, rows.Err()
}
