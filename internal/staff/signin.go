package staff

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/fault"
)

// TryLater is inside a fault.TooMany: how long the next try has to wait.
type TryLater struct{ Wait time.Duration }

// wrongPair is one answer for every reason a sign-in fails, so that it tells nobody who is on staff.
func wrongPair() error { return fault.New(fault.Invalid, "Address or password is wrong") }

// SignIn opens a session for address and password, which leads to the second factor and to no page before it. It takes
// the same time and gives the same answers for people we don't know. After a failure the next try for that address
// waits one second, then two, doubling to fifteen minutes; tries from a browser in which the member signed in lately
// have a count of their own, so that nobody else can keep them out. Errors: fault.Invalid, fault.TooMany around a
// *TryLater.
func (m *Members) SignIn(ctx context.Context, email, password string, who Caller) (sessionToken string, member Member, err error) {
	// The wait is looked up and the outcome written while the slot is held: however many try at once, no more
	// guesses than slots fall between two waits.
	leave, err := m.vault.enter(ctx)
	if err != nil {
		return "", Member{}, fmt.Errorf("sign in: %w", err)
	}
	defer leave()
	email = cleanEmail(email)
	var found record
	var key string
	err = m.db.See(ctx, func(tx *sql.Tx) error {
		found, key, err = m.candidate(ctx, tx, email, who)
		return err
	})
	if err != nil {
		return "", Member{}, fmt.Errorf("sign in: %w", err)
	}
	stored := found.password
	if found.Disabled {
		stored = ""
	}
	tried := password
	if len(tried) > mostBytes {
		tried = "" // nobody's password; hashed all the same, for the time it takes
	}
	match, outdated := m.vault.matches(stored, tried)
	if !match {
		err = m.db.Do(ctx, func(tx *sql.Tx) error { return m.fail(ctx, tx, found.Member, key, who) })
		if err != nil {
			return "", Member{}, fmt.Errorf("sign in: %w", err)
		}
		return "", Member{}, wrongPair()
	}
	kept := found.password
	if outdated {
		kept = m.vault.hash(password)
	}
	err = m.db.Do(ctx, func(tx *sql.Tx) error {
		still, err := setPassword(ctx, tx, found.ID, found.password, kept)
		if err != nil {
			return err
		}
		if !still { // disabled or enrolled anew while we compared
			return wrongPair()
		}
		fresh, err := memberByID(ctx, tx, found.ID)
		if err != nil {
			return err
		}
		err = clearFailures(ctx, tx, key)
		if err != nil {
			return err
		}
		sessionToken, err = m.open(ctx, tx, fresh.Member, who, session{standing: Half}, m.now(), "staff.password_given")
		member = fresh.Member
		return err
	})
	if err != nil {
		return "", Member{}, fmt.Errorf("sign in: %w", err)
	}
	return sessionToken, member, nil
}

// candidate finds whom an address belongs to, if anybody, and the key under which failures are counted, and
// refuses while a wait runs.
func (m *Members) candidate(ctx context.Context, tx *sql.Tx, email string, who Caller) (record, string, error) {
	found, err := memberByEmail(ctx, tx, email)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return record{}, "", err
	}
	key, err := m.tryKey(ctx, tx, found, byPassword, email, who)
	if err != nil {
		return record{}, "", err
	}
	until, err := waitOf(ctx, tx, key)
	if err != nil {
		return record{}, "", err
	}
	wait := time.UnixMilli(until).Sub(m.now())
	if wait > 0 {
		return record{}, "", tooMany(wait)
	}
	return found, key, nil
}

func tooMany(wait time.Duration) error {
	return fault.Wrap(fault.TooMany, &TryLater{Wait: wait}, "Too many tries: wait %d seconds", int64(math.Ceil(wait.Seconds())))
}

// tryKey is the name under which failures are counted: of the address or, from a browser that is known as the
// member's, of both. What it is about and the browser stand before the address, which is whatever a stranger typed: no
// address can read like another's name.
func (m *Members) tryKey(ctx context.Context, tx *sql.Tx, who record, about, email string, from Caller) (string, error) {
	if who.ID != "" {
		email = who.Email // a database may find somebody by another spelling, and they have one count only
	}
	known, err := knownDevice(ctx, tx, who.ID, from.Device, m.now().Add(-deviceKnown).Unix())
	if err != nil {
		return "", err
	}
	browser := ""
	if known {
		browser = hashOf(from.Device)
	}
	return hashOf(about + "\n" + browser + "\n" + email), nil
}

// fail counts a failed sign-in.
func (m *Members) fail(ctx context.Context, tx *sql.Tx, found Member, key string, who Caller) error {
	err := m.count(ctx, tx, found, key, who)
	if err != nil {
		return err
	}
	// What was typed as the address is not kept: people type passwords there.
	return audit.Append(ctx, tx, audit.Entry{
		At: m.now(), Actor: "nobody", Action: "staff.sign_in_failed", Object: found.ID, IP: who.IP, Request: who.Request,
	})
}

// count adds a failure and sets the wait that follows. The member is told once in a wave of them.
func (m *Members) count(ctx context.Context, tx *sql.Tx, found Member, key string, who Caller) error {
	now := m.now()
	failures, err := addFailure(ctx, tx, key, now.Add(-failuresKept).UnixMilli(), now.UnixMilli())
	if err != nil {
		return err
	}
	err = setWait(ctx, tx, key, now.Add(delay(failures)).UnixMilli())
	if err != nil {
		return err
	}
	if failures == manyFailures && found.Enrolled && !found.Disabled {
		err = m.alert(ctx, tx, found, ManyFailures, who)
		if err != nil {
			return err
		}
	}
	return forgetFailures(ctx, tx, now.Add(-failuresKept).UnixMilli())
}

// take counts a try before it is looked at, so that however many come at once, one at a time is compared; a good one
// clears the count. Error: fault.TooMany around a *TryLater while a wait runs.
func (m *Members) take(ctx context.Context, tx *sql.Tx, found Member, key string, who Caller) error {
	now := m.now()
	free, err := takeTurn(ctx, tx, key, now.UnixMilli())
	if err != nil {
		return err
	}
	if !free {
		until, err := waitOf(ctx, tx, key)
		if err != nil {
			return err
		}
		return tooMany(max(time.UnixMilli(until).Sub(now), time.Second))
	}
	return m.count(ctx, tx, found, key, who)
}

// wrongTry is a refusal whose count must be kept.
type wrongTry struct{ refusal error }

// refused writes a refusal down and marks it as one whose count must be kept.
func (m *Members) refused(ctx context.Context, tx *sql.Tx, found Member, action string, who Caller, refusal error) error {
	err := audit.Append(ctx, tx, own(found, who).entry(m.now(), action, found.ID, ""))
	if err != nil {
		return err
	}
	return &wrongTry{refusal}
}

// trying runs one transaction that is kept when its try was wrong, with the count, and rolled back otherwise.
func (m *Members) trying(ctx context.Context, work func(tx *sql.Tx) error) error {
	var wrong *wrongTry
	err := m.db.Do(ctx, func(tx *sql.Tx) error {
		err := work(tx)
		if errors.As(err, &wrong) {
			return nil
		}
		return err
	})
	if err == nil && wrong != nil {
		return wrong.refusal
	}
	return err
}
