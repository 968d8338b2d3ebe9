package portal_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/dunning"
)

func (h *house) apply(document string) int64 {
	h.t.Helper()
	c, err := campaign.Parse([]byte(document))
	if err != nil {
		h.t.Fatal(err)
	}
	var version int64
	err = h.portal.DB.Do(h.t.Context(), func(tx *sql.Tx) error {
		version, _, err = h.portal.Campaigns.Apply(h.t.Context(), tx, c, "", "test", h.clock.now())
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return version
}

func (h *house) caseOf(customer string) dunning.Case {
	h.t.Helper()
	var c dunning.Case
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		var err error
		c, err = h.portal.Cases.LatestOf(h.t.Context(), tx, customer)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

const twoConsequences = `name: dutch
title: The Dutch
for: {countries: [NL]}
steps:
  - key: hello
    day: 1
    at: "11:00"
    channels: [email]
  - key: only-for-large-sums
    if: {amounts: {eur: {at_least: 1000000}}}
    day: 3
    at: "11:00"
    channels: [email]
  - key: warning
    day: 5
    at: "11:00"
    channels: [email]
    announces: true
  - key: limited
    day: 10
    at: "11:00"
    channels: [email]
    access: restricted
    consequence: true
  - key: last-warning
    words: notice
    day: 15
    at: "11:00"
    channels: [email]
    announces: true
  - key: stopped
    day: 25
    at: "11:00"
    channels: [email]
    access: suspended
    consequence: true
`

// A merchant's own campaign walks as it is written: its segment takes the case, a step whose condition does not hold is
// passed over, each consequence is announced with its own date and told in its own words.
func TestACampaignOfTheMerchantsOwn(t *testing.T) {
	t.Parallel()
	h := open(t)
	if v := h.apply(twoConsequences); v != 1 {
		t.Errorf("applied as version %d", v)
	}
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	other := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	h.fail(other, "insufficient_funds")
	if c := h.caseOf(other); c.Campaign != "consumer-cards" {
		t.Errorf("another country's case walks %s", c.Campaign)
	}
	if c := h.caseOf(customer); c.Campaign != "dutch" || c.CampaignVersion != 1 {
		t.Errorf("the case walks %s %d", c.Campaign, c.CampaignVersion)
	}
	var access []campaign.Access
	for range 45 {
		h.walk(24 * time.Hour)
		a := h.caseOf(customer).Access
		if len(access) == 0 || access[len(access)-1] != a {
			access = append(access, a)
		}
	}
	if len(access) != 3 || access[0] != campaign.Full || access[1] != campaign.Restricted || access[2] != campaign.Suspended {
		t.Errorf("access went %v", access)
	}
	var subjects []string
	for _, m := range h.mailsTo("anneke@waal.example") {
		subjects = append(subjects, m.Subject)
	}
	if len(subjects) != 5 {
		t.Fatalf("mails: %s", strings.Join(subjects, " | "))
	}
	seen := map[string]bool{}
	for _, s := range subjects {
		if seen[s] {
			t.Errorf("two mails have the subject %q", s)
		}
		seen[s] = true
	}
	if c := h.caseOf(customer); c.Status != dunning.Exhausted {
		t.Errorf("after the last step the case is %s", c.Status)
	}
}

// A case keeps the version it began with; the next one begins with the newest.
func TestARunningCaseKeepsItsVersion(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(twoConsequences)
	first := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	second := h.customer("Bram Jansen", "bram@jansen.example", "NL", "pm_card_visa")
	h.fail(first, "insufficient_funds")
	if v := h.apply(strings.Replace(twoConsequences, "day: 1\n", "day: 2\n", 1)); v != 2 {
		t.Errorf("applied as version %d", v)
	}
	h.fail(second, "insufficient_funds")
	if a, b := h.caseOf(first).CampaignVersion, h.caseOf(second).CampaignVersion; a != 1 || b != 2 {
		t.Errorf("versions %d and %d", a, b)
	}
	h.walk(30 * time.Hour)
	if a, b := len(h.mailsTo("anneke@waal.example")), len(h.mailsTo("bram@jansen.example")); a != 1 || b != 0 {
		t.Errorf("after a day %d and %d mails", a, b)
	}
}

// The holdout hears nothing from the campaign and keeps its access; its page and its payment work as ever.
func TestTheHoldoutHearsNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(strings.Replace(twoConsequences, "steps:", "holdout: 50\nsteps:", 1))
	held, told := 0, 0
	for _, email := range []string{"a@one.example", "b@two.example", "c@three.example", "d@four.example", "e@five.example", "f@six.example"} {
		customer := h.customer("Anneke", email, "NL", "pm_card_visa")
		invoice := h.fail(customer, "insufficient_funds")
		h.walk(12 * 24 * time.Hour)
		c := h.caseOf(customer)
		mails := len(h.mailsTo(email))
		switch {
		case c.Holdout:
			held++
			if mails != 0 || c.Access != campaign.Full || c.Status != dunning.Open {
				t.Errorf("held out: %d mails, access %s, %s", mails, c.Access, c.Status)
			}
		default:
			told++
			if mails == 0 {
				t.Error("not held out, and heard nothing")
			}
		}
		err := h.stripe.Pay(invoice, false)
		if err != nil {
			t.Fatal(err)
		}
		h.settle()
		if got := h.caseOf(customer); got.Status != dunning.Recovered || got.Holdout != c.Holdout {
			t.Errorf("paid: %s, held out %v", got.Status, got.Holdout)
		}
		if c.Holdout && len(h.mailsTo(email)) != 0 {
			t.Error("held out, and thanked for what it never heard of")
		}
	}
	if held == 0 || told == 0 {
		t.Errorf("%d held out and %d not: the sandbox's ids, which are the same each time, fell on one side", held, told)
	}
}

// A rehearsal counts what a plan would have said, and changes nothing.
func TestARehearsalOfThePast(t *testing.T) {
	t.Parallel()
	h := open(t)
	paid := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	unpaid := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	invoice := h.fail(paid, "insufficient_funds")
	h.fail(unpaid, "insufficient_funds")
	h.walk(4 * 24 * time.Hour)
	err := h.stripe.Pay(invoice, false)
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	h.walk(20 * 24 * time.Hour)
	before := h.rows()
	written, err := campaign.Parse([]byte(twoConsequences))
	if err != nil {
		t.Fatal(err)
	}
	var now, then dunning.Rehearsal
	err = h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		all, err := h.portal.Campaigns.All(t.Context(), tx)
		if err != nil {
			return err
		}
		now, err = h.portal.Cases.Rehearse(t.Context(), tx, all, monday.Add(-time.Hour), h.clock.now())
		if err != nil {
			return err
		}
		then, err = h.portal.Cases.Rehearse(t.Context(), tx, all.With(written), monday.Add(-time.Hour), h.clock.now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if h.rows() != before {
		t.Error("the rehearsal changed something")
	}
	if now.Cases != 2 || len(now.ByPlan) != 1 || now.ByPlan[0].Messages != 5 || now.ByPlan[0].Said != 5 || now.ByPlan[0].Taken != 1 {
		t.Errorf("as it was: %+v", now)
	}
	if len(then.ByPlan) != 2 || then.ByPlan[0].Campaign != "dutch" || then.ByPlan[0].Messages != 1 || then.ByPlan[1].Messages != 4 {
		t.Errorf("as it would have been: %+v", then)
	}
}
