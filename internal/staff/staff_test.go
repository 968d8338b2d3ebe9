package staff_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/fault"
	"sollecito/internal/staff"
)

const passphrase = "violet trams hum at dawn"

type house struct {
	*staff.Members
	db    *database.DB
	clock time.Time
	mu    sync.Mutex
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

func (h *house) later(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(d)
}

func newHouse(t *testing.T) *house {
	t.Helper()
	db, err := database.Open(t.Context(), databasetest.Migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{db: db, clock: time.Date(2026, 11, 3, 9, 0, 0, 300e6, time.UTC)}
	h.Members = h.another(t)
	return h
}

const sessionKey = "a session key of thirty-two characters"

// another is the room as a second program on the same database has it.
func (h *house) another(t *testing.T) *staff.Members {
	t.Helper()
	members, err := staff.NewMembers(h.db, sessionKey, h.now, h.now)
	if err != nil {
		t.Fatal(err)
	}
	return members
}

var desk = staff.Caller{IP: "192.0.2.1", Agent: "Firefox", Request: "req_1"}

func (h *house) enrolled(t *testing.T, email string, role staff.Role) (string, staff.Member) {
	t.Helper()
	token, err := h.Add(t.Context(), email, "", role)
	if err != nil {
		t.Fatal(err)
	}
	session, member, err := h.Enrol(t.Context(), token, "Ada Byron", passphrase, desk)
	if err != nil {
		t.Fatal(err)
	}
	return session, member
}

func (h *house) deeds(t *testing.T) []string {
	t.Helper()
	var deeds []string
	err := h.db.See(t.Context(), func(tx *sql.Tx) error {
		entries, err := audit.List(t.Context(), tx, 0, 1000)
		for _, e := range entries {
			deeds = append(deeds, e.Action)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(deeds)
	return deeds
}

func wantKind(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("error %v, want kind %s", err, kind)
	}
}

func TestEnrolmentIsForOnceAndHalfAnHour(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	token, err := h.Add(ctx, " Ada@Example.com ", "Ada", staff.Agent)
	if err != nil {
		t.Fatal(err)
	}
	h.later(30*time.Minute - time.Second)
	invited, err := h.CheckEnrolment(ctx, token)
	if err != nil || invited.Email != "ada@example.com" || invited.Name != "Ada" || invited.Enrolled || invited.Role != staff.Agent {
		t.Fatalf("invited %+v, %v", invited, err)
	}
	_, _, err = h.Enrol(ctx, token, "", "too short", desk)
	wantKind(t, err, fault.Invalid)
	session, member, err := h.Enrol(ctx, token, "", passphrase, desk)
	if err != nil {
		t.Fatalf("a refused password used the token up: %v", err)
	}
	if !member.Enrolled || member.Name != "Ada" {
		t.Errorf("member %+v", member)
	}
	_, err = h.BySession(ctx, session)
	if err != nil {
		t.Errorf("session after enrolment: %v", err)
	}
	_, _, err = h.Enrol(ctx, token, "", passphrase, desk)
	wantKind(t, err, fault.NotFound)

	second, err := h.Add(ctx, "ada@example.com", "", staff.Manager)
	if err != nil {
		t.Fatal(err)
	}
	third, err := h.Add(ctx, "ada@example.com", "", staff.Manager)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.CheckEnrolment(ctx, second)
	wantKind(t, err, fault.NotFound) // replaced
	_, _, err = h.SignIn(ctx, "ada@example.com", passphrase, desk)
	if err != nil {
		t.Errorf("an unused renewal took the old password away: %v", err)
	}
	h.later(30 * time.Minute)
	_, err = h.CheckEnrolment(ctx, third)
	wantKind(t, err, fault.NotFound) // too old

	want := []string{"staff.added", "staff.enrolled", "staff.renewed", "staff.renewed", "staff.password_given"}
	if got := h.deeds(t); !slices.Equal(got, want) {
		t.Errorf("audit %v, want %v", got, want)
	}
}

func TestTwoCannotUseOneEnrolment(t *testing.T) {
	h := newHouse(t)
	token, err := h.Add(t.Context(), "ada@example.com", "Ada", staff.Agent)
	if err != nil {
		t.Fatal(err)
	}
	results := make(chan error, 4)
	for range cap(results) {
		go func() {
			_, _, err := h.Enrol(t.Context(), token, "", passphrase, desk)
			results <- err
		}()
	}
	won := 0
	for range cap(results) {
		err := <-results
		if err == nil {
			won++
			continue
		}
		wantKind(t, err, fault.NotFound)
	}
	if won != 1 {
		t.Errorf("%d enrolments succeeded with one token", won)
	}
}

func TestPasswordRules(t *testing.T) {
	h := newHouse(t)
	refused := []string{
		"fourteen chars", "passwordpassword", "Password1234567", "P@ssw0rd", "123456789012345", "aaaaaaaaaaaaaaa",
		"!!!!!!!!!!!!!!!!", "qwertyuiop12345", "monkeymonkeymonkey", "byron byron byron", "Ada.Byron@example.com",
		"adabyronexample", "1qaz2wsx3edc4rfv", "dragon-dragon-2345", strings.Repeat("x7", 501), "abcdefghijklmnop", "\xff\xfe notutf8 at all",
	}
	token, err := h.Add(t.Context(), "ada.byron@example.com", "", staff.Agent)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range refused {
		_, _, err := h.Enrol(t.Context(), token, "Ada Byron", p, desk)
		if !fault.Is(err, fault.Invalid) {
			t.Fatalf("%q: %v, want it refused", p, err)
		}
	}
	long := strings.Repeat("Zug um 7 Uhr ", 5) + "und dann" // differs from the next only at its end
	for _, p := range []string{passphrase, "雪が降る夜に電車が静かに走る町", "🌿🚲🪁🧩🎻🥨🛶🪴🐌🧦🫖🪞🧵🕯️🛖", long + "A", long + "B", "café crème brûlée"} {
		token, err = h.Add(t.Context(), "ada.byron@example.com", "", staff.Agent)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = h.Enrol(t.Context(), token, "Ada Byron", p, desk)
		if err != nil {
			t.Errorf("%q refused: %v", p, err)
		}
	}
	_, _, err = h.SignIn(t.Context(), "ada.byron@example.com", "cafe\u0301 cre\u0300me bru\u0302le\u0301e", desk)
	if err != nil {
		t.Errorf("the same password from another keyboard: %v", err)
	}
}

func TestWaitsGrowForKnownAndUnknownAlike(t *testing.T) {
	h := newHouse(t)
	h.enrolled(t, "ada@example.com", staff.Agent)
	attacker := staff.Caller{IP: "203.0.113.9"}
	for _, email := range []string{"ada@example.com", "nobody@example.com"} {
		want := time.Second
		for range 12 {
			_, _, err := h.SignIn(t.Context(), email, "not the password at all", attacker)
			wantKind(t, err, fault.Invalid)
			_, _, err = h.SignIn(t.Context(), email, passphrase, attacker)
			wantKind(t, err, fault.TooMany)
			var later *staff.TryLater
			if !errors.As(err, &later) || later.Wait.Round(time.Millisecond) != want {
				t.Fatalf("%s: wait %v, want %v", email, later, want)
			}
			h.later(want)
			want = min(2*want, 15*time.Minute)
		}
	}
	_, _, err := h.SignIn(t.Context(), "ada@example.com", "not the password at all", attacker)
	wantKind(t, err, fault.Invalid)
	// Counted in the database: another process waits too.
	other := h.another(t)
	_, _, err = other.SignIn(t.Context(), "ada@example.com", passphrase, attacker)
	wantKind(t, err, fault.TooMany)
	h.later(15 * time.Minute)
	_, _, err = other.SignIn(t.Context(), "ada@example.com", passphrase, attacker)
	if err != nil {
		t.Errorf("after the longest wait: %v", err)
	}
}

func TestGuessesAtOnceAreFew(t *testing.T) {
	h := newHouse(t)
	h.enrolled(t, "ada@example.com", staff.Agent)
	var wg sync.WaitGroup
	var mu sync.Mutex
	compared := 0
	for range 30 {
		wg.Go(func() {
			_, _, err := h.SignIn(t.Context(), "ada@example.com", "not the password at all", staff.Caller{IP: "203.0.113.9"})
			mu.Lock()
			defer mu.Unlock()
			if fault.Is(err, fault.Invalid) {
				compared++
			}
		})
	}
	wg.Wait()
	if compared > 2 {
		t.Errorf("%d guesses were compared before the first wait", compared)
	}
}

func TestASlotIsNotWaitedForForever(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// With a context that is done either the slot or the end may be picked; it must never be an answer.
	_, _, err := h.SignIn(ctx, "ada@example.com", passphrase, desk)
	if err == nil || fault.Is(err, fault.Invalid) {
		t.Errorf("error %v, want the context's", err)
	}
}

func TestSessionsEnd(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	_, idle := h.complete(t, "ada@example.com", staff.Agent)
	_, err := h.BySession(ctx, "unknown")
	wantKind(t, err, fault.SignedOut)
	_, err = h.BySession(ctx, "")
	wantKind(t, err, fault.SignedOut)

	for range 25 { // in use every 59 minutes it lives until it is a day old
		h.later(59 * time.Minute)
		_, err = h.BySession(ctx, idle)
		if h.now().Sub(time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)) < 24*time.Hour && err != nil {
			t.Fatalf("in use, and yet: %v", err)
		}
	}
	wantKind(t, err, fault.SignedOut)

	session, member, err := h.SignIn(ctx, "ADA@example.com", passphrase, desk)
	if err != nil || member.Email != "ada@example.com" {
		t.Fatalf("%+v, %v", member, err)
	}
	h.later(15 * time.Minute) // time enough for a code, no more
	_, err = h.BySession(ctx, session)
	wantKind(t, err, fault.SignedOut)

	session, err = h.OpenSession(ctx, member.ID, desk)
	if err != nil {
		t.Fatal(err)
	}
	h.later(time.Hour)
	_, err = h.BySession(ctx, session)
	wantKind(t, err, fault.SignedOut)

	session, _, err = h.SignIn(ctx, "ada@example.com", passphrase, desk)
	if err != nil {
		t.Fatal(err)
	}
	err = h.SignOut(ctx, session, desk)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(ctx, session)
	wantKind(t, err, fault.SignedOut)
	err = h.SignOut(ctx, session, desk)
	if err != nil {
		t.Errorf("signing out twice: %v", err)
	}
}

func TestDisableAndReturn(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	session, member := h.enrolled(t, "ada@example.com", staff.Admin)
	pending, err := h.Add(ctx, "ada@example.com", "", staff.Admin)
	if err != nil {
		t.Fatal(err)
	}
	err = h.Disable(ctx, staff.ByCommand(), "Ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(ctx, session)
	wantKind(t, err, fault.SignedOut)
	_, err = h.CheckEnrolment(ctx, pending)
	wantKind(t, err, fault.NotFound)
	_, _, err = h.SignIn(ctx, "ada@example.com", passphrase, desk)
	wantKind(t, err, fault.Invalid)
	_, err = h.OpenSession(ctx, member.ID, desk)
	wantKind(t, err, fault.NotFound)
	wantKind(t, h.Disable(ctx, staff.ByCommand(), "nobody@example.com"), fault.NotFound)

	h.later(time.Minute)
	token, err := h.Add(ctx, "ada@example.com", "", staff.Viewer)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = h.SignIn(ctx, "ada@example.com", passphrase, desk)
	wantKind(t, err, fault.Invalid) // the old password does not come back
	_, back, err := h.Enrol(ctx, token, "", "quiet harbours keep tin boats", desk)
	if err != nil || back.ID != member.ID || back.Role != staff.Viewer {
		t.Fatalf("%+v, %v", back, err)
	}
	all, err := h.List(ctx)
	if err != nil || len(all) != 1 || all[0].Disabled || !all[0].Enrolled {
		t.Errorf("%+v, %v", all, err)
	}
	_, err = h.OpenSession(ctx, member.ID, desk)
	if err != nil {
		t.Error(err)
	}
}

func TestARoleStaysUnlessOneIsNamed(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	add := func(email string, role, want staff.Role) {
		t.Helper()
		token, err := h.Add(ctx, email, "", role)
		if err != nil {
			t.Fatal(err)
		}
		member, err := h.CheckEnrolment(ctx, token)
		if err != nil || member.Role != want {
			t.Errorf("%s added as %q is %q, want %q: %v", email, role, member.Role, want, err)
		}
	}
	add("first@example.com", "", staff.Admin)
	add("second@example.com", "", staff.Agent)
	session, _ := h.enrolled(t, "ada@example.com", staff.Viewer)
	add("ada@example.com", "", staff.Viewer)
	add("ada@example.com", staff.Viewer, staff.Viewer)
	_, err := h.BySession(ctx, session)
	if err != nil {
		t.Errorf("an unchanged role ended the session: %v", err)
	}
	add("ada@example.com", staff.Manager, staff.Manager)
	_, err = h.BySession(ctx, session)
	wantKind(t, err, fault.SignedOut)
}

func TestNothingGuessableIsStored(t *testing.T) {
	h := newHouse(t)
	session, _ := h.enrolled(t, "ada@example.com", staff.Agent)
	pending, err := h.Add(t.Context(), "bob@example.com", "Bob", staff.Viewer)
	if err != nil {
		t.Fatal(err)
	}
	var dump strings.Builder
	err = h.db.See(t.Context(), func(tx *sql.Tx) error {
		for _, query := range []string{
			`SELECT password || ' ' || enrol_hash FROM staff`, `SELECT hash FROM staff_sessions`, `SELECT detail || object || actor FROM audit`,
		} {
			rows, err := tx.QueryContext(t.Context(), query)
			if err != nil {
				return err
			}
			for rows.Next() {
				var s string
				err := rows.Scan(&s)
				if err != nil {
					return err
				}
				dump.WriteString(s + "\n")
			}
			rows.Close()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{session, pending, passphrase, "example.com"} {
		if strings.Contains(dump.String(), secret) {
			t.Errorf("%q is stored", secret)
		}
	}
	if !strings.Contains(dump.String(), "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("no argon2id hash in %s", dump.String())
	}
}

func TestRights(t *testing.T) {
	rights := []staff.Right{staff.See, staff.Act, staff.Steer, staff.Administer}
	for held, role := range staff.Roles() {
		for i, right := range rights {
			if got, want := role.May(right), i <= held; got != want {
				t.Errorf("%s may %s: %v", role, right, got)
			}
		}
	}
	if staff.Role("owner").May(staff.See) || staff.Admin.May("everything") {
		t.Error("an unknown role or right is granted")
	}
}

func TestAddRefusesNonsense(t *testing.T) {
	h := newHouse(t)
	for _, email := range []string{"", "ada", "Ada <ada@example.com>", "ada@example.com\r\nBcc: x@example.com"} {
		_, err := h.Add(t.Context(), email, "", staff.Agent)
		wantKind(t, err, fault.Invalid)
	}
	_, err := h.Add(t.Context(), "ada@example.com", "", "owner")
	wantKind(t, err, fault.Invalid)
}

// A name is read under answers, in the audit log and in lists: it is one line of what can be seen, by whichever door it comes.
func TestANameIsOneLineThatCanBeSeen(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	for _, name := range []string{"Ines\nAdmin", "Ines\rAdmin", "Ines\tFerri", "Ines\x00", "Ines\x1b[2J", "Ines \u202eirreF", "I\u200bnes", "\u2066Ines", "Ines\u2028Ferri", "I\u200dnes", "Ines\xff", "\u3164", "\u2800", "I\u034fnes", "И\u200cнес"} {
		_, err := h.Add(ctx, "ines@example.com", name, staff.Agent)
		wantKind(t, err, fault.Invalid)
		token, err := h.Add(ctx, "ada@example.com", "Ada", staff.Agent)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = h.Enrol(ctx, token, name, "quiet harbours keep tin boats", desk)
		wantKind(t, err, fault.Invalid)
	}
	for given, want := range map[string]string{"  Ines   Ferri ": "Ines Ferri", "Ines\n": "Ines", "علی\u200cرضا": "علی\u200cرضا"} {
		_, err := h.Add(ctx, "x@example.com", given, staff.Agent)
		if err != nil {
			t.Errorf("%+q: %v", given, err)
		}
		all, err := h.List(ctx)
		if err != nil || all[len(all)-1].Name != want {
			t.Errorf("%+q is kept as %+q: %v", given, all[len(all)-1].Name, err)
		}
	}
}
