package dunning_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
	"sollecito/internal/webhook"
)

// listen makes an endpoint that wants to be told of everything.
func (w *world) listen() {
	w.t.Helper()
	endpoints, err := webhook.NewEndpoints(strings.Repeat("k", 40), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for _, t := range webhook.Types() {
		all = append(all, string(t))
	}
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		_, _, err := endpoints.Add(ctx, tx, "https://app.example.com/", all, w.now)
		return err
	})
}

// said answers what is to be told, in its order, in a few words each.
func (w *world) said() []string {
	w.t.Helper()
	var said []string
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		bodies, err := database.Strings(ctx, tx, `SELECT body FROM webhook_deliveries ORDER BY id`)
		for _, text := range bodies {
			var m struct {
				Type string
				Data struct{ From, To, Status, Reason string }
			}
			err := json.Unmarshal([]byte(text), &m)
			if err != nil {
				return err
			}
			words := m.Type
			if m.Data.To != "" {
				words = m.Data.From + "→" + m.Data.To + " by " + m.Data.Reason
			}
			said = append(said, words)
		}
		return err
	})
	return said
}

func (w *world) says(want ...string) {
	w.t.Helper()
	if got := w.said(); !slices.Equal(got, want) {
		w.t.Errorf("the app is told\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// A mail that comes back late undoes what rested on it, and the app is told that it has to.
func TestTheAppIsToldThatAConsequenceIsUndone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.listen()
	w.hear(w.failed("in_1", "do_not_honor"))
	for range 4 {
		w.next(outbox.Sent)
	}
	w.comesBack("notice", outbox.Hard)
	w.look()
	w.hear(paid(w.failed("in_1", "do_not_honor")))
	w.says("case.opened", "full→grace by step", "case.exhausted", "grace→restricted by step",
		"case.reopened", "restricted→grace by notice_bounced", "case.recovered", "grace→full by paid")
}

// An older case that ends while a newer one goes on gives nobody their access back: the newer one still takes it.
func TestAnOlderCaseThatEndsGivesNoAccessBack(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.listen()
	first := w.failed("in_1", "do_not_honor")
	first.CollectionMethod, first.DueAt = "send_invoice", w.now.Unix()
	w.hear(first)
	for range 4 {
		w.next(outbox.Sent)
	}
	if c := w.latest(); c.Status != dunning.Exhausted || c.Access != campaign.Restricted {
		t.Fatalf("the first case is %s with access %s", c.Status, c.Access)
	}
	// The first bill was given until next year when the next one fails.
	w.now = w.now.Add(24 * time.Hour)
	first.DueAt = w.now.AddDate(1, 0, 0).Unix()
	w.hear(first)
	w.now = w.now.Add(24 * time.Hour)
	second := w.failed("in_2", "do_not_honor")
	w.hear(first, second)
	if c := w.latest(); c.Status != dunning.Open || c.Access != campaign.Restricted {
		t.Fatalf("the second case is %s with access %s", c.Status, c.Access)
	}
	before := len(w.said())
	w.hear(paid(first), second)
	if got := w.said()[before:]; !slices.Equal(got, []string{"case.recovered"}) || w.latest().Access != campaign.Restricted {
		t.Errorf("when the first is paid the app is told %q, and access is %s", got, w.latest().Access)
	}
	w.hear(paid(first), paid(second))
	if got := w.said()[before+1:]; !slices.Equal(got, []string{"case.recovered", "restricted→full by paid"}) {
		t.Errorf("when all is paid the app is told %q", got)
	}
}

// Nobody who is gone stays locked out of the app by a case that ended unpaid: it hears that access is full again, once.
func TestWhoIsGoneIsNotLockedOutForEver(t *testing.T) {
	t.Parallel()
	for name, goes := range map[string]func(w *world){
		"erased": func(w *world) {
			w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Erase(ctx, tx, "cus_1", w.now) })
		},
		"deleted": func(w *world) {
			w.do(func(ctx context.Context, tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `UPDATE customers SET deleted = true WHERE id = 'cus_1'`)
				if err != nil {
					return err
				}
				return w.cases.Reconsider(ctx, tx, "cus_1", w.now)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.listen()
			w.hear(w.failed("in_1", "do_not_honor"))
			for range 4 {
				w.next(outbox.Sent)
			}
			w.do(func(ctx context.Context, tx *sql.Tx) error { return w.cases.Reconsider(ctx, tx, "cus_1", w.now) })
			if c := w.latest(); c.Status != dunning.Exhausted || c.Access != campaign.Restricted {
				t.Fatalf("the case is %s with access %s", c.Status, c.Access)
			}
			goes(w)
			goes(w)
			if c := w.latest(); c.Status != dunning.Exhausted || c.Access != campaign.Full {
				t.Errorf("the case is %s with access %s", c.Status, c.Access)
			}
			w.says("case.opened", "full→grace by step", "case.exhausted", "grace→restricted by step", "restricted→full by nothing_owed")
		})
	}
}

// What was written off and is paid after all is told as that, and took no access meanwhile.
func TestTheAppIsToldOfABillPaidAfterItWasWrittenOff(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.listen()
	bill := w.failed("in_1", "do_not_honor")
	w.hear(bill)
	for range 3 {
		w.next(outbox.Sent)
	}
	bill.Status = "uncollectible"
	w.hear(bill)
	w.hear(bill)
	w.hear(paid(bill))
	w.says("case.opened", "full→grace by step", "case.canceled", "grace→full by nothing_owed", "case.recovered")
}

// Where nobody listens nothing is kept.
func TestNothingIsKeptWhereNobodyListens(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	for range 4 {
		w.next(outbox.Sent)
	}
	w.says()
}
