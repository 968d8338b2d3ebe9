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
