package intake

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

const (
	reconcileEvery = 15 * time.Minute
	overlap        = time.Hour           // listed again each time: events become visible late and out of order
	inFlight       = time.Minute         // events this young are left to the webhook that is on its way
	eventsKept     = 30 * 24 * time.Hour // by Stripe
	unreadFor      = 7 * 24 * time.Hour  // after which an open invoice is read again, whatever we heard
	unreadBatch    = 100
	disputesFor    = 180 * 24 * time.Hour // how old a dispute may be whose end was missed
)

const settingReconcile = "reconcile"

// Reconciled says how far what Stripe did is known to be known. Instants are unix seconds of business time.
type Reconciled struct {
	Cursor   int64 `json:"cursor"`    // everything before it was seen
	RanAt    int64 `json:"ran_at"`    // 0: never
	Missed   int   `json:"missed"`    // events the last run that found any had to fetch, since Stripe had not delivered them
	MissedAt int64 `json:"missed_at"` // when that was, 0: never
}

// Lately reports whether events had to be fetched within the day before now: what delivers them wants a look.
func (r Reconciled) Lately(now time.Time) bool {
	return r.Missed > 0 && r.MissedAt > now.Add(-24*time.Hour).Unix()
}

// Reconcile compares what we know with what happened at Stripe, once in a quarter of an hour of business time; in
// between it does nothing. Events that no webhook brought are kept as if one had; after more than thirty days, which
// Stripe's events don't reach back, all open invoices are listed and the stored ones that are not among them read
// again. Invoices to be paid by hand whose due date passed are listed too, since no event tells of that, and disputes, and,
// where customers are told before a failure, the renewals ahead. It answers
// how many events it had to fetch. When Stripe does not answer, nothing is marked as seen and the next run goes back
// as far.
func (in *Intake) Reconcile(ctx context.Context) (int, error) {
	now := in.now()
	var state Reconciled
	var connected int64
	err := in.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		state, err = LastReconcile(ctx, tx)
		if err != nil {
			return err
		}
		connected, err = connectedAt(ctx, tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find where the reconcile stands: %w", err)
	}
	if state.RanAt <= now.Unix() && state.RanAt > now.Add(-reconcileEvery).Unix() {
		return 0, nil
	}
	if state.Cursor == 0 {
		state.Cursor = connected
	}
	missed, err := in.catchUp(ctx, state.Cursor, connected, now)
	if fault.Is(err, fault.Unavailable) {
		in.log.WarnContext(ctx, "reconcile waits, Stripe does not answer", "err", err)
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	state.Cursor, state.RanAt = now.Unix(), now.Unix()
	if missed > 0 {
		state.Missed, state.MissedAt = missed, now.Unix()
		in.log.WarnContext(ctx, "Stripe did not deliver events, they were fetched: check the webhook endpoint", "events", missed)
	}
	return missed, in.db.Do(ctx, func(tx *sql.Tx) error { return keepState(ctx, tx, settingReconcile, state) })
}

// LastReconcile answers how the last run of Reconcile left things.
func LastReconcile(ctx context.Context, tx *sql.Tx) (Reconciled, error) {
	var state Reconciled
	err := findState(ctx, tx, settingReconcile, &state)
	return state, err
}

func (in *Intake) catchUp(ctx context.Context, cursor, connected int64, now time.Time) (int, error) {
	oldest := now.Add(-eventsKept).Unix()
	// An event from before the connection would make an old failure one we were told of.
	since := max(cursor-int64(overlap.Seconds()), connected)
	lost := since < oldest
	unread, disputes := now.Add(-unreadFor).Unix(), since
	if lost {
		err := in.readPages(ctx, gateway.Open{})
		if err != nil {
			return 0, err
		}
		since, unread, disputes = oldest, now.Unix(), now.Add(-disputesFor).Unix()
	}
	missed, err := in.fetchEvents(ctx, since, now.Add(-inFlight).Unix())
	if err != nil {
		return missed, err
	}
	err = in.readPages(ctx, gateway.Open{ByHand: true, DueFrom: since, DueUntil: now.Unix()})
	if err != nil {
		return missed, err
	}
	err = in.RefreshDisputes(ctx, time.Unix(disputes, 0))
	if err != nil {
		return missed, err
	}
	err = in.readRenewals(ctx, now)
	if err != nil {
		return missed, err
	}
	return missed, in.readUnread(ctx, unread, lost)
}

// fetchEvents keeps the events since then that no webhook brought, and answers how many there were.
func (in *Intake) fetchEvents(ctx context.Context, since, until int64) (int, error) {
	missed := 0
	err := in.stripe.Happened(ctx, since, func(page []gateway.Event) error {
		var rows []Event
		for _, e := range page {
			if e.Created <= until && (in.ahead > 0 || !gateway.Foretells(e.Type)) { // an endpoint need not send what nobody uses
				rows = append(rows, in.rowOf(e))
			}
		}
		if len(rows) == 0 {
			return nil
		}
		return in.db.Do(ctx, func(tx *sql.Tx) error {
			fresh, err := insertEvents(ctx, tx, rows)
			if err != nil {
				return fmt.Errorf("keep missed events: %w", err)
			}
			missed += fresh
			return nil
		})
	})
	return missed, err
}

// readPages reads and keeps all open invoices of a kind.
func (in *Intake) readPages(ctx context.Context, which gateway.Open) error {
	after := ""
	for {
		readAt := in.now().Unix()
		page, err := in.stripe.OpenPage(ctx, which, after)
		if err != nil {
			return err
		}
		err = in.db.Do(ctx, func(tx *sql.Tx) error { return in.savePage(ctx, tx, page.Accounts, readAt) })
		if err != nil {
			return err
		}
		if !page.More {
			return nil
		}
		after = page.Last
	}
}

// readUnread reads customers again with an open invoice that was last read before the instant: a batch, or all.
func (in *Intake) readUnread(ctx context.Context, before int64, all bool) error {
	tried := map[string]bool{}
	for {
		var customers []string
		err := in.db.See(ctx, func(tx *sql.Tx) error {
			var err error
			customers, err = billing.Unread(ctx, tx, before, unreadBatch+len(tried))
			return err
		})
		if err != nil {
			return fmt.Errorf("find invoices not read for long: %w", err)
		}
		progress := false
		for _, id := range customers {
			if tried[id] {
				continue
			}
			tried[id], progress = true, true
			err = in.Refresh(ctx, id)
			if fault.Is(err, fault.NotFound) {
				in.log.WarnContext(ctx, "Stripe does not know a stored customer any more", "customer", id)
				continue
			}
			if err != nil {
				return err
			}
		}
		if !progress || !all {
			return nil
		}
	}
}
