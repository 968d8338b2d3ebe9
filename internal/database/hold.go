package database

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Hold lets one transaction at a time go on with a customer, until the transaction ends. Whoever reads in order to decide
// and write holds first; what is read after it stays true until the commit. A transaction that holds several takes customers
// in ascending order and the audit log last. That a customer was held is counted, so that what was decided of them before
// and aside can be known to stand, or not (Held).
//
// Each engine has a function hold of its own: SQLite's, where there is one writer anyway, does nothing.
func Hold(ctx context.Context, tx *sql.Tx, customer string) error {
	// CASE has the function asked right before the row is written, and nobody reason it away.
	_, err := tx.ExecContext(ctx, `
		INSERT INTO holds (customer_id, times) VALUES (CASE WHEN hold($1) IS NULL THEN $1 ELSE $1 END, 1)
		ON CONFLICT (customer_id) DO UPDATE SET times = holds.times + 1`, customer)
	if err != nil {
		return fmt.Errorf("hold %s: %w", customer, err)
	}
	return nil
}

// HoldAll is Hold for several customers, who must be in ascending order.
func HoldAll(ctx context.Context, tx *sql.Tx, customers []string) error {
	if len(customers) == 0 {
		return nil
	}
	if len(customers) == 1 {
		return Hold(ctx, tx, customers[0])
	}
	err := HoldQuietly(ctx, tx, customers...)
	if err != nil {
		return err
	}
	marks, args := List(customers)
	_, err = tx.ExecContext(ctx, `
		WITH asked (id) AS (VALUES (`+strings.ReplaceAll(marks, ", ", "), (")+`))
		INSERT INTO holds (customer_id, times)
		SELECT DISTINCT id, 1 FROM asked WHERE true
		ON CONFLICT (customer_id) DO UPDATE SET times = holds.times + 1`, args...)
	if err != nil {
		return fmt.Errorf("count that %s were held: %w", strings.Join(customers, ", "), err)
	}
	return nil
}

// HoldQuietly is HoldAll without the count, in ascending order: for customers of whom nothing changes that is decided aside,
// and for whatever else must not be decided by two at once (the audit log).
func HoldQuietly(ctx context.Context, tx *sql.Tx, names ...string) error {
	if len(names) == 0 {
		return nil
	}
	marks, args := List(names)
	_, err := tx.ExecContext(ctx, `SELECT hold(`+strings.ReplaceAll(marks, ", ", "), hold(")+`)`, args...)
	if err != nil {
		return fmt.Errorf("hold %s: %w", strings.Join(names, ", "), err)
	}
	return nil
}

// Held answers how often each of the customers was held by somebody who may have changed something of theirs. What is read
// after it, in a transaction that need hold nobody, still stands in a later one that holds them (HoldQuietly) and is
// answered the same numbers.
func Held(ctx context.Context, tx *sql.Tx, customers []string) (map[string]int64, error) {
	times := make(map[string]int64, len(customers))
	if len(customers) == 0 {
		return times, nil
	}
	marks, args := List(customers)
	rows, err := tx.QueryContext(ctx, `SELECT customer_id, times FROM holds WHERE customer_id IN (`+marks+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read who was held: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var customer string
		var n int64
		err = rows.Scan(&customer, &n)
		if err != nil {
			return nil, fmt.Errorf("read who was held: %w", err)
		}
		times[customer] = n
	}
	return times, rows.Err()
}
