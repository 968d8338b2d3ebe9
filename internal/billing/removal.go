package billing

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"sollecito/internal/database"
)

// Holding is one of a customer's payment methods with what it serves.
type Holding struct {
	Method
	Default bool           // charged where nothing else is said
	Serves  []Subscription // living subscriptions that are charged to it
}

// Holdings answers what each method serves, in Stripe's own order: a subscription's own method, else the customer's
// default. What serves something stands first.
func Holdings(who Customer, methods []Method, subscriptions []Subscription) []Holding {
	all := make([]Holding, len(methods))
	for n, m := range methods {
		all[n] = Holding{Method: m, Default: m.ID == who.DefaultMethod}
		for _, s := range subscriptions {
			if s.Live() && (s.DefaultMethod == m.ID || s.DefaultMethod == "" && m.ID == who.DefaultMethod) {
				all[n].Serves = append(all[n].Serves, s)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Holding) int { return b.rank() - a.rank() })
	return all
}

func (h Holding) rank() int {
	switch {
	case h.Default:
		return 2
	case len(h.Serves) > 0:
		return 1
	}
	return 0
}

// Obstacle says why a method may not be taken off.
type Obstacle string

const (
	ServesAlone Obstacle = "alone"    // something running is charged to it, and nothing else could take its place
	UnderWay    Obstacle = "underway" // a payment with it is with the bank just now
	IsPromised  Obstacle = "promised" // the customer chose a day on which it is to be charged
)

// Successors answers the methods that could take a method's place: the others that have not expired at now (unix
// seconds). What serves nothing needs none.
func Successors(all []Holding, id string, now int64) []Holding {
	return slices.DeleteFunc(slices.Clone(all), func(h Holding) bool { return h.ID == id || h.Expired(now) })
}

// MayRemove answers what stands in the way of taking a method off, "" for nothing. open are the customer's open
// invoices, promised is the method a promise is to be charged to.
func MayRemove(h Holding, all []Holding, open []Invoice, promised string, now int64) Obstacle {
	for _, i := range open {
		if i.MethodID == h.ID && i.Processing() {
			return UnderWay
		}
	}
	switch {
	case promised == h.ID:
		return IsPromised
	case len(h.Serves) > 0 && len(Successors(all, h.ID, now)) == 0:
		return ServesAlone
	}
	return ""
}

// RemovalStatus says how a removal stands.
type RemovalStatus string

const (
	RemovalOrdered RemovalStatus = "ordered" // to be asked of Stripe, again and again until it answers
	RemovalDone    RemovalStatus = "done"    // Stripe took it off
	RemovalFailed  RemovalStatus = "failed"  // what was to take its place was gone
)

// Removal is a customer's order to take one of their payment methods off. It is written down before Stripe is asked.
// Instants are unix seconds.
type Removal struct {
	ID         string
	CustomerID string
	MethodID   string
	Successor  string // takes over what the method served, "" when it served nothing
	Status     RemovalStatus
	OrderedAt  int64
	EndedAt    int64
}

// MayOrder reports whether an order still fits what is stored: its method and the one that is to take its place are there,
// and what serves something has one. The customer must be held.
func (r Removal) MayOrder(ctx context.Context, tx *sql.Tx) (bool, error) {
	gone := false
	err := tx.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM removals WHERE customer_id = $1 AND method_id IN ($2, $3) AND status = 'done')`,
		r.CustomerID, r.MethodID, r.Successor).Scan(&gone)
	if err != nil || gone || r.Successor != "" {
		return err == nil && !gone, err
	}
	who, err := FindCustomer(ctx, tx, r.CustomerID)
	if err != nil {
		return false, err
	}
	subscriptions, err := Subscriptions(ctx, tx, r.CustomerID)
	if err != nil {
		return false, err
	}
	return len(Holdings(who, []Method{{ID: r.MethodID}}, subscriptions)[0].Serves) == 0, nil
}

// OrderRemoval keeps an order; while another of the customer's is being seen to it answers false and changes nothing. The
// customer must be held.
func OrderRemoval(ctx context.Context, tx *sql.Tx, r *Removal) (bool, error) {
	r.ID, r.Status = database.NewID("rem"), RemovalOrdered
	res, err := tx.ExecContext(ctx, `
		INSERT INTO removals (id, customer_id, method_id, successor, status, ordered_at, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT DO NOTHING`,
		r.ID, r.CustomerID, r.MethodID, r.Successor, string(r.Status), r.OrderedAt)
	if err != nil {
		return false, fmt.Errorf("order removal: %w", err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// EndRemoval keeps how a removal ended and, when it was done, marks the method. It answers false when it had ended
// already.
func EndRemoval(ctx context.Context, tx *sql.Tx, r Removal) (bool, error) {
	res, err := tx.ExecContext(ctx, `UPDATE removals SET status = $1, ended_at = $2 WHERE id = $3 AND status = 'ordered'`,
		string(r.Status), r.EndedAt, r.ID)
	if err != nil {
		return false, fmt.Errorf("end removal %s: %w", r.ID, err)
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 || r.Status != RemovalDone {
		return n == 1, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE methods SET removed_at = $1 WHERE id = $2 AND customer_id = $3 AND removed_at = 0`, r.EndedAt, r.MethodID, r.CustomerID)
	return true, err
}

// FindRemoval answers a removal by its id, and false when there is none.
func FindRemoval(ctx context.Context, tx *sql.Tx, id string) (Removal, bool, error) {
	found, err := selectRemovals(ctx, tx, `WHERE id = $1`, id)
	if err != nil || len(found) == 0 {
		return Removal{}, false, err
	}
	return found[0], true, nil
}

// RemovalsOf answers a customer's removals, the earliest first.
func RemovalsOf(ctx context.Context, tx *sql.Tx, customer string) ([]Removal, error) {
	return selectRemovals(ctx, tx, `WHERE customer_id = $1 ORDER BY ordered_at, id`, customer)
}

// OrderedRemovals answers up to limit removals ordered before an instant (unix seconds) that have not ended.
func OrderedRemovals(ctx context.Context, tx *sql.Tx, before int64, limit int) ([]Removal, error) {
	return selectRemovals(ctx, tx, `WHERE status = 'ordered' AND ordered_at < $1 ORDER BY ordered_at LIMIT $2`, before, limit)
}

func selectRemovals(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Removal, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, customer_id, method_id, successor, status, ordered_at, ended_at FROM removals `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read removals: %w", err)
	}
	defer rows.Close()
	var all []Removal
	for rows.Next() {
		var r Removal
		err = rows.Scan(&r.ID, &r.CustomerID, &r.MethodID, &r.Successor, &r.Status, &r.OrderedAt, &r.EndedAt)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}
