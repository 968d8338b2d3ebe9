package dunning

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/outbox"
)

// receiptTime is how long after a press on our pages the news of its end is still an answer to it, at any hour.
const receiptTime = 2 * time.Hour

// whyTogether is why the letter about one case is left out when another was settled before it left.
const whyTogether = "It is told in one letter with what was paid after it."

// heard reports whether the customer knows of what a case was about: a reminder of it went out, or one of an earlier case about
// something that is paid now, or that case took something away, which it had told.
func (cs *Cases) heard(ctx context.Context, tx *sql.Tx, c Case, invoices []billing.Invoice) (bool, error) {
	told, err := reminded(ctx, tx, c.ID)
	if told || err != nil {
		return told, err
	}
	limited, err := cs.BeganLimited(ctx, tx, c)
	if limited || err != nil {
		return limited, err
	}
	for _, i := range invoices {
		if !i.Paid() {
			continue
		}
		earlier, err := casesLeft(ctx, tx, i.ID)
		if err != nil {
			return false, err
		}
		for _, id := range earlier {
			told, err := reminded(ctx, tx, id)
			if told || err != nil {
				return told, err
			}
		}
	}
	return false, nil
}

// reminded reports whether a reminder of the case went out, perhaps.
func reminded(ctx context.Context, tx *sql.Tx, caseID string) (bool, error) {
	notices, err := outbox.OfCase(ctx, tx, caseID)
	return slices.ContainsFunc(notices, func(n outbox.Notice) bool {
		return n.Kind == outbox.Reminder && (n.Status == outbox.Sent || n.Status == outbox.Uncertain || n.Status == outbox.Sending)
	}), err
}

// joinThanks leaves out letters about other cases of the customer that wait to say that all is settled: one that is about to
// be queued says it for them, as ThanksFor has it.
func joinThanks(ctx context.Context, tx *sql.Tx, c Case, now time.Time) error {
	notices, err := outbox.OfCustomer(ctx, tx, c.CustomerID)
	if err != nil {
		return err
	}
	for _, n := range notices {
		if n.Kind != outbox.Settled || n.Status != outbox.Queued || n.CaseID == c.ID {
			continue
		}
		err = outbox.LeaveOut(ctx, tx, n.ID, whyTogether, now.Unix())
		if err != nil {
			return err
		}
	}
	return nil
}

// owesStill reports whether the customer's open case is about something that is not paid. Nobody is told meanwhile that all is
// settled, though an older case of theirs was just paid; the letter about the open one tells it.
func (cs *Cases) owesStill(ctx context.Context, tx *sql.Tx, customer string) (bool, error) {
	open, err := selectCases(ctx, tx, `WHERE customer_id = $1 AND status = 'open'`, customer)
	if err != nil {
		return false, err
	}
	for _, c := range open {
		invoices, err := cs.InvoicesOf(ctx, tx, c)
		if err != nil || slices.ContainsFunc(invoices, billing.Invoice.Open) {
			return err == nil, err
		}
	}
	return false, nil
}

// ThanksFor answers the cases of which a letter says that all is settled: its own, and those whose letters were left out for
// it or for one that was.
func (cs *Cases) ThanksFor(ctx context.Context, tx *sql.Tx, n outbox.Notice) ([]Case, error) {
	notices, err := outbox.OfCustomer(ctx, tx, n.CustomerID)
	if err != nil {
		return nil, err
	}
	// Cases may end in one second. Ids sort as they were made, so that what was left out for one letter comes after it here.
	order := func(a, b outbox.Notice) int {
		return cmp.Or(cmp.Compare(b.CreatedAt, a.CreatedAt), strings.Compare(b.ID, a.ID))
	}
	slices.SortFunc(notices, order)
	own, err := cs.Find(ctx, tx, n.CaseID)
	if err != nil {
		return nil, err
	}
	all := []Case{own}
	for _, o := range notices {
		switch {
		case o.Kind != outbox.Settled || order(o, n) <= 0: // itself, and what is newer
			continue
		case o.Reason != whyTogether:
			return all, nil
		}
		c, err := cs.Find(ctx, tx, o.CaseID)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// thanksWait answers until when the news that all is settled waits, zero when it may go now. An answer to what the
// customer did just now comes at once; any other, such as one that a broken mail server held up into the night, in the
// hours they are glad to be written to.
func (cs *Cases) thanksWait(ctx context.Context, tx *sql.Tx, customer string, now time.Time) (time.Time, error) {
	pressed, err := billing.AttemptsSince(ctx, tx, customer, now.Add(-receiptTime).Unix())
	if err != nil || len(pressed) > 0 {
		return time.Time{}, err
	}
	who, err := billing.FindCustomer(ctx, tx, customer)
	if err != nil {
		return time.Time{}, err
	}
	choices, err := contact.ChoicesOf(ctx, tx, customer)
	if err != nil {
		return time.Time{}, err
	}
	at := cs.PolicyFor(who, choices).NextAllowed(now, contact.ZonesOf(who, cs.fallback))
	if !at.After(now) {
		return time.Time{}, nil
	}
	return at, nil
}
