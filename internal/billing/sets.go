package billing

import (
	"context"
	"database/sql"
	"fmt"

	"sollecito/internal/database"
)

// What is asked about many at once is asked in one statement, whose answer is by id. Unknown ids are left out.

// InvoicesByID answers the invoices with these ids.
func InvoicesByID(ctx context.Context, tx *sql.Tx, ids []string) (map[string]Invoice, error) {
	all := make(map[string]Invoice, len(ids))
	if len(ids) == 0 {
		return all, nil
	}
	marks, args := database.List(ids)
	found, err := selectInvoices(ctx, tx, `WHERE id IN (`+marks+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read invoices: %w", err)
	}
	for _, i := range found {
		all[i.ID] = i
	}
	return all, nil
}

// MethodsByID answers the payment methods with these ids, whichever customer's they are. A guest's is nobody's.
func MethodsByID(ctx context.Context, tx *sql.Tx, ids []string) (map[string]Method, error) {
	if len(ids) == 0 {
		return map[string]Method{}, nil
	}
	marks, args := database.List(ids)
	return methodsByID(selectMethods(ctx, tx, `WHERE NOT guest AND id IN (`+marks+`)`, args...))
}

// WhoPressed answers which of the customers pressed a button to pay since the instant, as AttemptsSince does for one.
func WhoPressed(ctx context.Context, tx *sql.Tx, customers []string, since int64) (map[string]bool, error) {
	all := map[string]bool{}
	if len(customers) == 0 {
		return all, nil
	}
	marks, args := database.List(customers)
	found, err := database.Strings(ctx, tx, fmt.Sprintf(`
		SELECT DISTINCT customer_id FROM attempts
		WHERE customer_id IN (%s) AND started_at >= $%d AND initiator = 'customer' AND id <> charge`, marks, len(args)+1), append(args, since)...)
	if err != nil {
		return nil, fmt.Errorf("read who is paying: %w", err)
	}
	for _, customer := range found {
		all[customer] = true
	}
	return all, nil
}
