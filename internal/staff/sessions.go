package staff

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/fault"
)

// OpenSession signs a member in without password and code. It is for the demo, whose visitors shall see the pages at
// once; serve has no way to it. Errors: fault.NotFound for a member there is not or who is disabled.
func (m *Members) OpenSession(ctx context.Context, memberID string, who Caller) (sessionToken string, err error) {
	err = m.db.Do(ctx, func(tx *sql.Tx) error {
		found, err := memberByID(ctx, tx, memberID)
		if errors.Is(err, sql.ErrNoRows) || (err == nil && found.Disabled) {
			return fault.New(fault.NotFound, "There is no such member of staff")
		}
		if err != nil {
			return err
		}
		now := m.now()
		err = markSignedIn(ctx, tx, found.ID, now.Unix())
		if err != nil {
			return err
		}
		sessionToken, err = m.open(ctx, tx, found.Member, who, session{standing: Full, confirmedAt: now.Unix()}, now, "staff.signed_in")
		return err
	})
	if err != nil {
		return "", fmt.Errorf("open session: %w", err)
	}
	return sessionToken, nil
}

// open writes a session under a fresh token and the entry that says so.
func (m *Members) open(ctx context.Context, tx *sql.Tx, member Member, who Caller, s session, now time.Time, action string) (string, error) {
	token, hash := newToken()
	err := forgetSessions(ctx, tx, member.ID, now.Add(-deviceKnown).Unix())
	if err != nil {
		return "", err
	}
	err = insertSession(ctx, tx, hash, member.ID, s, now.Unix(), who)
	if err != nil {
		return "", err
	}
	err = audit.Append(ctx, tx, own(member, who).entry(now, action, member.ID, ""))
	if err != nil {
		return "", err
	}
	return token, nil
}

// Entry is a session that has come further in. Device is for a cookie of its own, by which the browser is known
// again; "" when it is known already.
type Entry struct {
	Token  string
	Device string
	Member Member
}

// admission is what a session becomes and how the log tells it.
type admission struct {
	standing       Standing
	entering       bool // it had proven a password only
	draft          string
	action, detail string
}

// admit takes a session on under a new token; the old one is dead. Coming in from a browser that is not known is told
// to the member, unless they have never been in before.
func (m *Members) admit(ctx context.Context, tx *sql.Tx, found record, token string, to admission, who Caller) (Entry, error) {
	now := m.now()
	fresh, hash := newToken()
	moved, err := moveSession(ctx, tx, hashOf(token), hash, to, now.Unix())
	if err != nil {
		return Entry{}, err
	}
	if !moved {
		return Entry{}, signedOut()
	}
	entry := Entry{Token: fresh, Member: found.Member}
	if to.entering {
		entry.Device, err = m.recognise(ctx, tx, found, who, now)
		if err != nil {
			return Entry{}, err
		}
		err = markSignedIn(ctx, tx, found.ID, now.Unix())
		if err != nil {
			return Entry{}, err
		}
	}
	return entry, audit.Append(ctx, tx, own(found.Member, who).entry(now, to.action, found.ID, to.detail))
}

// recognise remembers the browser and answers a new name for one that is not known yet.
func (m *Members) recognise(ctx context.Context, tx *sql.Tx, found record, who Caller, now time.Time) (string, error) {
	before := now.Add(-deviceKnown).Unix()
	known, err := knownDevice(ctx, tx, found.ID, who.Device, before)
	if err != nil {
		return "", err
	}
	if known {
		return "", seeDevice(ctx, tx, found.ID, hashOf(who.Device), now.Unix())
	}
	if found.SignedInAt > 0 {
		err = m.alert(ctx, tx, found.Member, NewDevice, who)
		if err != nil {
			return "", err
		}
	}
	err = forgetDevices(ctx, tx, found.ID, before)
	if err != nil {
		return "", err
	}
	device, hash := newToken()
	return device, insertDevice(ctx, tx, found.ID, hash, now.Unix())
}

func signedOut() error { return fault.New(fault.SignedOut, "Sign in to go on") }

// session answers whose session a token is, fault.SignedOut when it is nobody's any more.
func (m *Members) session(ctx context.Context, tx *sql.Tx, token string) (record, session, error) {
	if token == "" {
		return record{}, session{}, signedOut()
	}
	found, s, err := memberBySession(ctx, tx, hashOf(token))
	if errors.Is(err, sql.ErrNoRows) || (err == nil && (found.Disabled || !s.alive(m.now()))) {
		return record{}, session{}, signedOut()
	}
	return found, s, err
}

// BySession answers whose session a token is and how far they have come in, and keeps it alive. Error:
// fault.SignedOut for one that is unknown, ended, idle for an hour, a day old, or a disabled member's.
func (m *Members) BySession(ctx context.Context, token string) (Session, error) {
	var found record
	var s session
	now := m.now()
	err := m.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		found, s, err = m.session(ctx, tx, token)
		return err
	})
	if err != nil {
		return Session{}, fmt.Errorf("read session: %w", err)
	}
	open := Session{Member: found.Member, Standing: s.standing, Fresh: s.fresh(now), ID: nameOf(hashOf(token))}
	if now.Unix()-s.seenAt < int64(touchEvery/time.Second) {
		return open, nil
	}
	err = m.db.Do(ctx, func(tx *sql.Tx) error { return touchSession(ctx, tx, hashOf(token), now.Unix()) })
	if err != nil {
		return Session{}, fmt.Errorf("keep session alive: %w", err)
	}
	return open, nil
}

// SignOut ends the session of a token. A token that opens nothing is no error.
func (m *Members) SignOut(ctx context.Context, token string, who Caller) error {
	err := m.db.Do(ctx, func(tx *sql.Tx) error {
		hash := hashOf(token)
		found, s, err := memberBySession(ctx, tx, hash)
		if errors.Is(err, sql.ErrNoRows) || (err == nil && s.endedAt > 0) {
			return nil
		}
		if err != nil {
			return err
		}
		now := m.now()
		err = endSession(ctx, tx, hash, now.Unix())
		if err != nil {
			return err
		}
		return audit.Append(ctx, tx, own(found.Member, who).entry(now, "staff.signed_out", found.ID, ""))
	})
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}
