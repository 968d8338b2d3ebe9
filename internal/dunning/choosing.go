package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

const choiceColumns = `customer_id, version, at, no_mail, no_app, hours_from, hours_to, source, words, actor`

// ChoicesOf answers what the customer decided about our reminders, the zero Choices when they never did.
func ChoicesOf(ctx context.Context, tx *sql.Tx, customer string) (Choices, error) {
	found, err := selectChoices(ctx, tx, `WHERE customer_id = $1 ORDER BY version DESC LIMIT 1`, customer)
	if err != nil || len(found) == 0 {
		return Choices{}, err
	}
	return found[0], nil
}

// ChoicesMade answers every version of what the customer decided, oldest first.
func ChoicesMade(ctx context.Context, tx *sql.Tx, customer string) ([]Choices, error) {
	return selectChoices(ctx, tx, `WHERE customer_id = $1 ORDER BY version`, customer)
}

func selectChoices(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Choices, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+choiceColumns+` FROM contact_choices `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read contact choices: %w", err)
	}
	defer rows.Close()
	var all []Choices
	for rows.Next() {
		var c Choices
		err = rows.Scan(&c.CustomerID, &c.Version, &c.At, &c.NoMail, &c.NoApp, &c.Hours.From, &c.Hours.To, &c.Source, &c.Words, &c.Actor)
		if err != nil {
			return nil, fmt.Errorf("read contact choices: %w", err)
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// PolicyFor answers the contact policy as it applies to a customer with these choices.
func (cs *Cases) PolicyFor(who billing.Customer, c Choices) Policy {
	return cs.policy.For(who, c, cs.home)
}

// Choose keeps what a customer decided, and from this transaction on it holds: waiting reminders they no longer want
// are left out, and the schedule is reckoned anew. Choosing what stands already changes nothing, so that a press may
// be repeated; changed reports whether it was new. change gets what stands and answers what shall stand.
// fault.Invalid as Choices.Check.
func (cs *Cases) Choose(ctx context.Context, tx *sql.Tx, customer string, change func(Choices) Choices, now time.Time) (changed bool, err error) {
	err = database.Hold(ctx, tx, customer)
	if err != nil {
		return false, err
	}
	_, err = billing.FindCustomer(ctx, tx, customer)
	if err != nil {
		return false, err
	}
	before, err := ChoicesOf(ctx, tx, customer)
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
	_, err = tx.ExecContext(ctx, `INSERT INTO contact_choices (`+choiceColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		customer, before.Version+1, now.Unix(), c.NoMail, c.NoApp, c.Hours.From, c.Hours.To, c.Source, c.Words, c.Actor)
	if err != nil {
		return false, fmt.Errorf("keep contact choices: %w", err)
	}
	err = cs.heed(ctx, tx, customer, c, now)
	if err != nil {
		return false, err
	}
	return true, nil
}

// heed brings what waits for the customer in line with what they chose.
func (cs *Cases) heed(ctx context.Context, tx *sql.Tx, customer string, c Choices, now time.Time) error {
	notices, err := outbox.OfCustomer(ctx, tx, customer)
	if err != nil {
		return err
	}
	for _, n := range notices {
		if !n.Counts || n.Status != outbox.Queued { // what does not count answers somebody
			continue
		}
		switch {
		case n.Channel == outbox.Email && c.NoMail:
			err = cs.LeaveOut(ctx, tx, n, NoMailWanted, now)
		case n.Channel == outbox.Email: // the sender asks the policy anew
			err = outbox.Later(ctx, tx, n.ID, now.Unix(), n.Reason)
		case n.Channel == outbox.App && c.NoApp:
			err = outbox.LeaveOut(ctx, tx, n.ID, NoAppWanted, now.Unix())
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
