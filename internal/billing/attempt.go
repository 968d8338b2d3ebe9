package billing

import (
	"context"
	"database/sql"
	"strings"

	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// Attempt is one thing a customer's press asked of Stripe: charging one invoice, or keeping a card. It is
// written before the call; its ID is the idempotency key, so that a crash between writing and hearing the answer
// can be mended by asking again. Press is the page's press: a second click of the same button carries the same
// one and finds the same attempt.
type Attempt struct {
	ID         string
	Press      string
	CustomerID string
	InvoiceID  string // "" for keeping a card
	MethodID   string
	Kind       string // charge, setup
	Status     AttemptStatus
	Amount     Money
	Decline    Decline // Code and DeclineCode only
	Reference  string  // Stripe's intent
	StartedAt  int64
	EndedAt    int64
}

// promisePress begins the press of a charge that was promised for a day; a page's press begins otherwise.
const promisePress = "prm_"

// Promised reports whether the customer had set the day for it and is not there to be asked by their bank.
func (a Attempt) Promised() bool { return strings.HasPrefix(a.Press, promisePress) }

// AttemptStatus says how an attempt stands.
type AttemptStatus string

const (
	AttemptStarted    AttemptStatus = "started"    // asked, no answer kept yet
	AttemptPaid       AttemptStatus = "paid"       // the money is taken
	AttemptProcessing AttemptStatus = "processing" // a bank debit is under way
	AttemptAction     AttemptStatus = "action"     // the bank wants the customer to approve
	AttemptDeclined   AttemptStatus = "declined"   // the bank said no; nothing was taken
	AttemptFailed     AttemptStatus = "failed"     // it could not be asked for; nothing was taken
	AttemptSaved      AttemptStatus = "saved"      // the card is kept
)

// StartAttempt keeps an attempt before Stripe is called and answers it. When the same press asked for the same
// invoice before, that attempt is answered instead and fresh is false.
func StartAttempt(ctx context.Context, tx *sql.Tx, a Attempt) (kept Attempt, fresh bool, err error) {
	a.ID = database.NewID("att")
	a.Status = AttemptStarted
	res, err := tx.ExecContext(ctx, `
		INSERT INTO attempts (id, press, customer_id, invoice_id, method_id, kind, status,
			amount, currency, code, decline_code, reference, started_at, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '', $10, $11, 0)
		ON CONFLICT (press, invoice_id) DO NOTHING`,
		a.ID, a.Press, a.CustomerID, a.InvoiceID, a.MethodID, a.Kind, a.Status,
		a.Amount.Minor, a.Amount.Currency, a.Reference, a.StartedAt)
	if err != nil {
		return Attempt{}, false, err
	}
	added, err := res.RowsAffected()
	if err != nil {
		return Attempt{}, false, err
	}
	if added == 1 {
		return a, true, nil
	}
	kept, err = findAttempt(ctx, tx, a.Press, a.InvoiceID)
	if err == nil && kept.CustomerID != a.CustomerID {
		return Attempt{}, false, fault.New(fault.Conflict, "The form is not one of ours.")
	}
	return kept, false, err
}

// SetReference keeps Stripe's intent of an attempt that is under way.
func SetReference(ctx context.Context, tx *sql.Tx, id, reference string) error {
	_, err := tx.ExecContext(ctx, `UPDATE attempts SET reference = $1 WHERE id = $2 AND reference IN ('', $1)`, reference, id)
	return err
}

// EndAttempt keeps how an attempt came out.
func EndAttempt(ctx context.Context, tx *sql.Tx, a Attempt) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE attempts SET status = $1, method_id = $2, code = $3, decline_code = $4, reference = $5, ended_at = $6
		WHERE id = $7`,
		a.Status, a.MethodID, a.Decline.Code, a.Decline.DeclineCode, a.Reference, a.EndedAt, a.ID)
	return err
}

func findAttempt(ctx context.Context, tx *sql.Tx, press, invoice string) (Attempt, error) {
	found, err := selectAttempts(ctx, tx, `WHERE press = $1 AND invoice_id = $2`, press, invoice)
	if err != nil {
		return Attempt{}, err
	}
	if len(found) == 0 {
		return Attempt{}, fault.New(fault.NotFound, "There is no such attempt.")
	}
	return found[0], nil
}

// AttemptsOf answers the attempts of one press, in the order they were made.
func AttemptsOf(ctx context.Context, tx *sql.Tx, customer, press string) ([]Attempt, error) {
	return selectAttempts(ctx, tx, `WHERE customer_id = $1 AND press = $2 ORDER BY started_at, id`, customer, press)
}

// SetupByReference answers the kept attempt behind a SetupIntent of ours, or fault.NotFound.
func SetupByReference(ctx context.Context, tx *sql.Tx, reference string) (Attempt, error) {
	found, err := selectAttempts(ctx, tx, `WHERE kind = 'setup' AND reference = $1`, reference)
	if err != nil {
		return Attempt{}, err
	}
	if len(found) == 0 {
		return Attempt{}, fault.New(fault.NotFound, "There is no such card update.")
	}
	return found[0], nil
}

// UnansweredAttempts answers attempts started before the instant (unix seconds) whose outcome was never kept. Card
// fields that Stripe has made and that are still open on somebody's page are left until typing (an earlier instant).
func UnansweredAttempts(ctx context.Context, tx *sql.Tx, before, typing int64, limit int) ([]Attempt, error) {
	return selectAttempts(ctx, tx, `
		WHERE status = 'started' AND started_at < $1 AND (kind = 'charge' OR reference = '' OR started_at < $2)
		ORDER BY started_at LIMIT $3`, before, typing, limit)
}

// AttemptsSince answers the customer's own attempts started at or after since (unix seconds), newest first.
func AttemptsSince(ctx context.Context, tx *sql.Tx, customer string, since int64) ([]Attempt, error) {
	return selectAttempts(ctx, tx, `WHERE customer_id = $1 AND started_at >= $2 ORDER BY started_at DESC, id`, customer, since)
}

func selectAttempts(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Attempt, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, press, customer_id, invoice_id, method_id, kind, status, amount, currency,
			code, decline_code, reference, started_at, ended_at
		FROM attempts `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []Attempt
	for rows.Next() {
		var a Attempt
		err = rows.Scan(&a.ID, &a.Press, &a.CustomerID, &a.InvoiceID, &a.MethodID, &a.Kind, &a.Status,
			&a.Amount.Minor, &a.Amount.Currency, &a.Decline.Code, &a.Decline.DeclineCode, &a.Reference, &a.StartedAt, &a.EndedAt)
		if err != nil {
			return nil, err
		}
		found = append(found, a)
	}
	return found, rows.Err()
}
