package dunning_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
)

// Of two invoices of an exhausted case one was written off and stays, the open one goes over to a new case. What was written
// off is paid after that: the old case is recovered, whether that was paid alone or together with the rest.
func TestAWrittenOffInvoiceThatStayedBehindIsCreditedOncePaid(t *testing.T) {
	t.Parallel()
	for name, together := range map[string]bool{"together": true, "first": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			given, open := w.failed("in_1", "do_not_honor"), w.failed("in_2", "do_not_honor")
			w.hear(given, open)
			for step := "x"; step != ""; {
				step, _ = w.next(outbox.Sent)
			}
			exhausted := w.latest()
			given.Status = "uncollectible"
			w.hear(given, open)
			w.now = w.now.Add(20 * 24 * time.Hour)
			further := w.failed("in_3", "do_not_honor")
			w.hear(given, open, further)
			if w.latest().ID == exhausted.ID {
				t.Fatal("no new case began")
			}
			for range 2 {
				w.next(outbox.Sent)
			}
			w.now = w.now.Add(24 * time.Hour)
			given = paid(given)
			given.PaidAt = w.now.Unix()
			if !together {
				w.hear(given, open, further)
				if n := w.count(outbox.Settled); n != 0 {
					t.Errorf("told %d times that all is settled while two invoices are open", n)
				}
				w.now = w.now.Add(24 * time.Hour)
			}
			open, further = paid(open), paid(further)
			open.PaidAt, further.PaidAt = w.now.Unix(), w.now.Unix()
			for range 2 {
				w.hear(given, open, further)
			}
			w.do(func(ctx context.Context, tx *sql.Tx) error {
				c, err := w.cases.Find(ctx, tx, exhausted.ID)
				if c.Status != dunning.Recovered {
					t.Errorf("the old case is %s", c.Status)
				}
				return err
			})
			if c := w.latest(); c.Status != dunning.Recovered {
				t.Errorf("the new case is %s", c.Status)
			}
			if n := w.count(outbox.Settled); n != 1 {
				t.Errorf("told %d times that all is settled", n)
			}
		})
	}
}
