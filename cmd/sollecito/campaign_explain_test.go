package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
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
