package jobs_test

import (
	"database/sql"
	"slices"
	"testing"
	"time"

	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// Who stood still for longer than a lease finds the notice in other hands, and cannot have it mailed twice. The other who
// stands still in the dialogue is believed all the same: what the mail server said is more than what was made of silence.
func TestWhoseClaimRanOutChangesNothingAndWhoKnowsIsBelieved(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	db, _, sender := waiting(t, now, 1, []string{"first"})
	do := func(work func(tx *sql.Tx) error) {
		t.Helper()
		err := db.Do(t.Context(), work)
		if err != nil {
			t.Fatal(err)
		}
	}
	claim := func(at, lease int64) (n outbox.Notice) {
		do(func(tx *sql.Tx) error {
			claimed, err := outbox.Claim(t.Context(), tx, db.SkipLocked(), now.Unix(), at, lease, 9)
			if err == nil && len(claimed) != 1 {
				t.Fatalf("%d claimed", len(claimed))
			}
			n = claimed[0]
			return err
		})
		return n
	}
	stale, ours := claim(1000, 1300), claim(1301, 1601)
	tryStale := func(want outbox.Status) {
		t.Helper()
		do(func(tx *sql.Tx) error {
			for name, act := range map[string]func() error{
				"release": func() error { return outbox.Release(t.Context(), tx, stale) },
				"drop":    func() error { return outbox.Drop(t.Context(), tx, stale, outbox.Skipped, "", now.Unix()) },
				"stumble": func() error { return outbox.Stumble(t.Context(), tx, stale, now.Unix(), now.Unix()) },
				"put off": func() error { return sender.Cases.PutOffNotice(t.Context(), tx, stale, "rests", now, now) },
				"begin": func() error {
					begun, err := outbox.BeginAll(t.Context(), tx, []outbox.Notice{stale}, 2000)
					if begun[stale.ID] {
						t.Errorf("it was begun by a claim that ran out")
					}
					return err
				},
			} {
				err := act()
				if err != nil {
					return err
				}
				got, err := outbox.Find(t.Context(), tx, stale.ID)
				if err != nil {
					return err
				}
				if got.Status != want || got.LeaseUntil < ours.LeaseUntil {
					t.Errorf("after %s it is %s until %d", name, got.Status, got.LeaseUntil)
				}
			}
			still, err := outbox.StillClaimed(t.Context(), tx, []outbox.Notice{stale})
			if still[stale.ID] {
				t.Error("a claim that ran out is taken for one")
			}
			return err
		})
	}
	tryStale(outbox.Queued)
	do(func(tx *sql.Tx) error {
		begun, err := outbox.BeginAll(t.Context(), tx, []outbox.Notice{ours}, 1701)
		ours.Attempts++
		if !begun[ours.ID] {
			t.Error("a claim is not taken for one")
		}
		return err
	})
	tryStale(outbox.Sending)
	do(func(tx *sql.Tx) error {
		n, err := outbox.Abandon(t.Context(), tx, 1702, now.Unix())
		if n != 1 {
			t.Errorf("%d given up", n)
		}
		return err
	})
	do(func(tx *sql.Tx) error {
		other := ours
		other.Attempts--
		news, err := outbox.SentAll(t.Context(), tx, []outbox.Notice{other}, now.Unix())
		if err != nil {
			return err
		}
		if len(news) != 0 {
			t.Error("an earlier try has the last word")
		}
		news, err = outbox.SentAll(t.Context(), tx, []outbox.Notice{ours}, now.Unix())
		if !news[ours.ID] {
			t.Error("what the server said is lost")
		}
		return err
	})
}

// A mail that is being handed over once more keeps its date, and is a contact of today all the same. A reminder whose case
// is gone is an error that says so.
func TestWhatIsBeingHandedOverIsAContactOfNow(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	db, _, sender := waiting(t, now, 1, []string{"first"})
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE notices SET status = 'sending', dated = $1`, now.Add(-30*24*time.Hour).Unix())
		if err != nil {
			return err
		}
		one, err := outbox.Contacts(t.Context(), tx, "cus_0", now.Add(-time.Hour).Unix(), now.Unix())
		if err != nil {
			return err
		}
		all, err := outbox.ContactsOf(t.Context(), tx, []string{"cus_0"}, now.Add(-time.Hour).Unix(), now.Unix())
		if err != nil {
			return err
		}
		if len(one) == 0 || one[0].At != now.Unix() || !slices.Equal(one, all["cus_0"]) {
			t.Errorf("contacts of now: %v, %v", one, all)
		}
		_, err = sender.Cases.WhichWanted(t.Context(), tx, []outbox.Notice{{ID: "n", Kind: outbox.Reminder, CaseID: "gone", CustomerID: "cus_0"}}, nil, now)
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("a reminder of no case: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A server that puts a mail off again and again uses up none of the failures that are ours: those are counted apart, and
// only they end it before its time.
func TestWhatTheServerPutsOffIsNoFailureOfOurs(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	db, _, _ := waiting(t, now, 1, []string{"first"})
	at := int64(1000)
	claimed := func(act func(tx *sql.Tx, n outbox.Notice) error) (after outbox.Notice) {
		t.Helper()
		err := db.Do(t.Context(), func(tx *sql.Tx) error {
			at += 1000
			got, err := outbox.Claim(t.Context(), tx, db.SkipLocked(), now.Unix(), at, at+300, 9)
			if err != nil || len(got) != 1 {
				t.Fatalf("%d claimed, %v", len(got), err)
			}
			err = act(tx, got[0])
			if err != nil {
				return err
			}
			after, err = outbox.Find(t.Context(), tx, got[0].ID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return after
	}
	putOff := func(tx *sql.Tx, n outbox.Notice) error {
		_, err := outbox.BeginAll(t.Context(), tx, []outbox.Notice{n}, at+600)
		n.Attempts++
		if err != nil {
			return err
		}
		return outbox.TryAgain(t.Context(), tx, n, now.Unix(), "The mail server put it off: 451")
	}
	stumble := func(tx *sql.Tx, n outbox.Notice) error {
		return outbox.Stumble(t.Context(), tx, n, now.Unix(), now.Unix())
	}
	for range 20 {
		claimed(putOff)
	}
	for n := range 5 {
		got := claimed(stumble)
		want := outbox.Queued
		if n == 4 {
			want = outbox.Failed
		}
		if got.Status != want || got.Attempts != int64(20+n) {
			t.Errorf("after failure %d of ours it is %s after %d tries", n+1, got.Status, got.Attempts)
		}
		if want == outbox.Queued {
			claimed(putOff)
		}
	}
}
