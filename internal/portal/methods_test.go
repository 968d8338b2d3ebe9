package portal_test

import (
	"database/sql"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/billing"
	"sollecito/internal/config"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/sandbox"
)

// withTwoCards is the house with a customer who owes, with a Visa that everything is charged to and a Mastercard beside
// it, at their page.
func withTwoCards(t *testing.T, change ...func(*config.Config)) (h *house, customer, visa, mastercard string, b *browser) {
	h = open(t, change...)
	customer = h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	visa = h.ask("customers/"+customer, nil)["invoice_settings"].(map[string]any)["default_payment_method"].(string)
	mastercard = h.ask("payment_methods/pm_card_mastercard/attach", url.Values{"customer": {customer}})["id"].(string)
	h.fail(customer, "insufficient_funds")
	h.walk(24 * time.Hour)
	b = h.browser()
	b.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0])).at("/pay", http.StatusOK)
	return h, customer, visa, mastercard, b
}

var codePattern = regexp.MustCompile(`(?m)^\s*\x{2068}?(\d{6})\x{2069}?\s*$`)

// code answers the code of the newest mail to the address.
func (h *house) code(address string) string {
	h.t.Helper()
	h.settle()
	mails := h.mailsTo(address)
	newest := mails[len(mails)-1]
	found := codePattern.FindStringSubmatch(newest.Text)
	if found == nil {
		h.t.Fatalf("no code in %q:\n%s", newest.Subject, newest.Text)
	}
	if strings.Contains(newest.Subject, found[1]) || linkPattern.MatchString(newest.Text+newest.HTML) {
		h.t.Errorf("the code stands in the subject, or a link beside it: %q", newest.Subject)
	}
	return found[1]
}

func (h *house) attached(customer string) int {
	h.t.Helper()
	return len(h.ask("customers/"+customer+"/payment_methods", nil)["data"].([]any))
}

// A card is taken off with a code from the mailbox: nothing before it does, another takes its place where the removed
// one stood, and the customer and staff are told.
func TestACardIsTakenOffWithACode(t *testing.T) {
	t.Parallel()
	h, customer, visa, mastercard, b := withTwoCards(t)
	b.press("/pay/review") // a promise or a payment may be begun besides
	b.get("/pay/methods").at("/pay/methods", http.StatusOK)
	if rows := b.page.Find("ul.list > li"); rows.Length() != 2 || !strings.Contains(rows.First().Text(), "Pays for: Studio plan") ||
		!strings.Contains(rows.Last().Text(), "Not in use") || !strings.Contains(rows.Last().Text(), "Mastercard ending 4444") {
		t.Fatalf("the list says: %s", b.text("main"))
	}
	remove := "/pay/methods/" + visa + "/remove"
	b.get(remove).at(remove, http.StatusOK)
	if b.page.Find("input[name=code]").Length() != 0 {
		t.Error("a code is asked for before it was sent")
	}
	b.post(remove, url.Values{"code": {"123456"}, "successor": {mastercard}})
	if b.status != http.StatusUnprocessableEntity || h.attached(customer) != 2 {
		t.Fatalf("without a code: %d, %d cards", b.status, h.attached(customer))
	}
	b.get(remove).press("/pay/methods/"+visa+"/code").at(remove, http.StatusOK)
	field := b.page.Find("input[name=code]")
	if field.AttrOr("autocomplete", "") != "one-time-code" || field.AttrOr("inputmode", "") != "numeric" || field.AttrOr("maxlength", "") == "6" {
		t.Errorf("the field cannot be filled or pasted into well: %v", field.Nodes)
	}
	code := h.code("chiara@bellini.example")

	// Another's session with the same link, and another thing, are not what the code was sent for.
	other := h.browser()
	other.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0]))
	other.post(remove, url.Values{"code": {code}, "successor": {mastercard}})
	if other.status != http.StatusUnprocessableEntity {
		t.Errorf("another session used the code: %d", other.status)
	}
	b.post("/pay/methods/"+mastercard+"/remove", url.Values{"code": {code}})
	if b.status != http.StatusUnprocessableEntity || h.attached(customer) != 2 {
		t.Errorf("the code took another card off: %d", b.status)
	}
	b.post(remove, url.Values{"code": {code}, "successor": {"pm_somebody_elses"}})
	if b.status != http.StatusUnprocessableEntity || b.page.Find("#successor-fault").Length() != 1 {
		t.Errorf("anything may take its place: %d", b.status)
	}

	b.post(remove, url.Values{"code": {" " + code[:3] + " " + code[3:]}, "successor": {mastercard}}).at("/pay/methods", http.StatusOK)
	if !strings.Contains(b.text("[role=status]"), "Your Visa ending 4242 has been removed.") || b.page.Find("ul.list > li").Length() != 1 {
		t.Errorf("afterwards: %s", b.text("main"))
	}
	b.post(remove, url.Values{"code": {code}, "successor": {mastercard}})
	if b.status != http.StatusNotFound {
		t.Errorf("a code works twice: %d", b.status)
	}
	if h.attached(customer) != 1 || h.ask("customers/"+customer, nil)["invoice_settings"].(map[string]any)["default_payment_method"] != mastercard {
		t.Errorf("at Stripe: %d cards", h.attached(customer))
	}
	h.settle()
	mails := h.mailsTo("chiara@bellini.example")
	told := mails[len(mails)-1]
	if !strings.Contains(told.Subject, "removed") || !strings.Contains(told.Text, "Visa ending 4242") || !strings.Contains(told.Text, "Mastercard ending 4444") {
		t.Errorf("told: %q\n%s", told.Subject, told.Text)
	}
	if paid := h.ask("invoices/"+h.openInvoice(customer), nil)["status"]; paid != "open" {
		t.Errorf("choosing another card charged it: %v", paid)
	}
	b.get("/pay").at("/pay", http.StatusOK)
	if strings.Contains(b.text("main"), "4242") {
		t.Errorf("the removed card is still offered: %s", b.text("main"))
	}
	var entries []audit.Entry
	err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		var copies int
		err := tx.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM copies WHERE own LIKE $1) + (SELECT count(*) FROM copy_forms WHERE fixed LIKE $1)`, "%"+code+"%").Scan(&copies)
		if err != nil {
			return err
		}
		if copies != 0 || strings.Contains(h.log.String(), code) {
			t.Error("the code was kept")
		}
		entries, err = audit.List(t.Context(), tx, 0, 10)
		return err
	})
	if err != nil || len(entries) != 1 || entries[0].Action != "method.remove" || entries[0].Detail != visa {
		t.Errorf("the audit log: %+v, %v", entries, err)
	}
	if story := h.staffIn().get("/admin/customers/" + customer).text("main"); !strings.Contains(story, "Removed Visa ending 4242 on their page") ||
		!strings.Contains(story, "charged to Mastercard ending 4444 from now on") {
		t.Errorf("staff are not told: %s", story)
	}
}

// Two sessions take the customer's two cards off at the same moment, each with the other to take its place: one is taken
// off, and never both. Afterwards an order that counts on what is gone, or leaves a plan without a card, is refused.
func TestTwoCardsAreNotTakenOffAtOnce(t *testing.T) {
	t.Parallel()
	h, customer, visa, mastercard, _ := withTwoCards(t)
	order := func(method, successor string) (billing.Removal, error) {
		r := billing.Removal{CustomerID: customer, MethodID: method, Successor: successor}
		err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
			err := database.Hold(t.Context(), tx, customer)
			if err != nil {
				return err
			}
			return h.portal.Desk.OrderRemoval(t.Context(), tx, &r, "req_1")
		})
		return r, err
	}
	orders := make(chan billing.Removal, 2)
	var sessions sync.WaitGroup
	for _, o := range [][2]string{{visa, mastercard}, {mastercard, visa}} {
		sessions.Go(func() {
			r, err := order(o[0], o[1])
			if err == nil {
				orders <- r
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	sessions.Wait()
	if len(orders) != 1 {
		t.Fatalf("%d orders stand", len(orders))
	}
	done := <-orders
	err := h.portal.Desk.Remove(t.Context(), done)
	if err != nil || h.attached(customer) != 1 {
		t.Fatalf("%d cards, %v", h.attached(customer), err)
	}
	for _, successor := range []string{done.MethodID, ""} {
		_, err = order(done.Successor, successor)
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("the last card with %q to take its place: %v", successor, err)
		}
	}
}

// What still runs on the only card keeps it, in a clear sentence; a code is not even sent.
func TestTheOnlyCardOfARunningPlanStays(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	visa := h.ask("customers/"+customer, nil)["invoice_settings"].(map[string]any)["default_payment_method"].(string)
	h.fail(customer, "insufficient_funds")
	h.walk(24 * time.Hour)
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0]))
	b.get("/pay/methods/"+visa+"/remove").at("/pay/methods/"+visa+"/remove", http.StatusOK)
	if !strings.Contains(b.text("main"), "Nothing else is saved that could pay for Studio plan") || b.page.Find("main form").Length() != 0 {
		t.Errorf("it says: %s", b.text("main"))
	}
	before := len(h.mailsTo("chiara@bellini.example"))
	b.post("/pay/methods/"+visa+"/code", nil)
	h.settle()
	if after := len(h.mailsTo("chiara@bellini.example")); after != before {
		t.Errorf("%d mails for a code that leads nowhere", after-before)
	}
	// Another customer's card does not exist here.
	theirs := h.customer("Jonas Weber", "jonas@weber.example", "DE", "pm_card_mastercard")
	card := h.ask("customers/"+theirs, nil)["invoice_settings"].(map[string]any)["default_payment_method"].(string)
	for _, path := range []string{"remove", "code"} {
		b.post("/pay/methods/"+card+"/"+path, url.Values{"code": {"123456"}})
		if b.status != http.StatusNotFound || strings.Contains(b.text("main"), "4444") {
			t.Errorf("%s: %d %s", path, b.status, b.text("main"))
		}
	}
	// Once it is paid a link shows receipts only.
	err := h.stripe.Pay(h.openInvoice(customer), false)
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	b.get("/pay/methods").at("/pay", http.StatusOK)
	b.get("/pay/methods/"+visa+"/remove").at("/pay", http.StatusOK)
	b.post("/pay/methods/"+visa+"/code", nil).at("/pay", http.StatusOK)
}

// keepsCards puts something before Stripe that answers no order to detach a card while it is down.
func keepsCards(t *testing.T, down *atomic.Bool) func(*config.Config) {
	return unanswered(t, down, "/detach")
}

// unanswered puts a gate before Stripe that answers no call of one kind while it is down.
func unanswered(t *testing.T, down *atomic.Bool, call string) func(*config.Config) {
	return func(c *config.Config) {
		api, err := url.Parse(c.StripeAPI)
		if err != nil {
			t.Fatal(err)
		}
		through := httputil.NewSingleHostReverseProxy(api)
		gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if down.Load() && strings.HasSuffix(r.URL.Path, call) {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			through.ServeHTTP(w, r)
		}))
		t.Cleanup(gate.Close)
		c.StripeAPI = gate.URL
	}
}

// Stripe does not answer when the code was typed: the order is kept, and done when Stripe answers again.
func TestARemovalIsSeenThrough(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	h, customer, visa, mastercard, b := withTwoCards(t, keepsCards(t, &down))
	remove := "/pay/methods/" + visa + "/remove"
	b.get(remove).press("/pay/methods/" + visa + "/code")
	code := h.code("chiara@bellini.example")
	down.Store(true)
	b.post(remove, url.Values{"code": {code}, "successor": {mastercard}}).at("/pay/methods", http.StatusOK)
	if !strings.Contains(b.text("[role=status]"), "is being removed") || h.attached(customer) != 2 {
		t.Fatalf("%d %s", h.attached(customer), b.text("main"))
	}
	down.Store(false)
	h.walk(5 * time.Minute)
	if h.attached(customer) != 1 {
		t.Error("it was forgotten")
	}
	b.get("/pay/methods")
	if !strings.Contains(b.text("main"), "4444") || strings.Contains(b.text("main"), "4242") {
		t.Errorf("afterwards: %s", b.text("main"))
	}
}

// A wrong code is tried five times, and three codes are sent in an hour.
func TestCodesAreNotGuessed(t *testing.T) {
	t.Parallel()
	h, customer, _, mastercard, b := withTwoCards(t)
	remove := "/pay/methods/" + mastercard + "/remove"
	b.get(remove).press("/pay/methods/" + mastercard + "/code")
	code := h.code("chiara@bellini.example")
	wrong := "000000"
	if code == wrong {
		wrong = "111111"
	}
	for n := range 6 {
		b.post(remove, url.Values{"code": {wrong}})
		void := strings.Contains(b.text("#code-fault"), "no longer works")
		if b.status != http.StatusUnprocessableEntity || void != (n >= 4) {
			t.Fatalf("try %d: %d %s", n+1, b.status, b.text("main"))
		}
	}
	b.post(remove, url.Values{"code": {code}})
	if h.attached(customer) != 2 {
		t.Fatal("the right code worked after five wrong ones")
	}
	for range 2 {
		b.post("/pay/methods/"+mastercard+"/code", nil)
	}
	before := len(h.mailsTo("chiara@bellini.example"))
	b.post("/pay/methods/"+mastercard+"/code", nil)
	h.settle()
	if b.status != http.StatusUnprocessableEntity || !strings.Contains(b.text("main"), "any more codes within this hour") {
		t.Errorf("a fourth: %d %s", b.status, b.text("main"))
	}
	if after := len(h.mailsTo("chiara@bellini.example")); after > before+2 {
		t.Errorf("%d mails", after-before)
	}
}

// Whoever doubts a mail is answered the same, known or not, and a list of what was sent goes to the address on file.
func TestWhetherAMailIsOurs(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	invoice := h.fail(customer, "insufficient_funds")
	h.walk(24 * time.Hour)
	reminder := h.mailsTo("chiara@bellini.example")[0]
	if !strings.Contains(reminder.Text, h.base+"/pay/genuine\n") && !strings.HasSuffix(strings.TrimSpace(reminder.Text), "/pay/genuine") {
		t.Errorf("the mail does not name the page:\n%s", reminder.Text)
	}
	number := h.ask("invoices/"+invoice, nil)["number"].(string)
	b := h.browser()
	b.get("/pay/genuine").at("/pay/genuine", http.StatusOK)
	if !strings.Contains(b.text("main"), "lumen.example") {
		t.Errorf("it does not say how to tell: %s", b.text("main"))
	}
	said := ""
	for n, reference := range []string{"nobody@example.com", "chiara@bellini.example", strings.ToLower(number), "LS-0000"} {
		b.post("/pay/genuine", url.Values{"reference": {reference}}).at("/pay/genuine/sent", http.StatusOK)
		if n > 0 && b.text("body") != said {
			t.Errorf("%s is answered otherwise:\n%s", reference, b.text("body"))
		}
		said = b.text("body")
	}
	lists := func() (all []sandbox.Mail) {
		h.settle()
		for _, m := range h.mailsTo("chiara@bellini.example") {
			if strings.Contains(m.Subject, "has sent you recently") {
				all = append(all, m)
			}
		}
		return all
	}
	ask := func(reference string, presses int) {
		var all sync.WaitGroup
		for range presses {
			all.Go(func() {
				also := &browser{t: h.t, base: b.base, client: b.client}
				also.post("/pay/genuine", url.Values{"reference": {reference}}).at("/pay/genuine/sent", http.StatusOK)
			})
		}
		all.Wait()
	}
	if got := lists(); len(got) != 1 || !strings.Contains(got[0].Text, reminder.Subject) || linkPattern.MatchString(got[0].Text) {
		t.Errorf("%d lists: %+v", len(got), got)
	}
	if mails := h.mailsTo("nobody@example.com"); len(mails) != 0 {
		t.Errorf("a stranger was written to: %+v", mails)
	}
	h.walk(23 * time.Hour)
	ask("chiara@bellini.example", 4)
	if got := lists(); len(got) != 1 {
		t.Errorf("%d lists in a day", len(got))
	}
	h.walk(2 * time.Hour)
	ask(number, 4)
	if got := lists(); len(got) != 2 {
		t.Errorf("%d lists on the second day", len(got))
	}
	h.walk(25 * time.Hour)
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error { // so many were written to others
		for range 60 {
			_, err := database.Within(t.Context(), tx, "genuine", time.Hour, 60, time.Now())
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ask("chiara@bellini.example", 1)
	if got := lists(); len(got) != 2 {
		t.Errorf("%d lists, though sixty were sent within the hour", len(got))
	}
	b.post("/pay/genuine", url.Values{"reference": {"chiara@"}})
	if b.status != http.StatusUnprocessableEntity || b.page.Find("#reference-fault").Length() != 1 {
		t.Errorf("half an address: %d", b.status)
	}
}
