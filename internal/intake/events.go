package intake

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

// Status says how an event stands.
type Status string

const (
	Received  Status = "received"  // kept, to be processed
	Processed Status = "processed" // its customer was read again
	Ignored   Status = "ignored"   // of no use to us; Reason says why
	Parked    Status = "parked"    // could not be processed; Reason says why; Replay tries again
)

// Event is one row of what Stripe told us. Instants are unix seconds of real time, but for CreatedAt, which is
// Stripe's, and ServesFrom.
type Event struct {
	ID          string
	Type        string
	ObjectType  string
	ObjectID    string
	CustomerID  string
	APIVersion  string
	Livemode    bool
	CreatedAt   int64
	ReceivedAt  int64
	Status      Status
	Attempts    int64
	NextTryAt   int64
	Reason      string
	ProcessedAt int64
	ServesFrom  int64 // of business time: who read its customer from then on has seen what it tells; 0 for nobody yet
}

const (
	mostTries    = 8                // of an event that fails for a reason of ours, before it is parked
	lease        = 2 * time.Minute  // how long a claimed event is left to whoever claimed it
	longestWait  = time.Minute      // of an event for Stripe to answer, which then is soon heard of all that happened
	restsSilence = 15 * time.Second // for so long this program looks at no event once Stripe did not answer about several
)

// RunOnce processes up to limit waiting events, together with all other waiting events of the same customers, and answers
// how many it dealt with. The events of one customer share one reading; several customers are read at the same time. also
// is called for each event before its customer is read, for whatever else such an event sets off.
//
// One event that fails or panics harms no other: it is tried again with growing waits and parked in the end. When Stripe
// has failed to answer about several customers in a row, no more are asked about: their events wait, a minute at most.
func (in *Intake) RunOnce(ctx context.Context, limit int, also func(context.Context, Event) error) (int, error) {
	if in.real().Unix() < in.restsUntil.Load() {
		return 0, nil
	}
	var claimed []Event
	var known people
	err := in.db.Do(ctx, func(tx *sql.Tx) error {
		var err error
		claimed, err = claimEvents(ctx, tx, in.db.SkipLocked(), in.real().Unix(), in.real().Add(lease).Unix(), limit)
		if err != nil {
			return err
		}
		known.read(ctx, tx, customersOf(claimed))
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("claim events: %w", err)
	}
	in.readOneByOne(ctx, &known)
	var refusals, left atomic.Int64
	err = each(in.together(), byCustomer(claimed), func(events []Event) error {
		r := &round{events: events, who: known.by[events[0].CustomerID], outcomes: make([]error, len(events)), done: make([]bool, len(events))}
		if refusals.Load() >= mostRefusals {
			left.Add(int64(len(events)))
			r.failed(errRefused)
			return in.concludeRest(ctx, r)
		}
		in.process(ctx, r, also)
		if r.refused() {
			refusals.Add(1)
		} else {
			refusals.Store(0)
		}
		if ctx.Err() != nil {
			return ctx.Err() // shutting down: the lease runs out and they are processed later
		}
		return in.concludeRest(ctx, r)
	})
	if refusals.Load() >= mostRefusals {
		in.restsUntil.Store(in.real().Add(restsSilence).Unix())
		in.log.WarnContext(ctx, "events wait, Stripe does not answer and was not asked about all of them", "unasked", left.Load())
	}
	if err != nil {
		return 0, err
	}
	return len(claimed), nil
}

// people are some customers as they are stored. One who cannot be read is left out and harms no other: they count as
// unknown until their own turn shows why.
type people struct {
	by     map[string]billing.Customer
	unread []string // not tried one by one yet
}

// read reads customers together, in the transaction that claims what is about them.
func (p *people) read(ctx context.Context, tx *sql.Tx, ids []string) {
	var err error
	p.by, err = billing.CustomersByID(ctx, tx, ids)
	if err != nil {
		p.by, p.unread = map[string]billing.Customer{}, ids
	}
}

// readOneByOne reads each of the customers of whom one could not be read.
func (in *Intake) readOneByOne(ctx context.Context, p *people) {
	for _, id := range p.unread {
		err := in.db.See(ctx, func(tx *sql.Tx) error {
			one, err := billing.CustomersByID(ctx, tx, []string{id})
			maps.Copy(p.by, one)
			return err
		})
		if err != nil && ctx.Err() == nil {
			in.log.WarnContext(ctx, "a stored customer cannot be read", "customer", id, "err", err)
		}
	}
}

// each does something about all, for so many at the same time, and answers the first error. All are done whatever it is.
func each[T any](together int, all []T, do func(T) error) error {
	if together > 1 && len(all) > 1 {
		var group errgroup.Group
		group.SetLimit(together)
		for _, one := range all {
			group.Go(func() error { return do(one) })
		}
		return group.Wait()
	}
	var first error // a goroutine of its own would grow a stack anew for each
	for _, one := range all {
		first = cmp.Or(first, do(one))
	}
	return first
}

// InOrder lets customers be read one after the other, so that the same events are processed in the same order each
// time. It must be called before anything runs.
func (in *Intake) InOrder() { in.inOrder = true }

func (in *Intake) together() int {
	if in.inOrder {
		return 1
	}
	return readers
}

// readers is how many customers are read at the same time; the gateway's own limit is shared by all.
const readers = 4

// customersOf answers whom the events name, each once.
func customersOf(events []Event) []string {
	var all []string
	for _, e := range events {
		if e.CustomerID != "" {
			all = append(all, e.CustomerID)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// byCustomer parts events by whose they are, in the order of their first; those that name nobody stand alone.
func byCustomer(events []Event) [][]Event {
	var groups [][]Event
	at := map[string]int{}
	for _, e := range events {
		n, known := at[e.CustomerID]
		if known && e.CustomerID != "" {
			groups[n] = append(groups[n], e)
			continue
		}
		at[e.CustomerID] = len(groups)
		groups = append(groups, []Event{e})
	}
	return groups
}

var errNobody = errors.New("it names no customer")

// ErasedCustomer is the reason of an event that tells of somebody who was erased.
const ErasedCustomer = "It is about a customer who was erased."

// round is what is done about some events of one customer.
type round struct {
	events   []Event
	who      billing.Customer // as stored when the events were taken, the zero Customer for somebody new
	outcomes []error
	done     []bool // concluded together with what was read
	begun    int64
	served   bool             // their customer had been read since
	serves   map[string]int64 // by object, from when on a reading has seen what its events tell
}

// failed makes an error the outcome of them all.
func (r *round) failed(err error) {
	for n := range r.outcomes {
		r.outcomes[n] = err
	}
}

// refused reports whether Stripe did not answer what was asked for one of them.
func (r *round) refused() bool {
	return slices.ContainsFunc(r.outcomes, func(err error) bool {
		return fault.Is(err, fault.Unavailable) && !errors.Is(err, gateway.ErrPermission)
	})
}

// process reads the customer of some events again, once for all of them, and keeps how each came out. What one
// of them starts besides may fail; its customer is read all the same, and the others are none the worse.
func (in *Intake) process(ctx context.Context, r *round, also func(context.Context, Event) error) {
	err := caught(func() error { return in.read(ctx, r, also) })
	if err != nil {
		r.failed(err)
	}
}

// concludeRest keeps how those events came out that were not concluded with what was read.
func (in *Intake) concludeRest(ctx context.Context, r *round) error {
	if !slices.Contains(r.done, false) {
		return nil
	}
	return in.db.Do(ctx, func(tx *sql.Tx) error {
		for n, e := range r.events {
			if r.done[n] {
				continue
			}
			err := in.conclude(ctx, tx, e, r.outcomes[n])
			if err != nil {
				return fmt.Errorf("conclude event %s: %w", e.ID, err)
			}
		}
		return nil
	})
}

// caught makes a panic an error.
func caught(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return do()
}

func (in *Intake) read(ctx context.Context, r *round, also func(context.Context, Event) error) error {
	customer, err := in.whose(ctx, r)
	if err != nil {
		return err
	}
	for n, e := range r.events {
		r.outcomes[n] = caught(func() error { return also(ctx, e) })
	}
	r.begun = in.now().Unix()
	var concluded []int
	conclude := func(ctx context.Context, tx *sql.Tx) error {
		var err error
		concluded, err = in.concludeRead(ctx, tx, r)
		return err
	}
	r.served = in.served(r)
	if r.served {
		err = in.save(ctx, customer, func(tx *sql.Tx) error {
			err := in.reconsider(ctx, tx, customer, nil)
			if err != nil {
				return err
			}
			return conclude(ctx, tx)
		})
	} else {
		err = in.refresh(ctx, customer, false, conclude)
	}
	if err != nil {
		return err
	}
	for _, n := range concluded {
		r.done[n] = true
	}
	came := map[string]error{} // by object
	for n, e := range r.events {
		if r.done[n] {
			continue
		}
		_, seen := came[e.ObjectID]
		if !seen {
			came[e.ObjectID] = caught(func() error { return in.see(ctx, customer, e, r.before(e)) })
		}
		if r.outcomes[n] == nil {
			r.outcomes[n] = came[e.ObjectID]
		}
	}
	return nil
}

// whose answers the customer the events are about. For an erased customer the error is IsErased, before anything is asked
// of Stripe or done about the event.
func (in *Intake) whose(ctx context.Context, r *round) (string, error) {
	named := r.events[0]
	if named.CustomerID != "" {
		return named.CustomerID, r.who.Erased()
	}
	customer, err := in.stripe.CustomerOf(ctx, named.ObjectType, named.ObjectID)
	if err != nil {
		return "", err
	}
	if customer == "" {
		return "", errNobody
	}
	return customer, in.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		r.who, err = billing.FindCustomer(ctx, tx, customer)
		if fault.Is(err, fault.NotFound) && !billing.IsErased(err) {
			return nil // somebody new
		}
		return err
	})
}

// before is the instant before which an object of an event must have been read to be read again.
func (r *round) before(e Event) int64 {
	if r.served {
		return r.serves[e.ObjectID]
	}
	return r.begun
}

// concludeRead concludes the events to which nothing is left to read, in the transaction that keeps their customer, and
// answers which these are.
func (in *Intake) concludeRead(ctx context.Context, tx *sql.Tx, r *round) ([]int, error) {
	var concluded []int
	var ids []string
	for n, e := range r.events {
		if r.outcomes[n] != nil {
			continue
		}
		more, err := leavesMore(ctx, tx, e, r.before(e))
		if err != nil {
			return nil, err
		}
		if !more {
			concluded, ids = append(concluded, n), append(ids, e.ID)
		}
	}
	return concluded, setProcessed(ctx, tx, ids, in.real().Unix())
}

// leavesMore reports whether see has something to do for an event whose customer was read.
func leavesMore(ctx context.Context, tx *sql.Tx, e Event, before int64) (bool, error) {
	switch e.ObjectType {
	case "invoice":
		return closedAndMember(ctx, tx, e.ObjectID, before)
	case "dispute", "charge", "refund", "credit_note":
		return true, nil
	}
	return false, nil
}

// see reads what an event is about where reading its customer says nothing of it. An object that Stripe does not know, or
// that cannot be read, is the matter of its own events: the customer's others are none the worse.
func (in *Intake) see(ctx context.Context, customer string, e Event, before int64) error {
	switch e.ObjectType {
	case "invoice":
		return in.seeInvoice(ctx, customer, e.ObjectID, before)
	case "dispute":
		return in.seeDispute(ctx, e.ObjectID)
	case "charge", "refund", "credit_note":
		return in.seeGivenBack(ctx, e.ObjectType, e.ObjectID)
	}
	return nil
}

// served reports whether the customer was read as a whole since all these events happened: one reading then serves the many
// events that a catch-up fetches page by page. Only what the events themselves say may still be news: which failures began
// after the connection.
func (in *Intake) served(r *round) bool {
	now, from := in.now().Unix(), int64(0)
	r.serves = map[string]int64{}
	for _, e := range r.events {
		if e.ServesFrom == 0 || e.ServesFrom > now {
			return false
		}
		from = max(from, e.ServesFrom)
		r.serves[e.ObjectID] = max(r.serves[e.ObjectID], e.ServesFrom)
	}
	return r.who.SyncedAt >= from && r.who.SyncedAt <= now // later: by a clock that was ahead
}

// reconsider lets the cases of a customer, who is held, follow from what is stored, with what Stripe told us of failures. stands
// is that, nil to have it read.
func (in *Intake) reconsider(ctx context.Context, tx *sql.Tx, customer string, stands *billing.Standing) error {
	return in.cases.ReconsiderHeld(ctx, tx, customer, stands, in.now(), func() ([]string, error) { return failuresTold(ctx, tx, customer) })
}

// seeInvoice makes sure that an invoice an event is about is known even when it is no longer open, so that a
// payment on a written-off invoice reaches its case. One that was not read before the instant is known.
func (in *Intake) seeInvoice(ctx context.Context, customer, invoice string, before int64) error {
	known := false
	err := in.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		known, err = closedAndMember(ctx, tx, invoice, before)
		return err
	})
	if err != nil || !known {
		return err
	}
	err = in.refreshInvoice(ctx, invoice)
	if err != nil {
		return err
	}
	return in.db.Do(ctx, func(tx *sql.Tx) error { return in.cases.Reconsider(ctx, tx, customer, in.now()) })
}

// seeGivenBack reads the paid invoice again that was refunded or credited, since a reading of open invoices does not show
// it. An invoice we do not know is of no use to us.
func (in *Intake) seeGivenBack(ctx context.Context, objectType, objectID string) error {
	invoice, err := in.stripe.InvoiceOf(ctx, objectType, objectID)
	if err != nil || invoice == "" {
		return err
	}
	paid := false
	err = in.db.See(ctx, func(tx *sql.Tx) error {
		i, err := billing.FindInvoice(ctx, tx, invoice)
		paid = i.MarkedPaid()
		return err
	})
	if fault.Is(err, fault.NotFound) || err == nil && !paid {
		return nil
	}
	if err != nil {
		return err
	}
	return in.refreshInvoice(ctx, invoice)
}

// conclude keeps how processing came out.
func (in *Intake) conclude(ctx context.Context, tx *sql.Tx, e Event, outcome error) error {
	now := in.real()
	switch {
	case outcome == nil:
		return setStatus(ctx, tx, e.ID, Processed, e.Reason, now.Unix())
	case errors.Is(outcome, errNobody):
		return setStatus(ctx, tx, e.ID, Ignored, "It names no customer.", now.Unix())
	case billing.IsErased(outcome):
		return setStatus(ctx, tx, e.ID, Ignored, ErasedCustomer, now.Unix())
	case fault.Is(outcome, fault.NotFound):
		return setStatus(ctx, tx, e.ID, Parked, "Stripe does not know what it is about: "+fault.MessageOf(outcome), now.Unix())
	case errors.Is(outcome, gateway.ErrPermission) && e.Attempts >= mostTries:
		in.log.WarnContext(ctx, "event parked, the key may not read what it is about", "event", e.ID, "type", e.Type, "err", outcome)
		return setStatus(ctx, tx, e.ID, Parked, "The key lacks the permission to read what it is about; sollecito doctor names it. Replay the event once the key has it.", now.Unix())
	case errors.Is(outcome, gateway.ErrPermission):
		in.log.WarnContext(ctx, "event waits, the key may not read what it is about", "event", e.ID, "type", e.Type, "tries", e.Attempts, "err", outcome)
		return retryAt(ctx, tx, e.ID, now.Add(min(backoff(e.Attempts), longestWait)).Unix(), fault.MessageOf(outcome))
	case outcome == errRefused:
		return retryUncounted(ctx, tx, e.ID, now.Add(restsSilence).Unix(), fault.MessageOf(outcome))
	case fault.Is(outcome, fault.Unavailable):
		in.log.WarnContext(ctx, "event waits, Stripe does not answer", "event", e.ID, "type", e.Type, "err", outcome)
		return retryUncounted(ctx, tx, e.ID, now.Add(e.patience(now)).Unix(), fault.MessageOf(outcome))
	case database.Outage(outcome):
		in.log.WarnContext(ctx, "event waits, the database was away", "event", e.ID, "type", e.Type, "err", outcome)
		return retryUncounted(ctx, tx, e.ID, now.Add(e.patience(now)).Unix(), "The database was away; it is tried again.")
	case e.Attempts < mostTries:
		in.log.ErrorContext(ctx, "event failed and is tried again", "event", e.ID, "type", e.Type, "tries", e.Attempts, "err", outcome)
		return retryAt(ctx, tx, e.ID, now.Add(backoff(e.Attempts)).Unix(), "It failed on our side and is tried again.")
	}
	in.log.ErrorContext(ctx, "event parked", "event", e.ID, "type", e.Type, "err", outcome)
	return setStatus(ctx, tx, e.ID, Parked, fmt.Sprintf("It failed %d times on our side; the log has the details.", e.Attempts), now.Unix())
}

// patience is the wait of an event that waits for others to be back: as long as it waited already, so that waits double, and
// a minute at most.
func (e Event) patience(now time.Time) time.Duration {
	return min(max(now.Sub(time.Unix(e.ReceivedAt, 0)), 2*time.Second), longestWait)
}

// backoff is the wait after n tries: 2, 4, 8, … seconds, at most a quarter of an hour.
func backoff(n int64) time.Duration {
	return min(time.Second<<min(max(n, 1), 10), 15*time.Minute)
}

// List answers up to limit events, newest first, of one status or of all when it is "".
func (in *Intake) List(ctx context.Context, status Status, limit int) ([]Event, error) {
	var all []Event
	err := in.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = selectEvents(ctx, tx, `WHERE status = $1 OR $1 = '' ORDER BY received_at DESC, id LIMIT $2`, status, limit)
		return err
	})
	return all, err
}

// Replay puts an event back to be processed, whatever became of it. Doing so twice, or for one that was
// processed, is harmless: its customer is read once more. fault.NotFound when there is no such event.
func (in *Intake) Replay(ctx context.Context, id string) error {
	return in.db.Do(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `
			UPDATE events SET status = 'received', attempts = 0, next_try_at = 0, reason = '', serves_from = 0 WHERE id = $1`, id)
		if err != nil {
			return err
		}
		changed, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if changed == 0 {
			return fault.New(fault.NotFound, "There is no event %s.", id)
		}
		return nil
	})
}

// Reclaim makes every waiting event, and who waits to be read again, due now: for the start of a program that is the
// only one on its database, when whoever had claimed some is surely gone.
func (in *Intake) Reclaim(ctx context.Context) error {
	in.restsUntil.Store(0)
	return in.db.Do(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE events SET next_try_at = 0 WHERE status = 'received' AND next_try_at > 0`)
		if err != nil {
			return err
		}
		return reclaimRereads(ctx, tx, in.now().Unix())
	})
}
