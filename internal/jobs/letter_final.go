package jobs

import (
	"context"
	"database/sql"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/internal/outbox"
	"sollecito/views/email"
)

// finalAct tells what was done at Stripe at the end of a campaign.
func (l *Letters) finalAct(ctx context.Context, tx *sql.Tx, n *outbox.Notice, who billing.Customer, reader *l10n.Locale, token string) (email.Letter, error) {
	f, err := l.Cases.FinalOf(ctx, tx, n.CaseID)
	if err != nil {
		return email.Letter{}, err
	}
	c, err := l.Cases.Find(ctx, tx, n.CaseID)
	if err != nil {
		return email.Letter{}, err
	}
	invoices, err := l.Cases.InvoicesOf(ctx, tx, c)
	if err != nil {
		return email.Letter{}, err
	}
	facts := email.FinalFacts{
		Merchant: l.Merchant, FirstName: who.FirstName(), Act: string(f.Act), On: time.Unix(f.EndedAt, 0).In(l.Cases.Zone(who)), LinkURL: l.Addresses.Link(token),
	}
	for _, i := range invoices {
		if i.Open() || i.WrittenOff() && f.Act == campaign.ActWriteOff {
			facts.Open = append(facts.Open, i.Remaining())
		}
	}
	facts.Open = billing.Totals(facts.Open)
	return email.Final(reader, facts), nil
}

// ended reports whether the case's subscriptions were ended or paused by its final act: paying does not start them
// again, so nobody is told that everything is as before.
func (l *Letters) ended(ctx context.Context, tx *sql.Tx, caseID string) (bool, error) {
	f, err := l.Cases.FinalOf(ctx, tx, caseID)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return f.Status == dunning.FinalDone && f.Act != campaign.ActWriteOff, err
}
