package web

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/staff"
)

// Staff see every try with who made it, how full the card's window is, and when the next one may come.
func TestStaffSeeTriesAndBudgets(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	unpaid := h.invoice("cus_b", "insufficient_funds")
	unpaid.NextAttemptAt = 0
	h.hear(billing.Customer{ID: "cus_b", Name: "Bo Vermeer", Email: "bo@vermeer.example", Country: "IT", DefaultMethod: "pm_cus_b", CreatedAt: h.clock().Unix()}, unpaid)
	at := h.clock().Unix()
	h.do(func(tx *sql.Tx) error {
		open, err := billing.OpenInvoices(t.Context(), tx, "cus_b")
		if err != nil {
			return err
		}
		i := open[0]
		method, err := billing.MethodFor(t.Context(), tx, i)
		if err != nil {
			return err
		}
		verdict, err := billing.MayCharge(t.Context(), tx, "", billing.BySchedule, i, method, h.clock())
		if err != nil {
			return err
		}
		declined := billing.Decline{Code: "card_declined", DeclineCode: "insufficient_funds"}
		try := func(charge string, by billing.Initiator, at int64) billing.Attempt {
			return billing.Attempt{
				Kind: "charge", CustomerID: "cus_b", InvoiceID: i.ID, MethodID: method, By: by, Status: billing.AttemptDeclined, Amount: i.Remaining(),
				Decline: declined, Charge: charge, Card: verdict.Card, Network: "mastercard", StartedAt: at,
			}
		}
		tries := []billing.Attempt{try("ch_2", billing.ByStripe, at+60), try("ch_3", billing.ByCustomer, at+120), try("ch_2", billing.ByStripe, at+60)}
		err = billing.SaveTries(t.Context(), tx, tries)
		if err != nil {
			return err
		}
		ours, _, err := billing.StartAttempt(t.Context(), tx, billing.Attempt{
			Press: "retry 1 of " + i.ID, CustomerID: "cus_b", InvoiceID: i.ID, MethodID: method, Kind: "charge", By: billing.BySchedule,
			Amount: i.Remaining(), StartedAt: at + 180, Card: verdict.Card, Network: "mastercard",
		})
		if err != nil {
			return err
		}
		ours.Status, ours.Decline, ours.Charge = billing.AttemptDeclined, declined, "ch_4"
		err = billing.SaveTries(t.Context(), tx, []billing.Attempt{try("ch_4", billing.ByStripe, at+180)}) // read before the answer is kept
		if err != nil {
			return err
		}
		err = billing.EndAttempt(t.Context(), tx, ours)
		if err != nil {
			return err
		}
		return billing.SaveTries(t.Context(), tx, append(tries, try("ch_4", billing.ByStripe, at+180)))
	})
	h.later(time.Hour)
	page := h.member(staff.Viewer).page("/admin/customers/cus_b")
	limits, facts, past := words(page.Find("[aria-labelledby=limits]")), words(page.Find("[aria-labelledby=facts]")), words(page.Find("main"))
	if !strings.Contains(limits, "30 days 3 of 35") {
		t.Errorf("limits: %s", limits)
	}
	if !strings.Contains(facts, "Next try Possible from") || !strings.Contains(facts, "The bank asked to wait, or its reason needs time.") {
		t.Errorf("facts: %s", facts)
	}
	for _, want := range []string{"Stripe tried again, €29", "They tried at Stripe, €29", "Our retry, €29"} {
		if strings.Count(past, want) != 1 {
			t.Errorf("%d times %q in %s", strings.Count(past, want), want, past)
		}
	}
}
