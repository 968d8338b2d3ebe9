package intake

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

// clocksApart is how far Stripe's clock and ours may differ: webhooks from further away are refused.
const clocksApart = 5 * time.Minute

// walk is what one program does of a catch-up: it moves the stored state on, a page at a time.
type walk struct {
	*Intake
	stored    Reconciled // what others see of it
	state     Reconciled // where it stands: past what is stored by steps that found nothing
	connected int64      // since when Stripe is listened to, unix seconds
	fetched   int        // events that no webhook had brought
}

var errGone = errors.New("what the catch-up stood at is gone from its list")

// listing answers the failure of a call for the next page.
func (w *walk) listing(err error) error {
	if fault.Is(err, fault.NotFound) && w.state.UnderWay.After != "" {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return err
}

var errElsewhere = errors.New("another program moved the reconcile on")

// advance lets change do what leads to the next state, and keeps both in one transaction, when what is stored is still
// what this walk has stored; else it answers errElsewhere, and nothing is kept.
func (w *walk) advance(ctx context.Context, change func(tx *sql.Tx, next *Reconciled) error) error {
	var next Reconciled
	err := w.db.Do(ctx, func(tx *sql.Tx) error {
		next = w.state
		err := change(tx, &next)
		if err != nil {
			return err
		}
		err = database.HoldQuietly(ctx, tx, settingReconcile) // after the customers that change holds
		if err != nil {
			return err
		}
		stored, err := LastReconcile(ctx, tx)
		if err != nil {
			return err
		}
		if stored != w.stored {
			return errElsewhere
		}
		return keepState(ctx, tx, settingReconcile, next)
	})
	if err != nil {
		return err
	}
	w.stored, w.state = next, next
	return nil
}

// standAt keeps how far the step came.
func (w *walk) standAt(ctx context.Context, after string) error {
	return w.advance(ctx, func(_ *sql.Tx, next *Reconciled) error {
		next.UnderWay.After = after
		return nil
	})
}

// reach is how far a catch-up looks back, in unix seconds.
type reach struct {
	lost     bool  // Stripe's events don't reach back to where the last one stood
	since    int64 // events, and due dates
	disputes int64 // when they began
	unread   int64 // who was last read before it is read again
	most     int   // customers who are
}

func (w *walk) reach() reach {
	at := time.Unix(w.state.UnderWay.At, 0)
	oldest := at.Add(-eventsKept).Unix()
	// An event from before the connection would make an old failure one we were told of.
	since := max(w.state.Cursor-int64(overlap.Seconds()), w.connected)
	if since < oldest {
		return reach{lost: true, since: oldest, disputes: at.Add(-disputesFor).Unix(), unread: at.Unix(), most: math.MaxInt32}
	}
	disputes := since
	if w.state.Undisputed > 0 { // those that began while none could be listed
		disputes = max(at.Add(-disputesFor).Unix(), min(since, w.state.Undisputed-int64(overlap.Seconds())))
	}
	return reach{since: since, disputes: disputes, unread: at.Add(-unreadFor).Unix(), most: unreadBatch}
}

// begin sets out from where the last catch-up ended. Where that lies ahead of us a clock that was wrong wrote it, and nobody
// knows when that was: it sets out from as far back as Stripe's events reach.
func (w *walk) begin(now time.Time) {
	switch {
	case w.state.Cursor == 0:
		w.state.Cursor = w.connected
	case w.state.Cursor > now.Add(clocksApart).Unix():
		w.log.Warn("the last catch-up was made by a clock that was ahead, all of Stripe's events are listed again", "ahead", time.Unix(w.state.Cursor, 0).Sub(now))
		w.state.Cursor = now.Add(overlap - eventsKept).Unix()
	default:
		w.state.Cursor = min(w.state.Cursor, now.Unix())
	}
	w.setOut(now.Unix())
}

// setOut begins a catch-up at an instant, with all open invoices where Stripe's events don't reach back.
func (w *walk) setOut(at int64) {
	w.state.UnderWay = catchUp{At: at, Step: listEvents, Missed: w.state.UnderWay.Missed}
	if w.reach().lost {
		w.state.UnderWay.Step = listOpen
	}
}

// goWithout leaves out a step that the key may not do: neither events nor disputes are vital (gateway.Needs), and what is,
// such as invoices to be paid by hand, of which no event tells, must not wait for them. Any other step does wait.
func (w *walk) goWithout(ctx context.Context, err error) error {
	switch w.state.UnderWay.Step {
	case listEvents:
		w.state.UnderWay.Refused = true
	case listDisputes:
		w.state.UnderWay.NoDisputes = true
	default:
		return err
	}
	w.log.WarnContext(ctx, "the catch-up goes on without what the key may not list; sollecito doctor names the permission", "err", err)
	return nil
}

// goOn does what is left of the step at hand and moves to the next one.
func (w *walk) goOn(ctx context.Context) error {
	at, back := w.state.UnderWay.At, w.reach()
	var err error
	switch w.state.UnderWay.Step {
	case listOpen:
		err = w.readPages(ctx, gateway.Open{})
	case listEvents:
		err = w.fetchEvents(ctx, back.since, at-int64(inFlight.Seconds()))
	case listDue:
		err = w.readPages(ctx, gateway.Open{ByHand: true, DueFrom: back.since, DueUntil: at})
	case listDisputes:
		err = w.readDisputes(ctx, time.Unix(back.disputes, 0))
	case listRenewals:
		err = w.readRenewals(ctx)
	default:
		return w.end(ctx, back)
	}
	if errors.Is(err, errGone) { // the step all over again does no harm
		again := w.standAt(ctx, "")
		if again != nil {
			return again
		}
		return fault.Wrap(fault.Unavailable, err, "Stripe does not know any more where its list was left.")
	}
	if errors.Is(err, gateway.ErrPermission) {
		err = w.goWithout(ctx, err)
	}
	if err != nil {
		return err
	}
	if w.state.UnderWay.Step == listEvents && w.state.Unlisted > 0 && !w.state.UnderWay.Refused {
		w.log.InfoContext(ctx, "the key may list events now, they are caught up on as after an absence")
		w.state.Cursor, w.state.Unlisted = w.state.Unlisted, 0
		w.setOut(at)
		return nil
	}
	w.state.UnderWay.Step++ // kept with the next page: until then its last one is read once more by whoever goes on
	w.state.UnderWay.After = ""
	return nil
}

// end leaves to ReadAgain who is to be read again, and marks everything before the catch-up as seen.
func (w *walk) end(ctx context.Context, back reach) error {
	missed, now := w.state.UnderWay.Missed, w.now().Unix()
	err := w.advance(ctx, func(tx *sql.Tx, next *Reconciled) error {
		at := next.UnderWay.At
		if next.UnderWay.Refused && next.Unlisted == 0 {
			next.Unlisted = next.Cursor
		}
		switch {
		case !next.UnderWay.NoDisputes:
			next.Undisputed = 0
		case next.Undisputed == 0:
			next.Undisputed = next.Cursor
		}
		next.Cursor, next.RanAt, next.UnderWay = at, at, catchUp{}
		if next.CaughtUp == 0 {
			next.CaughtUp = now
		}
		if missed > 0 {
			next.Missed, next.MissedAt = missed, at
		}
		return askUnread(ctx, tx, back.unread, back.most, now)
	})
	if err == nil && missed > 0 {
		w.log.WarnContext(ctx, "Stripe did not deliver events, they were fetched: check the webhook endpoint", "events", missed)
	}
	return err
}

// fetchEvents keeps the events since then that no webhook brought.
func (w *walk) fetchEvents(ctx context.Context, since, until int64) error {
	var kept error
	keep := func(page []gateway.Event, after string) error {
		var rows []Event
		for _, e := range page {
			if e.Created <= until && (w.ahead > 0 || !gateway.Foretells(e.Type)) { // an endpoint need not send what nobody uses
				row := w.rowOf(e)
				row.ServesFrom = min(w.now().Unix()+1, e.Created+int64(clocksApart.Seconds())) // it was in the list before now
				rows = append(rows, row)
			}
		}
		if len(rows) == 0 {
			w.state.UnderWay.After = after
			return nil
		}
		fresh := 0
		err := w.advance(ctx, func(tx *sql.Tx, next *Reconciled) error {
			next.UnderWay.After = after
			var err error
			fresh, err = insertEvents(ctx, tx, rows)
			if err != nil {
				return fmt.Errorf("keep missed events: %w", err)
			}
			next.UnderWay.Missed += fresh
			return nil
		})
		if err == nil {
			w.fetched += fresh
		}
		return err
	}
	err := w.stripe.Happened(ctx, since, w.state.UnderWay.After, func(page []gateway.Event, after string) error {
		kept = keep(page, after)
		return kept
	})
	if kept != nil {
		return kept
	}
	return w.listing(err)
}

// readPages reads and keeps all open invoices of a kind.
func (w *walk) readPages(ctx context.Context, which gateway.Open) error {
	for {
		readAt := w.now().Unix()
		page, err := w.stripe.OpenPage(ctx, which, w.state.UnderWay.After)
		if err != nil || page.Invoices == 0 {
			return w.listing(err)
		}
		err = w.keepPage(ctx, page.Accounts, readAt, func(save func(tx *sql.Tx) error) error {
			return w.advance(ctx, func(tx *sql.Tx, next *Reconciled) error {
				next.UnderWay.After = page.Last
				return save(tx)
			})
		})
		if err != nil || !page.More {
			return err
		}
	}
}

// readDisputes reads the disputes that began at since or later and keeps those of customers we know: one list for
// everybody, because Stripe cannot list them by customer.
func (w *walk) readDisputes(ctx context.Context, since time.Time) error {
	for {
		page, more, err := w.stripe.Disputes(ctx, since, w.state.UnderWay.After)
		if err != nil {
			return w.listing(err)
		}
		for _, d := range page {
			err = w.keepDispute(ctx, d)
			if err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		err = w.standAt(ctx, page[len(page)-1].ID)
		if err != nil {
			return err
		}
	}
}

// keepDispute keeps one dispute of a list. One that cannot be kept is left to the events, as if one of them had told of it:
// there it is tried again by itself and parked in the end, and it holds up no other.
func (w *walk) keepDispute(ctx context.Context, d billing.Dispute) error {
	err := caught(func() error { return w.saveDispute(ctx, d) })
	if err == nil || ctx.Err() != nil {
		return err
	}
	w.log.ErrorContext(ctx, "a dispute that a list shows could not be kept, it is tried again", "dispute", d.ID, "err", err)
	row := w.rowOf(gateway.Event{
		ID: "catchup_" + d.ID + "_" + strconv.FormatInt(w.now().Unix(), 10), Type: "charge.dispute.created", ObjectType: "dispute", ObjectID: d.ID, Customer: d.CustomerID,
		APIVersion: gateway.APIVersion, Livemode: w.live, Created: w.now().Unix(),
	})
	err = w.db.Do(ctx, func(tx *sql.Tx) error { return keepEvents(ctx, tx, []Event{row}) })
	if err != nil {
		return fmt.Errorf("leave dispute %s to the events: %w", d.ID, err)
	}
	return nil
}
