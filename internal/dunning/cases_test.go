package dunning_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// world is one customer in Rome with a database and a clock of their own.
type world struct {
	t     *testing.T
	db    *database.DB
	cases *dunning.Cases
	now   time.Time
}

var rome = mustZone("Europe/Rome")

func mustZone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

func setup(t *testing.T) *world {
	t.Helper()
	db, err := database.Open(t.Context(), databasetest.Migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &world{
		t: t, db: db, now: time.Date(2026, 11, 2, 7, 30, 0, 0, rome), // a Monday
		cases: dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Shipped()), Policy: contact.DefaultPolicy(), Zone: time.UTC, Promises: dunning.DefaultPromiseRules()}),
	}
}

func (w *world) do(work func(ctx context.Context, tx *sql.Tx) error) {
	w.t.Helper()
	err := w.db.Do(w.t.Context(), func(tx *sql.Tx) error { return work(w.t.Context(), tx) })
	if err != nil {
		w.t.Fatal(err)
	}
}

// endPauses ends the pauses whose day has come, and answers how many.
func endPauses(ctx context.Context, tx *sql.Tx, cases *dunning.Cases, now time.Time) (int, error) {
	ids, err := cases.ElapsedPauses(ctx, tx, now, 10)
	if err != nil {
		return 0, err
	}
	return len(ids), cases.EndPauses(ctx, tx, ids, now)
}

// wanted asks right before a notice would be handed over whether it may be, and keeps what goes with the answer.
func (w *world) wanted(ctx context.Context, tx *sql.Tx, n outbox.Notice, at time.Time) (dunning.Say, error) {
	return wanted(ctx, tx, w.cases, n, at)
}

func wanted(ctx context.Context, tx *sql.Tx, cases *dunning.Cases, n outbox.Notice, at time.Time) (dunning.Say, error) {
	err := database.HoldQuietly(ctx, tx, n.CustomerID)
	if err != nil {
		return dunning.Say{}, err
	}
	who, err := billing.CustomersByID(ctx, tx, []string{n.CustomerID})
	if err != nil {
		return dunning.Say{}, err
	}
	says, err := cases.WhichWanted(ctx, tx, []outbox.Notice{n}, who, at)
	if err != nil {
		return dunning.Say{}, err
	}
	return says[n.ID], cases.Follow(ctx, tx, n, says[n.ID], at)
}

// hear saves what Stripe says of the invoices and lets the cases be reconsidered.
func (w *world) hear(invoices ...billing.Invoice) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		account := billing.Account{
			Customer: billing.Customer{ID: "cus_1", Name: "Chiara Bellini", Email: "chiara@bellini.example", Country: "IT"},
			Invoices: invoices,
		}
		err := billing.Save(ctx, tx, account, w.now.Unix())
		if err != nil {
			return err
		}
		return w.cases.Reconsider(ctx, tx, "cus_1", w.now)
	})
}

func (w *world) failed(id, declineCode string) billing.Invoice {
	return billing.Invoice{
		ID: id, CustomerID: "cus_1", Number: "LS-" + id, Status: "open", CollectionMethod: "charge_automatically", BillingReason: "subscription_cycle",
		Currency: "eur", AmountDue: 2900, AmountRemaining: 2900, Attempted: true, AttemptCount: 1, FailedAt: w.now.Unix(), FirstFailed: 2900,
		IntentStatus: "requires_payment_method", MethodID: "pm_1", Decline: billing.Decline{Code: "card_declined", DeclineCode: declineCode}, CreatedAt: w.now.Unix(),
	}
}

func paid(i billing.Invoice) billing.Invoice {
	i.Status, i.AmountPaid, i.AmountRemaining, i.IntentStatus, i.PaidAt = "paid", i.AmountDue, 0, "succeeded", i.CreatedAt
	return i
}

func (w *world) latest() dunning.Case {
	w.t.Helper()
	var c dunning.Case
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		var err error
		c, err = w.cases.LatestOf(ctx, tx, "cus_1")
		return err
	})
	return c
}

// next moves the clock to the case's next look and takes it, until one notice was decided or the case ended. All
// mails decided on the way leave at once unless a status says otherwise.
func (w *world) next(outcome outbox.Status) (step string, at time.Time) {
	w.t.Helper()
	for range 40 {
		c := w.latest()
		if c.Status != dunning.Open || c.NextStepAt == 0 {
			return "", time.Time{}
		}
		w.now = time.Unix(max(c.NextStepAt, w.now.Unix()), 0).In(rome)
		w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Advance(ctx, tx, c.ID, w.now) })
		for _, n := range w.notices() {
			if n.Status == outbox.Queued && n.Channel == outbox.Email && n.Kind == outbox.Reminder {
				w.do(func(ctx context.Context, tx *sql.Tx) error {
					return outbox.Settle(ctx, tx, n.ID, outcome, "", w.now.Unix())
				})
				return n.Step, w.now
			}
		}
	}
	w.t.Fatal("the schedule turns in circles")
	return "", time.Time{}
}

func (w *world) notices() []outbox.Notice {
	w.t.Helper()
	var all []outbox.Notice
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		var err error
		all, err = outbox.OfCustomer(ctx, tx, "cus_1")
		return err
	})
	return all
}

func (w *world) count(kind outbox.Kind) int {
	n := 0
	for _, notice := range w.notices() {
		if notice.Kind == kind && notice.Channel == outbox.Email && notice.Status != outbox.Skipped {
			n++
		}
	}
	return n
}

func TestACaseWalksItsCampaignToTheEnd(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	days := []string{}
	for {
		step, at := w.next(outbox.Sent)
		if step == "" {
			break
		}
		days = append(days, step+" "+at.Format("Mon 02 15:04"))
	}
	// Opened on Monday the 2nd: day 1 is Tuesday, 5 is Saturday and moves to Monday, 9 is Wednesday, 14 is Monday.
	want := []string{"first Tue 03 10:00", "second Mon 09 09:00", "notice Wed 11 10:00", "restricted Mon 16 10:00"}
	if len(days) != len(want) {
		t.Fatalf("got %q", days)
	}
	for i := range want {
		if days[i] != want[i] {
			t.Errorf("got %q, want %q", days[i], want[i])
		}
	}
	c := w.latest()
	if c.Status != dunning.Exhausted || c.Access != campaign.Restricted {
		t.Errorf("ended %s with access %s", c.Status, c.Access)
	}
	w.hear(paid(w.failed("in_1", "do_not_honor")))
	c = w.latest()
	if c.Status != dunning.Recovered || c.Access != campaign.Full || w.count(outbox.Settled) != 1 {
		t.Errorf("after payment: %s, access %s, %d settled", c.Status, c.Access, w.count(outbox.Settled))
	}
}

func TestOnlyTheCustomerCanHelpIsDueAtOnce(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"expired_card", "authentication_required"} {
		w := setup(t)
		w.now = time.Date(2026, 11, 2, 11, 20, 0, 0, rome)
		w.hear(w.failed("in_1", code))
		step, at := w.next(outbox.Sent)
		if step != "first" || !at.Equal(time.Date(2026, 11, 2, 11, 20, 0, 0, rome)) {
			t.Errorf("%s: %q at %s", code, step, at)
		}
	}
}

func TestPaymentClosesAndIsToldOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	i := w.failed("in_1", "insufficient_funds")
	w.hear(i)
	w.next(outbox.Sent)
	for range 3 {
		w.hear(paid(i))
	}
	c := w.latest()
	if c.Status != dunning.Recovered || w.count(outbox.Settled) != 1 {
		t.Errorf("%s with %d settled", c.Status, w.count(outbox.Settled))
	}
	w.hear(i) // an old reading arrives late
	if got := w.latest(); got.Status != dunning.Recovered || got.ID != c.ID {
		t.Errorf("a late reading made it %s", got.Status)
	}
}

func TestWhoNeverHeardOfItIsToldNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	i := w.failed("in_1", "insufficient_funds")
	w.hear(i)
	w.hear(paid(i))
	if w.latest().Status != dunning.Recovered || len(w.notices()) != 0 {
		t.Errorf("%s, %d notices", w.latest().Status, len(w.notices()))
	}
}

func TestFurtherInvoicesJoinAndStepsDoNotRestart(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	w.next(outbox.Sent)
	first := w.latest()
	yen := w.failed("in_2", "do_not_honor")
	yen.Currency, yen.AmountDue, yen.AmountRemaining = "jpy", 4800, 4800
	w.hear(w.failed("in_1", "do_not_honor"), yen)
	c := w.latest()
	if c.ID != first.ID || c.Step != 1 {
		t.Errorf("joined as case %s at step %d", c.ID, c.Step)
	}
	w.hear(paid(w.failed("in_1", "do_not_honor")), yen)
	if w.latest().Status != dunning.Open {
		t.Error("closed while one invoice is open")
	}
	w.hear(paid(w.failed("in_1", "do_not_honor")), paid(yen))
	if w.latest().Status != dunning.Recovered {
		t.Error("not recovered when both are paid")
	}
}

func TestNothingOpensForAFirstPurchaseOrAVoidedInvoice(t *testing.T) {
	t.Parallel()
	w := setup(t)
	i := w.failed("in_1", "do_not_honor")
	i.BillingReason = "subscription_create"
	w.hear(i)
	v := w.failed("in_2", "do_not_honor")
	v.Status, v.AmountRemaining = "void", 0
	w.hear(v)
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		_, err := w.cases.LatestOf(ctx, tx, "cus_1")
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("a case was opened: %v", err)
		}
		return nil
	})
}

func TestAfterExhaustionOnlySomethingNewOpensACase(t *testing.T) {
	t.Parallel()
	w := setup(t)
	old := w.failed("in_1", "do_not_honor")
	w.hear(old)
	for step := "x"; step != ""; {
		step, _ = w.next(outbox.Sent)
	}
	exhausted := w.latest()
	old.AttemptCount = 5
	w.hear(old)
	if got := w.latest(); got.ID != exhausted.ID {
		t.Fatal("another failed try of a known invoice opened a case")
	}
	w.now = w.now.Add(20 * 24 * time.Hour)
	w.hear(old, w.failed("in_2", "do_not_honor"))
	fresh := w.latest()
	if fresh.ID == exhausted.ID || fresh.Status != dunning.Open {
		t.Fatalf("a new failure opened nothing: %s", fresh.Status)
	}
	w.hear(paid(old), paid(w.failed("in_2", "do_not_honor")))
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		c, err := w.cases.Find(ctx, tx, exhausted.ID)
		if c.Status != dunning.Exhausted {
			t.Errorf("the old case became %s", c.Status)
		}
		return err
	})
	if w.latest().Status != dunning.Recovered {
		t.Error("the new case is not recovered")
	}
}

func TestAConsequenceNeedsASurelySentAnnouncement(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	w.next(outbox.Sent)
	w.next(outbox.Sent)
	step, _ := w.next(outbox.Uncertain)
	if step != "notice" {
		t.Fatalf("third step was %q", step)
	}
	for range 20 {
		c := w.latest()
		w.now = time.Unix(max(c.NextStepAt, w.now.Unix()), 0)
		w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Advance(ctx, tx, c.ID, w.now) })
	}
	if c := w.latest(); c.Status != dunning.Open || c.Access != campaign.Grace {
		t.Fatalf("went on without a sure announcement: %s, %s", c.Status, c.Access)
	}
	// The banner of that step is reported shown: now the customer knows.
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		// First it had no date to tell, since that one has passed: the date moves, and the next look tells it.
		told, err := w.cases.Shown(ctx, tx, "cus_1", w.now)
		if told || err != nil {
			t.Errorf("a date that has passed was taken for an announcement: %v", err)
		}
		told, err = w.cases.Shown(ctx, tx, "cus_1", w.now)
		if !told {
			t.Error("seen, and not taken in")
		}
		return err
	})
	seen := w.now
	step, _ = w.next(outbox.Sent)
	if step != "restricted" || w.latest().Access != campaign.Restricted || w.now.Sub(seen) < 4*24*time.Hour {
		t.Errorf("after it was seen: step %q, access %s, %s later", step, w.latest().Access, w.now.Sub(seen))
	}
}

func TestDaysInPauseDoNotCount(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	w.next(outbox.Sent) // Tuesday the 3rd
	c := w.latest()
	announced := c.ConsequenceAt
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		return w.cases.Pause(ctx, tx, c.ID, dunning.PauseStaff, "on the phone", "Ines", time.Time{}, w.now)
	})
	if w.latest().NextStepAt != 0 {
		t.Error("a resting case is on the schedule")
	}
	w.now = w.now.Add(7 * 24 * time.Hour)
	w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Resume(ctx, tx, c.ID, "Ines", w.now) })
	step, at := w.next(outbox.Sent)
	if step != "second" || at.Format("Mon 02 15:04") != "Mon 16 09:00" {
		t.Errorf("after a week's rest: %s at %s", step, at.Format("Mon 02 15:04"))
	}
	if w.latest().ConsequenceAt < announced {
		t.Error("an announced date moved earlier")
	}
}

func TestAPauseWithADateEndsByItself(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	c := w.latest()
	until := w.now.Add(48 * time.Hour)
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		return w.cases.Pause(ctx, tx, c.ID, dunning.PauseClaim, "", "customer", until, w.now)
	})
	w.now = until
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		n, err := endPauses(ctx, tx, w.cases, w.now)
		if n != 1 {
			t.Errorf("%d pauses ended", n)
		}
		return err
	})
	if c = w.latest(); c.NextStepAt == 0 || c.RestedDays != 2 {
		t.Errorf("next look %d, rested %d days", c.NextStepAt, c.RestedDays)
	}
}

func TestAnOutageCausesNoBurst(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	w.next(outbox.Sent)
	before := w.count(outbox.Reminder)
	w.now = w.now.Add(30 * 24 * time.Hour)
	for range 50 { // whatever is due at this instant
		c := w.latest()
		w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Advance(ctx, tx, c.ID, w.now) })
	}
	if got := w.count(outbox.Reminder) - before; got > 1 {
		t.Errorf("%d messages after the outage", got)
	}
	first := w.now
	for _, n := range w.notices() {
		if n.Status == outbox.Queued && n.Channel == outbox.Email {
			w.do(func(ctx context.Context, tx *sql.Tx) error {
				return outbox.Settle(ctx, tx, n.ID, outbox.Sent, "", w.now.Unix())
			})
		}
	}
	_, second := w.next(outbox.Sent)
	if second.Sub(first) < 48*time.Hour {
		t.Errorf("the steps lost their distance: %s apart", second.Sub(first))
	}
}

func TestWantedRightBeforeSending(t *testing.T) {
	t.Parallel()
	w := setup(t)
	i := w.failed("in_1", "expired_card")
	w.now = time.Date(2026, 11, 2, 11, 0, 0, 0, rome)
	w.hear(i)
	c := w.latest()
	w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Advance(ctx, tx, c.ID, w.now) })
	var n outbox.Notice
	for _, candidate := range w.notices() {
		if candidate.Channel == outbox.Email {
			n = candidate
		}
	}
	ask := func(at time.Time) dunning.Say {
		var say dunning.Say
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			var err error
			say, err = w.wanted(ctx, tx, n, at)
			return err
		})
		return say
	}
	if say := ask(w.now); !say.Go {
		t.Errorf("refused at once: %+v", say)
	}
	if say := ask(w.now.Add(12 * time.Hour)); say.Go || say.Later.In(rome).Format("Mon 15:04") != "Tue 09:00" {
		t.Errorf("at night: %+v", say)
	}
	w.hear(paid(i))
	if say := ask(w.now); say.Go || say.Skip == "" {
		t.Errorf("after payment: %+v", say)
	}
}

func TestABankDebitUnderWayRestsTheCase(t *testing.T) {
	t.Parallel()
	w := setup(t)
	i := w.failed("in_1", "insufficient_funds")
	w.hear(i)
	i.IntentStatus = "processing"
	w.hear(i)
	if c := w.latest(); c.RestingSince == 0 || c.NextStepAt != 0 {
		t.Error("goes on while a debit is under way")
	}
	i.IntentStatus = "requires_payment_method"
	w.now = w.now.Add(3 * 24 * time.Hour)
	w.hear(i)
	if c := w.latest(); c.RestingSince != 0 || c.NextStepAt == 0 || c.RestedDays != 3 {
		t.Errorf("after it failed: %+v", c)
	}
}

func TestAnInvoiceToBePaidByHandOpensACaseWhenItsDayPasses(t *testing.T) {
	t.Parallel()
	w := setup(t)
	i := w.failed("in_1", "")
	i.CollectionMethod, i.Attempted, i.FailedAt, i.IntentStatus, i.Decline = "send_invoice", false, 0, "requires_payment_method", billing.Decline{}
	i.DueAt = w.now.Add(72 * time.Hour).Unix()
	w.hear(i)
	pass := func() int {
		opened := 0
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			customers, err := w.cases.PastDue(ctx, tx, w.now, 10)
			if err != nil {
				return err
			}
			opened = len(customers)
			return w.cases.OpenPastDue(ctx, tx, customers, w.now)
		})
		return opened
	}
	if pass() != 0 {
		t.Error("opened before its day")
	}
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		at, ok, err := w.cases.NextDue(ctx, tx)
		if !ok || at != i.DueAt {
			t.Errorf("next look at %d, want %d", at, i.DueAt)
		}
		return err
	})
	w.now = w.now.Add(72 * time.Hour)
	if pass() != 1 || w.latest().Status != dunning.Open {
		t.Error("not opened on its day")
	}
	if pass() != 0 {
		t.Error("opened twice")
	}
	// A program from before these invoices were marked opened its case: it is looked at once more.
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE invoices SET in_case = false`)
		return err
	})
	if pass() != 1 || pass() != 0 {
		t.Error("an invoice whose case another program opened is not looked at once")
	}
}

// A mail held up for weeks moves the steps after it by the days it lost, once, whoever looks first at the restart.
func TestTheDaysAMailLostAreCountedOnce(t *testing.T) {
	t.Parallel()
	for _, looksFirst := range []string{"schedule", "sender"} {
		w := setup(t)
		w.hear(w.failed("in_1", "do_not_honor"))
		c := w.latest()
		w.now = time.Unix(c.NextStepAt, 0) // Tuesday the 3rd, day 1
		w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Advance(ctx, tx, c.ID, w.now) })
		w.now = w.now.Add(20 * 24 * time.Hour) // Monday the 23rd
		look := func(ctx context.Context, tx *sql.Tx) error { return w.cases.Advance(ctx, tx, c.ID, w.now) }
		if looksFirst == "schedule" {
			w.do(look)
		}
		for _, n := range w.notices() {
			if n.Channel == outbox.Email {
				w.do(func(ctx context.Context, tx *sql.Tx) error {
					err := outbox.Settle(ctx, tx, n.ID, outbox.Sent, "", w.now.Unix())
					if err != nil {
						return err
					}
					return left(ctx, tx, w.cases, n, w.now)
				})
			}
		}
		w.do(look)
		if got := w.latest().RestedDays; got != 20 {
			t.Errorf("%s first: %d days don't count", looksFirst, got)
		}
		step, at := w.next(outbox.Sent)
		if step != "second" || at.Format("Mon 02 15:04") != "Fri 27 10:00" { // four days after the first, as planned
			t.Errorf("%s first: %s at %s", looksFirst, step, at.Format("Mon 02 15:04"))
		}
	}
}

// left tells the case that a notice of it has left.
func left(ctx context.Context, tx *sql.Tx, cases *dunning.Cases, n outbox.Notice, now time.Time) error {
	who, err := billing.FindCustomer(ctx, tx, n.CustomerID)
	if err != nil {
		return err
	}
	return cases.Left(ctx, tx, n, who, now)
}
