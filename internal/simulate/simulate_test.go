package main

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"testing"
	"time"

	"sollecito/internal/databasetest"
)

// short is a life of some months in some seconds: few people, of whom many are in trouble.
func short(seed uint64) play {
	p := play{customers: 40, days: 100, seed: seed, failing: 0.25, good: 0.2, faults: usual()}
	if databasetest.OnPostgres() {
		p.customers, p.days = 10, 40 // the same rules in the same words
	}
	return p
}

func played(t *testing.T, p play, change ...func(*house)) outcome {
	t.Helper()
	seedIDs(p.seed)
	o, err := simulate(t.Context(), p, promised, databasetest.URL(t), change...)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Months pass in which renewals fail, customers pay in every way, write, cancel and dispute, and Stripe, the mail server,
// the database and the program itself have bad days. No rule breaks, and the same seed tells the same story.
func TestMonthsOfLivesBreakNoRule(t *testing.T) {
	var hashes []uint64
	seeds := []uint64{1, 1, 2}
	if databasetest.OnPostgres() {
		seeds = []uint64{3}
	}
	for _, seed := range seeds {
		o := played(t, short(seed))
		hashes = append(hashes, o.hash)
		for _, b := range o.broken {
			t.Error(b)
		}
		for _, e := range o.house.log.errors {
			t.Errorf("seed %d: the log says %s", seed, e)
		}
		if o.counts["reminder"] < 5 || o.counts["settled"] == 0 || o.house.began < 2 {
			t.Errorf("seed %d: too little happened to judge anything: %v", seed, o.counts)
		}
		t.Logf("seed %d: %d instants, %d statements, %d restarts, %v", seed, o.instants, o.house.flaky.asked, o.house.began-1, o.counts)
	}
	if len(hashes) > 1 && (hashes[0] != hashes[1] || hashes[0] == hashes[2]) {
		t.Errorf("the same seed must tell the same story, another one another: %x", hashes)
	}
}

// Every rule of contact finds what breaks it, and nothing where it is kept.
func TestTheJudgeKnowsARightMailFromAWrongOne(t *testing.T) {
	noon := time.Date(2026, 11, 4, 11, 0, 0, 0, time.UTC) // Wednesday in Amsterdam
	type case_ struct {
		name, rule string
		earlier    []time.Time
		change     func(*customer)
		at         time.Time
		kind       string
		twice      bool
	}
	for _, c := range []case_{
		{name: "at noon", at: noon},
		{name: "at night", rule: "I4", at: noon.Add(12 * time.Hour)},
		{name: "on Saturday", rule: "I4", at: noon.Add(3 * 24 * time.Hour)},
		{name: "a minute before nine", rule: "I4", at: time.Date(2026, 11, 4, 7, 59, 0, 0, time.UTC)},
		{name: "at six", rule: "I4", at: time.Date(2026, 11, 4, 17, 0, 0, 0, time.UTC)},
		{name: "a thanks at night", rule: "I4", at: noon.Add(12 * time.Hour), kind: "settled"},
		{name: "a receipt at night", at: noon.Add(12 * time.Hour), kind: "settled", change: func(c *customer) { c.settled = noon.Add(11 * time.Hour) }},
		{name: "an answer at night", at: noon.Add(12 * time.Hour), kind: "reply"},
		{name: "in one of two zones", rule: "I4", at: noon, change: func(c *customer) { c.zones = append(c.zones, time.FixedZone("far", -10*3600)) }},
		{name: "a day after", at: noon, earlier: []time.Time{noon.Add(-24 * time.Hour)}},
		{name: "too soon after", rule: "I5", at: noon, earlier: []time.Time{noon.Add(-23 * time.Hour)}},
		{name: "the fourth in a week", rule: "I5", at: noon, earlier: []time.Time{noon.Add(-6 * 24 * time.Hour), noon.Add(-5 * 24 * time.Hour), noon.Add(-2 * 24 * time.Hour)}},
		{name: "just paid", at: noon, change: func(c *customer) { c.clearSince = noon.Add(-9 * time.Minute) }},
		{name: "paid", rule: "I2", at: noon, change: func(c *customer) { c.clearSince = noon.Add(-11 * time.Minute) }},
		{name: "unanswered", rule: "I2", at: noon, change: func(c *customer) { c.wrote = noon.Add(-time.Hour) }},
		{name: "resting", rule: "I2", at: noon, change: func(c *customer) { c.resting = noon.Add(time.Hour) }},
		{name: "disputed", rule: "I2", at: noon, change: func(c *customer) { c.disputed = noon.Add(-24 * time.Hour) }},
		{name: "said twice", rule: "I3", at: noon, twice: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			amsterdam, err := time.LoadLocation("Europe/Amsterdam")
			if err != nil {
				t.Fatal(err)
			}
			w := &world{}
			who := &customer{id: "cus_1", zones: []*time.Location{amsterdam}}
			for _, at := range c.earlier {
				who.reminders = append(who.reminders, heard{at: at})
			}
			if c.change != nil {
				c.change(who)
			}
			j := newJudge(w, promised)
			if c.kind == "" {
				c.kind = "reminder"
			}
			j.mail(who, letter{at: c.at, id: "n1"}, told{kind: c.kind, kase: "case_1", step: "first"})
			if c.twice {
				j.mail(who, letter{at: c.at.Add(24 * time.Hour), id: "n2"}, told{kind: c.kind, kase: "case_1", step: "first"})
			}
			rules := strings.Join(j.broken, "")
			if (c.rule == "") != (rules == "") || !strings.HasPrefix(rules, c.rule) {
				t.Errorf("want %q broken, got %q", c.rule, rules)
			}
		})
	}
}

// What is held against the truth at the end finds each thing that was spoiled before.
func TestTheJudgeFindsWhatWasSpoiled(t *testing.T) {
	p := play{customers: 12, days: 40, seed: 5, failing: 0.6}
	o := played(t, p, func(h *house) {
		h.spoil = func(ctx context.Context) error {
			i := h.w.anyOpen()
			i.orders += 2                    // I1
			h.w.stripe.events[0].kept = true // I6, once it is gone
			h.w.void(i)                      // I7: nobody hears of it in time
			slog.New(h.log).Warn("spoiled", "key", stripeKey)
			by := i.card
			for n := range 11 {
				by.tries = append(by.tries, h.w.at.Add(time.Duration(n)*time.Hour))
			}
			return h.portal.DB.Do(ctx, func(tx *sql.Tx) error {
				for _, statement := range []string{
					`DELETE FROM events WHERE id = '` + h.w.stripe.events[0].id + `'`,
					`UPDATE cases SET next_step_at = NULL, resting_since = 0 WHERE status = 'open'`,
					`INSERT INTO attempts (id, press, customer_id, invoice_id, method_id, kind, status, amount, currency, code, decline_code, reference, started_at, ended_at)
						VALUES ('attempt_x', 'press_x', '` + i.of.id + `', '` + i.id + `', '', 'charge', 'started', 1, 'eur', '', '', '', 1, 0)`,
					`INSERT INTO audit (seq, at, actor, role, action, object, detail, ip, request, hash)
						VALUES (1000000, 1, 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x')`,
				} {
					_, err := tx.ExecContext(ctx, statement)
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
	})
	for _, rule := range []string{"I1:", "I1: attempts", "I6:", "I7:", "I9:", "I10:", "I11:", "I12:"} {
		found := false
		for _, b := range o.broken {
			found = found || strings.HasPrefix(b, rule)
		}
		if !found {
			t.Errorf("%s was spoiled and not found: %v", rule, o.broken)
		}
	}
}

// anyOpen answers an unpaid invoice.
func (w *world) anyOpen() *invoice {
	for _, c := range w.customers {
		if len(c.open) > 0 {
			return c.open[0]
		}
	}
	return nil
}
