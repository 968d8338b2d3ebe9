package billing

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"sollecito/internal/database"
)

// Stored is what a transaction has read of a customer before it keeps a reading: the zero Customer for one who is not
// stored, and those of their invoices that were read. What is stored as it was read is not written again.
type Stored struct {
	Customer Customer
	Invoices []Invoice
	Whole    bool // those invoices are all that Unsettled answers, and Disputed is known
	Disputed bool // they dispute a payment, or ever did
}

// Standing is what is stored of a customer whom the transaction holds, for whoever goes on from a reading: it is not read
// once more.
type Standing struct {
	Customer Customer
	Disputed bool
	Open     []Invoice // as OpenInvoices answers them
}

// SaveOver is Save for whoever has read in the same transaction what is stored.
func SaveOver(ctx context.Context, tx *sql.Tx, was Stored, a Account, readAt int64) error {
	if was.Customer.SyncedAt > readAt {
		_, err := saveInvoices(ctx, tx, was, a.Invoices, readAt)
		return err
	}
	n, err := newsOf(ctx, tx, was.Customer, a)
	if err != nil {
		return err
	}
	err = n.save(ctx, tx, readAt)
	if err != nil {
		return err
	}
	_, err = saveInvoices(ctx, tx, was, a.Invoices, readAt)
	return err
}

// SaveNoting is SaveOver that notes the methods that came into use with it, or got new details from their bank, while
// something of the customer's is overdue: what is open is to be charged with them. A customer read for the first time has
// none. It answers what stands then, nil where that is to be read again because it changed.
func SaveNoting(ctx context.Context, tx *sql.Tx, was Stored, a Account, readAt int64, now time.Time) (*Standing, error) {
	if was.Customer.SyncedAt == 0 || was.Customer.SyncedAt > readAt {
		return nil, SaveOver(ctx, tx, was, a, readAt)
	}
	n, err := newsOf(ctx, tx, was.Customer, a)
	if err != nil {
		return nil, err
	}
	var before ways
	if n.ofWays() {
		before, err = waysOf(ctx, tx, a.Customer.ID)
		if err != nil {
			return nil, err
		}
	}
	err = n.save(ctx, tx, readAt)
	if err != nil {
		return nil, err
	}
	same, err := saveInvoices(ctx, tx, was, a.Invoices, readAt)
	if err != nil {
		return nil, err
	}
	if n.ofWays() {
		err = noteNewCards(ctx, tx, a.Customer.ID, before, now)
	}
	if err != nil || !same || !was.Whole || !n.seen || len(n.methods) > 0 { // an invoice tells of its method too
		return nil, err
	}
	return was.standing(readAt), nil
}

// standing is what stands after a reading that said what was stored.
func (s Stored) standing(readAt int64) *Standing {
	now := &Standing{Customer: s.Customer, Disputed: s.Disputed}
	now.Customer.SyncedAt = readAt
	for _, i := range s.Invoices {
		if i.Open() {
			i.SyncedAt = max(i.SyncedAt, readAt)
			now.Open = append(now.Open, i)
		}
	}
	slices.SortFunc(now.Open, func(a, b Invoice) int {
		return cmp.Or(cmp.Compare(a.CreatedAt, b.CreatedAt), cmp.Compare(a.Number, b.Number), cmp.Compare(a.ID, b.ID))
	})
	return now
}

// news is what a reading says that is not stored yet.
type news struct {
	customer      Customer
	seen          bool // nothing of the customer's own changed
	way           bool // their default method did
	methods       []Method
	subscriptions []Subscription
}

// ofWays reports whether it may be charged in another way.
func (n news) ofWays() bool { return n.way || len(n.methods)+len(n.subscriptions) > 0 }

func newsOf(ctx context.Context, tx *sql.Tx, was Customer, a Account) (news, error) {
	n := news{customer: a.Customer, seen: sameCustomer(was, a.Customer), way: was.DefaultMethod != a.Customer.DefaultMethod}
	if was.ID == "" {
		n.methods, n.subscriptions = a.Methods, a.Subscriptions
		return n, nil
	}
	var err error
	n.methods, err = newMethods(ctx, tx, a.Methods)
	if err != nil {
		return news{}, err
	}
	n.subscriptions, err = newSubscriptions(ctx, tx, was.ID, a.Subscriptions)
	return n, err
}

// sameCustomer reports whether the one read is the one stored, but for what Stripe does not say.
func sameCustomer(was, read Customer) bool {
	return was.ID == read.ID && was.ErasedAt == 0 && was.Name == read.Name && was.Email == read.Email &&
		slices.Equal(was.PreferredLocales, read.PreferredLocales) && was.Country == read.Country && was.State == read.State &&
		was.Zone == read.Zone && slices.Equal(was.Contacts, read.Contacts) && was.DefaultMethod == read.DefaultMethod &&
		maps.Equal(was.Metadata, read.Metadata) && was.Deleted == read.Deleted && was.Livemode == read.Livemode
}

// newMethods answers those methods that are not stored with the same details.
func newMethods(ctx context.Context, tx *sql.Tx, read []Method) ([]Method, error) {
	if len(read) == 0 {
		return nil, nil
	}
	var ids []string
	for _, m := range read {
		ids = append(ids, m.ID)
	}
	marks, args := database.List(ids)
	stored, err := methodsByID(selectMethods(ctx, tx, `WHERE id IN (`+marks+`)`, args...))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(read), func(m Method) bool {
		was := stored[m.ID]
		return was.ID == m.ID && was.Brand == m.Brand && was.Last4 == m.Last4 && was.ExpMonth == m.ExpMonth && was.ExpYear == m.ExpYear &&
			was.Fingerprint == m.Fingerprint
	}), nil
}

// newSubscriptions answers those subscriptions that are not stored as they were read, or were seen since: who looks ahead
// looks at them anew.
func newSubscriptions(ctx context.Context, tx *sql.Tx, customer string, read []Subscription) ([]Subscription, error) {
	if len(read) == 0 {
		return nil, nil
	}
	stored, err := selectSubscriptions(ctx, tx, `WHERE customer_id = $1 AND unseen`, customer)
	if err != nil {
		return nil, fmt.Errorf("read subscriptions: %w", err)
	}
	return slices.DeleteFunc(slices.Clone(read), func(s Subscription) bool { return slices.Contains(stored, s) }), nil
}

func (n news) save(ctx context.Context, tx *sql.Tx, readAt int64) error {
	var err error
	if n.seen {
		_, err = tx.ExecContext(ctx, `UPDATE customers SET synced_at = $1 WHERE id = $2`, readAt, n.customer.ID)
	} else {
		err = saveCustomer(ctx, tx, n.customer, readAt)
	}
	if err != nil {
		return err
	}
	for _, m := range n.methods {
		err = saveMethod(ctx, tx, m, readAt)
		if err != nil {
			return err
		}
	}
	for _, s := range n.subscriptions {
		err = saveSubscription(ctx, tx, s)
		if err != nil {
			return err
		}
	}
	return nil
}

// saveInvoices reports whether all that it keeps was stored just so.
func saveInvoices(ctx context.Context, tx *sql.Tx, was Stored, invoices []Invoice, readAt int64) (same bool, err error) {
	same = true
	for _, i := range invoices {
		at := slices.IndexFunc(was.Invoices, func(w Invoice) bool { return w.ID == i.ID })
		if at >= 0 && was.Invoices[at].says(i) {
			_, err = tx.ExecContext(ctx, `UPDATE invoices SET synced_at = $1 WHERE id = $2 AND synced_at <= $1`, readAt, i.ID)
		} else {
			same = false
			err = saveInvoice(ctx, tx, i, readAt)
		}
		if err != nil {
			return false, err
		}
	}
	return same, nil
}

// says reports whether to keep what was read would change nothing of the stored invoice but when it was read.
func (i Invoice) says(read Invoice) bool {
	if i.FailedAt > 0 {
		read.FailedAt, read.FirstFailed = i.FailedAt, i.FirstFailed
	}
	if len(i.Takes) == 0 && len(read.Takes) == 0 {
		read.Takes = i.Takes
	}
	read.SyncedAt, read.Charge, read.MethodIsGuests, read.MethodRenewedAt = i.SyncedAt, i.Charge, i.MethodIsGuests, i.MethodRenewedAt
	return reflect.DeepEqual(i, read)
}
