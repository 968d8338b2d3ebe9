package portal_test

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"

	"sollecito/internal/config"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
)

// Where Stripe itself mails about failures, a step that neither announces nor takes anything away is told in the app alone,
// also when its campaign names mail alone: what staff read and are foretold is what is done. What is announced is mailed.
func TestWhereStripeMailsTheFirstStepsAreInTheApp(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *config.Config) { c.StripeEmails = "on" })
	h.apply(`name: mail-alone
title: Mail alone
for: {countries: [NL]}
steps:
  - {key: hello, day: 1, at: "11:00", channels: [email]}
  - {key: notice, day: 5, at: "11:00", channels: [email], announces: true}
  - {key: limited, day: 10, at: "11:00", channels: [email], access: restricted, consequence: true}
`)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	agent := h.colleague(staff.Agent)
	if got := agent.get("/admin/customers/"+customer).at("/admin/customers/"+customer, http.StatusOK).text("main"); !strings.Contains(got, "As a notice in the app, in") || strings.Contains(got, "Mail 1") {
		t.Errorf("staff are foretold:\n%s", got)
	}
	s := &scene{house: h, customer: customer}
	if got := s.visit().get("/pay/choices").at("/pay/choices", http.StatusOK).text("section[aria-labelledby=ahead]"); !strings.Contains(got, "In Lumen Studio") {
		t.Errorf("the customer is foretold: %s", got)
	}
	told := func(step string, channel outbox.Channel) (status string) {
		err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRow(`SELECT COALESCE(max(status), 'none') FROM notices WHERE customer_id = $1 AND step = $2 AND channel = $3`, customer, step, channel).Scan(&status)
		})
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	h.walk(2 * day)
	if mail, app := told("hello", outbox.Email), told("hello", outbox.App); mail != "skipped" || app != "queued" || h.banner(customer) != http.StatusOK {
		t.Errorf("the first step: its mail is %s, its notice in the app %s, the banner answers %d", mail, app, h.banner(customer))
	}
	h.walk(6 * day)
	if mail, app := told("notice", outbox.Email), told("notice", outbox.App); mail != "sent" || app != "none" {
		t.Errorf("the announcement: its mail is %s, its notice in the app %s", mail, app)
	}
	if mails := h.mailsTo("anneke@waal.example"); len(mails) != 1 {
		t.Errorf("%d mails", len(mails))
	}
}
