package checkout

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

// mostInvoices is how many invoices one card update may charge: Stripe keeps 50 values of metadata.
const mostInvoices = 40

// StartCard begins keeping a new card, or whatever else the invoices take, and answers the client secret the browser
// confirms it with. What the customer agrees to with the press is kept. What is to be charged afterwards travels with the
// order, so that it is done even when the browser never comes back. The same press twice answers the same secret.
func (d *Desk) StartCard(ctx context.Context, p Press) (clientSecret string, err error) {
	if len(p.Invoices) > mostInvoices {
		p.Invoices = p.Invoices[:mostInvoices]
	}
	var attempt billing.Attempt
	var types []string
	err = d.db.Do(ctx, func(tx *sql.Tx) error {
		err := database.Hold(ctx, tx, p.Customer)
		if err != nil {
			return err
		}
		err = d.guardSetup(ctx, tx, p)
		if err != nil {
			return err
		}
		var wanted []billing.Invoice
		for _, want := range p.Invoices {
			i, err := billing.FindInvoice(ctx, tx, want.Invoice)
			if err != nil {
				return err
			}
			if i.CustomerID != p.Customer {
				return fault.New(fault.NotFound, "There is no invoice %s.", want.Invoice)
			}
			wanted = append(wanted, i)
		}
		types = billing.TakenBy(wanted)
		p.Mandate.Press, p.Mandate.CustomerID, p.Mandate.GivenAt = p.ID, p.Customer, d.now().Unix()
		err = billing.GiveMandate(ctx, tx, p.Mandate)
		if err != nil {
			return err
		}
		attempt, _, err = billing.StartAttempt(ctx, tx, billing.Attempt{
			Press: p.ID, CustomerID: p.Customer, Kind: "setup", StartedAt: d.now().Unix(),
		})
		return err
	})
	if err != nil {
		return "", err
	}
	metadata := map[string]string{"sollecito_press": p.ID}
	for n, want := range p.Invoices {
		metadata["charge_"+strconv.Itoa(n)] = want.String()
	}
	setup, err := d.stripe.StartSetup(ctx, gateway.SetupRequest{Customer: p.Customer, Metadata: metadata, Types: types, Key: attempt.ID})
	if err != nil {
		return "", err
	}
	err = d.setUp(ctx, p, attempt, setup)
	if err != nil {
		return "", fmt.Errorf("keep card update %s: %w", attempt.ID, err)
	}
	return setup.ClientSecret, nil
}

// setUp keeps what was made at Stripe for an attempt, before the browser is handed it.
func (d *Desk) setUp(ctx context.Context, p Press, attempt billing.Attempt, setup gateway.Setup) error {
	return d.db.Do(ctx, func(tx *sql.Tx) error {
		err := billing.SetReference(ctx, tx, attempt.ID, setup.ID)
		if err != nil {
			return err
		}
		return d.handOut(ctx, tx, p, setup.ID)
	})
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
	switch setup.Status {
	case "succeeded":
		if attempt.By == billing.ByGuest {
			return attempt.Press, d.chargeGuest(ctx, attempt, setup)
		}
		return attempt.Press, d.useAndCharge(ctx, attempt, setup)
	case "processing":
		attempt.Status = billing.AttemptProcessing
	case "requires_action", "requires_confirmation":
		return attempt.Press, nil // the customer is still at it
	default:
		attempt.Status, attempt.Decline = billing.AttemptDeclined, setup.Decline
		if setup.Decline == (billing.Decline{}) {
			return attempt.Press, nil // nothing was typed yet
		}
	}
	attempt.EndedAt = d.now().Unix()
	err = d.db.Do(ctx, func(tx *sql.Tx) error {
		news, err := d.endIn(ctx, tx, attempt)
		if err == nil && news && attempt.Status == billing.AttemptDeclined { // counted once, however often it is read
			err = d.countRead(ctx, tx, attempt.Reference)
		}
		return err
	})
	if err != nil {
		return attempt.Press, fmt.Errorf("keep the end of attempt %s: %w", attempt.ID, err)
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
		err = d.db.Do(ctx, func(tx *sql.Tx) error {
			err := billing.KeepMethod(ctx, tx, setup.Method, d.now())
			if err != nil {
				return err
			}
			return billing.MandateServes(ctx, tx, attempt.Press, setup.Method.ID, setup.Mandate)
		})
		if err != nil {
			return fmt.Errorf("keep the card of %s: %w", attempt.ID, err)
		}
		_, err = d.end(ctx, &attempt)
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
	return d.stripe.UseMethod(ctx, gateway.UseRequest{
		Customer: attempt.CustomerID, Method: method.ID, Subscriptions: own, Key: attempt.ID + "-use",
	})
}

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

// String is an expectation as pages and metadata carry it: "in_123 2900 eur".
func (e Expected) String() string {
	return e.Invoice + " " + strconv.FormatInt(e.Amount.Minor, 10) + " " + e.Amount.Currency
}

// ParseExpected reads what String wrote; false when it is anything else.
func ParseExpected(text string) (Expected, bool) {
	parts := strings.Fields(text)
	if len(parts) != 3 {
		return Expected{}, false
	}
	minor, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return Expected{}, false
	}
	return Expected{Invoice: parts[0], Amount: billing.Money{Minor: minor, Currency: parts[2]}}, true
}

func expectedOf(metadata map[string]string) []Expected {
	var all []Expected
	for n := range mostInvoices {
		e, ok := ParseExpected(metadata["charge_"+strconv.Itoa(n)])
		if ok {
			all = append(all, e)
		}
	}
	return all
}

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
	case i.Status == "paid":
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
