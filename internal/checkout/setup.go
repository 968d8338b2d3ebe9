package checkout

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

// mostInvoices is how many invoices one new card may be charged for: Stripe keeps 50 values of metadata.
const mostInvoices = 40

// beginSetup begins an attempt to keep a method of the customer's or of a guest's, and keeps what they agree to with the
// press. It answers the press's invoices, in order. fault.NotFound when one is not the customer's, fault.TooMany after too
// many declines or too many card fields.
func (d *Desk) beginSetup(ctx context.Context, tx *sql.Tx, p Press, by billing.Initiator) (billing.Attempt, []billing.Invoice, error) {
	err := database.Hold(ctx, tx, p.Customer)
	if err != nil {
		return billing.Attempt{}, nil, err
	}
	err = d.guardSetup(ctx, tx, p)
	if err != nil {
		return billing.Attempt{}, nil, err
	}
	var invoices []billing.Invoice
	for _, want := range p.Invoices {
		i, err := billing.FindInvoice(ctx, tx, want.Invoice)
		if err != nil {
			return billing.Attempt{}, nil, err
		}
		if i.CustomerID != p.Customer {
			return billing.Attempt{}, nil, fault.New(fault.NotFound, "There is no invoice %s.", want.Invoice)
		}
		invoices = append(invoices, i)
	}
	now := d.now().Unix()
	p.Mandate.Press, p.Mandate.CustomerID, p.Mandate.GivenAt = p.ID, p.Customer, now
	err = billing.GiveMandate(ctx, tx, p.Mandate)
	if err != nil {
		return billing.Attempt{}, nil, err
	}
	attempt, _, err := billing.StartAttempt(ctx, tx, billing.Attempt{Press: p.ID, CustomerID: p.Customer, Kind: "setup", By: by, StartedAt: now})
	return attempt, invoices, err
}

// orderSetup asks Stripe for the SetupIntent of an attempt and answers its client secret. What is to be charged afterwards
// travels along. What was made is kept before the browser is handed it.
func (d *Desk) orderSetup(ctx context.Context, p Press, attempt billing.Attempt, r gateway.SetupRequest) (clientSecret string, err error) {
	r.Customer, r.Key = p.Customer, attempt.ID
	r.Metadata = map[string]string{"sollecito_press": p.ID}
	for n, want := range p.Invoices {
		r.Metadata["charge_"+strconv.Itoa(n)] = want.String()
	}
	setup, err := d.stripe.StartSetup(ctx, r)
	if err != nil {
		return "", err
	}
	err = d.db.Do(ctx, func(tx *sql.Tx) error {
		err := billing.SetReference(ctx, tx, attempt.ID, setup.ID)
		if err != nil {
			return err
		}
		return d.handOut(ctx, tx, p, setup.ID)
	})
	if err != nil {
		return "", fmt.Errorf("keep what was set up for %s: %w", attempt.ID, err)
	}
	return setup.ClientSecret, nil
}

// keepMethod keeps the method an attempt came with, so that tries with it are counted on its card, and that it is what was
// agreed to with the attempt's press.
func (d *Desk) keepMethod(ctx context.Context, tx *sql.Tx, attempt billing.Attempt, setup gateway.Setup) error {
	err := billing.KeepMethod(ctx, tx, setup.Method, d.now())
	if err != nil {
		return err
	}
	return billing.MandateServes(ctx, tx, attempt.Press, setup.Method.ID, setup.Mandate)
}
