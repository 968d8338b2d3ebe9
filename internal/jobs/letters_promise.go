package jobs

import (
	"context"
	"database/sql"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/internal/outbox"
	"sollecito/views/email"
)

// promised confirms the day the customer set. One that no longer stands is not confirmed.
func (l *Letters) promised(ctx context.Context, tx *sql.Tx, n *outbox.Notice, who billing.Customer, reader *l10n.Locale, token string, now time.Time) (email.Letter, error) {
	p, err := l.Cases.FindPromise(ctx, tx, n.SubjectID)
	if err != nil {
		return email.Letter{}, err
	}
	if p.Status != dunning.PromiseActive {
		return email.Letter{}, fault.New(fault.NotFound, "The promise does not stand any more.")
	}
	zone := l.Cases.Zone(who)
	facts := email.PromiseFacts{
		Merchant: l.Merchant, FirstName: who.FirstName(), Amounts: p.Amounts(), On: p.On(zone), Charge: p.Kind == dunning.PromiseCharge, LinkURL: l.Addresses.Link(token),
	}
	facts.Card, err = card(ctx, tx, who.ID, p.MethodID)
	if err != nil {
		return email.Letter{}, err
	}
	for _, named := range p.Invoices {
		i, err := billing.FindInvoice(ctx, tx, named.Invoice)
		if err != nil {
			return email.Letter{}, err
		}
		facts.Invoices = append(facts.Invoices, invoiceFacts(i, zone))
		before := p.DueAt
		if p.Kind == dunning.PromiseCharge {
			before = p.On(zone).Unix() // a try on the very day surprises nobody
		}
		retry := time.Unix(i.NextAttemptAt, 0).In(zone)
		if i.NextAttemptAt > now.Unix() && i.NextAttemptAt < before && (facts.Retry.IsZero() || retry.Before(facts.Retry)) {
			facts.Retry = retry
		}
	}
	return email.Promise(reader, facts), nil
}

// broken answers the day a customer had set that came to nothing, when no reminder has told of it yet.
func (l *Letters) broken(ctx context.Context, tx *sql.Tx, c dunning.Case, n *outbox.Notice, zone *time.Location) (*email.BrokenDay, error) {
	promises, err := l.Cases.PromisesOf(ctx, tx, c.CustomerID)
	if err != nil || len(promises) == 0 {
		return nil, err
	}
	last := promises[len(promises)-1]
	if last.CaseID != c.ID || last.Status != dunning.PromiseBroken {
		return nil, nil
	}
	notices, err := outbox.OfCase(ctx, tx, c.ID)
	if err != nil {
		return nil, err
	}
	for _, other := range notices {
		told := other.Status == outbox.Sent || other.Status == outbox.Uncertain
		if other.ID != n.ID && other.Kind == outbox.Reminder && other.Channel == outbox.Email && told && other.SettledAt > last.EndedAt {
			return nil, nil
		}
	}
	return &email.BrokenDay{On: last.On(zone), Charge: last.Kind == dunning.PromiseCharge, Tried: last.ChargedAt > 0}, nil
}
