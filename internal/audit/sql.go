package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sollecito/internal/database"
)

// Append adds an entry within the caller's transaction, which must be one that writes. Seq is given here.
func Append(ctx context.Context, tx *sql.Tx, e Entry) error {
	err := database.HoldQuietly(ctx, tx, "audit") // the chain has one end
	if err != nil {
		return fmt.Errorf("append to audit: %w", err)
	}
	last, before, err := head(ctx, tx)
	if err != nil {
		return fmt.Errorf("append to audit: %w", err)
	}
	e = e.plain()
	e.Seq = last + 1
	hash, err := e.chained(before)
	if err != nil {
		return fmt.Errorf("append to audit: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO audit (seq, at, actor, role, action, object, detail, ip, request, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		e.Seq, e.At.Unix(), e.Actor, e.Role, e.Action, e.Object, e.Detail, e.IP, e.Request, hash)
	if err != nil {
		return fmt.Errorf("append to audit: %w", err)
	}
	return nil
}

// Head answers the number and hash of the last entry; 0 and "" for an empty log. Told outside the database, it shows
// later that nothing before it was cut off or written anew.
func Head(ctx context.Context, tx *sql.Tx) (seq int64, hash string, err error) {
	seq, hash, err = head(ctx, tx)
	if err != nil {
		return 0, "", fmt.Errorf("read the head of audit: %w", err)
	}
	return seq, hash, nil
}

func head(ctx context.Context, tx *sql.Tx) (seq int64, hash string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`).Scan(&seq, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", nil
	}
	return seq, hash, err
}

// List answers at most limit entries, the newest first. beforeSeq pages: only entries older than it are
// answered, 0 means from the newest.
func List(ctx context.Context, tx *sql.Tx, beforeSeq int64, limit int) ([]Entry, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT seq, at, actor, role, action, object, detail, ip, request FROM audit
		WHERE cast($1 AS BIGINT) = 0 OR seq < $1 ORDER BY seq DESC LIMIT $2`, beforeSeq, limit)
	if err != nil {
		return nil, fmt.Errorf("list audit: %w", err)
	}
	defer rows.Close()
	var entries []Entry
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("list audit: %w", err)
		}
		entries = append(entries, e)
	}
	err = rows.Err()
	if err != nil {
		return nil, fmt.Errorf("list audit: %w", err)
	}
	return entries, nil
}

func scan(rows *sql.Rows, more ...any) (Entry, error) {
	var e Entry
	var at int64
	err := rows.Scan(append([]any{&e.Seq, &at, &e.Actor, &e.Role, &e.Action, &e.Object, &e.Detail, &e.IP, &e.Request}, more...)...)
	e.At = time.Unix(at, 0).UTC()
	return e, err
}

// Broken is the error of a chain that does not hold. Seq is the first number at which it fails.
type Broken struct {
	Seq int64
	Why string
}

func (b *Broken) Error() string { return fmt.Sprintf("audit entry %d: %s", b.Seq, b.Why) }

// Holds makes sure that a head that was told earlier still lies on the chain, which Verify has found whole. A
// different or missing entry is a *Broken.
func Holds(ctx context.Context, tx *sql.Tx, seq int64, hash string) error {
	var kept string
	err := tx.QueryRowContext(ctx, `SELECT hash FROM audit WHERE seq = $1`, seq).Scan(&kept)
	if errors.Is(err, sql.ErrNoRows) {
		return &Broken{Seq: seq, Why: "it is missing though its hash was told: the log was cut short"}
	}
	if err != nil {
		return fmt.Errorf("look up a told head of audit: %w", err)
	}
	if kept != hash {
		return &Broken{Seq: seq, Why: "its hash is not the one that was told: the log was written anew"}
	}
	return nil
}

// Verify walks the whole chain and answers how many entries it has and the hash of the last, which, written
// down elsewhere, also shows a log cut short at its end. A changed, missing or moved entry is a *Broken.
func Verify(ctx context.Context, tx *sql.Tx) (count int64, last string, err error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT seq, at, actor, role, action, object, detail, ip, request, hash FROM audit ORDER BY seq`)
	if err != nil {
		return 0, "", fmt.Errorf("verify audit: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var hash string
		e, err := scan(rows, &hash)
		if err != nil {
			return count, last, fmt.Errorf("verify audit: %w", err)
		}
		if e.Seq != count+1 {
			return count, last, &Broken{Seq: count + 1, Why: "it is missing"}
		}
		expected, err := e.chained(last)
		if err != nil {
			return count, last, fmt.Errorf("verify audit: %w", err)
		}
		if hash != expected {
			return count, last, &Broken{Seq: e.Seq, Why: "it was changed"}
		}
		count, last = e.Seq, hash
	}
	err = rows.Err()
	if err != nil {
		return count, last, fmt.Errorf("verify audit: %w", err)
	}
	return count, last, nil
}
