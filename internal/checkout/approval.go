package checkout

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// Approval begins the bank's approval of the one invoice of a press and answers the client secret the browser needs
// for it. When the bank has not asked yet, the charge is ordered now, with the customer present. The approval is an attempt
// that waits for the bank, kept before the browser is handed anything. fault.Conflict when there is nothing to approve any
// more, or the amount has changed since it was shown; fault.TooMany as StartCard.
func (d *Desk) Approval(ctx context.Context, p Press) (clientSecret string, err error) {
	if len(p.Invoices) != 1 {
		return "", fault.New(fault.Invalid, "One payment is approved at a time.")
	}
	want := p.Invoices[0]
	var i billing.Invoice
	err = d.db.Do(ctx, func(tx *sql.Tx) error {
		err := d.guardSetup(ctx, tx, p)
		if err != nil {
			return err
		}
		i, err = billing.FindInvoice(ctx, tx, want.Invoice)
		return err
	})
	if err != nil {
		return "", err
	}
	switch {
	case i.CustomerID != p.Customer:
		return "", fault.New(fault.NotFound, "There is no invoice %s.", want.Invoice)
	case i.MethodIsGuests || !i.Chargeable() || i.Class() != billing.ClassAuthentication || i.Remaining() != want.Amount:
		return "", errNothingToApprove
	}
	intent, err := d.stripe.Intent(ctx, i.ID)
	if err != nil {
		return "", err
	}
	p.Method = i.MethodID
	if intent.Status != "requires_action" {
		_, err = d.Charge(ctx, p)
		if err != nil {
			return "", err
		}
		intent, err = d.stripe.Intent(ctx, i.ID)
		if err != nil {
			return "", err
		}
	}
	if intent.Status != "requires_action" {
		return "", errNothingToApprove
	}
	err = d.db.Do(ctx, func(tx *sql.Tx) error { return d.await(ctx, tx, p, intent.ID) })
	if err != nil {
		return "", fmt.Errorf("keep the approval of %s: %w", i.ID, err)
	}
	return intent.ClientSecret, nil
}

// await keeps that the one invoice of a press waits for the bank's approval, unless an attempt of the customer's does
// already.
func (d *Desk) await(ctx context.Context, tx *sql.Tx, p Press, intent string) error {
	err := database.Hold(ctx, tx, p.Customer)
	if err != nil {
		return err
	}
	err = d.handOut(ctx, tx, p, intent)
	if err != nil {
		return err
	}
	want := p.Invoices[0]
	known, err := billing.Approvals(ctx, tx, p.Customer, want.Invoice, billing.ByCustomer, "")
	if err != nil || len(known) > 0 && known[0].Status == billing.AttemptAction {
		return err
	}
	a, _, err := billing.StartAttempt(ctx, tx, billing.Attempt{
		Press: p.ID, CustomerID: p.Customer, InvoiceID: want.Invoice, MethodID: p.Method, Kind: "charge", Amount: want.Amount, StartedAt: d.now().Unix(),
	})
	if err != nil {
		return err
	}
	a.Status, a.Reference, a.EndedAt = billing.AttemptAction, intent, d.now().Unix()
	return billing.EndAttempt(ctx, tx, a)
}

var errNothingToApprove = fault.New(fault.Conflict, "There is nothing to approve any more.")

// approvalTime is how long after a charge its approval may come back to us.
const approvalTime = 10 * time.Minute

// Approved settles what waited for the bank's approval, once the bank was asked: it reads the invoice again, keeps how it
// came out and answers the press under which the result page finds it. Where nothing waits, nothing is read; then it
// answers the last press there was, "" for none.
func (d *Desk) Approved(ctx context.Context, customer, invoice string) (press string, err error) {
	known, err := d.approved(ctx, customer, invoice, billing.ByCustomer, "")
	if err != nil || len(known) == 0 {
		return "", err
	}
	return known[0].Press, nil
}

// approved is Approved for whoever's bank it is, and for one press alone unless that is "". It answers the attempts that
// waited, as they stand now.
func (d *Desk) approved(ctx context.Context, customer, invoice string, by billing.Initiator, press string) ([]billing.Attempt, error) {
	var known []billing.Attempt
	err := d.db.See(ctx, func(tx *sql.Tx) error {
		i, err := billing.FindInvoice(ctx, tx, invoice)
		if err == nil && i.CustomerID != customer {
			err = fault.New(fault.NotFound, "There is no invoice %s.", invoice)
		}
		if err == nil {
			known, err = billing.Approvals(ctx, tx, customer, invoice, by, press)
		}
		return err
	})
	if err != nil || len(known) == 0 || known[0].Status != billing.AttemptAction {
		return known, err
	}
	err = d.intake.Refresh(ctx, customer)
	if err != nil {
		return nil, err
	}
	err = d.db.Do(ctx, func(tx *sql.Tx) error {
		err := database.Hold(ctx, tx, customer)
		if err != nil {
			return err
		}
		known, err = billing.Approvals(ctx, tx, customer, invoice, by, press)
		for n := range known {
			if err == nil && known[n].Status == billing.AttemptAction {
				err = d.settle(ctx, tx, &known[n])
			}
		}
		return err
	})
	return known, err
}

// settle keeps how an approval came out, by its invoice as it was just read. While the bank still asks it goes on waiting.
func (d *Desk) settle(ctx context.Context, tx *sql.Tx, a *billing.Attempt) error {
	i, err := billing.FindInvoice(ctx, tx, a.InvoiceID)
	if err != nil {
		return err
	}
	now := d.now().Unix()
	switch {
	case i.MarkedPaid():
		a.Status = billing.AttemptPaid
	case i.Processing():
		a.Status = billing.AttemptProcessing
	case i.IntentStatus == "requires_action":
		return nil
	default:
		a.Status = billing.AttemptDeclined
		err = d.countRead(ctx, tx, i.Intent)
		if err != nil {
			return err
		}
	}
	a.EndedAt, a.Reference, a.Decline = now, i.Intent, i.Decline
	err = billing.AdoptCharge(ctx, tx, a, now-int64(approvalTime/time.Second))
	if err != nil {
		return err
	}
	return billing.EndAttempt(ctx, tx, *a)
}
