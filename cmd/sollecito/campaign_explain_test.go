package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/dunning"
	"sollecito/internal/l10n"
	"sollecito/internal/outbox"
)

// What waits for a person is not told with a time, as if it came by itself: an act that was proposed, a consequence that
// nobody surely heard of, and whatever comes after them.
func TestExplainSaysWhatWaitsForAPerson(t *testing.T) {
	t.Parallel()
	catalog, err := l10n.Load()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	looked := now.Add(24 * time.Hour).Unix()
	c := dunning.Case{ID: "case_1", Status: dunning.Open, OpenedAt: now.AddDate(0, 0, -20).Unix(), NextStepAt: looked}
	plan := campaign.Campaign{Name: "small", Steps: []campaign.Step{
		{Key: "limit", Day: 14, Access: campaign.Restricted, Consequence: true}, {Key: "last", Day: 30, Channels: []outbox.Channel{outbox.Email}},
	}}
	in := dunning.Situation{Now: now, Plan: plan, Zones: []*time.Location{time.UTC}, Class: billing.ClassMoney, Policy: contact.Policy{To: 24, Days: [7]bool{true, true, true, true, true, true, true}}}
	show := func(plan campaign.Campaign, proposed bool) string {
		in.Plan = plan
		text := ""
		for _, line := range (caseRecord{c: c, in: in, proposed: proposed}).ahead(catalog.Locale("en")) {
			text += fmt.Sprintln(line.what, line.at-looked, line.why)
		}
		return text
	}
	waits := fmt.Sprintln("limit", -looked, "Not by itself: a person decides first.") + fmt.Sprintln("last", -looked, "Not by itself: a person decides first.")
	got := show(plan, false)
	if got != waits {
		t.Errorf("a consequence that nobody surely heard of:\n%s", got)
	}
	plan.Steps[0].Consequence = false
	acts := campaign.Campaign{Name: "ends", Steps: []campaign.Step{{Key: "end", Day: 30, Act: campaign.ActCancel}}}
	got = show(acts, false)
	if !strings.Contains(got, "It is proposed then, and a manager decides; nothing happens by itself.") {
		t.Errorf("an act that a manager will have to decide about:\n%s", got)
	}
	in.ActsAlone = true
	got = show(acts, false)
	if strings.Contains(got, "manager") {
		t.Errorf("an act that needs nobody:\n%s", got)
	}
	c.Access = campaign.Restricted
	got = show(campaign.Campaign{Name: "again", Steps: []campaign.Step{
		{Key: "warning", Day: 25, Channels: []outbox.Channel{outbox.Email}, Announces: true}, {Key: "limit", Day: 30, Access: campaign.Restricted, Consequence: true},
	}}, false)
	if !strings.Contains(got, "What it takes away is taken already.") {
		t.Errorf("a limit that is theirs already:\n%s", got)
	}
	c.Access = ""
	got = show(plan, true)
	if got != waits {
		t.Errorf("a final act that was proposed:\n%s", got)
	}
	got = show(plan, false)
	if got[:len("limit 0 If nothing")] != "limit 0 If nothing" {
		t.Errorf("a step that comes when the schedule looks at it next:\n%s", got)
	}
}

// While all sending is stopped no step has an hour: it says what it waits for.
func TestExplainSaysThatSendingIsStopped(t *testing.T) {
	t.Parallel()
	address := databasetest.Migrated(t)
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Now()
	cases := dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Shipped()), Policy: contact.DefaultPolicy(), Zone: time.UTC})
	explained := func(work func(tx *sql.Tx) error) string {
		err := db.Do(t.Context(), work)
		if err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"campaign", "explain", "cus_1"}, func(name string) (string, bool) { return address, name == "SOLLECITO_DATABASE_URL" }, nil, &out, &errs)
		if code != 0 {
			t.Fatalf("it ended with %d: %s", code, errs.String())
		}
		return out.String()
	}
	hours := func(text string) (ahead, dated int) {
		for line := range strings.Lines(text) {
			if before, _, is := strings.Cut(line, "ahead: "); is {
				ahead++
				if strings.TrimSpace(before) != "" {
					dated++
				}
			}
		}
		return ahead, dated
	}
	goes := explained(func(tx *sql.Tx) error {
		err := campaign.Install(t.Context(), tx, campaign.Shipped(), now)
		if err != nil {
			return err
		}
		err = billing.Save(t.Context(), tx, billing.Account{
			Customer: billing.Customer{ID: "cus_1", Email: "chiara@bellini.example"},
			Invoices: []billing.Invoice{{
				ID: "in_1", CustomerID: "cus_1", Status: "open", CollectionMethod: "charge_automatically", BillingReason: "subscription_cycle", Currency: "eur",
				AmountDue: 2900, AmountRemaining: 2900, Attempted: true, AttemptCount: 1, FailedAt: now.Unix(), CreatedAt: now.Unix(),
				IntentStatus: "requires_payment_method", Decline: billing.Decline{Code: "card_declined", DeclineCode: "insufficient_funds"},
			}},
		}, now.Unix())
		if err != nil {
			return err
		}
		return cases.Reconsider(t.Context(), tx, "cus_1", now)
	})
	ahead, dated := hours(goes)
	if ahead == 0 || dated == 0 || strings.Contains(goes, "All sending is stopped") {
		t.Errorf("while sending is on:\n%s", goes)
	}
	rests := explained(func(tx *sql.Tx) error { return dunning.StopSending(t.Context(), tx, "Ines", "", now) })
	still, dated := hours(rests)
	if still != ahead || dated != 0 || !strings.Contains(rests, "All sending is stopped: not before somebody resumes it.") {
		t.Errorf("while it is stopped:\n%s", rests)
	}
}
