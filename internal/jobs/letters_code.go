package jobs

import (
	"context"
	"database/sql"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/internal/outbox"
	"sollecito/internal/stepup"
	"sollecito/views/email"
)

// code writes the letter with a code, which is made now, and answers the code beside it.
func (l *Letters) code(ctx context.Context, tx *sql.Tx, n *outbox.Notice, who billing.Customer, reader *l10n.Locale) (email.Letter, string, error) {
	digits, need, err := l.Codes.Write(ctx, tx, n.SubjectID)
	if err != nil {
		return email.Letter{}, "", err
	}
	facts := email.CodeFacts{Merchant: l.Merchant, FirstName: who.FirstName(), Code: digits, Minutes: int(stepup.Life / time.Minute)}
	if need.Purpose == stepup.RemoveMethod {
		facts.Card, err = card(ctx, tx, who.ID, need.Subject)
	}
	return email.Code(reader, facts), digits, err
}

// methodGone tells the customer what was taken off at their wish, and what is charged from now on.
func (l *Letters) methodGone(ctx context.Context, tx *sql.Tx, n *outbox.Notice, who billing.Customer, reader *l10n.Locale, token string) (email.Letter, error) {
	r, found, err := billing.FindRemoval(ctx, tx, n.SubjectID)
	if err != nil {
		return email.Letter{}, err
	}
	if !found || r.Status != billing.RemovalDone {
		return email.Letter{}, fault.New(fault.NotFound, "Nothing was taken off.")
	}
	facts := email.MethodGoneFacts{
		Merchant: l.Merchant, FirstName: who.FirstName(), On: time.Unix(r.EndedAt, 0).In(l.Cases.Zone(who)), LinkURL: l.Addresses.Link(token),
	}
	facts.Card, err = card(ctx, tx, who.ID, r.MethodID)
	if err != nil {
		return email.Letter{}, err
	}
	facts.Successor, err = card(ctx, tx, who.ID, r.Successor)
	return email.MethodGone(reader, facts), err
}

// How far back, and how many at most, a letter lists what was mailed.
const (
	genuineSince = 30 * 24 * time.Hour
	genuineMost  = 12
)

// genuine lists what was mailed lately.
func (l *Letters) genuine(ctx context.Context, tx *sql.Tx, who billing.Customer, reader *l10n.Locale, now time.Time) (email.Letter, error) {
	mailed, err := outbox.MailedSince(ctx, tx, who.ID, now.Add(-genuineSince).Unix(), genuineMost)
	if err != nil {
		return email.Letter{}, err
	}
	facts := email.GenuineFacts{Merchant: l.Merchant, FirstName: who.FirstName()}
	for _, n := range mailed {
		facts.Mails = append(facts.Mails, email.Mailed{At: time.Unix(n.Dated, 0).In(l.Cases.Zone(who)), Subject: n.Subject})
	}
	return email.Genuine(reader, facts), nil
}
