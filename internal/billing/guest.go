package billing

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// Guest is a card that somebody else types to pay one invoice of a customer. It is written down before it can be typed,
// so that it is surely taken off again. Instants are unix seconds.
type Guest struct {
	Press      string
	CustomerID string
	InvoiceID  string
	MethodID   string // "" until it was typed
	StartedAt  int64
	GoneAt     int64 // 0 while it may be on the customer
}

// ExpectGuest keeps that a guest's card may come with a press.
func ExpectGuest(ctx context.Context, tx *sql.Tx, g Guest) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO guest_cards (press, customer_id, invoice_id, method_id, started_at, gone_at) VALUES ($1, $2, $3, '', $4, 0)
		ON CONFLICT (press) DO NOTHING`, g.Press, g.CustomerID, g.InvoiceID, g.StartedAt)
	if err != nil {
		return fmt.Errorf("expect a guest's card: %w", err)
	}
	return nil
}

// GuestCame keeps which card came with a press, and that it is nobody's on file.
func GuestCame(ctx context.Context, tx *sql.Tx, press, method string) error {
	_, err := tx.ExecContext(ctx, `UPDATE guest_cards SET method_id = $1 WHERE press = $2`, method, press)
	if err != nil {
		return fmt.Errorf("keep a guest's card: %w", err)
	}
	_, err = tx.ExecContext(ctx, `UPDATE methods SET guest = true WHERE id = $1`, method)
	return err
}

// IsGuests reports whether a method is a guest's card.
func IsGuests(ctx context.Context, tx *sql.Tx, method string) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM methods WHERE id = $1 AND guest`, method).Scan(&n)
	return n > 0, err
}

// WithoutGuests answers those of a customer's methods at Stripe that are no guest's card. While one may be on its way, what
// is not known to be the customer's is left out: it may be the guest's.
func WithoutGuests(ctx context.Context, tx *sql.Tx, customer string, methods []Method) ([]Method, error) {
	expected := false
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM guest_cards WHERE customer_id = $1 AND gone_at = 0 AND method_id = '')`, customer).Scan(&expected)
	if err != nil {
		return nil, fmt.Errorf("read guests' cards: %w", err)
	}
	known := map[string]bool{}
	rows, err := tx.QueryContext(ctx, `SELECT id, guest FROM methods WHERE customer_id = $1`, customer)
	if err != nil {
		return nil, fmt.Errorf("read guests' cards: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var guests bool
		err = rows.Scan(&id, &guests)
		if err != nil {
			return nil, err
		}
		known[id] = guests
	}
	own := slices.DeleteFunc(slices.Clone(methods), func(m Method) bool {
		guests, stored := known[m.ID]
		return guests || expected && !stored
	})
	return own, rows.Err()
}

// GuestGone keeps that a guest's card was taken off, or never came.
func GuestGone(ctx context.Context, tx *sql.Tx, press string, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE guest_cards SET gone_at = $1 WHERE press = $2 AND gone_at = 0`, now, press)
	return err
}

// FindGuest answers the guest's card of a press, and false when there is none.
func FindGuest(ctx context.Context, tx *sql.Tx, press string) (Guest, bool, error) {
	var g Guest
	err := tx.QueryRowContext(ctx, `SELECT press, customer_id, invoice_id, method_id, started_at, gone_at FROM guest_cards WHERE press = $1`, press).
		Scan(&g.Press, &g.CustomerID, &g.InvoiceID, &g.MethodID, &g.StartedAt, &g.GoneAt)
	if errors.Is(err, sql.ErrNoRows) {
		return Guest{}, false, nil
	}
	return g, err == nil, err
}

// GuestsHere answers up to limit guests' cards expected before an instant (unix seconds) that may be on their customer,
// but for those with which a bank still works on a debit.
func GuestsHere(ctx context.Context, tx *sql.Tx, before int64, limit int) ([]Guest, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT press, customer_id, invoice_id, method_id, started_at, gone_at FROM guest_cards
		WHERE gone_at = 0 AND started_at < $1
			AND NOT EXISTS (SELECT 1 FROM invoices i WHERE i.id = guest_cards.invoice_id AND i.status = 'open'
				AND i.intent_status = 'processing' AND i.method_id = guest_cards.method_id)
		ORDER BY started_at LIMIT $2`, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read guests' cards: %w", err)
	}
	defer rows.Close()
	var all []Guest
	for rows.Next() {
		var g Guest
		err = rows.Scan(&g.Press, &g.CustomerID, &g.InvoiceID, &g.MethodID, &g.StartedAt, &g.GoneAt)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, rows.Err()
}

// SetupOf answers the attempt with which a press keeps a card, and false when there is none.
func SetupOf(ctx context.Context, tx *sql.Tx, press string) (Attempt, bool, error) {
	found, err := selectAttempts(ctx, tx, `WHERE press = $1 AND kind = 'setup'`, press)
	if err != nil || len(found) == 0 {
		return Attempt{}, false, err
	}
	return found[0], true, nil
}
