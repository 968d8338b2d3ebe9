package staff

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
)

// record is a row of staff: the member and what only this room may know.
type record struct {
	Member
	password   string
	enrolHash  string
	enrolUntil int64
	disabledAt int64
	factor     string // sealed
	factorStep int64
}

const memberColumns = `s.id, s.email, s.name, s.role, s.password, s.enrol_hash, s.enrol_until, s.disabled_at, s.created_at, s.factor,
	s.factor_step, s.signed_in_at`

type scanner interface{ Scan(into ...any) error }

func scanMember(row scanner, more ...any) (record, error) {
	var r record
	err := row.Scan(append([]any{
		&r.ID, &r.Email, &r.Name, &r.Role, &r.password, &r.enrolHash, &r.enrolUntil, &r.disabledAt, &r.CreatedAt, &r.factor, &r.factorStep, &r.SignedInAt,
	}, more...)...)
	r.Enrolled, r.Disabled, r.Factor = r.password != "", r.disabledAt > 0, r.factor != ""
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
		SELECT `+memberColumns+`, x.created_at, x.seen_at, x.ended_at, x.confirmed_at, x.standing, x.draft
		FROM staff_sessions x JOIN staff s ON s.id = x.staff_id WHERE x.hash = $1`, hash),
		&s.createdAt, &s.seenAt, &s.endedAt, &s.confirmedAt, &s.standing, &s.draft)
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

// inviteMember writes a new member, or name, role and enrolment of one there is. Somebody disabled comes back without
// the password they had.
func inviteMember(ctx context.Context, tx *sql.Tx, r record) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO staff (id, email, name, role, password, enrol_hash, enrol_until, disabled_at, created_at)
		VALUES ($1, $2, $3, $4, '', $5, $6, 0, $7)
		ON CONFLICT (email) DO UPDATE SET name = excluded.name, role = excluded.role, enrol_hash = excluded.enrol_hash,
			enrol_until = excluded.enrol_until, disabled_at = 0,
			password = CASE WHEN staff.disabled_at > 0 THEN '' ELSE staff.password END`,
		r.ID, r.Email, r.Name, string(r.Role), r.enrolHash, r.enrolUntil, r.CreatedAt)
	return err
}

// enrolMember uses an enrolment up and reports whether it was still there.
func enrolMember(ctx context.Context, tx *sql.Tx, id, enrolHash, name, password string) (bool, error) {
	return changed(tx.ExecContext(ctx, `
		UPDATE staff SET name = $3, password = $4, enrol_hash = '', enrol_until = 0
		WHERE id = $1 AND enrol_hash = $2 AND disabled_at = 0`, id, enrolHash, name, password))
}

// changed reports whether a statement found its row.
func changed(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// setPassword replaces a password, by itself to hold it, and reports whether it had not been replaced meanwhile.
func setPassword(ctx context.Context, tx *sql.Tx, id, before, after string) (bool, error) {
	return changed(tx.ExecContext(ctx, `UPDATE staff SET password = $3 WHERE id = $1 AND password = $2 AND disabled_at = 0`, id, before, after))
}

func setRole(ctx context.Context, tx *sql.Tx, id string, role Role) (bool, error) {
	return changed(tx.ExecContext(ctx, `UPDATE staff SET role = $2 WHERE id = $1 AND role <> $2`, id, string(role)))
}

// disableMember shuts somebody out; the enrolment address dies too.
func disableMember(ctx context.Context, tx *sql.Tx, id string, now int64) (bool, error) {
	return changed(tx.ExecContext(ctx, `
		UPDATE staff SET disabled_at = $2, enrol_hash = '', enrol_until = 0 WHERE id = $1 AND disabled_at = 0`, id, now))
}

func markSignedIn(ctx context.Context, tx *sql.Tx, id string, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE staff SET signed_in_at = $2 WHERE id = $1`, id, now)
	return err
}

func stillAdmin(ctx context.Context, tx *sql.Tx, id string) (bool, error) {
	var still bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM staff WHERE id = $1 AND role = 'admin' AND disabled_at = 0)`, id).Scan(&still)
	return still, err
}

// setFactor puts a second factor in the place of the one there was, "" for none.
func setFactor(ctx context.Context, tx *sql.Tx, id, before, after string, step, now int64) (bool, error) {
	return changed(tx.ExecContext(ctx, `
		UPDATE staff SET factor = $3, factor_step = $4, factor_at = $5 WHERE id = $1 AND factor = $2 AND disabled_at = 0`,
		id, before, after, step, now))
}

func dropFactor(ctx context.Context, tx *sql.Tx, id string) (bool, error) {
	return changed(tx.ExecContext(ctx, `UPDATE staff SET factor = '', factor_step = 0, factor_at = 0 WHERE id = $1 AND factor <> ''`, id))
}

// useStep uses up the code of a time step and reports whether neither it nor a later one was used before.
func useStep(ctx context.Context, tx *sql.Tx, id string, step int64) (bool, error) {
	return changed(tx.ExecContext(ctx, `UPDATE staff SET factor_step = $2 WHERE id = $1 AND factor_step < $2`, id, step))
}

func factorSince(ctx context.Context, tx *sql.Tx, id string) (int64, error) {
	var since int64
	err := tx.QueryRowContext(ctx, `SELECT factor_at FROM staff WHERE id = $1`, id).Scan(&since)
	return since, err
}

func dropRecovery(ctx context.Context, tx *sql.Tx, memberID string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM staff_recovery WHERE staff_id = $1`, memberID)
	return err
}

func insertRecovery(ctx context.Context, tx *sql.Tx, memberID, hash string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO staff_recovery (hash, staff_id, used_at) VALUES ($1, $2, 0)`, hash, memberID)
	return err
}

// useRecovery uses a recovery code up, reports whether it was there to be used, and answers how many are left.
func useRecovery(ctx context.Context, tx *sql.Tx, memberID, hash string, now int64) (used bool, left int64, err error) {
	used, err = changed(tx.ExecContext(ctx, `UPDATE staff_recovery SET used_at = $3 WHERE hash = $2 AND staff_id = $1 AND used_at = 0`, memberID, hash, now))
	if err != nil || !used {
		return false, 0, err
	}
	left, err = recoveryLeft(ctx, tx, memberID)
	return true, left, err
}

func recoveryLeft(ctx context.Context, tx *sql.Tx, memberID string) (int64, error) {
	var left int64
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM staff_recovery WHERE staff_id = $1 AND used_at = 0`, memberID).Scan(&left)
	return left, err
}

func insertSession(ctx context.Context, tx *sql.Tx, hash, memberID string, s session, now int64, who Caller) error {
	agent := who.Agent
	if len(agent) > 300 {
		agent = strings.ToValidUTF8(agent[:300], "")
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO staff_sessions (hash, staff_id, created_at, seen_at, ended_at, ip, agent, standing, confirmed_at)
		VALUES ($1, $2, $3, $3, 0, $4, $5, $6, $7)`, hash, memberID, now, who.IP, agent, string(s.standing), s.confirmedAt)
	return err
}

// moveSession gives a living session a new name and standing and reports whether it was still there.
func moveSession(ctx context.Context, tx *sql.Tx, from, to string, a admission, now int64) (bool, error) {
	return changed(tx.ExecContext(ctx, `
		UPDATE staff_sessions SET hash = $2, standing = $3, draft = $4, confirmed_at = $5, seen_at = $5
		WHERE hash = $1 AND ended_at = 0`, from, to, string(a.standing), a.draft, now))
}

func setDraft(ctx context.Context, tx *sql.Tx, hash, draft string) error {
	_, err := tx.ExecContext(ctx, `UPDATE staff_sessions SET draft = $2 WHERE hash = $1`, hash, draft)
	return err
}

func keepCodes(ctx context.Context, tx *sql.Tx, from, to string) (bool, error) {
	return changed(tx.ExecContext(ctx, `
		UPDATE staff_sessions SET hash = $2, standing = 'full', draft = '' WHERE hash = $1 AND standing = 'codes' AND ended_at = 0`, from, to))
}

func touchSession(ctx context.Context, tx *sql.Tx, hash string, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE staff_sessions SET seen_at = $2 WHERE hash = $1 AND ended_at = 0 AND seen_at < $2`, hash, now)
	return err
}

func endSession(ctx context.Context, tx *sql.Tx, hash string, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE staff_sessions SET ended_at = $2, draft = '' WHERE hash = $1 AND ended_at = 0`, hash, now)
	return err
}

func endSessions(ctx context.Context, tx *sql.Tx, memberID string, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE staff_sessions SET ended_at = $2, draft = '' WHERE staff_id = $1 AND ended_at = 0`, memberID, now)
	return err
}

func endAllSessions(ctx context.Context, tx *sql.Tx, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE staff_sessions SET ended_at = $1, draft = '' WHERE ended_at = 0`, now)
	return err
}

func forgetSessions(ctx context.Context, tx *sql.Tx, memberID string, before int64) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM staff_sessions WHERE staff_id = $1 AND created_at < $2`, memberID, before)
	return err
}

func endOtherSessions(ctx context.Context, tx *sql.Tx, memberID, but string, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE staff_sessions SET ended_at = $3, draft = '' WHERE staff_id = $1 AND hash <> $2 AND ended_at = 0`, memberID, but, now)
	return err
}

// endNamed ends the one session of a member that is called so and reports whether it lived.
func endNamed(ctx context.Context, tx *sql.Tx, memberID, name string, now int64) (bool, error) {
	return changed(tx.ExecContext(ctx, `
		UPDATE staff_sessions SET ended_at = $3, draft = '' WHERE staff_id = $1 AND substr(hash, 1, 16) = $2 AND ended_at = 0`, memberID, name, now))
}

func openSessions(ctx context.Context, tx *sql.Tx, memberID string, now time.Time) ([]OpenSession, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT hash, created_at, seen_at, ended_at, confirmed_at, standing, ip, agent FROM staff_sessions
		WHERE staff_id = $1 AND ended_at = 0 ORDER BY seen_at DESC, hash`, memberID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []OpenSession
	for rows.Next() {
		var s session
		var hash string
		var o OpenSession
		err := rows.Scan(&hash, &s.createdAt, &s.seenAt, &s.endedAt, &s.confirmedAt, &s.standing, &o.IP, &o.Agent)
		if err != nil {
			return nil, err
		}
		if s.standing == Half || !s.alive(now) {
			continue
		}
		o.ID, o.Since, o.SeenAt = nameOf(hash), s.createdAt, s.seenAt
		all = append(all, o)
	}
	return all, rows.Err()
}

// knownDevice reports whether a browser is one the member signed in from since an instant.
func knownDevice(ctx context.Context, tx *sql.Tx, memberID, device string, since int64) (bool, error) {
	if memberID == "" || device == "" {
		return false, nil
	}
	var known bool
	err := tx.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM staff_devices WHERE staff_id = $1 AND hash = $2 AND seen_at >= $3)`,
		memberID, hashOf(device), since).Scan(&known)
	return known, err
}

func insertDevice(ctx context.Context, tx *sql.Tx, memberID, hash string, now int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO staff_devices (hash, staff_id, created_at, seen_at) VALUES ($1, $2, $3, $3)`, hash, memberID, now)
	return err
}

func seeDevice(ctx context.Context, tx *sql.Tx, memberID, hash string, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE staff_devices SET seen_at = $3 WHERE staff_id = $1 AND hash = $2`, memberID, hash, now)
	return err
}

func forgetDevices(ctx context.Context, tx *sql.Tx, memberID string, before int64) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM staff_devices WHERE staff_id = $1 AND seen_at < $2`, memberID, before)
	return err
}

func dropDevices(ctx context.Context, tx *sql.Tx, memberID string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM staff_devices WHERE staff_id = $1`, memberID)
	return err
}

// waitOf answers until when whoever failed under a key waits, in unix milliseconds; 0 when nobody has.
func waitOf(ctx context.Context, tx *sql.Tx, key string) (until int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT locked_until FROM staff_failures WHERE hash = $1`, key).Scan(&until)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return until, err
}

// addFailure counts one more failure under a key and answers how many there are in a row; those whose last wait ended
// before an instant no longer count.
func addFailure(ctx context.Context, tx *sql.Tx, key string, forgotten, now int64) (int64, error) {
	var failures int64
	err := tx.QueryRowContext(ctx, `
		INSERT INTO staff_failures (hash, failures, locked_until) VALUES ($1, 1, $3)
		ON CONFLICT (hash) DO UPDATE SET failures = CASE WHEN staff_failures.locked_until < $2 THEN 1 ELSE staff_failures.failures + 1 END
		RETURNING failures`, key, forgotten, now).Scan(&failures)
	return failures, err
}

func setWait(ctx context.Context, tx *sql.Tx, key string, until int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE staff_failures SET locked_until = $2 WHERE hash = $1`, key, until)
	return err
}

// takeTurn reports whether no wait runs under a key, and holds its row until the transaction ends: one try at a time.
func takeTurn(ctx context.Context, tx *sql.Tx, key string, now int64) (bool, error) {
	return changed(tx.ExecContext(ctx, `
		INSERT INTO staff_failures (hash, failures, locked_until) VALUES ($1, 0, $2)
		ON CONFLICT (hash) DO UPDATE SET failures = staff_failures.failures WHERE staff_failures.locked_until <= $2`, key, now))
}

func clearFailures(ctx context.Context, tx *sql.Tx, key string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM staff_failures WHERE hash = $1`, key)
	return err
}

func forgetFailures(ctx context.Context, tx *sql.Tx, before int64) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM staff_failures WHERE locked_until < $1`, before)
	return err
}

func insertAlert(ctx context.Context, tx *sql.Tx, id, memberID string, what Happening, at int64, who Caller) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO staff_alerts (id, staff_id, what, at, ip, agent) VALUES ($1, $2, $3, $4, $5, $6)`,
		id, memberID, string(what), at, who.IP, who.Agent)
	return err
}

func forgetAlerts(ctx context.Context, tx *sql.Tx, memberID string, before int64) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM staff_alerts WHERE staff_id = $1 AND at < $2`, memberID, before)
	return err
}
