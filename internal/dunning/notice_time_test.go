package dunning_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
)

// An act depends on a sum that is reached only after the mail which announced it, so that no day was told yet that could move
// when the customer first sees the banner. Only what a notice told of in good time is acted upon by itself.
func TestABannerSeenLateGivesNoNoticeOfAnActByItself(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		further, seen int // days after the first failure
		want          dunning.FinalStatus
	}{
		"seen shortly before":   {7, 8, dunning.FinalProposed},
		"seen in good time":     {4, 5, dunning.FinalOrdered},
		"seen before it failed": {7, 4, dunning.FinalProposed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			store := campaign.NewStore(campaign.Campaigns{parsed(t, `name: ending
title: Ending
steps:
  - {key: warning, day: 3, at: "11:00", channels: [email, app], announces: true}
  - {key: end, day: 10, at: "11:00", act: uncollectible, access: suspended, consequence: true, if: {amounts: {eur: {at_least: 5000}}}}
`)})
			w.cases = dunning.NewCases(dunning.Rules{Campaigns: store, Policy: contact.DefaultPolicy(), Zone: time.UTC, FinalActs: true})
			begun := w.now
			first := w.failed("in_1", "insufficient_funds")
			w.hear(first)
			w.hears("warning")
			further := func() {
				w.now = begun.AddDate(0, 0, tt.further)
				w.hear(first, w.failed("in_2", "insufficient_funds"))
			}
			if tt.further < tt.seen {
				further()
			}
			w.now = begun.AddDate(0, 0, tt.seen)
			w.do(func(ctx context.Context, tx *sql.Tx) error {
				shown, err := w.cases.Shown(ctx, tx, "cus_1", w.now)
				if !shown {
					t.Error("the banner was not shown")
				}
				return err
			})
			if tt.further > tt.seen {
				further()
			}
			for range 5 {
				if len(w.finals()) == 0 {
					w.look()
				}
			}
			if all := w.finals(); len(all) != 1 || all[0].Status != tt.want {
				t.Errorf("the act on %s: %+v", w.now.Format(time.DateTime), all)
			}
			if got := w.of("warning", outbox.App); len(got) != 1 || got[0].Status != outbox.Sent {
				t.Errorf("in the app: %+v", got)
			}
		})
	}
}

// finals answers the final act of the latest case, when there is one.
func (w *world) finals() []dunning.Final {
	w.t.Helper()
	var all []dunning.Final
	c := w.latest()
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		f, err := w.cases.FinalOf(ctx, tx, c.ID)
		if err == nil {
			all = append(all, f)
		}
		return nil
	})
	return all
}
