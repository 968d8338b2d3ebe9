package dunning_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
)

// News of a payment that happened by itself, held up by a broken mail server, waits for the morning; a receipt of what
// the customer did just now does not.
func TestThanksHeldUpIntoTheNightWaitForTheMorning(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.hear(w.failed("in_1", "do_not_honor"))
	w.next(outbox.Sent)
	w.hear(paid(w.failed("in_1", "do_not_honor")))
	var thanks outbox.Notice
	for _, n := range w.notices() {
		if n.Kind == outbox.Settled {
			thanks = n
		}
	}
	if thanks.ID == "" {
		t.Fatal("nothing tells that all is settled")
	}
	wanted := func(at time.Time) dunning.Say {
		var say dunning.Say
		w.do(func(ctx context.Context, tx *sql.Tx) error {
			var err error
			say, err = w.wanted(ctx, tx, thanks, at)
			return err
		})
		return say
	}
	noon := time.Date(2026, 11, 4, 12, 0, 0, 0, rome)
	night := noon.Add(10 * time.Hour)
	if say := wanted(noon); !say.Go {
		t.Errorf("at noon: %+v", say)
	}
	if say := wanted(night); say.Go || !say.Later.Equal(time.Date(2026, 11, 5, 9, 0, 0, 0, rome)) {
		t.Errorf("at night: %+v", say)
	}
	w.choose(func(c *contact.Choices) { c.Hours = contact.Hours{From: 14, To: 17} })
	if say := wanted(noon); say.Go || !say.Later.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("at noon to somebody who asked for the afternoon: %+v", say)
	}
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		_, _, err := billing.StartAttempt(ctx, tx, billing.Attempt{
			Press: "press_1", CustomerID: "cus_1", InvoiceID: "in_1", MethodID: "pm_1", Kind: "charge",
			Amount: billing.Money{Minor: 2900, Currency: "eur"}, StartedAt: night.Add(-time.Hour).Unix(),
		})
		return err
	})
	if say := wanted(night); !say.Go {
		t.Errorf("an hour after a press: %+v", say)
	}
	if say := wanted(night.Add(2 * time.Hour)); say.Go {
		t.Errorf("three hours after a press: %+v", say)
	}
}
