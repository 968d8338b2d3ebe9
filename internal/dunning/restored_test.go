package dunning_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/databasetest"
)

// A server has room for so many locks, and an installation for any number of open cases: that a copy is put back takes no lock
// for each of them.
func TestPuttingACopyBackLocksNoCaseByItself(t *testing.T) {
	t.Parallel()
	w := setup(t)
	if !databasetest.OnPostgres() {
		return // which has no locks but its one writer
	}
	const several = 5
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		for n := range several {
			invoice := w.failed(fmt.Sprint("in_", n), "insufficient_funds")
			invoice.CustomerID = fmt.Sprint("cus_", n)
			account := billing.Account{Customer: billing.Customer{ID: invoice.CustomerID, Email: fmt.Sprint(n, "@bellini.example"), Country: "IT"}, Invoices: []billing.Invoice{invoice}}
			err := billing.Save(ctx, tx, account, w.now.Unix())
			if err != nil {
				return err
			}
			err = w.cases.Reconsider(ctx, tx, invoice.CustomerID, w.now)
			if err != nil {
				return err
			}
		}
		return nil
	})
	w.do(func(ctx context.Context, tx *sql.Tx) error {
		done, err := w.cases.PutBack(ctx, tx, w.now, w.now.Add(72*time.Hour))
		if err != nil {
			return err
		}
		if done.Steps < several {
			t.Errorf("the steps of %d cases were found", done.Steps)
		}
		locks := 0
		err = tx.QueryRowContext(ctx, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()`).Scan(&locks)
		if locks > 0 {
			t.Errorf("%d locks are held for %d cases", locks, several)
		}
		return err
	})
}
