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

// Erase closes the open case of a customer who is being erased: what was still to be said or done in it never is. The
// customer must be held.
func (cs *Cases) Erase(ctx context.Context, tx *sql.Tx, customer string, now time.Time) error {
	c, err := cs.OpenOf(ctx, tx, customer)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err == nil {
		err = cs.close(ctx, tx, c, Canceled, ClosedForErasure, nil, now)
	}
	if err != nil {
		return fmt.Errorf("close the case of %s: %w", customer, err)
	}
	return nil
}
