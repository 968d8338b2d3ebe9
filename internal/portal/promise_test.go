package portal_test

import (
	"database/sql"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/staff"
)

// promising is a customer whose renewal failed for want of money, on their page.
func promising(t *testing.T) (h *house, customer, invoice string, b *browser) {
	h = open(t)
	customer = h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	invoice = h.fail(customer, "insufficient_funds")
	h.walk(day)
	b = h.browser()
	b.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0])).at("/pay", http.StatusOK)
	return h, customer, invoice, b
}

// chooses walks the two steps to a day so many days ahead, and answers the day as written out.
func (h *house) chooses(b *browser, kind string, days int) string {
	h.t.Helper()
	if b.page.Find("a[href='/pay/promise']").Length() == 0 {
		h.t.Fatalf("no way to choose a day: %s", b.text("main"))
	}
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		h.t.Fatal(err)
	}
	on := h.clock.now().In(zone).AddDate(0, 0, days)
	b.get("/pay/promise").at("/pay/promise", http.StatusOK)
	b.post("/pay/promise/review", url.Values{"kind": {kind}, "day": {on.Format(time.DateOnly)}}).at("/pay/promise/review", http.StatusOK)
	return on.Format("2 January")
}

func (h *house) promise(customer string) dunning.Promise {
	h.t.Helper()
	var last dunning.Promise
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		all, err := h.portal.Cases.PromisesOf(h.t.Context(), tx, customer)
		if len(all) > 0 {
			last = all[len(all)-1]
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return last
}

func TestAChosenDayIsChargedAndThenAllIsSettled(t *testing.T) {
	t.Parallel()
	h, customer, invoice, b := promising(t)
	h.chooses(b, "charge", 6)
	if h.promise(customer).ID != "" {
		t.Fatal("choosing a day fixed it already")
	}
	review := b.text("main")
	for _, part := range []string{"Nothing is arranged yet", "€29.00", "Visa ending 4242", "once"} {
		if !strings.Contains(review, part) {
			t.Errorf("the review does not say %q: %s", part, review)
		}
	}
	form := b.hidden("form[action='/pay/promise']")
	b.press("/pay/promise").at("/pay", http.StatusOK)
	b.post("/pay/promise", form).at("/pay", http.StatusOK) // a second click
	note := b.text("#promise")
	if !strings.Contains(note, "we will charge €29.00 to your Visa ending 4242. No reminders until then.") || !strings.Contains(b.text(".flash"), "that is arranged") {
		t.Errorf("the overview says: %s", note)
	}
	if strings.Contains(b.get("/pay?promised").text("main"), "that is arranged") {
		t.Error("the page thanks for a day because its address asks it to")
	}
	h.settle()
	mails := h.mailsTo("chiara@bellini.example")
	if len(mails) != 2 || !strings.HasPrefix(mails[1].Subject, "We will charge your Lumen Studio payment on ") || !strings.Contains(mails[1].Text, "Visa ending 4242") {
		t.Fatalf("%d mails, the last %q", len(mails), mails[len(mails)-1].Subject)
	}
	err := h.stripe.Relent(invoice, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	h.walk(8 * day)
	p := h.promise(customer)
	if p.Status != dunning.PromiseKept || h.charges(customer, invoice) != 1 {
		t.Fatalf("%s (%s), charged %d times", p.Status, p.Why, h.charges(customer, invoice))
	}
	mails = h.mailsTo("chiara@bellini.example")
	if len(mails) != 3 || !strings.Contains(mails[2].Subject, "all is settled") {
		t.Errorf("%d mails, the last %q", len(mails), mails[len(mails)-1].Subject)
	}
}

func TestADeclinedChargeBreaksThePromiseAndTheNextReminderTellsIt(t *testing.T) {
	t.Parallel()
	h, customer, invoice, b := promising(t)
	h.chooses(b, "charge", 3)
	b.press("/pay/promise").at("/pay", http.StatusOK)
	h.walk(2 * day)
	if got := len(h.mailsTo("chiara@bellini.example")); got != 2 {
		t.Errorf("%d mails while a day is set", got)
	}
	h.walk(20 * day)
	p := h.promise(customer)
	if p.Status != dunning.PromiseBroken || p.Why != "The bank declined the charge." || h.charges(customer, invoice) != 0 {
		t.Fatalf("%s: %s", p.Status, p.Why)
	}
	told := 0
	for _, m := range h.mailsTo("chiara@bellini.example")[2:] {
		if strings.Contains(m.Text, "As you had chosen, we tried to charge you on") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times that it did not go through", told)
	}
	tried := 0
	err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM attempts WHERE press = $1`, p.ID).Scan(&tried)
	})
	if err != nil || tried != 1 {
		t.Errorf("%d attempts, %v", tried, err)
	}
}

func TestADayToPayByOneselfPassesUnpaid(t *testing.T) {
	t.Parallel()
	h, customer, _, b := promising(t)
	h.chooses(b, "self", 2)
	b.press("/pay/promise").at("/pay", http.StatusOK)
	if !strings.Contains(b.text("#promise"), "You pay €29.00 by") {
		t.Errorf("%s", b.text("#promise"))
	}
	h.walk(12 * time.Hour)
	if h.promise(customer).Status != dunning.PromiseActive {
		t.Fatal("broken before its day")
	}
	h.walk(14 * day)
	if p := h.promise(customer); p.Status != dunning.PromiseBroken {
		t.Fatalf("%s", p.Status)
	}
	mails := h.mailsTo("chiara@bellini.example")
	if len(mails) < 3 || !strings.Contains(mails[2].Text, "You had planned to pay by") {
		t.Errorf("%d mails", len(mails))
	}
}

func TestPayingEarlierKeepsThePromiseAndTakingItBackEndsIt(t *testing.T) {
	t.Parallel()
	h, customer, invoice, b := promising(t)
	h.chooses(b, "charge", 5)
	b.press("/pay/promise").get("/pay/promise/end").at("/pay/promise/end", http.StatusOK)
	if h.promise(customer).Status != dunning.PromiseActive {
		t.Fatal("asking took it back")
	}
	b.press("/pay/promise/end").at("/pay", http.StatusOK)
	if h.promise(customer).Status != dunning.PromiseWithdrawn || b.page.Find("#promise").Length() != 0 {
		t.Fatal("it stands")
	}
	h.chooses(b, "charge", 5)
	b.press("/pay/promise").at("/pay", http.StatusOK)
	err := h.stripe.Pay(invoice, false)
	if err != nil {
		t.Fatal(err)
	}
	h.walk(10 * day)
	if h.promise(customer).Status != dunning.PromiseKept || h.charges(customer, invoice) != 1 {
		t.Errorf("%s, charged %d times", h.promise(customer).Status, h.charges(customer, invoice))
	}
}

// The program is stopped at each point of the promised charge, and its promises are looked at again by several at
// once: one charge in the end.
func TestAPromisedChargeIsMadeOnceWhateverStopsIt(t *testing.T) {
	for _, at := range []string{"before Stripe heard of it", "before the answer was kept", "before Stripe was read again"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			h, customer, invoice, b := promising(t)
			h.chooses(b, "charge", 2)
			b.press("/pay/promise").at("/pay", http.StatusOK)
			err := h.stripe.Relent(invoice, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			p := h.promise(customer)
			h.clock.set(time.Unix(p.DueAt, 0))
			// What a program leaves behind that was killed there.
			attempt := database.NewID("att")
			err = h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
				_, _, _, err := h.portal.Cases.BeginCharging(t.Context(), tx, p.ID, h.clock.now())
				if err != nil {
					return err
				}
				_, err = tx.Exec(`
					INSERT INTO attempts (id, press, customer_id, invoice_id, method_id, kind, status, amount, currency, code, decline_code, reference, started_at, ended_at)
					VALUES ($1, $2, $3, $4, $5, 'charge', 'started', 2900, 'eur', '', '', '', $6, 0)`, attempt, p.ID, customer, invoice, p.MethodID, h.clock.now().Unix())
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if at != "before Stripe heard of it" {
				h.payWithKey(invoice, p.MethodID, attempt)
			}
			if at == "before Stripe was read again" {
				err = h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
					_, err := tx.Exec(`UPDATE attempts SET status = 'paid', ended_at = $1 WHERE id = $2`, h.clock.now().Unix(), attempt)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			var wait sync.WaitGroup
			for range 3 {
				wait.Go(func() { h.portal.Runner.Drain(t.Context()) })
			}
			wait.Wait()
			h.walk(day)
			if got := h.charges(customer, invoice); got != 1 || h.promise(customer).Status != dunning.PromiseKept {
				t.Errorf("charged %d times, the promise is %s", got, h.promise(customer).Status)
			}
		})
	}
}

// payWithKey orders the charge as the program itself would, with the attempt's key.
func (h *house) payWithKey(invoice, method, key string) {
	h.t.Helper()
	req, err := http.NewRequest(http.MethodPost, h.api.URL+"/v1/invoices/"+invoice+"/pay", strings.NewReader(url.Values{
		"payment_method": {method}, "off_session": {"true"}, "expand[0]": {"payment_intent.latest_charge"},
	}.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	req.SetBasicAuth(h.stripe.SecretKey(), "")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Idempotency-Key", key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		h.t.Fatalf("pay: %d", resp.StatusCode)
	}
}

// Stripe does not answer on the day: nothing is broken and nothing is charged twice once it is back.
func TestStripeDoesNotAnswerOnTheChosenDay(t *testing.T) {
	t.Parallel()
	h, customer, invoice, b := promising(t)
	h.chooses(b, "charge", 2)
	b.press("/pay/promise").at("/pay", http.StatusOK)
	err := h.stripe.Relent(invoice, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	h.outage("500", 1000)
	h.walk(2 * day)
	if h.promise(customer).Status != dunning.PromiseActive {
		t.Fatalf("%s while nobody knows", h.promise(customer).Status)
	}
	h.outage("500", 0)
	h.walk(day)
	if h.promise(customer).Status != dunning.PromiseKept || h.charges(customer, invoice) != 1 {
		t.Errorf("%s, charged %d times", h.promise(customer).Status, h.charges(customer, invoice))
	}
}

// A page's press and a promise meet on one invoice at one instant: it is paid once.
func TestThePromisedChargeMeetsThePressOfTheCustomer(t *testing.T) {
	t.Parallel()
	h, customer, invoice, b := promising(t)
	h.chooses(b, "charge", 2)
	b.press("/pay/promise").press("/pay/review").at("/pay/review", http.StatusOK)
	form := b.hidden("form[action='/pay/charge']")
	err := h.stripe.Relent(invoice, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	h.clock.set(time.Unix(h.promise(customer).DueAt, 0))
	var wait sync.WaitGroup
	wait.Go(func() { b.post("/pay/charge", form) })
	wait.Go(func() { h.portal.Runner.Drain(t.Context()) })
	wait.Wait()
	h.walk(day)
	if h.promise(customer).Status != dunning.PromiseKept || h.charges(customer, invoice) != 1 {
		t.Errorf("%s, charged %d times", h.promise(customer).Status, h.charges(customer, invoice))
	}
}

func TestATransferIsSaidInTwoStepsAndTheRestEndsByItself(t *testing.T) {
	t.Parallel()
	h, customer, _, b := promising(t)
	b.get("/pay/transfer").at("/pay/transfer", http.StatusOK)
	if !strings.Contains(b.text("main"), "Reminders are paused until") {
		t.Errorf("%s", b.text("main"))
	}
	b.post("/pay/transfer", url.Values{"text": {"4242 4242 4242 4242"}}).at("/pay/transfer", http.StatusUnprocessableEntity)
	b.post("/pay/transfer", url.Values{"text": {"From my bank in Lodi"}}).at("/pay", http.StatusOK)
	h.settle()
	if got := h.restsFor(customer); got != "claim" {
		t.Errorf("rests for %q", got)
	}
	if to := h.mailsTo("billing@lumen.example"); len(to) != 1 || !strings.Contains(to[0].Text, "Lodi") {
		t.Errorf("staff got %d mails", len(to))
	}
	h.walk(9 * day)
	if got := h.restsFor(customer); got != "" {
		t.Errorf("rests for %q after the days have passed", got)
	}
}

// Whoever says after all that a transfer is on its way is not charged on the day they chose before: the page says so before
// and afterwards, until that day is over.
func TestATransferTakesBackTheDayOfACharge(t *testing.T) {
	t.Parallel()
	h, customer, invoice, b := promising(t)
	on := h.chooses(b, "charge", 4)
	b.press("/pay/promise").at("/pay", http.StatusOK)
	b.get("/pay/transfer").at("/pay/transfer", http.StatusOK)
	if said := b.text("main"); !strings.Contains(said, "We will then not charge the €29.00 planned for") || !strings.Contains(said, on) {
		t.Errorf("before: %s", said)
	}
	b.press("/pay/transfer").at("/pay", http.StatusOK)
	if p := h.promise(customer); p.Status != dunning.PromiseWithdrawn || h.restsFor(customer) != "claim" || strings.Contains(b.text("main"), "we will charge") {
		t.Errorf("the promise is %s, the case rests for %q, the page says %s", p.Status, h.restsFor(customer), b.text("main"))
	}
	const spared = "As you have paid by transfer, we won’t charge the €29.00 planned for"
	if said := b.text("main"); !strings.Contains(said, spared) || !strings.Contains(said, on) {
		t.Errorf("afterwards: %s", said)
	}
	before := h.charges(customer, invoice)
	h.walk(5 * day)
	if got := h.charges(customer, invoice); got != before {
		t.Errorf("charged %d times instead of %d", got, before)
	}
	if said := b.get("/pay").at("/pay", http.StatusOK).text("main"); h.restsFor(customer) != "claim" || strings.Contains(said, spared) {
		t.Errorf("its day is over: %s", said)
	}
}

// A charge that is being made just now is not taken back, and nobody is told that it is.
func TestATransferDoesNotStopAChargeThatIsUnderWay(t *testing.T) {
	t.Parallel()
	h, customer, _, b := promising(t)
	h.chooses(b, "charge", 2)
	b.press("/pay/promise").at("/pay", http.StatusOK)
	h.clock.set(time.Unix(h.promise(customer).DueAt, 0))
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		_, _, _, err := h.portal.Cases.BeginCharging(t.Context(), tx, h.promise(customer).ID, h.clock.now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.get("/pay/transfer").at("/pay/transfer", http.StatusOK)
	if said := b.text("main"); !strings.Contains(said, "The planned charge of €29.00 is already under way and can’t be stopped.") || strings.Contains(said, "not charge") {
		t.Errorf("before: %s", said)
	}
	b.press("/pay/transfer").at("/pay", http.StatusOK)
	if said := b.text("main"); !strings.Contains(said, "We are charging €29.00") || !strings.Contains(said, "You told us that you have paid by bank transfer.") || strings.Contains(said, "won’t charge") {
		t.Errorf("afterwards: %s", said)
	}
}

// Whoever asks to end their plan is not charged on the day they chose before, nor when they stay after all; a day by which
// they pay by themselves stays theirs.
func TestAskingToLeaveTakesBackTheDayOfACharge(t *testing.T) {
	t.Parallel()
	h, customer, invoice, b := promising(t)
	h.chooses(b, "charge", 4)
	b.press("/pay/promise").at("/pay", http.StatusOK)
	b.get("/pay/cancel").press("/pay/cancel").at("/pay", http.StatusOK)
	if p := h.promise(customer); p.Status != dunning.PromiseWithdrawn || h.restsFor(customer) != "conversation" || strings.Contains(b.text("main"), "we will charge") {
		t.Errorf("the promise is %s, the case rests for %q, the page says %s", p.Status, h.restsFor(customer), b.text("main"))
	}
	if b.text("#cancels[role=status][tabindex='-1'][autofocus]") == "" || b.get("/pay").text("#cancels[autofocus]") != "" {
		t.Error("right after the press the wish is not what is heard first, or it is on a later visit too")
	}
	before := h.charges(customer, invoice)
	b.get("/pay/cancel").press("/pay/cancel/back").at("/pay", http.StatusOK)
	h.walk(6 * day)
	if got := h.charges(customer, invoice); got != before {
		t.Errorf("charged %d times instead of %d", got, before)
	}
	h.chooses(b, "self", 4)
	b.press("/pay/promise").at("/pay", http.StatusOK)
	b.get("/pay/cancel").press("/pay/cancel").at("/pay", http.StatusOK)
	if p := h.promise(customer); p.Status != dunning.PromiseActive {
		t.Errorf("a day they pay by themselves is %s", p.Status)
	}
}

func TestWhoWithdrewConsentIsAskedToKeepOrToCancel(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Jonas Keller", "jonas@keller.example", "AT", "pm_card_visa")
	h.fail(customer, "revocation_of_authorization")
	s := &scene{house: h, customer: customer}
	b := s.visit()
	if b.page.Find("form[action^='/pay/card']").Length() == 0 || b.page.Find("a[href='/pay/cancel']").Length() == 0 {
		t.Fatalf("keep or cancel is not asked: %s", b.text("main"))
	}
	b.get("/pay/cancel").at("/pay/cancel", http.StatusOK)
	b.press("/pay/cancel").at("/pay", http.StatusOK)
	if b.page.Find("#cancels").Length() != 1 {
		t.Errorf("%s", b.text("main"))
	}
	h.settle()
	h.walk(30 * day)
	if got := len(h.mailsTo("jonas@keller.example")); got != 0 {
		t.Errorf("%d mails to somebody who wants to leave", got)
	}
	if to := h.mailsTo("billing@lumen.example"); len(to) != 1 {
		t.Errorf("staff got %d mails", len(to))
	}
	b = s.visit()
	b.get("/pay/cancel").press("/pay/cancel/back").at("/pay", http.StatusOK)
	if b.page.Find("#cancels").Length() != 0 {
		t.Error("the wish stands")
	}
}

func (h *house) restsFor(customer string) string {
	h.t.Helper()
	var all []string
	c := h.caseOf(customer)
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		active, err := h.portal.Cases.ActivePauses(h.t.Context(), tx, c.ID)
		for _, p := range active {
			all = append(all, string(p.Reason))
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func TestStaffSetMoveAndTakeBackADay(t *testing.T) {
	t.Parallel()
	h, customer, _, _ := promising(t)
	c := h.caseOf(customer)
	staffs := h.colleague(staff.Agent)
	page := "/admin/customers/" + customer
	set := func(days int) {
		t.Helper()
		staffs.get(page+"?act=promise").at(page, http.StatusOK)
		form := staffs.hidden("form[action$='/promise']")
		form.Set("kind", "charge")
		form.Set("day", h.clock.now().AddDate(0, 0, days).Format(time.DateOnly))
		staffs.post("/admin/cases/"+c.ID+"/promise", form).at(page, http.StatusOK)
	}
	set(30) // further than a customer may
	first := h.promise(customer)
	if first.Status != dunning.PromiseActive || first.Kind != dunning.PromiseCharge || first.Actor == "customer" {
		t.Fatalf("%+v", first)
	}
	set(4)
	moved := h.promise(customer)
	if moved.ID == first.ID || moved.Status != dunning.PromiseActive || h.restsFor(customer) != "promise" {
		t.Fatalf("%+v, rests for %q", moved, h.restsFor(customer))
	}
	if text := staffs.text("main"); !strings.Contains(text, "We charge €29.00, as they chose") || !strings.Contains(text, "Day moved") {
		t.Errorf("the page does not tell: %s", text)
	}
	staffs.get(page+"?act=take-back").press("/admin/cases/"+c.ID+"/promise/end").at(page, http.StatusOK)
	if h.promise(customer).Status != dunning.PromiseWithdrawn || h.restsFor(customer) != "" {
		t.Errorf("%s, rests for %q", h.promise(customer).Status, h.restsFor(customer))
	}
	written := h.count(`SELECT count(*) FROM audit WHERE action IN ('promise.set', 'promise.withdrawn')`)
	if written != 3 {
		t.Errorf("%d entries in the audit log", written)
	}
	log := h.colleague(staff.Admin).get("/admin/audit?q=day+of+payment").at("/admin/audit", http.StatusOK).page.Find("main tbody tr")
	if log.Length() != 3 || log.Find("a[href='"+page+"']").Length() != 3 {
		t.Errorf("the audit log tells of it: %s", log.Text())
	}
}

func TestStaffSeeToAWishToCancel(t *testing.T) {
	t.Parallel()
	h, customer, _, b := promising(t)
	b.get("/pay/cancel").press("/pay/cancel").at("/pay", http.StatusOK)
	staffs := h.colleague(staff.Agent)
	staffs.get("/admin").at("/admin", http.StatusOK)
	if !strings.Contains(staffs.text("main"), "Wants to end their plan") {
		t.Errorf("the work list does not tell: %s", staffs.text("main"))
	}
	page := "/admin/customers/" + customer
	staffs.get(page+"?act=seen-to").press(page+"/wish").at(page, http.StatusOK)
	if h.restsFor(customer) != "" || !strings.Contains(staffs.text("main"), "Their wish was seen to") {
		t.Errorf("rests for %q", h.restsFor(customer))
	}
}

// A dispute begins before the day on which they chose to be charged: while it runs nothing is charged by itself, as staff
// read, and the day is taken back. A day by which they pay by themselves stays.
func TestADisputeTakesBackTheDayOfACharge(t *testing.T) {
	t.Parallel()
	h, customer, invoice, b := promising(t)
	h.chooses(b, "charge", 5)
	b.press("/pay/promise").at("/pay", http.StatusOK)
	s := &scene{house: h, customer: customer, extra: map[string]string{}}
	h.walk(day)
	disputes("fraudulent")(s)
	h.settle()
	if p := h.promise(customer); p.Status != dunning.PromiseWithdrawn || h.restsFor(customer) != "dispute" {
		t.Errorf("the promise is %s, the case rests for %q", p.Status, h.restsFor(customer))
	}
	said := b.get("/pay").at("/pay", http.StatusOK).text("main")
	if strings.Contains(said, "we will charge") || !strings.Contains(said, "We won’t charge the €29.00 planned for") {
		t.Errorf("the page says %s", said)
	}
	before := h.charges(customer, invoice)
	h.walk(7 * day)
	if said := b.get("/pay").at("/pay", http.StatusOK).text("main"); strings.Contains(said, "We won’t charge") {
		t.Errorf("its day is over, and the page says %s", said)
	}
	if got := h.charges(customer, invoice); got != before {
		t.Errorf("charged %d times instead of %d while the dispute runs", got, before)
	}
	decides("winning_evidence")(s)
	h.walk(day)
	if got := h.charges(customer, invoice); got != before || h.restsFor(customer) != "" {
		t.Errorf("afterwards charged %d times instead of %d, rests for %q", got, before, h.restsFor(customer))
	}
}

// A day that was chosen while a dispute ran already is not charged either, is no promise broken, and the page says so on that day.
func TestADayChosenDuringADisputeIsTakenBack(t *testing.T) {
	t.Parallel()
	h, customer, invoice, b := promising(t)
	s := &scene{house: h, customer: customer, extra: map[string]string{}}
	disputes("fraudulent")(s)
	h.settle()
	h.chooses(b, "charge", 5)
	b.press("/pay/promise").at("/pay", http.StatusOK)
	before := h.charges(customer, invoice)
	h.walk(5 * day)
	if p := h.promise(customer); p.Status != dunning.PromiseWithdrawn || h.restsFor(customer) != "dispute" || h.charges(customer, invoice) != before {
		t.Errorf("the promise is %s, the case rests for %q, charged %d times instead of %d", p.Status, h.restsFor(customer), h.charges(customer, invoice), before)
	}
	if said := b.get("/pay").at("/pay", http.StatusOK).text("main"); !strings.Contains(said, "We won’t charge the €29.00 planned for") {
		t.Errorf("the page says %s", said)
	}
}
