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
	due   func() time.Time
	vault *vault
	seal  *sealer
}

// NewMembers makes the collection. secret is the installation's own, under which second factors are kept; a command,
// which reads none, gives "". now is the real clock, never the demo's moved one: a session's life and a guesser's
// wait are no business matters. business is the clock by which mails leave.
func NewMembers(db *database.DB, secret string, now, business func() time.Time) (*Members, error) {
	seal, err := newSealer(secret)
	if err != nil {
		return nil, err
	}
	return &Members{db: db, now: now, due: business, vault: newVault(), seal: seal}, nil
}

// Add is Invite by the command line.
func (m *Members) Add(ctx context.Context, email, name string, role Role) (enrolToken string, err error) {
	return m.Invite(ctx, ByCommand(), email, name, role)
}

// Invite makes somebody a member and answers a token with which they may set a password, once, within thirty
// minutes. Asked again for the same address it changes name and role (each unless ""), makes a fresh token, and the
// one before dies; a changed role ends the member's sessions; a disabled member may so come back, by a new password
// only. The second factor stays whatever happens to the password. With role "" the first member of all is an Admin and
// every other new one an Agent. Errors: fault.Invalid for an address or role there is not, fault.Forbidden for one's
// own.
func (m *Members) Invite(ctx context.Context, by Hand, email, name string, role Role) (enrolToken string, err error) {
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
		err := m.mayAct(ctx, tx, by)
		if err != nil {
			return err
		}
		member, err := memberByEmail(ctx, tx, email)
		action := "staff.renewed"
		before := member.Role
		if errors.Is(err, sql.ErrNoRows) {
			action = "staff.added"
			member.Member = Member{ID: database.NewID("staff"), Email: email, CreatedAt: now.Unix()}
			member.Role, err = roleOfNewcomers(ctx, tx)
		}
		if err != nil {
			return err
		}
		if member.ID == by.ID {
			return notOneself()
		}
		if role != "" {
			member.Role = role
		}
		if name != "" {
			member.Name = name
		}
		member.enrolHash, member.enrolUntil = hash, now.Add(enrolFor).Unix()
		if action == "staff.renewed" && (member.Role != before || member.Disabled) {
			err = endSessions(ctx, tx, member.ID, now.Unix())
			if err != nil {
				return err
			}
		}
		err = inviteMember(ctx, tx, member)
		if err != nil {
			return err
		}
		return audit.Append(ctx, tx, by.entry(now, action, member.ID, "role="+string(member.Role)))
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

// TryLater is inside a fault.TooMany: how long the next try has to wait.
type TryLater struct{ Wait time.Duration }

func (t *TryLater) Error() string { return "wait " + t.Wait.String() }

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
	_, until, err := failuresOf(ctx, tx, key)
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

// What a try is about. Codes, which are asked of members alone, count apart from passwords.
const (
	byPassword = "password"
	byCode     = "code"
)

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
		_, until, err := failuresOf(ctx, tx, key)
		if err != nil {
			return err
		}
		return tooMany(max(time.UnixMilli(until).Sub(now), time.Second))
	}
	return m.count(ctx, tx, found, key, who)
}

// wrongTry is a refusal whose count must be kept.
type wrongTry struct{ refusal error }

func (w *wrongTry) Error() string { return w.refusal.Error() }

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
