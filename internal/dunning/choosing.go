package dunning

import (
	"context"
	"database/sql"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// PolicyFor answers the contact policy as it applies to a customer with these choices.
func (cs *Cases) PolicyFor(who billing.Customer, c contact.Choices) contact.Policy {
	return cs.policy.For(who, c, cs.home)
}

// Choose keeps what a customer decided, and from this transaction on it holds: waiting reminders they no longer want are
// left out, and the schedule is worked out anew. change gets the choices in force and answers the new ones; changed reports
// whether they differ, so that a press may be repeated. fault.Invalid as Choices.Check.
func (cs *Cases) Choose(ctx context.Context, tx *sql.Tx, customer string, change func(contact.Choices) contact.Choices, now time.Time) (changed bool, err error) {
	err = database.Hold(ctx, tx, customer)
	if err != nil {
		return false, err
	}
	_, err = billing.FindCustomer(ctx, tx, customer)
	if err != nil {
		return false, err
	}
	before, err := contact.ChoicesOf(ctx, tx, customer)
	if err != nil {
		return false, err
	}
	c := change(before)
	if c.Same(before) {
		return false, nil
	}
	if c.Hours != before.Hours {
		err = c.Check(cs.policy)
		if err != nil {
			return false, err
		}
	}
	c.CustomerID, c.Version, c.At = customer, before.Version+1, now.Unix()
	err = contact.Keep(ctx, tx, c)
	if err != nil {
		return false, err
	}
	err = cs.heed(ctx, tx, customer, c, now)
	if err != nil {
		return false, err
	}
	return true, nil
}

// heed brings what waits for the customer in line with what they chose.
func (cs *Cases) heed(ctx context.Context, tx *sql.Tx, customer string, c contact.Choices, now time.Time) error {
	notices, err := outbox.OfCustomer(ctx, tx, customer)
	if err != nil {
		return err
	}
	for _, n := range notices {
		if !n.Counts || n.Status != outbox.Queued { // what does not count answers somebody
			continue
		}
		switch {
		case n.Channel == outbox.Email && c.NoMail && n.Kind != outbox.FinalAct:
			err = cs.LeaveOut(ctx, tx, n, contact.NoMailWanted, now)
		case n.Channel == outbox.Email: // the sender asks the policy anew
			err = outbox.Later(ctx, tx, n.ID, now.Unix(), n.Reason)
		case n.Channel == outbox.App && c.NoApp:
			err = outbox.LeaveOut(ctx, tx, n.ID, contact.NoAppWanted, now.Unix())
		}
		if err != nil {
			return err
		}
	}
	open, err := cs.OpenOf(ctx, tx, customer)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return cs.reschedule(ctx, tx, open, now)
}
