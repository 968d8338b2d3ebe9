package jobs

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/internal/outbox"
	"sollecito/views/email"
)

func (l *Letters) settled(ctx context.Context, tx *sql.Tx, n *outbox.Notice, who billing.Customer, reader *l10n.Locale, token string, now time.Time) (email.Letter, error) {
	cases, err := l.Cases.ThanksFor(ctx, tx, *n)
	if err != nil {
		return email.Letter{}, err
	}
	c := cases[0]
	var invoices []billing.Invoice
	for _, about := range cases {
		of, err := l.Cases.InvoicesOf(ctx, tx, about)
		if err != nil {
			return email.Letter{}, err
		}
		invoices = append(invoices, of...)
	}
	slices.SortFunc(invoices, billing.ByPayment)
	zone := l.Cases.Zone(who)
	facts := email.SettledFacts{Merchant: l.Merchant, FirstName: who.FirstName(), LinkURL: l.Addresses.Link(token)}
	for _, i := range invoices {
		if !i.Paid() {
			continue
		}
		used, err := card(ctx, tx, who.ID, i.MethodID)
		if err != nil {
			return email.Letter{}, err
		}
		facts.Payments = append(facts.Payments, email.Payment{
			Number: i.Number, What: i.Description, Paid: i.Collected(), PaidOn: time.Unix(i.PaidAt, 0).In(zone), Card: used, ByOthers: i.PaidOutOfBand,
		})
	}
	if len(facts.Payments) == 0 {
		return email.Letter{}, fault.New(fault.NotFound, "Nothing was paid.")
	}
	notices, err := outbox.OfCase(ctx, tx, c.ID)
	if err != nil {
		return email.Letter{}, err
	}
	campaigns, err := l.Cases.Campaigns(ctx, tx)
	if err != nil {
		return email.Letter{}, err
	}
	plan := c.Plan(campaigns)
	facts.Restored, err = l.Cases.BeganLimited(ctx, tx, c)
	if err != nil {
		return email.Letter{}, err
	}
	for _, other := range notices {
		step := plan.StepOf(other.Step)
		facts.Restored = facts.Restored || other.Kind == outbox.Reminder && step >= 0 && plan.Steps[step].Consequence
	}
	ended, err := l.ended(ctx, tx, c.ID)
	if err != nil {
		return email.Letter{}, err
	}
	facts.Restored = facts.Restored && !ended
	subscriptions, err := billing.Subscriptions(ctx, tx, who.ID)
	if err != nil {
		return email.Letter{}, err
	}
	on, amount, ok := billing.NextRenewal(subscriptions, now.Unix())
	if ok {
		facts.NextOn, facts.Next = time.Unix(on, 0).In(zone), amount
	}
	return email.Settled(reader, facts), nil
}

// card answers what a customer recognises a method by; nothing when it is unknown.
func card(ctx context.Context, tx *sql.Tx, customer, id string) (email.Card, error) {
	m, err := billing.FindMethod(ctx, tx, customer, id)
	if fault.Is(err, fault.NotFound) {
		return email.Card{}, nil
	}
	return cardOf(m), err
}

// cardOf is a method as letters name it. A bank account bears its bank's name, and none where that is not known: how it is
// debited (SEPA) says nothing to its holder.
func cardOf(m billing.Method) email.Card {
	account := m.Type != "" && m.Type != "card" && m.Last4 != ""
	if account && m.Brand == "" {
		return email.Card{Last4: m.Last4, Account: true}
	}
	return email.Card{Brand: m.BrandName(), Last4: m.Last4, Account: account}
}
