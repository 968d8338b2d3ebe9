package audit_test

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/database"
	"sollecito/internal/databasetest"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func open(t *testing.T) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), databasetest.Migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		for i := range 5 {
			err := audit.Append(t.Context(), tx, audit.Entry{
				Actor: "staff_1", Role: "agent", Action: "case.paused", Object: fmt.Sprintf("case_%d", i+1),
				Detail: "until Friday", IP: "192.0.2.1", Request: "req_1", At: noon.Add(time.Duration(i) * time.Minute),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestListPagesFromTheNewest(t *testing.T) {
	db := open(t)
	var first, second []audit.Entry
	err := db.See(t.Context(), func(tx *sql.Tx) error {
		var err error
		first, err = audit.List(t.Context(), tx, 0, 2)
		if err != nil {
			return err
		}
		second, err = audit.List(t.Context(), tx, first[1].Seq, 10)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 2 || first[0].Seq != 5 || len(second) != 3 || second[2].Seq != 1 {
		t.Fatalf("first %+v, second %+v", first, second)
	}
	want := audit.Entry{
		Actor: "staff_1", Role: "agent", Action: "case.paused", Object: "case_5", Detail: "until Friday",
		IP: "192.0.2.1", Request: "req_1", At: noon.Add(4 * time.Minute), Seq: 5,
	}
	if first[0] != want {
		t.Errorf("entry %+v, want %+v", first[0], want)
	}
}

// An object's id may come from an address that somebody typed, and not every database keeps each character.
func TestTheChainHoldsWhateverIsWritten(t *testing.T) {
	db := open(t)
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		strange := "cus_\x00\xff\u2028\r\n1"
		return audit.Append(t.Context(), tx, audit.Entry{
			Actor: strange, Role: strange, Action: strange, Object: strange, Detail: strange, IP: strange, Request: strange, At: noon,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		count, _, err := audit.Verify(t.Context(), tx)
		if err == nil && count != 6 {
			t.Errorf("%d entries", count)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestRowsAreOnlyAdded(t *testing.T) {
	db := open(t)
	for _, forbidden := range []string{
		`UPDATE audit SET actor = 'staff_2' WHERE seq = 2`,
		`DELETE FROM audit WHERE seq = 5`,
		`DELETE FROM audit`,
		`INSERT OR REPLACE INTO audit SELECT seq, at, 'staff_2', role, action, object, detail, ip, request, hash FROM audit WHERE seq = 2`,
	} {
		err := db.Do(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), forbidden)
			return err
		})
		if err == nil {
			t.Errorf("%s was done", forbidden)
		}
	}
	count, _, err := verify(t, db)
	if err != nil || count != 5 {
		t.Errorf("%d entries, %v", count, err)
	}
}

func verify(t *testing.T, db *database.DB) (count int64, last string, err error) {
	t.Helper()
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		count, last, err = audit.Verify(t.Context(), tx)
		return err
	})
	return count, last, err
}

// unlock takes away what keeps the program's own connections from changing the log.
func unlock() string {
	if databasetest.OnPostgres() {
		return `DROP TRIGGER audit_no_change ON audit; `
	}
	return `DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; `
}

func TestTamperingShows(t *testing.T) {
	for name, c := range map[string]struct {
		deed string
		seq  int64
	}{
		"changed": {`UPDATE audit SET detail = 'until Monday' WHERE seq = 3`, 3},
		"moved":   {`UPDATE audit SET detail = '', object = object || detail WHERE seq = 2`, 2},
		"removed": {`DELETE FROM audit WHERE seq = 2`, 2},
		"swapped": {`UPDATE audit SET seq = CASE seq WHEN 3 THEN -4 ELSE -3 END WHERE seq IN (3, 4); UPDATE audit SET seq = -seq WHERE seq < 0`, 3},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			err := db.Do(t.Context(), func(tx *sql.Tx) error { // as somebody with the file in hand would
				_, err := tx.ExecContext(t.Context(), unlock()+c.deed)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = verify(t, db)
			var broken *audit.Broken
			if !errors.As(err, &broken) || broken.Seq != c.seq {
				t.Errorf("verify: %v, want entry %d named", err, c.seq)
			}
		})
	}
}

func TestAToldHeadShowsALogCutShort(t *testing.T) {
	db := open(t)
	_, last, err := verify(t, db)
	if err != nil {
		t.Fatal(err)
	}
	holds := func(seq int64, hash string) error {
		return db.See(t.Context(), func(tx *sql.Tx) error { return audit.Holds(t.Context(), tx, seq, hash) })
	}
	err = holds(5, last)
	if err != nil {
		t.Errorf("the head itself: %v", err)
	}
	var broken *audit.Broken
	err = holds(4, last)
	if !errors.As(err, &broken) || broken.Seq != 4 {
		t.Errorf("another entry's hash: %v", err)
	}
	err = db.Do(t.Context(), func(tx *sql.Tx) error { // as somebody with the file in hand would
		_, err := tx.ExecContext(t.Context(), unlock()+`DELETE FROM audit WHERE seq > 3`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	count, _, err := verify(t, db)
	if err != nil || count != 3 {
		t.Fatalf("a log cut short verifies by itself: %d, %v", count, err)
	}
	err = holds(5, last)
	if !errors.As(err, &broken) || broken.Seq != 5 {
		t.Errorf("after the cut: %v", err)
	}
}
