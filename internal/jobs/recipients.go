package jobs

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/mail"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
)

// Recipient is where a notice goes. When it can go nowhere, To is "" and Why says why.
type Recipient struct{ To, Why string }

// Recipients decides from what is stored at that moment where notices go, by their ids. who are their customers. An address
// that no mail can be sent to as it is written is held back from now on, so that staff hear of it once.
func (l *Letters) Recipients(ctx context.Context, tx *sql.Tx, notices []outbox.Notice, who map[string]billing.Customer, now time.Time) (map[string]Recipient, error) {
	suppressed, err := l.suppressed(ctx, tx, notices, who)
	if err != nil {
		return nil, err
	}
	all := make(map[string]Recipient, len(notices))
	for _, n := range notices {
		customer, known := who[n.CustomerID]
		switch {
		case n.Kind == outbox.StaffAlert: // about a colleague's account, and to them whatever came back before
			all[n.ID], err = l.colleague(ctx, tx, n)
			if err != nil {
				return nil, err
			}
		case !known:
			all[n.ID] = Recipient{Why: "What it tells of no longer exists."}
		case n.Kind == outbox.StaffMessage: // staff are told whatever came back before
			all[n.ID] = Recipient{To: cmp.Or(l.OnlyTo, l.Merchant.SupportEmail)}
		default:
			addresses := addressesFor(n, customer)
			err = recognise(ctx, tx, n, addresses, suppressed)
			if err != nil {
				return nil, err
			}
			err = holdBack(ctx, tx, n, addresses, suppressed, now)
			if err != nil {
				return nil, err
			}
			all[n.ID] = l.customer(addresses, suppressed)
		}
	}
	return all, nil
}

// Settled answers the addresses of those notices for which Recipients would write nothing down; it leaves the others out.
func (l *Letters) Settled(ctx context.Context, tx *sql.Tx, notices []outbox.Notice, who map[string]billing.Customer) (map[string]string, error) {
	suppressed, err := l.suppressed(ctx, tx, notices, who)
	if err != nil {
		return nil, err
	}
	all := make(map[string]string, len(notices))
	for _, n := range notices {
		addresses := addressesFor(n, who[n.CustomerID])
		open := func(a string) bool { return suppressed[outbox.Normal(a)].Nameless || !mail.Sendable(a) }
		r := l.customer(addresses, suppressed)
		if r.To != "" && !slices.ContainsFunc(addresses, open) {
			all[n.ID] = r.To
		}
	}
	return all, nil
}

// suppressed answers which of the addresses that some notices may go to get no mail any more.
func (l *Letters) suppressed(ctx context.Context, tx *sql.Tx, notices []outbox.Notice, who map[string]billing.Customer) (map[string]outbox.Suppression, error) {
	asked := []string{l.OnlyTo}
	for _, n := range notices {
		asked = append(asked, addressesFor(n, who[n.CustomerID])...)
	}
	return outbox.Suppressed(ctx, tx, asked)
}

// recognise gives names back to suppressions of addresses that came back with another customer, for staff to see them.
func recognise(ctx context.Context, tx *sql.Tx, n outbox.Notice, addresses []string, suppressed map[string]outbox.Suppression) error {
	for _, a := range addresses {
		if !suppressed[outbox.Normal(a)].Nameless {
			continue
		}
		err := outbox.Recognise(ctx, tx, n.CustomerID, a)
		if err != nil {
			return err
		}
	}
	return nil
}

// holdBack adds those of a notice's addresses to suppressed that are written so that no mail can be sent to them.
func holdBack(ctx context.Context, tx *sql.Tx, n outbox.Notice, addresses []string, suppressed map[string]outbox.Suppression, now time.Time) error {
	for _, a := range addresses {
		_, known := suppressed[outbox.Normal(a)]
		if known || mail.Sendable(a) {
			continue
		}
		held, err := outbox.HoldBack(ctx, tx, n, a, now.Unix())
		if err != nil {
			return err
		}
		suppressed[held.Address] = held
	}
	return nil
}

func (l *Letters) colleague(ctx context.Context, tx *sql.Tx, n outbox.Notice) (Recipient, error) {
	a, err := staff.FindAlert(ctx, tx, n.SubjectID)
	if fault.Is(err, fault.NotFound) {
		return Recipient{Why: "What it tells of no longer exists."}, nil
	}
	return Recipient{To: cmp.Or(l.OnlyTo, a.Email)}, err
}

// addressesFor answers a customer's addresses for a notice, the best first. Reminders and receipts may go to another
// billing contact; what answers somebody goes to the address on file alone.
func addressesFor(n outbox.Notice, who billing.Customer) []string {
	switch n.Kind {
	case outbox.Reminder, outbox.Settled, outbox.Precaution, outbox.FinalAct:
		return who.Addresses()
	}
	if who.Email == "" {
		return nil
	}
	return who.Addresses()[:1]
}

// customer answers the first of a customer's addresses that may be written to; in test mode the one address of all mail.
func (l *Letters) customer(addresses []string, suppressed map[string]outbox.Suppression) Recipient {
	if len(addresses) == 0 {
		return Recipient{Why: string(dunning.ReasonNobody)}
	}
	for _, a := range addresses {
		_, stopped := suppressed[outbox.Normal(a)]
		if stopped {
			continue
		}
		only, stopped := suppressed[outbox.Normal(l.OnlyTo)]
		if stopped {
			return unmailed(only)
		}
		return Recipient{To: cmp.Or(l.OnlyTo, a)}
	}
	return unmailed(suppressed[outbox.Normal(addresses[0])])
}

func unmailed(s outbox.Suppression) Recipient {
	return Recipient{Why: "Nothing is mailed to this address any more. " + s.Words}
}
