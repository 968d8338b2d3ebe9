package portal_test

import (
	"strings"
	"testing"

	"sollecito/internal/sandbox"
)

// A reminder between the announcement of a limit and its day names that day where the announcement was surely sent. Where nobody
// knows whether it arrived the limit waits for a person, and nobody can name its day.
func TestAReminderAfterAnUncertainAnnouncementNamesNoDay(t *testing.T) {
	t.Parallel()
	for _, unsure := range []bool{false, true} {
		h := open(t)
		h.apply(`name: reminded
title: Reminded
for: {countries: [NL]}
steps:
  - {key: notice, day: 1, at: "11:00", channels: [email], announces: true}
  - {key: reminder, day: 3, at: "11:00", channels: [email]}
  - {key: limited, day: 10, at: "11:00", channels: [email], access: restricted, consequence: true}
`)
		h.fail(h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa"), "insufficient_funds")
		if unsure {
			h.catcher.SetFault(sandbox.Fault{Place: sandbox.FaultReply, Count: 1})
		}
		h.walk(4 * day)
		mails := h.mailsTo("anneke@waal.example")
		if len(mails) != 2 || h.count(`SELECT count(*) FROM notices WHERE step = 'notice' AND status = 'uncertain'`) != map[bool]int{true: 1}[unsure] {
			t.Fatalf("unsure %v: %d mails", unsure, len(mails))
		}
		names := func(m sandbox.Mail) bool { // a day stands in one piece
			return strings.Contains(strings.Join(strings.Fields(m.Text), " "), "12 November")
		}
		if !names(mails[0]) {
			t.Errorf("unsure %v: the announcement names no day:\n%s", unsure, mails[0].Text)
		}
		if named := names(mails[1]); named == unsure {
			t.Errorf("unsure %v: the reminder names the day: %v\n%s", unsure, named, mails[1].Text)
		}
	}
}
