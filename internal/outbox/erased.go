package outbox

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
)

// What is kept of a suppressed address whose customer was erased: enough to know it again, not to read it.
const digested = "sha256:"

func digest(address string) string {
	sum := sha256.Sum256([]byte(Normal(address)))
	return digested + hex.EncodeToString(sum[:])
}

// EraseQueue lets nothing go out any more that was queued for a customer who is being erased. What a vanished sender left
// in its dialogue ends too, so that nobody tries it again. realNow is in unix seconds, as leases are.
func EraseQueue(ctx context.Context, tx *sql.Tx, customer, reason string, now, realNow int64) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE notices SET status = 'skipped', reason = $1, settled_at = $2, lease_until = 0 WHERE customer_id = $3 AND status = 'queued'`,
		reason, now, customer)
	if err != nil {
		return fmt.Errorf("withdraw what waits for %s: %w", customer, err)
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE notices SET status = 'uncertain', reason = $1, settled_at = $2, lease_until = 0, attempts = attempts + 1
		WHERE customer_id = $3 AND status = 'sending' AND lease_until < $4`, reason, now, customer, realNow)
	if err != nil {
		return fmt.Errorf("end what a sender left of %s: %w", customer, err)
	}
	return nil
}

// EraseSuppressions makes the suppressions of a customer who is being erased nameless: the address is kept as a hash, so
// that it is not written to again when it comes back under another customer, and the rest is forgotten. Of an address that
// another customer has too only the way to this one is forgotten. addresses are those of the customer.
func EraseSuppressions(ctx context.Context, tx *sql.Tx, customer string, addresses []string) error {
	found, err := selectSuppressions(ctx, tx, `WHERE customer_id = $1 ORDER BY since, id`, customer)
	if err != nil {
		return err
	}
	for _, a := range addresses {
		more, err := selectSuppressions(ctx, tx, `WHERE address = $1 AND customer_id <> $2 ORDER BY since, id`, Normal(a), customer)
		if err != nil {
			return err
		}
		found = append(found, more...)
	}
	for _, s := range found {
		err = eraseSuppression(ctx, tx, s, customer)
		if err != nil {
			return fmt.Errorf("make a suppression nameless: %w", err)
		}
	}
	return nil
}

// othersHave reports whether a customer but this one has an address, given in its normal form. The engine compares what is
// plain; what it may write otherwise, as names of domains in other letters, is compared here.
func othersHave(ctx context.Context, tx *sql.Tx, address, customer string) (bool, error) {
	odd := strings.Contains(address, "xn--") || strings.ContainsFunc(address, func(r rune) bool { return r > unicode.MaxASCII })
	rows, err := tx.QueryContext(ctx, `SELECT email, contacts FROM customers WHERE id <> $1 AND (lower(email) = $2 OR contacts <> '' OR $3)`, customer, address, odd)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var email, contacts string
		err = rows.Scan(&email, &contacts)
		if err != nil {
			return false, err
		}
		for _, a := range append(strings.Split(contacts, ","), email) {
			if a != "" && Normal(a) == address {
				return true, nil
			}
		}
	}
	return false, rows.Err()
}

// Recognise gives its name back to a suppression that was kept as a hash: another customer has the address now.
func Recognise(ctx context.Context, tx *sql.Tx, customer, address string) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE suppressions SET address = $1, spelled = lower($2), customer_id = $3
		WHERE address = $4 AND lifted_at = 0 AND NOT EXISTS (SELECT 1 FROM suppressions o WHERE o.address = $1 AND o.lifted_at = 0)`,
		Normal(address), address, customer, digest(address))
	if err != nil {
		return fmt.Errorf("recognise a suppressed address: %w", err)
	}
	return nil
}

const wordsErased = "Mail to it came back, or was complained about, before its customer was erased."

func eraseSuppression(ctx context.Context, tx *sql.Tx, s Suppression, customer string) error {
	shared, err := othersHave(ctx, tx, s.Address, customer)
	if err != nil {
		return err
	}
	if shared {
		if s.CustomerID != customer {
			return nil
		}
		_, err = tx.ExecContext(ctx, `UPDATE suppressions SET customer_id = '', notice_id = '', words = $1 WHERE id = $2`, wordsErased, s.ID)
		return err
	}
	known := false
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM suppressions WHERE address = $1 AND lifted_at = 0)`, digest(s.Address)).Scan(&known)
	if err != nil {
		return err
	}
	if known || s.LiftedAt > 0 {
		_, err = tx.ExecContext(ctx, `DELETE FROM suppressions WHERE id = $1`, s.ID)
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE suppressions SET address = $1, spelled = '', customer_id = '', notice_id = '', lifted_by = '', words = $2 WHERE id = $3`,
		digest(s.Address), wordsErased, s.ID)
	return err
}
