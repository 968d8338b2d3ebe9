package portal_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"sollecito/internal/campaign"
)

const escalating = `name: escalating
title: Escalating
steps:
  - {key: hello, day: 1, at: "11:00", channels: [email]}
  - {key: warning, day: 3, at: "11:00", channels: [email], access: grace, announces: true}
  - {key: limited, day: 9, at: "11:00", channels: [email], access: restricted, consequence: true}
  - {key: last-warning, words: notice, day: 11, at: "11:00", channels: [email], announces: true}
  - {key: stopped, day: 18, at: "11:00", channels: [email], access: suspended, consequence: true}
`

// Access goes full, grace, restricted, suspended on the campaign's days, each consequence after its own announcement
// has left, and is full again at the moment Stripe tells of the payment. Whoever was not surely told keeps what they
// have: an announcement of the first consequence is none of the second.
func TestAccessEscalatesAndComesBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(escalating)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	unsure := h.customer("Bram Jansen", "bram@jansen.example", "NL", "pm_card_visa")
	invoice := h.fail(customer, "insufficient_funds")
	h.fail(unsure, "insufficient_funds")
	access := func(customer string) campaign.Access {
		t.Helper()
		var a campaign.Access
		err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
			var err error
			a, err = h.portal.Cases.AccessOf(t.Context(), tx, customer)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	var days []string
	last := campaign.Access("")
	for range 20 {
		if a := access(customer); a != last {
			days = append(days, h.clock.now().Format("2 ")+string(a))
			last = a
		}
		h.walk(24 * time.Hour)
		if h.clock.now().Day() == 14 { // the second announcement never surely leaves
			err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.Exec(`UPDATE notices SET status = 'uncertain' WHERE customer_id = $1 AND step = 'last-warning'`, unsure)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := strings.Join(days, ", "); got != "2 full, 6 grace, 12 restricted, 21 suspended" {
		t.Errorf("access went %s", got) // read each day at ten, an hour before the steps; the 20th is a Friday
	}
	if a := access(unsure); a != campaign.Restricted {
		t.Errorf("who was not surely told twice has %s", a)
	}
	at := h.clock.now()
	err := h.stripe.Pay(invoice, false)
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	if a := access(customer); a != campaign.Full || h.clock.now().Sub(at) > time.Minute {
		t.Errorf("%s after payment access is %s", h.clock.now().Sub(at), a)
	}
}
