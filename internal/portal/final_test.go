package portal_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/config"
	"sollecito/internal/dunning"
	"sollecito/internal/gateway"
	"sollecito/internal/jobs"
	"sollecito/internal/staff"
)

// withFinal is a short campaign whose last step does something at Stripe.
func withFinal(act string) string {
	return `name: ending
title: Ending
steps:
  - key: hello
    day: 1
    at: "11:00"
    channels: [email]
  - key: warning
    day: 3
    at: "11:00"
    channels: [email]
    access: grace
    announces: true
  - key: end
    day: 9
    at: "11:00"
    act: ` + act + `
    access: suspended
    consequence: true
`
}

func automatic(c *config.Config) { c.FinalActs = "automatic" }

func (h *house) subscription(customer string) map[string]any {
	h.t.Helper()
	return h.ask("subscriptions?status=all&customer="+customer, nil)["data"].([]any)[0].(map[string]any)
}

// told counts the events of a type that Stripe has told of.
func (h *house) told(kind string) int {
	h.t.Helper()
	return len(h.ask("events?limit=100&type="+kind, nil)["data"].([]any))
}

func (h *house) finalOf(customer string) dunning.Final {
	h.t.Helper()
	id := h.caseOf(customer).ID
	var f dunning.Final
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		var err error
		f, err = h.portal.Cases.FinalOf(h.t.Context(), tx, id)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}

// toTheEnd walks a customer's case to the day of its final act.
func (h *house) toTheEnd(act string) (customer, invoice string) {
	h.t.Helper()
	h.apply(withFinal(act))
	customer = h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	invoice = h.fail(customer, "insufficient_funds")
	h.walk(10 * 24 * time.Hour)
	return customer, invoice
}

// A campaign's final act waits for a manager, who sees what it would do; then it is done once, the customer is told on
// their page and by mail, and who pays all the same has everything but the subscription back.
func TestAFinalActWaitsForAManager(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer, invoice := h.toTheEnd("cancel")
	mails := h.mailsTo("anneke@waal.example")
	if len(mails) != 2 || !strings.Contains(mails[1].Subject, "subscription may end from 11 November") || !strings.Contains(mails[1].Text, "on Wednesday 11\u00a0November at the\nearliest") {
		t.Fatalf("%d mails, the last %q:\n%s", len(mails), mails[len(mails)-1].Subject, mails[len(mails)-1].Text)
	}
	if s := h.subscription(customer)["status"]; s != "past_due" || h.finalOf(customer).Status != dunning.FinalProposed || h.caseOf(customer).Access != campaign.Grace {
		t.Fatalf("before anybody decided: subscription %v, act %+v, access %s", s, h.finalOf(customer), h.caseOf(customer).Access)
	}
	act := "/admin/cases/" + h.caseOf(customer).ID + "/final"
	page := "/admin/customers/" + customer
	sub, _ := h.subscription(customer)["id"].(string)

	their := h.browser()
	for _, path := range []string{linkIn(t, mails[1]), "/pay/choices"} {
		if got := their.get(path).text("main"); strings.Contains(got, "any more messages") || !strings.Contains(got, "You won’t get any more reminders.") {
			t.Errorf("while a mail about the act may still come, %s says %s", their.path, got)
		}
	}
	agent := h.colleague(staff.Agent)
	if agent.get(page+"?act=final").page.Find("#question").Length() != 0 {
		t.Error("an agent is asked to decide")
	}
	agent.post(act, url.Values{"object": {sub}})
	if agent.status != http.StatusForbidden {
		t.Errorf("an agent decides: %d", agent.status)
	}
	manager := h.colleague(staff.Manager)
	if got := manager.get("/admin?view=person").text("main"); !strings.Contains(got, "Decide: the campaign's final act waits") || !strings.Contains(got, "end the subscription at Stripe waits for a person") {
		t.Errorf("the work list lacks it, or says that it comes by itself:\n%s", got)
	}
	if got := manager.get(page).text("[aria-labelledby=plan]"); !strings.Contains(got, "nothing happens before") || strings.Contains(got, "next allowed moment is taken") || strings.Contains(got, "It was announced for") {
		t.Errorf("it waits for a decision, and why it comes when it does says that it comes by itself:\n%s", got)
	}
	for path, want := range map[string]string{"/admin": "Next 24 hours0", "/admin/sending": "Due in the next 24 hours: 0 steps"} {
		if got := manager.get(path).text("main"); !strings.Contains(got, want) {
			t.Errorf("%s counts what waits for a decision among what comes by itself:\n%s", path, got)
		}
	}
	err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		leaves, err := h.portal.Cases.Leaves(t.Context(), tx, nil, h.clock.now().Add(48*time.Hour), h.clock.now(), time.UTC)
		if err == nil && (len(leaves) != 1 || leaves[0].Unsure != 1) {
			t.Errorf("what goes out until the day after tomorrow: %+v", leaves)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	manager.post(act, url.Values{"object": {"sub_other"}})
	if manager.status != http.StatusConflict || h.finalOf(customer).Status != dunning.FinalProposed {
		t.Errorf("an effect that was not shown is confirmed: %d", manager.status)
	}
	manager.get(page+"?act=final").at(page, 200)
	for _, want := range []string{"Studio plan", sub, "€29.00", "It cannot be undone", "Access becomes suspended", "told by mail"} {
		if !strings.Contains(manager.text("#question"), want) {
			t.Errorf("the question lacks %q:\n%s", want, manager.text("#question"))
		}
	}
	manager.press(act).at(page, 200)
	h.settle()
	if s := h.subscription(customer); s["status"] != "canceled" || h.told("customer.subscription.deleted") != 1 {
		t.Fatalf("decided: subscription %v, %d events; act %+v", s["status"], h.told("customer.subscription.deleted"), h.finalOf(customer))
	}
	manager.post(act, url.Values{"object": {sub}})
	if manager.status != http.StatusConflict {
		t.Errorf("a second press: %d", manager.status)
	}
	got := manager.get(page).text("main")
	for _, want := range []string{"End the subscription? It waits for a decision", "Decided by Ines to end the subscription", "Done at Stripe: end the subscription"} {
		if !strings.Contains(got, want) {
			t.Errorf("the line of time lacks %q:\n%s", want, got)
		}
	}
	if c := h.caseOf(customer); c.Status != dunning.Exhausted || c.Access != campaign.Suspended {
		t.Errorf("afterwards the case is %s, access %s", c.Status, c.Access)
	}
	if n := h.count(`SELECT count(*) FROM audit WHERE action IN ('case.final_ordered', 'stripe.cancel')`); n != 2 {
		t.Errorf("%d entries in the audit log", n)
	}
	reader := h.colleague(staff.Admin)
	linked := map[string]bool{}
	for _, a := range reader.get("/admin/audit").at("/admin/audit", 200).page.Find("main tbody a").EachIter() {
		linked[a.AttrOr("href", "")] = true
	}
	if !linked["/admin/customers/"+customer] {
		t.Errorf("the audit log leads to %v, not to %s", linked, customer)
	}
	for address := range linked {
		if status := reader.get(address).status; status != 200 {
			t.Errorf("the audit log leads to %s: %d", address, status)
		}
	}

	h.walk(24 * time.Hour)
	mails = h.mailsTo("anneke@waal.example")
	last := mails[len(mails)-1]
	if len(mails) != 3 || last.Subject != "Your Lumen Studio subscription has ended" || !strings.Contains(last.Text, "If you think this is wrong") {
		t.Fatalf("%d mails, the last %q:\n%s", len(mails), last.Subject, last.Text)
	}
	b := h.browser()
	b.get(linkIn(t, last)).at("/pay", 200)
	if !strings.Contains(b.text("main"), "We ended your subscription on") || b.page.Find("form[action^='/pay/review']").Length() == 0 {
		t.Errorf("their page: %s", b.text("main"))
	}
	h.ask("invoices/"+invoice+"/pay", url.Values{"paid_out_of_band": {"true"}})
	h.settle()
	if c := h.caseOf(customer); c.Status != dunning.Recovered || c.Access != campaign.Full {
		t.Errorf("paid after all: %s, access %s", c.Status, c.Access)
	}
	h.walk(24 * time.Hour)
	mails = h.mailsTo("anneke@waal.example")
	if last = mails[len(mails)-1]; !strings.Contains(last.Subject, "all is settled") || strings.Contains(last.Text, "full access") {
		t.Errorf("the thank-you mail says %q:\n%s", last.Subject, last.Text)
	}
	if got := b.get("/pay").text("main"); !strings.Contains(got, "We ended your subscription on") {
		t.Errorf("after payment their page hides that the subscription ended: %s", got)
	}
}

// A manager may decide against it, and says why. The case goes on without it.
func TestAFinalActIsDeclined(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer, _ := h.toTheEnd("cancel")
	manager := h.colleague(staff.Manager)
	page := "/admin/customers/" + customer
	manager.get(page+"?act=final-decline").at(page, 200)
	decline := "/admin/cases/" + h.caseOf(customer).ID + "/final/decline"
	manager.press(decline)
	if manager.status != http.StatusUnprocessableEntity || h.finalOf(customer).Status != dunning.FinalProposed {
		t.Errorf("without a reason: %d", manager.status)
	}
	manager.post(decline, url.Values{"reason": {"They called; the bank is moving."}}).at(page, 200)
	h.walk(3 * 24 * time.Hour)
	if c := h.caseOf(customer); c.Status != dunning.Exhausted || c.Access != campaign.Grace || h.subscription(customer)["status"] != "past_due" {
		t.Errorf("the case is %s, access %s, the subscription %v", c.Status, c.Access, h.subscription(customer)["status"])
	}
	if !strings.Contains(manager.get(page).text("main"), "They called; the bank is moving.") || len(h.mailsTo("anneke@waal.example")) != 2 {
		t.Error("the reason is not kept, or the customer was told")
	}
}

// Where the merchant has switched it on, acts are done by themselves: once, and what they are about shows everywhere.
func TestFinalActsByThemselves(t *testing.T) {
	t.Parallel()
	t.Run("pause", func(t *testing.T) {
		t.Parallel()
		h := open(t, automatic)
		customer, _ := h.toTheEnd("pause")
		s := h.subscription(customer)
		pause, _ := s["pause_collection"].(map[string]any)
		if pause["behavior"] != "void" || s["status"] != "past_due" || h.finalOf(customer).Status != dunning.FinalDone {
			t.Errorf("the subscription is %v, collection %v, act %+v", s["status"], pause, h.finalOf(customer))
		}
		if c := h.caseOf(customer); c.Status != dunning.Exhausted || c.Access != campaign.Suspended {
			t.Errorf("the case is %s, access %s", c.Status, c.Access)
		}
	})
	t.Run("uncollectible", func(t *testing.T) {
		t.Parallel()
		h := open(t, automatic)
		customer, invoice := h.toTheEnd("uncollectible")
		if s := h.ask("invoices/"+invoice, nil)["status"]; s != "uncollectible" || h.told("invoice.marked_uncollectible") != 1 {
			t.Fatalf("the invoice is %v, %d events", s, h.told("invoice.marked_uncollectible"))
		}
		if c := h.caseOf(customer); c.Status != dunning.Canceled || c.Access != campaign.Full {
			t.Errorf("the case is %s, access %s", c.Status, c.Access)
		}
		h.walk(24 * time.Hour)
		mails := h.mailsTo("anneke@waal.example")
		last := mails[len(mails)-1]
		b := h.browser()
		b.get(linkIn(t, last)).at("/pay", 200)
		if !strings.Contains(last.Subject, "We no longer ask for") || !strings.Contains(b.text("main"), "because it was still unpaid, as we had told you") {
			t.Errorf("%q, and the page says %s", last.Subject, b.text("main"))
		}
		hosted := h.ask("invoices/"+invoice, nil)["hosted_invoice_url"].(string)
		if got := b.page.Find("form[action='/pay/hosted'] .main-act").Length(); got != 1 {
			t.Errorf("%d ways to pay it all the same", got)
		}
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		if b.press("/pay/hosted"); b.header.Get("Location") != hosted {
			t.Errorf("the button leads to %s", b.header.Get("Location"))
		}
		h.fillHosted(hosted, "4242424242424242")
		h.settle()
		if c := h.caseOf(customer); c.Status != dunning.Recovered {
			t.Errorf("paid after it was written off: %s", c.Status)
		}
	})
	t.Run("leave", func(t *testing.T) {
		t.Parallel()
		h := open(t, automatic)
		h.apply(strings.Replace(withFinal("leave"), "    access: suspended\n    consequence: true\n", "", 1))
		customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
		h.fail(customer, "insufficient_funds")
		h.walk(10 * 24 * time.Hour)
		if c := h.caseOf(customer); c.Status != dunning.Exhausted || h.count(`SELECT count(*) FROM final_acts`) != 0 {
			t.Errorf("the case is %s with %d acts", c.Status, h.count(`SELECT count(*) FROM final_acts`))
		}
	})
}

// A further renewal fails after the act was announced: its customer was never told of that one, so a person decides.
func TestAnActByItselfIsAboutWhatWasOverdueWhenItWasAnnounced(t *testing.T) {
	t.Parallel()
	h := open(t, automatic)
	h.apply(withFinal("uncollectible"))
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	first := h.fail(customer, "insufficient_funds")
	h.walk(7 * 24 * time.Hour)
	second := h.fail(customer, "insufficient_funds")
	h.walk(4 * 24 * time.Hour)
	if f := h.finalOf(customer); f.Status != dunning.FinalProposed {
		t.Errorf("the act is %s", f.Status)
	}
	for _, invoice := range []string{first, second} {
		if s := h.ask("invoices/"+invoice, nil)["status"]; s != "open" {
			t.Errorf("%s is %v", invoice, s)
		}
	}
	story("became overdue after it was announced")(&scene{house: h})
	err := h.stripe.Pay(second, false)
	if err != nil {
		t.Fatal(err)
	}
	h.walk(2 * 24 * time.Hour)
	if s := h.ask("invoices/"+first, nil)["status"]; s != "uncollectible" {
		t.Errorf("the late one is paid, and the one of which they were told is %v", s)
	}
}

// The mail that tells what was done in the end counts as every other message of ours does, so it keeps its distance from
// the one before.
func TestNewsOfAFinalActKeepsItsDistance(t *testing.T) {
	t.Parallel()
	h := open(t, automatic)
	last := `  - {key: last-word, day: 9, at: "10:30", channels: [email]}` + "\n  - key: end\n"
	h.apply(strings.Replace(withFinal("cancel"), "  - key: end\n", last, 1))
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	h.walk(12 * 24 * time.Hour)
	mails := h.mailsTo("anneke@waal.example")
	if len(mails) != 4 || h.finalOf(customer).Status != dunning.FinalDone {
		t.Fatalf("%d mails, act %+v", len(mails), h.finalOf(customer))
	}
	if distance := mails[3].At.Sub(mails[2].At); distance < 24*time.Hour {
		t.Errorf("%q comes %s after %q", mails[3].Subject, distance, mails[2].Subject)
	}
}

// Of several invoices that were written off the button pays the oldest, and the list begins with it, as everywhere.
func TestTheOldestWrittenOffInvoiceIsPaidFirst(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	var invoices []string
	for range 3 {
		invoices = append(invoices, h.fail(customer, "insufficient_funds"))
		h.walk(2 * 24 * time.Hour)
	}
	for _, i := range invoices {
		h.ask("invoices/"+i+"/mark_uncollectible", url.Values{})
	}
	h.settle()
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("anneke@waal.example")[0])).at("/pay", http.StatusOK)
	if got := b.page.Find("form[action='/pay/hosted'] input[name=invoice]").First().AttrOr("value", ""); got != invoices[0] {
		t.Errorf("the button pays %s of %v", got, invoices)
	}
	var shown []int
	for _, i := range invoices {
		number := h.ask("invoices/"+i, nil)["number"].(string)
		shown = append(shown, strings.Index(b.text("main"), number))
		if !strings.Contains(b.text("main"), number) {
			t.Errorf("%s is not listed: %s", number, b.text("main"))
		}
	}
	if !slices.IsSorted(shown) {
		t.Errorf("they are listed at %v", shown)
	}
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if b.press("/pay/hosted"); b.header.Get("Location") != h.ask("invoices/"+invoices[0], nil)["hosted_invoice_url"] {
		t.Errorf("it leads to %s", b.header.Get("Location"))
	}
}

// fillHosted pays an invoice on Stripe's own page, without script.
func (h *house) fillHosted(address, number string) {
	h.t.Helper()
	resp, err := http.PostForm(address, url.Values{"number": {number}, "expiry": {"12/34"}, "cvc": {"123"}})
	if err != nil {
		h.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		h.t.Fatalf("Stripe's page answers %d", resp.StatusCode)
	}
}

// Nothing final happens to a customer of whom nobody is sure that they were told.
func TestAFinalActNeedsASentNotice(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"uncertain", "failed"} {
		h := open(t, automatic)
		h.apply(withFinal("cancel"))
		customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
		h.fail(customer, "insufficient_funds")
		h.walk(4 * 24 * time.Hour)
		err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(`UPDATE notices SET status = $1 WHERE step = 'warning'`, status)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		h.walk(9 * 24 * time.Hour)
		if h.count(`SELECT count(*) FROM final_acts`) != 0 || h.subscription(customer)["status"] != "past_due" || h.caseOf(customer).Access != campaign.Grace {
			t.Errorf("%s: the subscription is %v, access %s", status, h.subscription(customer)["status"], h.caseOf(customer).Access)
		}
		if got := h.colleague(staff.Manager).get("/admin?view=person").text("main"); !strings.Contains(got, "A consequence waits") || !strings.Contains(got, "waits for a person") {
			t.Errorf("%s: the work list lacks it, or says that it comes by itself:\n%s", status, got)
		}
		h.stop()
	}
}

// Between the decision and the deed Stripe is read again: whoever paid meanwhile loses nothing, and while Stripe does
// not answer nothing happens.
func TestPaymentBetweenDecisionAndDeed(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer, invoice := h.toTheEnd("cancel")
	manager := h.colleague(staff.Manager)
	page := "/admin/customers/" + customer
	manager.get(page + "?act=final")
	h.outage("500", 1000)
	manager.press("/admin/cases/"+h.caseOf(customer).ID+"/final").at(page, 200)
	h.settle()
	if f := h.finalOf(customer); f.Status != dunning.FinalOrdered {
		t.Fatalf("with Stripe down the act is %s", f.Status)
	}
	h.outage("500", 0)
	h.deaf() // and its events are late
	err := h.stripe.Pay(invoice, false)
	if err != nil {
		t.Fatal(err)
	}
	h.walk(10 * time.Minute)
	if f := h.finalOf(customer); f.Status != dunning.FinalDropped || h.subscription(customer)["status"] != "active" || h.caseOf(customer).Status != dunning.Recovered {
		t.Errorf("the act is %s, the subscription %v, the case %s", f.Status, h.subscription(customer)["status"], h.caseOf(customer).Status)
	}
}

// A case that comes to rest after the decision gives the decision back.
func TestARestBetweenDecisionAndDeed(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer, _ := h.toTheEnd("cancel")
	manager := h.colleague(staff.Manager)
	page := "/admin/customers/" + customer
	manager.get(page + "?act=final")
	h.outage("500", 1000)
	manager.press("/admin/cases/"+h.caseOf(customer).ID+"/final").at(page, 200)
	h.settle()
	manager.post("/admin/cases/"+h.caseOf(customer).ID+"/pause", url.Values{"reason": {"They called."}}).at(page, 200)
	h.outage("500", 0)
	h.walk(10 * time.Minute)
	if f := h.finalOf(customer); f.Status != dunning.FinalProposed || f.Actor != "" || h.subscription(customer)["status"] != "past_due" {
		t.Errorf("the act is %+v, the subscription %v", f, h.subscription(customer)["status"])
	}
	if manager.get(page).page.Find("a[href*='act=final']").Length() != 0 {
		t.Error("while it rests it is offered")
	}
}

// cutOff lets the order through and loses the answer, as a program that dies in between does.
type cutOff struct {
	*gateway.Client
	calls int
}

func (c *cutOff) CancelSubscription(ctx context.Context, id, comment string) error {
	c.calls++
	return errors.Join(c.Client.CancelSubscription(ctx, id, comment), errors.New("the program died"))
}

func (c *cutOff) MarkUncollectible(ctx context.Context, id, key string) error {
	c.calls++
	return errors.Join(c.Client.MarkUncollectible(ctx, id, key), errors.New("the program died"))
}

// An act whose answer was lost is found to have come to pass, and is not asked for again.
func TestAFinalActCutOffIsDoneOnce(t *testing.T) {
	t.Parallel()
	for act, event := range map[string]string{"cancel": "customer.subscription.deleted", "uncollectible": "invoice.marked_uncollectible"} {
		h := open(t)
		customer, _ := h.toTheEnd(act)
		manager := h.colleague(staff.Manager)
		page := "/admin/customers/" + customer
		manager.get(page + "?act=final")
		object := manager.page.Find("#question input[name=object]").AttrOr("value", "")
		id := h.caseOf(customer).ID
		err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
			_, err := h.portal.Cases.OrderFinal(t.Context(), tx, id, []string{object}, "Ines", h.clock.now())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		broken := &cutOff{Client: h.portal.Stripe}
		finals := jobs.Finals{DB: h.portal.DB, Cases: h.portal.Cases, Intake: h.portal.Intake, Stripe: broken, Now: h.clock.now, Log: slog.New(slog.DiscardHandler)}
		for range 2 { // the second finds that another has it
			_, err = finals.RunOnce(t.Context())
			if err != nil {
				t.Fatal(err)
			}
		}
		if f := h.finalOf(customer); broken.calls != 1 || f.Status != dunning.FinalOrdered {
			t.Fatalf("%s: %d calls, the act is %s", act, broken.calls, f.Status)
		}
		h.walk(10 * time.Minute)
		if f := h.finalOf(customer); f.Status != dunning.FinalDone || h.told(event) != 1 {
			t.Errorf("%s: the act is %+v, %d events", act, f, h.told(event))
		}
		h.walk(24 * time.Hour)
		if n := len(h.mailsTo("anneke@waal.example")); n != 3 {
			t.Errorf("%s: %d mails", act, n)
		}
		h.stop()
	}
}
