package jobs_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/jobs"
	"sollecito/internal/sandbox"
)

// asideOf is waiting with one line, which hands over one mail as it is decided and 40 that are all decided aside, in one
// go. change is called once the first of those has left.
func asideOf(t *testing.T, now *time.Time, change func(tx *sql.Tx) error) (*database.DB, *sandbox.Catcher, *jobs.Sender) {
	t.Helper()
	db, catcher, sender := waiting(t, *now, 41, []string{"first"})
	sender.Connections = 1
	sender.Now = func() time.Time { return *now }
	handed := 0
	sender.Observe = func(string) {
		handed++
		if handed != 2 {
			return
		}
		err := db.Do(t.Context(), change)
		if err != nil {
			t.Error(err)
		}
	}
	return db, catcher, sender
}

// addressed answers the numbers of the customers who got a mail.
func addressed(catcher *sandbox.Catcher) []int {
	var all []int
	for _, m := range catcher.Mails() {
		n := -1
		fmt.Sscanf(m.Recipients[0], "c%d@customer.example", &n)
		all = append(all, n)
	}
	return all
}

// sendAll lets the sender go on until nothing is due.
func sendAll(t *testing.T, sender *jobs.Sender) {
	t.Helper()
	for done := 1; done > 0; {
		var err error
		done, err = sender.RunOnce(t.Context())
		if err != nil {
			t.Fatal(err)
		}
	}
}

// What was decided aside goes only as long as nothing it was decided by has changed: not the customer's own, which is held
// by whoever changes it, and not what belongs to nobody, like an address that came back or news of Stripe that wait.
func TestWhatWasDecidedAsideIsDecidedAgainWhereSomethingChanged(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	early := map[int]bool{} // mailed before anything changed
	stays := map[int]string{}
	var catcher *sandbox.Catcher
	db, catcher, sender := asideOf(t, &now, func(tx *sql.Tx) error {
		for _, n := range addressed(catcher) {
			early[n] = true
		}
		for n := range 41 {
			if early[n] {
				continue
			}
			id := fmt.Sprintf("cus_%d", n)
			if n%8 != 4 && n%8 != 5 && n%8 != 7 {
				err := database.Hold(t.Context(), tx, id)
				if err != nil {
					return err
				}
			}
			var err error
			switch n % 8 {
			case 0:
				_, err = tx.Exec(`UPDATE invoices SET status = 'paid', amount_remaining = 0 WHERE customer_id = $1`, id)
				stays[n] = string(dunning.ReasonNothing)
			case 1:
				_, err = tx.Exec(`UPDATE cases SET resting_since = $1 WHERE customer_id = $2`, now.Unix(), id)
				stays[n] = string(dunning.ReasonRests)
			case 2:
				_, err = tx.Exec(`INSERT INTO contact_choices (customer_id, version, at, no_mail, no_app, hours_from, hours_to, source, words, actor)
					VALUES ($1, 1, 1, true, true, 0, 0, 'page', '', '')`, id)
				stays[n] = contact.NoMailWanted
			case 3:
				_, err = tx.Exec(`UPDATE invoices SET amount_due = 7777, amount_remaining = 7777 WHERE customer_id = $1`, id)
			case 4:
				_, err = tx.Exec(`INSERT INTO suppressions (id, address, spelled, reason, words, notice_id, customer_id, since, lifted_at, lifted_by)
					VALUES ($1, $2, $2, 'hard', 'No such mailbox.', '', $1, 1, 0, '')`, id, fmt.Sprintf("c%d@customer.example", n))
				stays[n] = "Nothing is mailed to this address any more. No such mailbox."
			case 5:
				if n > 16 {
					continue // each waits for a Stripe that does not answer
				}
				_, err = tx.Exec(`INSERT INTO events (id, type, object_type, object_id, customer_id, api_version, livemode, created_at, received_at,
						status, attempts, next_try_at, reason, processed_at)
					VALUES ($1, 'invoice.paid', 'invoice', $3, $1, '', false, $2, $2, 'received', 0, $2, '', 0)`, id, now.Unix(), "in_"+id)
				stays[n] = string(dunning.ReasonStripe)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	sendAll(t, sender)
	if len(early) != 2 {
		t.Fatalf("%d mails had left before anything changed", len(early))
	}
	got := map[int]string{}
	for _, m := range catcher.Mails() {
		n := -1
		fmt.Sscanf(m.Recipients[0], "c%d@customer.example", &n)
		got[n] = m.Text
	}
	for n := range 41 {
		if early[n] {
			continue
		}
		text, mailed := got[n]
		if mailed == (stays[n] != "") {
			t.Errorf("customer %d got a mail: %v, and should have stayed for %q", n, mailed, stays[n])
		}
		if n%8 == 3 && !strings.Contains(text, "77.77") {
			t.Errorf("customer %d is told of a sum that is no longer owed:\n%s", n, text)
		}
	}
	err := db.See(t.Context(), func(tx *sql.Tx) error {
		for n, want := range stays {
			var reason string
			err := tx.QueryRow(`SELECT reason FROM notices WHERE customer_id = $1 AND channel = 'email'`, fmt.Sprintf("cus_%d", n)).Scan(&reason)
			if err != nil || reason != want {
				t.Errorf("the notice to customer %d stays for %q, not %q: %v", n, reason, want, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Nor does it go in a language that its reader has left since.
func TestWhatWasDecidedAsideIsOfItsLanguageAlone(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	_, catcher, sender := asideOf(t, &now, func(tx *sql.Tx) error {
		for n := range 41 {
			err := billing.SetLanguage(t.Context(), tx, fmt.Sprintf("cus_%d", n), "de")
			if err != nil {
				return err
			}
		}
		return nil
	})
	sendAll(t, sender)
	german := 0
	for _, m := range catcher.Mails() {
		if strings.Contains(m.Text, "Zahlung") {
			german++
		}
	}
	if german != 39 {
		t.Errorf("%d mails are in the language that all but two had chosen by then", german)
	}
}

// Nor does it go once its time has passed: by the clock, that it was allowed this morning says nothing of the night.
func TestWhatWasDecidedAsideIsOfItsTimeAlone(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	_, catcher, sender := asideOf(t, &now, func(tx *sql.Tx) error {
		now = now.Add(13 * time.Hour)
		return nil
	})
	sendAll(t, sender)
	if mailed := len(catcher.Mails()); mailed != 2 {
		t.Errorf("%d mails left, all but two at night", mailed)
	}
}

// The switch over all sending stops what was decided aside too.
func TestWhatWasDecidedAsideStopsWithAllSending(t *testing.T) {
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	_, catcher, sender := asideOf(t, &now, func(tx *sql.Tx) error {
		return dunning.StopSending(t.Context(), tx, "staff_1", "", now)
	})
	_, err := sender.RunOnce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if mailed := len(catcher.Mails()); mailed != 2 {
		t.Errorf("%d mails left, two of them before sending was stopped", mailed)
	}
}
