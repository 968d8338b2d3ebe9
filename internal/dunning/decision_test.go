package dunning_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
)

func (w *world) decisions() []string {
	w.t.Helper()
	var all []string
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		decided, err := w.cases.Decisions(ctx, tx, w.latestID(ctx, tx))
		for _, d := range decided {
			all = append(all, fmt.Sprintf("%s %s %s %s x%d", d.What, d.Step, d.Channel, d.Why, d.Times))
		}
		return err
	})
	return all
}

func (w *world) latestID(ctx context.Context, tx *sql.Tx) string {
	c, err := w.cases.LatestOf(ctx, tx, "cus_1")
	if err != nil {
		w.t.Fatal(err)
	}
	return c.ID
}

// Each decision is kept with its reason, and once however often it is made.
func TestDecisionsAreKeptOnceWithTheirReason(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.now = time.Date(2026, 11, 6, 16, 0, 0, 0, rome) // a Friday: the first message would be due on Saturday
	w.hear(w.failed("in_1", "insufficient_funds"))
	if got := w.decisions(); !slices.Equal(got, []string{"chosen   segment x1"}) {
		t.Errorf("after the opening: %q", got)
	}
	c := w.latest()
	w.now = time.Unix(c.NextStepAt, 0).In(rome)
	w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Advance(ctx, tx, c.ID, w.now) })
	var taken dunning.Decision
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		all, err := w.cases.Decisions(ctx, tx, c.ID)
		taken = all[len(all)-1]
		return err
	})
	if taken.What != dunning.Taken || taken.Step != "first" || taken.Details.Day != 1 || !slices.Contains(taken.Details.Moved, contact.ReasonHours) ||
		time.Unix(taken.Details.Wanted, 0).In(rome).Weekday() != time.Saturday || time.Unix(taken.At, 0).In(rome).Weekday() != time.Monday {
		t.Errorf("taken: %+v", taken)
	}

	// Its mail does not leave for two weeks: whatever looks at the next step says the same again.
	for range 50 {
		c = w.latest()
		w.now = time.Unix(c.NextStepAt, 0).In(rome)
		w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Advance(ctx, tx, c.ID, w.now) })
	}
	before := len(w.decisions())
	if !slices.Contains(w.decisions(), "put_off second  earlier_mail x50") {
		t.Errorf("while a mail waits: %q", w.decisions())
	}

	// The notice itself, put off for two reasons again and again, is two rows.
	n := w.notices()[0]
	for range 5 {
		for _, why := range []string{string(dunning.ReasonStripe), "451 try later"} {
			w.do(func(ctx context.Context, tx *sql.Tx) error {
				return w.cases.PutOffNotice(ctx, tx, n, why, w.now.Add(time.Hour), w.now)
			})
		}
	}
	if got := len(w.decisions()) - before; got != 2 {
		t.Errorf("ten put-offs for two reasons are %d rows", got)
	}

	// While sending is stopped, each reminder whose time has come is marked once.
	for range 3 {
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			return w.cases.StoppedNow(ctx, tx, w.now.Add(2*time.Hour), 10)
		})
	}
	if !slices.Contains(w.decisions(), "put_off first email stopped x1") {
		t.Errorf("while sending is stopped: %q", w.decisions())
	}
}

const picky = `name: picky
title: Picky
steps:
  - key: large
    if: {amounts: {eur: {at_least: 1000000}}}
    day: 1
    at: "10:00"
    channels: [email]
  - key: all
    day: 2
    at: "10:00"
    channels: [email]
  - key: expired
    if: {declines: [expired]}
    day: 3
    at: "10:00"
    channels: [email]
`

// A step that is not for the case is told as passed over when the case goes past it, and at its end.
func TestStepsPassedOverAreTold(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := parsed(t, picky)
	w.cases = dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Campaigns{c}), Policy: contact.DefaultPolicy(), Zone: time.UTC})
	w.hear(w.failed("in_1", "insufficient_funds"))
	step, _ := w.next(outbox.Sent)
	if step != "all" {
		t.Errorf("the first message is of step %q", step)
	}
	w.next(outbox.Sent)
	for _, want := range []string{"passed_over large  if x1", "passed_over expired  if x1", "taken all  step x1"} {
		if !slices.Contains(w.decisions(), want) {
			t.Errorf("%q is missing in %q", want, w.decisions())
		}
	}
	if got := w.latest().Status; got != dunning.Exhausted {
		t.Errorf("the case is %s", got)
	}
}

// A step's condition is asked when its time has come, not before: until then the case goes on, even where no other step is
// left, and what fails meanwhile joins it.
func TestAConditionIsAskedWhenTheStepsTimeHasCome(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := parsed(t, picky)
	w.cases = dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Campaigns{c}), Policy: contact.DefaultPolicy(), Zone: time.UTC})
	first := w.failed("in_1", "insufficient_funds") // on Monday 2 November
	w.hear(first)
	w.next(outbox.Sent)
	before := w.latest()
	if before.Status != dunning.Open || !time.Unix(before.NextStepAt, 0).Equal(time.Date(2026, 11, 5, 10, 0, 0, 0, rome)) {
		t.Fatalf("before the last step's time the case is %s and wants to be looked at on %s", before.Status, time.Unix(before.NextStepAt, 0).In(rome))
	}
	w.hear(first, w.failed("in_2", "expired_card"))
	if after := w.latest(); after.ID != before.ID {
		t.Error("a further invoice opened a case of its own")
	}
	step, at := w.next(outbox.Sent)
	if step != "expired" || !at.Equal(time.Date(2026, 11, 5, 10, 0, 0, 0, rome)) {
		t.Errorf("the last message is of step %q on %s", step, at)
	}
}

// A step whose time came and that was not for the case then does not come back when it would be later on.
func TestAStepPassedOverDoesNotComeBack(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := parsed(t, picky+"  - {key: end, day: 10, at: \"10:00\", channels: [email]}\n")
	w.cases = dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Campaigns{c}), Policy: contact.DefaultPolicy(), Zone: time.UTC})
	first := w.failed("in_1", "insufficient_funds") // on Monday 2 November
	w.hear(first)
	w.next(outbox.Sent)
	w.advance() // on Thursday at 10:00
	if !slices.Contains(w.decisions(), "passed_over expired  if x1") {
		t.Errorf("at its time the step is not passed over: %q", w.decisions())
	}
	w.now = w.now.AddDate(0, 0, 1)
	w.hear(first, w.failed("in_2", "expired_card"))
	step, at := w.next(outbox.Sent)
	if step != "end" || !at.Equal(time.Date(2026, 11, 12, 10, 0, 0, 0, rome)) {
		t.Errorf("the next message is of step %q on %s", step, at)
	}
	if got := w.latest(); got.Status != dunning.Exhausted || got.RestedDays != 0 {
		t.Errorf("the case is %s, with %d days that don't count", got.Status, got.RestedDays)
	}
}
