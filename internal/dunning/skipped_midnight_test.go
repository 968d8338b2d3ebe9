package dunning_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
)

// santiago is a place whose clocks go forward at midnight: 6 September 2026 begins at one o'clock.
func santiago(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("America/Santiago")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// A case that opens on a day without midnight counts its days from that day, not from the one before.
func TestDaysCountFromADayWithoutMidnight(t *testing.T) {
	t.Parallel()
	w := setup(t)
	zone := santiago(t)
	w.now = time.Date(2026, 9, 6, 12, 0, 0, 0, zone) // a Sunday
	i := w.failed("in_1", "do_not_honor")
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		who := billing.Customer{ID: "cus_1", Name: "Camila Rojas", Email: "camila@rojas.example", Country: "CL", Zone: zone.String()}
		err := billing.Save(ctx, tx, billing.Account{Customer: who, Invoices: []billing.Invoice{i}}, w.now.Unix())
		if err != nil {
			return err
		}
		return w.cases.Reconsider(ctx, tx, "cus_1", w.now)
	})
	var days []string
	for _, c := range w.outlook() {
		days = append(days, c.At.In(zone).Format("Mon 2 15:04"))
	}
	for n, want := range []string{"Mon 7 10:00", "Fri 11 10:00", "Tue 15 10:00"} {
		if days[n] != want {
			t.Errorf("message %d comes on %s, not on %s", n+1, days[n], want)
		}
	}
}

// Each day is offered once for a promise, and one to pay by themselves lasts until its end.
func TestPromisesAroundADayWithoutMidnight(t *testing.T) {
	t.Parallel()
	zone := santiago(t)
	now := time.Date(2026, 9, 3, 12, 0, 0, 0, zone)
	days := dunning.DefaultPromiseRules().PromiseDays(dunning.Case{}, now, zone)
	for n, day := range days[:4] {
		want := time.Date(2026, 9, 4+n, 12, 0, 0, 0, zone).Format(time.DateOnly)
		if got := day.Format(time.DateOnly); got != want {
			t.Errorf("day %d is %s, not %s", n+1, got, want)
		}
		if got := (dunning.Promise{Day: want}).On(zone).Format(time.DateOnly); got != want {
			t.Errorf("%s reads as %s", want, got)
		}
	}
	if due := dunning.PromiseDue(dunning.PromiseSelf, days[1]); due.Sub(time.Date(2026, 9, 5, 22, 0, 0, 0, zone)) != 2*time.Hour {
		t.Errorf("a promise for Saturday ends at %s", due)
	}
}
