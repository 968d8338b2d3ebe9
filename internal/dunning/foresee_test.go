package dunning_test

import (
	"slices"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
)

// A day is told only of what comes on it by itself: a consequence that nothing will announce waits for a person, and so does
// whatever comes after it.
func TestWhatWaitsForAPersonIsForeseen(t *testing.T) {
	t.Parallel()
	plan := parsed(t, `name: gently
title: Gently
steps:
  - {key: first, day: 1, at: "10:00", channels: [email, app]}
  - {key: notice, day: 5, at: "10:00", channels: [email, app], announces: true}
  - {key: limit, day: 12, at: "10:00", channels: [email, app], access: restricted, consequence: true}
  - {key: last, day: 20, at: "10:00", channels: [email]}
`)
	monday := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	opened := dunning.Case{ID: "case_1", Status: dunning.Open, OpenedAt: monday.Unix()}
	noticed := opened
	noticed.Step = 2
	held := opened
	held.Holdout = true
	notice := func(channel outbox.Channel, status outbox.Status) []outbox.Notice {
		return []outbox.Notice{{Kind: outbox.Reminder, Step: "notice", Channel: channel, Status: status}}
	}
	nothing := contact.Choices{NoMail: true, NoApp: true}
	for name, is := range map[string]struct {
		c       dunning.Case
		choices contact.Choices
		notices []outbox.Notice
		want    []contact.Reason // of each step ahead
	}{
		"all is to come":                 {c: opened, want: []contact.Reason{"", "", "", ""}},
		"it was told":                    {c: noticed, notices: notice(outbox.Email, outbox.Sent), want: []contact.Reason{"", ""}},
		"the mail leaves in a moment":    {c: noticed, notices: notice(outbox.Email, outbox.Queued), want: []contact.Reason{"", ""}},
		"the app has not shown it":       {c: noticed, notices: notice(outbox.App, outbox.Queued), want: []contact.Reason{dunning.ReasonPerson, dunning.ReasonPerson}},
		"nobody knows":                   {c: noticed, notices: notice(outbox.Email, outbox.Uncertain), want: []contact.Reason{dunning.ReasonPerson, dunning.ReasonPerson}},
		"it came back":                   {c: noticed, notices: notice(outbox.Email, outbox.Failed), want: []contact.Reason{dunning.ReasonUntold, dunning.ReasonUntold}},
		"no reminders wanted":            {c: opened, choices: nothing, want: []contact.Reason{"", "", dunning.ReasonUntold, dunning.ReasonUntold}},
		"none wanted since it was told":  {c: noticed, choices: nothing, notices: notice(outbox.Email, outbox.Sent), want: []contact.Reason{"", ""}},
		"held out, nothing is announced": {c: held, want: []contact.Reason{"", "", dunning.ReasonHoldout, dunning.ReasonHoldout}},
	} {
		in := dunning.Situation{
			Now: monday, Plan: plan, Zones: []*time.Location{time.UTC}, Class: billing.ClassMoney, Policy: contact.DefaultPolicy(), Choices: is.choices,
		}
		var got []contact.Reason
		for _, f := range is.c.Foresee(in, is.notices) {
			got = append(got, f.Held)
		}
		if !slices.Equal(got, is.want) {
			t.Errorf("%s: %q instead of %q", name, got, is.want)
		}
	}
}
