package staff_test

import (
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"sollecito/internal/fault"
	"sollecito/internal/staff"
)

// What a stranger types as the address must neither make guesses at a member cheaper nor slow down another count.
func TestNoSpellingOfAnAddressHasACountOfItsOwn(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, _ := h.complete(t, "ada@example.com", staff.Agent)
	attacker := staff.Caller{IP: "203.0.113.9"}
	_, _, err := h.SignIn(ctx, "ada@example.com", "not the password at all", attacker)
	wantKind(t, err, fault.Invalid)
	for _, spelling := range []string{"ada@example.com\x00", "\x00ada@example.com", " ADA@example.com\t"} {
		_, _, err = h.SignIn(ctx, spelling, passphrase, attacker)
		if err == nil {
			t.Errorf("%q comes in while a wait runs", spelling)
		}
	}
	h.later(time.Hour)
	for _, guess := range []string{"ada@example.com\ncode", "code\n\nada@example.com", "code"} {
		for range 4 {
			_, _, err = h.SignIn(ctx, guess, "x", attacker)
			if err == nil {
				t.Fatal("nobody came in")
			}
			h.later(time.Second)
		}
	}
	_, err = h.EnterCode(ctx, h.halfway(t, "ada@example.com", attacker), h.code(t, p), attacker)
	if err != nil {
		t.Errorf("without the password a stranger slowed the code down: %v", err)
	}
}

// TestRivals lets two administrators shut each other out at once: one of them comes too late, and neither meets an error
// of the database's.
func TestRivals(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	command := staff.ByCommand()
	a, _ := h.complete(t, "ada@example.com", staff.Admin)
	b, _ := h.complete(t, "bob@example.com", staff.Admin)
	for range 10 {
		var wg sync.WaitGroup
		results := make([]error, 2)
		for i, who := range [][2]string{{a.ID, b.ID}, {b.ID, a.ID}} {
			wg.Go(func() {
				results[i] = h.SetRole(ctx, staff.Hand{ID: who[0], Role: staff.Admin}, who[1], staff.Viewer)
			})
		}
		wg.Wait()
		err := errors.Join(results...)
		if (results[0] == nil) == (results[1] == nil) || !fault.Is(results[0], fault.Forbidden) && !fault.Is(results[1], fault.Forbidden) {
			t.Fatalf("one had to come too late: %v", err)
		}
		for _, who := range []string{a.ID, b.ID} {
			err = h.SetRole(ctx, command, who, staff.Admin)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Two sessions that change the password at once must not both be told that theirs is the one.
func TestOneOfTwoNewPasswordsIsTaken(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, first := h.complete(t, "ada@example.com", staff.Agent)
	h.later(time.Minute)
	entry, err := h.EnterCode(ctx, h.halfway(t, "ada@example.com", desk), h.code(t, p), desk)
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"quiet harbours keep tin boats", "seven lanterns over wet slate"}
	var wg sync.WaitGroup
	results := make([]error, 2)
	err = h.db.Do(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE staff SET name = name`) // until both have read what they mean to replace
		if err != nil {
			return err
		}
		for i, session := range []string{first, entry.Token} {
			wg.Go(func() { results[i] = h.ChangePassword(ctx, session, words[i], desk) })
		}
		time.Sleep(500 * time.Millisecond)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if (results[0] == nil) == (results[1] == nil) {
		t.Fatalf("both or none were taken: %v", errors.Join(results...))
	}
	for i, word := range words {
		_, _, err := h.SignIn(ctx, "ada@example.com", word, desk)
		if (err == nil) != (results[i] == nil) {
			t.Errorf("password %d was answered %v and lets in with %v", i, results[i], err)
		}
		h.later(time.Hour)
	}
}
