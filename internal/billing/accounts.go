package billing

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// Save keeps what one reading of the processor said, read at readAt (unix seconds, taken before the reading
// began). A reading older than what is stored changes nothing; paid and void are final; the first failure of an
// invoice is remembered for good. Of an erased customer nothing is kept, and the error IsErased.
func Save(ctx context.Context, tx *sql.Tx, a Account, readAt int64) error {
	stored, err := FindCustomer(ctx, tx, a.Customer.ID)
	if IsErased(err) || err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return SaveOver(ctx, tx, Stored{Customer: stored}, a, readAt)
}

// SavePart is Save for a reading that does not show all a customer has, such as one page of a listing of invoices. The
// customer does not count as read as a whole: a decision about them reads them again.
func SavePart(ctx context.Context, tx *sql.Tx, a Account, readAt int64) error {
	stored, err := FindCustomer(ctx, tx, a.Customer.ID)
	if IsErased(err) || err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	err = SaveOver(ctx, tx, Stored{Customer: stored}, a, readAt)
	if err != nil || stored.SyncedAt > readAt {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE customers SET synced_at = $1 WHERE id = $2`, stored.SyncedAt, a.Customer.ID)
	return err
}

// SaveInvoice keeps one invoice and the methods it names, read at readAt. Its customer must be stored, and not erased.
func SaveInvoice(ctx context.Context, tx *sql.Tx, i Invoice, methods []Method, readAt int64) error {
	_, err := FindCustomer(ctx, tx, i.CustomerID)
	if err != nil {
		return err
	}
	for _, m := range methods {
		err = saveMethod(ctx, tx, m, readAt)
		if err != nil {
			return err
		}
	}
	return saveInvoice(ctx, tx, i, readAt)
}

// FindCustomer answers a customer, or fault.NotFound. An erased customer is NotFound too, so that no caller goes on with
// one; IsErased tells the two apart.
func FindCustomer(ctx context.Context, tx *sql.Tx, id string) (Customer, error) {
	found, err := selectCustomers(ctx, tx, `WHERE id = $1`, id)
	if err != nil {
		return Customer{}, err
	}
	if len(found) == 0 {
		return Customer{}, fault.New(fault.NotFound, "There is no customer %s.", id)
	}
	return found[0].orErased()
}

// FindCustomerAnd is FindCustomer together with questions about tables that hold nothing about most customers: in the same
// statement it answers for each question whether any row matches, which saves reading those tables. A question is what
// follows SELECT, about customers.id.
func FindCustomerAnd(ctx context.Context, tx *sql.Tx, id string, questions ...string) (Customer, []bool, error) {
	answers, into := make([]bool, len(questions)), make([]any, len(questions))
	for i := range answers {
		into[i] = &answers[i]
	}
	c, err := scanCustomer(tx.QueryRowContext(ctx, `
		SELECT `+customerColumns+`, EXISTS (SELECT 1 `+strings.Join(questions, `), EXISTS (SELECT 1 `)+`)
		FROM customers WHERE id = $1`, id), into...)
	if errors.Is(err, sql.ErrNoRows) {
		return Customer{}, nil, fault.New(fault.NotFound, "There is no customer %s.", id)
	}
	if err != nil {
		return Customer{}, nil, err
	}
	c, err = c.orErased()
	return c, answers, err
}

// CustomersByEmail answers the customers whose address on file is this one, whatever its case.
func CustomersByEmail(ctx context.Context, tx *sql.Tx, address string) ([]Customer, error) {
	return selectCustomers(ctx, tx, `WHERE lower(email) = $1 AND NOT deleted ORDER BY created_at DESC LIMIT 5`,
		strings.ToLower(strings.TrimSpace(address)))
}

// CustomersByNumber answers whose invoices carry a number, whatever the case of its letters.
func CustomersByNumber(ctx context.Context, tx *sql.Tx, number string) ([]Customer, error) {
	return selectCustomers(ctx, tx, `WHERE NOT deleted AND id IN (SELECT customer_id FROM invoices WHERE number <> '' AND lower(number) = lower($1)) ORDER BY id`, number)
}

// SetLanguage keeps the language a customer chose on our pages. It holds the customer.
func SetLanguage(ctx context.Context, tx *sql.Tx, customer, language string) error {
	err := database.Hold(ctx, tx, customer)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE customers SET language = $1 WHERE id = $2`, language, customer)
	return err
}

// FindInvoice answers an invoice, or fault.NotFound.
func FindInvoice(ctx context.Context, tx *sql.Tx, id string) (Invoice, error) {
	found, err := selectInvoices(ctx, tx, `WHERE id = $1`, id)
	if err != nil {
		return Invoice{}, err
	}
	if len(found) == 0 {
		return Invoice{}, fault.New(fault.NotFound, "There is no invoice %s.", id)
	}
	return found[0], nil
}

// OpenInvoices answers the customer's invoices on which money is still expected, oldest first.
func OpenInvoices(ctx context.Context, tx *sql.Tx, customer string) ([]Invoice, error) {
	return selectInvoices(ctx, tx, `
		WHERE customer_id = $1 AND status = 'open' AND amount_remaining > 0
		ORDER BY created_at, number, id`, customer)
}

// Unsettled answers the customer's invoices that a reading of Stripe's open ones may say nothing about although
// something can still become of them: those stored as open, and the latest ones written off, which can yet be paid.
func Unsettled(ctx context.Context, tx *sql.Tx, customer string) ([]Invoice, error) {
	owed, err := selectInvoices(ctx, tx, `
		WHERE customer_id = $1 AND status IN ('open', 'uncollectible') AND amount_remaining > 0
		ORDER BY status = 'uncollectible', created_at DESC, id`, customer)
	open := len(owed)
	for open > 0 && owed[open-1].WrittenOff() {
		open--
	}
	return owed[:min(len(owed), open+unsettledGiven)], err
}

// unsettledGiven is how many of the invoices written off last Unsettled answers.
const unsettledGiven = 5

// Overdue answers the customer's invoices a case would be about at now (unix seconds), oldest first.
func Overdue(ctx context.Context, tx *sql.Tx, customer string, now int64) ([]Invoice, error) {
	open, err := OpenInvoices(ctx, tx, customer)
	if err != nil {
		return nil, err
	}
	var overdue []Invoice
	for _, i := range open {
		if i.Overdue(now) {
			overdue = append(overdue, i)
		}
	}
	return overdue, nil
}

// PastDue answers up to limit customers with an open invoice, to be paid by hand, whose due date has passed and
// that no case knows. Such an invoice never "fails": nobody tells us, the day just comes.
func PastDue(ctx context.Context, tx *sql.Tx, now int64, limit int) ([]string, error) {
	return database.Strings(ctx, tx, `SELECT DISTINCT customer_id FROM invoices WHERE `+unseenByHand+` AND due_at <= $1 LIMIT $2`, now, limit)
}

// PassesDue asks when the next invoice to be paid by hand, which no case knows, passes its due date: a statement that answers
// one instant, NULL for none.
const PassesDue = `SELECT min(due_at) FROM invoices WHERE ` + unseenByHand

// EnterCase keeps that a case is about the invoice: from then on no due date of it opens another one.
func EnterCase(ctx context.Context, tx *sql.Tx, invoice string) error {
	_, err := tx.ExecContext(ctx, `UPDATE invoices SET in_case = true WHERE id = $1`, invoice)
	return err
}

// EnterCases is EnterCase for all the customer's invoices that some case is about: a program that knew nothing of EnterCase
// may have opened theirs.
func EnterCases(ctx context.Context, tx *sql.Tx, customer string) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE invoices SET in_case = true
		WHERE customer_id = $1 AND NOT in_case AND EXISTS (SELECT 1 FROM case_invoices m WHERE m.invoice_id = invoices.id)`, customer)
	return err
}

const unseenByHand = `status = 'open' AND collection_method = 'send_invoice' AND amount_remaining > 0 AND due_at > 0
	AND billing_reason <> 'subscription_create'
	AND NOT in_case
	AND NOT EXISTS (SELECT 1 FROM customers c WHERE c.id = invoices.customer_id AND c.deleted)`

// Invoices answers all the customer's invoices we know, newest first.
func Invoices(ctx context.Context, tx *sql.Tx, customer string) ([]Invoice, error) {
	return selectInvoices(ctx, tx, `WHERE customer_id = $1 ORDER BY created_at DESC, number DESC, id`, customer)
}

// ClosedInvoices answers the customer's invoices that are paid or written off, newest first.
func ClosedInvoices(ctx context.Context, tx *sql.Tx, customer string) ([]Invoice, error) {
	return selectInvoices(ctx, tx, `
		WHERE customer_id = $1 AND status IN ('paid', 'uncollectible') ORDER BY created_at DESC, number DESC, id`, customer)
}

// KeepMethod keeps a method of a stored customer as just read, so that tries with it are counted on its card. It holds the
// customer, who must not be erased.
func KeepMethod(ctx context.Context, tx *sql.Tx, m Method, readAt time.Time) error {
	err := database.Hold(ctx, tx, m.CustomerID)
	if err != nil {
		return err
	}
	_, err = FindCustomer(ctx, tx, m.CustomerID)
	if err != nil {
		return err
	}
	return saveMethod(ctx, tx, m, readAt.Unix())
}

// FindMethod answers a payment method of the customer, or fault.NotFound. A guest's is not theirs.
func FindMethod(ctx context.Context, tx *sql.Tx, customer, id string) (Method, error) {
	return findMethod(ctx, tx, `id = $1 AND customer_id = $2 AND NOT guest`, customer, id)
}

// KindOf answers the type of a payment method, whoever's it is, or fault.NotFound.
func KindOf(ctx context.Context, tx *sql.Tx, method string) (string, error) {
	kind := ""
	err := tx.QueryRowContext(ctx, `SELECT type FROM methods WHERE id = $1`, method).Scan(&kind)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fault.New(fault.NotFound, "There is no payment method %s.", method)
	}
	return kind, err
}

func findMethod(ctx context.Context, tx *sql.Tx, which, customer, id string) (Method, error) {
	found, err := selectMethods(ctx, tx, `WHERE `+which, id, customer)
	if err != nil {
		return Method{}, err
	}
	if len(found) == 0 {
		return Method{}, fault.New(fault.NotFound, "There is no payment method %s.", id)
	}
	return found[0], nil
}

// Subscriptions answers the customer's subscriptions, live ones first.
func Subscriptions(ctx context.Context, tx *sql.Tx, customer string) ([]Subscription, error) {
	return selectSubscriptions(ctx, tx, `WHERE customer_id = $1 ORDER BY status = 'canceled', id`, customer)
}

func selectSubscriptions(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Subscription, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, customer_id, status, description, period, default_method, period_end, cancel_at, amount, currency,
			automatic, trial_missing
		FROM subscriptions `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Subscription
	for rows.Next() {
		var s Subscription
		err = rows.Scan(&s.ID, &s.CustomerID, &s.Status, &s.Description, &s.Interval, &s.DefaultMethod,
			&s.PeriodEnd, &s.CancelAt, &s.Amount.Minor, &s.Amount.Currency, &s.Automatic, &s.TrialMissing)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}
