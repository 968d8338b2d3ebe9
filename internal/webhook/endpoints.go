package webhook

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/seal"
)

// Endpoints is the collection of them. Each method joins the caller's transaction.
type Endpoints struct {
	networks Networks
	seal     *seal.Sealer
}

const keptSecret = "endpoint" // what a signing secret is sealed for

// NewEndpoints makes the collection. secret is the installation's own, under which signing secrets are kept.
func NewEndpoints(secret string, n Networks) (*Endpoints, error) {
	sealer, err := seal.New(secret, "webhook secret")
	return &Endpoints{networks: n, seal: sealer}, err
}

// Add makes an endpoint and answers its signing secret, which is shown this once. It answers fault.Invalid when the address or
// the events cannot be used; AboutEvents tells which.
func (es *Endpoints) Add(ctx context.Context, tx *sql.Tx, address string, events []string, now time.Time) (Endpoint, string, error) {
	e := Endpoint{ID: database.NewID("hook"), CreatedAt: now.Unix()}
	err := es.describe(&e, address, events)
	if err != nil {
		return Endpoint{}, "", err
	}
	secret := newSecret()
	e.secret, err = es.seal.Seal(keptSecret, e.ID, secret)
	if err != nil {
		return Endpoint{}, "", err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO webhook_endpoints (id, address, events, secret, created_at) VALUES ($1, $2, $3, $4, $5)`,
		e.ID, e.Address, joined(e.Events), e.secret, e.CreatedAt)
	if err != nil {
		return Endpoint{}, "", fmt.Errorf("add endpoint: %w", err)
	}
	return e, secret, nil
}

// Change gives an endpoint another address or other events, and answers those as they are kept. Errors as Add, and
// fault.NotFound.
func (es *Endpoints) Change(ctx context.Context, tx *sql.Tx, id, address string, events []string) (Endpoint, error) {
	e := Endpoint{ID: id}
	err := es.describe(&e, address, events)
	if err != nil {
		return Endpoint{}, err
	}
	return e, update(ctx, tx, id, `address = $2, events = $3, failing_since = CASE WHEN address = $2 THEN failing_since ELSE 0 END`, e.Address, joined(e.Events))
}

// describe checks what staff typed and puts it into the endpoint.
func (es *Endpoints) describe(e *Endpoint, address string, events []string) error {
	var err error
	e.Address, err = es.networks.check(address)
	if err != nil {
		return err
	}
	e.Events, err = chosen(events)
	if err != nil {
		return aboutEvents{err}
	}
	return nil
}

// aboutEvents marks what is wrong with the choice of events rather than with the address.
type aboutEvents struct{ error }

func (e aboutEvents) Unwrap() error { return e.error }

// AboutEvents reports whether a fault is about the choice of events.
func AboutEvents(err error) bool {
	var about aboutEvents
	return errors.As(err, &about)
}

// Rotate gives an endpoint a new secret and answers it; the one before signs too for 24 hours of real time.
func (es *Endpoints) Rotate(ctx context.Context, tx *sql.Tx, id string, real time.Time) (string, error) {
	secret := newSecret()
	sealed, err := es.seal.Seal(keptSecret, id, secret)
	if err != nil {
		return "", err
	}
	return secret, update(ctx, tx, id, `old_secret = secret, old_until = $2, secret = $3`, real.Add(overlap).Unix(), sealed)
}

// Disable stops telling an endpoint anything. What still waited for it counts as failed, so that it can be ordered again.
func (es *Endpoints) Disable(ctx context.Context, tx *sql.Tx, id string, now time.Time) error {
	e, err := es.findHeld(ctx, tx, id)
	if err != nil {
		return err
	}
	return disable(ctx, tx, e.ID, DisabledByStaff, now)
}

// disable goes by the deliveries first and the endpoint then, as whoever concludes a delivery does. The endpoint must be held.
func disable(ctx context.Context, tx *sql.Tx, id, why string, now time.Time) error {
	err := endWaiting(ctx, tx, id, now)
	if err != nil {
		return err
	}
	return update(ctx, tx, id, `disabled_at = $2, disabled_why = $3`, now.Unix(), why)
}

func endWaiting(ctx context.Context, tx *sql.Tx, id string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE webhook_deliveries SET status = 'failed', reason = $1, settled_at = $2, lease_until = 0
		WHERE endpoint_id = $3 AND status = 'pending'`, "The endpoint was disabled before it had this.", now.Unix(), id)
	if err != nil {
		return fmt.Errorf("end what waits for endpoint %s: %w", id, err)
	}
	return nil
}

// Enable tells an endpoint again, from the next event on: what somebody wrote for it who did not know yet that it was disabled
// counts as failed, as what waited then did.
func (es *Endpoints) Enable(ctx context.Context, tx *sql.Tx, id string, now time.Time) error {
	e, err := es.findHeld(ctx, tx, id)
	if err != nil || e.DisabledAt == 0 {
		return err
	}
	err = endWaiting(ctx, tx, id, now)
	if err != nil {
		return err
	}
	return update(ctx, tx, id, `disabled_at = 0, disabled_why = '', failing_since = 0`)
}

// Remove forgets an endpoint with everything it was told.
func (es *Endpoints) Remove(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := es.findHeld(ctx, tx, id)
	if err != nil {
		return err
	}
	for _, statement := range []string{`DELETE FROM webhook_deliveries WHERE endpoint_id = $1`, `DELETE FROM webhook_endpoints WHERE id = $1`} {
		_, err = tx.ExecContext(ctx, statement, id)
		if err != nil {
			return fmt.Errorf("remove endpoint %s: %w", id, err)
		}
	}
	return nil
}

func update(ctx context.Context, tx *sql.Tx, id, set string, args ...any) error {
	done, err := tx.ExecContext(ctx, `UPDATE webhook_endpoints SET `+set+` WHERE id = $1`, append([]any{id}, args...)...)
	if err != nil {
		return fmt.Errorf("change endpoint %s: %w", id, err)
	}
	n, err := done.RowsAffected()
	if err == nil && n == 0 {
		return noEndpoint()
	}
	return err
}

func noEndpoint() error { return fault.New(fault.NotFound, "There is no such endpoint.") }

// Find answers an endpoint, or fault.NotFound.
func (es *Endpoints) Find(ctx context.Context, tx *sql.Tx, id string) (Endpoint, error) {
	found, err := selectEndpoints(ctx, tx, `WHERE id = $1`, id)
	if err == nil && len(found) == 0 {
		err = noEndpoint()
	}
	if err != nil {
		return Endpoint{}, err
	}
	return found[0], nil
}

// findHeld is Find for whoever goes on to change several of its deliveries.
func (es *Endpoints) findHeld(ctx context.Context, tx *sql.Tx, id string) (Endpoint, error) {
	err := hold(ctx, tx, id)
	if err != nil {
		return Endpoint{}, err
	}
	return es.Find(ctx, tx, id)
}

// hold makes those take turns who change several deliveries to an endpoint at once: each row is locked by whoever changes it
// first, and two of them could wait for each other. It comes before the first change.
func hold(ctx context.Context, tx *sql.Tx, id string) error { return database.HoldQuietly(ctx, tx, id) }

// All answers every endpoint, oldest first.
func (es *Endpoints) All(ctx context.Context, tx *sql.Tx) ([]Endpoint, error) {
	return selectEndpoints(ctx, tx, `ORDER BY created_at, id`)
}

// CountDead answers how many endpoints have taken nothing for three days.
func CountDead(ctx context.Context, tx *sql.Tx, now time.Time) (int, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM webhook_endpoints WHERE disabled_at = 0 AND failing_since > 0 AND failing_since <= $1`,
		now.Add(-deadAfter).Unix()).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count endpoints that fail: %w", err)
	}
	return n, nil
}

// secretsOf answers the secrets that sign for an endpoint now, the newest first.
func (es *Endpoints) secretsOf(e Endpoint, real time.Time) ([]string, error) {
	secret, err := es.seal.Open(keptSecret, e.ID, e.secret)
	if err != nil {
		return nil, err
	}
	all := []string{secret}
	if e.oldSecret != "" && real.Unix() < e.OldUntil {
		old, err := es.seal.Open(keptSecret, e.ID, e.oldSecret)
		if err == nil { // one kept under another session key is what the new one was made for
			all = append(all, old)
		}
	}
	return all, nil
}

func selectEndpoints(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Endpoint, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, address, events, secret, old_secret, old_until, created_at, disabled_at, disabled_why, failing_since
		FROM webhook_endpoints `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read endpoints: %w", err)
	}
	defer rows.Close()
	var all []Endpoint
	for rows.Next() {
		var e Endpoint
		var events string
		err = rows.Scan(&e.ID, &e.Address, &events, &e.secret, &e.oldSecret, &e.OldUntil, &e.CreatedAt, &e.DisabledAt, &e.DisabledWhy, &e.FailingSince)
		if err != nil {
			return nil, fmt.Errorf("read endpoints: %w", err)
		}
		e.Events = split(events)
		all = append(all, e)
	}
	return all, rows.Err()
}
