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

func TestConfirmingLastsFiveMinutes(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, token := h.complete(t, "ada@example.com", staff.Agent)
	fresh := func(want bool) {
		t.Helper()
		open, err := h.BySession(ctx, token)
		if err != nil || open.Fresh != want {
			t.Fatalf("fresh %v, %v, want %v", open.Fresh, err, want)
		}
	}
	h.later(5 * time.Minute)
	fresh(true)
	h.later(time.Second)
	fresh(false)
	_, err := h.NewCodes(ctx, token, desk)
	wantKind(t, err, fault.Conflict)
	_, err = h.StartFactor(ctx, token, "Lumen")
	wantKind(t, err, fault.Conflict)
	_, err = h.Confirm(ctx, token, "not the password at all", h.code(t, p), desk)
	wantKind(t, err, fault.Invalid)
	_, err = h.Confirm(ctx, token, passphrase, h.code(t, p), desk)
	wantKind(t, err, fault.TooMany)
	h.later(time.Second)
	_, err = h.Confirm(ctx, token, passphrase, "123456", desk)
	wantKind(t, err, fault.Invalid)
	h.later(time.Minute)
	entry, err := h.Confirm(ctx, token, passphrase, h.code(t, p), desk)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(ctx, token)
	wantKind(t, err, fault.SignedOut)
	token = entry.Token
	fresh(true)
}

func TestOwnSessionsAreListedAndEnded(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, here := h.complete(t, "ada@example.com", staff.Agent)
	h.halfway(t, "ada@example.com", desk) // not in: not listed
	there, err := h.OpenSession(ctx, p.ID, staff.Caller{IP: "198.51.100.4", Agent: "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36"})
	if err != nil {
		t.Fatal(err)
	}
	third, err := h.OpenSession(ctx, p.ID, desk)
	if err != nil {
		t.Fatal(err)
	}
	q, _ := h.complete(t, "bob@example.com", staff.Agent)
	account, err := h.AccountOf(ctx, p.ID)
	if err != nil || len(account.Sessions) != 3 {
		t.Fatalf("%+v, %v", account, err)
	}
	open, err := h.BySession(ctx, there)
	if err != nil {
		t.Fatal(err)
	}
	// Nobody ends a colleague's session by its name.
	stranger, err := h.OpenSession(ctx, q.ID, desk)
	if err != nil {
		t.Fatal(err)
	}
	err = h.EndOwn(ctx, stranger, open.ID, desk)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(ctx, there)
	if err != nil {
		t.Errorf("a colleague ended the session: %v", err)
	}
	err = h.EndOwn(ctx, here, open.ID, desk)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(ctx, there)
	wantKind(t, err, fault.SignedOut)
	err = h.EndOwn(ctx, here, "", desk)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(ctx, third)
	wantKind(t, err, fault.SignedOut)
	_, err = h.BySession(ctx, here)
	if err != nil {
		t.Errorf("ending the others ended this one: %v", err)
	}
}

func TestPeopleAreAdministeredByOthers(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	boss, _ := h.complete(t, "boss@example.com", staff.Admin)
	p, session := h.complete(t, "ada@example.com", staff.Agent)
	by := staff.Hand{ID: boss.ID, Role: staff.Admin}
	for name, deed := range map[string]func(string) error{
		"role":    func(whom string) error { return h.SetRole(ctx, by, whom, staff.Viewer) },
		"disable": func(whom string) error { return h.Disable(ctx, by, whom) },
		"end":     func(whom string) error { return h.EndSessions(ctx, by, whom) },
		"factor":  func(whom string) error { return h.ResetFactor(ctx, by, whom) },
	} {
		if err := deed(boss.ID); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s of oneself: %v", name, err)
		}
		if err := deed("nobody"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of nobody: %v", name, err)
		}
	}
	_, err := h.Invite(ctx, by, "boss@example.com", "", staff.Viewer)
	wantKind(t, err, fault.Forbidden)
	wantKind(t, h.SetRole(ctx, by, p.ID, "owner"), fault.Invalid)
	err = h.SetRole(ctx, by, p.ID, staff.Admin)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(ctx, session)
	wantKind(t, err, fault.SignedOut)
	// Of two administrators who demote each other, one comes too late.
	err = h.SetRole(ctx, staff.Hand{ID: p.ID, Role: staff.Admin}, boss.ID, staff.Viewer)
	if err != nil {
		t.Fatal(err)
	}
	wantKind(t, h.SetRole(ctx, by, p.ID, staff.Viewer), fault.Forbidden)
	wantKind(t, h.Disable(ctx, by, p.ID), fault.Forbidden)
}

func TestAnOldHashIsMadeAnewAtTheNextSignIn(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.enrolled(t, "ada@example.com", staff.Agent)
	stored := func() string {
		t.Helper()
		var kept string
		err := h.db.See(ctx, func(tx *sql.Tx) error {
			return tx.QueryRowContext(ctx, `SELECT password FROM staff`).Scan(&kept)
		})
		if err != nil {
			t.Fatal(err)
		}
		return kept
	}
	err := h.db.Do(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE staff SET password = $1`, staff.HashAsBefore(passphrase))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stored(), "$m=8192,t=1,p=1$") {
		t.Fatalf("stored %s", stored())
	}
	h.halfway(t, "ada@example.com", desk)
	if !strings.Contains(stored(), "$m=19456,t=2,p=1$") {
		t.Errorf("after signing in it is still %s", stored())
	}
	h.halfway(t, "ada@example.com", desk)
}

// An address nobody has costs as much as one somebody has. The hash dwarfs all else, so a tenth of it is a wide margin.
func TestUnknownPeopleCostTheSame(t *testing.T) {
	h := newHouse(t)
	h.enrolled(t, "ada@example.com", staff.Agent)
	fastest := func(email string) time.Duration {
		best := time.Hour
		for range 7 {
			h.later(20 * time.Minute)
			began := time.Now()
			_, _, err := h.SignIn(t.Context(), email, "not the password at all", desk)
			best = min(best, time.Since(began))
			wantKind(t, err, fault.Invalid)
		}
		return best
	}
	known, unknown := fastest("ada@example.com"), fastest("nobody@example.com")
	if ratio := float64(unknown) / float64(known); ratio < 0.6 {
		t.Errorf("an unknown address answers in %s, a known one in %s", unknown, known)
	}
}

func TestBrowsersAreCalledByName(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0":                                                           "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0":        "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":            "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36":            "Chrome on Android",
		"curl/8.5.0": "A browser we don't know", "": "A browser we don't know",
	} {
		if got := staff.BrowserOf(agent); got != want {
			t.Errorf("%q is called %q, want %q", agent, got, want)
		}
	}
}
