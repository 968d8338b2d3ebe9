package dunning_test

import (
	"context"
	"database/sql"
	"slices"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// promise sets a date so many days ahead for everything that is open, as the customer or a member of staff.
func (w *world) promise(kind dunning.PromiseKind, days int, actor string) (dunning.Promise, error) {
	w.t.Helper()
	var p dunning.Promise
	err := w.db.Do(w.t.Context(), func(tx *sql.Tx) error {
		c, err := w.cases.LatestOf(w.t.Context(), tx, "cus_1")
		if err != nil {
			return err
		}
		open, err := billing.OpenInvoices(w.t.Context(), tx, "cus_1")
		if err != nil {
			return err
		}
		p = dunning.Promise{
			CaseID: c.ID, Press: actor + w.now.String() + string(kind), Kind: kind, Day: w.now.AddDate(0, 0, days).Format(time.DateOnly), MethodID: "pm_1", Actor: actor,
		}
		for _, i := range open {
			p.Invoices = append(p.Invoices, dunning.Promised{Invoice: i.ID, Amount: i.Remaining()})
		}
		p, err = w.cases.Promise(w.t.Context(), tx, p, w.now)
		return err
	})
	return p, err
}

func (w *world) mustPromise(kind dunning.PromiseKind, days int, actor string) dunning.Promise {
	w.t.Helper()
	p, err := w.promise(kind, days, actor)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) stored(id string) dunning.Promise {
	w.t.Helper()
	var p dunning.Promise
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		var err error
		p, err = w.cases.FindPromise(ctx, tx, id)
		return err
	})
	return p
}

func (w *world) resting() []dunning.PauseReason {
	w.t.Helper()
	var all []dunning.PauseReason
	c := w.latest()
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		active, err := w.cases.ActivePauses(ctx, tx, c.ID)
		for _, p := range active {
			all = append(all, p.Reason)
		}
		return err
	})
	return all
}

func TestAPromiseRestsTheCaseUntilItsDayAndMovesTheSteps(t *testing.T) {
	w := setup(t)
	w.hear(w.failed("in_1", "insufficient_funds"))
	before := w.latest()
	p := w.mustPromise(dunning.PromiseCharge, 10, "customer")
	if time.Unix(p.DueAt, 0).In(rome).Format("2006-01-02 15:04") != "2026-11-12 09:00" {
		t.Errorf("due at %s", time.Unix(p.DueAt, 0).In(rome))
	}
	if !slices.Equal(w.resting(), []dunning.PauseReason{dunning.PausePromise}) || w.latest().NextStepAt != 0 {
		t.Fatalf("rests for %v, next look at %d", w.resting(), w.latest().NextStepAt)
	}
	confirmed := w.notices()[0]
	if confirmed.Kind != outbox.Promised || confirmed.Counts {
		t.Errorf("the confirmation is %+v", confirmed)
	}
	w.now = time.Unix(p.DueAt, 0).In(rome)
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		n, err := endPauses(ctx, tx, w.cases, w.now)
		if n != 0 {
			t.Error("the pause of a promise ended by the clock alone")
		}
		return err
	})
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		return w.cases.BreakPromise(ctx, tx, p.ID, "The bank declined the charge.", w.now)
	})
	after := w.latest()
	if w.stored(p.ID).Status != dunning.PromiseBroken || after.RestedDays != 10 || len(w.resting()) != 0 {
		t.Fatalf("%s, %d days rested, rests for %v", w.stored(p.ID).Status, after.RestedDays, w.resting())
	}
	moved := time.Unix(after.NextStepAt, 0).Sub(time.Unix(before.NextStepAt, 0))
	if moved < 9*day || moved > 11*day {
		t.Errorf("the next step moved by %s", moved)
	}
}

const day = 24 * time.Hour

func TestPaymentKeepsAPromise(t *testing.T) {
	w := setup(t)
	first := w.failed("in_1", "insufficient_funds")
	w.hear(first)
	p := w.mustPromise(dunning.PromiseSelf, 5, "customer")
	w.now = w.now.Add(2 * day)
	second := w.failed("in_2", "insufficient_funds") // fails meanwhile and is not part of it
	w.hear(first, second)
	w.hear(paid(first), second)
	kept := w.stored(p.ID)
	if kept.Status != dunning.PromiseKept || len(kept.Invoices) != 1 {
		t.Fatalf("%+v", kept)
	}
	c := w.latest()
	if c.Status != dunning.Open || c.RestingSince != 0 || c.RestedDays != 2 || c.NextStepAt == 0 {
		t.Errorf("the case does not go on for the other invoice: %+v", c)
	}
	w.hear(paid(first), paid(second))
	if w.latest().Status != dunning.Recovered {
		t.Errorf("%s", w.latest().Status)
	}
}

func TestVoidingWhatWasPromisedWithdrawsIt(t *testing.T) {
	w := setup(t)
	i := w.failed("in_1", "insufficient_funds")
	w.hear(i)
	p := w.mustPromise(dunning.PromiseCharge, 5, "customer")
	i.Status = "void"
	w.hear(i)
	if w.stored(p.ID).Status != dunning.PromiseWithdrawn || w.latest().Status != dunning.Canceled {
		t.Errorf("%s, case %s", w.stored(p.ID).Status, w.latest().Status)
	}
}

func TestPromisesHaveLimits(t *testing.T) {
	w := setup(t)
	w.hear(w.failed("in_1", "insufficient_funds"))
	for _, days := range []int{0, 15, -1} {
		_, err := w.promise(dunning.PromiseCharge, days, "customer")
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%d days ahead: %v", days, err)
		}
	}
	_, err := w.promise(dunning.PromiseCharge, 61, "Sam")
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("staff, 61 days ahead: %v", err)
	}
	w.mustPromise(dunning.PromiseCharge, 3, "customer")
	w.now = w.now.Add(time.Hour)
	w.mustPromise(dunning.PromiseCharge, 14, "customer")
	w.now = w.now.Add(time.Hour)
	_, err = w.promise(dunning.PromiseCharge, 5, "customer")
	if !fault.Is(err, fault.TooMany) {
		t.Errorf("a third: %v", err)
	}
	w.mustPromise(dunning.PromiseCharge, 40, "Sam")
	if len(w.resting()) != 1 {
		t.Errorf("rests for %v", w.resting())
	}
}

func TestAPromiseIsNoWayPastAnAnnouncedDay(t *testing.T) {
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, rome)
	c := dunning.Case{ConsequenceAt: time.Date(2026, 11, 6, 10, 0, 0, 0, rome).Unix()}
	days := dunning.DefaultPromiseRules().PromiseDays(c, now, rome)
	if len(days) != 4 || days[3].Format(time.DateOnly) != "2026-11-06" {
		t.Errorf("days offered: %v", days)
	}
	beyond := dunning.PromiseRules{Days: 14, PerCase: 2, BeyondNotice: true}
	if len(beyond.PromiseDays(c, now, rome)) != 14 {
		t.Error("the policy allows it and it is not offered")
	}
	c.ConsequenceAt = now.Add(-day).Unix() // took place or waits for a person: no date is announced any more
	if len(dunning.DefaultPromiseRules().PromiseDays(c, now, rome)) != 14 {
		t.Error("a day that has passed limits nothing")
	}
}

func TestAPromiseOfAHardDeclineIsNotTaken(t *testing.T) {
	w := setup(t)
	w.hear(w.failed("in_1", "stolen_card"))
	_, err := w.promise(dunning.PromiseCharge, 3, "customer")
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("%v", err)
	}
	w.mustPromise(dunning.PromiseSelf, 3, "customer")
}

func TestNobodyWithdrawsAPromiseThatIsBeingCharged(t *testing.T) {
	w := setup(t)
	w.hear(w.failed("in_1", "insufficient_funds"))
	p := w.mustPromise(dunning.PromiseCharge, 3, "customer")
	w.now = time.Unix(p.DueAt, 0).In(rome)
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		charge, _, _, err := w.cases.BeginCharging(ctx, tx, p.ID, w.now)
		if len(charge) != 1 {
			t.Errorf("to be charged: %v", charge)
		}
		return err
	})
	err := w.db.Do(t.Context(), func(tx *sql.Tx) error {
		return w.cases.WithdrawPromise(t.Context(), tx, p.CaseID, "customer", w.now)
	})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("withdrawn while it is charged: %v", err)
	}
	w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Resume(ctx, tx, p.CaseID, "Sam", w.now) })
	if w.stored(p.ID).Status != dunning.PromiseActive || len(w.resting()) != 1 {
		t.Error("lifting all pauses ended a promise that is being charged")
	}
}

func TestLiftingThePauseWithdrawsThePromise(t *testing.T) {
	w := setup(t)
	w.hear(w.failed("in_1", "insufficient_funds"))
	p := w.mustPromise(dunning.PromiseCharge, 3, "customer")
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		return w.cases.Resume(ctx, tx, p.CaseID, "Sam", w.now, dunning.PausePromise)
	})
	if w.stored(p.ID).Status != dunning.PromiseWithdrawn || w.stored(p.ID).EndedBy != "Sam" {
		t.Errorf("%+v", w.stored(p.ID))
	}
}

// A reminder that was held back by a pause leaves after it: the days of the pause are counted by its end, not again
// by the mail that left late.
func TestDaysOfAPauseCountOnceThoughAMailWaitedForItsEnd(t *testing.T) {
	w := setup(t)
	w.hear(w.failed("in_1", "insufficient_funds"))
	w.now = time.Unix(w.latest().NextStepAt, 0).In(rome)
	c := w.latest()
	w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Advance(ctx, tx, c.ID, w.now) })
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		return w.cases.Pause(ctx, tx, c.ID, dunning.PauseStaff, "", "Sam", time.Time{}, w.now)
	})
	w.now = w.now.Add(5 * day)
	w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Resume(ctx, tx, c.ID, "Sam", w.now) })
	for _, n := range w.notices() {
		if n.Kind == outbox.Reminder && n.Channel == outbox.Email {
			w.do(func(ctx context.Context, tx *sql.Tx) error {
				err := outbox.Settle(ctx, tx, n.ID, outbox.Sent, "", w.now.Unix())
				if err != nil {
					return err
				}
				return left(ctx, tx, w.cases, n, w.now)
			})
		}
	}
	if w.latest().RestedDays != 5 {
		t.Errorf("%d days don't count, the case rested for 5", w.latest().RestedDays)
	}
}

func TestAClaimRestsForBusinessDays(t *testing.T) {
	w := setup(t)
	who := billing.Customer{ID: "cus_1", Country: "IT"}
	for said, until := range map[string]string{
		"2026-11-02T10:00": "2026-11-10T00:00", // Monday: the next Monday is the fifth business day
		"2026-11-06T23:30": "2026-11-14T00:00", // Friday night
		"2026-11-07T10:00": "2026-11-14T00:00", // Saturday
	} {
		now, err := time.ParseInLocation("2006-01-02T15:04", said, rome)
		if err != nil {
			t.Fatal(err)
		}
		got := w.cases.ClaimUntil(who, now).In(rome).Format("2006-01-02T15:04")
		if got != until {
			t.Errorf("said %s: until %s, want %s", said, got, until)
		}
	}
}

// Promises that are read together each have what they were about, oldest invoice first.
func TestEachPromiseNamesItsOwnInvoices(t *testing.T) {
	w := setup(t)
	first := w.failed("in_2", "insufficient_funds")
	w.hear(first)
	w.mustPromise(dunning.PromiseSelf, 5, "customer")
	w.now = w.now.Add(2 * day)
	second := w.failed("in_1", "insufficient_funds")
	w.hear(first, second)
	w.mustPromise(dunning.PromiseSelf, 5, "customer")
	var named [][]string
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		all, err := w.cases.PromisesOf(ctx, tx, "cus_1")
		for _, p := range all {
			var ids []string
			for _, i := range p.Invoices {
				ids = append(ids, i.Invoice)
			}
			named = append(named, ids)
		}
		return err
	})
	if want := [][]string{{"in_2"}, {"in_2", "in_1"}}; !slices.EqualFunc(named, want, slices.Equal) {
		t.Errorf("they name %v, want %v", named, want)
	}
}

// dispute keeps what Stripe says of a dispute, and lets the cases follow.
func (w *world) dispute(id, status string, created time.Time) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		d := billing.Dispute{
			ID: id, CustomerID: "cus_1", Status: status, Reason: "fraudulent", Amount: billing.Money{Minor: 2900, Currency: "eur"},
			CreatedAt: created.Unix(), SyncedAt: w.now.Unix(),
		}
		_, err := billing.SaveDispute(ctx, tx, d)
		if err != nil {
			return err
		}
		return w.cases.Disputed(ctx, tx, d, w.now)
	})
}

// A case rests for a dispute that was lost, and its customer chooses a day to be charged. A second dispute takes that day
// back as the first would have.
func TestASecondDisputeTakesBackTheDayOfACharge(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"needs_response", "lost"} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.hear(w.failed("in_1", "insufficient_funds"))
			w.dispute("dp_1", "lost", w.now)
			w.now = w.now.Add(day)
			p := w.mustPromise(dunning.PromiseCharge, 5, "customer")
			w.now = w.now.Add(day)
			w.hear(w.failed("in_1", "insufficient_funds"))
			if got := w.stored(p.ID).Status; got != dunning.PromiseActive {
				t.Fatalf("the promise is %s because of the dispute that was over before", got)
			}
			w.dispute("dp_2", status, w.now)
			if got := w.stored(p.ID).Status; got != dunning.PromiseWithdrawn || !slices.Equal(w.resting(), []dunning.PauseReason{dunning.PauseDispute}) {
				t.Errorf("the promise is %s, the case rests for %v", got, w.resting())
			}
		})
	}
}

// Somebody chooses a day to be charged while their bank looks into a payment. Nothing is charged as long as it does, unless
// staff have decided that the case goes on all the same.
func TestNothingIsChargedByItselfWhileADisputeRuns(t *testing.T) {
	t.Parallel()
	for name, resumed := range map[string]bool{"rests": false, "resumed by staff": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.hear(w.failed("in_1", "insufficient_funds"))
			w.dispute("dp_1", "under_review", w.now)
			w.now = w.now.Add(day)
			if resumed {
				c := w.latest()
				w.do(func(ctx context.Context, tx *sql.Tx) error {
					return w.cases.Resume(ctx, tx, c.ID, "Sam", w.now, dunning.PauseDispute)
				})
			}
			p := w.mustPromise(dunning.PromiseCharge, 3, "customer")
			w.now = time.Unix(p.DueAt, 0).In(rome)
			w.do(func(ctx context.Context, tx *sql.Tx) error {
				charge, why, waits, err := w.cases.BeginCharging(ctx, tx, p.ID, w.now)
				if (len(charge) == 1) != resumed || (why == "") != resumed || waits {
					t.Errorf("to be charged: %v, %q", charge, why)
				}
				if err != nil || resumed {
					return err
				}
				return w.cases.BreakPromise(ctx, tx, p.ID, why, w.now)
			})
			if got := w.stored(p.ID); !resumed && (got.Status != dunning.PromiseWithdrawn || !got.Disputed()) {
				t.Errorf("the day ended as %s, %q", got.Status, got.Why)
			}
		})
	}
}
