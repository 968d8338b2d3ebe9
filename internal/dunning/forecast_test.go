package dunning_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
)

const small = `name: small
title: Small
steps:
  - key: first
    day: 1
    at: "10:00"
    channels: [email]
`

func parsed(t *testing.T, document string) campaign.Campaign {
	t.Helper()
	c, err := campaign.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What leaves until tomorrow is told by hour and step with what moved it, as the campaigns are and as a written
// document would have it; and nothing is changed by asking.
func TestWhatLeavesUntilTomorrow(t *testing.T) {
	t.Parallel()
	w := setup(t)
	first := parsed(t, small)
	first.Version = 1
	w.cases = dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Campaigns{first}), Policy: contact.DefaultPolicy(), Zone: time.UTC})
	w.hear(w.failed("in_1", "insufficient_funds")) // Monday; the first message is due on Tuesday at 10
	before := w.latest()
	leaves := func(written *campaign.Campaign, until time.Time) []dunning.Leaving {
		var all []dunning.Leaving
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			var err error
			all, err = w.cases.Leaves(ctx, tx, written, until, w.now, rome)
			return err
		})
		return all
	}
	if got := leaves(nil, w.now.Add(24*time.Hour)); len(got) != 0 {
		t.Errorf("until Tuesday at 7:30: %+v", got)
	}
	got := leaves(nil, w.now.Add(27*time.Hour))
	if len(got) != 1 || got[0].Cases != 1 || got[0].Step != "first" || !got[0].Hour.Equal(time.Date(2026, 11, 3, 10, 0, 0, 0, rome)) || len(got[0].Why) != 0 {
		t.Errorf("until Tuesday at 10:30: %+v", got)
	}
	if n := w.due(w.now.Add(27 * time.Hour)); n != 1 {
		t.Errorf("%d cases take a step until Tuesday at 10:30", n)
	}
	sooner := parsed(t, "name: small\ntitle: Small\nsteps:\n  - key: first\n    day: 0\n    at: \"07:00\"\n    channels: [email]\n")
	got = leaves(&sooner, w.now.Add(24*time.Hour))
	if len(got) != 1 || !got[0].Hour.Equal(time.Date(2026, 11, 2, 9, 0, 0, 0, rome)) || got[0].Why[contact.ReasonHours] != 1 {
		t.Errorf("as written: %+v", got)
	}
	other := parsed(t, "name: other\n"+small[len("name: small\n"):])
	if got = leaves(&other, w.now.Add(27*time.Hour)); len(got) != 1 || got[0].Campaign != "small" {
		t.Errorf("another campaign's document changes it: %+v", got)
	}
	if w.latest() != before {
		t.Error("asking changed the case")
	}
}

// Where Stripe itself mails about failures our first steps are told as what they are, by the app alone or not at all, and so
// is a step to somebody who wants no mail.
func TestWhatLeavesGoesTheWaysItWillGo(t *testing.T) {
	t.Parallel()
	both := parsed(t, strings.Replace(small, "[email]", "[email, app]", 1))
	both.Version = 1
	mailed := parsed(t, small)
	mailed.Version = 1
	app := []outbox.Channel{outbox.App}
	for name, c := range map[string]struct {
		plan        campaign.Campaign
		stripeMails bool
		noMail      bool
		by          []outbox.Channel
		messages    int
	}{
		"as the campaign says":                   {plan: both, by: []outbox.Channel{outbox.Email, outbox.App}, messages: 1},
		"Stripe mails, the app tells":            {plan: both, stripeMails: true, by: app, messages: 1},
		"Stripe mails, though it was mail alone": {plan: mailed, stripeMails: true, by: app, messages: 1},
		"they want no mail, the app tells":       {plan: both, noMail: true, by: app, messages: 1},
		"no mail, though it was mail alone":      {plan: mailed, noMail: true, by: app, messages: 1},
	} {
		w := setup(t)
		w.cases = dunning.NewCases(dunning.Rules{
			Campaigns: campaign.NewStore(campaign.Campaigns{c.plan}), Policy: contact.DefaultPolicy(), Zone: time.UTC, StripeMails: c.stripeMails,
		})
		w.hear(w.failed("in_1", "insufficient_funds"))
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			_, err := w.cases.Choose(ctx, tx, "cus_1", func(chosen contact.Choices) contact.Choices {
				chosen.NoMail, chosen.Source = c.noMail, contact.FromPage
				return chosen
			}, w.now)
			return err
		})
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			leaves, err := w.cases.Leaves(ctx, tx, nil, w.now.Add(27*time.Hour), w.now, rome)
			if err != nil {
				return err
			}
			if len(leaves) != 1 || !slices.Equal(leaves[0].Channels, c.by) {
				t.Errorf("%s: %+v", name, leaves)
			}
			past, err := w.cases.Rehearse(ctx, tx, campaign.Campaigns{c.plan}, w.now, w.now.Add(48*time.Hour))
			if past.Messages() != c.messages {
				t.Errorf("%s: %d messages would have gone out", name, past.Messages())
			}
			return err
		})
	}
}

// due is how many cases are told to take a step by themselves by the instant.
func (w *world) due(by time.Time) (n int) {
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		var err error
		n, err = w.cases.CountDue(ctx, tx, by)
		return err
	})
	return n
}

// A consequence that nobody is sure was announced is not counted among what comes by itself, neither before its day nor
// while it waits; one that was announced is.
func TestWhatWaitsForAPersonDoesNotComeByItself(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		outcome       outbox.Status
		alone, person int
	}{{outbox.Sent, 1, 0}, {outbox.Uncertain, 0, 1}} {
		w := setup(t)
		w.hear(w.failed("in_1", "do_not_honor"))
		for range 3 {
			w.next(c.outcome)
		}
		by := time.Unix(w.latest().NextStepAt, 0).Add(time.Hour)
		due := w.due(by)
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			leaves, err := w.cases.Leaves(ctx, tx, nil, by, w.now, rome)
			alone, person := dunning.Total(leaves)
			if alone != c.alone || person != c.person || due != c.alone {
				t.Errorf("announced by a mail that is %s: %d go out and %d wait, %d are due", c.outcome, alone, person, due)
			}
			return err
		})
	}
	w, _ := held(t)
	if n := w.due(w.now.Add(96 * time.Hour)); n != 0 {
		t.Errorf("%d come by themselves while it waits", n)
	}
}
