package checkout

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

// StartCard begins keeping a new card, or whatever else the invoices take, and answers the client secret the browser
// confirms it with. What the customer agrees to with the press is kept. What is to be charged afterwards travels with the
// order, so that it is done even when the browser never comes back. The same press twice answers the same secret.
func (d *Desk) StartCard(ctx context.Context, p Press) (clientSecret string, err error) {
	if len(p.Invoices) > mostInvoices {
		p.Invoices = p.Invoices[:mostInvoices]
	}
	var attempt billing.Attempt
	var invoices []billing.Invoice
	err = d.db.Do(ctx, func(tx *sql.Tx) error {
		var err error
		attempt, invoices, err = d.beginSetup(ctx, tx, p, billing.ByCustomer)
		return err
	})
	if err != nil {
		return "", err
	}
	return d.orderSetup(ctx, p, attempt, gateway.SetupRequest{Types: billing.TakenBy(invoices)})
}

// FinishCard completes a card update after the browser confirmed it, or after Stripe said so; both may happen,
// in either order. A kept card becomes the default where the failed one stood (the subscription's own field
// first), and the invoices are charged with it. It answers the press the update began with. customer "" accepts
// whoever the update belongs to, a guest too. fault.NotFound when it is not ours or not theirs.
func (d *Desk) FinishCard(ctx context.Context, customer, setupID string) (press string, err error) {
	var attempt billing.Attempt
	err = d.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		attempt, err = billing.SetupByReference(ctx, tx, setupID)
		return err
	})
	if err != nil {
		return "", err
	}
	if customer != "" && (attempt.CustomerID != customer || attempt.By == billing.ByGuest) {
		return "", errNoUpdate
	}
	return d.finish(ctx, attempt)
}

var errNoUpdate = fault.New(fault.NotFound, "There is no such card update.")

// finish does what a SetupIntent of ours was made for, as far as Stripe says it came.
func (d *Desk) finish(ctx context.Context, attempt billing.Attempt) (press string, err error) {
	setup, err := d.stripe.Setup(ctx, attempt.Reference)
	if err != nil {
		return attempt.Press, err
	}
	if setup.Customer != attempt.CustomerID || setup.Metadata["sollecito_press"] != attempt.Press {
		return "", errNoUpdate
	}
	before := attempt.Status
	switch setup.Status {
	case "succeeded":
		if attempt.By == billing.ByGuest {
			return attempt.Press, d.chargeGuest(ctx, attempt, setup)
		}
		return attempt.Press, d.useAndCharge(ctx, attempt, setup)
	case "processing":
		attempt.Status = billing.AttemptProcessing
	case "requires_action", "requires_confirmation":
		if setup.VerifyURL == "" {
			return attempt.Press, nil // the customer is still at it
		}
		attempt.Status = billing.AttemptAction // for days: small deposits prove the account
	default:
		attempt.Status, attempt.Decline = billing.AttemptDeclined, setup.Decline
		if setup.Decline == (billing.Decline{}) {
			return attempt.Press, nil // nothing was typed yet
		}
	}
	attempt.EndedAt = d.now().Unix()
	news := false
	err = d.db.Do(ctx, func(tx *sql.Tx) error {
		var err error
		news, err = d.endIn(ctx, tx, &attempt)
		if err == nil && news && attempt.Status == billing.AttemptDeclined { // counted once, however often it is read
			err = d.countRead(ctx, tx, attempt.Reference)
		}
		return err
	})
	if err != nil {
		return attempt.Press, fmt.Errorf("keep the end of attempt %s: %w", attempt.ID, err)
	}
	if news && (attempt.Status == billing.AttemptAction || before == billing.AttemptAction) {
		d.refresh(ctx, attempt.CustomerID) // reminders rest while an account is being proven, and no longer
	}
	return attempt.Press, nil
}

func (d *Desk) useAndCharge(ctx context.Context, attempt billing.Attempt, setup gateway.Setup) error {
	if attempt.Status != billing.AttemptSaved {
		err := d.use(ctx, attempt, setup.Method)
		if err != nil {
			return err
		}
		attempt.Status, attempt.MethodID = billing.AttemptSaved, setup.Method.ID
		err = d.db.Do(ctx, func(tx *sql.Tx) error { return d.keepMethod(ctx, tx, attempt, setup) })
		if err != nil {
			return fmt.Errorf("keep the card of %s: %w", attempt.ID, err)
		}
		err = d.end(ctx, &attempt)
		if err != nil {
			return err
		}
	}
	expected, err := d.stillOpen(ctx, attempt.CustomerID, expectedOf(setup.Metadata))
	if err != nil {
		return err
	}
	if len(expected) == 0 {
		d.refresh(ctx, attempt.CustomerID)
		return nil
	}
	p, err := d.pressOf(ctx, attempt)
	if err != nil {
		return err
	}
	p.Method, p.Invoices = setup.Method.ID, expected
	_, err = d.Charge(ctx, p)
	return err
}

// stillOpen leaves out what was paid while the customer was typing.
func (d *Desk) stillOpen(ctx context.Context, customer string, expected []Expected) ([]Expected, error) {
	var left []Expected
	err := d.db.See(ctx, func(tx *sql.Tx) error {
		for _, want := range expected {
			i, err := billing.FindInvoice(ctx, tx, want.Invoice)
			if err != nil {
				return err
			}
			if i.Open() && i.CustomerID == customer {
				left = append(left, want)
			}
		}
		return nil
	})
	return left, err
}

// use writes the card where the failed one stood: the customer's default, and every living subscription that
// names another of its own.
func (d *Desk) use(ctx context.Context, attempt billing.Attempt, method billing.Method) error {
	var own []string
	err := d.db.Do(ctx, func(tx *sql.Tx) error {
		subscriptions, err := billing.Subscriptions(ctx, tx, attempt.CustomerID)
		if err != nil {
			return err
		}
		for _, s := range subscriptions {
			if s.Live() && s.DefaultMethod != "" && s.DefaultMethod != method.ID {
				own = append(own, s.ID)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = d.stripe.UseMethod(ctx, gateway.UseRequest{
		Customer: attempt.CustomerID, Method: method.ID, Subscriptions: own, Key: attempt.ID + "-use",
	})
	if errors.Is(err, gateway.ErrPlanRefuses) && fault.KindOf(err) == fault.Internal {
		d.log.ErrorContext(ctx, "a plan does not take the new card and keeps its old one; what is open is paid with the new one", "customer", attempt.CustomerID, "err", err)
		return nil
	}
	return err
}
