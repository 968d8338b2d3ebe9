package checkout

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
	"sollecito/internal/outbox"
)

// Holdings answers every payment method the customer has at Stripe, with what each serves as far as is stored; a guest's
// card is not theirs. Errors: fault.Unavailable when Stripe does not answer.
func (d *Desk) Holdings(ctx context.Context, customer string) ([]billing.Holding, error) {
	methods, err := d.stripe.Methods(ctx, customer)
	if err != nil {
		return nil, err
	}
	var all []billing.Holding
	err = d.db.See(ctx, func(tx *sql.Tx) error {
		who, err := billing.FindCustomer(ctx, tx, customer)
		if err != nil {
			return err
		}
		methods, err = billing.WithoutGuests(ctx, tx, customer, methods)
		if err != nil {
			return err
		}
		subscriptions, err := billing.Subscriptions(ctx, tx, customer)
		all = billing.Holdings(who, methods, subscriptions)
		return err
	})
	return all, err
}

// OrderRemoval keeps, in the caller's transaction, that a payment method is to be taken off; Remove carries it out. The
// caller holds the customer. fault.Conflict when another method of theirs is being taken off, or was meanwhile and the
// order no longer fits.
func (d *Desk) OrderRemoval(ctx context.Context, tx *sql.Tx, r *billing.Removal, request string) error {
	fits, err := r.MayOrder(ctx, tx)
	if err != nil {
		return err
	}
	if !fits {
		return fault.New(fault.Conflict, "The payment methods have changed meanwhile.")
	}
	r.OrderedAt = d.now().Unix()
	fresh, err := billing.OrderRemoval(ctx, tx, r)
	if err != nil {
		return err
	}
	if !fresh {
		return fault.New(fault.Conflict, "One is being removed already.")
	}
	return audit.Append(ctx, tx, audit.Entry{
		At: d.now(), Actor: "customer", Role: "customer", Action: "method.remove", Object: r.CustomerID, Detail: r.MethodID, Request: request,
	})
}

// Remove does at Stripe what was ordered: the successor takes over what the method served, then the method goes. It is
// safe to ask again. Errors: fault.Unavailable when Stripe does not answer, and then Mend goes on; fault.Conflict when
// the successor is gone, and then nothing was taken off.
func (d *Desk) Remove(ctx context.Context, r billing.Removal) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), pressTime)
	defer stop()
	err := d.succeed(ctx, r)
	if fault.Is(err, fault.NotFound) {
		r.Status = billing.RemovalFailed
		err = d.endRemoval(ctx, r)
		if err != nil {
			return err
		}
		return fault.New(fault.Conflict, "What was to take its place is gone.")
	}
	if err != nil {
		return err
	}
	err = d.stripe.DetachMethod(ctx, r.MethodID, r.ID+"-detach")
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	d.refresh(ctx, r.CustomerID) // the next order is checked against what it left
	r.Status = billing.RemovalDone
	return d.endRemoval(ctx, r)
}

// succeed puts the successor where the method stood, and nowhere else.
func (d *Desk) succeed(ctx context.Context, r billing.Removal) error {
	if r.Successor == "" {
		return nil
	}
	use := gateway.UseRequest{Customer: r.CustomerID, Method: r.Successor, Key: r.ID + "-use"}
	err := d.db.See(ctx, func(tx *sql.Tx) error {
		who, err := billing.FindCustomer(ctx, tx, r.CustomerID)
		if err != nil {
			return err
		}
		use.OnlySubscriptions = who.DefaultMethod != r.MethodID
		subscriptions, err := billing.Subscriptions(ctx, tx, r.CustomerID)
		for _, s := range subscriptions {
			if s.Live() && s.DefaultMethod == r.MethodID {
				use.Subscriptions = append(use.Subscriptions, s.ID)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return d.stripe.UseMethod(ctx, use)
}

// endRemoval keeps how a removal ended; of one that was done its customer is told.
func (d *Desk) endRemoval(ctx context.Context, r billing.Removal) error {
	r.EndedAt = d.now().Unix()
	err := d.db.Do(ctx, func(tx *sql.Tx) error {
		err := database.Hold(ctx, tx, r.CustomerID)
		if err != nil {
			return err
		}
		fresh, err := billing.EndRemoval(ctx, tx, r)
		if err != nil || !fresh || r.Status != billing.RemovalDone {
			return err
		}
		_, err = outbox.Queue(ctx, tx, outbox.Notice{
			Kind: outbox.MethodGone, Channel: outbox.Email, CustomerID: r.CustomerID, SubjectID: r.ID,
		}, r.EndedAt)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the end of removal %s: %w", r.ID, err)
	}
	return nil
}

// MendRemovals goes on with orders that Stripe did not answer, or that a stop of the program cut off. It answers how
// many ended.
func (d *Desk) MendRemovals(ctx context.Context, limit int) (int, error) {
	var ordered []billing.Removal
	err := d.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		ordered, err = billing.OrderedRemovals(ctx, tx, d.now().Add(-removalWait).Unix(), limit)
		return err
	})
	if err != nil {
		return 0, err
	}
	mended := 0
	for _, r := range ordered {
		err = d.Remove(ctx, r)
		if err != nil && !fault.Is(err, fault.Conflict) {
			d.log.WarnContext(ctx, "a payment method could not be taken off yet", "removal", r.ID, "err", err)
			continue
		}
		mended++
	}
	return mended, nil
}

// removalWait is how long an order is left to the press that gave it.
const removalWait = time.Minute
