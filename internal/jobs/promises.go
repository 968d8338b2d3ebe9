package jobs

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/checkout"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/intake"
)

// Promises sees to the days customers set: it charges as they chose, or looks whether they paid.
type Promises struct {
	DB     *database.DB
	Cases  *dunning.Cases
	Desk   *checkout.Desk
	Intake *intake.Intake
	Now    func() time.Time
	Log    *slog.Logger
}

const (
	promiseBatch = 20
	answerWait   = 5 * time.Minute // before a promise is looked at again when Stripe keeps silent
	bankWait     = 6 * time.Hour   // while a bank is working on what it is about
	budgetWait   = 48 * time.Hour  // past the day that was set, for a try that the card's budget allows only later
	pressWait    = 3 * time.Minute // while a press of the customer's own is under way
)

// RunOnce looks at up to a batch of promises whose day has come. Each is taken as far as is possible now and may be taken
// again at any time: what is stored of it and of its charges says how far it came. While sending is stopped because the
// database was put back from a copy it does nothing: the copy may hold a promise that was withdrawn later.
func (p *Promises) RunOnce(ctx context.Context) (int, error) {
	var due []string
	err := p.DB.See(ctx, func(tx *sql.Tx) error {
		sending, err := dunning.SendingSwitch(ctx, tx)
		if err != nil || sending.PutBack() {
			return err
		}
		due, err = p.Cases.DuePromises(ctx, tx, p.Now(), promiseBatch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find due promises: %w", err)
	}
	for _, id := range due {
		wait, err := p.keep(ctx, id)
		if err != nil {
			if passes(ctx, err) {
				return 0, err
			}
			p.Log.WarnContext(ctx, "a promise could not be looked at and waits", "promise", id, "err", err)
			wait = answerWait
		}
		if wait == 0 {
			continue
		}
		err = p.DB.Do(ctx, func(tx *sql.Tx) error { return p.Cases.LookLater(ctx, tx, id, p.Now().Add(wait)) })
		if err != nil {
			return 0, fmt.Errorf("put promise %s off: %w", id, err)
		}
	}
	return len(due), nil
}

// Next answers when the earliest promise wants to be looked at.
func (p *Promises) Next(ctx context.Context) (time.Time, bool, error) {
	var at int64
	var ok bool
	err := p.DB.See(ctx, func(tx *sql.Tx) error {
		sending, err := dunning.SendingSwitch(ctx, tx)
		if err != nil || sending.PutBack() {
			return err
		}
		at, ok, err = p.Cases.NextPromise(ctx, tx)
		return err
	})
	return time.Unix(at, 0), ok, err
}

// keep takes one promise as far as it goes and answers how long to wait before the next look, 0 when it has ended.
func (p *Promises) keep(ctx context.Context, id string) (time.Duration, error) {
	promise, err := p.read(ctx, id)
	if err != nil || promise.Status != dunning.PromiseActive {
		return 0, err
	}
	// What was paid meanwhile, here or elsewhere, keeps the promise before anything is charged or called broken.
	err = p.Intake.Refresh(ctx, promise.CustomerID)
	if err != nil {
		return 0, err
	}
	promise, err = p.read(ctx, id)
	if err != nil || promise.Status != dunning.PromiseActive {
		return 0, err
	}
	if promise.Kind == dunning.PromiseSelf {
		return p.look(ctx, promise)
	}
	attempts, pressing, err := p.attempts(ctx, promise)
	if err != nil {
		return 0, err
	}
	if len(attempts) > 0 {
		return p.conclude(ctx, promise, attempts)
	}
	if pressing {
		return pressWait, nil
	}
	return p.charge(ctx, promise)
}

func (p *Promises) read(ctx context.Context, id string) (dunning.Promise, error) {
	var promise dunning.Promise
	err := p.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		promise, err = p.Cases.FindPromise(ctx, tx, id)
		return err
	})
	return promise, err
}

// look ends a promise to pay by oneself whose day has passed. Money that a bank is still bringing is waited for.
func (p *Promises) look(ctx context.Context, promise dunning.Promise) (time.Duration, error) {
	waits := false
	err := p.DB.Do(ctx, func(tx *sql.Tx) error {
		for _, named := range promise.Invoices {
			i, err := billing.FindInvoice(ctx, tx, named.Invoice)
			if err != nil {
				return err
			}
			waits = waits || i.Processing()
		}
		if waits {
			return nil
		}
		return p.Cases.BreakPromise(ctx, tx, promise.ID, "The day passed and it is not paid.", p.Now())
	})
	if err == nil && waits {
		return bankWait, nil
	}
	return 0, err
}

// attempts answers the charges made for the promise, and whether the customer's own press is under way.
func (p *Promises) attempts(ctx context.Context, promise dunning.Promise) (made []billing.Attempt, pressing bool, err error) {
	err = p.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		made, err = billing.AttemptsOf(ctx, tx, promise.CustomerID, promise.ID)
		if err != nil {
			return err
		}
		recent, err := billing.AttemptsSince(ctx, tx, promise.CustomerID, p.Now().Add(-pressWait).Unix())
		for _, a := range recent {
			pressing = pressing || a.Kind == "charge" && a.Status == billing.AttemptStarted
		}
		return err
	})
	return made, pressing, err
}

// charge makes the one charge of a promise. Its id is the press, so that whatever stops the program, a second run
// finds the same attempts and their keys.
func (p *Promises) charge(ctx context.Context, promise dunning.Promise) (time.Duration, error) {
	press := checkout.Press{ID: promise.ID, Customer: promise.CustomerID, Method: promise.MethodID, By: billing.ByPromise}
	waits := false
	err := p.DB.Do(ctx, func(tx *sql.Tx) error {
		charge, why, busy, err := p.Cases.BeginCharging(ctx, tx, promise.ID, p.Now())
		if err != nil {
			return err
		}
		waits = busy && len(charge) == 0
		if len(charge) == 0 && !busy {
			return p.Cases.BreakPromise(ctx, tx, promise.ID, why, p.Now())
		}
		for _, c := range charge {
			press.Invoices = append(press.Invoices, checkout.Expected{Invoice: c.Invoice, Amount: c.Amount})
		}
		return nil
	})
	if fault.Is(err, fault.Conflict) {
		return 0, nil // withdrawn at this moment
	}
	if err != nil {
		return 0, err
	}
	if waits {
		return bankWait, nil
	}
	if len(press.Invoices) == 0 {
		return 0, nil
	}
	attempts, err := p.Desk.Charge(ctx, press)
	var refused *checkout.Refused
	if errors.As(err, &refused) {
		return p.refused(ctx, promise, refused.Verdict)
	}
	if err != nil {
		return 0, err
	}
	err = p.Intake.Refresh(ctx, promise.CustomerID)
	if err != nil {
		return 0, err // what came of it is told by the next look
	}
	return p.conclude(ctx, promise, attempts)
}

// refused deals with a charge that the card's budget does not allow now: it waits for it up to two days, and after that,
// or with a card that may not be tried again at all, the promise is broken and the customer told why.
func (p *Promises) refused(ctx context.Context, promise dunning.Promise, verdict billing.Verdict) (time.Duration, error) {
	wait := time.Unix(verdict.After, 0).Sub(p.Now())
	waits := verdict.After > 0 && verdict.After <= promise.DueAt+int64(budgetWait/time.Second)
	err := p.DB.Do(ctx, func(tx *sql.Tx) error {
		err := p.Cases.NotCharged(ctx, tx, promise.ID)
		if err != nil || waits {
			return err
		}
		return p.Cases.BreakPromise(ctx, tx, promise.ID, verdict.Why.Words(), p.Now())
	})
	if err != nil || !waits {
		return 0, err
	}
	return max(wait, time.Minute), nil
}

// conclude ends a promise by what became of its charges, as Stripe was read just now. Paid ones have kept it already.
func (p *Promises) conclude(ctx context.Context, promise dunning.Promise, attempts []billing.Attempt) (time.Duration, error) {
	unpaid, waits := 0, false
	err := p.DB.See(ctx, func(tx *sql.Tx) error {
		for _, named := range promise.Invoices {
			i, err := billing.FindInvoice(ctx, tx, named.Invoice)
			if err != nil {
				return err
			}
			if i.Open() {
				unpaid++
			}
			waits = waits || i.Processing()
		}
		return nil
	})
	if err != nil || unpaid == 0 {
		return 0, err
	}
	paid, why := 0, ""
	for _, a := range attempts {
		switch a.Status {
		case billing.AttemptStarted:
			return pressWait, nil // nobody knows yet; the mender asks again with the same key
		case billing.AttemptPaid:
			paid++
		default:
			why = cmp.Or(why, brokenWhy[a.Status])
		}
	}
	if waits {
		return bankWait, nil
	}
	if why == "" && unpaid > len(promise.Invoices)-len(attempts) {
		return answerWait, nil // paid, and Stripe has not said so yet
	}
	if paid > 0 {
		why = "A part of it was paid, the rest could not be charged. " + why
	}
	return 0, p.DB.Do(ctx, func(tx *sql.Tx) error {
		return p.Cases.BreakPromise(ctx, tx, promise.ID, strings.TrimSpace(why), p.Now())
	})
}

// brokenWhy says for staff why a charge did not keep a promise.
var brokenWhy = map[billing.AttemptStatus]string{
	billing.AttemptAction:     "The bank wants the customer to approve the charge.",
	billing.AttemptDeclined:   "The bank declined the charge.",
	billing.AttemptProcessing: "The bank debit did not go through.",
	billing.AttemptFailed:     "The charge could not be made.",
}
