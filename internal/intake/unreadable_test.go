package intake

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"sollecito/internal/billing"
)

// One stored customer that cannot be read holds up the events of nobody else.
func TestAnUnreadableCustomerHoldsUpNobodysEvents(t *testing.T) {
	db := opened(t)
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		for _, id := range []string{"cus_1", "cus_2"} {
			err := billing.Save(t.Context(), tx, billing.Account{Customer: billing.Customer{ID: id}}, now.Unix())
			if err != nil {
				return err
			}
			_, err = insertEvents(t.Context(), tx, []Event{{ID: "evt_" + id, Type: "invoice.paid", ObjectType: "invoice", ObjectID: "in_" + id, CustomerID: id, CreatedAt: 1, ReceivedAt: 1, Status: Received}})
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(`UPDATE customers SET metadata = '{' WHERE id = 'cus_1'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	in := &Intake{db: db, now: func() time.Time { return now }, real: func() time.Time { return now }, log: slog.New(slog.DiscardHandler)}
	var mu sync.Mutex // customers are looked at at the same time
	looked := map[string]bool{}
	_, err = in.RunOnce(t.Context(), 100, func(_ context.Context, e Event) error {
		mu.Lock()
		defer mu.Unlock()
		looked[e.CustomerID] = true
		return errors.New("Stripe is not asked here")
	})
	if err != nil || !looked["cus_2"] {
		t.Errorf("events were looked at of %v alone: %v", looked, err)
	}
}
