package demo

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
)

// endings are customers whose payment stays away, at each point of what follows, and some whom reminders leave alone.
func endings() []player {
	return []player{
		{
			name: "نادية الفاسي", email: "nadia@elfassi.example", locale: "ar",
			line1: "Rue Tahar Sebti 14", city: "Casablanca", postcode: "20250", nation: "MA", plan: studioEUR,
			scenario: "grace", story: "Reads Arabic; was told from when access is limited",
			failed: 12*aDay + 3*time.Hour, code: "generic_decline",
		},
		{
			name: "Piotr Zieliński", email: "piotr@zielinski.example", locale: "pl",
			line1: "ul. Mokotowska 46", city: "Warszawa", postcode: "00-543", nation: "PL", plan: teamEUR,
			scenario: "restricted", story: "Two weeks without paying: access is limited",
			failed: 19*aDay + 3*time.Hour, code: "insufficient_funds",
		},
		{
			name: "Rafaela Monteiro", email: "rafaela@monteiro.example", locale: "pt-BR",
			line1: "Rua Augusta 1508", city: "São Paulo", postcode: "01304-001", nation: "BR", plan: studioUSD,
			scenario: "suspended", story: "A campaign that suspends: no access until the payment",
			failed: 15*aDay + 3*time.Hour, code: "insufficient_funds", campaign: "suspends",
		},
		{
			name: "Henrik Sørensen", email: "henrik@sorensen.example", locale: "en",
			line1: "Istedgade 30", city: "København", postcode: "1650", nation: "DK", plan: studioEUR,
			scenario: "ends_soon", story: "A campaign that ends: was told from when the plan may be ended",
			failed: 7*aDay + 3*time.Hour, code: "insufficient_funds", campaign: "ends",
		},
		{
			name: "Maarten Claes", email: "maarten@claes.example", locale: "nl-BE",
			line1: "Korenmarkt 5", city: "Gent", postcode: "9000", nation: "BE", plan: studioEUR,
			scenario: "ended", story: "A campaign that ends: a manager said yes, and the plan was ended",
			failed: 17*aDay + 3*time.Hour, code: "insufficient_funds", campaign: "ends",
			turns: []turn{{2*aDay + 1*time.Hour, (*Demo).decideToEnd}},
		},
		{
			name: "Sinéad Byrne", email: "sinead@byrne.example", locale: "en",
			line1: "18 Capel Street", city: "Dublin", postcode: "D01 FC86", nation: "IE", plan: studioEUR,
			scenario: "paused", story: "Paused by staff, who spoke with her",
			failed: 5*aDay + 3*time.Hour, code: "do_not_honor",
			turns: []turn{{1*aDay + 1*time.Hour, (*Demo).pauseByStaff}},
		},
		{
			name: "Giorgos Papadakis", email: "giorgos@papadakis.example", locale: "en",
			line1: "Adrianou 88", city: "Athina", postcode: "105 56", nation: "GR", plan: teamEUR,
			scenario: "claimed", story: "Says that a transfer is on its way; reminders rest some days",
			failed: 4*aDay + 3*time.Hour, code: "do_not_honor",
			turns: []turn{{1*aDay + 2*time.Hour, (*Demo).claimTransfer}},
		},
		{
			name: "Ana Kovač", email: "ana@kovac.example", locale: "en",
			line1: "Trubarjeva cesta 9", city: "Ljubljana", postcode: "1000", nation: "SI", plan: studioEUR,
			scenario: "opted_out", story: "Wants no reminders, on no channel",
			failed: 7*aDay + 2*time.Hour, code: "do_not_honor",
			turns: []turn{{1*aDay + 2*time.Hour, (*Demo).optOut}},
		},
		{
			name: longName, email: "maximiliane-theodora.von-hohenlohe-waldenburg-schillingsfuerst@a-very-long-name-for-a-company.example", locale: "de",
			line1: "Donaudampfschifffahrtsgesellschaftsstraße 118 <script>", city: "Wien", postcode: "1020", nation: "AT", plan: teamEUR,
			scenario: "long_names", story: "Has long names, and markup in them",
			failed: 3*aDay + 2*time.Hour, code: "insufficient_funds",
			extras: []extra{{`Unternehmensbewertungsdienstleistungsvertragsverlängerung <img src=x onerror="alert(1)"> & {{.Amount}} **fett**`, "eur", 123456789, 2*aDay + 5*time.Hour}},
		},
	}
}

// longName is as long as names become, with what would be markup if it were not a name.
const longName = `Maximiliane-Theodora von Hohenlohe-Waldenburg-Schillingsfürst <b>"&'`

// The campaigns of those whose payment stays away, as a merchant would apply them. Both go further than the shipped ones.
const (
	suspends = `name: suspends
title: Suspends at once
for: {metadata: {sollecito_demo: suspends}}
steps:
  - {key: first, day: 1, at: "10:00", channels: [email, app]}
  - {key: notice, day: 4, at: "10:00", channels: [email, app], access: grace, announces: true}
  - {key: suspended, words: restricted, day: 10, at: "10:00", channels: [email, app], access: suspended, consequence: true}
`
	ends = `name: ends
title: Ends the plan
for: {metadata: {sollecito_demo: ends}}
steps:
  - {key: first, day: 1, at: "10:00", channels: [email, app]}
  - {key: notice, day: 3, at: "10:00", channels: [email, app], access: grace, announces: true}
  - {key: ended, day: 10, at: "10:00", act: cancel, access: suspended, consequence: true}
`
)

// plan applies the campaigns that are known from the beginning.
func (d *Demo) plan(ctx context.Context) error {
	for _, document := range []string{suspends, ends, retries} {
		c, err := campaign.Parse([]byte(document))
		if err != nil {
			return err
		}
		err = d.apply(ctx, c)
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Demo) apply(ctx context.Context, c campaign.Campaign) error {
	err := d.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		_, _, err := d.portal.Campaigns.Apply(ctx, tx, c, "", staffName, d.clock.Now())
		return err
	})
	if err != nil {
		return fmt.Errorf("plan %s: %w", c.Name, err)
	}
	return nil
}

// within runs something on the player's open case.
func (d *Demo) within(ctx context.Context, p *part, do func(tx *sql.Tx, c dunning.Case, now time.Time) error) error {
	return d.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		c, err := d.portal.Cases.OpenOf(ctx, tx, p.ID)
		if err != nil {
			return fmt.Errorf("the case of %s: %w", p.Name, err)
		}
		return do(tx, c, d.clock.Now())
	})
}

// decideToEnd lets a manager say yes to what the campaign proposes in the end.
func (d *Demo) decideToEnd(ctx context.Context, p *part) error {
	return d.within(ctx, p, func(tx *sql.Tx, c dunning.Case, now time.Time) error {
		effect, err := d.portal.Cases.EffectOf(ctx, tx, c, campaign.ActCancel)
		if err != nil {
			return err
		}
		_, err = d.portal.Cases.OrderFinal(ctx, tx, c.ID, effect.Objects(), staffName, now)
		return err
	})
}

// pauseByStaff lets staff set the player's reminders aside.
func (d *Demo) pauseByStaff(ctx context.Context, p *part) error {
	return d.within(ctx, p, func(tx *sql.Tx, c dunning.Case, now time.Time) error {
		return d.portal.Cases.Pause(ctx, tx, c.ID, dunning.PauseStaff, "Spoke on the phone; she looks into it with her bank.", staffName, time.Time{}, now)
	})
}

// claimTransfer lets the player say that a transfer is on its way, as from their page.
func (d *Demo) claimTransfer(ctx context.Context, p *part) error {
	err := d.portal.Talks.Claim(ctx, p.ID, "I have paid by transfer.\n\nSent from our account at Piraeus Bank yesterday.", d.options.Real())
	if err != nil {
		return fmt.Errorf("%s says that a transfer is on its way: %w", p.Name, err)
	}
	return nil
}

// optOut lets the player refuse reminders, as from their page.
func (d *Demo) optOut(ctx context.Context, p *part) error {
	return d.portal.DB.Do(ctx, func(tx *sql.Tx) error {
		_, err := d.portal.Cases.Choose(ctx, tx, p.ID, func(c contact.Choices) contact.Choices {
			c.NoMail, c.NoApp, c.Source, c.Words = true, true, contact.FromPage, "No reminders, neither by mail nor in the app."
			return c
		}, d.clock.Now())
		return err
	})
}
