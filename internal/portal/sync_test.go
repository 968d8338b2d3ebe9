package portal_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/databasetest"
	"sollecito/internal/dunning"
	"sollecito/internal/intake"
)

// deaf removes the webhook endpoint at Stripe: from here on nothing is delivered.
func (h *house) deaf() {
	h.t.Helper()
	for _, e := range h.ask("webhook_endpoints", nil)["data"].([]any) {
		err := h.remove("webhook_endpoints/" + e.(map[string]any)["id"].(string))
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *house) count(query string) int {
	h.t.Helper()
	var n int
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error { return tx.QueryRow(query).Scan(&n) })
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

const importedPauses = `SELECT count(*) FROM pauses WHERE reason = 'imported' AND ended_at = 0`

// An account with history is imported in pages, interrupted and continued. Nothing is sent, however long one waits,
// until staff release a case or something new fails.
func TestTheFirstImportSendsNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.deaf()
	const several = 105 // more than Stripe lists on one page
	first := ""
	for n := range several {
		c := h.customer(fmt.Sprintf("Customer %d", n), fmt.Sprintf("c%d@old.example", n), "NL", "pm_card_visa")
		_, err := h.stripe.FailRenewal(c, "insufficient_funds")
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			first = c
		}
	}
	h.clock.set(h.clock.now().Add(2 * time.Hour))

	ctx, stop := context.WithCancel(t.Context())
	_, err := h.portal.Intake.Import(ctx, func(intake.Imported) { stop() })
	if err == nil {
		t.Fatal("the import was not interrupted")
	}
	if got := h.count(`SELECT count(*) FROM invoices`); got != 100 {
		t.Fatalf("%d invoices after the first page", got)
	}
	pages := 0
	done, err := h.portal.Intake.Import(t.Context(), func(intake.Imported) { pages++ })
	if err != nil {
		t.Fatal(err)
	}
	if pages != 1 || !done.Continued || done.Invoices != several || done.DoneAt == 0 {
		t.Errorf("continued with %d pages: %+v", pages, done)
	}
	if got := h.count(importedPauses); got != several {
		t.Errorf("%d of %d cases rest as imported", got, several)
	}
	h.walk(30 * time.Hour)
	if got := len(h.catcher.Mails()); got != 0 {
		t.Errorf("%d mails after an import", got)
	}

	released := 0
	err = h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		c, err := h.portal.Cases.OpenOf(t.Context(), tx, first)
		if err != nil {
			return err
		}
		for range 2 { // pressing twice releases once
			did, err := h.portal.Cases.Release(t.Context(), tx, c.ID, "Giulia", h.clock.now(), h.clock.now())
			if err != nil {
				return err
			}
			if did {
				released++
			}
		}
		return nil
	})
	if err != nil || released != 1 {
		t.Fatalf("released %d, %v", released, err)
	}
	h.walk(30 * time.Hour)
	mails := h.catcher.Mails()
	if len(mails) == 0 {
		t.Error("a released case says nothing")
	}
	for _, m := range mails {
		if m.To != "c0@old.example" {
			t.Errorf("mail to %s, whom nobody released", m.To)
		}
	}
}

// hearing puts the webhook endpoint back.
func (h *house) hearing() {
	h.t.Helper()
	h.ask("webhook_endpoints", url.Values{"url": {h.base + "/webhooks/stripe"}, "enabled_events[]": {"*"}, "api_version": {"2023-10-16"}})
}

// Stripe goes on trying the old invoices by itself and tells us each time. That starts nothing; a renewal that fails
// for the first time does, for its own customer alone.
func TestStripesRetriesDoNotReleaseAnImport(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.deaf()
	const several = 4
	var all []string
	for n := range several {
		c := h.customer(fmt.Sprintf("Customer %d", n), fmt.Sprintf("c%d@old.example", n), "NL", "pm_card_visa")
		_, err := h.stripe.FailRenewal(c, "insufficient_funds")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	h.clock.set(h.clock.now().Add(2 * time.Hour))
	h.hearing()
	_, err := h.portal.Intake.Import(t.Context(), func(intake.Imported) {})
	if err != nil {
		t.Fatal(err)
	}
	h.walk(10 * 24 * time.Hour)
	if got := h.count(`SELECT count(*) FROM events WHERE type = 'invoice.payment_failed' AND status = 'processed'`); got < several {
		t.Fatalf("Stripe told of %d retries only", got)
	}
	if got := len(h.catcher.Mails()); got != 0 {
		t.Errorf("%d mails though nobody was released", got)
	}
	if got := h.count(importedPauses); got != several {
		t.Errorf("%d of %d are left to be released", got, several)
	}
	h.fail(all[1], "insufficient_funds")
	h.walk(4 * 24 * time.Hour)
	if got := h.count(importedPauses); got != several-1 {
		t.Errorf("%d of %d are left after one new failure", got, several)
	}
	if len(h.mailsTo("c1@old.example")) == 0 || len(h.mailsTo("c1@old.example")) != len(h.catcher.Mails()) {
		t.Errorf("%d mails, %d of them to the customer with the new failure", len(h.catcher.Mails()), len(h.mailsTo("c1@old.example")))
	}
}

// While the import is under way Stripe tells of a retry on an invoice that no page has brought yet, of a new failure,
// and of one in the same second as the start. Only the new failures start by themselves.
func TestWebhooksDuringTheImport(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.deaf()
	var all []string
	for n := range 104 { // the oldest four are on the second page
		c := h.customer(fmt.Sprintf("Customer %d", n), fmt.Sprintf("c%d@old.example", n), "NL", "pm_card_visa")
		all = append(all, c)
		if n == 1 {
			continue // fails for the first time while the import runs
		}
		_, err := h.stripe.FailRenewal(c, "insufficient_funds")
		if err != nil {
			t.Fatal(err)
		}
	}
	h.clock.set(h.clock.now().Add(2 * time.Hour))
	same := h.customer("Same Second", "same@new.example", "NL", "pm_card_visa")
	_, err := h.stripe.FailRenewal(same, "insufficient_funds")
	if err != nil {
		t.Fatal(err)
	}
	h.hearing()
	ctx, stop := context.WithCancel(t.Context())
	_, err = h.portal.Intake.Import(ctx, func(intake.Imported) { stop() })
	if err == nil {
		t.Fatal("the import was not interrupted")
	}
	before := h.count(importedPauses)
	h.walk(4 * 24 * time.Hour) // retries of all, those on the second page too
	h.fail(all[1], "insufficient_funds")
	if got := h.count(`SELECT count(*) FROM cases WHERE customer_id = '` + all[0] + `'`); got != 1 || h.count(importedPauses) <= before {
		t.Fatalf("the retry on the second page opened %d cases", got)
	}
	done, err := h.portal.Intake.Import(t.Context(), func(intake.Imported) {})
	if err != nil || !done.Continued {
		t.Fatalf("%+v, %v", done, err)
	}
	if got := h.count(importedPauses); got != 103 {
		t.Errorf("%d of 103 old cases rest as imported", got)
	}
	h.walk(4 * 24 * time.Hour)
	for _, m := range h.catcher.Mails() {
		if m.To != "same@new.example" && m.To != "c1@old.example" {
			t.Errorf("mail to %s, whose failure is an old one", m.To)
		}
	}
	if len(h.mailsTo("same@new.example")) == 0 || len(h.mailsTo("c1@old.example")) == 0 {
		t.Errorf("%d and %d mails of the new failures", len(h.mailsTo("same@new.example")), len(h.mailsTo("c1@old.example")))
	}
}

// Webhooks are dropped for three days, a month, or for good since the endpoint was deleted: one run catches all.
func TestNothingIsMissedWithoutWebhooks(t *testing.T) {
	t.Parallel()
	for name, outage := range map[string]time.Duration{"72 hours": 72 * time.Hour, "31 days": 31 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			paid := h.customer("Paid Meanwhile", "paid@waal.example", "NL", "pm_card_visa")
			failed := h.customer("Fails Meanwhile", "fails@waal.example", "NL", "pm_card_visa")
			h.clock.set(h.clock.now().Add(2 * time.Hour))
			h.fail(paid, "insufficient_funds")
			h.deaf()
			h.clock.set(h.clock.now().Add(2 * time.Hour))
			err := h.stripe.Pay(h.openInvoice(paid), true)
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.stripe.FailRenewal(failed, "insufficient_funds")
			if err != nil {
				t.Fatal(err)
			}
			h.clock.set(h.clock.now().Add(outage))
			_, err = h.portal.Intake.Reconcile(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			told := h.count(`SELECT count(*) FROM events WHERE type = 'invoice.payment_failed' AND customer_id = '` + failed + `'`)
			if forgotten := outage > 30*24*time.Hour; forgotten != (told == 0) {
				t.Fatalf("%d events tell of the missed failure", told) // after a month only the listing can
			}
			h.settle()
			if got := h.count(`SELECT count(*) FROM cases WHERE status = 'recovered' AND customer_id = '` + paid + `'`); got != 1 {
				t.Errorf("the missed payment recovered %d cases", got)
			}
			if got := h.count(`SELECT count(*) FROM cases WHERE status = 'open' AND customer_id = '` + failed + `'`); got != 1 {
				t.Errorf("the missed failure opened %d cases", got)
			}
			if got := h.count(importedPauses); got != 0 {
				t.Errorf("%d cases rest as imported though they failed after the connection", got)
			}
			for _, m := range h.mailsTo("paid@waal.example") {
				if !strings.Contains(m.Subject, "settled") {
					t.Errorf("who has paid got %q", m.Subject)
				}
			}
			if outage < 30*24*time.Hour && !strings.Contains(h.log.String(), "Stripe did not deliver events") {
				t.Error("nobody is warned of the lost endpoint")
			}
			err = h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
				state, err := intake.LastReconcile(t.Context(), tx)
				if state.Lately(h.clock.now()) != (outage < 30*24*time.Hour) {
					t.Errorf("staff are told by %+v", state)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
			h.clock.set(h.clock.now().Add(16 * time.Minute)) // what Stripe did while we settled
			_, err = h.portal.Intake.Reconcile(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			before := h.count(`SELECT count(*) FROM events`)
			h.clock.set(h.clock.now().Add(16 * time.Minute))
			n, err := h.portal.Intake.Reconcile(t.Context())
			if err != nil || n != 0 || h.count(`SELECT count(*) FROM events`) != before {
				t.Errorf("a second run finds %d more, %v", n, err)
			}
		})
	}
}

// An invoice to be paid by hand that no event told us of is found when its due date has passed.
func TestAnOverdueInvoiceIsFoundWithoutAnyEvent(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.deaf()
	c := h.customer("Maison Okafor", "okafor@maison.example", "FR", "pm_card_visa")
	h.ask("invoiceitems", url.Values{"customer": {c}, "amount": {"12000"}, "currency": {"eur"}})
	i := h.ask("invoices", url.Values{"customer": {c}, "collection_method": {"send_invoice"}, "days_until_due": {"7"}, "pending_invoice_items_behavior": {"include"}})["id"].(string)
	h.ask("invoices/"+i+"/finalize", url.Values{})
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM events`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.walk(6 * 24 * time.Hour)
	if got := h.count(`SELECT count(*) FROM cases`); got != 0 {
		t.Errorf("%d cases before the due date", got)
	}
	h.walk(2 * 24 * time.Hour)
	err = h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		open, err := h.portal.Cases.OpenOf(t.Context(), tx, c)
		if err != nil {
			return err
		}
		if open.Status != dunning.Open {
			t.Errorf("the case is %s", open.Status)
		}
		stored, err := billing.OpenInvoices(t.Context(), tx, c)
		if len(stored) != 1 || stored[0].ID != i {
			t.Errorf("stored %+v", stored)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Of this customer Stripe tells nothing at all: their invoice is older than the connection, and its due date passes
// afterwards without an event. The listing by due date alone finds it.
func TestAnOverdueInvoiceIsFoundThoughNoEventEverNamesItsCustomer(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.deaf()
	connected := h.clock.now()
	h.clock.set(connected.Add(-48 * time.Hour))
	c := h.ask("customers", url.Values{"name": {"Maison Okafor"}, "email": {"okafor@maison.example"}, "address[country]": {"FR"}})["id"].(string)
	h.ask("invoiceitems", url.Values{"customer": {c}, "amount": {"12000"}, "currency": {"eur"}})
	i := h.ask("invoices", url.Values{"customer": {c}, "collection_method": {"send_invoice"}, "days_until_due": {"7"}, "pending_invoice_items_behavior": {"include"}})["id"].(string)
	h.ask("invoices/"+i+"/finalize", url.Values{})
	h.clock.set(connected.Add(2 * time.Minute))
	h.walk(6 * 24 * time.Hour)
	if got := h.count(`SELECT count(*) FROM events WHERE customer_id = '` + c + `'`); got != 0 {
		t.Fatalf("%d events name the customer", got)
	}
	if got := h.count(`SELECT count(*) FROM cases WHERE status = 'open' AND customer_id = '` + c + `'`); got != 1 {
		t.Errorf("%d cases are open", got)
	}
	if got := h.count(importedPauses); got != 0 {
		t.Error("it rests as imported though its due date passed after the connection")
	}
}

// What the reconcile fetched is delivered after all, late and twice: nothing changes by it.
func TestLateDuplicatesOfWhatWasFetchedChangeNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	c := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.settle()
	h.deaf()
	h.clock.set(h.clock.now().Add(2 * time.Hour))
	_, err := h.stripe.FailRenewal(c, "expired_card")
	if err != nil {
		t.Fatal(err)
	}
	h.walk(3*24*time.Hour + time.Hour)
	if len(h.mailsTo("anneke@waal.example")) != 1 {
		t.Fatalf("%d mails by what was fetched", len(h.mailsTo("anneke@waal.example")))
	}
	state := func() string {
		return fmt.Sprint(h.count(`SELECT count(*) FROM events`), h.count(`SELECT count(*) FROM case_log`), h.count(`SELECT count(*) FROM notices`),
			h.count(`SELECT cast(sum(coalesce(next_step_at, 0)) AS bigint) FROM cases`), len(h.catcher.Mails()))
	}
	before, sent := state(), 0
	for _, e := range h.ask("events?limit=100&type=invoice.payment_failed", nil)["data"].([]any) {
		body, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			sent++
			if got := h.webhook(body, sign(body, h.stripe.WebhookSecret(), time.Now())); got != http.StatusOK {
				t.Errorf("a late duplicate is answered %d", got)
			}
		}
	}
	h.settle()
	if sent == 0 || state() != before {
		t.Errorf("%d late deliveries made %s of %s", sent, state(), before)
	}
}

// remove deletes an object at Stripe.
func (h *house) remove(path string) error {
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodDelete, h.api.URL+"/v1/"+path, nil)
	if err != nil {
		return err
	}
	req.SetBasicAuth(h.stripe.SecretKey(), "")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("DELETE %s: %s", path, resp.Status)
	}
	return nil
}

// What of one customer cannot be kept, whenever it is tried, holds up no other: the page goes on without them, by an
// import and by a catch-up, and they are read as soon as that works.
func TestACustomerWhoCannotBeKeptHoldsUpNobody(t *testing.T) {
	t.Parallel()
	h := open(t)
	if databasetest.OnPostgres() {
		return // the trigger is written for SQLite
	}
	h.deaf()
	var failing string
	for n := range 3 {
		c := h.customer(fmt.Sprintf("Customer %d", n), fmt.Sprintf("c%d@old.example", n), "NL", "pm_card_visa")
		_, err := h.stripe.FailRenewal(c, "insufficient_funds")
		if err != nil {
			t.Fatal(err)
		}
		if n == 1 {
			failing = c
		}
	}
	order := func(statement string) {
		t.Helper()
		err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(statement)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	order(`CREATE TRIGGER broken BEFORE INSERT ON invoices WHEN NEW.customer_id = '` + failing + `' BEGIN SELECT RAISE(ABORT, 'broken'); END`)
	h.clock.set(h.clock.now().Add(2 * time.Hour))
	done, err := h.portal.Intake.Import(t.Context(), func(intake.Imported) {})
	if err != nil || done.DoneAt == 0 {
		t.Fatalf("the import stopped: %+v, %v", done, err)
	}
	if got := h.count(importedPauses); got != 2 {
		t.Errorf("%d of 2 other customers are kept", got)
	}
	h.clock.set(h.clock.now().Add(40 * 24 * time.Hour)) // longer than events are kept: all open invoices are listed
	for range 10 {
		_, err = h.portal.Intake.Reconcile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
	}
	order(`DROP TRIGGER broken`)
	_, err = h.portal.Intake.ReadAgain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := h.count(`SELECT count(DISTINCT customer_id) FROM invoices`); got != 3 {
		t.Errorf("%d of 3 customers are known in the end", got)
	}
}

// A clock that ran far ahead for a while, and was set back, hides nothing: where the last catch-up says it was lies in the
// future, and everything Stripe still tells of is looked through once.
func TestAClockThatWasAheadHidesNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Fails Meanwhile", "fails@waal.example", "NL", "pm_card_visa")
	h.clock.set(h.clock.now().Add(2 * time.Hour))
	h.settle()
	h.deaf()
	reconcile := func() {
		t.Helper()
		_, err := h.portal.Intake.Reconcile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
	}
	now := h.clock.now()
	h.clock.set(now.Add(10 * 24 * time.Hour))
	reconcile()
	h.clock.set(now.Add(time.Hour))
	_, err := h.stripe.FailRenewal(customer, "insufficient_funds")
	if err != nil {
		t.Fatal(err)
	}
	h.clock.set(now.Add(30 * time.Hour))
	reconcile()
	h.settle()
	if got := h.count(`SELECT count(*) FROM cases WHERE status = 'open' AND customer_id = '` + customer + `'`); got != 1 {
		t.Fatalf("the failure in between opened %d cases", got)
	}
	err = h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		state, err := intake.LastReconcile(t.Context(), tx)
		if at := h.clock.now().Unix(); state.Cursor > at || state.RanAt > at {
			t.Errorf("it still stands ahead: %+v", state)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A dispute that cannot be kept, whenever it is tried, holds up no other and not the catch-up: it waits as an event of its
// own, and is kept as soon as that works.
func TestADisputeThatCannotBeKeptHoldsUpNobody(t *testing.T) {
	t.Parallel()
	h := open(t)
	if databasetest.OnPostgres() {
		return // the trigger is written for SQLite
	}
	var all []*scene
	for n := range 3 {
		s := &scene{house: h, extra: map[string]string{}}
		s.customer = h.customer(fmt.Sprintf("Customer %d", n), fmt.Sprintf("c%d@old.example", n), "NL", "pm_card_visa")
		h.clock.set(h.clock.now().Add(2 * time.Hour))
		h.fail(s.customer, "insufficient_funds")
		all = append(all, s)
	}
	h.deaf()
	for _, s := range all {
		disputes("fraudulent")(s)
	}
	order := func(statement string) {
		t.Helper()
		err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(statement)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	order(`CREATE TRIGGER broken BEFORE INSERT ON disputes WHEN NEW.id = '` + all[1].extra["dispute"] + `' BEGIN SELECT RAISE(ABORT, 'broken'); END`)
	h.clock.set(h.clock.now().Add(40 * 24 * time.Hour)) // longer than events are kept: only the list of disputes tells
	_, err := h.portal.Intake.Reconcile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := h.count(`SELECT count(*) FROM disputes`); got != 2 {
		t.Errorf("%d of 2 other disputes are kept", got)
	}
	err = h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		state, err := intake.LastReconcile(t.Context(), tx)
		if state.UnderWay.At != 0 {
			t.Errorf("the catch-up does not end: %+v", state)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	order(`DROP TRIGGER broken`)
	h.settle()
	if got := h.count(`SELECT count(*) FROM disputes`); got != 3 {
		t.Errorf("%d of 3 disputes are known in the end", got)
	}
}

// A dispute that a list shows and that cannot be kept is left to the events each time: that an earlier one was kept, or was
// given up, swallows no later news.
func TestADisputeIsLeftToTheEventsTwice(t *testing.T) {
	t.Parallel()
	h := open(t)
	if databasetest.OnPostgres() {
		return // the trigger is written for SQLite
	}
	s := &scene{house: h, extra: map[string]string{}}
	s.customer = h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.clock.set(h.clock.now().Add(2 * time.Hour))
	h.fail(s.customer, "insufficient_funds")
	h.deaf()
	disputes("fraudulent")(s)
	missed := func() {
		t.Helper()
		h.tell(t, `CREATE TRIGGER broken BEFORE INSERT ON disputes BEGIN SELECT RAISE(ABORT, 'broken'); END`)
		h.clock.set(h.clock.now().Add(40 * 24 * time.Hour)) // longer than events are kept: only the list of disputes tells
		_, err := h.portal.Intake.Reconcile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.tell(t, `DROP TRIGGER broken`)
		h.settle()
	}
	status := func() string {
		t.Helper()
		var status string
		err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRow(`SELECT status FROM disputes`).Scan(&status)
		})
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	missed()
	if got := status(); got != "needs_response" {
		t.Fatalf("once it could be kept it is %s", got)
	}
	decides("losing_evidence")(s)
	missed()
	if got := status(); got != "lost" {
		t.Errorf("its end was missed, it is still %s", got)
	}
}
