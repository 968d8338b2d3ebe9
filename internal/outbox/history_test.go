package outbox_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/outbox"
)

// Whether contacts are counted by the database or from the history that was read, they are the same.
func TestContactsAreTheSameHoweverTheyAreCounted(t *testing.T) {
	t.Parallel()
	db, err := database.Open(t.Context(), databasetest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	_, err = db.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const now, customers = 1000, 30
	contacts := 0
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		for n := range customers {
			customer := fmt.Sprintf("cus_%d", n)
			err := anything(tx, rand.New(rand.NewPCG(1, uint64(n))), customer, now)
			if err != nil {
				return err
			}
			history, err := outbox.HistoryOf(t.Context(), tx, customer, customer+"_case_0")
			if err != nil {
				return err
			}
			for _, since := range []int64{0, 300, 700, now} {
				asked, err := outbox.Contacts(t.Context(), tx, customer, since, now)
				if err != nil {
					return err
				}
				read := outbox.ContactsIn(history, since, now)
				slices.SortFunc(asked, byAll)
				slices.SortFunc(read, byAll)
				if !slices.Equal(asked, read) {
					t.Errorf("%s since %d: the database counts %v, the history %v", customer, since, asked, read)
				}
				contacts += len(asked)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if contacts < customers {
		t.Errorf("%d contacts prove nothing", contacts)
	}
}

func byAll(a, b outbox.Contact) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.CaseID, b.CaseID), cmp.Compare(a.Step, b.Step))
}

// anything keeps notices of a customer in whatever state, of two cases, some of them mail and banner of one step.
func anything(tx *sql.Tx, random *rand.Rand, customer string, now int64) error {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	maybe := func() int64 { return int64(random.IntN(2)) * random.Int64N(now) }
	for n := range 40 {
		_, err := tx.Exec(`
			INSERT INTO notices (id, kind, channel, customer_id, case_id, step, subject_id, recipient, status, reason, counts, attempts, created_at,
				due_at, lease_until, settled_at, message_id, dated, subject, stumbles)
			VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, '', $9, 0, $10, 0, 0, $11, '', $12, '', 0)
			ON CONFLICT DO NOTHING`,
			fmt.Sprintf("%s_n_%d", customer, n), pick("reminder", "settled"), pick("email", "app"), customer, customer+pick("_case_0", "_case_1"),
			pick("first", "second", "third"), customer+pick("_a", "_b", "_c"), pick("queued", "sending", "sent", "uncertain", "failed", "skipped"),
			random.IntN(3) > 0, random.Int64N(now), maybe(), maybe())
		if err != nil {
			return err
		}
	}
	return nil
}
