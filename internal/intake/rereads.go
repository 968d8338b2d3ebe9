package intake

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"sollecito/internal/fault"
)

const (
	rereadBatch  = 100             // customers read in one round
	rereadLease  = 5 * time.Minute // of business time, how long a claimed customer is left to who claimed them
	unknownAgain = 24 * time.Hour  // a customer whom Stripe does not know is asked for again
	mostRefusals = 3               // readings that fail one after the other, after which it is Stripe, not the customer:
	refusedPause = time.Minute     // nobody is read again before
)

// reread is a customer who is to be read again though no event says so. Instants are unix seconds of business time.
type reread struct {
	customer string
	tries    int64
	due      int64 // the end of the claim
}

// ReadAgain reads a round of the customers who wait to be read again, and answers how many it dealt with. Each waits
// by himself in a durable row until a reading succeeded: one that fails holds up no other and is tried again with
// growing waits. Who was read meanwhile for another reason is not read once more.
func (in *Intake) ReadAgain(ctx context.Context) (int, error) {
	var claimed []reread
	err := in.db.Do(ctx, func(tx *sql.Tx) error {
		now := in.now()
		err := dropRead(ctx, tx, now.Unix())
		if err != nil {
			return err
		}
		claimed, err = claimRereads(ctx, tx, in.db.SkipLocked(), now.Unix(), now.Add(rereadLease).Unix(), rereadBatch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("claim customers to read again: %w", err)
	}
	var done, refused atomic.Int64
	var group errgroup.Group
	group.SetLimit(in.together())
	for _, r := range claimed {
		group.Go(func() error {
			if refused.Load() >= mostRefusals {
				return in.concluded(ctx, func(tx *sql.Tx) error { return postpone(ctx, tx, r, in.now().Add(refusedPause).Unix(), r.tries) })
			}
			err := caught(func() error { return in.Refresh(ctx, r.customer) })
			if ctx.Err() != nil {
				return ctx.Err() // shutting down: the claim runs out and they are read later
			}
			if fault.Is(err, fault.Unavailable) {
				refused.Add(1)
			} else {
				refused.Store(0)
			}
			if err == nil {
				done.Add(1)
			}
			return in.concluded(ctx, func(tx *sql.Tx) error { return in.concludeReread(ctx, tx, r, err) })
		})
	}
	err = group.Wait()
	if err == nil && refused.Load() >= mostRefusals {
		err = in.concluded(ctx, func(tx *sql.Tx) error { return postponeAll(ctx, tx, in.now().Add(refusedPause).Unix()) })
	}
	return int(done.Load()), err
}

func (in *Intake) concluded(ctx context.Context, keep func(tx *sql.Tx) error) error {
	err := in.db.Do(ctx, keep)
	if err != nil {
		return fmt.Errorf("keep how reading again came out: %w", err)
	}
	return nil
}

func (in *Intake) concludeReread(ctx context.Context, tx *sql.Tx, r reread, outcome error) error {
	now := in.now()
	switch {
	case outcome == nil:
		return dropReread(ctx, tx, r)
	case fault.Is(outcome, fault.NotFound):
		in.log.WarnContext(ctx, "Stripe does not know a stored customer any more", "customer", r.customer)
		return postpone(ctx, tx, r, now.Add(unknownAgain).Unix(), r.tries+1)
	case fault.Is(outcome, fault.Unavailable):
		in.log.WarnContext(ctx, "customer waits to be read again, Stripe does not answer", "customer", r.customer, "tries", r.tries+1, "err", outcome)
	default:
		in.log.ErrorContext(ctx, "reading a customer again failed and is tried again", "customer", r.customer, "tries", r.tries+1, "err", outcome)
	}
	return postpone(ctx, tx, r, now.Add(backoff(r.tries+1)).Unix(), r.tries+1)
}

// NextReread answers when the first customer is due to be read again, and false when none waits.
func (in *Intake) NextReread(ctx context.Context) (time.Time, bool, error) {
	var at int64
	err := in.db.See(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT coalesce(min(due_at), 0) FROM rereads`).Scan(&at)
	})
	return time.Unix(at, 0), at > 0, err
}

// askUnread lets the customers be read again who have an open invoice that was last read before the instant, longest
// ago first, up to a limit. Who waits already goes on waiting.
func askUnread(ctx context.Context, tx *sql.Tx, before int64, limit int, now int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO rereads (customer_id, asked_at, due_at)
		SELECT customer_id, $3, $3 FROM (
			SELECT customer_id, min(synced_at) AS read_at FROM invoices WHERE status = 'open' AND synced_at < $1
				AND customer_id NOT IN (SELECT customer_id FROM rereads WHERE asked_at >= $1)
			GROUP BY customer_id ORDER BY read_at, customer_id LIMIT $2) AS unread
		WHERE true
		ON CONFLICT (customer_id) DO UPDATE SET asked_at = excluded.asked_at`, before, limit, now)
	return err
}

// dropRead forgets those who were read as a whole, for whatever reason, since they were to be.
func dropRead(ctx context.Context, tx *sql.Tx, now int64) error {
	_, err := tx.ExecContext(ctx, `
		DELETE FROM rereads WHERE due_at <= $1 AND EXISTS (
			SELECT 1 FROM customers c WHERE c.id = rereads.customer_id AND c.synced_at >= rereads.asked_at AND c.synced_at <= $1)`, now)
	return err
}

// claimRereads takes those who are due and leaves them to the caller until lease. skip is the engine's word for
// leaving out what another claimer is taking.
func claimRereads(ctx context.Context, tx *sql.Tx, skip string, now, lease int64, limit int) ([]reread, error) {
	rows, err := tx.QueryContext(ctx, `
		WITH first AS (SELECT customer_id FROM rereads WHERE due_at <= $2 ORDER BY due_at, customer_id LIMIT $3`+skip+`)
		UPDATE rereads SET due_at = $1 WHERE due_at <= $2 AND customer_id IN (SELECT customer_id FROM first)
		RETURNING customer_id, tries, due_at`, lease, now, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []reread
	for rows.Next() {
		var r reread
		err := rows.Scan(&r.customer, &r.tries, &r.due)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// dropReread forgets a customer whose reading succeeded, unless it was asked for anew meanwhile.
func dropReread(ctx context.Context, tx *sql.Tx, r reread) error {
	_, err := tx.ExecContext(ctx, `
		DELETE FROM rereads WHERE customer_id = $1
			AND asked_at <= (SELECT synced_at FROM customers WHERE id = $1)`, r.customer)
	return err
}

// postpone lets a claimed customer wait until at. It changes nothing when the claim ran out and another took it over.
func postpone(ctx context.Context, tx *sql.Tx, r reread, at, tries int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE rereads SET due_at = $1, tries = $2 WHERE customer_id = $3 AND due_at = $4`, at, tries, r.customer, r.due)
	return err
}

// postponeAll lets nobody be read before at.
func postponeAll(ctx context.Context, tx *sql.Tx, at int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE rereads SET due_at = $1 WHERE due_at < $1`, at)
	return err
}
