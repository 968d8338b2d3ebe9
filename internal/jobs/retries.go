package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/checkout"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/intake"
)

// Retries charges open invoices without anybody's press: at once with a card that came into use, and on the days of a
// campaign that has retries of its own. Stripe is read again before each charge. Each is kept with its idempotency key
// before Stripe is asked, under a name that is the same however often and by whichever program it is tried.
type Retries struct {
	DB     *database.DB
	Cases  *dunning.Cases
	Intake *intake.Intake
	Desk   *checkout.Desk
	Now    func() time.Time
	Log    *slog.Logger
}

const (
	retryBatch  = 50
	retryStripe = 10 * time.Minute // until Stripe is asked again when it did not answer
	retryFailed = time.Hour        // until what failed on our side is tried again
	cardRests   = 6 * time.Hour    // until a new card's case is looked at again
	cardTyping  = 5 * time.Minute  // until a customer at their card page is looked at again
	cardPage    = 30 * time.Minute // how long they are thought to be there
)

// RunOnce does a batch and answers how much it dealt with. While sending is stopped the campaigns' retries wait; new cards
// wait too if it is stopped because the database was put back from a copy.
func (r *Retries) RunOnce(ctx context.Context) (int, error) {
	var cards []billing.NewCard
	var due []dunning.Retry
	now := r.Now()
	err := r.DB.See(ctx, func(tx *sql.Tx) error {
		sending, err := dunning.SendingSwitch(ctx, tx)
		if err != nil || sending.PutBack() {
			return err
		}
		cards, err = billing.NewCards(ctx, tx, now.Unix(), retryBatch)
		if err != nil || sending.Stopped {
			return err
		}
		due, err = r.Cases.DueRetries(ctx, tx, now.Unix(), retryBatch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find what is to be charged: %w", err)
	}
	for _, c := range cards {
		err = r.newCard(ctx, c)
		if err != nil {
			return 0, err
		}
	}
	for _, retry := range due {
		err = r.retry(ctx, retry)
		if err != nil {
			return 0, err
		}
	}
	return len(cards) + len(due), nil
}

// Next answers when the next of them is due.
func (r *Retries) Next(ctx context.Context) (time.Time, bool, error) {
	next := int64(0)
	err := r.DB.See(ctx, func(tx *sql.Tx) error {
		sending, err := dunning.SendingSwitch(ctx, tx)
		if err != nil || sending.PutBack() {
			return err
		}
		card, err := billing.NextNewCard(ctx, tx)
		if err != nil {
			return err
		}
		if !sending.Stopped {
			next, err = r.Cases.NextRetry(ctx, tx)
		}
		if err != nil {
			return err
		}
		if card > 0 && (next == 0 || card < next) {
			next = card
		}
		return nil
	})
	return time.Unix(next, 0), next > 0, err
}

// retry runs one retry if it may, and moves it on. What goes wrong holds up no other.
func (r *Retries) retry(ctx context.Context, retry dunning.Retry) error {
	err := r.attempt(ctx, retry)
	if err == nil || passes(ctx, err) {
		return err
	}
	wait, why := retryFailed, "It failed on our side and is tried again."
	var refused *checkout.Refused
	switch {
	case fault.Is(err, fault.Unavailable):
		wait, why = retryStripe, "Stripe does not answer."
	case errors.As(err, &refused), fault.Is(err, fault.Conflict):
		wait, why = time.Minute, "" // something came in between; the next look says what
	default:
		wait = restAfter(err, retryFailed)
		r.Log.ErrorContext(ctx, "a retry failed and waits", "invoice", retry.InvoiceID, "wait", wait, "err", err)
	}
	return r.DB.Do(ctx, func(tx *sql.Tx) error { return r.Cases.PutRetryOff(ctx, tx, retry, r.Now().Add(wait), why) })
}

func (r *Retries) attempt(ctx context.Context, retry dunning.Retry) error {
	err := r.Intake.RefreshWithTries(ctx, retry.CustomerID)
	if err != nil {
		return err
	}
	order, may, err := r.take(ctx, retry)
	if err != nil || !may {
		return err
	}
	_, err = r.Desk.Charge(ctx, checkout.Press{
		ID: order.Press, Customer: order.Customer, Method: order.Method, By: billing.BySchedule,
		Invoices: []checkout.Expected{{Invoice: order.Invoice.ID, Amount: order.Invoice.Remaining()}},
	})
	if err != nil {
		return err
	}
	_, _, err = r.take(ctx, retry)
	return err
}

func (r *Retries) take(ctx context.Context, retry dunning.Retry) (dunning.RetryOrder, bool, error) {
	var order dunning.RetryOrder
	may := false
	err := r.DB.Do(ctx, func(tx *sql.Tx) error {
		var err error
		order, may, err = r.Cases.TakeRetry(ctx, tx, retry, r.Now())
		return err
	})
	return order, may, err
}

// newCard charges what is open with a card that came into use, and keeps what became of it. What goes wrong holds up no
// other.
func (r *Retries) newCard(ctx context.Context, c billing.NewCard) error {
	err := r.chargeWith(ctx, &c)
	var refused *checkout.Refused
	switch {
	case passes(ctx, err):
		return err
	case fault.Is(err, fault.Unavailable):
		c.DueAt, c.Why = r.Now().Add(retryStripe).Unix(), "Stripe does not answer."
	case errors.As(err, &refused), fault.Is(err, fault.Conflict):
		c.DueAt = r.Now().Add(time.Minute).Unix() // something came in between; the next look says what
	case fault.Is(err, fault.NotFound):
		c.DueAt, c.Why = 0, "Stripe does not know it any more."
	case err != nil:
		wait := restAfter(err, retryFailed)
		r.Log.ErrorContext(ctx, "a new card could not be charged and waits", "customer", c.CustomerID, "wait", wait, "err", err)
		c.DueAt, c.Why = r.Now().Add(wait).Unix(), "It failed on our side and is tried again."
	}
	return r.DB.Do(ctx, func(tx *sql.Tx) error {
		err := database.Hold(ctx, tx, c.CustomerID)
		if err != nil {
			return err
		}
		news, err := billing.SettleNewCard(ctx, tx, c)
		if err != nil || !news {
			return err
		}
		return r.Cases.Tell(ctx, tx, c.CustomerID, "new_card", c.Why, r.Now())
	})
}

func (r *Retries) chargeWith(ctx context.Context, c *billing.NewCard) error {
	err := r.Intake.RefreshWithTries(ctx, c.CustomerID)
	if err != nil {
		return err
	}
	var wanted []checkout.Expected
	err = r.DB.Do(ctx, func(tx *sql.Tx) error {
		var err error
		wanted, err = r.openFor(ctx, tx, c)
		return err
	})
	if err != nil || len(wanted) == 0 {
		return err
	}
	_, err = r.Desk.Charge(ctx, checkout.Press{
		ID: fmt.Sprintf("card %s %d", c.MethodID, c.SeenAt), Customer: c.CustomerID, Method: c.MethodID, By: billing.ByNewCard, Invoices: wanted,
	})
	return err
}

// openFor answers what is to be charged with the card now, oldest first. It sets the card's DueAt, 0 when we are done with
// it, otherwise when it is looked at again, and its Why.
func (r *Retries) openFor(ctx context.Context, tx *sql.Tx, c *billing.NewCard) ([]checkout.Expected, error) {
	now := r.Now()
	err := database.Hold(ctx, tx, c.CustomerID)
	if err != nil {
		return nil, err
	}
	onOurPage, typing, err := billing.OwnUpdate(ctx, tx, c.CustomerID, c.MethodID, now.Add(-cardPage).Unix())
	if err != nil {
		return nil, err
	}
	renewed, err := billing.RenewedAt(ctx, tx, c.MethodID)
	if err != nil {
		return nil, err
	}
	may, why, err := r.Cases.MayActFor(ctx, tx, c.CustomerID, renewed == 0)
	if err != nil {
		return nil, err
	}
	switch {
	case onOurPage && renewed == 0:
		c.DueAt, c.Why = 0, "The customer left it on our page, which charges what they choose."
		return nil, nil
	case typing && renewed == 0:
		c.DueAt, c.Why = now.Add(cardTyping).Unix(), "The customer is at our card page."
		return nil, nil
	case !may:
		c.DueAt, c.Why = now.Add(cardRests).Unix(), "A new card came, and the case rests. "+why
		return nil, nil
	}
	return untriedWith(ctx, tx, c, now)
}

// untriedWith is openFor for a card that may be charged now: the overdue invoices that are charged to it, that it was not
// tried for, and that its budget allows. An invoice whose budget allows it later puts the card's DueAt there.
func untriedWith(ctx context.Context, tx *sql.Tx, c *billing.NewCard, now time.Time) ([]checkout.Expected, error) {
	tried, err := billing.TriedWith(ctx, tx, c.CustomerID, c.MethodID)
	if err != nil {
		return nil, err
	}
	overdue, err := billing.Overdue(ctx, tx, c.CustomerID, now.Unix())
	if err != nil {
		return nil, err
	}
	c.DueAt, c.Why = 0, "A new card came. Nothing was open that it had not been tried for."
	var wanted []checkout.Expected
	for _, i := range overdue {
		method, err := billing.MethodFor(ctx, tx, i)
		if err != nil {
			return nil, err
		}
		if i.ByHand() || !i.Chargeable() || method != c.MethodID || slices.Contains(tried, i.ID) {
			continue
		}
		verdict, err := billing.MayCharge(ctx, tx, "", billing.ByNewCard, i, c.MethodID, now)
		if err != nil {
			return nil, err
		}
		if verdict.Allowed {
			wanted = append(wanted, checkout.Expected{Invoice: i.ID, Amount: i.Remaining()})
			continue
		}
		c.Why = "A new card came, but " + i.Number + " was not charged with it. " + verdict.Why.Words()
		if verdict.After > 0 && (c.DueAt == 0 || verdict.After < c.DueAt) {
			c.DueAt = verdict.After
		}
	}
	if len(wanted) > 0 {
		c.Why = "A new card came: what was open was charged with it."
	}
	return wanted, nil
}
