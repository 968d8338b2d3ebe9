package jobs_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/dunning"
	"sollecito/internal/gateway"
	"sollecito/internal/intake"
	"sollecito/internal/jobs"
	"sollecito/internal/l10n"
	"sollecito/internal/link"
	"sollecito/internal/mail"
	"sollecito/internal/outbox"
	"sollecito/internal/sandbox"
	"sollecito/views/email"
)

// Two mails to each of several customers wait at once and are decided in shared transactions. The gap between two
// messages holds all the same: each customer gets one, and the other waits for its day.
func TestMailsDecidedTogetherKeepTheGapBetweenTwoMessages(t *testing.T) {
	const customers = 40
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	db, catcher, sender := waiting(t, now, customers, []string{"first", "second"})
	done, err := sender.RunOnce(t.Context())
	if err != nil || done != 2*customers {
		t.Fatal(done, err)
	}
	got := map[string]int{}
	for _, m := range catcher.Mails() {
		for _, to := range m.Recipients {
			got[to]++
		}
	}
	for to, n := range got {
		if n != 1 {
			t.Errorf("%s got %d mails at once", to, n)
		}
	}
	if len(got) != customers {
		t.Errorf("%d of %d customers got a mail", len(got), customers)
	}
	waiting := 0
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM notices WHERE status = 'queued' AND channel = 'email' AND due_at >= $1 AND reason <> ''`, now.Add(24*time.Hour).Unix()).Scan(&waiting)
	})
	if err != nil || waiting != customers {
		t.Errorf("%d mails wait for another day: %v", waiting, err)
	}
}

// waiting is a sender, its mail server, and mails of some steps to each of some customers.
func waiting(t *testing.T, now time.Time, customers int, steps []string, options ...database.Option) (*database.DB, *sandbox.Catcher, *jobs.Sender) {
	t.Helper()
	clock := func() time.Time { return now }
	catcher := sandbox.NewCatcher(clock, nil)
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go catcher.Serve(door)
	t.Cleanup(func() { catcher.Close() })
	db, err := database.Open(t.Context(), databasetest.Migrated(t), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	cases := dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Shipped()), Policy: contact.DefaultPolicy(), Zone: time.UTC})
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		for n := range customers {
			id := fmt.Sprintf("cus_%d", n)
			err := billing.Save(t.Context(), tx, billing.Account{
				Customer: billing.Customer{ID: id, Name: "Ann Lee", Email: fmt.Sprintf("c%d@customer.example", n), Country: "IE"},
				Invoices: []billing.Invoice{{
					ID: "in_" + id, CustomerID: id, Number: "L-1", Status: "open", CollectionMethod: "charge_automatically", BillingReason: "subscription_cycle",
					Currency: "eur", AmountDue: 2900, AmountRemaining: 2900, Description: "Studio plan", CreatedAt: now.Unix(), Attempted: true, AttemptCount: 1,
					FailedAt: now.Unix(), FirstFailed: 2900, Decline: billing.Decline{Code: "card_declined", DeclineCode: "insufficient_funds"},
				}},
			}, now.Unix())
			if err != nil {
				return err
			}
			err = cases.Reconsider(t.Context(), tx, id, now, "in_"+id)
			if err != nil {
				return err
			}
			c, err := cases.OpenOf(t.Context(), tx, id)
			if err != nil {
				return err
			}
			for _, step := range steps {
				_, err = outbox.Queue(t.Context(), tx, outbox.Notice{Kind: outbox.Reminder, Channel: outbox.Email, CustomerID: id, CaseID: c.ID, Step: step, Counts: true}, now.Unix())
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := l10n.Load()
	if err != nil {
		t.Fatal(err)
	}
	server, err := mail.Parse("smtp://" + door.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	const connections = 8
	pool := mail.NewPool(server, connections)
	t.Cleanup(func() { pool.Close() })
	stripe := gateway.New(gateway.Options{SecretKey: "sk_test_none", APIURL: "http://127.0.0.1:1", Now: clock})
	return db, catcher, &jobs.Sender{
		DB: db, Cases: cases, Pool: pool, Connections: connections, Now: clock, Real: time.Now, Pause: time.Sleep, Log: slog.New(slog.DiscardHandler),
		Intake: intake.New(intake.Options{DB: db, Stripe: stripe, Cases: cases, Now: clock, RealNow: time.Now, Logger: slog.New(slog.DiscardHandler)}),
		Letters: &jobs.Letters{
			Cases: cases, Catalog: catalog, Addresses: link.NewAddresses("https://pay.lumen.example"), Language: "en", Zone: time.UTC,
			Merchant: email.Merchant{Name: "Lumen", LegalAddress: "Milano", SupportEmail: "help@lumen.example"}, From: mail.Address{Address: "billing@lumen.example"},
		},
	}
}

// What is read for many mails at once is each customer's own: whoever is decided in the same transaction as somebody who
// paid, rests, chose or can take no mail gets their own letter, and nobody another's.
func TestMailsDecidedTogetherAreEachDecidedByTheirOwnFacts(t *testing.T) {
	const customers = 16
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	db, catcher, sender := waiting(t, now, customers, []string{"first"})
	stays := map[string]string{} // the reason, by customer
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		for n := range customers {
			id := fmt.Sprintf("cus_%d", n)
			var err error
			switch n % 8 {
			case 0:
				_, err = tx.Exec(`UPDATE invoices SET status = 'paid', amount_remaining = 0 WHERE customer_id = $1`, id)
				stays[id] = string(dunning.ReasonNothing)
			case 2:
				_, err = tx.Exec(`UPDATE cases SET resting_since = $1 WHERE customer_id = $2`, now.Unix(), id)
				stays[id] = string(dunning.ReasonRests)
			case 4:
				_, err = tx.Exec(`INSERT INTO suppressions (id, address, spelled, reason, words, notice_id, customer_id, since, lifted_at, lifted_by)
					VALUES ($1, $2, $2, 'hard', 'No such mailbox.', '', $1, 1, 0, '')`, id, fmt.Sprintf("c%d@customer.example", n))
				stays[id] = "Nothing is mailed to this address any more. No such mailbox."
			case 6:
				_, err = tx.Exec(`INSERT INTO contact_choices (customer_id, version, at, no_mail, no_app, hours_from, hours_to, source, words, actor)
					VALUES ($1, 1, 1, true, true, 0, 0, 'page', '', '')`, id)
				stays[id] = contact.NoMailWanted
			default:
				_, err = tx.Exec(`UPDATE invoices SET number = $1, amount_due = $2, amount_remaining = $2 WHERE customer_id = $3`, "N-"+id, 1000+n, id)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = sender.RunOnce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range catcher.Mails() {
		id := "cus_" + strings.TrimSuffix(strings.TrimPrefix(m.Recipients[0], "c"), "@customer.example")
		var n int
		fmt.Sscanf(id, "cus_%d", &n)
		if stays[id] != "" || !strings.Contains(m.Text, "N-"+id+"\n") || !strings.Contains(m.Text, fmt.Sprintf("€10.%02d", n)) {
			t.Errorf("%s got\n%s", id, m.Text)
		}
	}
	if len(catcher.Mails()) != customers-len(stays) {
		t.Errorf("%d mails went out", len(catcher.Mails()))
	}
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		for id, want := range stays {
			var status, reason string
			err := tx.QueryRow(`SELECT status, reason FROM notices WHERE customer_id = $1 AND channel = 'email' AND step = 'first'`, id).Scan(&status, &reason)
			if err != nil || reason != want || (status == "queued") != (want == string(dunning.ReasonRests)) {
				t.Errorf("the notice of %s is %s, %q: %v", id, status, reason, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
