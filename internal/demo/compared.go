package demo

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"sollecito/internal/campaign"
)

// compared are customers of a campaign that is tried in two ways, one of them told nothing, and one whose charge the
// campaign tries again by itself.
func compared() []player {
	return []player{
		{
			name: "Tessa Wright", email: "tessa@wright.example", locale: "en-GB",
			line1: "9 Stokes Croft", city: "Bristol", postcode: "BS1 3PL", nation: "GB", plan: studioEUR,
			scenario: wayOurs, story: "A campaign in two ways: she reads the shipped words",
			failed: 6*aDay + 3*time.Hour, code: "generic_decline", campaign: "compares",
		},
		{
			name: "Oscar Lindgren", email: "oscar@lindgren.example", locale: "en",
			line1: "Linnégatan 21", city: "Göteborg", postcode: "413 04", nation: "SE", plan: studioEUR,
			scenario: wayShort, story: "A campaign in two ways: he reads the merchant’s own words",
			failed: 6*aDay + 3*time.Hour, code: "generic_decline", campaign: "compares",
		},
		{
			name: "Julia Hartmann", email: "julia@hartmann.example", locale: "en",
			line1: "Bergmannstraße 15", city: "Berlin", postcode: "10961", nation: "DE", plan: studioEUR,
			scenario: heldOut, story: "In the holdout of the same campaign: told nothing, to measure what the letters bring",
			failed: 6*aDay + 3*time.Hour, code: "generic_decline", campaign: "compares",
			turns: []turn{{6*aDay + 4*time.Hour, (*Demo).compare}},
		},
		{
			name: "Ulrike Sommer", email: "ulrike@sommer.example", locale: "de",
			line1: "Karl-Liebknecht-Straße 8", city: "Leipzig", postcode: "04107", nation: "DE", plan: studioEUR,
			scenario: "own_retries", story: "Stripe tries nothing for her invoice; the campaign does, on days of its own",
			failed: 4*aDay + 3*time.Hour, code: "do_not_honor", campaign: "retries",
			turns: []turn{{4*aDay + 170*time.Minute, (*Demo).leaveToUs}},
		},
	}
}

// The scenarios of those who walk twoWays.
const (
	wayOurs  = "way_shipped"
	wayShort = "way_own_words"
	heldOut  = "held_out"
)

const (
	// twoWays gets its name when those it is for are known.
	twoWays = `name: two-ways
title: Two ways of saying it, and a share told nothing
for: {metadata: {sollecito_demo: compares}}
holdout: 30
steps:
  - {key: first, day: 1, at: "10:00", channels: [email, app]}
  - {key: notice, day: 8, at: "10:00", channels: [email, app], access: grace, announces: true}
  - {key: restricted, day: 15, at: "10:00", channels: [email, app], access: restricted, consequence: true}
variants:
  - {name: shipped-words, weight: 50}
  - name: own-words
    weight: 50
    steps:
      first:
        at: "16:00"
        text:
          en:
            subject: "{{plan}}: {{amount}} still open"
            body: |
              Hello {{customer.first_name}}, a quick word: your bank said no to **{{amount}}** for {{plan}}.

              {{button}}

              Thank you, {{merchant}}.
`
	retries = `name: own-retries
title: Our own retries, where Stripe makes none
for: {metadata: {sollecito_demo: retries}}
retries: {days: [1, 3, 5, 7], at: "09:00"}
steps:
  - {key: first, day: 2, at: "11:00", channels: [email, app]}
  - {key: second, day: 10, at: "11:00", channels: [email, app]}
`
)

// compare applies the campaign that is tried in two ways. Who walks which, and who is held out, follows from its name and
// the customers' ids, which are new in each demo; so it gets the first name by which each of the three is in another group.
func (d *Demo) compare(ctx context.Context, _ *part) error {
	c, err := campaign.Parse([]byte(twoWays))
	if err != nil {
		return err
	}
	ids := map[string]string{}
	for _, p := range compared() {
		found, err := d.stripe.call(ctx, http.MethodGet, "/v1/customers", form{"email": p.email})
		if err != nil || len(found.Data) != 1 {
			return fmt.Errorf("find %s (%d found): %w", p.name, len(found.Data), err)
		}
		ids[p.scenario] = found.Data[0].ID
	}
	const most = 100_000
	for n := range most {
		c.Name = fmt.Sprintf("two-ways-%d", n+1)
		if c.HoldsOut(ids[heldOut]) && c.VariantFor(ids[wayOurs]) == "shipped-words" && c.VariantFor(ids[wayShort]) == "own-words" {
			return d.apply(ctx, c)
		}
	}
	return fmt.Errorf("no name of %d puts each of the three into another group", most)
}

// leaveToUs turns Stripe's own tries of the player's invoice off, and lets the bank say yes from tomorrow on: to the try on
// the fifth day.
func (d *Demo) leaveToUs(ctx context.Context, p *part) error {
	_, err := d.stripe.make(ctx, "/v1/invoices/"+p.invoice, form{"auto_advance": "false"})
	if err != nil {
		return fmt.Errorf("leave the invoice of %s to us: %w", p.Name, err)
	}
	return d.sandbox.Relent(p.invoice, d.clock.Now().Add(4*aDay+12*time.Hour))
}
