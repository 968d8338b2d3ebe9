package outbox

import (
	"context"
	"database/sql"
	"fmt"

	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// Queue keeps a notice to be sent and answers its id. When the same was queued before it answers "", and
// nothing changes: a notice is said at most once.
func Queue(ctx context.Context, tx *sql.Tx, n Notice, now int64) (string, error) {
	n.ID = database.NewID("ntc")
	n.Status = Queued
	n.CreatedAt = now
	n.DueAt = max(n.DueAt, now)
	added, err := insert(ctx, tx, n)
	if err != nil {
		return "", fmt.Errorf("queue notice: %w", err)
	}
	if !added {
		return "", nil
	}
	return n.ID, nil
}

// Skip keeps the decision not to send a notice, with its reason, in the notice's place.
func Skip(ctx context.Context, tx *sql.Tx, n Notice, reason string, now int64) error {
	n.ID = database.NewID("ntc")
	n.Status, n.Reason = Skipped, reason
	n.CreatedAt, n.DueAt, n.SettledAt = now, now, now
	_, err := insert(ctx, tx, n)
	return err
}

// Presume keeps a notice as uncertain, in the place of one that would be queued: it may have been sent already, at the
// instant at (unix seconds) or before. It answers false when there is such a notice already.
func Presume(ctx context.Context, tx *sql.Tx, n Notice, reason string, at int64) (bool, error) {
	n.ID = database.NewID("ntc")
	n.Status, n.Reason = Uncertain, reason
	n.CreatedAt, n.DueAt, n.SettledAt = at, at, at
	added, err := insert(ctx, tx, n)
	if err != nil {
		return false, fmt.Errorf("presume a notice: %w", err)
	}
	return added, nil
}

// PresumeWaiting marks as uncertain every e-mail that waits here but may have left elsewhere by the instant until (unix
// seconds): it was due by then, or it waits for the reason held, which may have ended. It answers how many.
func PresumeWaiting(ctx context.Context, tx *sql.Tx, until int64, held, reason string) (int64, error) {
	res, err := tx.ExecContext(ctx, `
		UPDATE notices SET status = 'uncertain', reason = $1, settled_at = $2, lease_until = 0
		WHERE status = 'sending' OR status = 'queued' AND channel = 'email' AND (due_at <= $2 OR reason = $3)`, reason, until, held)
	if err != nil {
		return 0, fmt.Errorf("presume what waits: %w", err)
	}
	return res.RowsAffected()
}

// Claim takes up to limit e-mails that are due at now and holds them until lease (real unix seconds), so that no other
// sender takes them. They stay queued. skip is the SQL with which the engine leaves out rows that another is claiming, ""
// where it needs none.
func Claim(ctx context.Context, tx *sql.Tx, skip string, now, realNow, lease int64, limit int) ([]Notice, error) {
	rows, err := tx.QueryContext(ctx, `
		UPDATE notices SET lease_until = $1
		WHERE id IN (
			SELECT id FROM notices
			WHERE status = 'queued' AND channel = 'email' AND due_at <= $2 AND lease_until <= $3
			ORDER BY due_at LIMIT $4`+skip+`)
		RETURNING `+columns, lease, now, realNow, limit)
	if err != nil {
		return nil, fmt.Errorf("claim notices: %w", err)
	}
	return collect(rows)
}

// Settle ends a notice: sent, uncertain, failed or skipped, with the reason for all but the first.
func Settle(ctx context.Context, tx *sql.Tx, id string, status Status, reason string, now int64) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE notices SET status = $1, reason = $2, settled_at = $3, lease_until = 0
		WHERE id = $4 AND status IN ('queued', 'sending')`, status, reason, now, id)
	if err != nil {
		return fmt.Errorf("settle notice %s: %w", id, err)
	}
	return nil
}

// Later lets a waiting notice be tried at the instant at, whoever claimed it.
func Later(ctx context.Context, tx *sql.Tx, id string, at int64, reason string) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE notices SET due_at = $1, reason = $2, lease_until = 0 WHERE id = $3 AND status = 'queued'`, at, reason, id)
	if err != nil {
		return fmt.Errorf("put notice %s off: %w", id, err)
	}
	return nil
}

// GoOn makes the mails of a case due now that wait for a reason which is over.
func GoOn(ctx context.Context, tx *sql.Tx, caseID, reason string, now int64) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE notices SET due_at = $1 WHERE case_id = $2 AND status = 'queued' AND channel = 'email' AND reason = $3`, now, caseID, reason)
	if err != nil {
		return fmt.Errorf("let the mails of %s go on: %w", caseID, err)
	}
	return nil
}

// What follows is done with a notice as it was claimed, and only while it is: when its lease ended it may be in other
// hands, and be on its way. Then nothing changes.
const stillClaimed = ` status = 'queued' AND lease_until = `

// PutOff gives a claimed notice back, to be tried at the instant at. It answers false when it is in other hands.
func PutOff(ctx context.Context, tx *sql.Tx, n Notice, at int64, reason string) (bool, error) {
	return changed(ctx, tx, n.ID, `
		UPDATE notices SET due_at = $1, reason = $2, lease_until = 0
		WHERE id = $3 AND`+stillClaimed+`$4`, at, reason, n.ID, n.LeaseUntil)
}

// Drop ends a claimed notice that does not leave: skipped or failed, with the reason.
func Drop(ctx context.Context, tx *sql.Tx, n Notice, status Status, reason string, now int64) error {
	_, err := changed(ctx, tx, n.ID, `
		UPDATE notices SET status = $1, reason = $2, settled_at = $3, lease_until = 0
		WHERE id = $4 AND`+stillClaimed+`$5`, status, reason, now, n.ID, n.LeaseUntil)
	return err
}

// Release gives a claimed notice back untouched.
func Release(ctx context.Context, tx *sql.Tx, n Notice) error {
	_, err := changed(ctx, tx, n.ID, `UPDATE notices SET lease_until = 0 WHERE id = $1 AND`+stillClaimed+`$2`, n.ID, n.LeaseUntil)
	return err
}

// What became of a try is written over what others made of its silence, but over no later try.
const thisTry = ` status IN ('sending', 'uncertain') AND attempts = `

// Conclude ends a notice by the outcome of its try, with the reason for all but sent. It answers false, and changes
// nothing, when another try has begun or ended meanwhile.
func Conclude(ctx context.Context, tx *sql.Tx, n Notice, status Status, reason string, now int64) (bool, error) {
	return changed(ctx, tx, n.ID, `
		UPDATE notices SET status = $1, reason = $2, settled_at = $3, lease_until = 0
		WHERE id = $4 AND`+thisTry+`$5`, status, reason, now, n.ID, n.Attempts)
}

// TryAgain queues a notice whose try surely failed once more, for the instant at (unix seconds).
func TryAgain(ctx context.Context, tx *sql.Tx, n Notice, at int64, reason string) error {
	_, err := changed(ctx, tx, n.ID, `
		UPDATE notices SET status = 'queued', due_at = $1, reason = $2, settled_at = 0, lease_until = 0
		WHERE id = $3 AND`+thisTry+`$4`, at, reason, n.ID, n.Attempts)
	return err
}

func changed(ctx context.Context, tx *sql.Tx, id, update string, args ...any) (bool, error) {
	res, err := tx.ExecContext(ctx, update, args...)
	if err != nil {
		return false, fmt.Errorf("change notice %s: %w", id, err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// Abandon marks as uncertain every notice whose sender vanished during the dialogue: those in sending whose lease ended
// before realNow. It answers how many.
func Abandon(ctx context.Context, tx *sql.Tx, realNow, now int64) (int64, error) {
	res, err := tx.ExecContext(ctx, `
		UPDATE notices SET status = 'uncertain', settled_at = $1, lease_until = 0,
			reason = 'the program stopped while the mail server was being told; it may or may not have arrived'
		WHERE status = 'sending' AND lease_until < $2`, now, realNow)
	if err != nil {
		return 0, fmt.Errorf("abandon notices: %w", err)
	}
	return res.RowsAffected()
}

// Reclaim takes back every claim on a waiting notice: for the start of a program that is the only sender on its
// database.
func Reclaim(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE notices SET lease_until = 0 WHERE status = 'queued' AND lease_until > 0`)
	return err
}

// WaitingInApp answers the newest in-app notice of a case that waits to be seen; false when none does.
func WaitingInApp(ctx context.Context, tx *sql.Tx, caseID string) (Notice, bool, error) {
	found, err := selectNotices(ctx, tx, `
		WHERE case_id = $1 AND channel = 'app' AND status = 'queued' ORDER BY created_at DESC, id DESC LIMIT 1`, caseID)
	if err != nil || len(found) == 0 {
		return Notice{}, false, err
	}
	return found[0], true, nil
}

// Shown settles an in-app notice as sent: the embed script reported it shown. Older ones of its case that nobody
// saw are skipped, since the banner shows the newest alone.
func Shown(ctx context.Context, tx *sql.Tx, n Notice, now int64) error {
	err := Settle(ctx, tx, n.ID, Sent, "", now)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE notices SET status = 'skipped', reason = 'A later notice took its place before it was seen.', settled_at = $1
		WHERE case_id = $2 AND channel = 'app' AND status = 'queued'`, now, n.CaseID)
	if err != nil {
		return fmt.Errorf("skip unseen in-app notices: %w", err)
	}
	return nil
}

// mostStumbles is how often handing a notice over may fail on our side before it is failed. What the mail server puts off
// does not count, and goes on for GiveUpAfter.
const mostStumbles = 5

// Stumble puts a claimed notice back after a failure on our side, to be tried at the instant at, and fails it after
// mostStumbles.
func Stumble(ctx context.Context, tx *sql.Tx, n Notice, at, now int64) error {
	if n.Stumbles+1 >= mostStumbles {
		return Drop(ctx, tx, n, Failed, "It failed on our side again and again; the log has the details.", now)
	}
	_, err := changed(ctx, tx, n.ID, `
		UPDATE notices SET stumbles = stumbles + 1, due_at = $1, lease_until = 0, reason = 'It failed on our side and is tried again.'
		WHERE id = $2 AND`+stillClaimed+`$3`, at, n.ID, n.LeaseUntil)
	return err
}

// Withdraw skips what is still queued for a case, with the reason: it was paid, or it closed.
func Withdraw(ctx context.Context, tx *sql.Tx, caseID, reason string, now int64) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE notices SET status = 'skipped', reason = $1, settled_at = $2, lease_until = 0
		WHERE case_id = $3 AND kind = 'reminder' AND status = 'queued'`, reason, now, caseID)
	return err
}

// Contact is one moment at which the customer heard from us unasked. At is unix seconds.
type Contact struct {
	At     int64
	CaseID string
	Step   string
}

// Contacts answers when the customer was contacted since the instant, as the contact policy counts: sent,
// uncertain and sending e-mails and shown in-app notices; mail and banner of one step of a case count as one.
func Contacts(ctx context.Context, tx *sql.Tx, customer string, since, now int64) ([]Contact, error) {
	all, err := ContactsOf(ctx, tx, []string{customer}, since, now)
	return all[customer], err
}

// Find answers a notice, or fault.NotFound.
func Find(ctx context.Context, tx *sql.Tx, id string) (Notice, error) {
	found, err := selectNotices(ctx, tx, `WHERE id = $1`, id)
	if err != nil {
		return Notice{}, err
	}
	if len(found) == 0 {
		return Notice{}, fault.New(fault.NotFound, "There is no notice %s.", id)
	}
	return found[0], nil
}

// OfCase answers the notices of a case in the order they were decided.
func OfCase(ctx context.Context, tx *sql.Tx, caseID string) ([]Notice, error) {
	return selectNotices(ctx, tx, `WHERE case_id = $1 ORDER BY created_at, id`, caseID)
}

// OfCustomer answers the notices to a customer, newest first.
func OfCustomer(ctx context.Context, tx *sql.Tx, customer string) ([]Notice, error) {
	return selectNotices(ctx, tx, `WHERE customer_id = $1 ORDER BY created_at DESC, id`, customer)
}

// MailedSince answers the newest e-mails, at most limit, that left for a customer since the instant (unix seconds): sent,
// or perhaps sent. What goes to staff about them is left out.
func MailedSince(ctx context.Context, tx *sql.Tx, customer string, since int64, limit int) ([]Notice, error) {
	return selectNotices(ctx, tx, `
		WHERE customer_id = $1 AND channel = 'email' AND kind <> 'staff' AND status IN ('sent', 'uncertain') AND dated >= $2
		ORDER BY dated DESC, id LIMIT $3`, customer, since, limit)
}

// CountSince answers how many notices of a kind were queued for a customer since the instant.
func CountSince(ctx context.Context, tx *sql.Tx, customer string, kind Kind, since int64) (int, error) {
	var n int
	err := tx.QueryRowContext(ctx, `
		SELECT count(*) FROM notices WHERE customer_id = $1 AND kind = $2 AND created_at >= $3`,
		customer, kind, since).Scan(&n)
	return n, err
}

// NextDue answers when the earliest waiting e-mail is due, and false when none waits.
func NextDue(ctx context.Context, tx *sql.Tx) (int64, bool, error) {
	var at sql.NullInt64
	err := tx.QueryRowContext(ctx, `
		SELECT min(due_at) FROM notices WHERE status = 'queued' AND channel = 'email'`).Scan(&at)
	return at.Int64, at.Valid, err
}

// LastOf answers when a customer's newest notice of a kind and step was decided (unix seconds), skipped ones not counted; 0
// when there is none.
func LastOf(ctx context.Context, tx *sql.Tx, customer string, kind Kind, step string) (int64, error) {
	var at sql.NullInt64
	err := tx.QueryRowContext(ctx, `
		SELECT max(created_at) FROM notices WHERE customer_id = $1 AND kind = $2 AND step = $3 AND status <> 'skipped'`,
		customer, kind, step).Scan(&at)
	return at.Int64, err
}
