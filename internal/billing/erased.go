package billing

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sollecito/internal/fault"
)

var errErased = errors.New("the customer was erased")

// IsErased reports whether an error says that the customer it is about was erased. To whoever asks no further it is a
// fault.NotFound like any other.
func IsErased(err error) bool { return errors.Is(err, errErased) }

// orErased answers the customer, or for one who was erased the error that says so.
func (c Customer) orErased() (Customer, error) {
	if c.ErasedAt == 0 {
		return c, nil
	}
	return Customer{}, fault.Wrap(fault.NotFound, errErased, "The customer %s was erased on %s. Nothing but the id and nameless figures is left of them.",
		c.ID, time.Unix(c.ErasedAt, 0).UTC().Format("2 January 2006"))
}

// Erased answers the error IsErased of a customer who was erased, nil of any other.
func (c Customer) Erased() error {
	_, err := c.orErased()
	return err
}

// ErasedSince answers who was erased at or after the instant (unix seconds).
func ErasedSince(ctx context.Context, tx *sql.Tx, since int64) ([]Customer, error) {
	found, err := selectCustomers(ctx, tx, `WHERE erased_at > 0 AND erased_at >= $1 ORDER BY erased_at, id`, since)
	if err != nil {
		return nil, fmt.Errorf("read who was erased: %w", err)
	}
	return found, nil
}
