package outbox

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"sollecito/internal/database"
)

// Suppression is an address nothing is mailed to, with the mail that taught us so. Instants are unix seconds.
type Suppression struct {
	ID         string
	Address    string // as Normal has it
	Reason     BounceKind
	Words      string // the sentence staff read
	NoticeID   string
	CustomerID string
	Since      int64
	LiftedAt   int64 // 0 while it holds
	LiftedBy   string
	Nameless   bool // the address was kept as a hash, since the customer who had it was erased
}

// Returned keeps that a mail came back, marks it as failed unless it did arrive (a complaint), and suppresses its
// address when that is what it means. first is false when this was known already, and then nothing changes;
// suppressed reports whether the address gets no mail from now on.
func Returned(ctx context.Context, tx *sql.Tx, n Notice, b Bounce) (first, suppressed bool, err error) {
	res, err := tx.ExecContext(ctx, `
		INSERT INTO bounces (id, notice_id, customer_id, address, kind, code, words, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (notice_id, kind) DO NOTHING`,
		database.NewID("bnc"), n.ID, n.CustomerID, b.Address, b.Kind, b.Code, b.Words, b.At)
	if err != nil {
		return false, false, fmt.Errorf("keep bounce of %s: %w", n.ID, err)
	}
	added, err := res.RowsAffected()
	if err != nil || added == 0 {
		return false, false, err
	}
	if b.Kind != Complaint {
		_, err = tx.ExecContext(ctx, `
			UPDATE notices SET status = 'failed', reason = $1, lease_until = 0,
				settled_at = CASE WHEN settled_at > 0 THEN settled_at ELSE $2 END
			WHERE id = $3 AND status IN ('sending', 'sent', 'uncertain')`, b.Reason(), b.At, n.ID)
		if err != nil {
			return false, false, fmt.Errorf("fail notice %s: %w", n.ID, err)
		}
	}
	switch b.Kind {
	case Hard, Complaint:
		return true, true, suppress(ctx, tx, n, b, b.Reason())
	case Soft:
		soft, err := softBounces(ctx, tx, b)
		if err != nil || soft < softLimit {
			return true, false, err
		}
		return true, true, suppress(ctx, tx, n, b, fmt.Sprintf("%d mails in a row could not be taken by %s. The last time: %s", soft, b.Address, b.Reason()))
	}
	return true, false, nil
}

// softBounces counts the mails to an address that softly bounced lately, since it was last written to again by a
// person's word.
func softBounces(ctx context.Context, tx *sql.Tx, b Bounce) (int, error) {
	var n int
	err := tx.QueryRowContext(ctx, `
		SELECT count(*) FROM bounces WHERE address = $1 AND kind = 'soft' AND at > $2
			AND at > (SELECT coalesce(max(lifted_at), 0) FROM suppressions WHERE address IN ($1, $3))`,
		b.Address, b.At-softWindow, digest(b.Address)).Scan(&n)
	return n, err
}

func suppress(ctx context.Context, tx *sql.Tx, n Notice, b Bounce, words string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO suppressions (id, address, spelled, reason, words, notice_id, customer_id, since, lifted_at, lifted_by)
		VALUES ($1, $2, lower($3), $4, $5, $6, $7, $8, 0, '')
		ON CONFLICT (address) WHERE lifted_at = 0 DO NOTHING`,
		database.NewID("sup"), b.Address, n.Recipient, b.Kind, words, n.ID, n.CustomerID, b.At)
	if err != nil {
		return fmt.Errorf("suppress: %w", err)
	}
	return nil
}

// HoldBack suppresses an address to which no mail can be sent as it is written: what the notice was to bring comes back
// before it went. Telling the same again changes nothing. at is in unix seconds.
func HoldBack(ctx context.Context, tx *sql.Tx, n Notice, address string, at int64) (Suppression, error) {
	n.Recipient = address
	held := Suppression{
		Address: Normal(address), Reason: Hard, NoticeID: n.ID, CustomerID: n.CustomerID, Since: at, Words: wordsOf(address),
	}
	return held, suppress(ctx, tx, n, Bounce{Address: held.Address, Kind: Hard, At: at}, held.Words)
}

// wordsOf says why no mail can be sent to an address.
func wordsOf(address string) string {
	if strings.HasPrefix(address, `"`) {
		return "Quotation marks stand before its @: no mail is sent to such an address, since hardly a mail server takes it. Change it at Stripe."
	}
	return "It is no address that mail can be sent to: mend it at Stripe."
}

// SuppressionOf answers why nothing is mailed to an address, and false when it may be written to.
func SuppressionOf(ctx context.Context, tx *sql.Tx, address string) (Suppression, bool, error) {
	found, err := selectSuppressions(ctx, tx, `WHERE address IN ($1, $2) AND lifted_at = 0`, Normal(address), digest(address))
	if err != nil || len(found) == 0 {
		return Suppression{}, false, err
	}
	found[0].Address = Normal(address)
	return found[0], true, nil
}

func selectSuppressions(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Suppression, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, address, reason, words, notice_id, customer_id, since, lifted_at, lifted_by FROM suppressions `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read suppressions: %w", err)
	}
	defer rows.Close()
	var all []Suppression
	for rows.Next() {
		var s Suppression
		err = rows.Scan(&s.ID, &s.Address, &s.Reason, &s.Words, &s.NoticeID, &s.CustomerID, &s.Since, &s.LiftedAt, &s.LiftedBy)
		if err != nil {
			return nil, fmt.Errorf("read suppressions: %w", err)
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// Usable answers the first of the addresses that may be written to, "" when none may.
func Usable(ctx context.Context, tx *sql.Tx, addresses []string) (string, error) {
	for _, a := range addresses {
		_, suppressed, err := SuppressionOf(ctx, tx, a)
		if err != nil {
			return "", err
		}
		if !suppressed {
			return a, nil
		}
	}
	return "", nil
}

// Lift lets an address be written to again, by a person's word. It reports whether it was suppressed.
func Lift(ctx context.Context, tx *sql.Tx, address, by string, now int64) (bool, error) {
	res, err := tx.ExecContext(ctx, `UPDATE suppressions SET lifted_at = $1, lifted_by = $2 WHERE address IN ($3, $4) AND lifted_at = 0`,
		now, by, Normal(address), digest(address))
	if err != nil {
		return false, fmt.Errorf("lift suppression: %w", err)
	}
	lifted, err := res.RowsAffected()
	return lifted > 0, err
}

// SuppressionsOf answers every suppression of these addresses, lifted ones too, oldest first.
func SuppressionsOf(ctx context.Context, tx *sql.Tx, addresses []string) ([]Suppression, error) {
	var all []Suppression
	for _, a := range addresses {
		found, err := selectSuppressions(ctx, tx, `WHERE address IN ($1, $2) ORDER BY since, id`, Normal(a), digest(a))
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			s.Address = Normal(a)
			all = append(all, s)
		}
	}
	return all, nil
}

// BouncesOf answers what came back of the mails to a customer, oldest first.
func BouncesOf(ctx context.Context, tx *sql.Tx, customer string) ([]Bounce, error) {
	rows, err := tx.QueryContext(ctx, `SELECT address, kind, code, words, at FROM bounces WHERE customer_id = $1 ORDER BY at, id`, customer)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Bounce
	for rows.Next() {
		var b Bounce
		err = rows.Scan(&b.Address, &b.Kind, &b.Code, &b.Words, &b.At)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, rows.Err()
}

// LeaveOut skips a waiting e-mail since there is nobody to send it to.
func LeaveOut(ctx context.Context, tx *sql.Tx, id, reason string, now int64) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE notices SET status = 'skipped', recipient = '', reason = $1, settled_at = $2, lease_until = 0
		WHERE id = $3 AND status = 'queued'`, reason, now, id)
	if err != nil {
		return fmt.Errorf("leave notice %s out: %w", id, err)
	}
	return nil
}
