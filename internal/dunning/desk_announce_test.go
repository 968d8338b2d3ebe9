package dunning_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

func (w *world) announceAgain() error {
	return w.db.Do(w.t.Context(), func(tx *sql.Tx) error {
		return w.cases.AnnounceAgain(w.t.Context(), tx, w.latestIn(tx).ID, "Ines", w.now)
	})
}

func (w *world) story() string {
	w.t.Helper()
	var all []dunning.Entry
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		c, err := w.cases.LatestOf(ctx, tx, "cus_1")
		if err != nil {
			return err
		}
		all, err = w.cases.Story(ctx, tx, c.ID)
		return err
	})
	return all[len(all)-1].What
}

// held brings the case to the consequence nobody is sure was announced, and lets the schedule find it so.
func held(t *testing.T) (*world, billing.Invoice) {
	t.Helper()
	w := setup(t)
	i := w.failed("in_1", "do_not_honor")
	w.hear(i)
	for range 3 {
		w.next(outbox.Uncertain)
	}
	w.look()
	if w.story() != "waits" {
		t.Fatalf("the case stands at %q", w.story())
	}
	return w, i
}

// look moves the clock to the case's next look and takes it.
func (w *world) look() {
	w.t.Helper()
	c := w.latest()
	w.now = time.Unix(c.NextStepAt, 0).In(rome)
	w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Advance(ctx, tx, c.ID, w.now) })
}

// leave hands over the mail that waits, as a sender would once it is due.
func (w *world) leave(outcome outbox.Status) {
	w.t.Helper()
	for _, n := range w.notices() {
		if n.Status != outbox.Queued || n.Channel != outbox.Email {
			continue
		}
		w.now = time.Unix(max(n.DueAt, w.now.Unix()), 0).In(rome)
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			say, err := w.wanted(ctx, tx, n, w.now)
			if err != nil {
				return err
			}
			if !say.Go {
				w.t.Fatalf("the mail may not leave when it is due: %+v", say)
			}
			err = outbox.Settle(ctx, tx, n.ID, outcome, "", w.now.Unix())
			if err != nil {
				return err
			}
			return left(ctx, tx, w.cases, n, w.now)
		})
	}
}

func TestAConsequenceAnnouncedAgainComesFourDaysLater(t *testing.T) {
	t.Parallel()
	w, _ := held(t)
	asked := w.now
	err := w.announceAgain()
	if err != nil {
		t.Fatal(err)
	}
	c := w.latest()
	date := time.Unix(c.ConsequenceAt, 0).In(rome)
	if date.Before(asked.Add(4*24*time.Hour)) || !contact.DefaultPolicy().Allowed(date, []*time.Location{rome}) || c.NextStepAt != c.ConsequenceAt {
		t.Errorf("announced for %s, looked at %s, asked %s", date, time.Unix(c.NextStepAt, 0).In(rome), asked)
	}
	if w.story() != "announced" {
		t.Errorf("the story ends with %q", w.story())
	}
	again := w.announceAgain()
	if !fault.Is(again, fault.Conflict) {
		t.Errorf("a second press while the mail waits: %v", again)
	}
	w.leave(outbox.Sent)
	if got := w.latest(); got.ConsequenceAt != date.Unix() || got.NextStepAt != date.Unix() {
		t.Errorf("the date moved to %s when the mail left", time.Unix(got.ConsequenceAt, 0).In(rome))
	}
	w.look()
	if got := w.latest(); got.Access != campaign.Restricted || !w.now.Equal(date) {
		t.Errorf("access is %s at %s", got.Access, w.now)
	}
	err = w.announceAgain()
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("with nothing held: %v", err)
	}
}

func TestAConsequenceAnnouncedAgainInVainGoesOnWaiting(t *testing.T) {
	t.Parallel()
	w, i := held(t)
	for range 2 {
		err := w.announceAgain()
		if err != nil {
			t.Fatal(err)
		}
		w.leave(outbox.Uncertain)
		w.look()
		if c := w.latest(); c.Access != campaign.Grace || w.story() != "waits" {
			t.Errorf("access %s, the story ends with %q", c.Access, w.story())
		}
	}
	w.hear(paid(i))
	err := w.announceAgain()
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("after payment: %v", err)
	}
}

func TestAnnouncingAgainKeepsTheGap(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	for range 3 {
		w.next(outbox.Uncertain)
	}
	last := w.now // the announcement itself, a minute ago
	w.now = w.now.Add(time.Minute)
	err := w.announceAgain()
	if err != nil {
		t.Fatal(err)
	}
	date := w.latest().ConsequenceAt
	w.leave(outbox.Sent)
	if w.now.Before(last.Add(24*time.Hour)) || date < w.now.Add(4*24*time.Hour).Unix() {
		t.Errorf("left %s after %s, for %s", w.now, last, time.Unix(date, 0).In(rome))
	}
	if got := w.latest(); got.ConsequenceAt != date || got.NextStepAt != date {
		t.Errorf("named %s, comes %s", time.Unix(date, 0).In(rome), time.Unix(got.NextStepAt, 0).In(rome))
	}
}

func TestNothingIsAnnouncedAgainWhileItRestsOrToNobody(t *testing.T) {
	t.Parallel()
	w, i := held(t)
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		return w.cases.Pause(ctx, tx, w.latestIn(tx).ID, dunning.PauseStaff, "", "Ines", time.Time{}, w.now)
	})
	err := w.announceAgain()
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("while it rests: %v", err)
	}
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		err := w.cases.Resume(ctx, tx, w.latestIn(tx).ID, "Ines", w.now)
		if err != nil {
			return err
		}
		return billing.Save(ctx, tx, billing.Account{Customer: billing.Customer{ID: "cus_1", Country: "IT"}, Invoices: []billing.Invoice{i}}, w.now.Unix())
	})
	err = w.announceAgain()
	if !fault.Is(err, fault.Conflict) || fault.MessageOf(err) != "There is no address to write to." {
		t.Errorf("to nobody: %v", err)
	}
	if n := len(w.notices()); n != 6 {
		t.Errorf("%d notices", n)
	}
}

func (w *world) latestIn(tx *sql.Tx) dunning.Case {
	w.t.Helper()
	c, err := w.cases.LatestOf(w.t.Context(), tx, "cus_1")
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}
