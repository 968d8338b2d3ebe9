package billing

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"sollecito/internal/fault"
)

// historyOf is how far back the tries on a card are looked at: a hard decline is remembered for a year.
const historyOf = 365 * day

// MayCharge answers whether the invoice may be charged with a method of its customer at the instant at. It is the one
// question that is asked before any charge is started, whoever wants it, and the customer must be held from the
// question to the charge. It does not look at the case: who starts a charge by itself asks that too. An unknown method
// is judged by its id alone. press is the one that charges it, "" before there is any: the others of a press whose turn has
// not come, and may all be paid, fill no window.
func MayCharge(ctx context.Context, tx *sql.Tx, press string, by Initiator, i Invoice, method string, at time.Time) (Verdict, error) {
	m, renewed, err := methodToCharge(ctx, tx, i.CustomerID, method)
	if err != nil {
		return Verdict{}, err
	}
	past, err := triesOn(ctx, tx, m.CardKey(), i.CustomerID, at.Add(-historyOf).Unix())
	if err != nil {
		return Verdict{}, err
	}
	past = slices.DeleteFunc(past, func(a Attempt) bool { return press != "" && a.Press == press && a.Status == AttemptStarted })
	return DefaultBudget().Judge(Try{By: by, Invoice: i, Method: m, Renewed: renewed, At: at.Unix()}, past), nil
}

func methodToCharge(ctx context.Context, tx *sql.Tx, customer, id string) (Method, int64, error) {
	m, err := findMethod(ctx, tx, `id = $1 AND customer_id = $2`, customer, id) // a guest's card counts as any other
	if fault.Is(err, fault.NotFound) {
		return Method{ID: id, CustomerID: customer}, 0, nil
	}
	if err != nil {
		return Method{}, 0, err
	}
	renewed, err := RenewedAt(ctx, tx, id)
	return m, renewed, err
}

// MethodFor answers the id of the method to charge an invoice with, in Stripe's own order: the invoice's, its
// subscription's, the customer's; "" when there is none.
func MethodFor(ctx context.Context, tx *sql.Tx, i Invoice) (string, error) {
	var id string
	err := tx.QueryRowContext(ctx, `
		SELECT coalesce(nullif(i.own_method, ''),
			nullif((SELECT s.default_method FROM subscriptions s WHERE s.id = i.subscription_id), ''), c.default_method)
		FROM invoices i JOIN customers c ON c.id = i.customer_id WHERE i.id = $1`, i.ID).Scan(&id)
	return id, err
}
