package checkout

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
	"sollecito/internal/intake"
)

// Desk serves customers who pay.
type Desk struct {
	db     *database.DB
	stripe *gateway.Client
	intake *intake.Intake
	now    func() time.Time
	real   func() time.Time
	log    *slog.Logger
}

// NewDesk makes a Desk. now is the business clock, real the one that limits are counted by.
func NewDesk(db *database.DB, stripe *gateway.Client, in *intake.Intake, now, real func() time.Time, log *slog.Logger) *Desk {
	return &Desk{db: db, stripe: stripe, intake: in, now: now, real: real, log: log}
}

// Press is one press of a button that charges. ID comes with the page, so that the same press twice is one;
// Method is the payment method to charge.
type Press struct {
	ID       string
	Customer string
	Method   string
	Invoices []Expected
	By       billing.Initiator // "" is the customer
	Link     string            // a guest's: they are counted by it, not by the customer
	Place    string            // the network it came from, "" when nobody pressed
	Mandate  billing.Mandate   // what the press that keeps a way to pay agrees to
}

// Refused is the error of a charge that neither a customer nor a guest pressed for and that may not be made. No attempt is
// kept of it. The verdict says from when on it may be made.
type Refused struct{ billing.Verdict }

func (r *Refused) Error() string { return "the charge may not be made: " + string(r.Why) }

// Charge charges the press's invoices one after another, in the given order, and answers what came of each. An attempt
// whose status is still started means that Stripe did not answer and nobody knows yet; asking again with the same press is
// safe.
//
// Before anything is asked of Stripe every invoice passes billing.MayCharge. With the press of a customer or a guest, an
// invoice that may not be charged ends as failed with billing.CodeNotTried, and the others are charged; for any other charge
// the error is a *Refused.
//
// fault.NotFound for an invoice that is not the customer's. fault.Conflict when an amount has changed since it was shown,
// or when the card is a guest's and the press is not; then nothing was charged. fault.TooMany after too many declines.
func (d *Desk) Charge(ctx context.Context, p Press) ([]billing.Attempt, error) {
	attempts, err := d.begin(ctx, p)
	if err != nil {
		return nil, err
	}
	// What was pressed is seen through even when the browser goes away.
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), pressTime)
	defer stop()
	for i := range attempts {
		a := &attempts[i]
		if a.Status != billing.AttemptStarted || d.now().Unix()-a.StartedAt >= int64(keyLife/time.Second) {
			continue // it has ended, or Stripe may have forgotten its key: Mend reads how it ended
		}
		err = d.try(ctx, a)
		if err != nil {
			d.log.WarnContext(ctx, "charge without an answer", "attempt", a.ID, "invoice", a.InvoiceID, "err", err)
			break // the next one waits until it is known: Mend goes on with it
		}
		err = d.endCharge(ctx, a, p)
		if err != nil {
			return attempts, err
		}
	}
	d.refresh(ctx, p.Customer)
	return attempts, nil
}

// begin checks the press against what is stored and keeps its attempts.
func (d *Desk) begin(ctx context.Context, p Press) ([]billing.Attempt, error) {
	var attempts []billing.Attempt
	now := d.now()
	err := d.db.Do(ctx, func(tx *sql.Tx) error {
		err := database.Hold(ctx, tx, p.Customer)
		if err != nil {
			return err
		}
		guests, err := billing.IsGuests(ctx, tx, p.Method)
		if err == nil && guests && p.By != billing.ByGuest {
			err = fault.New(fault.Conflict, "The card is a guest's.")
		}
		if err != nil {
			return err
		}
		earlier, err := billing.AttemptsOf(ctx, tx, p.Customer, p.ID)
		if err != nil {
			return err
		}
		known := map[string]bool{}
		for _, a := range earlier {
			known[a.InvoiceID] = true
		}
		if !p.By.Automatic() {
			err = d.guard(ctx, tx, p)
			if err != nil && len(earlier) == 0 {
				return err
			}
		}
		for _, want := range p.Invoices {
			a, others, err := beginOne(ctx, tx, p, want, known[want.Invoice], now)
			if err != nil {
				return err
			}
			if !others {
				attempts = append(attempts, a)
			}
		}
		return nil
	})
	return attempts, err
}

// beginOne keeps the attempt to charge one invoice of a press. known says that the press asked for this invoice before.
// others reports that the attempt is one of ours which another run is at just now.
func beginOne(ctx context.Context, tx *sql.Tx, p Press, want Expected, known bool, now time.Time) (a billing.Attempt, others bool, err error) {
	i, err := billing.FindInvoice(ctx, tx, want.Invoice)
	if err != nil {
		return a, false, err
	}
	if i.CustomerID != p.Customer {
		return a, false, fault.New(fault.NotFound, "There is no invoice %s.", want.Invoice)
	}
	if !known && (!i.Chargeable() || i.Remaining() != want.Amount) {
		return a, false, fault.New(fault.Conflict, "The amount of invoice %s has changed.", i.Number)
	}
	verdict, err := billing.MayCharge(ctx, tx, p.ID, p.By, i, p.Method, now)
	if err != nil {
		return a, false, fmt.Errorf("ask whether it may be charged: %w", err)
	}
	if !known && !verdict.Allowed && p.By.Automatic() {
		return a, false, &Refused{verdict}
	}
	a, fresh, err := billing.StartAttempt(ctx, tx, billing.Attempt{
		Press: p.ID, CustomerID: p.Customer, InvoiceID: i.ID, MethodID: p.Method, Kind: "charge", By: p.By,
		Amount: want.Amount, StartedAt: now.Unix(), Card: verdict.Card, Network: verdict.Network,
	})
	if err != nil {
		return a, false, fmt.Errorf("keep attempt: %w", err)
	}
	if fresh && !verdict.Allowed {
		a.Status, a.EndedAt = billing.AttemptFailed, now.Unix()
		a.Decline = billing.Decline{Code: billing.CodeNotTried, DeclineCode: string(verdict.Why)}
		err = billing.EndAttempt(ctx, tx, a)
		if err != nil {
			return a, false, fmt.Errorf("keep that it may not be charged: %w", err)
		}
	}
	young := now.Unix()-a.StartedAt < int64(unanswered/time.Second)
	return a, !fresh && p.By.Automatic() && a.Status == billing.AttemptStarted && young, nil
}

// try asks Stripe for one attempt of a press, after all those before it have ended. If those show that it must not be tried
// any more (the bank refused the card for good, or its windows are full now), it ends as failed, unless it was tried before
// and the answer was never heard. An error means that nobody knows.
func (d *Desk) try(ctx context.Context, a *billing.Attempt) error {
	var verdict billing.Verdict
	var others []billing.Attempt
	err := d.db.See(ctx, func(tx *sql.Tx) error {
		i, err := billing.FindInvoice(ctx, tx, a.InvoiceID)
		if err != nil {
			return err
		}
		verdict, err = billing.MayCharge(ctx, tx, a.Press, a.By, i, a.MethodID, d.now())
		if err != nil {
			return err
		}
		others, err = billing.AttemptsOf(ctx, tx, a.CustomerID, a.Press)
		return err
	})
	if err != nil {
		return fmt.Errorf("ask whether its turn has come: %w", err)
	}
	hopeless := slices.ContainsFunc(others, func(o billing.Attempt) bool {
		return o.Kind == a.Kind && o.ID != a.ID && o.Status == billing.AttemptDeclined && !o.Decline.Class().Retryable()
	})
	if !hopeless && verdict.Full == "" {
		return d.pay(ctx, a)
	}
	err = d.read(ctx, a)
	if err == nil && a.Status == billing.AttemptFailed && !hopeless {
		a.Decline = billing.Decline{Code: billing.CodeNotTried, DeclineCode: string(verdict.Full)}
	}
	return err
}

// pay asks Stripe for one attempt and fills in what came of it. An error means that nobody knows.
func (d *Desk) pay(ctx context.Context, a *billing.Attempt) error {
	payment, err := d.stripe.Pay(ctx, gateway.PayRequest{Invoice: a.InvoiceID, Method: a.MethodID, OffSession: a.By.Automatic(), Key: a.ID})
	if err != nil {
		return err
	}
	a.Decline, a.Reference, a.Charge = payment.Decline, payment.Intent, payment.Charge
	switch payment.Status {
	case gateway.Paid, gateway.AlreadyPaid:
		a.Status = billing.AttemptPaid
	case gateway.Processing:
		a.Status = billing.AttemptProcessing
	case gateway.Action:
		a.Status = billing.AttemptAction
	case gateway.Declined:
		a.Status = billing.AttemptDeclined
	case gateway.Gone:
		a.Status = billing.AttemptFailed
	case gateway.Refused: // what Stripe reads may lag behind what it has done: what it refuses twice is not done
		if d.now().Unix()-a.StartedAt < int64(unanswered/time.Second) {
			return fault.New(fault.Unavailable, "Stripe did not take the order to pay %s and is asked once more.", a.InvoiceID)
		}
		a.Status = billing.AttemptFailed
	}
	return nil
}

// end keeps how an attempt came out: two who ask at the same time hear the same.
func (d *Desk) end(ctx context.Context, a *billing.Attempt) error {
	return d.ending(ctx, a, func(*sql.Tx) error { return nil })
}

// endCharge is end for a charge that was pressed. With its end a decline is counted: whoever stops in between keeps neither.
func (d *Desk) endCharge(ctx context.Context, a *billing.Attempt, p Press) error {
	return d.ending(ctx, a, func(tx *sql.Tx) error {
		if a.Status != billing.AttemptDeclined || p.By.Automatic() {
			return nil
		}
		return d.countPress(ctx, tx, p, *a)
	})
}

// ending keeps how an attempt came out, and in the same transaction does what follows when that is news.
func (d *Desk) ending(ctx context.Context, a *billing.Attempt, follows func(tx *sql.Tx) error) error {
	a.EndedAt = d.now().Unix()
	err := d.db.Do(ctx, func(tx *sql.Tx) error {
		news, err := d.endIn(ctx, tx, a)
		if err != nil || !news {
			return err
		}
		return follows(tx)
	})
	if err != nil {
		return fmt.Errorf("keep the end of attempt %s: %w", a.ID, err)
	}
	return nil
}

// endIn is end within a transaction, and reports whether it is news. What was not tried changes nothing of an attempt that
// somebody else tried meanwhile: a becomes what that came to.
func (d *Desk) endIn(ctx context.Context, tx *sql.Tx, a *billing.Attempt) (news bool, err error) {
	err = database.Hold(ctx, tx, a.CustomerID)
	if err != nil {
		return false, err
	}
	before, err := billing.FindAttempt(ctx, tx, a.Press, a.InvoiceID)
	if err != nil {
		return false, err
	}
	if a.Status == billing.AttemptFailed && a.Reference == "" && before.Status != billing.AttemptStarted {
		*a = before
		return false, nil
	}
	return before.Status != a.Status, billing.EndAttempt(ctx, tx, *a)
}

// refresh reads the customer again after something happened; when Stripe does not answer, its events will tell.
func (d *Desk) refresh(ctx context.Context, customer string) {
	err := d.intake.Refresh(ctx, customer)
	if err != nil {
		d.log.WarnContext(ctx, "could not read the customer again", "customer", customer, "err", err)
	}
}

// pressTime bounds what one press may take.
const pressTime = 50 * time.Second

const (
	unanswered = 2 * time.Minute // after which an attempt without an answer is looked into
	keyLife    = 23 * time.Hour  // Stripe may forget an idempotency key after 24 hours
)

// Mend looks into attempts whose answer was never kept, because the program stopped or Stripe did not answer:
// while the key is young Stripe is asked again with the same key; later the invoice is only read. It answers
// how many it settled.
func (d *Desk) Mend(ctx context.Context, limit int) (int, error) {
	var open []billing.Attempt
	err := d.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		open, err = billing.UnansweredAttempts(ctx, tx, d.now().Add(-unanswered).Unix(), d.now().Add(-keyLife).Unix(), limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find unanswered attempts: %w", err)
	}
	mended := 0
	unheard := map[string]bool{} // presses of which one attempt is not answered yet: the next waits for it
	for _, a := range open {
		if unheard[a.Press] {
			continue
		}
		err = nil
		switch {
		case a.Kind == "setup":
			a.Status = billing.AttemptFailed // the card fields were never shown, or never sent
		case d.now().Unix()-a.StartedAt < int64(keyLife/time.Second):
			err = d.try(ctx, &a)
		default:
			err = d.read(ctx, &a)
		}
		if err != nil {
			d.log.WarnContext(ctx, "an attempt stays without an answer", "attempt", a.ID, "err", err)
			unheard[a.Press] = true
			continue
		}
		p, err := d.pressBehind(ctx, a)
		if err != nil {
			return mended, err
		}
		err = d.endCharge(ctx, &a, p)
		if err != nil {
			return mended, err
		}
		mended++
		d.refresh(ctx, a.CustomerID)
	}
	return mended, nil
}

func (d *Desk) read(ctx context.Context, a *billing.Attempt) error {
	i, _, err := d.stripe.Invoice(ctx, a.InvoiceID)
	if err != nil {
		return err
	}
	a.Status = billing.AttemptFailed
	if i.MarkedPaid() {
		a.Status = billing.AttemptPaid
	}
	return nil
}
