package interest

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// Kept is a claim that a person confirmed. Document is the paper as they saw it and never changes: what Stripe and
// the rates say later has no part in it. Instants are unix seconds.
type Kept struct {
	ID            string
	CustomerID    string
	InvoiceID     string
	Withdrawn     bool
	Country       string
	Currency      string
	Interest      int64 // minor units of Currency
	Fixed         int64 // minor units of FixedCurrency
	FixedCurrency string
	Document      string
	ConfirmedBy   string
	ConfirmedAt   int64
	WithdrawnBy   string
	WithdrawnAt   int64
	Reason        string // why it was withdrawn
}

// Keep keeps a confirmed claim and answers it with its id. fault.Conflict when one of the same invoice is kept already
// and not withdrawn: the fixed sum is asked once.
func Keep(ctx context.Context, tx *sql.Tx, k Kept) (Kept, error) {
	k.ID = database.NewID("int")
	result, err := tx.ExecContext(ctx, `
		INSERT INTO late_interest (`+keptColumns+`) VALUES ($1, $2, $3, 'confirmed', $4, $5, $6, $7, $8, $9, $10, $11, '', 0, '')
		ON CONFLICT DO NOTHING`,
		k.ID, k.CustomerID, k.InvoiceID, k.Country, k.Currency, k.Interest, k.Fixed, k.FixedCurrency, k.Document, k.ConfirmedBy, k.ConfirmedAt)
	if err != nil {
		return Kept{}, fmt.Errorf("keep late interest: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return Kept{}, err
	}
	if n == 0 {
		return Kept{}, fault.New(fault.Conflict, "Late interest for this invoice is confirmed already. Withdraw it first to work it out anew.")
	}
	return k, nil
}

// Withdraw takes a confirmed claim back; it stays on file. fault.NotFound when there is none, fault.Conflict when it is
// withdrawn already.
func Withdraw(ctx context.Context, tx *sql.Tx, id, reason, by string, at int64) error {
	result, err := tx.ExecContext(ctx, `
		UPDATE late_interest SET status = 'withdrawn', withdrawn_by = $1, withdrawn_at = $2, reason = $3 WHERE id = $4 AND status = 'confirmed'`, by, at, reason, id)
	if err != nil {
		return fmt.Errorf("withdraw late interest: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil || n == 1 {
		return err
	}
	_, err = Find(ctx, tx, id)
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "It is withdrawn already.")
}

// Find answers one confirmed claim, or fault.NotFound.
func Find(ctx context.Context, tx *sql.Tx, id string) (Kept, error) {
	all, err := selectKept(ctx, tx, `WHERE id = $1`, id)
	if err != nil {
		return Kept{}, err
	}
	if len(all) == 0 {
		return Kept{}, fault.New(fault.NotFound, "There is no such claim.")
	}
	return all[0], nil
}

// OfCustomer answers what was ever confirmed for a customer, oldest first.
func OfCustomer(ctx context.Context, tx *sql.Tx, customer string) ([]Kept, error) {
	return selectKept(ctx, tx, `WHERE customer_id = $1 ORDER BY confirmed_at, id`, customer)
}

// Erase puts the customer's id where their name stands on the papers of a customer who is being erased. What was worked
// out stays as it was confirmed.
func Erase(ctx context.Context, tx *sql.Tx, customer string) error {
	all, err := OfCustomer(ctx, tx, customer)
	if err != nil {
		return err
	}
	for _, k := range all {
		_, err = tx.ExecContext(ctx, `UPDATE late_interest SET document = $1 WHERE id = $2`, nameless(k.Document, customer), k.ID)
		if err != nil {
			return fmt.Errorf("make a paper nameless: %w", err)
		}
	}
	return nil
}

// nameless is a claim's document to somebody whose name is not known any more.
func nameless(document, customer string) string {
	lines := strings.Split(document, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, addressee) {
			lines[i] = addressee + customer
			break
		}
	}
	return strings.Join(lines, "\n")
}

const keptColumns = `id, customer_id, invoice_id, status, country, currency, interest, fixed, fixed_currency, document, confirmed_by, confirmed_at, withdrawn_by, withdrawn_at, reason`

func selectKept(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Kept, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+keptColumns+` FROM late_interest `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read late interest: %w", err)
	}
	defer rows.Close()
	var all []Kept
	for rows.Next() {
		var k Kept
		var status string
		err = rows.Scan(&k.ID, &k.CustomerID, &k.InvoiceID, &status, &k.Country, &k.Currency, &k.Interest, &k.Fixed, &k.FixedCurrency, &k.Document,
			&k.ConfirmedBy, &k.ConfirmedAt, &k.WithdrawnBy, &k.WithdrawnAt, &k.Reason)
		if err != nil {
			return nil, fmt.Errorf("read late interest: %w", err)
		}
		k.Withdrawn = status == "withdrawn"
		all = append(all, k)
	}
	return all, rows.Err()
}
