package staff_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"sollecito/internal/fault"
	"sollecito/internal/staff"
)

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
	try := func(email string) time.Duration {
		began := time.Now()
		_, _, err := h.SignIn(t.Context(), email, "not the password at all", desk)
		took := time.Since(began)
		wantKind(t, err, fault.Invalid)
		return took
	}
	// By turns, since the machine is busier in one second than in the next, and for longer while it is: other work only
	// adds to what a try takes, so that no number of them hides an address that costs less.
	known, unknown := time.Hour, time.Hour
	for n := range 50 {
		if n >= 7 && unknown >= known*6/10 {
			return
		}
		h.later(time.Hour)
		known, unknown = min(known, try("ada@example.com")), min(unknown, try("nobody@example.com"))
	}
	t.Errorf("an unknown address answers in %s, a known one in %s", unknown, known)
}
