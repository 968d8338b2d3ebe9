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

func (l *Letters) reminder(ctx context.Context, tx *sql.Tx, n *outbox.Notice, say dunning.Say, who billing.Customer, reader *l10n.Locale, token string, now time.Time) (email.Letter, error) {
	c, in := say.Case, say.In
	zone := in.Zones[0]
	facts := email.ReminderFacts{
		Merchant: l.Merchant, FirstName: who.FirstName(), Step: email.StepSecond, Class: in.Class, LinkURL: l.Addresses.Link(token),
	}
	var next, method = int64(0), ""
	for _, i := range in.Invoices {
		if !i.Open() {
			continue
		}
		facts.Invoices = append(facts.Invoices, invoiceFacts(i, zone))
		if i.NextAttemptAt > now.Unix() && (next == 0 || i.NextAttemptAt < next) {
			next = i.NextAttemptAt
		}
		if method == "" {
			method = i.MethodID
		}
	}
	if len(facts.Invoices) == 0 {
		return email.Letter{}, fault.New(fault.NotFound, "Nothing is owed any more.")
	}
	if next > 0 {
		facts.NextAttempt = time.Unix(next, 0).In(zone)
	}
	used, known := in.Method(method)
	if known {
		facts.Card = cardOf(used)
	}
	if say.Broken {
		var err error
		facts.Broken, err = l.broken(ctx, tx, c, n, zone)
		if err != nil {
			return email.Letter{}, err
		}
	}
	ahead, more := c.NextConsequence(in)
	if more && c.ConsequenceAt > 0 && c.Loses(ahead) && !say.Held {
		facts.Consequence = &email.Consequence{Level: ahead.Takes(), At: time.Unix(c.ConsequenceAt, 0).In(zone)}
	}
	facts.Limited, facts.Suspended = c.Limited(), c.Access == campaign.Suspended
	told := in.Plan.StepOf(n.Step)
	if told >= 0 {
		facts.Step = email.Step(in.Plan.WordsOf(told))
		facts.Own, facts.Name = ownWords(in.Plan.Steps[told].Text, reader), who.Name
		facts.Due = time.Unix(in.Who.Open[0].Since(), 0).In(zone)
	}
	if told >= 0 && in.Plan.Steps[told].Consequence { // it tells of what took place, not of what is ahead
		facts.Consequence = &email.Consequence{Level: string(in.Plan.Steps[told].Access)}
	}
	return email.Reminder(reader, facts), nil
}

func invoiceFacts(i billing.Invoice, zone *time.Location) email.Invoice {
	f := email.Invoice{Number: i.Number, What: i.Description, Remaining: i.Remaining()}
	if i.PeriodStart > 0 && i.PeriodEnd > i.PeriodStart {
		f.From, f.To = time.Unix(i.PeriodStart, 0).In(zone), time.Unix(i.PeriodEnd, 0).In(zone).AddDate(0, 0, -1)
	}
	return f
}
