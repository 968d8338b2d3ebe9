package portal_test

import (
	"database/sql"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sollecito/internal/billing"
	"sollecito/internal/browsertest"
	"sollecito/internal/staff"
)

// debited is a customer who has just paid from a bank account, at the page that tells so.
func debited(t *testing.T, account string) (h *house, customer, invoice, result string, b *browser) {
	h = open(t)
	customer = h.customer("Jonas Weber", "jonas@weber.example", "DE", "pm_card_visa")
	invoice = h.fail(customer, "insufficient_funds")
	h.walk(24 * time.Hour)
	b = h.browser()
	b.get(linkIn(t, h.mailsTo("jonas@weber.example")[0])).at("/pay", http.StatusOK)
	b.get("/pay/card").at("/pay/card", http.StatusOK)
	if got := b.page.Find("#payment-element").AttrOr("data-methods", ""); got != "card sepa_debit" {
		t.Fatalf("the fields offer %q", got)
	}
	form := b.hidden("form[data-card]")
	form.Set("kind", "debit")
	setup := b.intent(form)
	h.ask("setup_intents/"+setup+"/confirm", url.Values{"payment_method": {account}, "return_url": {h.base + "/pay/card/finish"}})
	form.Set("setup_intent", setup)
	b.post("/pay/card", form).at("/pay/result", http.StatusOK)
	return h, customer, invoice, "/pay/result?press=" + form.Get("attempt"), b
}

// A bank debit is told with the day of its answer and holds the reminders; what was agreed to is kept as it was shown.
func TestABankDebitIsUnderWayAndThenPaid(t *testing.T) {
	t.Parallel()
	h, customer, invoice, result, b := debited(t, "pm_success_de")
	if !strings.Contains(b.text("main"), "We expect its answer by") || b.page.Find("main .main-act").Length() != 0 {
		t.Fatalf("the page says: %s", b.text("main"))
	}
	day := b.text("main")
	b.get("/pay").at("/pay", http.StatusOK)
	if !strings.Contains(b.text("main"), "Your payment is under way") || !strings.Contains(b.text("main"), "We expect its answer by") {
		t.Errorf("the overview says: %s", b.text("main"))
	}
	var given []billing.Mandate
	err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		var err error
		given, err = billing.Mandates(t.Context(), tx, customer)
		return err
	})
	if err != nil || len(given) != 1 {
		t.Fatalf("%d mandates, %v", len(given), err)
	}
	if m := given[0]; m.Kind != "debit" || m.Language != "en" || !strings.HasPrefix(m.Words, "By saving it you allow Lumen Studio, and Stripe on its behalf") || len(m.Version()) != 12 ||
		!strings.HasPrefix(m.MethodID, "pm_") || !strings.HasPrefix(m.Reference, "mandate_") || m.GivenAt != h.clock.now().Unix() {
		t.Errorf("agreed to: %+v", m)
	}
	mails := len(h.mailsTo("jonas@weber.example"))
	h.walk(4 * 24 * time.Hour)
	if got := len(h.mailsTo("jonas@weber.example")); got != mails {
		t.Errorf("%d mails while the debit is under way: %s", got-mails, h.mailsTo("jonas@weber.example")[mails].Text)
	}
	h.walk(2 * 24 * time.Hour)
	if h.charges(customer, invoice) != 1 || h.status(invoice) != "paid" {
		t.Errorf("%d charges, %s", h.charges(customer, invoice), h.status(invoice))
	}
	again := h.browser()
	again.get(linkIn(t, h.mailsTo("jonas@weber.example")[0])).at("/pay", http.StatusOK)
	if !strings.Contains(again.text("h1"), "Nothing is open") {
		t.Errorf("the overview says: %s", again.text("main"))
	}
	again.get(result)
	if !strings.Contains(again.text("h1"), "Paid. Thank you") {
		t.Errorf("the result says: %s, once %s", again.text("main"), day)
	}
}

// The bank takes the debit back days later: the page of the press and the overview tell why, and reminders go on.
func TestABankDebitThatFailsLateIsTold(t *testing.T) {
	t.Parallel()
	h, customer, invoice, result, b := debited(t, "pm_failed_de")
	if !strings.Contains(b.text("main"), "We expect its answer by") {
		t.Fatalf("the page says: %s", b.text("main"))
	}
	mails := len(h.mailsTo("jonas@weber.example"))
	h.walk(6 * 24 * time.Hour)
	again := h.browser()
	again.get(linkIn(t, h.mailsTo("jonas@weber.example")[0])).at("/pay", http.StatusOK)
	if !strings.Contains(again.text("main"), "Your bank declined the charge and gave no reason. Nothing has been taken.") || again.page.Find("main .main-act").Length() != 1 {
		t.Errorf("the overview says: %s", again.text("main"))
	}
	again.get(result)
	if !strings.Contains(again.text("main"), "the payment is still open") && !strings.Contains(again.text("main"), "didn’t go through") || !strings.Contains(again.text("main"), "Nothing has been taken.") {
		t.Errorf("the result says: %s", again.text("main"))
	}
	h.walk(7 * 24 * time.Hour)
	if len(h.mailsTo("jonas@weber.example")) == mails {
		t.Error("no mail tells that it failed")
	}
	if h.status(invoice) != "open" || h.charges(customer, invoice) != 0 {
		t.Errorf("%d charges, %s", h.charges(customer, invoice), h.status(invoice))
	}
}

// A guest pays from an account: it stays on the customer until the bank has answered, and no longer.
func TestAGuestPaysFromAnAccount(t *testing.T) {
	t.Parallel()
	for account, paid := range map[string]bool{"pm_success_it": true, "pm_failed_it": false} {
		t.Run(account, func(t *testing.T) {
			t.Parallel()
			h, customer, invoice, _, payer, address := handedOn(t)
			before := h.standard(customer)
			if got := payer.page.Find("#payment-element").AttrOr("data-methods", ""); got != "card sepa_debit" {
				t.Fatalf("the fields offer %q", got)
			}
			payer.post("/pay/invoice", h.types(payer, account)).at("/pay/invoice", http.StatusOK)
			if !strings.Contains(payer.text("main"), "We expect its answer by") {
				t.Fatalf("the page says: %s", payer.text("main"))
			}
			h.walk(3 * 24 * time.Hour)
			owner := h.browser()
			owner.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0])).at("/pay", http.StatusOK)
			if !strings.Contains(owner.text("h1"), "under way") || strings.Contains(owner.text("main"), "3456") {
				t.Errorf("the customer sees: %s", owner.text("main"))
			}
			if h.attached(customer) != 1 {
				t.Errorf("%d cards while the debit is under way", h.attached(customer))
			}
			h.walk(4 * 24 * time.Hour)
			var here int
			err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
				return tx.QueryRowContext(t.Context(), `SELECT count(*) FROM guest_cards WHERE gone_at = 0`).Scan(&here)
			})
			if err != nil || here != 0 || h.standard(customer) != before {
				t.Errorf("%d accounts stayed, %v is charged from now on, %v", here, h.standard(customer), err)
			}
			payer = h.browser()
			payer.get(address).at("/pay/invoice", http.StatusOK)
			want := "The bank declined the charge. Nothing has been taken."
			if paid {
				want = "Paid. Thank you."
			}
			if !strings.Contains(payer.text("body"), want) || h.charges(customer, invoice) != map[bool]int{true: 1}[paid] {
				t.Errorf("%d charges, the page says: %s", h.charges(customer, invoice), payer.text("body"))
			}
		})
	}
}

// Without script a guest pays on Stripe's page; so does whoever pays the rest of an invoice.
func TestAGuestPaysOnStripesPage(t *testing.T) {
	t.Parallel()
	h, _, invoice, _, payer, _ := handedOn(t)
	form := payer.page.Find(`form[action="/pay/invoice/hosted"]`)
	if form.Length() != 1 {
		t.Fatalf("no way to Stripe's page: %s", payer.text("main"))
	}
	want := h.ask("invoices/"+invoice, nil)["hosted_invoice_url"].(string)
	payer.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	payer.post("/pay/invoice/hosted", nil)
	if payer.status != http.StatusSeeOther || payer.header.Get("Location") != want {
		t.Errorf("%d to %s, want %s", payer.status, payer.header.Get("Location"), want)
	}
	stranger := h.browser()
	stranger.post("/pay/invoice/hosted", nil)
	if stranger.status != http.StatusUnauthorized {
		t.Errorf("a stranger: %d", stranger.status)
	}
}

// In a real browser: choosing the account changes what the button says and what is agreed to.
func TestChromiumPaysFromABankAccount(t *testing.T) {
	seesNoEngine(t)
	h := open(t)
	customer := h.customer("Jonas Weber", "jonas@weber.example", "DE", "pm_card_visa")
	invoice := h.fail(customer, "expired_card")
	b := tab{t, browsertest.Start(t)}
	complaints, err := browsertest.Complaints(b.ctx)
	b.must(err)
	b.do(chromedp.EmulateViewport(360, 800), chromedp.Navigate(linkIn(t, h.mailsTo("jonas@weber.example")[0])))
	b.reads("Your card has expired")
	b.do(chromedp.Click(chromedp.CSS("main .main-act")))
	b.reads("Save card and pay")
	b.must(browsertest.FillDebit(b.ctx, "DE89370400440532013000", "Jonas Weber", "jonas@weber.example"))
	b.reads("Save account and pay")
	b.reads("collect what you pay here and your plan’s charges in the future from this account")
	if strings.Contains(b.words(), "allow Lumen Studio to charge this card") {
		t.Error("the words about the card stand there still")
	}
	b.picture("account")
	b.do(chromedp.Click(chromedp.CSS("form[data-card] .main-act")))
	b.reads("Your payment is under way")
	b.reads("We expect its answer by")
	b.picture("under-way")
	for _, c := range complaints() {
		t.Errorf("the browser complains: %s", c)
	}
	h.walk(6 * 24 * time.Hour)
	if h.status(invoice) != "paid" {
		t.Errorf("the invoice is %s", h.status(invoice))
	}
	b.do(chromedp.Navigate(linkIn(t, h.mailsTo("jonas@weber.example")[0])))
	b.reads("Nothing is open")
}

// An account at a bank in the United States whose number was typed is proven by two small deposits: the page says so until
// they were named on Stripe's page, and then, at once and by itself, the account is used and charged.
func TestAnAccountIsProvenBySmallDeposits(t *testing.T) {
	t.Parallel()
	h, customer, invoice, b := typing(t)
	if got := b.text("section[aria-labelledby=proof]"); !strings.Contains(got, "one or two small deposits arrive") || !strings.Contains(got, "nothing has been taken from it yet") {
		t.Fatalf("the page says: %s", b.text("main"))
	}
	h.walk(3 * 24 * time.Hour)
	if h.charges(customer, invoice) != 0 || h.standard(customer) != nil {
		t.Errorf("before it was proven: %d charges, the standard is %v", h.charges(customer, invoice), h.standard(customer))
	}
	again := h.browser()
	again.get(linkIn(t, h.mailsTo("june@park.example")[0])).at("/pay", http.StatusOK)
	again.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	again.press("/pay/prove")
	page := again.header.Get("Location")
	if !strings.HasPrefix(page, h.api.URL+"/microdeposit/") {
		t.Fatalf("the button leads to %s", page)
	}
	for _, typed := range []struct {
		second string
		want   int
	}{{"33", http.StatusUnprocessableEntity}, {"32", http.StatusOK}} {
		resp, err := http.PostForm(page, url.Values{"first": {"45"}, "second": {typed.second}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != typed.want {
			t.Errorf("45 and %s: %d", typed.second, resp.StatusCode)
		}
	}
	h.settle()
	if n := h.restingFor("verification"); n != 0 {
		t.Errorf("proven, %d cases rest for it", n)
	}
	b.get("/pay").at("/pay", http.StatusOK)
	if got := b.text("main"); strings.Contains(got, "small deposits") || !strings.Contains(got, "Your payment is under way") {
		t.Errorf("proven, the page says: %s", got)
	}
	b.client.CheckRedirect = again.client.CheckRedirect
	if b.post("/pay/prove", nil); b.header.Get("Location") != "/pay" {
		t.Errorf("a second press leads to %s", b.header.Get("Location"))
	}
	h.walk(7 * 24 * time.Hour)
	if h.status(invoice) != "paid" || h.standard(customer) == nil {
		t.Errorf("the invoice is %s, the standard %v", h.status(invoice), h.standard(customer))
	}
}

// typing is a customer who owes dollars and has typed the number of an account, and the page they were led to.
func typing(t *testing.T) (h *house, customer, invoice string, b *browser) {
	h = open(t)
	customer = h.ask("customers", url.Values{"name": {"June Park"}, "email": {"june@park.example"}, "address[country]": {"US"}})["id"].(string)
	invoice = h.dollars(customer)
	b = h.browser()
	b.get(linkIn(t, h.mailsTo("june@park.example")[0])).at("/pay", http.StatusOK)
	b.get("/pay/card").at("/pay/card", http.StatusOK)
	form := b.hidden("form[data-card]")
	form.Set("kind", "debit")
	setup := b.intent(form)
	typed := typedAccount("June Park")
	typed.Set("return_url", h.base+"/pay/card/finish")
	h.ask("setup_intents/"+setup+"/confirm", typed)
	form.Set("setup_intent", setup)
	b.post("/pay/card", form).at("/pay", http.StatusOK)
	return h, customer, invoice, b
}

// typedAccount is an account at a bank in the United States whose number somebody types.
func typedAccount(owner string) url.Values {
	return url.Values{
		"payment_method_data[type]": {"us_bank_account"}, "payment_method_data[us_bank_account][account_number]": {"000123456789"},
		"payment_method_data[us_bank_account][routing_number]": {"110000000"}, "payment_method_data[us_bank_account][account_holder_type]": {"individual"},
		"payment_method_data[billing_details][name]": {owner},
	}
}

// While the small deposits are on their way the customer has done their part: reminders rest for three business days at
// most, and no longer than until the account is proven. Customer and staff read why. What staff ended stays ended.
func TestRemindersRestWhileSmallDepositsAreOnTheirWay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		ends  func(h *house, customer string)
		until time.Duration // the pause is over by then
	}{
		{"by itself", func(*house, string) {}, 7 * day},
		{"by staff", func(h *house, customer string) {
			page := "/admin/customers/" + customer
			h.colleague(staff.Agent).get(page+"?act=resume").press("/admin/cases/").at(page, http.StatusOK)
		}, time.Minute},
		{"by another way to pay", func(h *house, customer string) {
			h.walk(time.Minute)
			b := h.browser()
			b.get(linkIn(h.t, h.mailsTo("june@park.example")[0])).get("/pay/card").at("/pay/card", http.StatusOK)
			form := b.hidden("form[data-card]")
			setup := b.intent(form)
			h.ask("setup_intents/"+setup+"/confirm", url.Values{"payment_method": {"pm_card_chargeCustomerFail"}, "return_url": {h.base + "/pay/card/finish"}})
			form.Set("setup_intent", setup)
			b.post("/pay/card", form)
		}, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, customer, _, b := typing(t)
			before := len(h.mailsTo("june@park.example"))
			if got := b.text("main"); !strings.Contains(got, "while the small deposits reach your bank account") {
				t.Errorf("the customer is not told that reminders rest: %s", got)
			}
			page := "/admin/customers/" + customer
			got := h.colleague(staff.Agent).get(page).at(page, http.StatusOK).text("main")
			for _, want := range []string{"Small deposits are on their way to a new bank account", "Small deposits that prove the customer's bank account are on their way.", "Added a bank account on their page", "A pause ends by itself"} {
				if !strings.Contains(got, want) {
					t.Errorf("staff are not told %q: %s", want, got)
				}
			}
			if tt.name == "by itself" {
				h.walk(2 * day)
				if n := len(h.mailsTo("june@park.example")); n != before {
					t.Errorf("%d reminders while the deposits are on their way", n-before)
				}
			}
			tt.ends(h, customer)
			h.walk(tt.until)
			if resting := h.restingFor("verification"); resting != 0 {
				t.Errorf("%d cases still rest for it", resting)
			}
			h.walk(20 * day)
			if n := len(h.mailsTo("june@park.example")); n == before {
				t.Error("reminders never went on")
			}
			if n := h.restingFor("verification"); n != 0 {
				t.Errorf("it began again: %d", n)
			}
		})
	}
}

// What the customer says while small deposits are on their way is acknowledged, and no day is named on which reminders still
// rest for it.
func TestWhatIsSaidWhileSmallDepositsAreOnTheirWayIsAcknowledged(t *testing.T) {
	t.Parallel()
	t.Run("a transfer", func(t *testing.T) {
		t.Parallel()
		_, _, _, b := typing(t)
		promised := b.get("/pay/transfer").at("/pay/transfer", http.StatusOK).restsUntil("main")
		b.press("/pay/transfer").at("/pay", http.StatusOK)
		said := b.text(".note")
		if !strings.Contains(said, "You told us that you have paid by bank transfer.") || b.restsUntil(".note") != promised || promised == "" {
			t.Errorf("reminders were to be paused until %q: %s", promised, said)
		}
		if b.text(".note[role=status][tabindex='-1'][autofocus]") != said || b.get("/pay").text(".note[autofocus]") != "" {
			t.Error("right after the press it is not what is heard first, or it is on a later visit too")
		}
	})
	t.Run("a message", func(t *testing.T) {
		t.Parallel()
		_, _, _, b := typing(t)
		b.post("/pay/support", url.Values{"text": {"Is my account of the right kind?"}}).at("/pay/support", http.StatusOK)
		if said := b.get("/pay").at("/pay", http.StatusOK).text(".note"); !strings.Contains(said, "Reminders are paused while we talk.") || b.restsUntil(".note") != "" {
			t.Errorf("the page says: %s", said)
		}
	})
	t.Run("a message, then a transfer", func(t *testing.T) {
		t.Parallel()
		_, _, _, b := typing(t)
		b.post("/pay/support", url.Values{"text": {"Is my account of the right kind?"}}).at("/pay/support", http.StatusOK)
		b.get("/pay/transfer").at("/pay/transfer", http.StatusOK)
		if said := b.text("main"); b.restsUntil("main") != "" || !strings.Contains(said, "Reminders are paused in the meantime.") {
			t.Errorf("reminders rest until somebody answers, the page says: %s", said)
		}
	})
}

var restPattern = regexp.MustCompile(`Reminders are paused until (\w+ \d+ \w+)`)

// restsUntil is the day until which a part of the page says that reminders rest, "" when it names none.
func (b *browser) restsUntil(within string) string {
	found := restPattern.FindStringSubmatch(b.text(within))
	if found == nil {
		return ""
	}
	return found[1]
}

// restingFor answers how many pauses of a reason are active.
func (h *house) restingFor(reason string) int {
	h.t.Helper()
	n := 0
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM pauses WHERE reason = $1 AND ended_at = 0`, reason).Scan(&n)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// dollars bills a customer something in dollars that a card declines, and mails them.
func (h *house) dollars(customer string) string {
	h.t.Helper()
	card := h.ask("payment_methods/pm_card_chargeCustomerFail/attach", url.Values{"customer": {customer}})["id"].(string)
	h.ask("customers/"+customer, url.Values{"invoice_settings[default_payment_method]": {card}})
	invoice := h.ask("invoices", url.Values{"customer": {customer}, "currency": {"usd"}, "auto_advance": {"true"}, "pending_invoice_items_behavior": {"exclude"}})["id"].(string)
	h.ask("invoiceitems", url.Values{"customer": {customer}, "invoice": {invoice}, "currency": {"usd"}, "amount": {"2900"}, "description": {"Studio plan"}})
	h.walk(3 * 24 * time.Hour)
	h.ask("payment_methods/"+card+"/detach", url.Values{})
	h.settle()
	return invoice
}

// Staff read on a customer's page what was agreed to when a way to pay was kept: the words as they were shown, when, which
// version, for which account; and that it was somebody else where it was.
func TestStaffReadWhatWasAgreedTo(t *testing.T) {
	t.Parallel()
	h, customer, _, _, b := debited(t, "pm_success_de")
	manager := h.colleague(staff.Manager)
	page := "/admin/customers/" + customer
	manager.get(page).at(page, http.StatusOK)
	given := manager.page.Find("section[aria-labelledby=mandates]")
	var version, reference string
	err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT version, reference FROM mandates WHERE customer_id = $1`, customer).Scan(&version, &reference)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := given.Find("details").Length(); n != 1 {
		t.Fatalf("%d are shown: %s", n, manager.text("main"))
	}
	if got := given.Find("blockquote"); !strings.HasPrefix(got.Text(), "By saving it you allow Lumen Studio, and Stripe on its behalf") || got.AttrOr("lang", "") != "en" || got.AttrOr("dir", "") != "ltr" {
		t.Errorf("the words are %q in %q", got.Text(), got.AttrOr("lang", ""))
	}
	said := strings.Join(strings.Fields(given.Text()), " ")
	for _, want := range []string{"SEPA ending 3000", "Agreed to 3 November 2026 at 10:00 as shown above", "in English, version " + version, "at Stripe " + reference} {
		if !strings.Contains(said, want) {
			t.Errorf("it lacks %q: %s", want, said)
		}
	}
	if _, err = time.Parse(time.RFC3339, given.Find("p time").AttrOr("datetime", "")); err != nil {
		t.Errorf("when is not told: %v", err)
	}
	b.get("/pay").at("/pay", http.StatusOK)
	if strings.Contains(b.text("main"), version) {
		t.Error("the customer is shown our version")
	}
	h, customer, _, owner, payer, _ := handedOn(t)
	form := h.types(payer, "pm_card_mastercard")
	payer.post("/pay/invoice", form)
	h.settle()
	owner.get("/pay").at("/pay", http.StatusOK)
	manager = h.colleague(staff.Manager)
	manager.get("/admin/customers/"+customer).at("/admin/customers/"+customer, http.StatusOK)
	if got := manager.text("section[aria-labelledby=mandates] summary"); !strings.Contains(got, "by somebody they handed a link to") || strings.Contains(got, "4444") {
		t.Errorf("a guest's card is told as %q", got)
	}
}
