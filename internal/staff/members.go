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
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sollecito/internal/audit"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/names"
	"sollecito/internal/seal"
)

// Members is the collection of everybody on staff, with their sessions. It is safe for concurrent use.
type Members struct {
	db    *database.DB
	now   func() time.Time
	due   func() time.Time
	vault *vault
	seal  *seal.Sealer
}

// NewMembers makes the collection. secret is the installation's own, under which second factors are kept; a command,
// which reads none, gives "". now is the real clock, never the demo's moved one: a session's life and a guesser's
// wait are no business matters. business is the clock by which mails leave.
func NewMembers(db *database.DB, secret string, now, business func() time.Time) (*Members, error) {
	sealer, err := seal.New(secret, "staff second factor")
	if err != nil {
		return nil, err
	}
	return &Members{db: db, now: now, due: business, vault: newVault(), seal: sealer}, nil
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
	if strings.HasPrefix(email, `"`) {
		return "", fault.New(fault.Invalid, "%q has quotation marks before the @: no mail is sent to such an address, since hardly a server takes it", email)
	}
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > 254 {
		return "", fault.New(fault.Invalid, "%q is no email address", email)
	}
	if role != "" && !role.Valid() {
		return "", fault.New(fault.Invalid, "%q is no role: use viewer, agent, manager or admin", string(role))
	}
	err = checkName(name)
	if err != nil {
		return "", err
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

func (t *TryLater) Error() string { return "wait " + t.Wait.String() }

// What a try is about. Codes, which are asked of members alone, count apart from passwords.
const (
	byPassword = "password"
	byCode     = "code"
)

func (w *wrongTry) Error() string { return w.refusal.Error() }

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

// What is wrong with a name, as fault.Invalid says it.
var (
	faultNameMissing = "Say the name that customers will read under your answers"
	faultNameLine    = "A name is one line of characters that can be seen"
	faultNameLong    = fmt.Sprintf("A name has at most %d characters", longestName)
)

// AboutName reports whether an error of Enrol or Invite is about the name that was typed.
func AboutName(err error) bool {
	return slices.Contains([]string{faultNameMissing, faultNameLine, faultNameLong}, fault.MessageOf(err))
}

// cleanName is a name with single spaces inside and nothing around it.
func cleanName(name string) string {
	return strings.Join(strings.FieldsFunc(strings.TrimSpace(name), func(r rune) bool { return r == ' ' }), " ")
}

// checkName refuses a name that stands on more than one line, holds what nobody sees, or is too long. It is read under
// answers and in the audit log.
func checkName(name string) error {
	if names.OneLine(name) != name {
		return fault.New(fault.Invalid, "%s", faultNameLine)
	}
	if utf8.RuneCountInString(name) > longestName {
		return fault.New(fault.Invalid, "%s", faultNameLong)
	}
	return nil
}

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
