package intake

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
)

const (
	rereadBatch  = 40             // customers read in one round
	unknownAgain = 24 * time.Hour // a customer whom Stripe does not know is asked for again
	mostRefusals = 3              // readings that fail one after the other, after which it is Stripe and not the customer:
	refusedPause = time.Minute    // this program reads nobody again before
)

// reread is a customer who is to be read again though no event says so. Instants are unix seconds of business time.
type reread struct {
	customer string
	asked    int64 // a reading that began then or later serves
	tries    int64
	due      int64 // the end of the claim
}

// ReadAgain reads a round of the customers who wait to be read again, and answers how many it dealt with. Each has a
// durable row until a reading succeeds: one that fails holds up no other and is tried again with growing waits. A customer
// who was read meanwhile for another reason is not read once more.
func (in *Intake) ReadAgain(ctx context.Context) (int, error) {
	if in.now().Unix() < in.quietUntil.Load() {
		return 0, nil
	}
	var claimed []reread
	var known people
	err := in.db.Do(ctx, func(tx *sql.Tx) error {
		now := in.now()
		var err error
		claimed, err = claimRereads(ctx, tx, in.db.SkipLocked(), now.Unix(), now.Add(lease).Unix(), rereadBatch)
		if err != nil {
			return err
		}
		var ids []string
		for _, r := range claimed {
			ids = append(ids, r.customer)
		}
		known.read(ctx, tx, ids)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("claim customers to read again: %w", err)
	}
	in.readOneByOne(ctx, &known)
	var done, refusals atomic.Int64
	err = each(in.together(), claimed, func(r reread) error {
		if refusals.Load() >= mostRefusals {
			return in.concludeReread(ctx, r, errRefused)
		}
		concluded := false
		err := caught(func() error {
			var err error
			concluded, err = in.readOnceMore(ctx, r, known.by[r.customer])
			return err
		})
		if ctx.Err() != nil {
			return ctx.Err() // shutting down: the claim runs out, or the next start takes it back
		}
		switch {
		case err == nil:
			done.Add(1)
			refusals.Store(0)
		case fault.Is(err, fault.Unavailable):
			refusals.Add(1)
		}
		if concluded {
			return nil
		}
		return in.concludeReread(ctx, r, err)
	})
	if refusals.Load() >= mostRefusals {
		in.quietUntil.Store(in.now().Add(refusedPause).Unix())
	}
	return int(done.Load()), err
}

// readOnceMore reads the customer, unless that was done since it was asked for, and reports whether they were taken off those
// who wait together with what was read. who is the customer as stored.
func (in *Intake) readOnceMore(ctx context.Context, r reread, who billing.Customer) (concluded bool, err error) {
	if who.Erased() != nil || who.SyncedAt >= r.asked && who.SyncedAt <= in.now().Unix() {
		return false, nil
	}
	err = in.refresh(ctx, r.customer, false, func(ctx context.Context, tx *sql.Tx) error {
		concluded = true
		return dropReread(ctx, tx, r)
	})
	return concluded && err == nil, err
}

var errRefused = fault.New(fault.Unavailable, "Stripe does not answer.") // and was not asked for this customer

// concludeReread keeps how reading came out.
func (in *Intake) concludeReread(ctx context.Context, r reread, outcome error) error {
	now := in.now()
	next := r
	switch {
	case outcome == errRefused:
		next.due = now.Add(refusedPause).Unix()
	case outcome == nil, billing.IsErased(outcome):
	case fault.Is(outcome, fault.NotFound):
		in.log.WarnContext(ctx, "Stripe does not know a stored customer any more", "customer", r.customer)
		next.due = now.Add(unknownAgain).Unix()
		next.asked = next.due
	case fault.Is(outcome, fault.Unavailable):
		in.log.WarnContext(ctx, "customer waits to be read again, Stripe does not answer", "customer", r.customer, "tries", r.tries+1, "err", outcome)
		next.tries++
		next.due = now.Add(backoff(next.tries)).Unix()
	default:
		in.log.ErrorContext(ctx, "reading a customer again failed and is tried again", "customer", r.customer, "tries", r.tries+1, "err", outcome)
		next.tries++
		next.due = now.Add(backoff(next.tries)).Unix()
		if next.tries >= mostTries { // an event would be parked: what was asked for is over, and another day's begins
			next.asked = next.due
		}
	}
	err := in.db.Do(ctx, func(tx *sql.Tx) error {
		if outcome == nil || billing.IsErased(outcome) {
			return dropReread(ctx, tx, r)
		}
		return postpone(ctx, tx, r, next)
	})
	if err != nil {
		return fmt.Errorf("keep how reading %s again came out: %w", r.customer, err)
	}
	return nil
}

// NextReread answers when the first customer is due to be read again, and false when none waits.
func (in *Intake) NextReread(ctx context.Context) (time.Time, bool, error) {
	var at sql.NullInt64
	err := in.db.See(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT min(due_at) FROM rereads`).Scan(&at)
	})
	return time.Unix(max(at.Int64, in.quietUntil.Load()), 0), at.Valid, err
}

// askUnread lets the customers be read again who have an open invoice that was last read before the instant, longest
// ago first, up to a limit. Who waits already goes on waiting. (They are found by their own index first; SQLite would
// rather go through all invoices in the order of their customers.)
func askUnread(ctx context.Context, tx *sql.Tx, before int64, limit int, now int64) error {
	_, err := tx.ExecContext(ctx, `
		WITH old AS MATERIALIZED (SELECT customer_id, synced_at FROM invoices WHERE status = 'open' AND synced_at < $1)
		INSERT INTO rereads (customer_id, asked_at, due_at, tries)
		SELECT customer_id, $3, $3, 0 FROM (
			SELECT customer_id, min(synced_at) AS read_at FROM old
			WHERE customer_id NOT IN (SELECT customer_id FROM rereads WHERE asked_at >= $1)
				AND customer_id NOT IN (SELECT id FROM customers WHERE erased_at > 0)
			GROUP BY customer_id ORDER BY read_at, customer_id LIMIT $2) AS unread
		WHERE true
		ON CONFLICT (customer_id) DO UPDATE SET asked_at = excluded.asked_at`, before, limit, now)
	return err
}

// askToRead lets a customer be read again.
func askToRead(ctx context.Context, tx *sql.Tx, customer string, now int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO rereads (customer_id, asked_at, due_at, tries) VALUES ($1, $2, $2, 0)
		ON CONFLICT (customer_id) DO UPDATE SET asked_at = excluded.asked_at`, customer, now)
	return err
}

// claimRereads takes those who are due and leaves them to the caller until lease. skip is the engine's word for
// leaving out what another claimer is taking.
func claimRereads(ctx context.Context, tx *sql.Tx, skip string, now, lease int64, limit int) ([]reread, error) {
	rows, err := tx.QueryContext(ctx, `
		WITH first AS (SELECT customer_id FROM rereads WHERE due_at <= $2 ORDER BY due_at, customer_id LIMIT $3`+skip+`)
		UPDATE rereads SET due_at = $1 WHERE due_at <= $2 AND customer_id IN (SELECT customer_id FROM first)
		RETURNING customer_id, asked_at, tries, due_at`, lease, now, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []reread
	for rows.Next() {
		var r reread
		err := rows.Scan(&r.customer, &r.asked, &r.tries, &r.due)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// dropReread forgets a customer who was read, unless that was asked for anew meanwhile.
func dropReread(ctx context.Context, tx *sql.Tx, r reread) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM rereads WHERE customer_id = $1 AND asked_at = $2`, r.customer, r.asked)
	return err
}

// postpone lets a claimed customer wait, for what was asked for or for a later reading. It changes nothing when the claim ran
// out and another took it over, and not what was asked for anew meanwhile.
func postpone(ctx context.Context, tx *sql.Tx, r, next reread) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE rereads SET due_at = $1, tries = $2, asked_at = CASE WHEN asked_at = $5 THEN $6 ELSE asked_at END
		WHERE customer_id = $3 AND due_at = $4`, next.due, next.tries, r.customer, r.due, r.asked, next.asked)
	return err
}

// reclaimRereads makes everybody who waits due now.
func reclaimRereads(ctx context.Context, tx *sql.Tx, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE rereads SET due_at = $1 WHERE due_at > $1`, now)
	return err
}
