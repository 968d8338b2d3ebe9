package portal_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"sollecito/internal/dunning"
	"sollecito/internal/sandbox"
	"sollecito/internal/staff"
)

const twoMails = `name: two-mails
title: Two mails
for: {countries: [IT]}
steps:
  - {key: hello, day: 1, at: "11:00", channels: [email]}
  - {key: last, day: 3, at: "11:00", channels: [email]}
`

// lastMailWaits is a customer whose case has taken its last step while the mail server takes nothing, and their browser.
func lastMailWaits(t *testing.T) (*house, *scene, *browser) {
	t.Helper()
	h := open(t)
	h.apply(twoMails)
	s := h.start(situation{})
	s.invoice = h.fail(s.customer, "insufficient_funds")
	h.walk(2 * day)
	mails := h.mailsTo(s.email)
	if len(mails) != 1 {
		t.Fatalf("%d mails after the first step", len(mails))
	}
	b := h.browser().get(linkIn(t, mails[0]))
	h.catcher.SetFault(sandbox.Fault{Place: sandbox.FaultMail, Code: 451, Message: "4.3.0 try later", Count: 1000})
	h.walk(day + 90*time.Minute)
	if c := h.caseOf(s.customer); c.Status != dunning.Exhausted || h.lastMail() != "queued" {
		t.Fatalf("the case is %s, its last mail %s", c.Status, h.lastMail())
	}
	return h, s, b
}

// lastMail is how the mail of the last step stands.
func (h *house) lastMail() string {
	h.t.Helper()
	for _, status := range []string{"queued", "sent", "skipped"} {
		if h.count(`SELECT count(*) FROM notices WHERE step = 'last' AND status = '`+status+`'`) == 1 {
			return status
		}
	}
	return "in no such state"
}

// lastMailRests checks that the last mail waits because the case would rest.
func (h *house) lastMailRests() {
	h.t.Helper()
	h.catcher.SetFault()
	h.walk(4 * day)
	if h.lastMail() != "queued" || h.count(`SELECT count(*) FROM notices WHERE step = 'last' AND reason = 'rests'`) != 1 {
		h.t.Errorf("four days later the last mail is %s", h.lastMail())
	}
}

// A mail of the last step that has not left when its customer writes waits until somebody answers, as that of an open case
// does; then it goes.
func TestTheLastMailWaitsForAnAnswer(t *testing.T) {
	t.Parallel()
	h, _, b := lastMailWaits(t)
	b.get("/pay/support").post("/pay/support", url.Values{"text": {"My accountant pays this tomorrow."}}).at("/pay/support", http.StatusOK)
	h.lastMailRests()
	agent := h.colleague(staff.Agent).get("/admin/inbox")
	agent.post(agent.page.Find("tbody th a").AttrOr("href", "")+"/reply", url.Values{"text": {"Thank you, that is fine."}})
	h.walk(3 * day)
	if h.lastMail() != "sent" {
		t.Errorf("after the answer it is %s", h.lastMail())
	}

}

// One that has not left when their bank disputes a payment waits until the bank has decided for the merchant.
func TestTheLastMailWaitsForADispute(t *testing.T) {
	t.Parallel()
	h, s, _ := lastMailWaits(t)
	disputes("fraudulent")(s)
	h.settle()
	h.lastMailRests()
	decides("winning_evidence")(s)
	h.walk(3 * day)
	if h.lastMail() != "sent" {
		t.Errorf("after the bank has decided it is %s", h.lastMail())
	}
}

// Nobody who has written nothing waits: the mail goes once the server takes it.
func TestTheLastMailGoesOnceTheServerTakesIt(t *testing.T) {
	t.Parallel()
	h, _, _ := lastMailWaits(t)
	h.catcher.SetFault()
	h.walk(day)
	if h.lastMail() != "sent" {
		t.Errorf("it is %s", h.lastMail())
	}
}
