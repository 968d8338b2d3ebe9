package inbound

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// Arrival is one mail that came in under a tag of ours. Instants are unix seconds; NextTryAt is real time.
type Arrival struct {
	ID         string
	Tag        Tag
	CustomerID string // "" until it was looked at
	Sender     string // of the envelope, "" for the empty one
	Raw        []byte // nil once it had its effect
	Outcome    string
	Reason     string
	Attempts   int64
	ReceivedAt int64
}

// mostPerHour is how many mails are taken in an hour for one mail of ours, and mostComplaints for the one address
// without a token.
const (
	mostPerHour    = 30
	mostComplaints = 300
)

// ErrTooMany is answered where more comes in for one mail of ours than any person or server writes.
var ErrTooMany = fault.New(fault.TooMany, "Too much mail for this address; try again in an hour.")

// Keep makes a mail durable. The same mail again is kept once. ErrTooMany when too many came within the hour.
func Keep(ctx context.Context, tx *sql.Tx, a Arrival, now, realNow time.Time) error {
	most, name := int64(mostPerHour), "arrival "+a.Tag.NoticeID
	if a.Tag.Way == Complaint {
		most = mostComplaints
	}
	within, err := database.Within(ctx, tx, name, time.Hour, most, realNow)
	if err != nil {
		return err
	}
	if !within {
		return ErrTooMany
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO arrivals (id, mark, way, notice_id, customer_id, sender, raw, status, outcome, reason, attempts, next_try_at, received_at, settled_at)
		VALUES ($1, $2, $3, $4, '', $5, $6, 'received', '', '', 0, $7, $8, 0)
		ON CONFLICT (mark) DO NOTHING`,
		database.NewID("arr"), markOf(a), a.Tag.Way, a.Tag.NoticeID, a.Sender, base64.StdEncoding.EncodeToString(a.Raw), realNow.Unix(), now.Unix())
	if err != nil {
		return fmt.Errorf("keep arrival: %w", err)
	}
	return nil
}

// markOf tells a mail from every other: by whom it is for, its Message-ID and what it says. The lines each server
// adds on the way differ from one delivery of a mail to the next, so the rest of its header has no part in it.
func markOf(a Arrival) string {
	raw := strings.ReplaceAll(string(a.Raw), "\r\n", "\n")
	header, body, _ := strings.Cut(raw, "\n\n")
	id := ""
	for line := range strings.Lines(header) {
		if len(line) > 11 && strings.EqualFold(line[:11], "message-id:") {
			id = strings.TrimSpace(line[11:])
			break
		}
	}
	sum := sha256.Sum256([]byte(string(a.Tag.Way) + "\n" + a.Tag.NoticeID + "\n" + id + "\n" + strings.TrimSpace(body)))
	return hex.EncodeToString(sum[:])
}

// Waiting answers the ids of up to limit mails to be looked at.
func Waiting(ctx context.Context, tx *sql.Tx, realNow int64, limit int) ([]string, error) {
	return database.Strings(ctx, tx, `
		SELECT id FROM arrivals WHERE status = 'received' AND next_try_at <= $1 ORDER BY next_try_at, id LIMIT $2`, realNow, limit)
}

// Take answers a mail that waits and holds it until the transaction ends; false when somebody else has dealt with it.
func Take(ctx context.Context, tx *sql.Tx, id string) (Arrival, bool, error) {
	a := Arrival{ID: id}
	var raw string
	rows, err := tx.QueryContext(ctx, `
		UPDATE arrivals SET attempts = attempts + 1 WHERE id = $1 AND status = 'received'
		RETURNING way, notice_id, customer_id, sender, raw, attempts, received_at`, id)
	if err != nil {
		return Arrival{}, false, fmt.Errorf("take arrival %s: %w", id, err)
	}
	defer rows.Close()
	if !rows.Next() {
		return Arrival{}, false, rows.Err()
	}
	err = rows.Scan(&a.Tag.Way, &a.Tag.NoticeID, &a.CustomerID, &a.Sender, &raw, &a.Attempts, &a.ReceivedAt)
	if err != nil {
		return Arrival{}, false, err
	}
	a.Raw, err = base64.StdEncoding.DecodeString(raw)
	return a, err == nil, err
}

// Settle ends a mail: what it turned out to be, the sentence staff read, and whether it changed anything. Its text is
// forgotten.
func Settle(ctx context.Context, tx *sql.Tx, a Arrival, changed bool, now int64) error {
	status := "ignored"
	if changed {
		status = "processed"
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE arrivals SET status = $1, outcome = $2, reason = $3, customer_id = $4, notice_id = $5, raw = '', settled_at = $6 WHERE id = $7`,
		status, a.Outcome, a.Reason, a.CustomerID, a.Tag.NoticeID, now, a.ID)
	if err != nil {
		return fmt.Errorf("settle arrival %s: %w", a.ID, err)
	}
	return nil
}

// Drop forgets a mail altogether: that of a customer who was erased leaves no trace, not even where it came from.
func Drop(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM arrivals WHERE id = $1`, id)
	if err != nil {
		return fmt.Errorf("drop arrival %s: %w", id, err)
	}
	return nil
}

// Later puts a mail off to the instant (real time). After too many tries it is parked, its text kept.
func Later(ctx context.Context, tx *sql.Tx, id, reason string, at int64) error {
	const most = 8
	_, err := tx.ExecContext(ctx, `
		UPDATE arrivals SET attempts = attempts + 1, next_try_at = $1, reason = $2,
			status = CASE WHEN attempts + 1 >= $3 THEN 'parked' ELSE status END
		WHERE id = $4 AND status = 'received'`, at, reason, most, id)
	return err
}

// OfCustomer answers the mails that came from a customer or about them, oldest first, without their text.
func OfCustomer(ctx context.Context, tx *sql.Tx, customer string) ([]Arrival, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, way, notice_id, customer_id, sender, outcome, reason, attempts, received_at
		FROM arrivals WHERE customer_id = $1 AND settled_at > 0 ORDER BY received_at, id`, customer)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Arrival
	for rows.Next() {
		var a Arrival
		err = rows.Scan(&a.ID, &a.Tag.Way, &a.Tag.NoticeID, &a.CustomerID, &a.Sender, &a.Outcome, &a.Reason, &a.Attempts, &a.ReceivedAt)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, rows.Err()
}
