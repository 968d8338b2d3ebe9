package web

import (
	"database/sql"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sollecito/internal/contact"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
)

// What a customer says on the phone is written down by whoever hears it, with their words; only a manager lets them be
// reminded again.
func TestStaffWriteDownWhatACustomerWants(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	h.step("cus_1", outbox.Sent)
	agent := h.member(staff.Agent)
	if d := agent.page("/admin/customers/cus_1?act=no-mail"); !strings.Contains(words(d.Find("#question")), "No reminder is mailed from now on") {
		t.Errorf("the question reads %q", words(d.Find("main")))
	}
	if a := agent.ask(http.MethodPost, "/admin/customers/cus_1/no-mail", url.Values{"reason": {" "}}); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("without words: %d", a.StatusCode)
	}
	said := url.Values{"reason": {"Only by phone, please"}}
	if a := agent.ask(http.MethodPost, "/admin/customers/cus_1/no-mail", said); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("writing it down: %d %s", a.StatusCode, a.body)
	}
	if a := agent.ask(http.MethodPost, "/admin/customers/cus_1/no-mail", said); a.StatusCode != http.StatusConflict {
		t.Errorf("a second press: %d", a.StatusCode)
	}
	got := words(agent.page("/admin/customers/cus_1").Find("main"))
	for _, want := range []string{"Their choice", "No reminders by mail", "Only by phone, please", "written down by", "As a notice in the app"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not told in %s", want, got)
		}
	}
	if strings.Contains(got, "Remind them again") {
		t.Error("an agent is offered what managers may do")
	}
	if a := agent.ask(http.MethodPost, "/admin/customers/cus_1/remind", said); a.StatusCode != http.StatusForbidden {
		t.Errorf("an agent lifts it: %d", a.StatusCode)
	}
	manager := h.member(staff.Manager)
	if a := manager.ask(http.MethodPost, "/admin/customers/cus_1/no-reminders", said); a.StatusCode != http.StatusSeeOther {
		t.Errorf("nothing at all: %d", a.StatusCode)
	}
	if got := words(manager.page("/admin/customers/cus_1").Find("main")); !strings.Contains(got, "To nobody: they asked for no reminders at all") {
		t.Errorf("the plan: %s", got)
	}
	if a := manager.ask(http.MethodPost, "/admin/customers/cus_1/remind", said); a.StatusCode != http.StatusSeeOther {
		t.Errorf("lifting it: %d", a.StatusCode)
	}
	h.do(func(tx *sql.Tx) error {
		all, err := contact.ChoicesMade(t.Context(), tx, "cus_1")
		if len(all) != 3 || all[2].NoMail || all[2].NoApp || all[0].Source != contact.FromStaff || all[0].Actor == "" {
			t.Errorf("%+v", all)
		}
		return err
	})
}

// Who wants no notice in the app sees none, until a door is closed: then it says why.
func TestNoNoticeForWhoWantsNone(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	h.step("cus_1", outbox.Sent)
	if _, status := h.state(h.sign("cus_1", "billing")); status != http.StatusOK {
		t.Fatalf("before: %d", status)
	}
	h.do(func(tx *sql.Tx) error {
		_, err := h.cases.Choose(t.Context(), tx, "cus_1", func(c contact.Choices) contact.Choices {
			c.NoApp, c.Source = true, contact.FromPage
			return c
		}, h.clock())
		return err
	})
	if _, status := h.state(h.sign("cus_1", "billing")); status != http.StatusNoContent {
		t.Errorf("after: %d", status)
	}
	h.do(func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE cases SET access = 'suspended' WHERE customer_id = 'cus_1'`)
		return err
	})
	if b, _ := h.state(h.sign("cus_1", "billing")); b.State != bannerSuspended {
		t.Errorf("behind a closed door the app is told %q", b.State)
	}
}
