package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/apikey"
	"sollecito/internal/config"
	"sollecito/internal/database"
	"sollecito/internal/databasetest"
)

// A report names a broken rule by a short word; the package's own comment says what each means.
func TestEveryRuleIsExplained(t *testing.T) {
	explained, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`breach\("([A-Z][0-9]+)"`).FindAllSubmatch(text, -1) {
			named++
			if !strings.Contains(string(explained), "//   - "+string(found[1])+": ") {
				t.Errorf("%s reports %s, which doc.go does not explain", file, found[1])
			}
		}
	}
	if named < 20 {
		t.Errorf("only %d reports were found", named)
	}
}

// short is a life of some months in some seconds: few people, of whom many are in trouble.
func short(seed uint64) play {
	p := play{customers: 40, days: 100, seed: seed, failing: 0.25, good: 0.2, unusual: 4, faults: usual()}
	if databasetest.OnPostgres() {
		p.customers, p.days = 10, 40 // the same rules in the same words
	}
	return p
}

func played(t *testing.T, p play, change ...func(*house)) outcome {
	t.Helper()
	usual := rand.Reader
	t.Cleanup(func() { rand.Reader = usual })
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
	happened := map[string]int{}
	seeds := []uint64{1, 1, 2}
	if databasetest.OnPostgres() {
		seeds = []uint64{9}
	}
	for _, seed := range seeds {
		p := short(seed)
		p.collector = seed == 2
		o := played(t, p)
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
		for what, n := range o.counts {
			happened[what] += n
		}
		t.Logf("seed %d: %d instants, %d statements, %d restarts, %v", seed, o.instants, o.house.flaky.asked, o.house.began-1, o.counts)
	}
	for _, what := range []string{
		"stopped on the page", "stopped by one press", "wants mails again", "chose hours", "reminder of invoices", "reminder of bank-debits",
		"is to be charged", "promises to pay", "takes a promise back", "promise kept", "promise broken", "claims a transfer",
		"removes a card",
	} {
		if happened[what] == 0 && !databasetest.OnPostgres() {
			t.Errorf("nothing was %q: %v", what, happened)
		}
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
		campaign   string
		speaks     string // the mail
		twice      bool
		collector  bool
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
		{name: "claiming a transfer", rule: "I2", at: noon, change: func(c *customer) { c.claimed = noon.Add(time.Hour) }},
		{name: "after the days of a claim", at: noon, change: func(c *customer) { c.claimed = noon }},
		{name: "before the day they set", rule: "B7", at: noon, change: vowing(noon.Add(time.Hour), "open")},
		{name: "on the day they set", at: noon, change: vowing(noon, "open")},
		{name: "before the day they set for what is paid", at: noon, change: vowing(noon.Add(time.Hour), "paid")},
		{name: "on a holiday", rule: "I4", at: time.Date(2026, 12, 25, 11, 0, 0, 0, time.UTC)},
		{name: "on another country's holiday", at: time.Date(2026, 11, 26, 11, 0, 0, 0, time.UTC)},
		{name: "on the sender's holiday, where nobody knows theirs", rule: "I4", at: time.Date(2026, 12, 8, 11, 0, 0, 0, time.UTC), change: func(c *customer) { c.country = "" }},
		{name: "a thanks on a holiday", rule: "I4", at: time.Date(2026, 12, 25, 11, 0, 0, 0, time.UTC), kind: "settled"},
		{name: "in the hours they chose", at: noon, change: func(c *customer) { c.choice.from, c.choice.to = 12, 13 }},
		{name: "before the hours they chose", rule: "I4", at: noon, change: func(c *customer) { c.choice.from, c.choice.to = 13, 18 }},
		{name: "after the hours they chose", rule: "I4", at: noon, change: func(c *customer) { c.choice.from, c.choice.to = 9, 12 }},
		{name: "before they stopped them", at: noon, change: func(c *customer) { c.choice.refused = noon.Add(time.Minute) }},
		{name: "after they stopped them", rule: "I2", at: noon, change: func(c *customer) { c.choice.refused = noon }},
		{name: "a thanks after they stopped reminders", at: noon, kind: "settled", change: func(c *customer) { c.choice.refused = noon.Add(-time.Hour) }},
		{name: "a collector's thanks after they stopped mails", rule: "I2", at: noon, kind: "settled", collector: true, change: func(c *customer) { c.choice.refused = noon.Add(-time.Hour) }},
		{name: "a debit came back", at: noon, change: owing(time.Time{})},
		{name: "a debit that began just now", at: noon, change: owing(noon.Add(-9 * time.Minute))},
		{name: "a debit under way", rule: "I2", at: noon, change: owing(noon.Add(-11 * time.Minute))},
		{name: "an invoice by its campaign", at: noon, campaign: "invoices", change: func(c *customer) { c.way = byTransfer }},
		{name: "an invoice by another campaign", rule: "B1", at: noon, campaign: "consumer-cards", change: func(c *customer) { c.way = byTransfer }},
		{name: "a debit by another campaign", rule: "B1", at: noon, campaign: "consumer-cards", change: func(c *customer) { c.way = byDebit }},
		{name: "in their language", at: noon, speaks: "nl"},
		{name: "in a language they just left", at: noon, speaks: "pl", change: func(c *customer) { c.spoke = noon.Add(-9 * time.Minute) }},
		{name: "in a language they left before it", rule: "C13", at: noon, speaks: "pl", change: func(c *customer) { c.spoke = noon.Add(-11 * time.Minute) }},
		{name: "an answer in a language they left lately", at: noon, kind: "reply", speaks: "pl", change: func(c *customer) { c.spoke = noon.Add(-5 * time.Hour) }},
		{name: "an answer in a language they left long ago", rule: "C13", at: noon, kind: "reply", speaks: "pl", change: func(c *customer) { c.spoke = noon.Add(-7 * time.Hour) }},
		{name: "in another language", rule: "C13", at: noon, speaks: "pl"},
		{name: "said twice", rule: "I3", at: noon, twice: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			amsterdam, err := time.LoadLocation("Europe/Amsterdam")
			if err != nil {
				t.Fatal(err)
			}
			w := &world{play: play{collector: c.collector}}
			who := &customer{id: "cus_1", country: "NL", locale: "nl-NL", zones: []*time.Location{amsterdam}}
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
			if c.speaks == "" {
				c.speaks = "nl"
			}
			j.mail(who, letter{at: c.at, id: "n1", speaks: c.speaks}, told{kind: c.kind, kase: "case_1", step: "first", campaign: c.campaign})
			if c.twice {
				j.mail(who, letter{at: c.at.Add(24 * time.Hour), id: "n2", speaks: c.speaks}, told{kind: c.kind, kase: "case_1", step: "first"})
			}
			rules := strings.Join(j.broken, "")
			if (c.rule == "") != (rules == "") || !strings.HasPrefix(rules, c.rule) {
				t.Errorf("want %q broken, got %q", c.rule, rules)
			}
		})
	}
}

// owing is a customer with an overdue invoice whose debit is under way since then.
func owing(under time.Time) func(*customer) {
	return func(c *customer) {
		c.open = []*invoice{{id: "in_1", of: c, status: "open", overdue: true, under: under, card: &card{debit: true}}}
	}
}

// vowing is a customer who set a day for an invoice.
func vowing(due time.Time, status string) func(*customer) {
	return func(c *customer) { c.vow = &vow{charge: true, due: due, invoices: []*invoice{{status: status}}} }
}

// A charge that nobody wanted now, or with a card that is not for it, is found; the same charge at its time is not.
func TestTheJudgeKnowsARightChargeFromAWrongOne(t *testing.T) {
	now := time.Date(2026, 11, 4, 11, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, rule string
		change     func(c *customer, i *invoice, by *card)
	}{
		{name: "the card on file"},
		{name: "a card that was taken off", rule: "I1", change: func(_ *customer, _ *invoice, by *card) { by.detached, by.gone = true, now.Add(-11*time.Minute) }},
		{name: "a card that is being taken off", change: func(_ *customer, _ *invoice, by *card) { by.detached, by.gone = true, now.Add(-9*time.Minute) }},
		{name: "a guest's card for theirs", change: func(_ *customer, i *invoice, by *card) { by.guest, by.pays = true, i }},
		{name: "a guest's card for another", rule: "C8", change: func(_ *customer, _ *invoice, by *card) { by.guest, by.pays = true, &invoice{} }},
		{name: "before the day they set", rule: "B7", change: func(c *customer, i *invoice, _ *card) {
			i.status, c.vow = "open", &vow{charge: true, due: now.Add(time.Hour), invoices: []*invoice{i}}
		}},
		{name: "before the day, by their own press", change: func(c *customer, i *invoice, _ *card) {
			i.status, c.settled, c.vow = "open", now.Add(-time.Hour), &vow{charge: true, due: now.Add(time.Hour), invoices: []*invoice{i}}
		}},
		{name: "on the day they set", change: func(c *customer, i *invoice, _ *card) {
			i.status, c.vow = "open", &vow{charge: true, due: now, invoices: []*invoice{i}}
		}},
		{name: "another invoice before the day", change: func(c *customer, i *invoice, _ *card) {
			i.status, c.vow = "open", &vow{charge: true, due: now.Add(time.Hour), invoices: []*invoice{{status: "open"}}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{at: now}
			h := &house{w: w, judge: newJudge(w, promised)}
			who, by := &customer{id: "cus_1"}, &card{id: "pm_1"}
			i := &invoice{id: "in_1", of: who}
			if c.change != nil {
				c.change(who, i, by)
			}
			h.ordered(i, by)
			found := strings.Join(h.judge.broken, "")
			if (c.rule == "") != (found == "") || !strings.HasPrefix(found, c.rule) {
				t.Errorf("want %q broken, got %q", c.rule, found)
			}
		})
	}
}

// A portal that passes over what its customers want, their holidays or their banks, is found out by the lives it leads.
func TestTheJudgeFindsAPortalThatStrays(t *testing.T) {
	if databasetest.OnPostgres() {
		t.Skip("of the judge, not of the database")
	}
	for _, c := range []struct {
		name, found string
		change      func(*house)
	}{
		{"holidays", "a holiday where they are", func(h *house) { h.settle = func(c *config.Config) { c.Holidays = "off" } }},
		{"hours", "and theirs are", func(h *house) { h.settle = func(c *config.Config) { c.ContactHours = "8-19" } }},
		{"choices", "they asked for none", func(h *house) { h.daily(`DELETE FROM contact_choices`) }},
		{"debits", "a debit of", func(h *house) { h.w.stripe.mute = true }},
		{"campaigns", "instead of invoices", func(h *house) { h.daily(`UPDATE campaign_order SET position = -1 WHERE name = 'consumer-cards'`) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := play{customers: 25, days: 60, seed: 7, failing: 0.5, good: 0.2, unusual: 4}
			o := played(t, p, c.change)
			if !strings.Contains(strings.Join(o.broken, ""), c.found) {
				t.Errorf("nothing was found of %q among %d breaches", c.found, len(o.broken))
			}
		})
	}
}

// Whatever the portal asked in months was found by an index: a statement that goes through a whole table takes longer
// each year. SQLite tells; PostgreSQL chooses by how much there is.
func TestNoStatementGoesThroughAWholeTable(t *testing.T) {
	if databasetest.OnPostgres() {
		t.Skip("of SQLite's plans")
	}
	p := short(4)
	p.customers, p.days = 20, 60
	small := []string{"campaigns", "campaign_order", "rereads", "goose_db_version", "api_keys", "webhook_endpoints", "audit"} // of audit the last row
	gone := "k.erased_at > 0 OR k.deleted"                                                                                    // once in a program's life: of the ended cases those of who is gone
	once := "SET lease_until = 0"                                                                                             // when the program starts
	here := "USING INDEX guest_cards_here"                                                                                    // which holds those of the last hour alone
	page := regexp.MustCompile(`FROM cases\s+ORDER BY id DESC LIMIT`)                                                         // which goes along the ids no further than a page
	scan := regexp.MustCompile(`^SCAN ([a-z_]+)`)
	looked := 0
	played(t, p, func(h *house) {
		h.spoil = func(ctx context.Context) error {
			h.asksAPI(t)
			return h.asked(ctx, func(tx *sql.Tx) error {
				tables, err := database.Strings(ctx, tx, `SELECT name FROM sqlite_master WHERE type = 'table'`)
				if err != nil {
					return err
				}
				for query := range h.flaky.tables.known {
					if strings.HasSuffix(strings.TrimSpace(query), ";") {
						continue // of a migration
					}
					steps, err := plan(tx, query)
					if err != nil {
						continue // it is none that has a plan
					}
					looked++
					for _, step := range steps {
						m := scan.FindStringSubmatch(step)
						if m != nil && slices.Contains(tables, m[1]) && !slices.Contains(small, m[1]) && !strings.Contains(query, once) && !page.MatchString(query) && !strings.HasSuffix(step, here) {
							t.Errorf("%s\n%s", step, query)
						}
						if strings.HasSuffix(step, "INDEX cases_status (status=?)") && !strings.Contains(query, "ORDER BY id") && !strings.Contains(query, aCase) && !strings.Contains(query, gone) {
							t.Errorf("all open cases are gone through: %s\n%s", step, query)
						}
					}
				}
				return nil
			})
		}
	})
	if looked < 100 {
		t.Errorf("only %d statements have plans", looked)
	}
}

// aCase is how asksAPI finds one that is to lose something.
const aCase = `ORDER BY consequence_at DESC LIMIT 1`

// asksAPI asks everything that the merchant's programs may, of a customer with an open case and past it, in every way in
// which a list can be narrowed.
func (h *house) asksAPI(t *testing.T) {
	keys := apikey.NewKeys(time.Now)
	var secret, id, customer string
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) (err error) {
		_, secret, err = keys.Make(t.Context(), tx, "Web app", "staff_1")
		if err != nil {
			return err
		}
		return tx.QueryRow(`SELECT id, customer_id FROM cases WHERE status = 'open' `+aCase).Scan(&id, &customer)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"customers/" + customer + "/access", "customers/" + customer, "cases/" + id, "cases", "cases?after=" + id,
		"cases?status=open", "cases?status=recovered&after=" + id, "cases?customer=" + customer, "cases?customer=" + customer + "&after=" + id,
		"cases?status=open&customer=" + customer, "cases?status=open&customer=" + customer + "&after=" + id,
	} {
		r := httptest.NewRequest("GET", "/api/v1/"+path, nil)
		r.Header.Set("Authorization", "Bearer "+secret)
		w := httptest.NewRecorder()
		h.portal.Web.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// plan is how SQLite would go about a statement.
func plan(tx *sql.Tx, query string) ([]string, error) {
	var args []any
	for strings.Contains(query, fmt.Sprintf("$%d", len(args)+1)) {
		args = append(args, 1)
	}
	rows, err := tx.Query("EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		err = rows.Scan(&id, &parent, &unused, &step)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, rows.Err()
}

// daily lets somebody change the portal's tables each day.
func (h *house) daily(statement string) {
	h.w.when(h.w.at, func() {
		_ = h.portal.DB.Do(context.Background(), func(tx *sql.Tx) error {
			_, err := tx.Exec(statement)
			return err
		})
		h.w.at = h.w.at.Add(24 * time.Hour)
		h.daily(statement)
		h.w.at = h.w.at.Add(-24 * time.Hour)
	})
}

// What is held against the truth at the end finds each thing that was spoiled before.
func TestTheJudgeFindsWhatWasSpoiled(t *testing.T) {
	p := play{customers: 12, days: 40, seed: 5, failing: 0.6, unusual: 1}
	o := played(t, p, func(h *house) {
		h.spoil = func(ctx context.Context) error {
			i := h.w.anyOpen()
			i.orders += 9                    // I1
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
					`DELETE FROM webhook_deliveries WHERE id = (SELECT min(id) FROM webhook_deliveries WHERE status = 'pending')`, // B9
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
	for _, rule := range []string{"I1:", "I1: attempts", "I6:", "I7:", "I9:", "I10:", "I11:", "I12:", "B9:"} {
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
