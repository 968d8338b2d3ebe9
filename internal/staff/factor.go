package staff

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"sollecito/internal/audit"
	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// The second factor is TOTP (RFC 6238) as every authenticator app speaks it: SHA-1, six digits, thirty seconds. A
// clock may be one step off either way.
const (
	stepSeconds = 30
	stepsOff    = 1
	seedBytes   = 20
)

// A recovery code has 120 random bits, so that a plain hash of it suffices (ASVS 5.0, 6.5.2).
const (
	recoveryCodes = 10
	recoveryBytes = 15
)

var base32plain = base32.StdEncoding.WithPadding(base32.NoPadding)

// What a session's draft holds; each is sealed for its own purpose.
const (
	draftSeed  = "seed"
	draftCodes = "codes"
	keptSeed   = "factor"
)

// Seed is a second factor to be put into an authenticator app.
type Seed struct {
	URI    string // otpauth://…, as a QR code carries it
	Secret string // the same for typing by hand, in base32
}

// wrongCode is one answer for every reason a code fails.
func wrongCode() error {
	return fault.New(fault.Invalid, "This code is wrong, too old or was used before")
}

// stepOf answers the time step whose code this is, and false for none. Only steps after last count: a code is good
// once. All candidates are compared, whichever matches.
func stepOf(secret, code string, now time.Time, last int64) (int64, bool) {
	current := now.Unix() / stepSeconds
	found, ok := int64(0), false
	for step := current - stepsOff; step <= current+stepsOff; step++ {
		expected, err := hotp.GenerateCodeCustom(secret, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(expected), []byte(code)) == 1 && step > last {
			found, ok = step, true
		}
	}
	return found, ok
}

// cleanCode is a code as it is compared: people type the gaps an app or a print-out shows.
func cleanCode(code string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, strings.ToUpper(code))
}

func newRecoveryCodes() []string {
	codes := make([]string, recoveryCodes)
	for i := range codes {
		raw := make([]byte, recoveryBytes)
		rand.Read(raw) // never fails: the runtime ends the program when the system has no randomness
		text := base32plain.EncodeToString(raw)
		var groups []string
		for ; text != ""; text = text[4:] {
			groups = append(groups, text[:4])
		}
		codes[i] = strings.Join(groups, "-")
	}
	return codes
}

// spend makes sure that a code is the member's and good, and uses it up in one statement, so that it is never good
// twice. It answers a few words on what was spent for the log, "" for an app's code. Errors: fault.Invalid;
// fault.Conflict when the seed was sealed under another key than today's.
func (m *Members) spend(ctx context.Context, tx *sql.Tx, who record, code string, now time.Time) (string, error) {
	code = cleanCode(code)
	if who.factor == "" {
		return "", wrongCode()
	}
	if len(code) != otp.DigitsSix.Length() {
		used, left, err := useRecovery(ctx, tx, who.ID, hashOf(code), now.Unix())
		if err != nil {
			return "", err
		}
		if !used {
			return "", wrongCode()
		}
		return fmt.Sprintf("by recovery code, %d left", left), nil
	}
	secret, err := m.seal.Open(keptSeed, who.ID, who.factor)
	if err != nil {
		return "", fault.Wrap(fault.Conflict, err, "Your second factor was made under another session key and cannot be read. Use a recovery code, or ask an administrator to reset it")
	}
	step, ok := stepOf(secret, code, now, who.factorStep)
	if !ok {
		return "", wrongCode()
	}
	used, err := useStep(ctx, tx, who.ID, step)
	if err != nil {
		return "", err
	}
	if !used {
		return "", wrongCode()
	}
	return "", nil
}

// EnterCode takes a session that has proven the password the rest of the way in: code is the authenticator app's or
// a recovery code. The session goes on under a new token. Wrong codes are counted and slowed down like wrong
// passwords, apart from them. Errors: fault.SignedOut, fault.Invalid, fault.TooMany around a *TryLater,
// fault.Conflict as spend says.
func (m *Members) EnterCode(ctx context.Context, token, code string, who Caller) (Entry, error) {
	var entry Entry
	err := m.trying(ctx, func(tx *sql.Tx) error {
		found, s, err := m.session(ctx, tx, token)
		if err != nil {
			return err
		}
		if s.standing != Half {
			return fault.New(fault.Conflict, "You are signed in already")
		}
		now := m.now()
		key, err := m.tryKey(ctx, tx, found, byCode, found.Email, who)
		if err != nil {
			return err
		}
		err = m.take(ctx, tx, found.Member, key, who)
		if err != nil {
			return err
		}
		spent, err := m.spend(ctx, tx, found, code, now)
		if fault.Is(err, fault.Invalid) {
			return m.refused(ctx, tx, found.Member, "staff.code_failed", who, err)
		}
		if err != nil {
			return err
		}
		err = clearFailures(ctx, tx, key)
		if err != nil {
			return err
		}
		entry, err = m.admit(ctx, tx, found, token, admission{standing: Full, entering: true, action: "staff.signed_in", detail: spent}, who)
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("enter code: %w", err)
	}
	return entry, nil
}

// StartFactor answers the seed a member is to put into their app: the same one until it is finished or the session
// ends. issuer is what the app shows beside it. A session with the password alone may start only where there is no
// second factor yet, any other only when it was confirmed lately. Errors: fault.SignedOut, fault.Conflict.
func (m *Members) StartFactor(ctx context.Context, token, issuer string) (Seed, error) {
	var secret, email string
	err := m.db.Do(ctx, func(tx *sql.Tx) error {
		found, s, err := m.settingUp(ctx, tx, token)
		if err != nil {
			return err
		}
		email = found.Email
		secret, err = m.seal.Open(draftSeed, found.ID, s.draft)
		if err == nil {
			return nil
		}
		raw := make([]byte, seedBytes)
		rand.Read(raw) // never fails: the runtime ends the program when the system has no randomness
		secret = base32plain.EncodeToString(raw)
		sealed, err := m.seal.Seal(draftSeed, found.ID, secret)
		if err != nil {
			return err
		}
		return setDraft(ctx, tx, hashOf(token), sealed)
	})
	if err != nil {
		return Seed{}, fmt.Errorf("start second factor: %w", err)
	}
	raw, err := base32plain.DecodeString(secret)
	if err != nil {
		return Seed{}, fmt.Errorf("start second factor: %w", err)
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: strings.ReplaceAll(issuer, ":", " "), AccountName: email, Secret: raw, Period: stepSeconds})
	if err != nil {
		return Seed{}, fmt.Errorf("start second factor: %w", err)
	}
	return Seed{URI: key.URL(), Secret: secret}, nil
}

func (m *Members) settingUp(ctx context.Context, tx *sql.Tx, token string) (record, session, error) {
	found, s, err := m.session(ctx, tx, token)
	if err != nil {
		return record{}, session{}, err
	}
	first := s.standing == Half && found.factor == ""
	if !first && (s.standing != Full || !s.fresh(m.now())) {
		return record{}, session{}, fault.New(fault.Conflict, "You have a second factor already. Sign in with it to change it")
	}
	return found, s, nil
}

// FinishFactor makes the started seed the member's second factor when code is the app's first one. Ten new recovery
// codes replace those there were; Codes tells them until KeepCodes. Other sessions end. Errors: fault.SignedOut,
// fault.Invalid, fault.TooMany around a *TryLater, fault.Conflict.
func (m *Members) FinishFactor(ctx context.Context, token, code string, who Caller) (Entry, error) {
	var entry Entry
	err := m.trying(ctx, func(tx *sql.Tx) error {
		found, s, err := m.settingUp(ctx, tx, token)
		if err != nil {
			return err
		}
		secret, err := m.seal.Open(draftSeed, found.ID, s.draft)
		if err != nil {
			return fault.Wrap(fault.Conflict, err, "Start the set-up again")
		}
		now := m.now()
		key, err := m.tryKey(ctx, tx, found, byCode, found.Email, who)
		if err != nil {
			return err
		}
		err = m.take(ctx, tx, found.Member, key, who)
		if err != nil {
			return err
		}
		step, ok := stepOf(secret, cleanCode(code), now, 0)
		if !ok {
			return m.refused(ctx, tx, found.Member, "staff.code_failed", who, fault.New(fault.Invalid, "This code does not fit. Take the one your app shows now"))
		}
		err = clearFailures(ctx, tx, key)
		if err != nil {
			return err
		}
		sealed, err := m.seal.Seal(keptSeed, found.ID, secret)
		if err != nil {
			return err
		}
		set, err := setFactor(ctx, tx, found.ID, found.factor, sealed, step, now.Unix())
		if err != nil {
			return err
		}
		if !set {
			return fault.New(fault.Conflict, "Your second factor was changed elsewhere meanwhile")
		}
		draft, err := m.renewCodes(ctx, tx, found.ID)
		if err != nil {
			return err
		}
		err = endOtherSessions(ctx, tx, found.ID, hashOf(token), now.Unix())
		if err != nil {
			return err
		}
		err = m.alert(ctx, tx, found.Member, FactorSet, who)
		if err != nil {
			return err
		}
		entry, err = m.admit(ctx, tx, found, token, admission{standing: Keeping, entering: s.standing == Half, draft: draft, action: "staff.factor_set"}, who)
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("finish second factor: %w", err)
	}
	return entry, nil
}

// renewCodes replaces a member's recovery codes and answers them as a sealed draft.
func (m *Members) renewCodes(ctx context.Context, tx *sql.Tx, memberID string) (string, error) {
	codes := newRecoveryCodes()
	err := dropRecovery(ctx, tx, memberID)
	if err != nil {
		return "", err
	}
	for _, code := range codes {
		err = insertRecovery(ctx, tx, memberID, hashOf(cleanCode(code)))
		if err != nil {
			return "", err
		}
	}
	return m.seal.Seal(draftCodes, memberID, strings.Join(codes, " "))
}

// NewCodes replaces the recovery codes of a session that was confirmed lately. Errors: fault.SignedOut,
// fault.Conflict.
func (m *Members) NewCodes(ctx context.Context, token string, who Caller) (Entry, error) {
	var entry Entry
	err := m.db.Do(ctx, func(tx *sql.Tx) error {
		found, s, err := m.session(ctx, tx, token)
		if err != nil {
			return err
		}
		if s.standing != Full || !s.fresh(m.now()) || found.factor == "" {
			return fault.New(fault.Conflict, "Confirm that it is you first")
		}
		err = database.HoldQuietly(ctx, tx, found.ID) // two of their sessions must not leave two sets
		if err != nil {
			return err
		}
		draft, err := m.renewCodes(ctx, tx, found.ID)
		if err != nil {
			return err
		}
		err = m.alert(ctx, tx, found.Member, CodesRenewed, who)
		if err != nil {
			return err
		}
		entry, err = m.admit(ctx, tx, found, token, admission{standing: Keeping, draft: draft, action: "staff.codes_renewed"}, who)
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("renew recovery codes: %w", err)
	}
	return entry, nil
}

// Codes answers the recovery codes that a session still has to keep, none when there are none.
func (m *Members) Codes(ctx context.Context, token string) ([]string, error) {
	var codes []string
	err := m.db.See(ctx, func(tx *sql.Tx) error {
		found, s, err := m.session(ctx, tx, token)
		if err != nil || s.standing != Keeping {
			return err
		}
		text, err := m.seal.Open(draftCodes, found.ID, s.draft)
		codes = strings.Fields(text)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("show recovery codes: %w", err)
	}
	return codes, nil
}

// KeepCodes says that the member has kept their recovery codes: nobody can read them any more, and the session is in,
// under a new token. Asked again it does nothing and answers the zero Entry. Error: fault.SignedOut.
func (m *Members) KeepCodes(ctx context.Context, token string, who Caller) (Entry, error) {
	var entry Entry
	err := m.db.Do(ctx, func(tx *sql.Tx) error {
		found, s, err := m.session(ctx, tx, token)
		if err != nil || s.standing != Keeping {
			return err
		}
		fresh, hash := newToken()
		kept, err := keepCodes(ctx, tx, hashOf(token), hash)
		if err != nil || !kept {
			return err
		}
		entry = Entry{Token: fresh, Member: found.Member}
		return audit.Append(ctx, tx, own(found.Member, who).entry(m.now(), "staff.codes_kept", found.ID, ""))
	})
	if err != nil {
		return Entry{}, fmt.Errorf("keep recovery codes: %w", err)
	}
	return entry, nil
}

// CodeOf is the code an authenticator app shows for a secret. It is for the demo, which shows it to its visitors.
func CodeOf(secret string, now time.Time) (string, error) {
	return totp.GenerateCode(secret, now)
}

// Equip gives a member a password and a second factor at once and answers its secret. It is for the demo, whose
// visitors shall be able to sign in by hand; serve has no way to it. Error: fault.NotFound.
func (m *Members) Equip(ctx context.Context, memberID, password string) (secret string, err error) {
	leave, err := m.vault.enter(ctx)
	if err != nil {
		return "", fmt.Errorf("equip: %w", err)
	}
	stored := m.vault.hash(password)
	leave()
	raw := make([]byte, seedBytes)
	rand.Read(raw) // never fails: the runtime ends the program when the system has no randomness
	secret = base32plain.EncodeToString(raw)
	err = m.db.Do(ctx, func(tx *sql.Tx) error {
		found, err := of(ctx, tx, memberID)
		if err != nil {
			return err
		}
		now := m.now()
		sealed, err := m.seal.Seal(keptSeed, found.ID, secret)
		if err != nil {
			return err
		}
		_, err = enrolMember(ctx, tx, found.ID, found.enrolHash, found.Name, stored)
		if err != nil {
			return err
		}
		_, err = setFactor(ctx, tx, found.ID, found.factor, sealed, 0, now.Unix())
		if err != nil {
			return err
		}
		return audit.Append(ctx, tx, ByCommand().entry(now, "staff.factor_set", found.ID, "demo"))
	})
	if err != nil {
		return "", fmt.Errorf("equip: %w", err)
	}
	return secret, nil
}
