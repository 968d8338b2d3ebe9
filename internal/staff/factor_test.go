package staff_test

import (
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"sollecito/internal/fault"
	"sollecito/internal/staff"
)

// person is a member with their app, their print-out and their browser.
type person struct {
	staff.Member
	secret string
	codes  []string
	device string
}

// complete enrols somebody with both factors and answers their open session.
func (h *house) complete(t *testing.T, email string, role staff.Role) (person, string) {
	t.Helper()
	half, member := h.enrolled(t, email, role)
	p := person{Member: member}
	seed, err := h.StartFactor(t.Context(), half, "Lumen: Studio")
	if err != nil {
		t.Fatal(err)
	}
	p.secret = seed.Secret
	entry, err := h.FinishFactor(t.Context(), half, h.code(t, p), desk)
	if err != nil {
		t.Fatal(err)
	}
	p.device = entry.Device
	p.codes, err = h.Codes(t.Context(), entry.Token)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := h.KeepCodes(t.Context(), entry.Token, desk)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(t.Context(), entry.Token)
	wantKind(t, err, fault.SignedOut)
	return p, kept.Token
}

// code is what an app shows now: another program's arithmetic than ours.
func (h *house) code(t *testing.T, p person) string {
	t.Helper()
	code, err := totp.GenerateCode(p.secret, h.now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// halfway gives the password from a browser nobody knows.
func (h *house) halfway(t *testing.T, email string, from staff.Caller) string {
	t.Helper()
	half, _, err := h.SignIn(t.Context(), email, passphrase, from)
	if err != nil {
		t.Fatal(err)
	}
	return half
}

// told are the mails queued to a member, in order.
func (h *house) told(t *testing.T, email string) []string {
	t.Helper()
	var all []string
	err := h.db.See(t.Context(), func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(t.Context(), `SELECT step FROM notices WHERE kind = 'account' AND recipient = $1 ORDER BY created_at, id`, email)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var step string
			err := rows.Scan(&step)
			if err != nil {
				return err
			}
			all = append(all, step)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAPasswordAloneComesHalfwayOnly(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, full := h.complete(t, "ada@example.com", staff.Agent)
	open, err := h.BySession(ctx, full)
	if err != nil || open.Standing != staff.Full || !open.Factor {
		t.Fatalf("%+v, %v", open, err)
	}
	if len(p.codes) != 10 || len(strings.ReplaceAll(p.codes[0], "-", "")) != 24 {
		t.Errorf("recovery codes %v", p.codes)
	}
	h.later(time.Minute)
	half := h.halfway(t, "ada@example.com", desk)
	open, err = h.BySession(ctx, half)
	if err != nil || open.Standing != staff.Half {
		t.Fatalf("%+v, %v", open, err)
	}
	_, err = h.StartFactor(ctx, half, "Lumen")
	wantKind(t, err, fault.Conflict) // a password does not replace the factor
	_, err = h.NewCodes(ctx, half, desk)
	wantKind(t, err, fault.Conflict)
	wantKind(t, h.ChangePassword(ctx, half, "quiet harbours keep tin boats", desk), fault.Conflict)
	_, err = h.Confirm(ctx, half, passphrase, h.code(t, p), desk)
	wantKind(t, err, fault.SignedOut)
	entry, err := h.EnterCode(ctx, half, h.code(t, p), desk)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(ctx, half)
	wantKind(t, err, fault.SignedOut) // the name from before is dead
	open, err = h.BySession(ctx, entry.Token)
	if err != nil || open.Standing != staff.Full || !open.Fresh {
		t.Fatalf("%+v, %v", open, err)
	}
	_, err = h.EnterCode(ctx, entry.Token, h.code(t, p), desk)
	wantKind(t, err, fault.Conflict)
}

func TestACodeIsGoodOnceAndOneStepOff(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, _ := h.complete(t, "ada@example.com", staff.Agent)
	for _, c := range []struct {
		off  time.Duration
		good bool
	}{{-61 * time.Second, false}, {-30 * time.Second, true}, {0, true}, {30 * time.Second, true}, {61 * time.Second, false}} {
		h.later(10 * time.Minute)
		half := h.halfway(t, "ada@example.com", desk)
		code, err := totp.GenerateCode(p.secret, h.now().Add(c.off))
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.EnterCode(ctx, half, code[:3]+" "+code[3:], desk)
		if (err == nil) != c.good {
			t.Errorf("a code %s off: %v", c.off, err)
		}
		if !c.good {
			continue
		}
		again := h.halfway(t, "ada@example.com", desk)
		_, err = h.EnterCode(ctx, again, code, desk)
		wantKind(t, err, fault.Invalid)
	}
}

func TestTwoCannotUseOneCode(t *testing.T) {
	h := newHouse(t)
	p, _ := h.complete(t, "ada@example.com", staff.Agent)
	h.later(time.Minute)
	var halves []string
	for range 6 {
		halves = append(halves, h.halfway(t, "ada@example.com", desk))
	}
	for _, code := range []string{h.code(t, p), p.codes[0]} {
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for i, half := range halves {
			members := h.Members
			if i%2 == 1 {
				members = h.another(t)
			}
			wg.Go(func() {
				_, err := members.EnterCode(t.Context(), half, code, desk)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("one code let %d in", won)
		}
		h.later(time.Minute)
		for i := range halves {
			halves[i] = h.halfway(t, "ada@example.com", desk)
		}
		h.later(time.Minute)
	}
}

func TestARecoveryCodeOpensOnce(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, full := h.complete(t, "ada@example.com", staff.Agent)
	_, err := h.EnterCode(ctx, h.halfway(t, "ada@example.com", desk), strings.ToLower(strings.ReplaceAll(p.codes[3], "-", " ")), desk)
	if err != nil {
		t.Fatalf("a recovery code as people type it: %v", err)
	}
	_, err = h.EnterCode(ctx, h.halfway(t, "ada@example.com", desk), p.codes[3], desk)
	wantKind(t, err, fault.Invalid)
	account, err := h.AccountOf(ctx, p.ID)
	if err != nil || account.Codes != 9 || account.FactorAt != h.now().Unix() {
		t.Errorf("%+v, %v", account, err)
	}
	entry, err := h.NewCodes(ctx, full, desk)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := h.Codes(ctx, entry.Token)
	if err != nil || len(fresh) != 10 {
		t.Fatalf("%v, %v", fresh, err)
	}
	h.later(time.Minute)
	_, err = h.EnterCode(ctx, h.halfway(t, "ada@example.com", desk), p.codes[4], desk)
	wantKind(t, err, fault.Invalid) // the old ones are dead
	kept, err := h.KeepCodes(ctx, entry.Token, desk)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := h.Codes(ctx, kept.Token)
	if err != nil || gone != nil {
		t.Errorf("kept codes are shown again: %v, %v", gone, err)
	}
	// Somebody else's recovery code opens nothing.
	other, _ := h.complete(t, "bob@example.com", staff.Agent)
	h.later(time.Minute)
	_, err = h.EnterCode(ctx, h.halfway(t, "ada@example.com", desk), other.codes[0], desk)
	wantKind(t, err, fault.Invalid)
}

func TestWrongCodesWaitLikeWrongPasswords(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, _ := h.complete(t, "ada@example.com", staff.Agent)
	attacker := staff.Caller{IP: "203.0.113.9"}
	want := time.Second
	for range 12 {
		// The right password in between does not set the count of codes back.
		half := h.halfway(t, "ada@example.com", attacker)
		_, err := h.EnterCode(ctx, half, "000000", attacker)
		wantKind(t, err, fault.Invalid)
		_, err = h.EnterCode(ctx, half, h.code(t, p), attacker)
		wantKind(t, err, fault.TooMany)
		_, err = h.another(t).EnterCode(ctx, half, h.code(t, p), attacker)
		wantKind(t, err, fault.TooMany) // counted in the database
		h.later(want)
		want = min(2*want, 15*time.Minute)
	}
	half := h.halfway(t, "ada@example.com", attacker)
	_, err := h.EnterCode(ctx, half, "000000", attacker)
	wantKind(t, err, fault.Invalid)
	// The member's own browser has a count of its own, for passwords and codes.
	for range 3 {
		_, _, err = h.SignIn(ctx, "ada@example.com", "not the password at all", attacker)
		if err == nil {
			t.Fatal("a wrong password was taken")
		}
		h.later(time.Second)
	}
	known := staff.Caller{IP: "203.0.113.9", Device: p.device}
	_, err = h.EnterCode(ctx, h.halfway(t, "ada@example.com", known), h.code(t, p), known)
	if err != nil {
		t.Errorf("an attacker kept the member out of their own browser: %v", err)
	}
	if got := strings.Join(h.told(t, "ada@example.com"), " "); strings.Count(got, "many_failures") != 1 {
		t.Errorf("told %q, want one mail for the wave", got)
	}
}

func TestAMemberIsToldWhatWasNotThem(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, _ := h.complete(t, "ada@example.com", staff.Agent)
	boss, _ := h.complete(t, "boss@example.com", staff.Admin)
	enter := func(device string) {
		t.Helper()
		h.later(time.Minute)
		from := staff.Caller{IP: "198.51.100.4", Agent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/131.0", Device: device}
		_, err := h.EnterCode(ctx, h.halfway(t, "ada@example.com", from), h.code(t, p), from)
		if err != nil {
			t.Fatal(err)
		}
	}
	enter(p.device)
	enter("a browser nobody knows")
	h.later(time.Minute)
	full, err := h.OpenSession(ctx, p.ID, desk)
	if err != nil {
		t.Fatal(err)
	}
	err = h.ChangePassword(ctx, full, "quiet harbours keep tin boats", desk)
	if err != nil {
		t.Fatal(err)
	}
	h.later(time.Minute)
	_, err = h.NewCodes(ctx, full, desk)
	if err != nil {
		t.Fatal(err)
	}
	h.later(time.Minute)
	err = h.ResetFactor(ctx, staff.Hand{ID: boss.ID, Role: boss.Role}, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := "factor_set new_device password_changed codes_renewed factor_reset"
	if got := strings.Join(h.told(t, "ada@example.com"), " "); got != want {
		t.Errorf("told %q, want %q", got, want)
	}
	if got := h.told(t, "boss@example.com"); len(got) != 1 {
		t.Errorf("the administrator was told %v", got)
	}
}

func TestALostFactorIsResetByAnother(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, full := h.complete(t, "ada@example.com", staff.Admin)
	boss, _ := h.complete(t, "boss@example.com", staff.Admin)
	wantKind(t, h.ResetFactor(ctx, staff.Hand{ID: p.ID, Role: p.Role}, p.ID), fault.Forbidden)
	h.later(time.Minute)
	err := h.ResetFactor(ctx, staff.Hand{ID: boss.ID, Role: boss.Role}, "ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(ctx, full)
	wantKind(t, err, fault.SignedOut)
	half := h.halfway(t, "ada@example.com", desk)
	_, err = h.EnterCode(ctx, half, h.code(t, p), desk)
	wantKind(t, err, fault.Invalid)
	_, err = h.EnterCode(ctx, half, p.codes[0], desk)
	if err == nil {
		t.Error("a recovery code outlived its factor")
	}
	h.later(time.Minute)
	seed, err := h.StartFactor(ctx, half, "Lumen")
	if err != nil || seed.Secret == p.secret {
		t.Fatalf("%+v, %v", seed, err)
	}
	again, err := h.StartFactor(ctx, half, "Lumen")
	if err != nil || again != seed {
		t.Errorf("the page drawn again shows another seed: %v", err)
	}
	if !strings.HasPrefix(seed.URI, "otpauth://totp/Lumen:ada@example.com?") || !strings.Contains(seed.URI, "secret="+seed.Secret) {
		t.Errorf("URI %s", seed.URI)
	}
}

func TestAPasswordResetDoesNotSkipTheSecondFactor(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, full := h.complete(t, "ada@example.com", staff.Agent)
	token, err := h.Add(ctx, "ada@example.com", "", "")
	if err != nil {
		t.Fatal(err)
	}
	half, member, err := h.Enrol(ctx, token, "", "quiet harbours keep tin boats", desk)
	if err != nil || !member.Factor {
		t.Fatalf("%+v, %v", member, err)
	}
	_, err = h.BySession(ctx, full)
	wantKind(t, err, fault.SignedOut)
	_, err = h.StartFactor(ctx, half, "Lumen")
	wantKind(t, err, fault.Conflict)
	h.later(time.Minute)
	_, err = h.EnterCode(ctx, half, h.code(t, p), desk)
	if err != nil {
		t.Errorf("the second factor is gone with the password: %v", err)
	}
}

func TestSeedsAreSealedUnderAKeyOutsideTheDatabase(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, _ := h.complete(t, "ada@example.com", staff.Agent)
	var dump strings.Builder
	err := h.db.See(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT factor FROM staff UNION ALL SELECT hash || draft FROM staff_sessions UNION ALL SELECT hash FROM staff_recovery`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var text string
			err := rows.Scan(&text)
			if err != nil {
				return err
			}
			dump.WriteString(text + "\n")
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := dump.String()
	for _, secret := range append(p.codes, p.secret) {
		if strings.Contains(kept, secret) || strings.Contains(kept, strings.ReplaceAll(secret, "-", "")) {
			t.Errorf("%q is stored", secret)
		}
	}
	h.later(time.Minute)
	other, err := staff.NewMembers(h.db, "another session key of 32 characters", h.now, h.now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.EnterCode(ctx, h.halfway(t, "ada@example.com", desk), h.code(t, p), desk)
	wantKind(t, err, fault.Conflict)
	h.later(time.Minute)
	_, err = other.EnterCode(ctx, h.halfway(t, "ada@example.com", desk), p.codes[0], desk)
	if err != nil {
		t.Errorf("a recovery code needs no key: %v", err)
	}
	// One member's sealed seed is no use in another's row.
	q, _ := h.complete(t, "bob@example.com", staff.Agent)
	err = h.db.Do(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE staff SET factor = (SELECT factor FROM staff WHERE id = $1) WHERE id = $2`, p.ID, q.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.later(time.Minute)
	_, err = h.EnterCode(ctx, h.halfway(t, "bob@example.com", desk), h.code(t, p), desk)
	wantKind(t, err, fault.Conflict)
}
