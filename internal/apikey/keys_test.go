package apikey_test

import (
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"

	"sollecito/internal/apikey"
	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/fault"
)

// ring is a collection of keys on a database and a clock of its own.
type ring struct {
	*apikey.Keys
	t  *testing.T
	db *database.DB

	mu sync.Mutex
	at time.Time
}

func newRing(t *testing.T) *ring {
	t.Helper()
	db, err := database.Open(t.Context(), databasetest.Migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	r := &ring{t: t, db: db, at: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	r.Keys = apikey.NewKeys(r.now)
	return r
}

func (r *ring) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

func (r *ring) later(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = r.at.Add(d)
}

func (r *ring) do(work func(tx *sql.Tx) error) {
	r.t.Helper()
	err := r.db.Do(r.t.Context(), work)
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *ring) make(name string) (k apikey.Key, secret string) {
	r.t.Helper()
	r.do(func(tx *sql.Tx) (err error) {
		k, secret, err = r.Make(r.t.Context(), tx, name, "staff_1")
		return err
	})
	return k, secret
}

func (r *ring) list() (all []apikey.Key) {
	r.t.Helper()
	r.do(func(tx *sql.Tx) (err error) {
		all, err = r.List(r.t.Context(), tx)
		return err
	})
	return all
}

func (r *ring) check(secret string) (k apikey.Key, err error) {
	r.t.Helper()
	failed := r.db.See(r.t.Context(), func(tx *sql.Tx) error {
		k, err = r.Check(r.t.Context(), tx, secret)
		return nil
	})
	if failed != nil {
		r.t.Fatal(failed)
	}
	return k, err
}

func TestAKeyOpensUntilItIsEndedAndIsKeptNowhere(t *testing.T) {
	r := newRing(t)
	k, secret := r.make("  the   app ")
	if !strings.HasPrefix(secret, apikey.Prefix) || len(secret) < len(apikey.Prefix)+43 || k.Name != "the app" || !strings.HasPrefix(secret, k.Beginning) || len(k.Beginning) > 12 {
		t.Errorf("%+v, %d characters", k, len(secret))
	}
	_, other := r.make("the CRM")
	if other == secret {
		t.Error("two keys are the same")
	}
	found, err := r.check(secret)
	if err != nil || found.ID != k.ID {
		t.Errorf("%+v, %v", found, err)
	}
	for _, wrong := range []string{"", "sol_", secret[:len(secret)-1], secret + "a", strings.ToUpper(secret), k.ID, k.Beginning, "sol_\x00"} {
		_, err = r.check(wrong)
		if !fault.Is(err, fault.SignedOut) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	r.do(func(tx *sql.Tx) error {
		var row string
		err := tx.QueryRow(`SELECT id || hash || beginning || name || made_by FROM api_keys WHERE id = $1`, k.ID).Scan(&row)
		if strings.Contains(row, secret[len(k.Beginning):]) {
			t.Error("the key itself is kept")
		}
		return err
	})
	for _, first := range []bool{true, false} {
		r.do(func(tx *sql.Tx) error {
			_, ended, err := r.End(t.Context(), tx, k.ID, "staff_2")
			if ended != first {
				t.Errorf("ended %v, want %v", ended, first)
			}
			return err
		})
	}
	_, err = r.check(secret)
	if !fault.Is(err, fault.SignedOut) {
		t.Errorf("an ended key: %v", err)
	}
	_, again := r.make("the app") // its name is free again
	_, err = r.check(again)
	if err != nil {
		t.Error(err)
	}
	all := r.list()
	if len(all) != 3 || all[2].ID != k.ID || all[2].EndedBy != "staff_2" || all[2].EndedAt == 0 || all[0].EndedAt != 0 {
		t.Errorf("listed %+v", all)
	}
	err = r.db.Do(t.Context(), func(tx *sql.Tx) error {
		_, _, err := r.End(t.Context(), tx, "key_none", "staff_2")
		return err
	})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("one there is not: %v", err)
	}
}

func TestANameSaysWhatAKeyIsForAndIsOnesOwn(t *testing.T) {
	r := newRing(t)
	r.make("the app")
	for _, name := range []string{"", " \t", strings.Repeat("x", 61), "a\u202eb", "the app", " the  app"} {
		err := r.db.Do(t.Context(), func(tx *sql.Tx) error {
			_, _, err := r.Make(t.Context(), tx, name, "staff_1")
			return err
		})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if n := len(r.list()); n != 1 {
		t.Errorf("%d keys", n)
	}
}

// Programs ask many times a second: when a key was last used is kept to the minute, and asks the disk no more often.
func TestTheLastUseIsKeptOncePerMinute(t *testing.T) {
	r := newRing(t)
	_, secret := r.make("the app")
	use := func() {
		t.Helper()
		k, err := r.check(secret)
		if err == nil {
			err = r.Used(t.Context(), r.db, k)
		}
		if err != nil {
			t.Error(err)
		}
	}
	stored := func() int64 { t.Helper(); return r.list()[0].UsedAt }
	use()
	if stored() != r.now().Unix() {
		t.Errorf("used at %d, want %d", stored(), r.now().Unix())
	}
	mark := r.now().Unix() - 5
	r.do(func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE api_keys SET used_at = $1`, mark)
		return err
	})
	for range 20 {
		r.later(2 * time.Second)
		use()
	}
	if stored() != mark {
		t.Error("a use within the minute was written")
	}
	r.later(time.Minute)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(use)
	}
	wait.Wait()
	if stored() != r.now().Unix() {
		t.Errorf("used at %d, want %d", stored(), r.now().Unix())
	}
}
