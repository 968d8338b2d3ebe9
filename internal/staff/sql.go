package staff

import (
	"context"
	"database/sql"
	"errors"
)

// record is a row of staff: the member and what only this room may know.
type record struct {
	Member
	password   string
	enrolHash  string
	enrolUntil int64
	disabledAt int64
}

const memberColumns = `s.id, s.email, s.name, s.role, s.password, s.enrol_hash, s.enrol_until, s.disabled_at, s.created_at`

type scanner interface{ Scan(into ...any) error }

func scanMember(row scanner, more ...any) (record, error) {
	var r record
	err := row.Scan(append([]any{
		&r.ID, &r.Email, &r.Name, &r.Role, &r.password, &r.enrolHash, &r.enrolUntil, &r.disabledAt, &r.CreatedAt,
	}, more...)...)
	r.Enrolled, r.Disabled = r.password != "", r.disabledAt > 0
	return r, err
}

func memberByEmail(ctx context.Context, tx *sql.Tx, email string) (record, error) {
	return scanMember(tx.QueryRowContext(ctx, `SELECT `+memberColumns+` FROM staff s WHERE s.email = $1`, email))
}

func memberByID(ctx context.Context, tx *sql.Tx, id string) (record, error) {
	return scanMember(tx.QueryRowContext(ctx, `SELECT `+memberColumns+` FROM staff s WHERE s.id = $1`, id))
}

func memberByEnrolment(ctx context.Context, tx *sql.Tx, hash string) (record, error) {
	return scanMember(tx.QueryRowContext(ctx, `SELECT `+memberColumns+` FROM staff s WHERE s.enrol_hash = $1`, hash))
}

func memberBySession(ctx context.Context, tx *sql.Tx, hash string) (record, session, error) {
	var s session
	r, err := scanMember(tx.QueryRowContext(ctx, `
		SELECT `+memberColumns+`, x.created_at, x.seen_at, x.ended_at
		FROM staff_sessions x JOIN staff s ON s.id = x.staff_id WHERE x.hash = $1`, hash), &s.createdAt, &s.seenAt, &s.endedAt)
	return r, s, err
}

func listMembers(ctx context.Context, tx *sql.Tx) ([]Member, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+memberColumns+` FROM staff s ORDER BY s.email`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Member
	for rows.Next() {
		r, err := scanMember(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, r.Member)
	}
	return all, rows.Err()
}

// anyMember reports whether there is anybody on staff, disabled ones included.
func anyMember(ctx context.Context, tx *sql.Tx) (bool, error) {
	var some bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM staff)`).Scan(&some)
	return some, err
}

// saveMember writes a member as a whole. Disabled false clears the instant it happened.
func saveMember(ctx context.Context, tx *sql.Tx, r record) error {
	if !r.Disabled {
		r.disabledAt = 0
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO staff (id, email, name, role, password, enrol_hash, enrol_until, disabled_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, role = excluded.role, password = excluded.password,
			enrol_hash = excluded.enrol_hash, enrol_until = excluded.enrol_until, disabled_at = excluded.disabled_at`,
		r.ID, r.Email, r.Name, string(r.Role), r.password, r.enrolHash, r.enrolUntil, r.disabledAt, r.CreatedAt)
	return err
}

func insertSession(ctx context.Context, tx *sql.Tx, hash, memberID string, now int64, who Caller) error {
	agent := who.Agent
	if len(agent) > 300 {
		agent = agent[:300]
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO staff_sessions (hash, staff_id, created_at, seen_at, ended_at, ip, agent)
		VALUES ($1, $2, $3, $3, 0, $4, $5)`, hash, memberID, now, who.IP, agent)
	return err
}

func touchSession(ctx context.Context, tx *sql.Tx, hash string, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE staff_sessions SET seen_at = $2 WHERE hash = $1 AND ended_at = 0 AND seen_at < $2`, hash, now)
	return err
}

func endSession(ctx context.Context, tx *sql.Tx, hash string, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE staff_sessions SET ended_at = $2 WHERE hash = $1 AND ended_at = 0`, hash, now)
	return err
}

func endSessions(ctx context.Context, tx *sql.Tx, memberID string, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE staff_sessions SET ended_at = $2 WHERE staff_id = $1 AND ended_at = 0`, memberID, now)
	return err
}

func forgetSessions(ctx context.Context, tx *sql.Tx, memberID string, before int64) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM staff_sessions WHERE staff_id = $1 AND created_at < $2`, memberID, before)
	return err
}

// signedInFrom reports whether the member opened a session from this place since an instant.
func signedInFrom(ctx context.Context, tx *sql.Tx, memberID, ip string, since int64) (bool, error) {
	if memberID == "" || ip == "" {
		return false, nil
	}
	var known bool
	err := tx.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM staff_sessions WHERE staff_id = $1 AND ip = $2 AND created_at >= $3)`,
		memberID, ip, since).Scan(&known)
	return known, err
}

func failuresOf(ctx context.Context, tx *sql.Tx, key string) (failures, until int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT failures, locked_until FROM staff_failures WHERE hash = $1`, key).Scan(&failures, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, nil
	}
	return failures, until, err
}

func setFailures(ctx context.Context, tx *sql.Tx, key string, failures, until int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO staff_failures (hash, failures, locked_until) VALUES ($1, $2, $3)
		ON CONFLICT (hash) DO UPDATE SET failures = excluded.failures, locked_until = excluded.locked_until`, key, failures, until)
	return err
}

func clearFailures(ctx context.Context, tx *sql.Tx, key string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM staff_failures WHERE hash = $1`, key)
	return err
}

func forgetFailures(ctx context.Context, tx *sql.Tx, before int64) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM staff_failures WHERE locked_until < $1`, before)
	return err
}
