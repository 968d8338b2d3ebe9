package intake

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
	"sollecito/internal/link"
)

// FreshFor is how long a reading of Stripe serves to decide a reminder by.
const FreshFor = 10 * time.Minute

// Intake keeps Stripe's events and reads customers again.
type Intake struct {
	db      *database.DB
	kept    *database.Group[Event] // webhooks come in swarms and share the disk's time
	stripe  *gateway.Client
	cases   *dunning.Cases
	secrets atomic.Pointer[[]string]
	live    bool
	ahead   time.Duration
	now     func() time.Time // business time
	real    func() time.Time // real time: signatures, retries
	log     *slog.Logger

	trouble    atomic.Bool  // the last reading of Stripe failed
	quietUntil atomic.Int64 // unix seconds of business time before which nobody is read again
	restsUntil atomic.Int64 // unix seconds of real time before which no event is looked at
	aheadUntil atomic.Int64 // unix seconds of business time: something was stored as read then, before it had come
	inOrder    bool         // customers are read one after the other
}

// Options are what an Intake needs.
type Options struct {
	DB             *database.DB
	Stripe         *gateway.Client
	Cases          *dunning.Cases
	WebhookSecrets []string      // several while one is being rolled
	Live           bool          // whether our key is a live one
	Ahead          time.Duration // renewals are read this long before they come; 0 for not at all
	Now            func() time.Time
	RealNow        func() time.Time
	Logger         *slog.Logger
}

// New makes an Intake.
func New(o Options) *Intake {
	in := &Intake{
		db: o.DB, kept: database.NewGroup(o.DB, keepEvents), stripe: o.Stripe, cases: o.Cases,
		live: o.Live, ahead: o.Ahead, now: o.Now, real: o.RealNow, log: o.Logger,
	}
	in.Trust(o.WebhookSecrets)
	return in
}

// Trust makes these the secrets that webhooks may be signed with from now on, and no others.
func (in *Intake) Trust(secrets []string) { in.secrets.Store(&secrets) }

// Receive checks a webhook's signature and keeps its event. When it answers nil the row is durable. The same
// event again changes nothing. An event we cannot use is kept too, parked with the reason. fault.Invalid when
// the signature, its time or the body is wrong: then no row is written.
func (in *Intake) Receive(ctx context.Context, body []byte, signature string) error {
	e, err := gateway.VerifyEvent(body, signature, *in.secrets.Load(), in.real())
	if err != nil {
		return err
	}
	err = in.kept.Keep(ctx, in.rowOf(e))
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The event could not be kept.")
	}
	return nil
}

// rowOf is an event as it is kept, parked or ignored at once when we cannot use it.
func (in *Intake) rowOf(e gateway.Event) Event {
	row := Event{
		ID: e.ID, Type: e.Type, ObjectType: e.ObjectType, ObjectID: e.ObjectID, CustomerID: e.Customer,
		APIVersion: e.APIVersion, Livemode: e.Livemode, CreatedAt: e.Created, ReceivedAt: in.real().Unix(), Status: Received,
		ServesFrom: in.now().Add(clocksApart).Unix(), // surely after it, by any program's clock
	}
	switch {
	case e.Unreadable != "":
		row.Status, row.Reason = Parked, e.Unreadable
	case e.Account != "":
		row.Status, row.Reason = Parked, "It belongs to the connected account "+e.Account+", not to ours."
	case e.Livemode != in.live:
		row.Status, row.Reason = Parked, "Its mode (live or test) is not that of our key."
	case gateway.Foretells(e.Type) && in.ahead == 0:
		row.Status, row.Reason = Ignored, "Nobody is told anything before a failure (SOLLECITO_BEFORE_FAILURE is off)."
	case !slices.Contains(gateway.ListenTo, e.Type):
		row.Status, row.Reason = Ignored, "We have no use for this type."
	case e.APIVersion != gateway.APIVersion:
		row.Reason = fmt.Sprintf("Sent in version %q; read again in %s.", e.APIVersion, gateway.APIVersion)
	}
	return row
}

// Refresh reads the customer and all their open invoices again from Stripe, saves what it says, and lets the
// cases be reconsidered. fault.NotFound when Stripe does not know the customer, fault.Unavailable when it does
// not answer; then nothing has changed.
func (in *Intake) Refresh(ctx context.Context, customer string) error {
	return in.refresh(ctx, customer, false, nothing)
}

// RefreshWithTries is Refresh that reads every try on the customer's cards again too, for whoever means to charge them
// by himself.
func (in *Intake) RefreshWithTries(ctx context.Context, customer string) error {
	return in.refresh(ctx, customer, true, nothing)
}

// errMore is that something else is to be asked before a reading is kept: whoever looked wrote nothing, and takes back having
// held the customer.
var errMore = errors.New("something else is to be asked first")

func nothing(context.Context, *sql.Tx) error { return nil }

// reading is what Stripe said of a customer.
type reading struct {
	account billing.Account
	tries   []billing.Attempt
	at      int64 // before it began
	over    int64 // an instant still to come at which what is stored says it was read, known before this reading began; 0 for none
}

// wanting is what is still to be asked before a reading can be kept.
type wanting struct {
	invoices []billing.Invoice // that are stored as unsettled, and not among those read
	disputes []string          // that ran when they were last read
	tries    bool
}

func (w wanting) nothing() bool { return len(w.invoices) == 0 && len(w.disputes) == 0 && !w.tries }

// refresh reads the customer and keeps it in one transaction; where something else is to be asked first, in another one.
// with is done in the transaction that keeps everything, and left out where disputes are kept after it.
func (in *Intake) refresh(ctx context.Context, customer string, always bool, with func(context.Context, *sql.Tx) error) error {
	over, err := in.storedAhead(ctx, customer)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		err := in.refreshOver(ctx, customer, over, always, with)
		var ahead readAhead
		if try == aheadTries || !errors.As(err, &ahead) {
			return err
		}
		over = int64(ahead)
		in.aheadUntil.Store(max(in.aheadUntil.Load(), over))
	}
}

// storedAhead answers as what instant to come the customer is stored, 0 for none. Only after one was met is it asked before
// Stripe is: a clock that was set back then costs each reading a look at what is stored, and not a second reading until it has
// caught up.
func (in *Intake) storedAhead(ctx context.Context, customer string) (int64, error) {
	now := in.now().Unix()
	if in.aheadUntil.Load() <= now {
		return 0, nil
	}
	var was billing.Customer
	err := in.db.See(ctx, func(tx *sql.Tx) error {
		var err error
		was, err = billing.FindCustomer(ctx, tx, customer)
		return err
	})
	if err != nil && !fault.Is(err, fault.NotFound) {
		return 0, fmt.Errorf("look when %s was read: %w", customer, err)
	}
	if was.SyncedAt <= now {
		return 0, nil
	}
	return was.SyncedAt, nil
}

// readAhead is that a reading cannot be told from an older one: what is stored was read at this instant, which has not come yet by
// our clock. Another program's is ahead, or one was. Stripe is asked once more then; when what is stored is still the same, what it
// says is newer.
type readAhead int64

func (r readAhead) Error() string {
	return fmt.Sprintf("it was read at %s, which has not come yet; are the clocks apart?", time.Unix(int64(r), 0).UTC().Format(time.RFC3339))
}

const aheadTries = 3 // others may read meanwhile

// refreshOver is refresh over what is stored as read at an instant that has not come yet, 0 when none is known.
func (in *Intake) refreshOver(ctx context.Context, customer string, over int64, always bool, with func(context.Context, *sql.Tx) error) error {
	r := reading{at: in.now().Unix(), over: over}
	var err error
	r.account, err = in.stripe.Account(ctx, customer)
	in.trouble.Store(fault.Is(err, fault.Unavailable))
	if err != nil {
		return err
	}
	w := wanting{tries: always}
	err = in.save(ctx, customer, func(tx *sql.Tx) error {
		was, err := in.look(ctx, tx, r.account, &w)
		if err != nil {
			return err
		}
		if !w.nothing() {
			return errMore
		}
		return in.keep(ctx, tx, r, was, with)
	})
	if !errors.Is(err, errMore) {
		return err
	}
	r.tries, err = in.tries(ctx, r.account, w.tries, always)
	if err != nil {
		return err
	}
	disputes, err := in.disputes(ctx, w.disputes)
	if err != nil {
		return err
	}
	if len(disputes) > 0 {
		with = nothing
	}
	err = in.readUnsettled(ctx, w.invoices, &r.account)
	if err != nil {
		return err
	}
	err = in.save(ctx, customer, func(tx *sql.Tx) error {
		was, err := billing.FindCustomer(ctx, tx, r.account.Customer.ID)
		if billing.IsErased(err) || err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		return in.keep(ctx, tx, r, billing.Stored{Customer: was}, with)
	})
	if err != nil {
		return err
	}
	for _, d := range disputes {
		err = in.saveDispute(ctx, d)
		if err != nil {
			return err
		}
	}
	return nil
}

// disputes reads the disputes again; one that the key may not read is left out, and stays as it was.
func (in *Intake) disputes(ctx context.Context, ids []string) ([]billing.Dispute, error) {
	var all []billing.Dispute
	for _, id := range ids {
		d, err := in.stripe.Dispute(ctx, id)
		if errors.Is(err, gateway.ErrPermission) {
			in.log.WarnContext(ctx, "a dispute that ran stays as it was, the key may not read it", "dispute", id, "err", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// readUnsettled reads stored invoices again that were not among those read, and adds them and their methods to the account.
func (in *Intake) readUnsettled(ctx context.Context, unsettled []billing.Invoice, account *billing.Account) error {
	for _, stored := range unsettled {
		invoice, methods, err := in.stripe.Invoice(ctx, stored.ID)
		if fault.Is(err, fault.NotFound) {
			invoice, err = in.gone(ctx, stored), nil
		}
		if err != nil {
			return err
		}
		account.Invoices = append(account.Invoices, invoice)
		account.Methods = append(account.Methods, methods...)
	}
	return nil
}

// gone is a stored invoice that Stripe no longer knows although it knows the customer: nobody can pay it, so it counts as
// void. It must not keep other news of the customer from being stored, least of all that they were deleted.
func (in *Intake) gone(ctx context.Context, stored billing.Invoice) billing.Invoice {
	in.log.WarnContext(ctx, "Stripe does not know a stored invoice any more, it counts as void", "customer", stored.CustomerID, "invoice", stored.ID)
	stored.Status, stored.NextAttemptAt, stored.SyncedAt = "void", 0, in.now().Unix()
	return stored
}

// look answers what is stored of the customer and fills in what must be asked besides the account. The error is IsErased
// for a customer who was erased.
func (in *Intake) look(ctx context.Context, tx *sql.Tx, account billing.Account, w *wanting) (was billing.Stored, err error) {
	id := account.Customer.ID
	w.invoices, w.disputes = nil, nil
	var disputes []bool
	was.Customer, disputes, err = billing.FindCustomerAnd(ctx, tx, id, billing.AnyDispute)
	if fault.Is(err, fault.NotFound) && !billing.IsErased(err) {
		disputes, err = []bool{false}, nil // somebody new, of whom nothing is stored
	}
	if err != nil {
		return was, err
	}
	was.Disputed = disputes[0]
	was.Invoices, err = billing.Unsettled(ctx, tx, id)
	if err != nil {
		return was, err
	}
	was.Whole = true
	for _, i := range was.Invoices {
		if !slices.ContainsFunc(account.Invoices, func(a billing.Invoice) bool { return a.ID == i.ID }) {
			w.invoices = append(w.invoices, i)
		}
	}
	if was.Disputed {
		known, err := billing.Disputes(ctx, tx, id)
		if err != nil {
			return was, err
		}
		for _, d := range known {
			if d.Running() {
				w.disputes = append(w.disputes, d.ID)
			}
		}
	}
	if !w.tries {
		w.tries, err = newTries(ctx, tx, account)
	}
	return was, err
}

// Troubled reports whether Stripe did not answer when it was last asked. Pages then say how old their data is.
func (in *Intake) Troubled() bool { return in.trouble.Load() }

// refreshInvoice reads one invoice and its customer, for an invoice that is no longer open and that we may
// never have seen.
func (in *Intake) refreshInvoice(ctx context.Context, id string) error {
	readAt := in.now().Unix()
	invoice, methods, err := in.stripe.Invoice(ctx, id)
	if err != nil {
		return err
	}
	return in.db.Do(ctx, func(tx *sql.Tx) error {
		err := database.Hold(ctx, tx, invoice.CustomerID)
		if err != nil {
			return err
		}
		return billing.SaveInvoice(ctx, tx, invoice, methods, readAt)
	})
}

// save does work in a transaction that holds the customer.
func (in *Intake) save(ctx context.Context, customer string, work func(tx *sql.Tx) error) error {
	err := in.db.Do(ctx, func(tx *sql.Tx) error {
		err := database.Hold(ctx, tx, customer)
		if err != nil {
			return err
		}
		return work(tx)
	})
	if err != nil {
		return fmt.Errorf("save what Stripe says of %s: %w", customer, err)
	}
	return nil
}

// keep keeps a reading of a customer, who is held, and lets the cases follow from it.
func (in *Intake) keep(ctx context.Context, tx *sql.Tx, r reading, was billing.Stored, with func(context.Context, *sql.Tx) error) error {
	id := r.account.Customer.ID
	if was.Customer.SyncedAt > in.now().Unix() {
		if was.Customer.SyncedAt != r.over {
			return readAhead(was.Customer.SyncedAt)
		}
		// Else all that Stripe tells until our clock has come there would be taken for old, and lost. One more than what it was
		// read over, so that another reading over the same, which may have begun earlier, is not taken for newer.
		r.at = r.over + 1
	}
	r.account.Methods = slices.DeleteFunc(r.account.Methods, func(m billing.Method) bool { return m.CustomerID != id })
	stands, err := billing.SaveNoting(ctx, tx, was, r.account, r.at, in.now())
	if err != nil {
		return err
	}
	err = billing.SaveTries(ctx, tx, r.tries)
	if err != nil {
		return err
	}
	// Whoever reads the old mailbox is no longer the one to open the pages. An older reading tells nothing of it.
	if was.Customer.SyncedAt <= r.at && was.Customer.Email != "" && was.Customer.Email != r.account.Customer.Email {
		err = link.RevokeAll(ctx, tx, id, in.now())
		if err != nil {
			return err
		}
	}
	err = in.reconsider(ctx, tx, id, stands)
	if err != nil {
		return err
	}
	return with(ctx, tx)
}

// Fresh answers, by id, for which customers the stored state may serve a decision: it was read within FreshFor and no event
// of theirs waits.
func (in *Intake) Fresh(ctx context.Context, tx *sql.Tx, customers []billing.Customer) (map[string]bool, error) {
	now := in.now()
	fresh := make(map[string]bool, len(customers))
	var ids []string
	for _, who := range customers {
		ids = append(ids, who.ID)
		fresh[who.ID] = who.SyncedAt >= now.Add(-FreshFor).Unix() && who.SyncedAt <= now.Unix() // not by a clock that was ahead
	}
	waiting, err := waitingFor(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range waiting {
		fresh[id] = false
	}
	return fresh, nil
}
