package outbox_test

import (
	"database/sql"
	"strings"
	"testing"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/outbox"
)

// What mails share is kept once; each is read as it went all the same, the last try's alone.
func TestACopyIsTheMailAsItWent(t *testing.T) {
	db, err := database.Open(t.Context(), databasetest.Migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	do := func(work func(tx *sql.Tx) error) {
		t.Helper()
		err := db.Do(t.Context(), work)
		if err != nil {
			t.Fatal(err)
		}
	}
	formOf := func(id string, fixed ...string) func(own ...string) outbox.Copy {
		return func(own ...string) outbox.Copy {
			return outbox.Copy{FormID: id, Fixed: fixed, Own: strings.Join(own, outbox.Joint)}
		}
	}
	page, other := formOf("page", "<p>", "</p>"), formOf("other", "<b>")
	begin := func(copies map[string]outbox.Copy, lease int64) {
		t.Helper()
		do(func(tx *sql.Tx) error {
			claimed, err := outbox.Claim(t.Context(), tx, db.SkipLocked(), 100, lease, lease+1, 9)
			if err != nil {
				return err
			}
			var all []outbox.Copy
			for _, n := range claimed {
				c := copies[n.CustomerID]
				c.NoticeID = n.ID
				all = append(all, c)
			}
			begun, err := outbox.BeginAll(t.Context(), tx, claimed, lease+2)
			if err == nil && len(begun) != len(copies) {
				t.Fatalf("%d of %d were begun", len(begun), len(copies))
			}
			if err == nil {
				err = outbox.KeepCopies(t.Context(), tx, all)
			}
			if err != nil || lease > 1 {
				return err
			}
			for _, n := range claimed {
				if n.CustomerID == "a" { // is tried once more
					n.Attempts++
					err = outbox.TryAgain(t.Context(), tx, n, 100, "later")
				}
			}
			return err
		})
	}
	ids := map[string]string{}
	do(func(tx *sql.Tx) error {
		for i, customer := range []string{"a", "b", "c", "d"} {
			id, err := outbox.Queue(t.Context(), tx, outbox.Notice{Kind: outbox.Reply, Channel: outbox.Email, CustomerID: customer, SubjectID: customer}, int64(i+1))
			if err != nil {
				return err
			}
			ids[customer] = id
		}
		return nil
	})
	begin(map[string]outbox.Copy{
		"a": page("head a ", "one", " end"), "b": page("head b ", "", " end"), "c": other("head c ", " end"), "d": {Own: "the whole"},
	}, 1)
	begin(map[string]outbox.Copy{"a": other("head a again ", " end")}, 50)
	do(func(tx *sql.Tx) error {
		for customer, want := range map[string]string{
			"a": "head a again <b> end", "b": "head b <p></p> end", "c": "head c <b> end", "d": "the whole", "nobody": "",
		} {
			got, err := outbox.CopyOf(t.Context(), tx, ids[customer])
			if err != nil {
				return err
			}
			if got != want {
				t.Errorf("the copy for %s reads %q, want %q", customer, got, want)
			}
		}
		forms, err := database.Strings(t.Context(), tx, `SELECT id FROM copy_forms ORDER BY id`)
		if got := strings.Join(forms, " "); got != "other page" {
			t.Errorf("the forms kept are %q", got)
		}
		return err
	})
}
