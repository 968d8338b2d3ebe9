package portal_test

import (
	"database/sql"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sollecito/internal/dunning"
	"sollecito/internal/staff"
)

var noPay = page("!Pay €", "!Add a card")

// situations are the billing situations of docs/billing-situations.md, in its order.
func situations() []situation {
	return []situation{
		{
			name: "bank debit on its way, then paid", status: "recovered",
			acts: []act{
				{does: fails("insufficient_funds"), seen: stands("open", "")},
				{after: time.Hour, does: debits("pm_success_de"), seen: all(stands("open", "processing"), page("under way"), noPay)},
				{after: 4 * day, seen: all(stands("open", "processing"), mails(0))},
				{after: 2 * day, seen: all(stands("recovered", ""), page("Nothing is open"))},
			},
		},
		{
			name: "bank debit on its way, then refused", status: "open",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: debits("pm_failed_de"), seen: stands("open", "processing")},
				{after: 4 * day, seen: mails(0)},
				{after: 36 * time.Hour, seen: all(stands("open", ""), page("Pay €29.00", "Nothing has been taken"))},
				{after: 2 * day, seen: mails(1)},
			},
		},
		{
			name: "bank debit the customer took back", status: "recovered",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: debits("pm_disputed_de")},
				{after: 6 * day, seen: all(stands("recovered", ""), story("The bank took the payment of invoice"), story("-0002 back for good"), noPay)},
				{after: 2 * day, seen: mails(0)},
			},
		},
		{
			name: "dispute won", status: "open",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: disputes("fraudulent"), seen: all(stands("open", "dispute"), page("looking into another payment", "Pay €29.00"))},
				{after: 4 * day, seen: mails(0)},
				{does: decides("winning_evidence"), seen: stands("open", "")},
				{after: 4 * day, seen: mails(1)}, // the four days it rested don't count, and then comes a weekend
			},
		},
		{
			name: "dispute lost", status: "open", pauses: "dispute",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: disputes("fraudulent")},
				{after: day, does: decides("losing_evidence"), seen: all(stands("open", "dispute"), page("gave you a payment back"))},
				{after: 6 * day, seen: mails(0)},
			},
		},
		{
			name: "dispute of what the case was about, after it closed", status: "recovered",
			acts: []act{
				{does: fails("expired_card"), seen: mails(1)},
				{after: time.Hour, does: func(s *scene) { s.pay(false) }, seen: all(stands("recovered", ""), mails(2))},
				{after: day, does: disputes("fraudulent"), seen: all(stands("recovered", ""), story("disputes the payment of invoice"), page("asked your bank to look into"), noPay)},
				{after: 6 * day, seen: mails(2)},
			},
		},
		{
			name: "voided", status: "canceled",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: order("invoices/{invoice}/void"), seen: all(stands("canceled", ""), page("Nothing is open"), noPay)},
				{after: 6 * day, seen: mails(0)},
			},
		},
		{
			name: "written off", status: "canceled",
			acts: []act{
				{does: fails("expired_card"), seen: mails(1)},
				{after: time.Hour, does: order("invoices/{invoice}/mark_uncollectible"), seen: all(stands("canceled", ""), page("no longer ask", "Pay €29.00"))},
				{after: 6 * day, seen: mails(1)},
			},
		},
		{
			name: "written off, then paid all the same", status: "recovered",
			acts: []act{
				{does: fails("expired_card")},
				{after: time.Hour, does: order("invoices/{invoice}/mark_uncollectible"), seen: stands("canceled", "")},
				{after: day, does: func(s *scene) { s.pay(true) }, seen: all(stands("recovered", ""), page("Nothing is open", "€29.00"), mails(2))},
			},
		},
		{
			name: "paid out of band", status: "recovered",
			acts: []act{
				{does: fails("expired_card")},
				{after: time.Hour, does: func(s *scene) { s.pay(true) }, seen: all(stands("recovered", ""), page("Nothing is open", "€29.00"), mails(2))},
			},
		},
		{
			name: "credit note lowers what is due", status: "recovered",
			acts: []act{
				{does: fails("insufficient_funds"), seen: page("Pay €29.00")},
				{after: time.Hour, does: order("credit_notes", "invoice", "{invoice}", "amount", "900"), seen: all(stands("open", ""), page("Pay €20.00", "!€29.00"))},
				{after: day, seen: all(mails(1), lastMail("€20.00"))},
				{does: func(s *scene) { s.pay(false) }, seen: stands("recovered", "")},
			},
		},
		{
			name: "credit note clears it", status: "canceled",
			acts: []act{
				{does: fails("expired_card"), seen: mails(1)},
				{after: time.Hour, does: order("credit_notes", "invoice", "{invoice}", "amount", "2900"), seen: all(stands("canceled", ""), page("Nothing is open"), noPay)},
				{after: 6 * day, seen: mails(1)},
			},
		},
		{
			name: "paid in part", status: "recovered",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: func(s *scene) {
					s.control("part_payment", url.Values{"invoice": {s.invoice}, "amount": {"1700"}})
				}, seen: all(stands("open", ""), page("€12.00", "Part of it has been paid", "Pay €12.00 on Stripe"), goesToStripe)},
				{after: day, seen: all(mails(1), lastMail("€12.00"))},
				{does: func(s *scene) { s.pay(false) }, seen: stands("recovered", "")},
			},
		},
		{
			name: "customer deleted", status: "canceled",
			acts: []act{
				{does: fails("expired_card"), seen: mails(1)},
				{after: time.Hour, does: func(s *scene) { s.extra["token"] = s.token(); s.remove("customers/" + s.customer) }, seen: all(stands("canceled", ""), func(s *scene) {
					b := s.browser()
					b.get("/l/" + s.extra["token"])
					if b.status != http.StatusNotFound {
						s.t.Errorf("their link still opens: %d", b.status)
					}
				})},
				{after: 6 * day, seen: mails(1)},
			},
		},
		{
			name: "subscription cancelled, the invoice still owed", status: "open",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: func(s *scene) { s.remove("subscriptions/" + s.subscription()) }, seen: all(stands("open", ""), page("Pay €29.00"))},
				{after: day, seen: mails(1)},
			},
		},
		{
			name: "subscription cancelled and its invoice voided", status: "canceled",
			acts: []act{
				{does: fails("insufficient_funds")},
				{after: time.Hour, does: func(s *scene) { s.remove("subscriptions/" + s.subscription()); order("invoices/{invoice}/void")(s) }, seen: stands("canceled", "")},
				{after: 6 * day, seen: mails(0)},
			},
		},
		pausedCollection("void"), pausedCollection("keep_as_draft"), pausedCollection("mark_uncollectible"),
		{
			name: "four currencies in one case", status: "open",
			acts: []act{
				{does: fails("generic_decline")},
				{after: time.Minute, does: oneOff("jpy", "4800", "Fonts")},
				{does: oneOff("usd", "1250", "Storage")},
				{does: oneOff("kwd", "12340", "Workshop")},
				{after: 2 * time.Hour, seen: all(stands("open", ""), page("€29.00", "¥4,800", "12.50", "12.340", "!4,829", "!4829"))},
				{after: day, seen: all(mails(1), lastMail("¥4,800"))},
			},
		},
		{
			name: "no payment method", status: "open",
			acts: []act{
				{does: func(s *scene) {
					s.ask("payment_methods/"+s.extra["card"]+"/detach", url.Values{})
					fails("generic_decline")(s)
				}, seen: all(stands("open", ""), page("needs a card", "no card or account", "Add a card and pay €29.00"))},
				{after: day, seen: all(mails(1), lastMail("There is no card"))},
			},
		},
		{
			name: "card renewed by its network", status: "recovered",
			acts: []act{
				{does: fails("expired_card"), seen: all(page("Add a card and pay", "has expired"), mails(1))},
				{after: time.Hour, does: func(s *scene) {
					s.control("card_update", url.Values{"payment_method": {s.extra["card"]}, "exp_month": {"11"}, "exp_year": {"2034"}})
				}, seen: all(stands("recovered", ""), page("Nothing is open", "!has expired"))},
			},
		},
		{
			name: "consent withdrawn at the bank", status: "open", pauses: "consent",
			acts: []act{
				{does: fails("revocation_of_authorization"), seen: all(stands("open", "consent"), page("withdrew your permission", "Add a card"))},
				{after: 6 * day, seen: mails(0)},
			},
		},
		{
			name: "invoice by transfer, overdue, then paid", status: "recovered",
			acts: []act{
				{does: func(s *scene) {
					s.invoice = s.ask("invoices", url.Values{
						"customer": {s.customer}, "currency": {"eur"}, "collection_method": {"send_invoice"}, "days_until_due": {"2"}, "pending_invoice_items_behavior": {"exclude"},
					})["id"].(string)
					s.ask("invoiceitems", url.Values{"customer": {s.customer}, "invoice": {s.invoice}, "currency": {"eur"}, "amount": {"48000"}, "description": {"Yearly plan"}})
					s.ask("invoices/"+s.invoice+"/finalize", url.Values{})
					s.ask("customers/"+s.customer, url.Values{"description": {"invoiced"}}) // finalizing tells nobody who listens to payments; this does
				}, seen: stands("", "")},
				{after: 3 * day, seen: all(stands("open", ""), page("€480.00", "still open"))},
				{after: day, does: func(s *scene) { s.pay(true) }, seen: stands("recovered", "")},
			},
		},
	}
}

// pausedCollection is a merchant who stops collecting for a subscription: what failed before is still owed; what is
// made meanwhile is nobody's debt.
func pausedCollection(behavior string) situation {
	return situation{
		name: "collection paused, " + behavior, status: "recovered",
		acts: []act{
			{does: fails("insufficient_funds")},
			{after: time.Hour, does: func(s *scene) {
				s.ask("subscriptions/"+s.subscription(), url.Values{"pause_collection[behavior]": {behavior}})
			}, seen: all(stands("open", ""), page("Pay €29.00"))},
			{after: day, does: func(s *scene) { s.pay(false) }, seen: stands("recovered", "")},
			{after: 2 * time.Hour, does: func(s *scene) {
				_, err := s.stripe.Renew(s.customer)
				if err != nil {
					s.t.Fatal(err)
				}
			}, seen: stands("recovered", "")},
			{after: day, seen: all(stands("recovered", ""), func(s *scene) { page("Nothing is open", "!no longer ask")(s) })},
		},
	}
}

// Each billing situation, told in order with every event delivered: how the case stands, what the page says, what is
// sent and what is not.
func TestBillingSituations(t *testing.T) {
	t.Parallel()
	for _, s := range situations() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			sc := h.start(s)
			h.settle()
			for n, a := range s.acts {
				h.walk(a.after)
				if a.does != nil {
					a.does(sc)
				}
				h.settle()
				if a.seen != nil {
					a.seen(sc)
				}
				if t.Failed() {
					t.Fatalf("in act %d", n+1)
				}
			}
			stands(s.status, s.pauses)(sc)
			if got := h.events("status NOT IN ('processed', 'ignored')"); got != 0 {
				t.Errorf("%d events were not processed", got)
			}
		})
	}
}

// A credit note that comes while the confirmation is open: the press charges nothing and shows the old and the new sum.
func TestACreditNoteUnderAnOpenConfirmation(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.start(situation{})
	h.settle()
	fails("insufficient_funds")(s)
	h.settle()
	b := s.visit().press("/pay/review").at("/pay/review", http.StatusOK)
	order("credit_notes", "invoice", "{invoice}", "amount", "900")(s)
	h.settle()
	b.press("/pay/charge")
	if text := b.text("main"); !strings.Contains(text, "€29.00") || !strings.Contains(text, "€20.00") || b.page.Find("form[action='/pay/charge']").Length() != 1 {
		t.Errorf("%s with %d: %s", b.path, b.status, text)
	}
	if got := h.ask("charges?limit=100&customer="+s.customer, nil)["data"].([]any); len(got) != 2 { // their first month, and the renewal that failed
		t.Errorf("%d charges", len(got))
	}
}

// While a bank looks into a dispute nobody can end its rest; once it was lost, a colleague decides on the customer's page.
func TestAColleagueDecidesAfterALostDispute(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.start(situation{})
	h.settle()
	fails("insufficient_funds")(s)
	h.settle()
	disputes("fraudulent")(s)
	h.settle()
	agent := h.colleague(staff.Agent)
	page, resume := "/admin/customers/"+s.customer, "/admin/cases/"+h.caseOf(s.customer).ID+"/resume"
	says := func(path, what string, not ...string) {
		t.Helper()
		got := agent.get(path).text("main")
		for _, wrong := range not {
			if strings.Contains(got, wrong) {
				t.Errorf("%s says %q: %s", path, wrong, got)
			}
		}
		if !strings.Contains(got, what) {
			t.Errorf("%s does not say %q: %s", path, what, got)
		}
	}
	says("/admin?view=person", "Their bank disputes a payment")
	says(page, "Disputed at the bank, since")
	if agent.get(page+"?act=resume").page.Find("#question").Length() != 0 {
		t.Errorf("they are asked while the bank looks into it: %s", agent.text("#question"))
	}
	agent.post(resume, url.Values{})
	stands("open", "dispute")(s)
	decides("losing_evidence")(s)
	h.settle()
	stands("open", "dispute")(s)
	const question = "Lost a dispute: ask for what is open, or not?"
	says("/admin?view=person", question, "Their bank disputes a payment")
	says(page, question, "Disputed at the bank, since")
	says(page, "Rests for a dispute that was lost, since")
	if got := agent.get(page + "?act=resume").text("#question"); !strings.Contains(got, "took a payment back for good") {
		t.Fatalf("the question says %q", got)
	}
	agent.press(resume).at(page, http.StatusOK)
	h.settle()
	says(page, "A dispute was lost, and somebody decided to ask for what is open.", "That is over.")
	stands("open", "")(s)
	h.walk(2 * day)
	mails(1)(s)
}

// Who ends a dispute's pause has decided: it does not come back by itself, not even when the dispute is lost later.
func TestAPersonMayEndADisputesPause(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.start(situation{})
	h.settle()
	fails("insufficient_funds")(s)
	h.settle()
	h.walk(time.Hour)
	disputes("fraudulent")(s)
	h.settle()
	stands("open", "dispute")(s)
	h.walk(time.Hour)
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		c, err := h.portal.Cases.OpenOf(t.Context(), tx, s.customer)
		if err != nil {
			return err
		}
		return h.portal.Cases.Resume(t.Context(), tx, c.ID, "staff", h.clock.now(), dunning.PauseDispute)
	})
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	stands("open", "")(s)
	decides("losing_evidence")(s)
	h.settle()
	stands("open", "")(s)
	h.walk(2 * day)
	mails(1)(s)
}

// Consent was withdrawn for the renewal, and something else is open too. Once the renewal is paid elsewhere, reminders about
// the rest go on; while it is open they rest, whatever else is paid.
func TestConsentIsAnsweredByThePaymentItWasWithdrawnFor(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.start(situation{})
	h.settle()
	fails("revocation_of_authorization")(s)
	oneOff("eur", "1250", "Storage")(s)
	oneOff("usd", "1000", "Fonts")(s)
	h.walk(2 * time.Hour)
	stands("open", "consent")(s)
	err := h.stripe.Pay(s.extra["usd"], true)
	if err != nil {
		t.Fatal(err)
	}
	h.walk(day)
	stands("open", "consent")(s)
	mails(0)(s)
	s.pay(true)
	h.settle()
	stands("open", "")(s)
	h.walk(3 * day)
	mails(1)(s)
	lastMail("€12.50")(s)
}
