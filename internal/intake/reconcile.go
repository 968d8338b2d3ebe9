package intake

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sollecito/internal/fault"
)

const (
	reconcileEvery = 15 * time.Minute
	overlap        = time.Hour            // listed again each time: events become visible late and out of order
	inFlight       = time.Minute          // events this young are left to the webhook that is on its way
	eventsKept     = 30 * 24 * time.Hour  // by Stripe
	unreadFor      = 7 * 24 * time.Hour   // after which an open invoice is read again, whatever we heard
	unreadBatch    = 100                  // customers with such invoices, each time
	disputesFor    = 180 * 24 * time.Hour // how old a dispute may be whose end was missed
)

const settingReconcile = "reconcile"

// Reconciled says up to when we know everything that happened at Stripe. Instants are unix seconds of business time.
type Reconciled struct {
	Cursor     int64   `json:"cursor"`     // everything before it was seen
	RanAt      int64   `json:"ran_at"`     // 0: never
	CaughtUp   int64   `json:"caught_up"`  // when the first run ended since the database was put back from a copy, or ever
	Missed     int     `json:"missed"`     // events the last run that found any had to fetch, since Stripe had not delivered them
	MissedAt   int64   `json:"missed_at"`  // when that was, 0: never
	Unlisted   int64   `json:"unlisted"`   // since then the key may not list events; 0: it may
	Undisputed int64   `json:"undisputed"` // since then the key may not list disputes; 0: it may
	UnderWay   catchUp `json:"under_way"`  // the run that has begun and not ended
}

// Lately reports whether events had to be fetched within the day before now: what delivers them wants a look.
func (r Reconciled) Lately(now time.Time) bool {
	return r.Missed > 0 && r.MissedAt > now.Add(-24*time.Hour).Unix()
}

// catchUp is how far one run of the reconcile came. It is kept with each page, so that a run that Stripe or the end of
// the program interrupts goes on there instead of beginning anew: in a large account some page always fails.
type catchUp struct {
	At     int64  `json:"at"`     // unix seconds of business time at which it began, 0 when none is under way
	Step   step   `json:"step"`   // what it is at
	After  string `json:"after"`  // what to go on after within the step, "" for its beginning
	Missed int    `json:"missed"` // events fetched so far

	Refused    bool `json:"refused"`     // the key may not list events
	NoDisputes bool `json:"no_disputes"` // nor disputes
}

// step is one thing a catch-up does. Their numbers are stored.
type step int

const (
	listOpen     step = iota // all open invoices, where Stripe's events don't reach back
	listEvents               // where they do, a catch-up begins here
	listDue                  // invoices to be paid by hand whose due date passed: no event tells of that
	listDisputes             // no event may have told of their end either
	listRenewals             // where customers are told before a failure
	askAgain                 // who was not read for long
)

// Reconcile compares what we know with what happened at Stripe, once in a quarter of an hour of business time; in between
// it does nothing. Events that no webhook brought are kept as if one had. After an absence of more than thirty days, for
// which Stripe no longer lists events, it lists all open invoices instead, and leaves customers whose stored open invoices
// are not among them to ReadAgain. It answers how many events it had to fetch.
//
// When Stripe does not answer, nothing is marked as seen, and the next run goes on at the page that failed. Several
// programs may run it: only one of them moves it on.
func (in *Intake) Reconcile(ctx context.Context) (int, error) {
	now := in.now()
	w := walk{Intake: in}
	err := in.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		w.stored, err = LastReconcile(ctx, tx)
		if err != nil {
			return err
		}
		w.connected, err = connectedAt(ctx, tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find where the reconcile stands: %w", err)
	}
	w.state = w.stored
	if w.state.UnderWay.At == 0 {
		if w.state.RanAt <= now.Unix() && w.state.RanAt > now.Add(-reconcileEvery).Unix() {
			return 0, nil
		}
		w.begin(now)
	}
	for err == nil && w.state.UnderWay.At > 0 {
		err = w.goOn(ctx)
	}
	if fault.Is(err, fault.Unavailable) {
		in.log.WarnContext(ctx, "reconcile waits, Stripe does not answer", "err", err)
		err = nil
	}
	if errors.Is(err, errElsewhere) {
		err = nil
	}
	return w.fetched, err
}

// LastReconcile answers how the last run of Reconcile left things.
func LastReconcile(ctx context.Context, tx *sql.Tx) (Reconciled, error) {
	var state Reconciled
	err := findState(ctx, tx, settingReconcile, &state)
	return state, err
}
