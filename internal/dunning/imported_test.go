package dunning_test

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
)

// connect says that the installation listens to Stripe from now on.
func (w *world) connect() {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		return database.SetSetting(ctx, tx, dunning.SettingConnected, strconv.FormatInt(w.now.Unix(), 10))
	})
}

// told is hear with events of Stripe's that a charge of the named invoices failed.
func (w *world) told(invoices []billing.Invoice, names ...string) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		who := billing.Customer{ID: "cus_1", Name: "Chiara Bellini", Email: "chiara@bellini.example", Country: "IT"}
		err := billing.Save(ctx, tx, billing.Account{Customer: who, Invoices: invoices}, w.now.Unix())
		if err != nil {
			return err
		}
		return w.cases.Reconsider(ctx, tx, "cus_1", w.now, names...)
	})
}

// rests reports whether the customer's case waits to be released.
func (w *world) rests() bool {
	w.t.Helper()
	resting := false
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		active, err := w.cases.ActivePauses(ctx, tx, w.latestIn(tx).ID)
		for _, p := range active {
			resting = resting || p.Reason == dunning.PauseImported
		}
		return err
	})
	return resting
}

// Whatever happens to an imported customer, only a failure that is news starts their reminders.
func TestWhatEndsTheRestOfAnImportedCase(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		then  func(w *world, old billing.Invoice)
		rests bool
	}{
		"Stripe tries the old invoice again, which whoever tells leaves out": {func(w *world, old billing.Invoice) {
			for n := range int64(4) {
				old.AttemptCount = 1 + n
				w.told([]billing.Invoice{old})
			}
		}, true},
		"its failure is told after other news of it": {func(w *world, old billing.Invoice) {
			w.told([]billing.Invoice{old}, old.ID)
		}, false},
		"a further invoice fails": {func(w *world, old billing.Invoice) {
			w.told([]billing.Invoice{old, w.failed("in_new", "insufficient_funds")}, "in_new")
		}, false},
		"a further invoice fails and nobody tells": {func(w *world, old billing.Invoice) {
			w.hear(old, w.failed("in_new", "insufficient_funds"))
		}, false},
		"a bank debit from before fails": {func(w *world, old billing.Invoice) {
			debit := w.failed("in_debit", "insufficient_funds")
			debit.FailedAt = old.FailedAt // Stripe dates a debit's charge by its beginning
			w.told([]billing.Invoice{old, debit}, "in_debit")
		}, false},
		"another old invoice turns up, nobody told": {func(w *world, old billing.Invoice) {
			other := w.failed("in_other", "insufficient_funds")
			other.FailedAt = old.FailedAt
			w.hear(old, other)
		}, true},
		"a part is paid": {func(w *world, old billing.Invoice) {
			old.AmountRemaining -= 100
			w.hear(old)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			old := w.failed("in_old", "insufficient_funds")
			w.now = w.now.Add(time.Hour)
			w.connect()
			w.hear(old)
			if !w.rests() {
				t.Fatal("an old failure that nobody told starts by itself")
			}
			w.now = w.now.Add(24 * time.Hour)
			c.then(w, old)
			if w.rests() != c.rests {
				t.Errorf("rests is %v", w.rests())
			}
		})
	}
}

// A new case rests when all in it is from before the connection, unless Stripe told us of a failure.
func TestWhatANewCaseStartsWith(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		since time.Duration // from the failure to the connection
		told  []string
		rests bool
	}{
		"old":                 {time.Hour, nil, true},
		"old, told":           {time.Hour, []string{"in_old"}, false},
		"old, another's told": {time.Hour, []string{"in_elsewhere"}, true},
		"in the same second":  {0, nil, false},
		"one second too old":  {time.Second, nil, true},
		"new":                 {-time.Hour, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			old := w.failed("in_old", "insufficient_funds")
			w.now = w.now.Add(c.since)
			w.connect()
			w.now = w.now.Add(2 * time.Hour)
			w.told([]billing.Invoice{old}, c.told...)
			if w.rests() != c.rests {
				t.Errorf("rests is %v", w.rests())
			}
		})
	}
}

// Two colleagues who release the same case start it once, and a later day is kept by the pause's end.
func TestReleasing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	old := w.failed("in_old", "insufficient_funds")
	w.now = w.now.Add(time.Hour)
	w.connect()
	w.hear(old)
	from := w.now.Add(48 * time.Hour)
	for n := range 2 {
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			did, err := w.cases.Release(ctx, tx, w.latestIn(tx).ID, "Ines", from, w.now)
			if did != (n == 0) {
				t.Errorf("release %d did %v", n+1, did)
			}
			return err
		})
	}
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		n, err := w.cases.CountUnreleased(ctx, tx)
		if n != 0 {
			t.Errorf("%d wait to be released", n)
		}
		return err
	})
	if !w.rests() {
		t.Error("it starts before its day")
	}
	w.now = from
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		_, err := endPauses(ctx, tx, w.cases, w.now)
		return err
	})
	if w.rests() || w.latest().NextStepAt == 0 {
		t.Error("its day has come and it does not start")
	}
}

// What a release would bring is foreseen as it will be decided: a step with a condition comes where it holds.
func TestAReleaseIsForeseen(t *testing.T) {
	t.Parallel()
	w := setup(t)
	old := w.failed("in_old", "insufficient_funds")
	w.cases = dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Campaigns{parsed(t, strings.Replace(picky, "1000000", "100", 1))}), Policy: contact.DefaultPolicy(), Zone: time.UTC})
	w.now = w.now.Add(time.Hour)
	w.connect()
	w.hear(old)
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		all, err := w.cases.ReleaseOf(ctx, tx, []string{w.latestIn(tx).ID}, time.UTC, w.now)
		if len(all) != 1 || !all[0].Comes || all[0].First.Step.Key != "large" || all[0].Channel != outbox.Email {
			t.Errorf("it foresees %+v", all)
		}
		return err
	})
}
