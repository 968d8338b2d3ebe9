package portal_test

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/checkout"
	"sollecito/internal/databasetest"
)

// tester confirms a card at Stripe directly, with what a page was handed, as somebody does who tries stolen cards: nothing
// of it comes back to our pages. It answers Stripe's status.
func (h *house) tester(intent, card string) int {
	h.t.Helper()
	kind := "setup_intents/"
	if strings.HasPrefix(intent, "pi_") {
		kind = "payment_intents/"
	}
	form := url.Values{"payment_method": {card}, "return_url": {h.base}}
	req, err := http.NewRequest(http.MethodPost, h.api.URL+"/v1/"+kind+intent+"/confirm", strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	req.SetBasicAuth(h.stripe.SecretKey(), "")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

const refusedCard = "pm_card_visa_chargeDeclined"

// asksFor asks for card fields on the page as it stands, and answers the status.
func asksFor(b *browser, page string) int {
	b.t.Helper()
	b.get(page).at(page, http.StatusOK)
	return b.post(page+"/intent", b.hidden("form[data-card]")).status
}

// Somebody with a link to pay may press as often as they like: it holds up neither the customer nor another guest.
func TestAGuestsPressesAreNotTheCustomers(t *testing.T) {
	t.Parallel()
	h, _, _, owner, payer, _ := handedOn(t)
	for n := range 16 {
		want := http.StatusOK
		if n == 15 {
			want = http.StatusTooManyRequests
		}
		if got := asksFor(payer, "/pay/invoice"); got != want {
			t.Fatalf("press %d: %d, want %d", n+1, got, want)
		}
	}
	if got := asksFor(owner, "/pay/card"); got != http.StatusOK {
		t.Errorf("the customer's own card: %d", got)
	}
	owner.get("/pay/share").at("/pay/share", http.StatusOK)
	owner.press("/pay/share").at("/pay/share", http.StatusOK)
	other := h.browser()
	other.get(owner.page.Find("#address").AttrOr("value", "")).at("/pay/invoice", http.StatusOK)
	if got := asksFor(other, "/pay/invoice"); got != http.StatusOK {
		t.Errorf("another guest: %d", got)
	}
}

// A guest's declined cards are the guest's: the customer may still try theirs.
func TestAGuestsDeclinesAreNotTheCustomers(t *testing.T) {
	t.Parallel()
	h, _, _, owner, payer, _ := handedOn(t)
	for range 5 {
		payer.get("/pay/invoice").at("/pay/invoice", http.StatusOK)
		if got := h.tester(payer.intentAt("/pay/invoice/intent", payer.hidden("form[data-card]")), refusedCard); got != http.StatusPaymentRequired {
			t.Fatal(got)
		}
		h.settle()
	}
	if got := asksFor(payer, "/pay/invoice"); got != http.StatusTooManyRequests {
		t.Errorf("the guest after five declined cards: %d", got)
	}
	if got := asksFor(owner, "/pay/card"); got != http.StatusOK {
		t.Errorf("the customer: %d", got)
	}
}

// A card whose decline is heard late, because Stripe did not answer the press, counts as any other, once for each press.
func TestDeclinesHeardLateAreCounted(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	h := open(t, unanswered(t, &down, "/pay"))
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	for range 2 { // of which one press tries both
		h.fail(customer, "expired_card")
	}
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0])).at("/pay", http.StatusOK)
	for n := range 5 {
		if got := asksFor(b, "/pay/card"); got != http.StatusOK {
			t.Fatalf("after %d declined cards: %d", n, got)
		}
		b.get("/pay/card")
		form := b.hidden("form[data-card]")
		setup := b.intent(form)
		h.ask("setup_intents/"+setup+"/confirm", url.Values{"payment_method": {"pm_card_chargeCustomerFail"}, "return_url": {h.base + "/pay/card/finish"}})
		form.Set("setup_intent", setup)
		down.Store(true)
		b.post("/pay/card", form).at("/pay/result", http.StatusOK)
		down.Store(false)
		h.clock.set(h.clock.now().Add(5 * time.Minute))
		for range 2 { // the second finds nothing new
			_, err := h.portal.Desk.Mend(t.Context(), 100)
			if err != nil {
				t.Fatal(err)
			}
		}
		h.settle()
	}
	if got := asksFor(b, "/pay/card"); got != http.StatusTooManyRequests {
		t.Errorf("after five declined cards: %d", got)
	}
}

// Whatever breaks between Stripe's no and its count: both are kept or neither, so that the decline counts once in the end.
func TestADeclineIsKeptWithItsCount(t *testing.T) {
	t.Parallel()
	for _, heard := range []string{"at once", "late"} {
		t.Run(heard, func(t *testing.T) {
			t.Parallel()
			var down atomic.Bool
			h := open(t, unanswered(t, &down, "/pay"))
			customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
			invoice := h.fail(customer, "expired_card")
			card := h.ask("payment_methods/pm_card_chargeCustomerFail/attach", url.Values{"customer": {customer}})["id"].(string)
			press := checkout.Press{
				ID: pressed("d"), Customer: customer, Method: card, Place: "127.0.0.1", By: billing.ByCustomer,
				Invoices: []checkout.Expected{{Invoice: invoice, Amount: billing.Money{Minor: 2900, Currency: "eur"}}},
			}
			hears := func() error {
				_, err := h.portal.Desk.Charge(t.Context(), press)
				return err
			}
			mends := func() error {
				_, err := h.portal.Desk.Mend(t.Context(), 100)
				return err
			}
			if heard == "late" {
				down.Store(true)
				err := hears()
				if err != nil {
					t.Fatal(err)
				}
				down.Store(false)
				h.clock.set(h.clock.now().Add(5 * time.Minute))
				hears = mends
			}
			h.tell(t, `ALTER TABLE confirmations RENAME TO away`)
			if hears() == nil {
				t.Error("nothing broke")
			}
			h.tell(t, `ALTER TABLE away RENAME TO confirmations`)
			h.clock.set(h.clock.now().Add(5 * time.Minute))
			for range 2 { // the second finds nothing new
				err := mends()
				if err != nil {
					t.Fatal(err)
				}
			}
			if got := h.count(`SELECT cast(coalesce(sum(used), 0) AS BIGINT) FROM limits WHERE name = 'declined ` + customer + `'`); got != 1 {
				t.Errorf("counted %d times", got)
			}
		})
	}
}

// Cards tried at Stripe directly count as those tried here, once each: one set of card fields takes five, and whoever had
// five declined gets no other, nor is any they hold open for long.
func TestCardsTriedAtStripeAreCounted(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0])).at("/pay", http.StatusOK)
	b.get("/pay/card").at("/pay/card", http.StatusOK)
	held := b.intent(b.hidden("form[data-card]"))
	b.get("/pay/card").at("/pay/card", http.StatusOK)
	form := b.hidden("form[data-card]")
	setup := b.intent(form)
	for n := range 5 {
		if got := h.tester(setup, refusedCard); got != http.StatusPaymentRequired {
			t.Fatalf("card %d: %d", n+1, got)
		}
		if n == 0 { // the browser tells the same before the event does
			form.Set("setup_intent", setup)
			b.post("/pay/card", form)
		}
		if n < 4 && asksFor(b, "/pay/card") != http.StatusOK {
			t.Fatalf("refused after %d", n+1)
		}
		h.settle()
		h.hearAgain()
	}
	if got := asksFor(b, "/pay/card"); got != http.StatusTooManyRequests {
		t.Errorf("after five: %d", got)
	}
	if got := h.ask("setup_intents/"+setup, nil)["status"]; got != "canceled" {
		t.Errorf("the card fields are %v", got)
	}
	h.tester(held, refusedCard)
	h.settle()
	if got := h.ask("setup_intents/"+held, nil)["status"]; got != "canceled" {
		t.Errorf("the others they held are %v after one more card", got)
	}
}

// hearAgain lets every event be processed once more.
func (h *house) hearAgain() {
	h.t.Helper()
	events, err := h.portal.Intake.List(h.t.Context(), "processed", 5)
	for _, e := range events {
		if err == nil {
			err = h.portal.Intake.Replay(h.t.Context(), e.ID)
		}
	}
	if err != nil {
		h.t.Fatal(err)
	}
	h.settle()
}

// Twenty cards declined at Stripe with what one network was handed, whoever's page it was: no more is asked of a bank from
// there.
func TestANetworkThatTriesCardsAtStripeIsRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	for n := range 5 {
		address := "c" + strconv.Itoa(n) + "@lumen.example"
		invoice := h.fail(h.customer("Chiara Bellini", address, "IT", "pm_card_visa"), "expired_card")
		b := h.browser()
		b.get(linkIn(t, h.mailsTo(address)[0])).at("/pay", http.StatusOK)
		if n == 4 {
			if got := asksFor(b, "/pay/card"); got != http.StatusTooManyRequests || b.header.Get("Retry-After") == "" {
				t.Errorf("the fifth customer's card fields: %d", got)
			}
			b.post("/pay/charge", url.Values{"attempt": {pressed("b")}, "expect": {invoice + " 2900 eur"}, "invoice": {invoice}})
			if b.status != http.StatusTooManyRequests || b.header.Get("Retry-After") == "" {
				t.Errorf("their card on file: %d", b.status)
			}
			return
		}
		b.get("/pay/card").at("/pay/card", http.StatusOK)
		setup := b.intent(b.hidden("form[data-card]"))
		for range 5 {
			h.tester(setup, refusedCard)
		}
		h.settle()
	}
}

// A press that the bank declines is one decline, however often it is sent, at the same time too, and whatever Stripe's
// events say of it afterwards.
func TestADeclinedPressIsCountedOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	invoice := h.fail(customer, "insufficient_funds")
	h.walk(24 * time.Hour)
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0])).at("/pay", http.StatusOK)
	form := url.Values{"attempt": {pressed("c")}, "expect": {invoice + " 2900 eur"}, "invoice": {invoice}}
	var presses sync.WaitGroup
	for range 4 {
		presses.Go(func() {
			also := &browser{t: h.t, base: b.base, client: b.client}
			also.post("/pay/charge", form)
		})
	}
	presses.Wait()
	h.settle()
	h.hearAgain()
	for _, name := range []string{"declined " + customer, "declined at 127.0.0.1"} {
		if got := h.count("SELECT cast(coalesce(sum(used), 0) AS BIGINT) FROM limits WHERE name = '" + name + "'"); got != 1 {
			t.Errorf("%q: %d", name, got)
		}
	}
}

// Two who finish the same declined card at the same moment, the browser and Stripe's event, count it once.
func TestADeclinedCardIsCountedOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0])).at("/pay", http.StatusOK)
	b.get("/pay/card").at("/pay/card", http.StatusOK)
	setup := b.intent(b.hidden("form[data-card]"))
	h.tester(setup, refusedCard)
	var who sync.WaitGroup
	for range 8 {
		who.Go(func() {
			_, err := h.portal.Desk.FinishCard(t.Context(), customer, setup)
			if err != nil {
				t.Error(err)
			}
		})
	}
	who.Wait()
	if got := h.count("SELECT cast(coalesce(sum(used), 0) AS BIGINT) FROM limits WHERE name = 'declined " + customer + "'"); got != 1 {
		t.Errorf("counted %d times", got)
	}
}

// What the bank was asked about is handed to a browser too: cards tried on the payment itself count.
func TestCardsTriedOnAPaymentAreCounted(t *testing.T) {
	t.Parallel()
	h, b, invoice := toApprove(t)
	b.post("/pay/approve", b.hidden("form[data-approve]"))
	intent := h.ask("invoices/"+invoice, nil)["payment_intent"].(string)
	for range 5 {
		h.tester(intent, refusedCard)
		h.settle()
	}
	if got := asksFor(b, "/pay/card"); got != http.StatusTooManyRequests {
		t.Errorf("after five: %d", got)
	}
}

// toApprove is a customer at the page that leads to their bank.
func toApprove(t *testing.T) (h *house, b *browser, invoice string) {
	h = open(t)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	h.settle()
	card := h.ask("payment_methods/pm_card_authenticationRequired/attach", url.Values{"customer": {customer}})["id"].(string)
	h.ask("customers/"+customer, url.Values{"invoice_settings[default_payment_method]": {card}})
	invoice = h.fail(customer, "authentication_required")
	h.walk(time.Minute)
	b = h.browser()
	b.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0])).at("/pay", http.StatusOK)
	b.get("/pay/approve").at("/pay/approve", http.StatusOK)
	return h, b, invoice
}

// An approval is an attempt that waits, kept before the bank is asked. Pressing that it was given settles the one that
// waits, once; where none does, nothing is asked of Stripe and nothing is written.
func TestOnlyAnApprovalThatWaitsIsSettled(t *testing.T) {
	t.Parallel()
	h, b, invoice := toApprove(t)
	attempts := func(status string) int {
		return h.count("SELECT count(*) FROM attempts WHERE id <> charge AND kind = 'charge' AND initiator = 'customer' AND status = '" + status + "'")
	}
	done := url.Values{"invoice": {invoice}}
	before := h.count("SELECT count(*) FROM attempts")
	h.outage("500", 1000) // whoever asks now hears it
	for range 3 {
		b.post("/pay/approve/done", done).at("/pay", http.StatusOK)
	}
	h.outage("500", 0)
	if got := h.count("SELECT count(*) FROM attempts"); got != before {
		t.Errorf("%d attempts, there were %d", got, before)
	}
	b.get("/pay/approve").at("/pay/approve", http.StatusOK)
	form := b.hidden("form[data-approve]")
	for range 2 { // a second press, and a second page
		b.intentAt("/pay/approve", form)
		b.get("/pay/approve").at("/pay/approve", http.StatusOK)
		form.Set("attempt", b.hidden("form[data-approve]").Get("attempt"))
	}
	if got := attempts("action"); got != 1 {
		t.Fatalf("%d attempts wait", got)
	}
	b.post("/pay/approve/done", done).at("/pay/approve", http.StatusOK) // the bank still asks
	if got := attempts("action"); got != 1 {
		t.Errorf("%d attempts wait while the bank asks", got)
	}
	intent := h.ask("invoices/"+invoice, nil)["payment_intent"].(string)
	h.tester(intent, "pm_card_visa")
	h.settle()
	b.post("/pay/approve/done", done).at("/pay/result", http.StatusOK)
	h.outage("500", 1000)
	b.post("/pay/approve/done", done).at("/pay/result", http.StatusOK)
	if !strings.Contains(b.text("h1"), "Paid") {
		t.Errorf("the page says: %s", b.text("main"))
	}
	if attempts("action") != 0 || attempts("paid") != 1 {
		t.Errorf("%d wait, %d paid", attempts("action"), attempts("paid"))
	}
}

// What a page's script is answered is for the customer to read: in their language, whatever their browser prefers. Who is
// signed out by then is led to the page that sends a new link.
func TestAScriptIsAnsweredInTheCustomersLanguage(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Inés Carrasco", "ines@carrasco.example", "ES", "pm_card_visa")
	h.ask("customers/"+customer, url.Values{"preferred_locales[0]": {"es"}})
	h.fail(customer, "expired_card")
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("ines@carrasco.example")[0])).get("/pay/card").at("/pay/card", http.StatusOK)
	form := b.hidden("form[data-card]")
	asks := func() map[string]string {
		req, err := http.NewRequest(http.MethodPost, h.base+"/pay/card/intent", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin", "Accept": "application/json", "Accept-Language": "en",
		} {
			req.Header.Set(name, value)
		}
		resp, err := b.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var answer map[string]any
		err = json.NewDecoder(resp.Body).Decode(&answer)
		if err != nil {
			t.Fatal(err)
		}
		said := map[string]string{"status": strconv.Itoa(resp.StatusCode)}
		for name, value := range answer {
			text, isText := value.(string)
			if isText {
				said[name] = text
			}
		}
		return said
	}
	said := asks()
	for n := 0; said["status"] == "200" && n < 30; n++ {
		form.Set("attempt", b.get("/pay/card").hidden("form[data-card]").Get("attempt"))
		said = asks()
	}
	if said["status"] != "429" || !strings.Contains(said["message"], "No se ha cobrado nada") {
		t.Errorf("after too many: %v", said)
	}
	form.Set("attempt", "nonsense")
	if said = asks(); said["status"] != "422" || !strings.Contains(said["message"], "No se ha cobrado nada") {
		t.Errorf("for what is no form of ours: %v", said)
	}
	b.post("/pay/leave", nil)
	if said = asks(); said["status"] != "401" || said["redirect"] != "/pay" {
		t.Errorf("signed out: %v", said)
	}
}

// The same decline is told by the event and by whoever was handed the fields at the very same moment: it counts once,
// and neither waits for the other in a circle.
func TestADeclineToldFromTwoSidesCountsOnce(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T) (h *house, customer, intent string, press func() error){
		"card fields": func(t *testing.T) (*house, string, string, func() error) {
			h := open(t)
			customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
			h.fail(customer, "expired_card")
			b := h.browser()
			b.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0])).at("/pay", http.StatusOK)
			b.get("/pay/card").at("/pay/card", http.StatusOK)
			setup := b.intent(b.hidden("form[data-card]"))
			return h, customer, setup, func() error {
				_, err := h.portal.Desk.FinishCard(t.Context(), customer, setup)
				return err
			}
		},
		"an invoice's payment": func(t *testing.T) (*house, string, string, func() error) {
			h, b, invoice := toApprove(t)
			b.intentAt("/pay/approve", b.hidden("form[data-approve]"))
			i := h.ask("invoices/"+invoice, nil)
			customer, intent := i["customer"].(string), i["payment_intent"].(string)
			return h, customer, intent, func() error {
				card := h.ask("payment_methods/pm_card_chargeCustomerFail/attach", url.Values{"customer": {customer}})["id"].(string)
				_, err := h.portal.Desk.Charge(t.Context(), checkout.Press{
					ID: pressed("d"), Customer: customer, Method: card, Place: "127.0.0.1", By: billing.ByCustomer,
					Invoices: []checkout.Expected{{Invoice: invoice, Amount: billing.Money{Minor: 2900, Currency: "eur"}}},
				})
				return err
			}
		},
	}
	for name, at := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, customer, intent, press := at(t)
			counted := "declined " + customer
			h.tell(t, `INSERT INTO limits (name, window_at, used) VALUES ('`+counted+`', `+strconv.FormatInt(time.Now().Truncate(time.Hour).Unix(), 10)+`, 0)`)
			if strings.HasPrefix(intent, "seti_") {
				h.tester(intent, refusedCard)
			}
			var both sync.WaitGroup
			told := func() error { return h.portal.Desk.Declined(t.Context(), "evt_1", intent) }
			begin := func(side func() error) {
				both.Go(func() {
					err := side()
					if err != nil {
						t.Error(err)
					}
				})
			}
			err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error { // each side comes as far as the count, and no further
				_, err := tx.Exec(`UPDATE limits SET used = used WHERE name = '` + counted + `'`)
				if err != nil {
					return err
				}
				for n, side := range []func() error{press, told} {
					begin(side)
					h.stuck(t, n+1)
				}
				return nil
			})
			both.Wait()
			if err != nil {
				t.Fatal(err)
			}
			if got := h.count(`SELECT cast(coalesce(sum(used), 0) AS BIGINT) FROM limits WHERE name = '` + counted + `'`); got != 1 {
				t.Errorf("counted %d times", got)
			}
			if got := h.count(`SELECT told * 100 + pressed * 10 + counted FROM confirmations WHERE intent = '` + intent + `'`); got != 111 {
				t.Errorf("kept as told, pressed and counted: %d", got)
			}
		})
	}
}

// tell changes what is stored.
func (h *house) tell(t *testing.T, statement string) {
	t.Helper()
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(statement)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// stuck waits until that many transactions wait for another's. SQLite, which has one writer, lets nobody look.
func (h *house) stuck(t *testing.T, many int) {
	t.Helper()
	if !databasetest.OnPostgres() {
		return
	}
	for waiting, until := 0, time.Now().Add(10*time.Second); waiting < many && time.Now().Before(until); {
		time.Sleep(5 * time.Millisecond)
		waiting = h.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	}
}

// What the bank asked of the customer an hour ago was answered long since: a later try of the same payment that is declined
// is Stripe's or the schedule's, and counts against nobody.
func TestALaterTryOfAnApprovedPaymentIsNotTheCustomers(t *testing.T) {
	t.Parallel()
	h, b, invoice := toApprove(t)
	b.intentAt("/pay/approve", b.hidden("form[data-approve]"))
	i := h.ask("invoices/"+invoice, nil)
	customer, intent := i["customer"].(string), i["payment_intent"].(string)
	declined := func(want int, when string) {
		t.Helper()
		h.tester(intent, refusedCard)
		h.settle()
		if got := h.count(`SELECT cast(coalesce(sum(used), 0) AS BIGINT) FROM limits WHERE name = 'declined ` + customer + `'`); got != want {
			t.Errorf("%s: %d declines of the customer's, want %d", when, got, want)
		}
	}
	declined(1, "at once")
	h.tell(t, `UPDATE confirmations SET at = at - 3700`) // handed out more than an hour ago
	declined(1, "an hour later")
}
