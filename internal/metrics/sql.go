package metrics

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Reading is how the installation stands at one instant, counted over all rooms in one transaction.
type Reading struct {
	Stopped  bool  // the switch over all sending
	Missed   int64 // events the last comparison with Stripe that found any had to fetch
	MissedAt int64 // when that was, in unix seconds; 0 never

	events, cases, pauses map[string]int64
	notices               map[[2]string]int64 // by channel and status
	deliveries            map[string]int64
	lag, dueFor, untold   int64 // seconds
	lastEvent             int64 // unix seconds
	due, waiting          int64
}

// Read counts. Events are measured by real time, messages by the clock of the business; what the switch says and
// the comparison with Stripe found is the caller's to add.
func Read(ctx context.Context, tx *sql.Tx, now, realNow time.Time) (Reading, error) {
	// What can be is 0 and not absent, so that an alert has something to compare with.
	r := Reading{
		events: zeros("received", "processed", "ignored", "parked"), cases: zeros("open", "recovered", "exhausted", "canceled"),
		pauses:     zeros("staff", "conversation", "dispute", "processing", "verification", "claim", "promise", "consent", "imported"),
		deliveries: zeros("pending", "failed"),
		notices:    map[[2]string]int64{{"email", "uncertain"}: 0, {"email", "failed"}: 0, {"email", "queued"}: 0, {"email", "sent"}: 0},
	}
	err := each(ctx, tx, `SELECT status, '', count(*), max(received_at) FROM events GROUP BY status`, func(status, _ string, n, last int64) {
		r.events[status] = n
		r.lastEvent = max(r.lastEvent, last)
	})
	if err != nil {
		return Reading{}, err
	}
	err = each(ctx, tx, `SELECT channel, status, count(*), 0 FROM notices GROUP BY channel, status`, func(channel, status string, n, _ int64) {
		r.notices[[2]string{channel, status}] = n
	})
	if err != nil {
		return Reading{}, err
	}
	err = each(ctx, tx, `SELECT status, '', count(*), 0 FROM cases GROUP BY status`, func(status, _ string, n, _ int64) { r.cases[status] = n })
	if err != nil {
		return Reading{}, err
	}
	err = each(ctx, tx, `
		SELECT p.reason, '', count(*), 0 FROM pauses p JOIN cases c ON c.id = p.case_id
		WHERE p.ended_at = 0 AND c.status = 'open' GROUP BY p.reason`, func(reason, _ string, n, _ int64) { r.pauses[reason] = n })
	if err != nil {
		return Reading{}, err
	}
	var oldestEvent, oldestDue, oldestDelivery, pending, failed int64
	err = tx.QueryRowContext(ctx, `
		SELECT (SELECT count(*) FROM webhook_deliveries WHERE status = 'pending'), (SELECT count(*) FROM webhook_deliveries WHERE status = 'failed'),
			(SELECT coalesce(min(created_at), 0) FROM webhook_deliveries WHERE status = 'pending')`).Scan(&pending, &failed, &oldestDelivery)
	if err != nil {
		return Reading{}, fmt.Errorf("read what the merchant's app is still to be told: %w", err)
	}
	r.deliveries["pending"], r.deliveries["failed"], r.untold = pending, failed, since(oldestDelivery, now)
	err = tx.QueryRowContext(ctx, `
		SELECT (SELECT coalesce(min(received_at), 0) FROM events WHERE status = 'received'),
			(SELECT count(*) FROM notices WHERE status = 'queued' AND channel = 'email' AND due_at <= $1),
			(SELECT coalesce(min(due_at), 0) FROM notices WHERE status = 'queued' AND channel = 'email' AND due_at <= $1),
			(SELECT count(*) FROM conversations WHERE status = 'waiting')`, now.Unix()).Scan(&oldestEvent, &r.due, &oldestDue, &r.waiting)
	if err != nil {
		return Reading{}, fmt.Errorf("read what waits: %w", err)
	}
	r.lag, r.dueFor = since(oldestEvent, realNow), since(oldestDue, now)
	return r, nil
}

func zeros(names ...string) map[string]int64 {
	all := map[string]int64{}
	for _, name := range names {
		all[name] = 0
	}
	return all
}

// since is how many seconds lie between an instant and now, 0 for none or one to come.
func since(at int64, now time.Time) int64 {
	if at == 0 {
		return 0
	}
	return max(now.Unix()-at, 0)
}

func each(ctx context.Context, tx *sql.Tx, query string, visit func(first, second string, n, m int64)) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var first, second string
		var n, m int64
		err = rows.Scan(&first, &second, &n, &m)
		if err != nil {
			return fmt.Errorf("count: %w", err)
		}
		visit(first, second, n, m)
	}
	return rows.Err()
}

// tell hands every figure on.
func (r Reading) tell(tell func(name string, value float64, labels ...string)) {
	stopped := 0.0
	if r.Stopped {
		stopped = 1
	}
	tell("sollecito_sending_stopped", stopped)
	for status, n := range r.events {
		tell("sollecito_events", float64(n), status)
	}
	tell("sollecito_events_lag_seconds", float64(r.lag))
	tell("sollecito_last_event_timestamp_seconds", float64(r.lastEvent))
	tell("sollecito_events_missed", float64(r.Missed))
	tell("sollecito_events_missed_timestamp_seconds", float64(r.MissedAt))
	for key, n := range r.notices {
		tell("sollecito_notices", float64(n), key[0], key[1])
	}
	tell("sollecito_notices_due", float64(r.due))
	tell("sollecito_notices_due_oldest_seconds", float64(r.dueFor))
	for status, n := range r.deliveries {
		tell("sollecito_deliveries", float64(n), status)
	}
	tell("sollecito_deliveries_pending_oldest_seconds", float64(r.untold))
	for status, n := range r.cases {
		tell("sollecito_cases", float64(n), status)
	}
	for reason, n := range r.pauses {
		tell("sollecito_pauses", float64(n), reason)
	}
	tell("sollecito_conversations_waiting", float64(r.waiting))
}
