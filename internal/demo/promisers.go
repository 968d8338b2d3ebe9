package demo

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
)

// promisers are the customers who chose a day of their own, and one who wants to leave.
func promisers() []player {
	return []player{
		{
			name: "Sofia Marchetti", email: "sofia@marchetti.example", locale: "it",
			line1: "Via Garibaldi 31", city: "Torino", postcode: "10122", nation: "IT", plan: studioEUR,
			scenario: "promised", story: "Chose a day to be charged; until then nobody reminds her",
			failed: 4*aDay + 3*time.Hour, code: "insufficient_funds",
			turns: []turn{{2*aDay + 1*time.Hour, promises(7, true)}},
		},
		{
			name: "Emil Novák", email: "emil@novak.example", locale: "en",
			line1: "Vinohradská 48", city: "Praha", postcode: "120 00", nation: "CZ", plan: studioEUR,
			scenario: "promise_broken", story: "Chose a day to be charged, and the bank declined it; reminders go on",
			failed: 9*aDay + 3*time.Hour, code: "insufficient_funds",
			turns: []turn{{7 * aDay, promises(5, false)}},
		},
		{
			name: "Clara Dubois", email: "clara@dubois.example", locale: "fr",
			line1: "8 quai des Célestins", city: "Lyon", postcode: "69002", nation: "FR", plan: studioEUR,
			scenario: "wants_to_cancel", story: "Asked to end her plan; a person has to see to it",
			failed: 5*aDay + 4*time.Hour, code: "do_not_honor",
			turns: []turn{{1*aDay + 2*time.Hour, (*Demo).wantToCancel}},
		},
	}
}

// promises lets the player choose to be charged so many days later, as from their page. With kept the bank will say
// yes by then.
func promises(days int, kept bool) func(d *Demo, ctx context.Context, p *part) error {
	return func(d *Demo, ctx context.Context, p *part) error {
		var made dunning.Promise
		err := d.portal.DB.Do(ctx, func(tx *sql.Tx) error {
			who, err := billing.FindCustomer(ctx, tx, p.ID)
			if err != nil {
				return err
			}
			c, err := d.portal.Cases.OpenOf(ctx, tx, p.ID)
			if err != nil {
				return err
			}
			i, err := billing.FindInvoice(ctx, tx, p.invoice)
			if err != nil {
				return err
			}
			made, err = d.portal.Cases.Promise(ctx, tx, dunning.Promise{
				CaseID: c.ID, Press: database.NewID("press"), Kind: dunning.PromiseCharge, MethodID: p.card, Actor: "customer",
				Day:      d.clock.Now().In(d.portal.Cases.Zone(who)).AddDate(0, 0, days).Format(time.DateOnly),
				Invoices: []dunning.Promised{{Invoice: i.ID, Amount: i.Remaining()}},
			}, d.clock.Now())
			return err
		})
		if err != nil {
			return fmt.Errorf("%s chooses a day: %w", p.Name, err)
		}
		if !kept {
			return nil
		}
		return d.sandbox.Relent(p.invoice, time.Unix(made.DueAt, 0)) // Stripe's own tries before that still fail
	}
}

// wantToCancel lets the player ask to end their plan, as from their page.
func (d *Demo) wantToCancel(ctx context.Context, p *part) error {
	err := d.portal.Talks.WishToCancel(ctx, p.ID, "I want to cancel my plan.\n\nThe project it was for is over. Thank you for the good years!")
	if err != nil {
		return fmt.Errorf("%s wants to leave: %w", p.Name, err)
	}
	return nil
}
