package billing

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
)

// Mandate is what a customer agreed to with the press that keeps a way to pay: the words they were shown, kept as they
// were shown, and when (unix seconds).
type Mandate struct {
	Press      string
	CustomerID string
	Kind       string // card or debit, as it was chosen in the browser
	Language   string
	Words      string
	GivenAt    int64
	MethodID   string // "" until it was kept
	Reference  string // the mandate's name at Stripe, "" for a card
}

// Version names the words: it is the same for everybody who was shown the same.
func (m Mandate) Version() string {
	sum := sha256.Sum256([]byte(m.Kind + "\n" + m.Language + "\n" + m.Words))
	return hex.EncodeToString(sum[:6])
}

// GiveMandate keeps what a customer agrees to, before Stripe is asked for anything. The same press again changes
// nothing once its method was kept.
func GiveMandate(ctx context.Context, tx *sql.Tx, m Mandate) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO mandates (press, customer_id, kind, language, words, version, given_at, method_id, reference)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '', '')
		ON CONFLICT (press) DO UPDATE SET
			kind = excluded.kind, language = excluded.language, words = excluded.words, version = excluded.version, given_at = excluded.given_at
		WHERE mandates.method_id = ''`,
		m.Press, m.CustomerID, m.Kind, m.Language, m.Words, m.Version(), m.GivenAt)
	if err != nil {
		return fmt.Errorf("keep what was agreed to: %w", err)
	}
	return nil
}

// MandateServes keeps which method what was agreed to with a press is about.
func MandateServes(ctx context.Context, tx *sql.Tx, press, method, reference string) error {
	_, err := tx.ExecContext(ctx, `UPDATE mandates SET method_id = $1, reference = $2 WHERE press = $3`, method, reference, press)
	if err != nil {
		return fmt.Errorf("keep what was agreed to: %w", err)
	}
	return nil
}

// Mandates answers what a customer agreed to and was kept, newest first.
func Mandates(ctx context.Context, tx *sql.Tx, customer string) ([]Mandate, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT press, customer_id, kind, language, words, given_at, method_id, reference FROM mandates
		WHERE customer_id = $1 AND method_id <> '' ORDER BY given_at DESC, press`, customer)
	if err != nil {
		return nil, fmt.Errorf("read what was agreed to: %w", err)
	}
	defer rows.Close()
	var all []Mandate
	for rows.Next() {
		var m Mandate
		err = rows.Scan(&m.Press, &m.CustomerID, &m.Kind, &m.Language, &m.Words, &m.GivenAt, &m.MethodID, &m.Reference)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}
