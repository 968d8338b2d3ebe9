package dunning_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
)

// walks lets the world's cases begin with a campaign.
func (w *world) walks(document string) {
	w.t.Helper()
	store := campaign.NewStore(campaign.Campaigns{parsed(w.t, document)})
	w.cases = dunning.NewCases(dunning.Rules{Campaigns: store, Policy: contact.DefaultPolicy(), Zone: time.UTC})
}

// told takes the case's looks until a mail of the step has left.
func (w *world) hears(step string) {
	w.t.Helper()
	for range 20 {
		w.look()
		w.leave(outbox.Sent)
		for _, n := range w.notices() {
			if n.Step == step && n.Status == outbox.Sent {
				return
			}
		}
	}
	w.t.Fatalf("no mail of step %s left", step)
}

// taken answers how the step was taken.
func (w *world) taken(step string) dunning.Decision {
	w.t.Helper()
	var d dunning.Decision
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		all, err := w.cases.Decisions(ctx, tx, w.latestID(ctx, tx))
		i := slices.IndexFunc(all, func(d dunning.Decision) bool { return d.What == dunning.Taken && d.Step == step })
		if i < 0 {
			w.t.Fatalf("step %s was not taken: %q", step, w.decisions())
		}
		d = all[i]
		return err
	})
	return d
}

const closeBy = `name: close-by
title: Close by
steps:
  - {key: notice, day: 1, at: "10:00", channels: [email], announces: true}
  - {key: reminder, day: 9, at: "10:00", channels: [email]}
  - {key: restricted, day: 10, at: "10:00", channels: [email], access: restricted, consequence: true}
`

// A reminder shortly before the day that was announced in time names that day, and does not put it off.
func TestAReminderLeavesTheAnnouncedDayWhereItIs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.walks(closeBy)
	w.hear(w.failed("in_1", "do_not_honor")) // on Monday 2 November
	day := time.Date(2026, 11, 12, 10, 0, 0, 0, rome)
	for _, step := range []string{"notice", "reminder"} {
		w.hears(step)
		if got := time.Unix(w.latest().ConsequenceAt, 0); !got.Equal(day) {
			t.Errorf("after %s the announced day is %s", step, got.In(rome))
		}
	}
	w.hears("restricted")
	if got := time.Unix(w.taken("restricted").At, 0); !got.Equal(day) {
		t.Errorf("it came on %s", got.In(rome))
	}
}

// What the customer reads of the plan before anything was said holds the least notice already, and comes to pass; that the
// campaign alone would have come sooner is told with what moved it.
func TestTheLeastNoticeIsPlannedFromTheBeginning(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.now = time.Date(2026, 11, 5, 7, 30, 0, 0, rome) // a Thursday: the notice of day 9 falls on a Saturday
	w.hear(w.failed("in_1", "do_not_honor"))
	outlook := w.outlook()
	planned := outlook[len(outlook)-1].At
	w.hears("restricted")
	taken := w.taken("restricted")
	if !planned.Equal(time.Unix(taken.At, 0)) || taken.At-w.taken("notice").At < int64(4*24*time.Hour/time.Second) {
		t.Errorf("planned for %s, taken on %s", planned.In(rome), time.Unix(taken.At, 0).In(rome))
	}
	if wanted := time.Unix(taken.Details.Wanted, 0); !wanted.Equal(time.Date(2026, 11, 19, 10, 0, 0, 0, rome)) || !slices.Contains(taken.Details.Moved, dunning.ReasonAnnounced) {
		t.Errorf("the campaign wanted it on %s; moved by %q", wanted.In(rome), taken.Details.Moved)
	}
}

// Days that rest move an announced day with them, so that pages tell the day that really comes.
func TestAnAnnouncedDayMovesWithTheDaysThatRest(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.walks(closeBy)
	w.hear(w.failed("in_1", "do_not_honor"))
	w.hears("notice")
	c := w.latest()
	for _, days := range []int{2, 20} { // the second rest lasts past the day
		before := w.latest()
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			return w.cases.Pause(ctx, tx, c.ID, dunning.PauseStaff, "", "giulia", time.Time{}, w.now)
		})
		w.now = w.now.AddDate(0, 0, days)
		w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Resume(ctx, tx, c.ID, "giulia", w.now) })
		after := w.latest()
		if after.ConsequenceAt <= before.ConsequenceAt || after.ConsequenceAt <= w.now.Unix() {
			t.Errorf("after %d days of rest the announced day is %s, before %s", days, time.Unix(after.ConsequenceAt, 0).In(rome), time.Unix(before.ConsequenceAt, 0).In(rome))
		}
	}
	day := w.latest().ConsequenceAt
	w.hears("restricted")
	if taken := w.taken("restricted"); taken.At != day {
		t.Errorf("told for %s, taken on %s", time.Unix(day, 0).In(rome), time.Unix(taken.At, 0).In(rome))
	}
}

// Why a message waited is told also when the schedule looked a moment after the rule let it go.
func TestTheCapIsToldByWhoLooksLate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.walks(`name: eager
title: Eager
steps:
  - {key: a, day: 1, at: "10:00", channels: [email]}
  - {key: b, day: 2, at: "10:00", channels: [email]}
  - {key: c, day: 3, at: "10:00", channels: [email]}
  - {key: d, day: 7, at: "10:00", channels: [email]}
`)
	w.now = time.Date(2026, 11, 2, 7, 30, 0, 0, rome) // a Monday
	w.hear(w.failed("in_1", "do_not_honor"))
	for _, step := range []string{"a", "b", "c"} {
		w.hears(step)
	}
	c := w.latest()
	w.now = time.Unix(c.NextStepAt, 0).In(rome).Add(20 * time.Second)
	w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Advance(ctx, tx, c.ID, w.now) })
	if d := w.taken("d"); !slices.Contains(d.Details.Moved, contact.ReasonCap) {
		t.Errorf("wanted on %s, taken on %s, moved by %q", time.Unix(d.Details.Wanted, 0).In(rome), time.Unix(d.At, 0).In(rome), d.Details.Moved)
	}
}

// Somebody without any address is told in the app, whatever channels the campaign has, and what that announces holds.
func TestWhoHasNoAddressIsToldInTheApp(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.walks(closeBy)
	i := w.failed("in_1", "do_not_honor")
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		account := billing.Account{Customer: billing.Customer{ID: "cus_1", Name: "Chiara Bellini", Country: "IT"}, Invoices: []billing.Invoice{i}}
		err := billing.Save(ctx, tx, account, w.now.Unix())
		if err != nil {
			return err
		}
		return w.cases.Reconsider(ctx, tx, "cus_1", w.now)
	})
	w.look()
	if got := w.of("notice", outbox.App); len(got) != 1 || got[0].Status != outbox.Queued {
		t.Fatalf("in the app: %+v", got)
	}
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		shown, err := w.cases.Shown(ctx, tx, "cus_1", w.now)
		if !shown {
			t.Error("nothing was shown")
		}
		return err
	})
	for range 10 {
		if w.latest().Status == dunning.Open {
			w.look()
		}
	}
	if c := w.latest(); c.Access != campaign.Restricted {
		t.Errorf("the case is %s, access %s: %s", c.Status, c.Access, w.story())
	}
}

// A step whose time of the first day had passed before anything failed is told with what moved it to the next allowed hour.
func TestATimeThatHadPassedIsTold(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.walks(strings.Replace(closeBy, "day: 1,", "day: 0,", 1))
	w.now = time.Date(2026, 11, 2, 21, 0, 0, 0, rome)
	w.hear(w.failed("in_1", "do_not_honor"))
	w.hears("notice")
	d := w.taken("notice")
	if at := time.Unix(d.At, 0); !at.Equal(time.Date(2026, 11, 3, 9, 0, 0, 0, rome)) || !slices.Contains(d.Details.Moved, contact.ReasonHours) {
		t.Errorf("taken on %s, moved by %q", at.In(rome), d.Details.Moved)
	}
}

// The day that was told is that of the next thing to be taken away, also while its condition does not hold: it is not put
// off to the one after.
func TestAnAnnouncedDayOutlastsItsCondition(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.walks(`name: ladder
title: Ladder
steps:
  - {key: notice, day: 1, at: "10:00", channels: [email], announces: true}
  - {key: restricted, day: 10, at: "10:00", channels: [email], access: restricted, consequence: true, if: {amounts: {eur: {at_least: 5000}}}}
  - {key: warning, day: 14, at: "10:00", channels: [email], announces: true}
  - {key: suspended, day: 21, at: "10:00", channels: [email], access: suspended, consequence: true}
`)
	first, second := w.failed("in_1", "do_not_honor"), w.failed("in_2", "do_not_honor") // on Monday 2 November
	w.hear(first, second)
	w.hears("notice")
	day := time.Date(2026, 11, 12, 10, 0, 0, 0, rome)
	w.now = time.Date(2026, 11, 6, 12, 0, 0, 0, rome)
	w.hear(first, paid(second))
	w.now = time.Date(2026, 11, 9, 12, 0, 0, 0, rome)
	w.hear(first, paid(second), w.failed("in_3", "do_not_honor"))
	if got := time.Unix(w.latest().ConsequenceAt, 0); !got.Equal(day) {
		t.Errorf("the announced day is %s", got.In(rome))
	}
	w.hears("restricted")
	if got := time.Unix(w.taken("restricted").At, 0); !got.Equal(day) {
		t.Errorf("it came on %s", got.In(rome))
	}
}
