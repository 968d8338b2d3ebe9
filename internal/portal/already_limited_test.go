package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"sollecito/internal/campaign"
	"sollecito/internal/staff"
)

const limiting = `name: limiting
title: Limiting
steps:
  - {key: hello, day: 1, at: "11:00", channels: [email]}
  - {key: warning, day: 3, at: "11:00", channels: [email], access: grace, announces: true}
  - {key: limited, day: 9, at: "11:00", channels: [email], access: restricted, consequence: true}
`

// Another renewal fails after the first case has ended with access limited. The letters and the page of the new case say
// nothing of access that still works, or of a day on which it will be limited: it is limited already.
func TestNobodyIsToldThatWhatWasTakenStillWorks(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(limiting)
	s := &scene{house: h, customer: h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")}
	h.fail(s.customer, "insufficient_funds")
	h.walk(12 * day)
	if got := h.caseOf(s.customer); got.Status != "exhausted" || got.Access != campaign.Restricted {
		t.Fatalf("the first case is %s with access %s", got.Status, got.Access)
	}
	before := len(h.mailsTo("anneke@waal.example"))
	h.fail(s.customer, "insufficient_funds")
	if got := h.caseOf(s.customer); got.Status != "open" || got.Access != campaign.Restricted {
		t.Fatalf("the second case is %s with access %s", got.Status, got.Access)
	}
	agent := h.colleague(staff.Agent)
	for range 12 {
		for _, path := range []string{"/admin/customers/" + s.customer, "/admin?view=open"} {
			main := agent.get(path).page.Find("main")
			main.Find("[aria-labelledby=timeline] li:contains('Access became')").Remove() // of the first case
			for _, false := range []string{"it announces the limit", "access becomes limited"} {
				if strings.Contains(main.Text(), false) {
					t.Errorf("on the %d. staff read %q on %s", h.clock.now().Day(), false, path)
				}
			}
		}
		h.walk(day)
		text := s.visit().text("main")
		for _, false := range []string{"will be unavailable", "full access until"} {
			if strings.Contains(text, false) {
				t.Errorf("on the %d. the page says %q:\n%s", h.clock.now().Day(), false, text)
			}
		}
	}
	letters := h.mailsTo("anneke@waal.example")[before:]
	if len(letters) != 3 {
		t.Errorf("%d letters", len(letters))
	}
	for _, m := range letters {
		all := strings.Join(strings.Fields(m.Subject+" "+m.Text+" "+m.HTML), " ")
		for _, wanted := range []string{"ccess is limited", "If you think this is wrong, reply to this email"} {
			if !strings.Contains(all, wanted) {
				t.Errorf("%q does not say %q:\n%s", m.Subject, wanted, m.Text)
			}
		}
		for _, false := range []string{"verything works until", "will be limited", "stays as it is", "Any questions?"} {
			if strings.Contains(all, false) {
				t.Errorf("%q says %q:\n%s", m.Subject, false, m.Text)
			}
		}
	}
}

// A day on which nothing is taken any more, of which nobody is told, is no end of the days one may choose to pay on.
func TestADayOnWhichNothingIsTakenLimitsNoPromise(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(limiting)
	s := &scene{house: h, customer: h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")}
	h.fail(s.customer, "insufficient_funds")
	h.walk(12 * day)
	h.fail(s.customer, "insufficient_funds")
	h.walk(3 * day) // the first message is sent; the campaign's day for limiting access is a week ahead
	b := s.visit()
	h.chooses(b, "self", 13)
	b.press("/pay/promise").at("/pay", http.StatusOK)
	if got := h.promise(s.customer); got.Status != "active" {
		t.Errorf("the promise is %q: %s", got.Status, b.text("main"))
	}
}

// All is paid before the second case comes to its own consequence: the letter says that what the first one took is back.
func TestWhatTheCaseBeforeTookIsToldToBeBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(limiting)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	first := h.fail(customer, "insufficient_funds")
	h.walk(12 * day)
	second := h.fail(customer, "insufficient_funds")
	h.ask("subscriptions/"+h.subscriptionOf(customer), map[string][]string{"cancel_at_period_end": {"true"}})
	h.walk(3 * day)
	for _, invoice := range []string{first, second} {
		err := h.stripe.Pay(invoice, true)
		if err != nil {
			t.Fatal(err)
		}
		h.settle()
	}
	if got := h.access(customer); got != "full" {
		t.Errorf("access %s", got)
	}
	h.walk(4 * day)
	letters := settledAmong(h.mailsTo("anneke@waal.example"))
	if len(letters) != 1 || !strings.Contains(letters[0].Text, "have full access to Lumen Studio again") {
		t.Fatalf("%d letters: %+v", len(letters), letters)
	}
}

// Whoever was reminded by an exhausted case has heard of it: all is paid elsewhere before the next case says its first word, and
// the letter says so, and that what was taken is back. One who was reminded of nothing that was paid hears nothing.
func TestWhoeverWasRemindedByTheCaseBeforeIsThanked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		campaign string
		void     bool // the invoice they were reminded of
		letters  int
	}{
		"limited":                         {limiting, false, 1},
		"limited, the first is voided":    {limiting, true, 1},
		"reminded":                        {strings.NewReplacer(", access: restricted, consequence: true", "", ", access: grace, announces: true", "").Replace(limiting), false, 1},
		"reminded, but of nothing of it ": {strings.NewReplacer(", access: restricted, consequence: true", "", ", access: grace, announces: true", "").Replace(limiting), true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			h.apply(c.campaign)
			customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
			first := h.fail(customer, "insufficient_funds")
			h.walk(12 * day)
			if got := h.caseOf(customer); got.Status != "exhausted" {
				t.Fatalf("the first case is %s", got.Status)
			}
			second := h.fail(customer, "insufficient_funds")
			h.ask("subscriptions/"+h.subscriptionOf(customer), map[string][]string{"cancel_at_period_end": {"true"}})
			for _, invoice := range []string{first, second} {
				if c.void && invoice == first {
					h.ask("invoices/"+invoice+"/void", map[string][]string{})
				} else if err := h.stripe.Pay(invoice, true); err != nil {
					t.Fatal(err)
				}
				h.settle()
			}
			if got := h.caseOf(customer); got.Status != "recovered" || h.access(customer) != "full" {
				t.Errorf("the second case is %s, access %s", got.Status, h.access(customer))
			}
			h.walk(4 * day)
			letters := settledAmong(h.mailsTo("anneke@waal.example"))
			if len(letters) != c.letters {
				t.Fatalf("%d letters: %s", len(letters), h.story(customer))
			}
			if len(letters) == 1 && strings.Contains(letters[0].Text, "have full access to Lumen Studio again") != (c.campaign == limiting) {
				t.Errorf("the letter says\n%s", letters[0].Text)
			}
			if strings.Contains(h.story(customer), "never heard") != (c.letters == 0) {
				t.Errorf("the story: %s", h.story(customer))
			}
		})
	}
}

// The second of two consequences is announced to whom the first has taken something already: not everything works until
// then, and paying does not leave everything as it is but gives it back.
func TestTheSecondConsequenceIsAnnouncedAsItIs(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(escalating)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	h.walk(15 * day)
	letters := h.mailsTo("anneke@waal.example")
	if len(letters) != 4 {
		t.Fatalf("%d letters", len(letters))
	}
	warning, last := letters[1], letters[3]
	if !strings.Contains(warning.Text, "Everything works until") {
		t.Errorf("the first announcement says\n%s", warning.Text)
	}
	all := strings.Join(strings.Fields(last.Subject+" "+last.Text+" "+last.HTML), " ")
	for _, wanted := range []string{"will be paused on", "Paying restores everything"} {
		if !strings.Contains(all, wanted) {
			t.Errorf("the last announcement does not say %q:\n%s", wanted, last.Text)
		}
	}
	for _, false := range []string{"verything works until", "stays as it is"} {
		if strings.Contains(all, false) {
			t.Errorf("the last announcement says %q:\n%s", false, last.Text)
		}
	}
}
