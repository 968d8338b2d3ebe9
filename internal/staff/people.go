package staff

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sollecito/internal/audit"
	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// OpenSession is a session somebody is in. ID names it and opens nothing; instants are unix seconds.
type OpenSession struct {
	ID     string
	Since  int64
	SeenAt int64
	IP     string
	Agent  string
}

// SignOutAll ends the sessions of all members.
func (m *Members) SignOutAll(ctx context.Context, tx *sql.Tx) error {
	err := endAllSessions(ctx, tx, m.now().Unix())
	if err != nil {
		return fmt.Errorf("sign everybody out: %w", err)
	}
	return nil
}

func notOneself() error {
	return fault.New(fault.Forbidden, "Nobody does this to their own account here: ask another administrator, or use the command line")
}

// mayAct makes sure that who acts still is an administrator when their turn comes: of two who shut each other out at
// once, one comes too late.
func (m *Members) mayAct(ctx context.Context, tx *sql.Tx, by Hand) error {
	err := database.HoldQuietly(ctx, tx, "staff")
	if err != nil {
		return err
	}
	if by.ID == ByCommand().ID {
		return nil
	}
	still, err := stillAdmin(ctx, tx, by.ID)
	if err != nil || still {
		return err
	}
	return fault.New(fault.Forbidden, "Your role may not do this. Ask a colleague who may.")
}

// of answers the member with an id or an address.
func of(ctx context.Context, tx *sql.Tx, whom string) (record, error) {
	found, err := memberByID(ctx, tx, whom)
	if errors.Is(err, sql.ErrNoRows) {
		found, err = memberByEmail(ctx, tx, cleanEmail(whom))
	}
	if errors.Is(err, sql.ErrNoRows) {
		return record{}, fault.New(fault.NotFound, "Nobody on staff has the address %q", whom)
	}
	return found, err
}

// upon does something to somebody else's account. deed answers whether anything changed; then it is in the log.
func (m *Members) upon(ctx context.Context, by Hand, whom, action string, deed func(tx *sql.Tx, found record) (detail string, changed bool, err error)) error {
	err := m.db.Do(ctx, func(tx *sql.Tx) error {
		err := m.mayAct(ctx, tx, by)
		if err != nil {
			return err
		}
		found, err := of(ctx, tx, whom)
		if err != nil {
			return err
		}
		if found.ID == by.ID {
			return notOneself()
		}
		detail, changed, err := deed(tx, found)
		if err != nil || !changed {
			return err
		}
		return audit.Append(ctx, tx, by.entry(m.now(), action, found.ID, detail))
	})
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return nil
}

// Find answers the member with an id. Error: fault.NotFound.
func (m *Members) Find(ctx context.Context, id string) (Member, error) {
	var found record
	err := m.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		found, err = memberByID(ctx, tx, id)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "There is no such member of staff")
		}
		return err
	})
	if err != nil {
		return Member{}, fmt.Errorf("find member: %w", err)
	}
	return found.Member, nil
}

// Disable shuts somebody, named by id or address, out from the next request on: sessions end, password and enrolment
// address are dead. It may be asked twice. Errors: fault.NotFound, fault.Forbidden for one's own account.
func (m *Members) Disable(ctx context.Context, by Hand, whom string) error {
	return m.upon(ctx, by, whom, "staff.disabled", func(tx *sql.Tx, found record) (string, bool, error) {
		now := m.now().Unix()
		changed, err := disableMember(ctx, tx, found.ID, now)
		if err != nil {
			return "", false, err
		}
		return "", changed, endSessions(ctx, tx, found.ID, now)
	})
}

// SetRole gives somebody another role; their sessions end. Errors: fault.Invalid for a role there is not,
// fault.NotFound, fault.Forbidden for one's own.
func (m *Members) SetRole(ctx context.Context, by Hand, whom string, role Role) error {
	if !role.Valid() {
		return fault.New(fault.Invalid, "Choose one of the roles")
	}
	return m.upon(ctx, by, whom, "staff.role_changed", func(tx *sql.Tx, found record) (string, bool, error) {
		changed, err := setRole(ctx, tx, found.ID, role)
		if err != nil || !changed {
			return "", false, err
		}
		return "role=" + string(role), true, endSessions(ctx, tx, found.ID, m.now().Unix())
	})
}

// ResetFactor takes a lost second factor and its recovery codes away. Sessions end; after the next password a new
// factor is set up before anything else. The member is told by mail. Errors: fault.NotFound, fault.Forbidden for one's
// own.
func (m *Members) ResetFactor(ctx context.Context, by Hand, whom string) error {
	return m.upon(ctx, by, whom, "staff.factor_reset", func(tx *sql.Tx, found record) (string, bool, error) {
		changed, err := dropFactor(ctx, tx, found.ID)
		if err != nil || !changed {
			return "", false, err
		}
		err = dropRecovery(ctx, tx, found.ID)
		if err != nil {
			return "", false, err
		}
		err = dropDevices(ctx, tx, found.ID)
		if err != nil {
			return "", false, err
		}
		err = endSessions(ctx, tx, found.ID, m.now().Unix())
		if err != nil {
			return "", false, err
		}
		return "", true, m.alert(ctx, tx, found.Member, FactorReset, Caller{})
	})
}

// EndSessions signs somebody out everywhere. Errors: fault.NotFound, fault.Forbidden for one's own.
func (m *Members) EndSessions(ctx context.Context, by Hand, whom string) error {
	return m.upon(ctx, by, whom, "staff.sessions_ended", func(tx *sql.Tx, found record) (string, bool, error) {
		return "", true, endSessions(ctx, tx, found.ID, m.now().Unix())
	})
}

// Account is what a member sees of their own account.
type Account struct {
	Sessions []OpenSession
	Codes    int64 // recovery codes left
	FactorAt int64 // since when the second factor is the one it is, unix seconds
}

// AccountOf answers a member's open sessions, the last used first, and how their second factor stands.
func (m *Members) AccountOf(ctx context.Context, memberID string) (Account, error) {
	var a Account
	err := m.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		a.Sessions, err = openSessions(ctx, tx, memberID, m.now())
		if err != nil {
			return err
		}
		a.FactorAt, err = factorSince(ctx, tx, memberID)
		if err != nil {
			return err
		}
		a.Codes, err = recoveryLeft(ctx, tx, memberID)
		return err
	})
	if err != nil {
		return Account{}, fmt.Errorf("read account: %w", err)
	}
	return a, nil
}

// EndOwn ends one of the sessions of the member whose session a token is, by its name, or all but that one with "".
// One that has ended already is no error. Error: fault.SignedOut.
func (m *Members) EndOwn(ctx context.Context, token, name string, who Caller) error {
	err := m.db.Do(ctx, func(tx *sql.Tx) error {
		found, _, err := m.session(ctx, tx, token)
		if err != nil {
			return err
		}
		now := m.now()
		ended := true
		if name == "" {
			err = endOtherSessions(ctx, tx, found.ID, hashOf(token), now.Unix())
		} else {
			ended, err = endNamed(ctx, tx, found.ID, name, now.Unix())
		}
		if err != nil || !ended {
			return err
		}
		return audit.Append(ctx, tx, own(found.Member, who).entry(now, "staff.sessions_ended", found.ID, ""))
	})
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// ChangePassword sets another password for the member whose session a token is. Their other sessions end and they are
// told by mail. Errors: fault.SignedOut, fault.Invalid with a message that says why, fault.Conflict for a session that
// was not confirmed lately.
func (m *Members) ChangePassword(ctx context.Context, token, password string, who Caller) error {
	var found record
	err := m.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		found, _, err = m.session(ctx, tx, token)
		return err
	})
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	err = m.vault.acceptable(password, found.Email, found.Name)
	if err != nil {
		return err
	}
	leave, err := m.vault.enter(ctx)
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	stored := m.vault.hash(password)
	leave()
	err = m.db.Do(ctx, func(tx *sql.Tx) error {
		fresh, s, err := m.session(ctx, tx, token)
		if err != nil {
			return err
		}
		if !s.fresh(m.now()) {
			return fault.New(fault.Conflict, "Confirm that it is you first")
		}
		now := m.now()
		set, err := setPassword(ctx, tx, fresh.ID, fresh.password, stored)
		if err != nil {
			return err
		}
		if !set {
			return fault.New(fault.Conflict, "Your password was changed elsewhere meanwhile")
		}
		err = endOtherSessions(ctx, tx, fresh.ID, hashOf(token), now.Unix())
		if err != nil {
			return err
		}
		err = m.alert(ctx, tx, fresh.Member, PasswordChanged, who)
		if err != nil {
			return err
		}
		return audit.Append(ctx, tx, own(fresh.Member, who).entry(now, "staff.password_changed", fresh.ID, ""))
	})
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	return nil
}

// Confirm proves once more, by password and code, who sits in front of an open session, which goes on under a new
// token. Wrong tries count like those at the door. Errors: fault.SignedOut, fault.Invalid, fault.TooMany around a
// *TryLater, fault.Conflict as EnterCode.
func (m *Members) Confirm(ctx context.Context, token, password, code string, who Caller) (Entry, error) {
	leave, err := m.vault.enter(ctx)
	if err != nil {
		return Entry{}, fmt.Errorf("confirm: %w", err)
	}
	defer leave()
	if len(password) > mostBytes {
		password = "" // nobody's password
	}
	var compared record
	err = m.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		compared, _, err = m.session(ctx, tx, token)
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("confirm: %w", err)
	}
	match, _ := m.vault.matches(compared.password, password) // what came of it counts only once a turn is taken
	var entry Entry
	err = m.trying(ctx, func(tx *sql.Tx) error {
		found, s, err := m.session(ctx, tx, token)
		if err != nil {
			return err
		}
		if s.standing != Full {
			return signedOut()
		}
		key, err := m.tryKey(ctx, tx, found, byCode, found.Email, who)
		if err != nil {
			return err
		}
		err = m.take(ctx, tx, found.Member, key, who)
		if err != nil {
			return err
		}
		if !match || found.password != compared.password {
			return m.refused(ctx, tx, found.Member, "staff.confirm_failed", who, fault.New(fault.Invalid, "The password or the code is wrong"))
		}
		spent, err := m.spend(ctx, tx, found, code, m.now())
		if fault.Is(err, fault.Invalid) {
			return m.refused(ctx, tx, found.Member, "staff.confirm_failed", who, fault.New(fault.Invalid, "The password or the code is wrong"))
		}
		if err != nil {
			return err
		}
		err = clearFailures(ctx, tx, key)
		if err != nil {
			return err
		}
		entry, err = m.admit(ctx, tx, found, token, admission{standing: Full, action: "staff.confirmed", detail: spent}, who)
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("confirm: %w", err)
	}
	return entry, nil
}
