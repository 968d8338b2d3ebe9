package portal_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"sollecito/internal/billing"
	"sollecito/internal/config"
	"sollecito/internal/dunning"
	"sollecito/internal/gateway"
	"sollecito/internal/staff"
)

const ownRetries = `name: own-retries
title: Our own retries
retries: {days: [1, 3, 5, 7], at: "09:00"}
steps:
  - key: first
    day: 10
    at: "10:00"
    channels: [email]
`

// chargesOf answers when each charge of an invoice was made at Stripe and how it ended, oldest first.
func (h *house) chargesOf(customer, invoice string) []string {
	h.t.Helper()
	var all []string
	for _, c := range h.ask("charges?limit=100&customer="+customer, nil)["data"].([]any) {
		charge := c.(map[string]any)
		if charge["invoice"] == invoice {
			at := time.Unix(int64(charge["created"].(float64)), 0).UTC()
			all = append(all, at.Format("2 15:04")+" "+charge["status"].(string))
		}
	}
	slices.Reverse(all)
	return all
}

func (h *house) tries(customer string) []billing.Attempt {
	h.t.Helper()
	var all []billing.Attempt
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		var err error
		all, err = billing.Tries(h.t.Context(), tx, customer)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	slices.SortStableFunc(all, func(a, b billing.Attempt) int { return cmp.Compare(a.StartedAt, b.StartedAt) })
	return all
}

func (h *house) story(customer string) string {
	h.t.Helper()
	var told strings.Builder
	c := h.caseOf(customer)
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		entries, err := h.portal.Cases.Story(h.t.Context(), tx, c.ID)
		for _, e := range entries {
			fmt.Fprintf(&told, "%s: %s\n", e.What, e.Why)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return told.String()
}

func (h *house) status(invoice string) string {
	h.t.Helper()
	return h.ask("invoices/"+invoice, nil)["status"].(string)
}

// Where Stripe tries nothing by itself, the campaign's own retries do, on their days, a day apart at least, and the
// third succeeds.
func TestOurOwnRetriesRunOnTheirDays(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(ownRetries)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	invoice := h.fail(customer, "do_not_honor")
	h.ask("invoices/"+invoice, url.Values{"auto_advance": {"false"}})
	h.settle()
	h.walk(4 * day)
	want := []string{"2 09:00 failed", "3 09:00 failed", "5 08:00 failed"} // 09:00 in Amsterdam would be less than a day after the failure
	if got := h.chargesOf(customer, invoice); !slices.Equal(got, want) {
		t.Fatalf("charges %v, want %v\n%s", got, want, h.story(customer))
	}
	err := h.stripe.Relent(invoice, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	h.walk(5 * day)
	want = append(want, "7 08:00 succeeded")
	if got := h.chargesOf(customer, invoice); !slices.Equal(got, want) {
		t.Fatalf("charges %v, want %v\n%s", got, want, h.story(customer))
	}
	if c := h.caseOf(customer); c.Status != dunning.Recovered {
		t.Errorf("the case is %s", c.Status)
	}
	by := map[billing.Initiator]int{}
	for _, a := range h.tries(customer) {
		if a.InvoiceID == invoice {
			by[a.By]++
			if a.Card == "" || a.Network != "visa" || a.Charge == "" {
				t.Errorf("a try without its card: %+v", a)
			}
		}
	}
	if by[billing.ByStripe] != 1 || by[billing.BySchedule] != 3 || len(by) != 2 {
		t.Errorf("tries %v", by)
	}
}

// Where Stripe's retries are on for the invoice ours refuse, and say so to staff.
func TestOurRetriesStayOffWhereStripesAreOn(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(ownRetries)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	invoice := h.fail(customer, "do_not_honor")
	h.walk(20 * day)
	want := []string{"2 09:00 failed", "5 09:00 failed", "10 09:00 failed", "17 09:00 failed"} // 3, 5 and 7 days: Stripe's own
	if got := h.chargesOf(customer, invoice); !slices.Equal(got, want) {
		t.Errorf("charges %v, want %v", got, want)
	}
	for _, a := range h.tries(customer) {
		if a.InvoiceID == invoice && a.By != billing.ByStripe {
			t.Errorf("a try by %s", a.By)
		}
	}
	if told := h.story(customer); !strings.Contains(told, "Our retry 1 of invoice") || !strings.Contains(told, "Stripe tries it again by itself") {
		t.Errorf("staff read\n%s", told)
	}
}

// A card that its network renewed is charged at once, for every open invoice, once, with no mail about it; so is another
// card that became the default at Stripe's own portal.
func TestANewCardIsChargedAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	renewed := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	first := h.fail(renewed, "expired_card")
	h.walk(time.Hour)
	method := h.ask("customers/"+renewed, nil)["invoice_settings"].(map[string]any)["default_payment_method"].(string)
	err := h.stripe.RenewCard(method, 12, 2031)
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	if h.status(first) != "paid" || h.caseOf(renewed).Status != dunning.Recovered {
		t.Errorf("the invoice is %s, the case %s\n%s", h.status(first), h.caseOf(renewed).Status, h.story(renewed))
	}

	other := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	dead := h.fail(other, "lost_card")
	second := h.fail(other, "lost_card")
	h.walk(time.Hour)
	pm := h.ask("payment_methods/pm_card_visa/attach", url.Values{"customer": {other}})["id"].(string) // the same number, left anew
	h.settle()
	if h.status(dead) != "open" {
		t.Error("a card that was only attached was charged")
	}
	h.ask("customers/"+other, url.Values{"invoice_settings[default_payment_method]": {pm}})
	h.settle()
	if h.status(dead) != "paid" || h.status(second) != "paid" || h.caseOf(other).Status != dunning.Recovered {
		t.Errorf("invoices are %s and %s\n%s", h.status(dead), h.status(second), h.story(other))
	}
	mails := len(h.mailsTo("anneke@waal.example"))
	h.walk(20 * day)
	if more := len(h.mailsTo("anneke@waal.example")); more > mails {
		for _, m := range h.mailsTo("anneke@waal.example")[mails:] {
			if !strings.Contains(m.Subject, "settled") && !strings.Contains(m.Subject, "paid") {
				t.Errorf("still told: %q", m.Subject)
			}
		}
	}
}

// A new card that is declined is tried once per invoice, whatever is told again; one whose bank asks leads to the page
// that confirms; while a case rests nothing is charged.
func TestANewCardThatDoesNotHelp(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	invoice := h.fail(customer, "lost_card")
	h.ask("invoices/"+invoice, url.Values{"auto_advance": {"false"}})
	bad := h.ask("payment_methods/pm_card_chargeCustomerFail/attach", url.Values{"customer": {customer}})["id"].(string)
	h.ask("customers/"+customer, url.Values{"invoice_settings[default_payment_method]": {bad}})
	h.walk(3 * day)
	h.ask("customers/"+customer, url.Values{"name": {"Anneke de Vries-Bos"}})
	h.walk(3 * day)
	if got := h.chargesOf(customer, invoice); len(got) != 2 {
		t.Errorf("charges %v", got)
	}
	asks := h.ask("payment_methods/pm_card_authenticationRequired/attach", url.Values{"customer": {customer}})["id"].(string)
	h.ask("customers/"+customer, url.Values{"invoice_settings[default_payment_method]": {asks}})
	h.settle()
	s := &scene{house: h, customer: customer}
	b := s.visit()
	if b.page.Find("form[action^='/pay/approve'], a[href^='/pay/approve']").Length() == 0 {
		t.Errorf("the page does not lead to the bank: %s", b.text("main"))
	}
}

// Two workers at once charge once.
func TestTwoWorkersRetryOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(ownRetries)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	invoice := h.fail(customer, "do_not_honor")
	h.ask("invoices/"+invoice, url.Values{"auto_advance": {"false"}})
	h.settle()
	h.clock.set(h.clock.now().Add(25 * time.Hour))
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			_, err := h.portal.Retries.RunOnce(context.Background())
			if err != nil {
				t.Error(err)
			}
		})
	}
	workers.Wait()
	if got := h.chargesOf(customer, invoice); len(got) != 2 {
		t.Errorf("charges %v", got)
	}
}

// Killed between keeping a retry and hearing what came of it, whether Stripe had got the order or not: what was kept is
// asked for again under the same key, and there is one charge.
func TestAKilledRetryChargesOnce(t *testing.T) {
	t.Parallel()
	for _, ordered := range []bool{false, true} {
		t.Run(fmt.Sprintf("ordered %v", ordered), func(t *testing.T) {
			t.Parallel()
			h := open(t)
			h.apply(ownRetries)
			customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
			invoice := h.fail(customer, "do_not_honor")
			h.ask("invoices/"+invoice, url.Values{"auto_advance": {"false"}})
			h.settle()
			h.clock.set(h.clock.now().Add(25 * time.Hour))
			key, method := h.claimRetry(invoice)
			if ordered {
				_, err := h.portal.Stripe.Pay(t.Context(), gateway.PayRequest{Invoice: invoice, Method: method, OffSession: true, Key: key})
				if err != nil {
					t.Fatal(err)
				}
			}
			h.settle() // who comes back to life does not charge beside it
			h.walk(20 * time.Minute)
			got := h.chargesOf(customer, invoice)
			if len(got) != 2 {
				t.Fatalf("charges %v\n%s", got, h.story(customer))
			}
			ended := 0
			for _, a := range h.tries(customer) {
				if a.InvoiceID != invoice {
					continue
				}
				ended++
				if a.Status != billing.AttemptDeclined || a.Charge == "" {
					t.Errorf("a try %+v", a)
				}
			}
			if ended != 2 {
				t.Errorf("%d tries are kept of two charges", ended)
			}
			h.walk(3 * day)
			if got := h.chargesOf(customer, invoice); len(got) != 3 {
				t.Errorf("and the next one: %v", got)
			}
		})
	}
}

// claimRetry does what a worker does up to the call: the retry's attempt is on disk, and its key is the answer.
func (h *house) claimRetry(invoice string) (key, method string) {
	h.t.Helper()
	err := h.portal.DB.Do(h.t.Context(), func(tx *sql.Tx) error {
		due, err := h.portal.Cases.DueRetries(h.t.Context(), tx, h.clock.now().Unix(), 5)
		if err != nil || len(due) != 1 || due[0].InvoiceID != invoice {
			return fmt.Errorf("due %v, %w", due, err)
		}
		order, may, err := h.portal.Cases.TakeRetry(h.t.Context(), tx, due[0], h.clock.now())
		if err != nil || !may {
			return fmt.Errorf("may %v, %w", may, err)
		}
		verdict, err := billing.MayCharge(h.t.Context(), tx, "", billing.BySchedule, order.Invoice, order.Method, h.clock.now())
		if err != nil {
			return err
		}
		kept, _, err := billing.StartAttempt(h.t.Context(), tx, billing.Attempt{
			Press: order.Press, CustomerID: order.Customer, InvoiceID: invoice, MethodID: order.Method, Kind: "charge", By: billing.BySchedule,
			Amount: order.Invoice.Remaining(), StartedAt: h.clock.now().Unix(), Card: verdict.Card, Network: verdict.Network,
		})
		key, method = kept.ID, order.Method
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return key, method
}

// A customer who tried a card often enough is told to wait or to use another one, on a page that leads there; the bank
// is not asked, and another card is another matter.
func TestACustomerWhoTriedOftenIsToldSo(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	invoice := h.fail(customer, "insufficient_funds")
	s := &scene{house: h, customer: customer}
	press := func() *browser {
		b := s.visit()
		b.press("/pay/review")
		return b.press("/pay/charge")
	}
	for n := range 5 {
		b := press()
		if b.path != "/pay/result" || !strings.Contains(b.text("main"), "declined the charge this time") {
			t.Fatalf("press %d: %s %s", n+1, b.path, b.text("main"))
		}
	}
	b := press()
	if b.status != http.StatusTooManyRequests || !strings.Contains(b.text("main"), "we pause after many tries") || !strings.Contains(b.text("main"), "It can be tried again from") {
		t.Errorf("the sixth within the hour: %d %s", b.status, b.text("main"))
	}
	if strings.Contains(b.text("main"), "another card") || b.page.Find("a[href^='/pay/card'], form[action^='/pay/card']").Length() > 0 || b.page.Find("form[action='/pay/hosted']").Length() != 1 {
		t.Errorf("another card is offered, or Stripe's page is not: %s", b.text("main"))
	}
	if got := asksFor(b, "/pay/card"); got != http.StatusTooManyRequests {
		t.Errorf("another card is asked for meanwhile: %d", got)
	}
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error { // the hour is over; it is counted by the real clock
		_, err := tx.ExecContext(t.Context(), `DELETE FROM limits`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b = press()
	if b.status != http.StatusOK || !strings.Contains(b.text("main"), "tried several times") || !strings.Contains(b.text("main"), "It can be tried again from") || b.page.Find("a[href^='/pay/card'], form[action^='/pay/card']").Length() == 0 {
		t.Errorf("the sixth: %d %s", b.status, b.text("main"))
	}
	if got := h.chargesOf(customer, invoice); len(got) != 6 {
		t.Errorf("charges %v", got)
	}
}

// staffIn signs a new manager in with both factors.
func (h *house) staffIn() *browser {
	h.t.Helper()
	token, err := h.portal.Members.Add(h.t.Context(), "ines@lumen.example", "Ines Rossi", staff.Manager)
	if err != nil {
		h.t.Fatal(err)
	}
	b := h.browser()
	b.post("/admin/enrol/"+token, url.Values{"password": {"violet trams hum at dawn"}}).at("/admin/factor", 200)
	code, err := totp.GenerateCode(strings.ReplaceAll(b.text(".secret"), " ", ""), time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	b.post("/admin/factor", url.Values{"code": {code}}).at("/admin/factor/codes", 200)
	b.post("/admin/factor/codes", url.Values{"kept": {"yes"}}).at("/admin", 200)
	return b
}

// A colleague charges an open invoice after seeing what it does: once for one order, within the budget, and not while
// the case rests.
func TestAColleagueTriesTheChargeNow(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	invoice := h.fail(customer, "do_not_honor")
	b := h.staffIn()
	b.get("/admin/customers/" + customer)
	if b.page.Find("a[href*='act=charge']").Length() != 0 {
		t.Error("offered within a day of the failure")
	}
	if facts := b.text("[aria-labelledby=facts]"); !strings.Contains(facts, "Planned by Stripe") {
		t.Errorf("facts: %s", facts)
	}
	if limits := b.text("[aria-labelledby=limits]"); !strings.Contains(limits, "Tries on Visa ·· 4242, 30 days1 of 15") {
		t.Errorf("limits: %s", limits)
	}
	h.walk(25 * time.Hour)
	b.get("/admin/customers/" + customer + "?act=charge")
	if asks := b.text("#question"); !strings.Contains(asks, "Charge €29.00 to Visa ·· 4242 now?") {
		t.Fatalf("asks %q", asks)
	}
	form := url.Values{}
	for _, name := range []string{"attempt", "expect"} {
		form.Set(name, b.page.Find("#question input[name="+name+"]").AttrOr("value", ""))
	}
	action := b.page.Find("#question form").AttrOr("action", "")
	b.post(action, form)
	if !strings.Contains(b.text("main"), "Charged by a colleague, €29.00") {
		t.Errorf("at %s %d: %s", b.path, b.status, b.text("main"))
	}
	b.post(action, form) // pressed twice
	if got := h.chargesOf(customer, invoice); len(got) != 2 {
		t.Errorf("charges %v", got)
	}
	used, expect := form.Get("attempt"), form.Get("expect")
	form.Set("attempt", "press_"+strings.Repeat("0", 26)) // another order, too soon
	if b.post(action, form); b.status != http.StatusConflict || !strings.Contains(b.text("main"), "less than a day old") {
		t.Errorf("%d %s", b.status, b.text("main"))
	}
	h.walk(25 * time.Hour)
	c := h.caseOf(customer)
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		return h.portal.Cases.Pause(t.Context(), tx, c.ID, dunning.PauseStaff, "", "Ines", time.Time{}, h.clock.now())
	})
	if err != nil {
		t.Fatal(err)
	}
	form.Set("attempt", "press_"+strings.Repeat("1", 26))
	if b.post(action, form); b.status != http.StatusConflict || !strings.Contains(b.text("main"), "The case rests") {
		t.Errorf("%d %s", b.status, b.text("main"))
	}
	if got := h.chargesOf(customer, invoice); len(got) != 2 {
		t.Errorf("charges %v", got)
	}
	other := h.fail(customer, "do_not_honor")
	form.Set("attempt", used) // an order of before does not open the way to another invoice
	form.Set("expect", strings.ReplaceAll(expect, invoice, other))
	if b.post(action, form); b.status != http.StatusBadRequest && b.status != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", b.status, b.text("main"))
	}
	if got := h.chargesOf(customer, other); len(got) != 1 {
		t.Errorf("charges of another invoice %v", got)
	}
}

// What a colleague is told of a charge they ordered is what is known of it: pressed twice it is the same charge, and one
// that Stripe did not answer may have been made.
func TestAColleagueIsToldWhatIsKnownOfTheirCharge(t *testing.T) {
	t.Parallel()
	var cut atomic.Bool
	h := open(t, func(c *config.Config) {
		stripe, err := url.Parse(c.StripeAPI)
		if err != nil {
			t.Fatal(err)
		}
		behind := httputil.NewSingleHostReverseProxy(stripe)
		line := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if cut.Load() && strings.HasSuffix(r.URL.Path, "/pay") {
				panic(http.ErrAbortHandler)
			}
			behind.ServeHTTP(w, r)
		}))
		t.Cleanup(line.Close)
		c.StripeAPI = line.URL
	})
	paying := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	waiting := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	invoice := h.fail(paying, "do_not_honor")
	h.fail(waiting, "do_not_honor")
	h.walk(25 * time.Hour)
	b := h.staffIn()
	pressTwice := func(customer, want string) {
		t.Helper()
		b.get("/admin/customers/" + customer + "?act=charge")
		action, form := b.page.Find("#question form").AttrOr("action", ""), url.Values{}
		for _, name := range []string{"attempt", "expect"} {
			form.Set(name, b.page.Find("#question input[name="+name+"]").AttrOr("value", ""))
		}
		for _, press := range []string{"first", "second"} {
			b.post(action, form)
			if got := b.text(".flash"); b.status != http.StatusOK || !strings.Contains(got, want) {
				t.Errorf("the %s press is answered %d at %s: %q, want %q", press, b.status, b.path, cmp.Or(got, b.text("main")), want)
			}
		}
	}
	err := h.stripe.Relent(invoice, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	pressTwice(paying, "The charge went through.")
	if got := h.chargesOf(paying, invoice); len(got) != 2 {
		t.Errorf("charges %v", got)
	}
	cut.Store(true)
	pressTwice(waiting, "Stripe has not answered yet.")
	cut.Store(false)
	reload := b.path + "?" + b.query
	h.walk(30 * time.Minute)
	if got := b.get(reload).text(".flash"); got != "" {
		t.Errorf("when it is known what came of it a reload says %q", got)
	}
}
