package checkout

import (
	"context"
	"database/sql"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
)

// Verification answers the address, just fetched, of Stripe's page on which the customer proves the bank account they added
// last by what small deposits to it came to. "" when none waits for that any more; then how it ended is kept.
func (d *Desk) Verification(ctx context.Context, customer string) (string, error) {
	var waits billing.Attempt
	err := d.db.See(ctx, func(tx *sql.Tx) error {
		var found bool
		var err error
		waits, found, err = billing.Unproven(ctx, tx, customer, d.now().Add(-provenWithin).Unix())
		if err == nil && !found {
			err = errNoUpdate
		}
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	setup, err := d.stripe.Setup(ctx, waits.Reference)
	if err != nil {
		return "", err
	}
	if setup.Customer == customer && setup.Status == "requires_action" && setup.VerifyURL != "" {
		return setup.VerifyURL, nil
	}
	_, err = d.finish(ctx, waits)
	if fault.Is(err, fault.Conflict) {
		err = nil // paid meanwhile, or for another sum
	}
	return "", err
}

// Unproven reports whether a bank account that the customer added waits for them to prove it.
func (d *Desk) Unproven(ctx context.Context, customer string) (bool, error) {
	waits := false
	err := d.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		_, waits, err = billing.Unproven(ctx, tx, customer, d.now().Add(-provenWithin).Unix())
		return err
	})
	return waits, err
}

// provenWithin is how long Stripe takes the amounts of small deposits
// (docs.stripe.com/payments/ach-direct-debit/set-up-payment).
const provenWithin = 10 * 24 * time.Hour
