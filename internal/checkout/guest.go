package checkout

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

// guestStays is how long a guest's card may stand on the customer while its charge is under way or waits for the guest's
// bank; while a bank works on a debit it stays longer. Stripe charges an invoice with a card of its customer alone, so it
// is put there for the charge and taken off again.
const guestStays = time.Hour

// guestUnheard is how long it stays at most while nobody has heard what became of its charge, which is asked for again with
// it: Stripe keeps the outcome of a request for a day.
const guestUnheard = 24 * time.Hour

// StartGuest begins the payment of one invoice by somebody the customer asked, and answers the client secret with which the
// browser confirms the guest's card. Nothing that the customer has on file is shown, changed or charged. Errors as
// StartCard.
func (d *Desk) StartGuest(ctx context.Context, p Press) (clientSecret string, err error) {
	if len(p.Invoices) != 1 {
		return "", fault.New(fault.Invalid, "One invoice is paid at a time.")
	}
	var attempt billing.Attempt
	var invoices []billing.Invoice
	err = d.db.Do(ctx, func(tx *sql.Tx) error {
		var err error
		attempt, invoices, err = d.beginSetup(ctx, tx, p, billing.ByGuest)
		if err != nil {
			return err
		}
		return billing.ExpectGuest(ctx, tx, billing.Guest{Press: p.ID, CustomerID: p.Customer, InvoiceID: invoices[0].ID, StartedAt: d.now().Unix()})
	})
	if err != nil {
		return "", err
	}
	return d.orderSetup(ctx, p, attempt, gateway.SetupRequest{Types: GuestsWays(invoices[0]), Once: true})
}

// GuestsWays are the types of payment method a guest may pay an invoice with: a card alone when Stripe did not tell what
// it takes.
func GuestsWays(i billing.Invoice) []string {
	types := billing.TakenBy([]billing.Invoice{i})
	if len(types) == 0 {
		return []string{"card"}
	}
	return types
}

// FinishGuest goes on after the browser confirmed the card of a guest of this invoice, as FinishCard does.
// fault.NotFound when it is not one of theirs.
func (d *Desk) FinishGuest(ctx context.Context, customer, invoice, setupID string) (press string, err error) {
	var attempt billing.Attempt
	err = d.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		attempt, err = billing.SetupByReference(ctx, tx, setupID)
		return err
	})
	if err != nil {
		return "", err
	}
	_, err = d.guestOf(ctx, customer, invoice, attempt.Press)
	if err != nil {
		return "", err
	}
	return d.finish(ctx, attempt)
}

// chargeGuest charges the one invoice with the card a guest typed and takes the card off again, unless the guest's bank
// wants to be asked first or works on a debit, or the failure was ours. A card that comes after its time is only taken off.
func (d *Desk) chargeGuest(ctx context.Context, attempt billing.Attempt, setup gateway.Setup) error {
	g, err := d.guestCame(ctx, attempt, setup)
	if err != nil {
		return err
	}
	if g.GoneAt > 0 || d.now().Unix()-g.StartedAt > int64(guestStays/time.Second) {
		var unheard bool
		err = d.db.See(ctx, func(tx *sql.Tx) error {
			var err error
			unheard, err = d.unheard(ctx, tx, attempt)
			return err
		})
		if err != nil || unheard {
			return err
		}
		return d.guestLeaves(ctx, g)
	}
	expected, err := d.stillOpen(ctx, attempt.CustomerID, expectedOf(setup.Metadata))
	if err != nil {
		return err
	}
	var made []billing.Attempt
	if len(expected) > 0 {
		var p Press
		p, err = d.pressOf(ctx, attempt)
		if err != nil {
			return err
		}
		p.Method, p.Invoices = g.MethodID, expected
		made, err = d.Charge(ctx, p)
	}
	for _, a := range made {
		if a.Status == billing.AttemptAction || a.Status == billing.AttemptStarted || a.Status == billing.AttemptProcessing {
			return err // it is wanted for a while yet
		}
	}
	// What failed on our side or at Stripe is asked for again, and needs the card then; MendGuests takes it off at last.
	if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.TooMany) && !fault.Is(err, fault.NotFound) {
		return err
	}
	leftErr := d.guestLeaves(ctx, g)
	if err == nil {
		err = leftErr
	}
	return err
}

// guestCame keeps the card a guest typed and that the attempt it came with has ended.
func (d *Desk) guestCame(ctx context.Context, attempt billing.Attempt, setup gateway.Setup) (billing.Guest, error) {
	var g billing.Guest
	err := d.db.Do(ctx, func(tx *sql.Tx) error {
		var found bool
		var err error
		g, found, err = billing.FindGuest(ctx, tx, attempt.Press)
		if err == nil && !found {
			err = fault.New(fault.NotFound, "There is no such card.")
		}
		if err != nil {
			return err
		}
		err = d.keepMethod(ctx, tx, attempt, setup)
		if err != nil {
			return err
		}
		return billing.GuestCame(ctx, tx, attempt.Press, setup.Method.ID)
	})
	g.MethodID = setup.Method.ID
	if err != nil || attempt.Status == billing.AttemptSaved {
		return g, err
	}
	attempt.Status, attempt.MethodID = billing.AttemptSaved, setup.Method.ID
	err = d.end(ctx, &attempt)
	return g, err
}

// guestLeaves takes a guest's card off.
func (d *Desk) guestLeaves(ctx context.Context, g billing.Guest) error {
	if g.MethodID != "" {
		err := d.stripe.DetachMethod(ctx, g.MethodID, g.Press+"-leaves")
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return d.db.Do(ctx, func(tx *sql.Tx) error { return billing.GuestGone(ctx, tx, g.Press, d.now().Unix()) })
}

// GuestApproval answers the client secret with which a guest's bank asks its question about the charge of an earlier
// press. fault.Conflict when there is nothing to approve; fault.TooMany as StartGuest.
func (d *Desk) GuestApproval(ctx context.Context, p Press, invoice string) (clientSecret string, err error) {
	g, err := d.guestOf(ctx, p.Customer, invoice, p.ID)
	if err != nil {
		return "", err
	}
	err = d.db.Do(ctx, func(tx *sql.Tx) error { return d.guardSetup(ctx, tx, p) })
	if err != nil {
		return "", err
	}
	i, _, err := d.stripe.Invoice(ctx, g.InvoiceID)
	if err != nil {
		return "", err
	}
	if i.IntentStatus != "requires_action" || i.MethodID != g.MethodID || g.GoneAt > 0 {
		return "", errNothingToApprove
	}
	intent, err := d.stripe.Intent(ctx, g.InvoiceID)
	if err != nil {
		return "", err
	}
	err = d.db.Do(ctx, func(tx *sql.Tx) error { return d.handOut(ctx, tx, p, intent.ID) })
	return intent.ClientSecret, err
}

// GuestApproved reads what the guest's bank said, takes the card off unless the bank still asks, and answers the press
// under which the page finds the outcome.
func (d *Desk) GuestApproved(ctx context.Context, customer, invoice, press string) (string, error) {
	g, err := d.guestOf(ctx, customer, invoice, press)
	if err != nil {
		return "", err
	}
	if g.GoneAt > 0 {
		return press, nil // it was told before
	}
	made, err := d.approved(ctx, customer, g.InvoiceID, billing.ByGuest, press)
	if err != nil {
		return "", err
	}
	for _, a := range made {
		if a.Status == billing.AttemptAction || a.Status == billing.AttemptProcessing {
			return press, nil // the bank still asks about it, or works on it
		}
	}
	return press, d.guestLeaves(ctx, g)
}

// guestOf answers the card of a press of a guest of this invoice, or fault.NotFound.
func (d *Desk) guestOf(ctx context.Context, customer, invoice, press string) (billing.Guest, error) {
	var g billing.Guest
	err := d.db.See(ctx, func(tx *sql.Tx) error {
		var found bool
		var err error
		g, found, err = billing.FindGuest(ctx, tx, press)
		if err == nil && (!found || g.CustomerID != customer || g.InvoiceID != invoice) {
			err = fault.New(fault.NotFound, "There is no such card.")
		}
		return err
	})
	return g, err
}

// MendGuests takes off the guests' cards that were left behind: the browser went away, Stripe did not answer, or the
// program stopped. It answers how many.
func (d *Desk) MendGuests(ctx context.Context, limit int) (int, error) {
	var left []billing.Guest
	err := d.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		left, err = billing.GuestsHere(ctx, tx, d.now().Add(-guestStays).Unix(), limit)
		return err
	})
	if err != nil {
		return 0, err
	}
	gone := 0
	for _, g := range left {
		took, err := d.mendGuest(ctx, g)
		if err != nil {
			d.log.WarnContext(ctx, "a guest's card could not be taken off yet", "press", g.Press, "err", err)
		}
		if took {
			gone++
		}
	}
	return gone, nil
}

// unheard reports whether nobody knows yet what became of the charge with the card that a press keeps.
func (d *Desk) unheard(ctx context.Context, tx *sql.Tx, setup billing.Attempt) (bool, error) {
	made, err := billing.AttemptsOf(ctx, tx, setup.CustomerID, setup.Press)
	since := d.now().Add(-guestUnheard).Unix()
	return slices.ContainsFunc(made, func(a billing.Attempt) bool {
		return a.Kind == "charge" && a.Status == billing.AttemptStarted && a.StartedAt > since
	}), err
}

// mendGuest takes off a card that Stripe may know of and we do not yet, and reports whether it did: not while a charge with
// it was not answered.
func (d *Desk) mendGuest(ctx context.Context, g billing.Guest) (took bool, err error) {
	var attempt billing.Attempt
	var unheard bool
	err = d.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		attempt, _, err = billing.SetupOf(ctx, tx, g.Press)
		if err != nil {
			return err
		}
		unheard, err = d.unheard(ctx, tx, attempt)
		return err
	})
	if err != nil || unheard {
		return false, err
	}
	if g.MethodID == "" && attempt.Reference != "" {
		setup, err := d.stripe.Setup(ctx, attempt.Reference)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return false, err
		}
		if setup.Status == "succeeded" {
			g.MethodID = setup.Method.ID
		}
	}
	err = d.guestLeaves(ctx, g)
	return err == nil, err
}
