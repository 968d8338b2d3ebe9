package web

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"

	"sollecito/internal/outbox"
	"sollecito/internal/staff"
)

// comesBack tells that the newest mail of a customer came back.
func (h *house) comesBack(customer string, kind outbox.BounceKind) {
	h.t.Helper()
	h.do(func(tx *sql.Tx) error {
		notices, err := outbox.OfCustomer(h.t.Context(), tx, customer)
		if err != nil {
			return err
		}
		for _, n := range notices {
			if n.Kind != outbox.Reminder || n.Channel != outbox.Email {
				continue
			}
			b := outbox.Bounce{Address: outbox.Normal(n.Recipient), Kind: kind, Code: "5.1.1", Words: "User unknown", At: h.clock().Unix()}
			_, err = h.cases.Bounced(h.t.Context(), tx, n, b, h.clock())
			return err
		}
		h.t.Fatal("no mail that could come back")
		return nil
	})
}

// A mail comes back; staff see why and what follows, and only a manager lets the address be written to again.
func TestAnAddressIsMailedAgainByAPersonsWord(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	h.step("cus_1", outbox.Sent)
	h.comesBack("cus_1", outbox.Hard)
	agent := h.member(staff.Agent)
	d := agent.page("/admin/customers/cus_1")
	got := words(d.Find("main"))
	for _, want := range []string{"No mail to", "cus_1@bellini.example", "A mail came back", "User unknown", "by mail to nobody", "as a notice in the app"} {
		if !strings.Contains(strings.ToLower(got), strings.ToLower(want)) {
			t.Errorf("%q is not told in %s", want, got)
		}
	}
	if strings.Contains(got, "Mail them again") {
		t.Error("an agent is offered what managers may do")
	}
	if list := words(agent.page("/admin?view=person").Find("tbody")); !strings.Contains(list, "There is no address that takes mail") {
		t.Errorf("the list says %q", list)
	}
	manager := h.member(staff.Manager)
	if d := manager.page("/admin/customers/cus_1?act=mail-again"); !strings.Contains(words(d.Find("#question")), "cus_1@bellini.example") {
		t.Errorf("the question reads %q", words(d.Find("main")))
	}
	if a := manager.ask(http.MethodPost, "/admin/customers/cus_1/mail-again", nil); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("mailing again: %d %s", a.StatusCode, a.body)
	}
	if a := manager.ask(http.MethodPost, "/admin/customers/cus_1/mail-again", nil); a.StatusCode != http.StatusConflict {
		t.Errorf("a second press: %d", a.StatusCode)
	}
	d = manager.page("/admin/customers/cus_1")
	got = words(d.Find("main"))
	if strings.Contains(got, "No mail to") || !strings.Contains(got, "allowed again by") || !strings.Contains(strings.ToLower(got), "by mail to cus_1@bellini.example") {
		t.Errorf("afterwards: %s", got)
	}
	h.do(func(tx *sql.Tx) error {
		_, is, err := outbox.SuppressionOf(t.Context(), tx, "cus_1@bellini.example")
		if is {
			t.Error("it is still held back")
		}
		return err
	})
}
