package checkout

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
)

// AgainAt answers from when on, by the business clock, the customer may press again to try a method on one of the invoices;
// zero when they may now, or when waiting does not help.
func (d *Desk) AgainAt(ctx context.Context, customer, method string, invoices []billing.Invoice) (time.Time, error) {
	var first time.Time
	now, real := d.now(), d.real()
	err := d.db.See(ctx, func(tx *sql.Tx) error {
		declined, err := database.Used(ctx, tx, declinesOf(customer), limitWindow, real)
		if err != nil {
			return err
		}
		if declined >= mostDeclines {
			first = now.Add(database.Reopens(limitWindow, real).Sub(real))
			return nil
		}
		for _, i := range invoices {
			verdict, err := billing.MayCharge(ctx, tx, "", billing.ByCustomer, i, method, now)
			if err != nil {
				return fmt.Errorf("ask when it may be charged: %w", err)
			}
			at := time.Unix(verdict.After, 0)
			switch {
			case verdict.Allowed:
				first = time.Time{}
				return nil
			case verdict.After > now.Unix() && (first.IsZero() || at.Before(first)):
				first = at
			}
		}
		return nil
	})
	return first, err
}
