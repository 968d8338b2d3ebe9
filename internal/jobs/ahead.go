package jobs

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/views/email"
)

// lookAhead looks at a batch of renewals ahead in one transaction, and one by one should that fail. A customer that
// cannot be looked at is put by until there is news of them, and holds up no other. It answers how many it dealt with.
func (s *Schedule) lookAhead(ctx context.Context, now time.Time) int {
	if !s.Cases.LooksAhead() {
		return 0
	}
	var customers []string
	err := s.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		customers, err = s.Cases.Ahead(ctx, tx, now, scheduleBatch)
		return err
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "renewals ahead could not be found", "err", err)
		return 0
	}
	if len(customers) == 0 {
		return 0
	}
	slices.Sort(customers) // as they are held
	err = s.lookAt(ctx, customers, now)
	if err == nil {
		return len(customers)
	}
	if passes(ctx, err) {
		s.Log.WarnContext(ctx, "renewals ahead wait", "err", err)
		return 0
	}
	s.Log.ErrorContext(ctx, "a batch of renewals ahead failed, each is looked at by itself", "err", err)
	done := 0
	for _, id := range customers {
		err = s.lookAt(ctx, []string{id}, now)
		if err != nil && !passes(ctx, err) {
			s.Log.ErrorContext(ctx, "a renewal ahead could not be looked at and is put by", "customer", id, "err", err)
			err = s.DB.Do(ctx, func(tx *sql.Tx) error { return s.Cases.PutBy(ctx, tx, id, now) })
		}
		if err == nil {
			done++
		}
	}
	return done
}

func (s *Schedule) lookAt(ctx context.Context, customers []string, now time.Time) error {
	return s.DB.Do(ctx, func(tx *sql.Tx) error {
		for _, id := range customers {
			err := s.Cases.LookAhead(ctx, tx, id, now)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// precaution writes what is going to fail and how to mend it. Nothing is owed, and it says so.
func (l *Letters) precaution(ctx context.Context, tx *sql.Tx, who billing.Customer, reader *l10n.Locale, token string, now time.Time) (email.Letter, error) {
	p, ok, err := l.Cases.PrecautionOf(ctx, tx, who.ID, now)
	if err != nil {
		return email.Letter{}, err
	}
	if !ok {
		return email.Letter{}, fault.New(fault.NotFound, "Nothing is ahead that needs to be told.")
	}
	facts := email.PrecautionFacts{
		Merchant: l.Merchant, FirstName: who.FirstName(), LinkURL: l.Addresses.Link(token), What: p.Renewal.Description,
		Amount: p.Renewal.Amount, On: time.Unix(p.Renewal.PeriodEnd, 0).In(l.Cases.Zone(who)),
	}
	if p.Trouble == dunning.CardExpires {
		facts.Card = cardOf(p.Card)
		facts.Expired = p.Card.Expired(now.Unix())
	}
	return email.Precaution(reader, facts), nil
}
