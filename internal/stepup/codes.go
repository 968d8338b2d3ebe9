package stepup

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// Codes asks for codes and tries them.
type Codes struct {
	key  string
	real func() time.Time
}

// NewCodes makes the collection. key is the installation's session key; real is real time.
func NewCodes(key string, real func() time.Time) *Codes { return &Codes{key: key, real: real} }

// Ask queues a letter with a code for what is needed; earlier codes of the session stop working. The letter goes to the
// customer's address on file, whoever asks. now is the business time of the letter. fault.TooMany when the customer was
// sent as many codes as an hour allows.
func (c *Codes) Ask(ctx context.Context, tx *sql.Tx, need Need, now time.Time) error {
	real := c.real()
	within, err := database.Within(ctx, tx, "code "+need.CustomerID, time.Hour, MostAsked, real)
	if err != nil {
		return err
	}
	if !within {
		return fault.New(fault.TooMany, "Too many codes were asked for.")
	}
	_, err = tx.ExecContext(ctx, `UPDATE proofs SET ended_at = $1 WHERE session = $2 AND ended_at = 0`, real.Unix(), need.Session)
	if err != nil {
		return fmt.Errorf("end earlier codes: %w", err)
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM proofs WHERE asked_at < $1`, real.Add(-48*time.Hour).Unix())
	if err != nil {
		return fmt.Errorf("sweep codes: %w", err)
	}
	id := database.NewID("prf")
	_, err = tx.ExecContext(ctx, `
		INSERT INTO proofs (id, customer_id, session, purpose, subject, hash, asked_at, written_at, tries, ended_at)
		VALUES ($1, $2, $3, $4, $5, '', $6, 0, 0, 0)`,
		id, need.CustomerID, need.Session, string(need.Purpose), need.Subject, real.Unix())
	if err != nil {
		return fmt.Errorf("ask for a code: %w", err)
	}
	_, err = outbox.Queue(ctx, tx, outbox.Notice{Kind: outbox.Code, Channel: outbox.Email, CustomerID: need.CustomerID, SubjectID: id}, now.Unix())
	return err
}

// Write makes the code for its letter and answers it with what it is for; the digits are kept nowhere. A letter that is
// tried again gets new ones. fault.NotFound when nobody waits for it any more.
func (c *Codes) Write(ctx context.Context, tx *sql.Tx, id string) (digits string, need Need, err error) {
	digits, err = newDigits()
	if err != nil {
		return "", Need{}, err
	}
	real := c.real()
	err = tx.QueryRowContext(ctx, `
		UPDATE proofs SET hash = $1, written_at = $2 WHERE id = $3 AND ended_at = 0 AND asked_at > $4
		RETURNING customer_id, session, purpose, subject`,
		hash(c.key, id, digits), real.Unix(), id, real.Add(-waitsMost).Unix()).Scan(&need.CustomerID, &need.Session, &need.Purpose, &need.Subject)
	if errors.Is(err, sql.ErrNoRows) {
		return "", Need{}, fault.New(fault.NotFound, "Nobody waits for this code any more.")
	}
	if err != nil {
		return "", Need{}, fmt.Errorf("write code: %w", err)
	}
	return digits, need, nil
}

// Try tries what was typed for what is needed. It must be kept whatever it answers: a wrong try counts.
func (c *Codes) Try(ctx context.Context, tx *sql.Tx, need Need, typed string) (Verdict, error) {
	real := c.real()
	// Counting first holds the row, so that tries at the same moment are as many as tries one after the other.
	var id, kept string
	var tries int64
	err := tx.QueryRowContext(ctx, `
		UPDATE proofs SET tries = tries + 1
		WHERE customer_id = $1 AND session = $2 AND purpose = $3 AND subject = $4
			AND ended_at = 0 AND written_at > $5 AND tries < $6
		RETURNING id, hash, tries`,
		need.CustomerID, need.Session, string(need.Purpose), need.Subject, real.Add(-Life).Unix(), MostTries).Scan(&id, &kept, &tries)
	if errors.Is(err, sql.ErrNoRows) {
		coming, err := c.Asked(ctx, tx, need)
		if coming {
			return Wrong, err // its letter is still to be written
		}
		return Void, err
	}
	if err != nil {
		return "", fmt.Errorf("try a code: %w", err)
	}
	digits := clean(typed)
	if digits == "" || !hmac.Equal([]byte(kept), []byte(hash(c.key, id, digits))) {
		if tries >= MostTries {
			return Void, nil
		}
		return Wrong, nil
	}
	_, err = tx.ExecContext(ctx, `UPDATE proofs SET ended_at = $1 WHERE id = $2`, real.Unix(), id)
	if err != nil {
		return "", fmt.Errorf("use a code: %w", err)
	}
	return Right, nil
}

// Asked reports whether a code for what is needed is on its way or may still be typed.
func (c *Codes) Asked(ctx context.Context, tx *sql.Tx, need Need) (bool, error) {
	real := c.real()
	var n int
	err := tx.QueryRowContext(ctx, `
		SELECT count(*) FROM proofs
		WHERE customer_id = $1 AND session = $2 AND purpose = $3 AND subject = $4 AND ended_at = 0 AND tries < $5
			AND (written_at > $6 OR written_at = 0 AND asked_at > $7)`,
		need.CustomerID, need.Session, string(need.Purpose), need.Subject, MostTries,
		real.Add(-Life).Unix(), real.Add(-waitsMost).Unix()).Scan(&n)
	return n > 0, err
}
