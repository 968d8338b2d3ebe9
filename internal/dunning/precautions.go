package dunning

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// PrecautionOf answers what a customer is to be told before it fails, by what is stored; false when there is nothing,
// or nothing is said: to somebody who owes already (their case speaks), whose case is open, who was deleted, or whom
// the campaign holds out.
func (cs *Cases) PrecautionOf(ctx context.Context, tx *sql.Tx, customer string, now time.Time) (Precaution, bool, error) {
	if !cs.before.On() {
		return Precaution{}, false, nil
	}
	who, err := billing.FindCustomer(ctx, tx, customer)
	if err != nil || who.Deleted {
		return Precaution{}, false, err
	}
	subscriptions, err := billing.Subscriptions(ctx, tx, customer)
	if err != nil {
		return Precaution{}, false, err
	}
	methods, err := billing.Methods(ctx, tx, customer)
	if err != nil {
		return Precaution{}, false, err
	}
	p, found := cs.before.Find(who, subscriptions, methods, now)
	if !found {
		return Precaution{}, false, nil
	}
	silent, err := cs.silentBefore(ctx, tx, who, now)
	return p, !silent, err
}

// silentBefore reports whether a customer hears nothing of what is ahead, whatever it is.
func (cs *Cases) silentBefore(ctx context.Context, tx *sql.Tx, who billing.Customer, now time.Time) (bool, error) {
	owed, err := billing.Overdue(ctx, tx, who.ID, now.Unix())
	if err != nil || len(owed) > 0 {
		return true, err
	}
	_, err = cs.OpenOf(ctx, tx, who.ID)
	if !fault.Is(err, fault.NotFound) {
		return true, err
	}
	plans, err := cs.Campaigns(ctx, tx)
	if err != nil {
		return true, err
	}
	subject, err := subjectOf(ctx, tx, who, nil, now)
	if err != nil {
		return true, err
	}
	return plans.Choose(subject).HoldsOut(who.ID), nil
}

// Ahead answers up to limit customers with a renewal that came within the lead time, or of which something new was
// read since, in the order in which all who look at several take them.
func (cs *Cases) Ahead(ctx context.Context, tx *sql.Tx, now time.Time, limit int) ([]string, error) {
	customers, err := billing.Unseen(ctx, tx, now.Unix(), now.Add(cs.before.Lead).Unix(), limit)
	if err != nil {
		return nil, fmt.Errorf("find renewals to look at: %w", err)
	}
	slices.Sort(customers)
	return slices.Compact(customers), nil
}

// LooksAhead reports whether customers are told before a failure.
func (cs *Cases) LooksAhead() bool { return cs.before.On() }

// LookAhead looks at a customer's renewals within the lead time and queues what is to be told of them. Doing so twice
// changes nothing.
func (cs *Cases) LookAhead(ctx context.Context, tx *sql.Tx, customer string, now time.Time) error {
	err := database.Hold(ctx, tx, customer)
	if err != nil {
		return err
	}
	fresh, err := billing.Seen(ctx, tx, customer, now.Add(cs.before.Lead).Unix())
	if err != nil || fresh == 0 { // another node was here first
		return err
	}
	p, ok, err := cs.PrecautionOf(ctx, tx, customer, now)
	if err != nil || !ok {
		return err
	}
	// The same trouble with another card, or with a second subscription days later, is not told again at once.
	last, err := outbox.LastOf(ctx, tx, customer, outbox.Precaution, string(p.Trouble))
	if err != nil || last > now.Add(-cs.before.Lead).Unix() {
		return err
	}
	who, err := billing.FindCustomer(ctx, tx, customer)
	if err != nil {
		return err
	}
	n := outbox.Notice{
		Kind: outbox.Precaution, Channel: outbox.Email, CustomerID: customer, Step: string(p.Trouble), SubjectID: p.Mark(), Counts: true,
	}
	n.Recipient, err = outbox.Usable(ctx, tx, who.Addresses())
	if err != nil {
		return err
	}
	if n.Recipient == "" {
		return outbox.Skip(ctx, tx, n, "No address of this customer takes mail.", now.Unix())
	}
	choices, err := contact.ChoicesOf(ctx, tx, customer)
	if err != nil {
		return err
	}
	if choices.NoMail {
		return outbox.Skip(ctx, tx, n, contact.NoMailWanted, now.Unix())
	}
	before, then, err := cs.toldAhead(ctx, tx, p)
	if err != nil {
		return err
	}
	if before {
		_, err = outbox.Presume(ctx, tx, n, whyPutBack, then)
		return err
	}
	contacts, err := cs.contacts(ctx, tx, customer, now, outbox.Notice{})
	if err != nil {
		return err
	}
	n.DueAt = cs.PolicyFor(who, choices).Slot(now, contact.ZonesOf(who, cs.fallback), contacts).At.Unix()
	_, err = outbox.Queue(ctx, tx, n, now.Unix())
	return err
}

// PutBy lets nobody look at a customer's renewals until something new is read of them.
func (cs *Cases) PutBy(ctx context.Context, tx *sql.Tx, customer string, now time.Time) error {
	_, err := billing.Seen(ctx, tx, customer, now.Add(cs.before.Lead).Unix())
	return err
}

// NextLook answers when the next renewal comes within the lead time, and false when none is known.
func (cs *Cases) NextLook(ctx context.Context, tx *sql.Tx, now time.Time) (int64, bool, error) {
	if !cs.LooksAhead() {
		return 0, false, nil
	}
	at, err := billing.NextUnseen(ctx, tx, now.Unix())
	if err != nil || at == 0 {
		return 0, false, err
	}
	return at - int64(cs.before.Lead/time.Second), true, nil
}

// precautionWanted decides right before a notice of a precaution is handed over whether it may go: what it tells of is
// still so, and the contact policy allows it now.
func (cs *Cases) precautionWanted(ctx context.Context, tx *sql.Tx, n outbox.Notice, now time.Time) (Say, error) {
	p, ok, err := cs.PrecautionOf(ctx, tx, n.CustomerID, now)
	if err != nil {
		return Say{}, err
	}
	if !ok || p.Mark() != n.SubjectID {
		return Say{Skip: "It no longer holds: the card was renewed or replaced, nothing will be charged, or something has failed and the case speaks."}, nil
	}
	who, err := billing.FindCustomer(ctx, tx, n.CustomerID)
	if err != nil {
		return Say{}, err
	}
	choices, err := contact.ChoicesOf(ctx, tx, n.CustomerID)
	if err != nil {
		return Say{}, err
	}
	if choices.NoMail {
		return Say{Skip: contact.NoMailWanted}, nil
	}
	contacts, err := cs.contacts(ctx, tx, n.CustomerID, now, outbox.Notice{})
	if err != nil {
		return Say{}, err
	}
	slot := cs.PolicyFor(who, choices).Slot(now, contact.ZonesOf(who, cs.fallback), contacts)
	if slot.At.After(now) {
		return Say{Later: slot.At, Why: tooSoon}, nil
	}
	return Say{Go: true}, nil
}
