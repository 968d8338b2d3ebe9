package intake

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

const (
	reconcileEvery = 15 * time.Minute
	overlap        = time.Hour            // listed again each time: events become visible late and out of order
	inFlight       = time.Minute          // events this young are left to the webhook that is on its way
	eventsKept     = 30 * 24 * time.Hour  // by Stripe
	unreadFor      = 7 * 24 * time.Hour   // after which an open invoice is read again, whatever we heard
	unreadBatch    = 100                  // at most, each time
	disputesFor    = 180 * 24 * time.Hour // how old a dispute may be whose end was missed
)

const settingReconcile = "reconcile"

// Reconciled says how far what Stripe did is known to be known. Instants are unix seconds of business time.
type Reconciled struct {
	Cursor   int64   `json:"cursor"`    // everything before it was seen
	RanAt    int64   `json:"ran_at"`    // 0: never
	Missed   int     `json:"missed"`    // events the last run that found any had to fetch, since Stripe had not delivered them
	MissedAt int64   `json:"missed_at"` // when that was, 0: never
	UnderWay catchUp `json:"under_way"` // the run that has begun and not ended
}

// catchUp is how far one run of the reconcile came, so that who is interrupted, by Stripe or by the end of the program,
// goes on there, with the instant it began at.
type catchUp struct {
	At     int64  `json:"at"` // unix seconds of business time, 0 when none is under way: everything before it will be seen
	Step   step   `json:"step"`
	After  string `json:"after"`  // what to go on after within the step, "" for its beginning
	Missed int    `json:"missed"` // events fetched so far
}

// step is one thing a catch-up does. Their numbers are stored.
type step int

const (
	listOpen   step = iota // all open invoices, where Stripe's events don't reach back
	listEvents             // from here on where they do
	listDue                // invoices to be paid by hand
	concluding             // disputes, renewals, and who was not read for long
)

// Lately reports whether events had to be fetched within the day before now: what delivers them wants a look.
func (r Reconciled) Lately(now time.Time) bool {
	return r.Missed > 0 && r.MissedAt > now.Add(-24*time.Hour).Unix()
}

// Reconcile compares what we know with what happened at Stripe, once in a quarter of an hour of business time; in
// between it does nothing. Events that no webhook brought are kept as if one had; after more than thirty days, which
// Stripe's events don't reach back, all open invoices are listed and the stored ones that are not among them are left
// to ReadAgain. Invoices to be paid by hand whose due date passed are listed too, since no event tells of that, and disputes, and,
// where customers are told before a failure, the renewals ahead. It answers
// how many events it had to fetch. When Stripe does not answer, nothing is marked as seen and the next run goes on
// where this one stood, a page at a time. Several programs may run it: only one of them moves it on.
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
	if state.UnderWay.At == 0 {
		if state.RanAt <= now.Unix() && state.RanAt > now.Add(-reconcileEvery).Unix() {
			return 0, nil
		}
		err = in.advance(ctx, &state, func(tx *sql.Tx, next *Reconciled) error {
			if next.Cursor == 0 {
				next.Cursor = connected
			}
			next.UnderWay = catchUp{At: now.Unix(), Step: listEvents}
			if reachOf(*next, connected).lost {
				next.UnderWay.Step = listOpen
			}
			return nil
		})
	}
	for err == nil && state.UnderWay.At > 0 {
		err = in.goOn(ctx, &state, reachOf(state, connected))
	}
	switch {
	case errors.Is(err, errElsewhere):
		return 0, nil
	case fault.Is(err, fault.Unavailable):
		in.log.WarnContext(ctx, "reconcile waits, Stripe does not answer", "err", err)
		return 0, nil
	case err != nil:
		return 0, err
	case state.MissedAt != state.RanAt:
		return 0, nil
	}
	in.log.WarnContext(ctx, "Stripe did not deliver events, they were fetched: check the webhook endpoint", "events", state.Missed)
	return state.Missed, nil
}

// LastReconcile answers how the last run of Reconcile left things.
func LastReconcile(ctx context.Context, tx *sql.Tx) (Reconciled, error) {
	var state Reconciled
	err := findState(ctx, tx, settingReconcile, &state)
	return state, err
}

var errElsewhere = errors.New("another program moved the reconcile on")

// advance lets change do what leads to the next state, and keeps both in one transaction, when the state it follows
// from is still the stored one; else it is errElsewhere, and nothing is kept.
func (in *Intake) advance(ctx context.Context, state *Reconciled, change func(tx *sql.Tx, next *Reconciled) error) error {
	var next Reconciled
	err := in.db.Do(ctx, func(tx *sql.Tx) error {
		next = *state
		err := change(tx, &next)
		if err != nil {
			return err
		}
		err = database.Hold(ctx, tx, settingReconcile) // after the customers that change holds
		if err != nil {
			return err
		}
		stored, err := LastReconcile(ctx, tx)
		if err != nil {
			return err
		}
		if stored != *state {
			return errElsewhere
		}
		return keepState(ctx, tx, settingReconcile, next)
	})
	if err != nil {
		return err
	}
	*state = next
	return nil
}

// reach is how far a catch-up looks back, in unix seconds.
type reach struct {
	lost     bool  // Stripe's events don't reach back to where the last one stood
	since    int64 // events, and due dates
	disputes int64 // when they began
	unread   int64 // who was last read before it is read again
	most     int   // customers who are
}

func reachOf(state Reconciled, connected int64) reach {
	at := time.Unix(state.UnderWay.At, 0)
	oldest := at.Add(-eventsKept).Unix()
	// An event from before the connection would make an old failure one we were told of.
	since := max(state.Cursor-int64(overlap.Seconds()), connected)
	if since < oldest {
		return reach{lost: true, since: oldest, disputes: at.Add(-disputesFor).Unix(), unread: at.Unix(), most: math.MaxInt32}
	}
	return reach{since: since, disputes: since, unread: at.Add(-unreadFor).Unix(), most: unreadBatch}
}

// goOn does the step at hand and moves to the next one.
func (in *Intake) goOn(ctx context.Context, state *Reconciled, back reach) error {
	at := state.UnderWay.At
	var err error
	switch state.UnderWay.Step {
	case listOpen:
		err = in.readPages(ctx, state, gateway.Open{})
	case listEvents:
		err = in.fetchEvents(ctx, state, back.since, at-int64(inFlight.Seconds()))
	case listDue:
		err = in.readPages(ctx, state, gateway.Open{ByHand: true, DueFrom: back.since, DueUntil: at})
	default:
		return in.endCatchUp(ctx, state, back)
	}
	if fault.Is(err, fault.NotFound) && state.UnderWay.After != "" { // what we stood at is gone: the step all over again does no harm
		again := in.advance(ctx, state, func(_ *sql.Tx, next *Reconciled) error {
			next.UnderWay.After = ""
			return nil
		})
		if again != nil {
			return again
		}
		return fault.Wrap(fault.Unavailable, err, "Stripe does not know any more where its list was left.")
	}
	if err != nil {
		return err
	}
	return in.advance(ctx, state, func(_ *sql.Tx, next *Reconciled) error {
		next.UnderWay.Step, next.UnderWay.After = next.UnderWay.Step+1, ""
		return nil
	})
}

// endCatchUp reads what is short, and leaves to ReadAgain who is to be read again: with that nothing is left to miss.
func (in *Intake) endCatchUp(ctx context.Context, state *Reconciled, back reach) error {
	err := in.RefreshDisputes(ctx, time.Unix(back.disputes, 0))
	if err != nil {
		return err
	}
	err = in.readRenewals(ctx, in.now())
	if err != nil {
		return err
	}
	return in.advance(ctx, state, func(tx *sql.Tx, next *Reconciled) error {
		done := next.UnderWay
		next.Cursor, next.RanAt, next.UnderWay = done.At, done.At, catchUp{}
		if done.Missed > 0 {
			next.Missed, next.MissedAt = done.Missed, done.At
		}
		return askUnread(ctx, tx, back.unread, back.most, in.now().Unix())
	})
}

// fetchEvents keeps the events since then that no webhook brought, each page with how far it came.
func (in *Intake) fetchEvents(ctx context.Context, state *Reconciled, since, until int64) error {
	return in.stripe.Happened(ctx, since, state.UnderWay.After, func(page []gateway.Event, after string) error {
		var rows []Event
		for _, e := range page {
			if e.Created <= until && (in.ahead > 0 || !gateway.Foretells(e.Type)) { // an endpoint need not send what nobody uses
				rows = append(rows, in.rowOf(e))
			}
		}
		return in.advance(ctx, state, func(tx *sql.Tx, next *Reconciled) error {
			next.UnderWay.After = after
			if len(rows) == 0 {
				return nil
			}
			fresh, err := insertEvents(ctx, tx, rows)
			if err != nil {
				return fmt.Errorf("keep missed events: %w", err)
			}
			next.UnderWay.Missed += fresh
			return nil
		})
	})
}

// readPages reads and keeps all open invoices of a kind, each page with how far it came.
func (in *Intake) readPages(ctx context.Context, state *Reconciled, which gateway.Open) error {
	for {
		readAt := in.now().Unix()
		page, err := in.stripe.OpenPage(ctx, which, state.UnderWay.After)
		if err != nil {
			return err
		}
		if page.Invoices == 0 {
			return nil
		}
		err = in.advance(ctx, state, func(tx *sql.Tx, next *Reconciled) error {
			next.UnderWay.After = page.Last
			return in.savePage(ctx, tx, page.Accounts, readAt)
		})
		if err != nil || !page.More {
			return err
		}
	}
}
