package webhook

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// Tell writes the messages of events to all endpoints that want them, in the transaction of the facts. It asks once which
// endpoints there are, and that is all where there is none.
func Tell(ctx context.Context, tx *sql.Tx, events ...Event) error {
	if len(events) == 0 {
		return nil
	}
	endpoints, err := selectEndpoints(ctx, tx, `WHERE disabled_at = 0 ORDER BY id`)
	if err != nil {
		return err
	}
	for _, event := range events {
		message := ""
		for _, e := range endpoints {
			if !e.wants(event.Type) {
				continue
			}
			if message == "" {
				message = database.NewID("msg")
			}
			text, err := body(event.Type, event.At, event.Data)
			if err != nil {
				return err
			}
			err = insert(ctx, tx, Delivery{
				ID: database.NewID("dlv"), MessageID: message, EndpointID: e.ID, CustomerID: event.Customer, Type: event.Type, Body: text, CreatedAt: event.At,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// SendTest writes a message to one endpoint that tells of nothing. It answers fault.NotFound, and fault.Conflict for a
// disabled one.
func (es *Endpoints) SendTest(ctx context.Context, tx *sql.Tx, id string, now time.Time) error {
	e, err := es.enabled(ctx, tx, id)
	if err != nil {
		return err
	}
	text, err := body(Test, now.Unix(), struct {
		Endpoint string `json:"endpoint"`
	}{e.ID})
	if err != nil {
		return err
	}
	return insert(ctx, tx, Delivery{ID: database.NewID("dlv"), MessageID: database.NewID("msg"), EndpointID: e.ID, Type: Test, Body: text, CreatedAt: now.Unix()})
}

func (es *Endpoints) enabled(ctx context.Context, tx *sql.Tx, id string) (Endpoint, error) {
	e, err := es.Find(ctx, tx, id)
	if err == nil && e.DisabledAt > 0 {
		return Endpoint{}, fault.New(fault.Conflict, "This endpoint is disabled. Enable it first.")
	}
	return e, err
}

func insert(ctx context.Context, tx *sql.Tx, d Delivery) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO webhook_deliveries (id, message_id, endpoint_id, customer_id, type, body, status, created_at, due_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $7)`,
		d.ID, d.MessageID, d.EndpointID, d.CustomerID, d.Type, d.Body, d.CreatedAt)
	if err != nil {
		return fmt.Errorf("keep what %s is to be told: %w", d.EndpointID, err)
	}
	return nil
}

// FindDelivery answers a delivery, or fault.NotFound.
func FindDelivery(ctx context.Context, tx *sql.Tx, id string) (Delivery, error) {
	found, err := selectDeliveries(ctx, tx, `SELECT `+columns+` FROM webhook_deliveries WHERE id = $1`, id)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "There is no such delivery. They are kept for a month.")
	}
	if err != nil {
		return Delivery{}, err
	}
	return found[0], nil
}

// Recent answers the newest deliveries to an endpoint, the newest first.
func Recent(ctx context.Context, tx *sql.Tx, endpoint string, limit, from int) ([]Delivery, error) {
	return selectDeliveries(ctx, tx, `
		SELECT `+columns+` FROM webhook_deliveries WHERE endpoint_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3`, endpoint, limit, from)
}

// CountFailed answers how many deliveries to an endpoint were given up.
func CountFailed(ctx context.Context, tx *sql.Tx, endpoint string) (int, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = $1 AND status = 'failed'`, endpoint).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count what was given up: %w", err)
	}
	return n, nil
}

// Again orders one delivery once more, now, under the same webhook-id. It answers fault.NotFound, and fault.Conflict while its
// endpoint is disabled or it is on its way.
func (es *Endpoints) Again(ctx context.Context, tx *sql.Tx, d Delivery, now, real time.Time) error {
	_, err := es.enabled(ctx, tx, d.EndpointID)
	if err != nil {
		return err
	}
	n, err := again(ctx, tx, now, `id = $2 AND lease_until <= $3`, d.ID, real.Unix())
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "It is on its way right now.")
	}
	return err
}

// AllAgain orders everything once more that was given up for an endpoint, and answers how much that was. Errors as Again.
func (es *Endpoints) AllAgain(ctx context.Context, tx *sql.Tx, endpoint string, now time.Time) (int, error) {
	_, err := es.enabled(ctx, tx, endpoint)
	if err != nil {
		return 0, err
	}
	return again(ctx, tx, now, `endpoint_id = $2 AND status = 'failed'`, endpoint)
}

func again(ctx context.Context, tx *sql.Tx, now time.Time, which string, args ...any) (int, error) {
	done, err := tx.ExecContext(ctx, `
		UPDATE webhook_deliveries SET status = 'pending', attempts = 0, due_at = $1, settled_at = 0, lease_until = 0
		WHERE `+which, append([]any{now.Unix()}, args...)...)
	if err != nil {
		return 0, fmt.Errorf("order deliveries again: %w", err)
	}
	n, err := done.RowsAffected()
	return int(n), err
}

// due are those deliveries of endpoint e that are to be tried by now ($1) and that nobody has in hand ($2, real time).
const due = `d.endpoint_id = e.id AND d.status = 'pending' AND d.due_at <= $1 AND d.lease_until <= $2`

// Due answers the endpoints that have something to be told by now.
func Due(ctx context.Context, tx *sql.Tx, now, real time.Time) ([]Endpoint, error) {
	return selectEndpoints(ctx, tx, `e WHERE disabled_at = 0 AND EXISTS (SELECT 1 FROM webhook_deliveries d WHERE `+due+`) ORDER BY id`, now.Unix(), real.Unix())
}

// Waiting answers how many deliveries have neither been taken nor given up, and since when the oldest has waited.
func Waiting(ctx context.Context, tx *sql.Tx) (n int, oldest int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT count(*), coalesce(min(created_at), 0) FROM webhook_deliveries WHERE status = 'pending'`).Scan(&n, &oldest)
	if err != nil {
		return 0, 0, fmt.Errorf("count what waits for the merchant's app: %w", err)
	}
	return n, oldest, nil
}

// NextDue answers when the next delivery is to be tried, among those that nobody has in hand, and false when there is none.
func NextDue(ctx context.Context, tx *sql.Tx, real time.Time) (int64, bool, error) {
	var at sql.NullInt64
	err := tx.QueryRowContext(ctx, `
		SELECT min(at) FROM (
			SELECT (SELECT min(due_at) FROM webhook_deliveries d WHERE d.endpoint_id = e.id AND d.status = 'pending' AND d.lease_until <= $1) AS at
			FROM webhook_endpoints e WHERE disabled_at = 0) AS next`, real.Unix()).Scan(&at)
	if err != nil {
		return 0, false, fmt.Errorf("find the next delivery: %w", err)
	}
	return at.Int64, at.Valid, nil
}

// Claim takes up to limit deliveries to an endpoint in hand until the lease ends, in real time. skip is
// database.DB.SkipLocked.
func Claim(ctx context.Context, tx *sql.Tx, skip, endpoint string, now, real, lease time.Time, limit int) ([]Delivery, error) {
	return selectDeliveries(ctx, tx, `
		UPDATE webhook_deliveries SET lease_until = $1
		WHERE id IN (
			SELECT id FROM webhook_deliveries
			WHERE endpoint_id = $2 AND status = 'pending' AND due_at <= $3 AND lease_until <= $4
			ORDER BY due_at LIMIT $5`+skip+`)
		RETURNING `+columns, lease.Unix(), endpoint, now.Unix(), real.Unix(), limit)
}

// Release gives a delivery back that was taken in hand and of which nobody knows whether it arrived.
func Release(ctx context.Context, tx *sql.Tx, d Delivery) error {
	_, err := tx.ExecContext(ctx, `UPDATE webhook_deliveries SET lease_until = 0 WHERE id = $1 AND status = 'pending' AND lease_until = $2`, d.ID, d.leaseUntil)
	if err != nil {
		return fmt.Errorf("give delivery %s back: %w", d.ID, err)
	}
	return nil
}

// Reclaim gives everything back that is in hand: for the start of a program that is the only one on its database, when whoever
// had it is surely gone.
func Reclaim(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE webhook_deliveries SET lease_until = 0 WHERE status = 'pending' AND lease_until > 0`)
	if err != nil {
		return fmt.Errorf("take deliveries back: %w", err)
	}
	return nil
}

// Sign answers what a delivery is sent with now, in real time: by every secret of its endpoint that counts.
func (es *Endpoints) Sign(e Endpoint, d Delivery, real time.Time) (Headers, error) {
	secrets, err := es.secretsOf(e, real)
	if err != nil {
		return Headers{}, err
	}
	return sign(d.MessageID, real, d.Body, secrets)
}

// Conclude keeps what came of a try: it was taken, or is tried again, or was the last. An endpoint that answers 410 is
// disabled. Whoever's lease ran out meanwhile may still tell that it was taken, and nothing else.
func Conclude(ctx context.Context, tx *sql.Tx, d Delivery, o Outcome, now time.Time) error {
	if o.Gone() {
		// A whole flight may be answered so. Each of them ends all that waits, the others' deliveries too: they take turns.
		err := hold(ctx, tx, d.EndpointID)
		if err != nil {
			return err
		}
	}
	if o.Taken() {
		_, err := tx.ExecContext(ctx, `
			UPDATE webhook_deliveries SET status = 'delivered', attempts = attempts + 1, code = $1, reason = '', tried_at = $2, settled_at = $2, lease_until = 0
			WHERE id = $3 AND status = 'pending'`, o.Code, now.Unix(), d.ID)
		if err != nil {
			return fmt.Errorf("keep that delivery %s was taken: %w", d.ID, err)
		}
		return failing(ctx, tx, d.EndpointID, 0)
	}
	at, more := d.next(d.Attempts+1, now)
	status, due, settled := Pending, at.Unix(), int64(0)
	if !more {
		status, due, settled = Failed, now.Unix(), now.Unix()
	}
	done, err := tx.ExecContext(ctx, `
		UPDATE webhook_deliveries SET status = $1, due_at = $2, settled_at = $3, attempts = attempts + 1, code = $4, reason = $5, tried_at = $6, lease_until = 0
		WHERE id = $7 AND status = 'pending' AND lease_until = $8`, string(status), due, settled, o.Code, o.Reason, now.Unix(), d.ID, d.leaseUntil)
	if err != nil {
		return fmt.Errorf("keep that delivery %s failed: %w", d.ID, err)
	}
	ours, err := done.RowsAffected()
	if err != nil || ours == 0 {
		return err
	}
	if !o.Gone() {
		return failing(ctx, tx, d.EndpointID, now.Unix())
	}
	return gone(ctx, tx, d.EndpointID, now)
}

// failing keeps since when an endpoint fails, 0 for not.
func failing(ctx context.Context, tx *sql.Tx, endpoint string, since int64) error {
	change := `failing_since = $1 WHERE id = $2 AND failing_since = 0`
	if since == 0 {
		change = `failing_since = $1 WHERE id = $2 AND failing_since > 0`
	}
	_, err := tx.ExecContext(ctx, `UPDATE webhook_endpoints SET `+change, since, endpoint)
	if err != nil {
		return fmt.Errorf("keep how endpoint %s fares: %w", endpoint, err)
	}
	return nil
}

// gone disables an endpoint that answered 410.
func gone(ctx context.Context, tx *sql.Tx, endpoint string, now time.Time) error {
	found, err := selectEndpoints(ctx, tx, `WHERE id = $1 AND disabled_at = 0`, endpoint)
	if err != nil || len(found) == 0 {
		return err
	}
	err = disable(ctx, tx, endpoint, DisabledAsGone, now)
	if err != nil {
		return err
	}
	return audit.Append(ctx, tx, audit.Entry{At: now, Actor: "program", Action: "webhook.disabled", Object: endpoint, Detail: "it answered 410"})
}

const (
	keptFor   = 30 * 24 * time.Hour // after what a delivery tells of happened
	pruneMost = 1000
)

// Prune forgets deliveries of a month ago that have ended, a batch at most, and those to endpoints that were just going, or
// being disabled, when they were written.
func Prune(ctx context.Context, tx *sql.Tx, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		DELETE FROM webhook_deliveries WHERE id IN (
			SELECT id FROM webhook_deliveries
			WHERE created_at < $1 AND (status <> 'pending' OR endpoint_id NOT IN (SELECT id FROM webhook_endpoints WHERE disabled_at = 0))
			ORDER BY created_at LIMIT $2)`, now.Add(-keptFor).Unix(), pruneMost)
	if err != nil {
		return fmt.Errorf("forget old deliveries: %w", err)
	}
	return nil
}

const columns = `id, message_id, endpoint_id, customer_id, type, body, status, attempts, code, reason, created_at, due_at, tried_at, settled_at, lease_until`

func selectDeliveries(ctx context.Context, tx *sql.Tx, query string, args ...any) (all []Delivery, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var d Delivery
		err = rows.Scan(&d.ID, &d.MessageID, &d.EndpointID, &d.CustomerID, &d.Type, &d.Body, &d.Status, &d.Attempts, &d.Code, &d.Reason,
			&d.CreatedAt, &d.DueAt, &d.TriedAt, &d.SettledAt, &d.leaseUntil)
		if err != nil {
			return nil, fmt.Errorf("read deliveries: %w", err)
		}
		all = append(all, d)
	}
	return all, rows.Err()
}
