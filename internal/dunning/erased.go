package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// ClosedForErasure is why a case closed whose customer was erased.
const ClosedForErasure = "The customer was erased."

const closedForDeletion = "The customer was deleted at Stripe."

// Erase closes the open case of a customer who is being erased. What was still to be said or done in it, or in one without
// steps left, never is, and what was taken away is given back. The customer must be held.
func (cs *Cases) Erase(ctx context.Context, tx *sql.Tx, customer string, now time.Time) error {
	all, err := cs.OfCustomer(ctx, tx, customer)
	if err != nil {
		return fmt.Errorf("read the cases of %s: %w", customer, err)
	}
	for _, c := range all {
		if c.Status == Open {
			err = cs.close(ctx, tx, c, Canceled, ClosedForErasure, nil, now)
		} else {
			err = cs.endLeft(ctx, tx, c, now)
		}
		if err != nil {
			return fmt.Errorf("end case %s: %w", c.ID, err)
		}
	}
	return nil
}

// endLeft ends what may stand in a case that is not open any more.
func (cs *Cases) endLeft(ctx context.Context, tx *sql.Tx, c Case, now time.Time) error {
	err := dropProposal(ctx, tx, c.ID, now)
	if err != nil {
		return err
	}
	promise, err := cs.ActivePromise(ctx, tx, c.ID)
	if err == nil {
		err = endPromise(ctx, tx, promise, PromiseWithdrawn, "", ClosedForErasure, now)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return cs.restoreAccess(ctx, tx, c, ClosedForErasure, now)
}

// restoreAccess lets a customer who is gone have again what a case without steps left took away: nobody could ever pay for it, and
// the merchant's app would lock them out for ever. The case itself stays as it ended.
func (cs *Cases) restoreAccess(ctx context.Context, tx *sql.Tx, c Case, why string, now time.Time) error {
	if c.Status != Exhausted || c.Access == campaign.Full {
		return nil
	}
	c.Access = campaign.Full
	err := updateCase(ctx, tx, c, now)
	if err != nil {
		return err
	}
	return writeLog(ctx, tx, Entry{CaseID: c.ID, At: now.Unix(), What: "given_back", Why: why})
}

// KeptFromTheGone answers customers who are gone, erased or deleted at Stripe, from whom an ended case still keeps something: an
// earlier version of ours did not give it back.
func (cs *Cases) KeptFromTheGone(ctx context.Context, tx *sql.Tx) ([]string, error) {
	return database.Strings(ctx, tx, `
		SELECT DISTINCT customer_id FROM cases c
		WHERE status = 'exhausted' AND access <> 'full' AND EXISTS (SELECT 1 FROM customers k WHERE k.id = c.customer_id AND (k.erased_at > 0 OR k.deleted))
		ORDER BY customer_id`)
}

// GiveBack lets such a customer have again what their ended cases took away. Of one who is not gone it changes nothing.
func (cs *Cases) GiveBack(ctx context.Context, tx *sql.Tx, customer string, now time.Time) error {
	err := database.Hold(ctx, tx, customer)
	if err != nil {
		return err
	}
	found, err := billing.CustomersByID(ctx, tx, []string{customer})
	if err != nil {
		return err
	}
	who, why := found[customer], closedForDeletion
	if who.ErasedAt > 0 {
		why = ClosedForErasure
	}
	if who.ErasedAt == 0 && !who.Deleted {
		return nil
	}
	all, err := cs.OfCustomer(ctx, tx, customer)
	if err != nil {
		return err
	}
	for _, c := range all {
		err = cs.restoreAccess(ctx, tx, c, why, now)
		if err != nil {
			return fmt.Errorf("give back what case %s took away: %w", c.ID, err)
		}
	}
	return nil
}
