package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/fault"
)

// ClosedForErasure is why a case closed whose customer was erased.
const ClosedForErasure = "The customer was erased."

// Erase closes the open case of a customer who is being erased. What was still to be said or done in it, or in one without
// steps left, never is. The customer must be held.
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
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return endPromise(ctx, tx, promise, PromiseWithdrawn, "", ClosedForErasure, now)
}
