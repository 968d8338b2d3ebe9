package billing

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// Attempt is one try to charge an invoice, whoever made it, or one order to keep a card.
//
// One of ours is written before Stripe is called; its ID is the idempotency key, so that a crash between writing and
// hearing the answer can be mended by asking again. Press is what asked for it: a second click of the same button, or a
// second look at the same retry, carries the same one and finds the same attempt. One that Stripe made, or was asked
// for elsewhere, is read from its charge, whose id is its ID and its Press.
type Attempt struct {
	ID         string
	Press      string
	CustomerID string
	InvoiceID  string // "" for keeping a card
	MethodID   string
	Kind       string // charge, setup
	By         Initiator
	Status     AttemptStatus
	Amount     Money
	Decline    Decline
	Reference  string // Stripe's intent
	Charge     string // Stripe's charge, "" when none is known
	Card       string // the card's fingerprint, the same for every method of one card; else the method's id
	Network    string // visa, mastercard, … as the networks' rules count; "" for what is no card
	StartedAt  int64
	EndedAt    int64
}

// Initiator says who wanted a charge.
type Initiator string

const (
	ByCustomer Initiator = "customer" // pressed, or approved at their bank
	ByGuest    Initiator = "guest"    // somebody the customer asked to pay, with a card of their own
	ByStripe   Initiator = "stripe"   // by Stripe's own schedule; Stripe does not tell it from an order given elsewhere
	BySchedule Initiator = "schedule" // our own retry
	ByNewCard  Initiator = "new_card" // at once after another card came, or a new date of the same
	ByPromise  Initiator = "promise"  // on the day the customer set
	ByStaff    Initiator = "staff"    // a member of staff, who has the customer's word
)

// Automatic reports whether nobody was there: such a charge is made off-session.
func (by Initiator) Automatic() bool { return by != ByCustomer && by != ByGuest && by != "" }

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

// CodeNotTried is the decline code of an attempt of the customer's that a budget refused: no bank was asked. Its
// DeclineCode is the Denial.
const CodeNotTried = "not_tried"

// CodeRefused is the decline code of an attempt whose order Stripe did not take, so that no bank was asked: the merchant may
// not charge just now, or the order was no good. Code is Stripe's word for it, often "".
const CodeRefused = "refused"

// StartAttempt keeps an attempt before Stripe is called and answers it. When the same press asked for the same
// invoice before, that attempt is answered instead and fresh is false.
func StartAttempt(ctx context.Context, tx *sql.Tx, a Attempt) (kept Attempt, fresh bool, err error) {
	a.ID = database.NewID("att")
	a.Status = AttemptStarted
	if a.By == "" {
		a.By = ByCustomer
	}
	res, err := tx.ExecContext(ctx, `
		INSERT INTO attempts (id, press, customer_id, invoice_id, method_id, kind, status,
			amount, currency, code, decline_code, reference, started_at, ended_at, initiator, card, network)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '', $10, $11, 0, $12, $13, $14)
		ON CONFLICT (press, invoice_id) DO NOTHING`,
		a.ID, a.Press, a.CustomerID, a.InvoiceID, a.MethodID, a.Kind, a.Status,
		a.Amount.Minor, a.Amount.Currency, a.Reference, a.StartedAt, a.By, a.Card, a.Network)
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
	kept, err = FindAttempt(ctx, tx, a.Press, a.InvoiceID)
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

// EndAttempt keeps how an attempt came out. Its charge may have been read before the answer was kept; then it is one
// attempt all the same.
func EndAttempt(ctx context.Context, tx *sql.Tx, a Attempt) error {
	if a.Charge != "" {
		_, err := tx.ExecContext(ctx, `DELETE FROM attempts WHERE charge = $1 AND id = $1 AND id <> $2`, a.Charge, a.ID)
		if err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE attempts SET status = $1, method_id = $2, code = $3, decline_code = $4, reference = $5, ended_at = $6,
			advice_code = $7, network_advice_code = $8, network_decline_code = $9, card = $12, network = $13,
			charge = CASE WHEN EXISTS (SELECT 1 FROM attempts o WHERE o.charge = $10 AND o.charge <> '' AND o.id <> $11) THEN '' ELSE $10 END
		WHERE id = $11`,
		a.Status, a.MethodID, a.Decline.Code, a.Decline.DeclineCode, a.Reference, a.EndedAt,
		a.Decline.AdviceCode, a.Decline.NetworkAdviceCode, a.Decline.NetworkDeclineCode, a.Charge, a.ID, a.Card, a.Network)
	return err
}

// SaveTries keeps the tries on a customer's cards that were read from Stripe's charges. What is known of one of ours is
// only completed; doing so twice, or in another order, changes nothing. The customer must be held.
func SaveTries(ctx context.Context, tx *sql.Tx, tries []Attempt) error {
	for _, a := range tries {
		res, err := tx.ExecContext(ctx, `
			UPDATE attempts SET card = $1, network = $2,
				status = CASE WHEN status = 'processing' OR id = charge THEN $3 ELSE status END,
				code = CASE WHEN status = 'processing' OR id = charge THEN $4 ELSE code END,
				decline_code = CASE WHEN status = 'processing' OR id = charge THEN $5 ELSE decline_code END
			WHERE charge = $6 AND charge <> ''`,
			a.Card, a.Network, a.Status, a.Decline.Code, a.Decline.DeclineCode, a.Charge)
		if err != nil {
			return err
		}
		known, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if known > 0 {
			continue
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO attempts (id, press, customer_id, invoice_id, method_id, kind, status,
				amount, currency, code, decline_code, reference, started_at, ended_at, initiator, card, network, charge,
				advice_code, network_advice_code, network_decline_code)
			VALUES ($1, $1, $2, $3, $4, 'charge', $5, $6, $7, $8, $9, $10, $11, $11, $12, $13, $14, $1, $15, $16, $17)
			ON CONFLICT DO NOTHING`,
			a.Charge, a.CustomerID, a.InvoiceID, a.MethodID, a.Status,
			a.Amount.Minor, a.Amount.Currency, a.Decline.Code, a.Decline.DeclineCode, a.Reference, a.StartedAt, a.By, a.Card, a.Network,
			a.Decline.AdviceCode, a.Decline.NetworkAdviceCode, a.Decline.NetworkDeclineCode)
		if err != nil {
			return err
		}
	}
	return nil
}

// AdoptCharge gives an attempt of the customer's, made a moment ago at their bank, the charge that was read for it, so
// that both are one.
func AdoptCharge(ctx context.Context, tx *sql.Tx, a *Attempt, since int64) error {
	err := tx.QueryRowContext(ctx, `
		SELECT charge, card, network FROM attempts
		WHERE invoice_id = $1 AND id = charge AND initiator = 'customer' AND started_at >= $2 ORDER BY started_at DESC LIMIT 1`, a.InvoiceID, since).
		Scan(&a.Charge, &a.Card, &a.Network)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// KnowsCharge reports whether the try a charge of Stripe's stands for is kept. (Without its second condition SQLite would
// not use the index, which leaves out tries that have no charge, and read them all.)
func KnowsCharge(ctx context.Context, tx *sql.Tx, charge string) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM attempts WHERE charge = $1 AND charge <> ''`, charge).Scan(&n)
	return n > 0, err
}

// FindAttempt answers what a press asked for an invoice, "" for keeping a card, or fault.NotFound.
func FindAttempt(ctx context.Context, tx *sql.Tx, press, invoice string) (Attempt, error) {
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

// Approvals answers the attempts on an invoice that wait for the bank's approval; when none waits, the latest attempt
// alone, however it ended. by says whose attempts; press narrows them to one press's, "" is any.
func Approvals(ctx context.Context, tx *sql.Tx, customer, invoice string, by Initiator, press string) ([]Attempt, error) {
	all, err := selectAttempts(ctx, tx, `
		WHERE customer_id = $1 AND invoice_id = $2 AND initiator = $3 AND kind = 'charge' AND id <> charge AND (press = $4 OR $4 = '')
		ORDER BY started_at DESC, id DESC`, customer, invoice, by, press)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	waiting := slices.DeleteFunc(slices.Clone(all), func(a Attempt) bool { return a.Status != AttemptAction })
	if len(waiting) == 0 {
		return all[:1], nil
	}
	return waiting, nil
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
		ORDER BY started_at, id LIMIT $3`, before, typing, limit)
}

// TakesTyped reports whether an invoice takes a bank account whose number is typed, which small deposits prove.
func (i Invoice) TakesTyped() bool {
	return slices.Contains(i.Takes, "us_bank_account") || slices.Contains(i.Takes, "acss_debit")
}

// Unproven answers the newest adding of a bank account, begun at since or later (unix seconds), that waits for its owner to
// say what small deposits to it came to; false when none does, or another way to pay was kept after it.
func Unproven(ctx context.Context, tx *sql.Tx, customer string, since int64) (Attempt, bool, error) {
	found, err := selectAttempts(ctx, tx, `
		WHERE customer_id = $1 AND started_at >= $2 AND kind = 'setup' AND initiator = 'customer' AND status IN ('action', 'saved')
		ORDER BY started_at DESC, id LIMIT 1`, customer, since)
	if err != nil || len(found) == 0 || found[0].Status != AttemptAction {
		return Attempt{}, false, err
	}
	return found[0], true, nil
}

// AttemptsSince answers the customer's own presses on our pages started at or after since (unix seconds), newest first.
func AttemptsSince(ctx context.Context, tx *sql.Tx, customer string, since int64) ([]Attempt, error) {
	return selectAttempts(ctx, tx, `
		WHERE customer_id = $1 AND started_at >= $2 AND initiator = 'customer' AND id <> charge
		ORDER BY started_at DESC, id`, customer, since)
}

// Tries answers every attempt on a customer's cards that is known, whoever made it, newest first.
func Tries(ctx context.Context, tx *sql.Tx, customer string) ([]Attempt, error) {
	return selectAttempts(ctx, tx, `WHERE customer_id = $1 ORDER BY started_at DESC, id`, customer)
}

// triesOn answers the charges asked of one card since the instant (unix seconds), oldest first: of all the merchant's
// customers, as the networks count. In test mode everybody has the same few published cards, so there it is the one
// customer's.
func triesOn(ctx context.Context, tx *sql.Tx, card, customer string, since int64) ([]Attempt, error) {
	return selectAttempts(ctx, tx, `
		WHERE card = $1 AND started_at >= $2 AND kind = 'charge'
			AND (customer_id = $3 OR EXISTS (SELECT 1 FROM customers c WHERE c.id = $3 AND c.livemode))
		ORDER BY started_at, id`, card, since, customer)
}

func selectAttempts(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Attempt, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, press, customer_id, invoice_id, method_id, kind, status, amount, currency,
			code, decline_code, reference, started_at, ended_at, initiator, card, network, charge,
			advice_code, network_advice_code, network_decline_code
		FROM attempts `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []Attempt
	for rows.Next() {
		var a Attempt
		err = rows.Scan(&a.ID, &a.Press, &a.CustomerID, &a.InvoiceID, &a.MethodID, &a.Kind, &a.Status,
			&a.Amount.Minor, &a.Amount.Currency, &a.Decline.Code, &a.Decline.DeclineCode, &a.Reference, &a.StartedAt, &a.EndedAt,
			&a.By, &a.Card, &a.Network, &a.Charge, &a.Decline.AdviceCode, &a.Decline.NetworkAdviceCode, &a.Decline.NetworkDeclineCode)
		if err != nil {
			return nil, err
		}
		found = append(found, a)
	}
	return found, rows.Err()
}
