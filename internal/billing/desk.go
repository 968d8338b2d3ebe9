package billing

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"sollecito/internal/database"
)

// SearchCustomers answers up to limit customers whom what was typed may mean, past the first offset, by name: a
// Stripe id of a customer or an invoice or an invoice's number means exactly one, anything else is looked for in
// names and addresses. Nothing typed finds nobody.
func SearchCustomers(ctx context.Context, tx *sql.Tx, typed string, limit, offset int) ([]Customer, error) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return nil, nil
	}
	// SQLite folds the case of ASCII letters alone, so what was typed is also looked for as it stands.
	found, err := selectCustomers(ctx, tx, `
		WHERE id = $1 OR id IN (SELECT customer_id FROM invoices WHERE id = $1 OR (number <> '' AND upper(number) = $2))
			OR lower(name) LIKE $3 ESCAPE '!' OR name LIKE $4 ESCAPE '!' OR lower(email) LIKE $3 ESCAPE '!'
		ORDER BY deleted, lower(name), id LIMIT $5 OFFSET $6`,
		typed, strings.ToUpper(typed), containing(strings.ToLower(typed)), containing(typed), limit, offset)
	if err != nil {
		return nil, fmt.Errorf("search customers: %w", err)
	}
	return found, nil
}

// containing is the LIKE pattern of texts that hold what was typed, letter by letter: a typed % is a %.
func containing(typed string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(typed) + "%"
}

// NameOrAddress is the SQL condition that what was typed stands in the name or the address of the customers row named
// table, and its arguments, the first of which is argument number first. Nothing typed is met by all.
func NameOrAddress(table, typed string, first int) (condition string, args []any) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return "1 = 1", nil
	}
	return fmt.Sprintf(`(lower(%[1]s.name) LIKE $%[2]d ESCAPE '!' OR %[1]s.name LIKE $%[3]d ESCAPE '!' OR lower(%[1]s.email) LIKE $%[2]d ESCAPE '!')`, table, first, first+1),
		[]any{containing(strings.ToLower(typed)), containing(typed)}
}

// CustomersByID answers the customers with these ids, by id, erased ones too: lists show what is left of them. Unknown ids
// are left out.
func CustomersByID(ctx context.Context, tx *sql.Tx, ids []string) (map[string]Customer, error) {
	all := make(map[string]Customer, len(ids))
	if len(ids) == 0 {
		return all, nil
	}
	marks, args := database.List(ids)
	found, err := selectCustomers(ctx, tx, `WHERE id IN (`+marks+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read customers: %w", err)
	}
	for _, c := range found {
		all[c.ID] = c
	}
	return all, nil
}

// OpenByCustomer answers the open invoices of these customers, oldest first, by the customer's id.
func OpenByCustomer(ctx context.Context, tx *sql.Tx, customers []string) (map[string][]Invoice, error) {
	all := make(map[string][]Invoice, len(customers))
	if len(customers) == 0 {
		return all, nil
	}
	marks, args := database.List(customers)
	found, err := selectInvoices(ctx, tx, `
		WHERE customer_id IN (`+marks+`) AND status = 'open' AND amount_remaining > 0
		ORDER BY created_at, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read open invoices: %w", err)
	}
	for _, i := range found {
		all[i.CustomerID] = append(all[i.CustomerID], i)
	}
	return all, nil
}

// CountOpen answers how many customers we know to owe something, and on how many open invoices. Of erased ones nothing is
// known any more.
func CountOpen(ctx context.Context, tx *sql.Tx) (customers, invoices int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT count(DISTINCT customer_id), count(*) FROM invoices
		WHERE status = 'open' AND amount_remaining > 0 AND customer_id NOT IN (SELECT id FROM customers WHERE erased_at > 0)`).
		Scan(&customers, &invoices)
	if err != nil {
		return 0, 0, fmt.Errorf("count open invoices: %w", err)
	}
	return customers, invoices, nil
}
