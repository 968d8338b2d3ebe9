package staff

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sollecito/internal/fault"
)

// CheckEnrolment answers whom an enrolment token is for, without using it. Error: fault.NotFound for one that
// is unknown, used, replaced or too old.
func (m *Members) CheckEnrolment(ctx context.Context, token string) (Member, error) {
	var found record
	err := m.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		found, err = m.enrolling(ctx, tx, token)
		return err
	})
	if err != nil {
		return Member{}, fmt.Errorf("check enrolment: %w", err)
	}
	return found.Member, nil
}

func deadEnrolment() error {
	return fault.New(fault.NotFound, "This enrolment address has been used or is too old: ask for a new one")
}

func (m *Members) enrolling(ctx context.Context, tx *sql.Tx, token string) (record, error) {
	dead := deadEnrolment()
	if token == "" {
		return record{}, dead
	}
	found, err := memberByEnrolment(ctx, tx, hashOf(token))
	if errors.Is(err, sql.ErrNoRows) {
		return record{}, dead
	}
	if err != nil {
		return record{}, err
	}
	if found.Disabled || found.enrolUntil <= m.now().Unix() {
		return record{}, dead
	}
	return found, nil
}

// Enrol sets a member's name and password and opens a session that has proven the password and no more: it leads to
// the second factor. Sessions they had before end. name "" keeps the one there is. The token is used up only when it
// succeeds. Errors: fault.NotFound for a dead token, fault.Invalid for a name or password that cannot be taken, with
// a message that says why.
func (m *Members) Enrol(ctx context.Context, token, name, password string, who Caller) (sessionToken string, member Member, err error) {
	found, err := m.CheckEnrolment(ctx, token)
	if err != nil {
		return "", Member{}, err
	}
	name = cleanName(name)
	if name == "" {
		name = found.Name
	}
	if name == "" {
		return "", Member{}, fault.New(fault.Invalid, "%s", faultNameMissing)
	}
	err = checkName(name)
	if err != nil {
		return "", Member{}, err
	}
	err = m.vault.acceptable(password, found.Email, name)
	if err != nil {
		return "", Member{}, err
	}
	leave, err := m.vault.enter(ctx)
	if err != nil {
		return "", Member{}, fmt.Errorf("enrol: %w", err)
	}
	stored := m.vault.hash(password)
	leave()
	err = m.db.Do(ctx, func(tx *sql.Tx) error {
		now := m.now()
		fresh, err := m.enrolling(ctx, tx, token) // looked at again: two may have been typing
		if err != nil {
			return err
		}
		took, err := enrolMember(ctx, tx, fresh.ID, fresh.enrolHash, name, stored)
		if err != nil {
			return err
		}
		if !took {
			return deadEnrolment()
		}
		again := fresh.Enrolled
		fresh.Name, fresh.Enrolled = name, true
		err = endSessions(ctx, tx, fresh.ID, now.Unix())
		if err != nil {
			return err
		}
		if again {
			err = m.alert(ctx, tx, fresh.Member, PasswordChanged, who)
			if err != nil {
				return err
			}
		}
		sessionToken, err = m.open(ctx, tx, fresh.Member, who, session{standing: Half}, now, "staff.enrolled")
		member = fresh.Member
		return err
	})
	if err != nil {
		return "", Member{}, fmt.Errorf("enrol: %w", err)
	}
	return sessionToken, member, nil
}
