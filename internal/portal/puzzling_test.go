package portal_test

import (
	"database/sql"
	"strings"
	"testing"

	"sollecito/internal/staff"
)

// A charge that failed by a mistake of ours, and one that failed for a reason nobody has a rule for, are in the list of what
// needs a person, until they are paid; a decline like all others is not.
func TestStaffHearOfDeclinesThatNobodyElseCanExplain(t *testing.T) {
	t.Parallel()
	h := open(t)
	agent := h.colleague(staff.Agent)
	mails := map[string]string{}
	for _, code := range []string{"insufficient_funds", "duplicate_transaction", "invalid_amount"} {
		customer := h.customer("Someone "+code, code+"@example.com", "NL", "pm_card_visa")
		mails[code] = h.fail(customer, code)
	}
	stranger := h.customer("Someone stranger", "stranger@example.com", "NL", "pm_card_visa")
	mails["stranger"] = h.fail(stranger, "do_not_honor")
	h.renameDecline(stranger, mails["stranger"], "moon_phase")
	list := agent.get("/admin?view=person").text("main")
	for code, want := range map[string]bool{"insufficient_funds": false, "duplicate_transaction": true, "invalid_amount": true, "stranger": true} {
		if strings.Contains(list, "Someone "+code) != want {
			t.Errorf("%s is in the list: %v\n%s", code, !want, list)
		}
	}
	if strings.Count(list, "Look at it in Stripe") != 3 || !strings.Contains(agent.text("main"), "Needs a person3") {
		t.Errorf("the list says: %s", list)
	}
	err := h.stripe.Pay(mails["invalid_amount"], false)
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	if list := agent.get("/admin?view=person").text("main"); strings.Contains(list, "Someone invalid_amount") {
		t.Errorf("it is paid, and in the list: %s", list)
	}
}

// renameDecline gives the decline of an invoice, as it is stored, another word, one the stand-in does not know, and lets the
// case hear of it.
func (h *house) renameDecline(customer, invoice, code string) {
	h.t.Helper()
	err := h.portal.DB.Do(h.t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE invoices SET decline_code = $1 WHERE id = $2`, code, invoice)
		if err != nil {
			return err
		}
		return h.portal.Cases.Reconsider(h.t.Context(), tx, customer, h.clock.now())
	})
	if err != nil {
		h.t.Fatal(err)
	}
}
