package dunning_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// resters play one customer whose case rests for all reasons there are, in any order, while days pass, mails leave
// late, invoices are paid and fail.
type resters struct {
	*rapid.T
	db       *database.DB
	cases    *dunning.Cases
	customer string
	invoices []billing.Invoice
	now      time.Time
	sent     []time.Time
	late     map[string]int // by case: days that mails were held up for other reasons than a pause
	presses  int
}

func (w *resters) do(work func(ctx context.Context, tx *sql.Tx) error) {
	err := w.db.Do(context.Background(), func(tx *sql.Tx) error { return work(context.Background(), tx) })
	if err != nil {
		w.Fatal(err)
	}
}

func (w *resters) hear() {
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		account := billing.Account{
			Customer: billing.Customer{ID: w.customer, Email: w.customer + "@bellini.example", Country: "IT"}, Invoices: slices.Clone(w.invoices),
		}
		err := billing.Save(ctx, tx, account, w.now.Unix())
		if err != nil {
			return err
		}
		return w.cases.Reconsider(ctx, tx, w.customer, w.now)
	})
}

func (w *resters) fail() {
	id := fmt.Sprintf("in_%s_%d", w.customer, len(w.invoices))
	w.invoices = append(w.invoices, billing.Invoice{
		ID: id, CustomerID: w.customer, Status: "open", CollectionMethod: "charge_automatically", BillingReason: "subscription_cycle", Currency: "eur",
		AmountDue: 2900, AmountRemaining: 2900, Attempted: true, AttemptCount: 1, FailedAt: w.now.Unix(), FirstFailed: 2900, IntentStatus: "requires_payment_method",
		MethodID: "pm_1", Decline: billing.Decline{Code: "card_declined", DeclineCode: "insufficient_funds"}, CreatedAt: w.now.Unix(),
	})
	w.hear()
}

func (w *resters) latest() dunning.Case {
	var c dunning.Case
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		var err error
		c, err = w.cases.LatestOf(ctx, tx, w.customer)
		return err
	})
	return c
}

// pick answers one of the invoices of which the test holds, nil when none does.
func (w *resters) pick(holds func(billing.Invoice) bool) *billing.Invoice {
	var able []int
	for n, i := range w.invoices {
		if holds(i) {
			able = append(able, n)
		}
	}
	if len(able) == 0 {
		return nil
	}
	return &w.invoices[rapid.SampledFrom(able).Draw(w.T, "invoice")]
}

// turn is what a round of the runner does at this instant; mails leave only with post.
func (w *resters) turn(post bool) {
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		_, err := endPauses(ctx, tx, w.cases, w.now)
		if err != nil {
			return err
		}
		due, err := w.cases.DuePromises(ctx, tx, w.now, 10)
		if err != nil {
			return err
		}
		for _, id := range due {
			err = w.cases.BreakPromise(ctx, tx, id, "The bank declined the charge.", w.now)
			if err != nil {
				return err
			}
		}
		cases, err := w.cases.Due(ctx, tx, w.now.Unix(), 10)
		if err != nil {
			return err
		}
		for _, id := range cases {
			err = w.cases.Advance(ctx, tx, id, w.now)
			if err != nil {
				return err
			}
		}
		if !post {
			return nil
		}
		return w.post(ctx, tx)
	})
}

// post lets the waiting mails leave that may.
func (w *resters) post(ctx context.Context, tx *sql.Tx) error {
	all, err := outbox.OfCustomer(ctx, tx, w.customer)
	if err != nil {
		return err
	}
	for _, n := range all {
		if n.Status != outbox.Queued || n.Channel != outbox.Email || n.DueAt > w.now.Unix() {
			continue
		}
		say, err := wanted(ctx, tx, w.cases, n, w.now)
		if err != nil {
			return err
		}
		if !say.Go {
			continue
		}
		if n.Kind == outbox.Reminder {
			c, err := w.cases.Find(ctx, tx, n.CaseID)
			if err != nil {
				return err
			}
			if c.RestingSince > 0 {
				w.Errorf("a reminder leaves while the case rests")
			}
			w.sent = append(w.sent, w.now)
			pauses, err := w.cases.Pauses(ctx, tx, c.ID)
			if err != nil {
				return err
			}
			created := time.Unix(n.CreatedAt, 0)
			w.late[c.ID] += midnights(created, w.now) - w.rested(pauses, created)
		}
		err = outbox.Settle(ctx, tx, n.ID, outbox.Sent, "", w.now.Unix())
		if err != nil {
			return err
		}
		err = left(ctx, tx, w.cases, n, w.now)
		if err != nil {
			return err
		}
	}
	return nil
}

// waiting counts the reminders that wait to leave.
func (w *resters) waiting() int {
	n := 0
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		all, err := outbox.OfCustomer(ctx, tx, w.customer)
		for _, notice := range all {
			if notice.Kind == outbox.Reminder && notice.Channel == outbox.Email && notice.Status == outbox.Queued {
				n++
			}
		}
		return err
	})
	return n
}

// pass lets time pass by the hour.
func (w *resters) pass(hours int, post bool) {
	for range hours {
		w.now = w.now.Add(time.Hour)
		w.turn(post)
	}
}

func (w *resters) act() {
	reasons := []dunning.PauseReason{dunning.PauseStaff, dunning.PauseConversation, dunning.PauseClaim, dunning.PauseConsent, dunning.PausePromise}
	c := w.latest()
	switch rapid.SampledFrom([]string{"pause", "resume", "resume", "promise", "withdraw", "pass", "pass", "pass", "outage", "held back", "fail", "pay", "debit", "bounce"}).Draw(w.T, "act") {
	case "pause":
		reason := rapid.SampledFrom(reasons[:4]).Draw(w.T, "reason")
		until := time.Time{}
		if reason == dunning.PauseClaim {
			until = w.now.AddDate(0, 0, rapid.IntRange(1, 9).Draw(w.T, "days"))
		}
		err := w.db.Do(context.Background(), func(tx *sql.Tx) error {
			return w.cases.Pause(context.Background(), tx, c.ID, reason, "", "Sam", until, w.now)
		})
		if err != nil && !fault.Is(err, fault.Conflict) {
			w.Fatal(err)
		}
	case "resume":
		reason := rapid.SampledFrom(reasons).Draw(w.T, "reason")
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			return w.cases.Resume(ctx, tx, c.ID, "Sam", w.now, reason)
		})
	case "promise":
		w.promise(c)
	case "withdraw":
		err := w.db.Do(context.Background(), func(tx *sql.Tx) error {
			return w.cases.WithdrawPromise(context.Background(), tx, c.ID, "Sam", w.now)
		})
		if err != nil && !fault.Is(err, fault.Conflict) {
			w.Fatal(err)
		}
	case "pass":
		w.pass(rapid.IntRange(1, 80).Draw(w.T, "hours"), true)
	case "outage": // the mail server is down
		w.pass(rapid.IntRange(1, 60).Draw(w.T, "hours"), false)
	case "held back": // a mail that was decided waits, and then its case rests
		for range 10 {
			c = w.latest()
			if c.Status != dunning.Open || c.RestingSince > 0 || w.waiting() > 0 {
				break
			}
			w.pass(20, false)
		}
		if c.Status != dunning.Open {
			return
		}
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			return w.cases.Pause(ctx, tx, c.ID, dunning.PauseStaff, "", "Sam", time.Time{}, w.now)
		})
		w.pass(rapid.IntRange(1, 90).Draw(w.T, "hours"), true)
		w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Resume(ctx, tx, c.ID, "Sam", w.now) })
		w.pass(30, true)
	case "fail":
		w.fail()
	case "pay":
		i := w.pick(billing.Invoice.Open)
		if i != nil {
			*i = paid(*i)
			w.hear()
		}
	case "debit":
		i := w.pick(func(i billing.Invoice) bool { return i.Open() && !i.Processing() })
		if i != nil {
			i.IntentStatus = "processing"
			w.hear()
		}
	case "bounce":
		i := w.pick(billing.Invoice.Processing)
		if i != nil {
			i.IntentStatus = "requires_payment_method"
			w.hear()
		}
	}
}

func (w *resters) promise(c dunning.Case) {
	w.presses++
	p := dunning.Promise{
		CaseID: c.ID, Press: fmt.Sprint(w.customer, w.presses), Kind: rapid.SampledFrom([]dunning.PromiseKind{dunning.PromiseCharge, dunning.PromiseSelf}).Draw(w.T, "kind"),
		Day: w.now.In(rome).AddDate(0, 0, rapid.IntRange(0, 20).Draw(w.T, "days")).Format(time.DateOnly), MethodID: "pm_1",
		Actor: rapid.SampledFrom([]string{"customer", "Sam"}).Draw(w.T, "by"),
	}
	for _, i := range w.invoices {
		if i.Open() && !i.Processing() {
			p.Invoices = append(p.Invoices, dunning.Promised{Invoice: i.ID, Amount: i.Remaining()})
		}
	}
	err := w.db.Do(context.Background(), func(tx *sql.Tx) error {
		_, err := w.cases.Promise(context.Background(), tx, p, w.now)
		return err
	})
	if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooMany) {
		w.Fatal(err)
	}
}

// check holds what is true of every case at any time.
func (w *resters) check() {
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		all, err := w.cases.OfCustomer(ctx, tx, w.customer)
		if err != nil {
			return err
		}
		promises, err := w.cases.PromisesOf(ctx, tx, w.customer)
		if err != nil {
			return err
		}
		for _, c := range all {
			pauses, err := w.cases.Pauses(ctx, tx, c.ID)
			if err != nil {
				return err
			}
			w.checkCase(c, pauses, promises)
		}
		return w.checkStanding(ctx, tx)
	})
	if waiting := w.waiting(); waiting > 1 {
		w.Errorf("%d reminders wait at once", waiting)
	}
	for n := 1; n < len(w.sent); n++ {
		if w.sent[n].Sub(w.sent[n-1]) < 24*time.Hour {
			w.Errorf("reminders at %s and %s", w.sent[n-1], w.sent[n])
		}
	}
}

func (w *resters) checkCase(c dunning.Case, pauses []dunning.Pause, promises []dunning.Promise) {
	active, promised, stands := 0, false, false
	for _, p := range pauses {
		if p.Active() {
			active++
			promised = promised || p.Reason == dunning.PausePromise
		}
	}
	for _, p := range promises {
		stands = stands || p.CaseID == c.ID && p.Status == dunning.PromiseActive
	}
	if promised != stands {
		w.Errorf("the case rests for a promise: %v; one stands: %v", promised, stands)
	}
	if c.Status != dunning.Open {
		if active > 0 {
			w.Errorf("a case that is %s rests", c.Status)
		}
		return
	}
	if (active > 0) != (c.RestingSince > 0) {
		w.Errorf("%d pauses are active, resting since %d", active, c.RestingSince)
	}
	if (c.RestingSince > 0) == (c.NextStepAt > 0) {
		w.Errorf("resting since %d, next look at %d", c.RestingSince, c.NextStepAt)
	}
	counted, rested := c.RestedDays+c.Resting(w.now, rome), w.rested(pauses, time.Unix(c.OpenedAt, 0))
	if counted != rested+w.late[c.ID] {
		w.Errorf("%d days don't count; the case rested for %d, and mails were late by %d more", counted, rested, w.late[c.ID])
	}
}

// rested counts the days since an instant on which at least one of the pauses, oldest first, held the case.
func (w *resters) rested(pauses []dunning.Pause, since time.Time) int {
	days := 0
	for _, p := range pauses {
		begin, end := time.Unix(p.Since, 0), w.now
		if !p.Active() {
			end = time.Unix(p.EndedAt, 0)
		}
		if begin.Before(since) {
			begin = since
		}
		if end.After(since) {
			days += midnights(begin, end)
			since = end
		}
	}
	return days
}

// midnights counts the local midnights between two instants.
func midnights(a, b time.Time) int {
	day := func(t time.Time) time.Time {
		y, m, d := t.In(rome).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(day(b).Sub(day(a)) / (24 * time.Hour))
}

// Several pauses at once resolve sensibly, whatever begins, ends, is promised, paid or fails in whichever order: a
// case rests while one of them holds it, the days count once, and nothing bursts out afterwards.
func TestManyPausesAtOnce(t *testing.T) {
	db, err := database.Open(t.Context(), databasetest.Migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	const enough = 40 // a story is long; a fault of counting shows within a dozen
	played, failed := 0, false
	rapid.Check(t, func(r *rapid.T) {
		played++
		if played > enough && !failed { // a failure is played again until it is short
			return
		}
		defer func() { failed = failed || r.Failed() }()
		w := &resters{
			T: r, db: db, late: map[string]int{}, customer: fmt.Sprintf("cus_%d", played), now: time.Date(2026, 10, 19, 7, 30, 0, 0, rome),
			cases: dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Shipped()), Policy: contact.DefaultPolicy(), Zone: rome, Promises: dunning.DefaultPromiseRules()}),
		}
		w.fail()
		for range rapid.IntRange(3, 14).Draw(r, "length") {
			w.act()
			w.check()
		}
	})
}
