package billing

import (
	"context"
	"database/sql"

	"sollecito/internal/database"
)

// chargeDelay is how long after a period's end Stripe charges its renewal: the invoice stands as a draft for about an
// hour (docs.stripe.com/billing/invoices/subscription).
const chargeDelay = 60 * 60

// ChargedAt answers when the renewal ahead will be charged by itself (unix seconds), and false when it will not be:
// nothing renews by now, it is paid by hand or paused, it costs nothing as far as its prices tell, or it ends first.
// One that is past due is no renewal ahead but an open invoice.
func (s Subscription) ChargedAt(now int64) (int64, bool) {
	at := s.PeriodEnd + chargeDelay
	switch {
	case s.Status != "active" && s.Status != "trialing", !s.Automatic, s.Amount.Minor <= 0, s.PeriodEnd <= now:
		return 0, false
	case s.CancelAt > 0 && s.CancelAt <= at:
		return 0, false
	}
	return at, true
}

// LapsesWithoutMethod reports whether the subscription only tries out and ends or rests by itself when there is
// nothing to charge: that was agreed, and nothing fails.
func (s Subscription) LapsesWithoutMethod() bool {
	return s.Status == "trialing" && (s.TrialMissing == "cancel" || s.TrialMissing == "pause")
}

// Methods answers the customer's payment methods by their ids, as far as they are known.
func Methods(ctx context.Context, tx *sql.Tx, customer string) (map[string]Method, error) {
	return methodsByID(selectMethods(ctx, tx, `WHERE customer_id = $1 AND NOT guest`, customer))
}

// Unseen answers the customers of up to limit subscriptions of which something new was read and whose period ends in
// (now, until], unix seconds, the soonest first.
func Unseen(ctx context.Context, tx *sql.Tx, now, until int64, limit int) ([]string, error) {
	return database.Strings(ctx, tx, `
		SELECT customer_id FROM subscriptions WHERE unseen AND period_end > $1 AND period_end <= $2
		ORDER BY period_end LIMIT $3`, now, until, limit)
}

// Seen marks the customer's subscriptions whose period ends by until as looked at, and answers how many were not.
// Whatever is read of one makes it unseen again.
func Seen(ctx context.Context, tx *sql.Tx, customer string, until int64) (int64, error) {
	res, err := tx.ExecContext(ctx, `UPDATE subscriptions SET unseen = false WHERE customer_id = $1 AND unseen AND period_end <= $2`, customer, until)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// NextUnseen answers the earliest end of a period after now that has still to be looked at, 0 when there is none.
func NextUnseen(ctx context.Context, tx *sql.Tx, now int64) (int64, error) {
	var at sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT min(period_end) FROM subscriptions WHERE unseen AND period_end > $1`, now).Scan(&at)
	return at.Int64, err
}
