package staff

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"sollecito/internal/audit"
	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// Members is the collection of everybody on staff, with their sessions. It is safe for concurrent use.
type Members struct {
	db    *database.DB
	now   func() time.Time
	vault *vault
}

// NewMembers makes the collection. now is the real clock, never the demo's moved one: a session's life and a
// guesser's wait are no business matters.
func NewMembers(db *database.DB, now func() time.Time) *Members {
	return &Members{db: db, now: now, vault: newVault()}
}

// byCommand is the actor of deeds done on the command line.
const byCommand = "command"

// Add makes somebody a member and answers a token with which they may set a password, once, within thirty
// minutes. Asked again for the same address it changes name and role (each unless ""), makes a fresh token, and the
// one before dies; a changed role ends the member's sessions; a disabled member may so come back, by a new password
// only. With role "" the first member of all is an Admin and every other new one an Agent. Errors: fault.Invalid
// for an address or role there is not.
func (m *Members) Add(ctx context.Context, email, name string, role Role) (enrolToken string, err error) {
	email, name = cleanEmail(email), cleanName(name)
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > 254 {
		return "", fault.New(fault.Invalid, "%q is no email address", email)
	}
	if role != "" && !role.Valid() {
		return "", fault.New(fault.Invalid, "%q is no role: use viewer, agent, manager or admin", string(role))
	}
	if utf8.RuneCountInString(name) > longestName {
		return "", fault.New(fault.Invalid, "A name has at most %d characters", longestName)
	}
	token, hash := newToken()
	err = m.db.Do(ctx, func(tx *sql.Tx) error {
		now := m.now()
		member, err := memberByEmail(ctx, tx, email)
		action := "staff.renewed"
		if errors.Is(err, sql.ErrNoRows) {
			action = "staff.added"
			member.Member = Member{ID: database.NewID("staff"), Email: email, CreatedAt: now.Unix()}
			member.Role, err = roleOfNewcomers(ctx, tx)
		}
		if err != nil {
			return err
		}
		if name != "" {
			member.Name = name
		}
		if member.Disabled {
			member.password = ""
		}
		if role != "" && role != member.Role {
			member.Role = role
			err = endSessions(ctx, tx, member.ID, now.Unix())
			if err != nil {
				return err
			}
		}
		member.Disabled = false
		member.enrolHash, member.enrolUntil = hash, now.Add(enrolFor).Unix()
		err = saveMember(ctx, tx, member)
		if err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Entry{At: now, Actor: byCommand, Action: action, Object: member.ID, Detail: "role=" + string(member.Role)})
	})
	if err != nil {
		return "", fmt.Errorf("add staff: %w", err)
	}
	return token, nil
}

// roleOfNewcomers is the role of somebody new for whom none is named. The first of all has to be able to look after
// the installation; nobody after that becomes so powerful by an omission.
func roleOfNewcomers(ctx context.Context, tx *sql.Tx) (Role, error) {
	some, err := anyMember(ctx, tx)
	if some {
		return Agent, err
	}
	return Admin, err
}

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

func (m *Members) enrolling(ctx context.Context, tx *sql.Tx, token string) (record, error) {
	dead := fault.New(fault.NotFound, "This enrolment address has been used or is too old: ask for a new one")
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

// Enrol sets a member's name and password and signs them in; sessions they had before end. name "" keeps the
// one there is. The token is used up only when it succeeds. Errors: fault.NotFound for a dead token,
// fault.Invalid for a name or password that cannot be taken, with a message that says why.
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
		return "", Member{}, fault.New(fault.Invalid, "Say the name that customers will read under your answers")
	}
	if utf8.RuneCountInString(name) > longestName {
		return "", Member{}, fault.New(fault.Invalid, "A name has at most %d characters", longestName)
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
		fresh.Name, fresh.password, fresh.Enrolled = name, stored, true
		fresh.enrolHash, fresh.enrolUntil = "", 0
		err = saveMember(ctx, tx, fresh)
		if err != nil {
			return err
		}
		err = endSessions(ctx, tx, fresh.ID, now.Unix())
		if err != nil {
			return err
		}
		sessionToken, err = m.open(ctx, tx, fresh.Member, who, now, "staff.enrolled")
		member = fresh.Member
		return err
	})
	if err != nil {
		return "", Member{}, fmt.Errorf("enrol: %w", err)
	}
	return sessionToken, member, nil
}

// TryLater is inside a fault.TooMany: how long the next try has to wait.
type TryLater struct{ Wait time.Duration }

func (t *TryLater) Error() string { return "wait " + t.Wait.String() }

// wrongPair is one answer for every reason a sign-in fails, so that it tells nobody who is on staff.
func wrongPair() error { return fault.New(fault.Invalid, "Address or password is wrong") }

// SignIn opens a session for address and password. It takes the same time and gives the same answers for
// people we don't know. After a failure the next try for that address waits one second, then two, doubling to
// fifteen minutes; tries from a place where the member signed in within thirty days have a count of their own,
// so that nobody else can keep them out. Errors: fault.Invalid, fault.TooMany around a *TryLater.
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
	if outdated {
		stored = m.vault.hash(password)
	}
	err = m.db.Do(ctx, func(tx *sql.Tx) error {
		fresh, err := memberByEmail(ctx, tx, email)
		if err != nil {
			return err
		}
		if fresh.Disabled || fresh.password != found.password { // disabled or enrolled anew while we compared
			return wrongPair()
		}
		if outdated {
			fresh.password = stored
			err = saveMember(ctx, tx, fresh)
			if err != nil {
				return err
			}
		}
		err = clearFailures(ctx, tx, key)
		if err != nil {
			return err
		}
		sessionToken, err = m.open(ctx, tx, fresh.Member, who, m.now(), "staff.signed_in")
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
	now := m.now()
	known, err := signedInFrom(ctx, tx, found.ID, who.IP, now.Add(-deviceKnown).Unix())
	if err != nil {
		return record{}, "", err
	}
	key := hashOf(email)
	if known {
		key = hashOf(email + "\n" + who.IP)
	}
	_, until, err := failuresOf(ctx, tx, key)
	if err != nil {
		return record{}, "", err
	}
	wait := time.UnixMilli(until).Sub(now)
	if wait > 0 {
		seconds := int64(math.Ceil(wait.Seconds()))
		return record{}, "", fault.Wrap(fault.TooMany, &TryLater{Wait: wait}, "Too many tries: wait %d seconds", seconds)
	}
	return found, key, nil
}

func (m *Members) fail(ctx context.Context, tx *sql.Tx, found Member, key string, who Caller) error {
	now := m.now()
	failures, until, err := failuresOf(ctx, tx, key)
	if err != nil {
		return err
	}
	if now.Sub(time.UnixMilli(until)) > failuresKept {
		failures = 0
	}
	failures++
	err = setFailures(ctx, tx, key, failures, now.Add(delay(failures)).UnixMilli())
	if err != nil {
		return err
	}
	err = forgetFailures(ctx, tx, now.Add(-failuresKept).UnixMilli())
	if err != nil {
		return err
	}
	// What was typed as the address is not kept: people type passwords there.
	return audit.Append(ctx, tx, audit.Entry{
		At: now, Actor: "nobody", Action: "staff.sign_in_failed", Object: found.ID, IP: who.IP, Request: who.Request,
	})
}

// OpenSession signs a member in without a password. It is for the demo, whose visitors have none. Errors:
// fault.NotFound for a member there is not or who is disabled.
func (m *Members) OpenSession(ctx context.Context, memberID string, who Caller) (sessionToken string, err error) {
	err = m.db.Do(ctx, func(tx *sql.Tx) error {
		found, err := memberByID(ctx, tx, memberID)
		if errors.Is(err, sql.ErrNoRows) || (err == nil && found.Disabled) {
			return fault.New(fault.NotFound, "There is no such member of staff")
		}
		if err != nil {
			return err
		}
		sessionToken, err = m.open(ctx, tx, found.Member, who, m.now(), "staff.signed_in")
		return err
	})
	if err != nil {
		return "", fmt.Errorf("open session: %w", err)
	}
	return sessionToken, nil
}

// open writes a session under a fresh token and the entry that says so.
func (m *Members) open(ctx context.Context, tx *sql.Tx, member Member, who Caller, now time.Time, action string) (string, error) {
	token, hash := newToken()
	err := forgetSessions(ctx, tx, member.ID, now.Add(-deviceKnown).Unix())
	if err != nil {
		return "", err
	}
	err = insertSession(ctx, tx, hash, member.ID, now.Unix(), who)
	if err != nil {
		return "", err
	}
	err = audit.Append(ctx, tx, audit.Entry{
		At: now, Actor: member.ID, Role: string(member.Role), Action: action, Object: member.ID, IP: who.IP, Request: who.Request,
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// BySession answers whose session a token is and keeps it alive. Error: fault.SignedOut for one that is
// unknown, ended, idle for an hour, a day old, or a disabled member's.
func (m *Members) BySession(ctx context.Context, token string) (Member, error) {
	var found record
	var s session
	hash := hashOf(token)
	now := m.now()
	err := m.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		found, s, err = memberBySession(ctx, tx, hash)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) || (err == nil && (found.Disabled || !s.alive(now))) {
		return Member{}, fault.New(fault.SignedOut, "Sign in to go on")
	}
	if err != nil {
		return Member{}, fmt.Errorf("read session: %w", err)
	}
	if now.Unix()-s.seenAt < int64(touchEvery/time.Second) {
		return found.Member, nil
	}
	err = m.db.Do(ctx, func(tx *sql.Tx) error { return touchSession(ctx, tx, hash, now.Unix()) })
	if err != nil {
		return Member{}, fmt.Errorf("keep session alive: %w", err)
	}
	return found.Member, nil
}

// SignOut ends the session of a token. A token that opens nothing is no error.
func (m *Members) SignOut(ctx context.Context, token string) error {
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
		return audit.Append(ctx, tx, audit.Entry{
			At: now, Actor: found.ID, Role: string(found.Role), Action: "staff.signed_out", Object: found.ID,
		})
	})
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}

// List answers everybody, disabled ones too, by address.
func (m *Members) List(ctx context.Context) ([]Member, error) {
	var all []Member
	err := m.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = listMembers(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list staff: %w", err)
	}
	return all, nil
}

// Disable shuts a member out from the next request on: sessions end, password and enrolment address are dead.
// It may be asked twice. Error: fault.NotFound.
func (m *Members) Disable(ctx context.Context, email string) error {
	err := m.db.Do(ctx, func(tx *sql.Tx) error {
		found, err := memberByEmail(ctx, tx, cleanEmail(email))
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "Nobody on staff has the address %q", email)
		}
		if err != nil {
			return err
		}
		now := m.now()
		found.Disabled, found.disabledAt = true, now.Unix()
		found.enrolHash, found.enrolUntil = "", 0
		err = saveMember(ctx, tx, found)
		if err != nil {
			return err
		}
		err = endSessions(ctx, tx, found.ID, now.Unix())
		if err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Entry{At: now, Actor: byCommand, Action: "staff.disabled", Object: found.ID})
	})
	if err != nil {
		return fmt.Errorf("disable staff: %w", err)
	}
	return nil
}

const longestName = 100

// cleanName is a name on one line.
func cleanName(name string) string { return strings.Join(strings.Fields(name), " ") }

// newToken makes 32 random bytes for the person and the hash that is kept of them.
func newToken() (token, hash string) {
	raw := make([]byte, 32)
	rand.Read(raw) // never fails: the runtime ends the program when the system has no randomness
	token = base64.RawURLEncoding.EncodeToString(raw)
	return token, hashOf(token)
}

// hashOf is what is stored of a token. It is random enough that a plain hash suffices.
func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
