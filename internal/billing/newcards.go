package billing

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"time"

	"sollecito/internal/database"
)

// ways are the methods a customer's charges are made with, and what is known of each: by id, its number and date.
type ways map[string]string

// unknownDetails are those of a method whose details were never read.
const unknownDetails = " 0"

// waysOf answers the methods in use as stored: the customer's default and those of their living subscriptions. Nil for a
// customer who was never read.
func waysOf(ctx context.Context, tx *sql.Tx, customer string) (ways, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT w.id, coalesce(m.last4, ''), coalesce(m.exp_month, 0) + 12 * coalesce(m.exp_year, 0)
		FROM (SELECT default_method AS id FROM customers WHERE id = $1 AND synced_at > 0
			UNION SELECT s.default_method FROM subscriptions s JOIN customers c ON c.id = s.customer_id AND c.synced_at > 0
				WHERE s.customer_id = $1 AND s.status NOT IN ('canceled', 'incomplete', 'incomplete_expired')) w
		LEFT JOIN methods m ON m.id = w.id`, customer)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all ways
	for rows.Next() {
		var id, last4 string
		var until int64
		err = rows.Scan(&id, &last4, &until)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = ways{}
		}
		all[id] = fmt.Sprintf("%s %d", last4, until)
	}
	return all, rows.Err()
}

// noteNewCards notes the methods that are in use since before, or have other details, while something is overdue.
func noteNewCards(ctx context.Context, tx *sql.Tx, customer string, before ways, now time.Time) error {
	if before == nil {
		return nil
	}
	after, err := waysOf(ctx, tx, customer)
	if err != nil {
		return err
	}
	maps.DeleteFunc(after, func(id, details string) bool {
		was, known := before[id]
		return id == "" || known && (was == details || was == unknownDetails)
	})
	if len(after) == 0 {
		return nil
	}
	overdue, err := Overdue(ctx, tx, customer, now.Unix())
	if err != nil || len(overdue) == 0 {
		return err
	}
	for id := range after {
		_, err = tx.ExecContext(ctx, `
			INSERT INTO new_cards (customer_id, method_id, seen_at, due_at, why) VALUES ($1, $2, $3, $3, '')
			ON CONFLICT (customer_id, method_id, seen_at) DO NOTHING`, customer, id, now.Unix())
		if err != nil {
			return err
		}
	}
	return nil
}

// NewCard is a method that came into use while something was overdue. Instants are unix seconds.
type NewCard struct {
	CustomerID string
	MethodID   string
	SeenAt     int64
	DueAt      int64  // when it is looked at next, 0 when it is done with
	Why        string // how it ended, or what it waits for
}

// NewCards answers up to limit new cards that want to be looked at by now (unix seconds).
func NewCards(ctx context.Context, tx *sql.Tx, now int64, limit int) ([]NewCard, error) {
	return selectNewCards(ctx, tx, `WHERE due_at > 0 AND due_at <= $1 ORDER BY due_at, customer_id LIMIT $2`, now, limit)
}

// NextNewCard answers when the next new card wants to be looked at, 0 when none does.
func NextNewCard(ctx context.Context, tx *sql.Tx) (int64, error) {
	var at sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT min(due_at) FROM new_cards WHERE due_at > 0`).Scan(&at)
	return at.Int64, err
}

// SettleNewCard keeps what became of a new card, or until when it waits, and reports whether that is news.
func SettleNewCard(ctx context.Context, tx *sql.Tx, c NewCard) (bool, error) {
	var was string
	err := tx.QueryRowContext(ctx, `SELECT why FROM new_cards WHERE customer_id = $1 AND method_id = $2 AND seen_at = $3 AND due_at > 0`,
		c.CustomerID, c.MethodID, c.SeenAt).Scan(&was)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE new_cards SET due_at = $1, why = $2 WHERE customer_id = $3 AND method_id = $4 AND seen_at = $5`,
		c.DueAt, c.Why, c.CustomerID, c.MethodID, c.SeenAt)
	return c.Why != was, err
}

// RenewedAt answers when the bank last sent new details of a method, in unix seconds, 0 when it never did.
func RenewedAt(ctx context.Context, tx *sql.Tx, method string) (int64, error) {
	var at int64
	err := tx.QueryRowContext(ctx, `SELECT coalesce(max(renewed_at), 0) FROM methods WHERE id = $1`, method).Scan(&at)
	return at, err
}

// OwnUpdate tells of a method whether the customer left it on our own page, which charges what they chose by itself, or
// chose it there for another's place, which charges nothing; and whether they are at such a page just now: since the
// instant (unix seconds).
func OwnUpdate(ctx context.Context, tx *sql.Tx, customer, method string, since int64) (done, underWay bool, err error) {
	var saved, started int64
	err = tx.QueryRowContext(ctx, `
		SELECT count(CASE WHEN status = 'saved' AND method_id = $2 THEN 1 END)
			+ (SELECT count(*) FROM removals WHERE customer_id = $1 AND successor = $2), count(CASE WHEN status = 'started' AND started_at >= $3 THEN 1 END)
		FROM attempts WHERE customer_id = $1 AND kind = 'setup'`, customer, method, since).Scan(&saved, &started)
	return saved > 0, started > 0, err
}

// TriedWith answers the invoices of a customer that somebody charged with the method, or means to, since its bank last
// sent new details of it.
func TriedWith(ctx context.Context, tx *sql.Tx, customer, method string) ([]string, error) {
	renewed, err := RenewedAt(ctx, tx, method)
	if err != nil {
		return nil, err
	}
	return database.Strings(ctx, tx, `
		SELECT invoice_id FROM attempts
		WHERE customer_id = $1 AND method_id = $2 AND started_at >= $3 AND kind = 'charge' AND status <> 'failed'
		UNION SELECT id FROM invoices WHERE customer_id = $1 AND method_id = $2 AND failed_at > $3`,
		customer, method, renewed)
}

func selectNewCards(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]NewCard, error) {
	rows, err := tx.QueryContext(ctx, `SELECT customer_id, method_id, seen_at, due_at, why FROM new_cards `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []NewCard
	for rows.Next() {
		var c NewCard
		err = rows.Scan(&c.CustomerID, &c.MethodID, &c.SeenAt, &c.DueAt, &c.Why)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}
