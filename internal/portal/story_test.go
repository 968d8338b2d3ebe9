package portal_test

import (
	"database/sql"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"sollecito/internal/sandbox"
)

// The main story: a renewal fails, the reminder goes out, the link opens the page, the card on file pays, the
// reminders stop, and one letter says that all is settled.
func TestAFailedRenewalComesBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	if got := len(h.mailsTo("anneke@waal.example")); got != 0 {
		t.Fatalf("%d mails on the day of the failure", got)
	}
	h.walk(24 * time.Hour)
	mails := h.mailsTo("anneke@waal.example")
	if len(mails) != 1 {
		t.Fatalf("%d mails after a day", len(mails))
	}
	first := mails[0]
	if first.Subject != "Your Lumen Studio payment didn't go through" || !strings.Contains(first.Text, "€29.00") || !strings.Contains(first.HTML, "€29.00") {
		t.Errorf("first mail %q:\n%s", first.Subject, first.Text)
	}
	if at := first.At.In(time.FixedZone("CET", 3600)); at.Hour() < 9 || at.Hour() >= 18 {
		t.Errorf("sent at %s", at)
	}

	b := h.browser()
	b.get(linkIn(t, first)).at("/pay", http.StatusOK)
	if b.text("main .amount") != "€29.00" || !strings.Contains(b.text("main button.main-act"), "Pay €29.00") {
		t.Errorf("overview: %s", b.text("main"))
	}
	b.press("/pay/review").at("/pay/review", http.StatusOK)
	// The bank said no to this invoice with the card on file; it still does.
	b.press("/pay/charge").at("/pay/result", http.StatusOK)
	if !strings.Contains(b.text("main"), "Nothing has been taken") {
		t.Errorf("declined: %s", b.text("main"))
	}
	err := h.stripe.Pay(h.openInvoice(customer), false)
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	b.get("/pay").at("/pay", http.StatusOK)
	if b.page.Find("form[action^='/pay/review']").Length() != 0 || !strings.Contains(b.text("h1"), "Nothing is open") {
		t.Errorf("after payment: %s", b.text("main"))
	}
	h.walk(30 * 24 * time.Hour)
	mails = h.mailsTo("anneke@waal.example")
	if len(mails) != 2 || !strings.Contains(mails[1].Subject, "all is settled") {
		t.Errorf("after a month: %d mails, last %q", len(mails), mails[len(mails)-1].Subject)
	}
	b.get("/pay").at("/pay", http.StatusUnauthorized) // the link rests after 30 days
	h.noSecretsInTheLog(first)
}

func (h *house) openInvoice(customer string) string {
	h.t.Helper()
	list := h.ask("invoices?status=open&customer="+customer, nil)["data"].([]any)
	if len(list) == 0 {
		h.t.Fatal("nothing is open")
	}
	return list[0].(map[string]any)["id"].(string)
}

func (h *house) noSecretsInTheLog(mails ...sandbox.Mail) {
	h.t.Helper()
	log := h.log.String()
	for _, m := range mails {
		token := linkIn(h.t, m)
		token = token[strings.LastIndex(token, "/")+1:]
		if strings.Contains(log, token) {
			h.t.Error("a link's token is in the log")
		}
		err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
			var found int
			err := tx.QueryRow(`SELECT (SELECT count(*) FROM notices WHERE reason LIKE $1) + (SELECT count(*) FROM copies WHERE own LIKE $1) + (SELECT count(*) FROM copy_forms WHERE fixed LIKE $1) + (SELECT count(*) FROM links WHERE hash = $2)`,
				"%"+token+"%", token).Scan(&found)
			if found > 0 {
				h.t.Error("a link's token is in the database")
			}
			return err
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
	for _, secret := range []string{"_secret_", h.stripe.SecretKey(), h.stripe.WebhookSecret()} {
		if strings.Contains(log, secret) {
			h.t.Errorf("%q is in the log", secret)
		}
	}
}

func TestProgramsThatOpenEveryLinkDoNoHarm(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Duarte Nogueira", "duarte@foz.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	mails := h.mailsTo("duarte@foz.example")
	if len(mails) != 1 {
		t.Fatalf("an expired card is told at once, got %d mails", len(mails))
	}
	address := linkIn(t, mails[0])
	before := h.rows()
	objects := len(h.ask("events?limit=100", nil)["data"].([]any))
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			method := []string{http.MethodGet, http.MethodHead}[i%2]
			req, _ := http.NewRequest(method, address+"?utm_source=x&data=%2Fy", nil)
			resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/pay" || resp.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s: %d to %q", method, resp.StatusCode, resp.Header.Get("Location"))
			}
			if set := resp.Header.Get("Set-Cookie") != ""; set != (method == http.MethodGet) {
				t.Errorf("%s sets a session: %v", method, set)
			}
		})
	}
	wait.Wait()
	// And one that presses every button of the page the link opens, once, without following on.
	b := h.browser()
	b.get(address).at("/pay", http.StatusOK)
	page := b.page
	actions := map[string]bool{}
	page.Find("form").Each(func(_ int, form *goquery.Selection) { actions[form.AttrOr("action", "")] = true })
	if len(actions) < 3 || !actions["/pay/leave"] {
		t.Errorf("the page's forms: %v", actions)
	}
	for action := range actions {
		scanner := h.browser()
		scanner.client.Jar = b.client.Jar
		scanner.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		scanner.page = page
		scanner.press(action)
	}
	h.settle()
	if after := h.rows(); after != before {
		t.Errorf("something changed: %q became %q", before, after)
	}
	if got := len(h.ask("events?limit=100", nil)["data"].([]any)); got != objects {
		t.Errorf("%d objects were touched at Stripe", got-objects)
	}
	b.get(address).at("/pay", http.StatusOK)
}

// rows counts what a press or an opened link could change.
func (h *house) rows() string {
	h.t.Helper()
	var line string
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`
			SELECT (SELECT count(*) FROM notices) || ' notices, ' || (SELECT count(*) FROM attempts) || ' attempts, ' ||
				(SELECT count(*) FROM pauses) || ' pauses, ' || (SELECT count(*) FROM messages) || ' messages, ' ||
				(SELECT string_agg(status || step || access, ',') FROM cases) || ' ' || (SELECT string_agg(status, ',') FROM invoices)`).Scan(&line)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return line
}

func TestEveryDeadLinkLooksTheSame(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Duarte Nogueira", "duarte@foz.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	address := linkIn(t, h.mailsTo("duarte@foz.example")[0])
	err := h.stripe.Pay(h.openInvoice(customer), true)
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	h.clock.set(h.clock.now().Add(30*24*time.Hour - time.Minute))
	h.browser().get(address).at("/pay", http.StatusOK)
	h.clock.set(h.clock.now().Add(2 * time.Minute))
	var bodies []string
	for _, dead := range []string{address, h.base + "/l/" + strings.Repeat("A", 43), h.base + "/l/x", h.base + "/l/%00%ff", h.base + "/l/", h.base + "/l/a/b", address + "/"} {
		b := h.browser().get(dead)
		if b.status != http.StatusNotFound {
			t.Errorf("%d for %s", b.status, dead)
		}
		html, err := b.page.Html()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(html, address[strings.LastIndex(address, "/")+1:]) {
			t.Errorf("%s writes a token into the page", dead)
		}
		bodies = append(bodies, html)
	}
	for _, body := range bodies[1:] {
		if body != bodies[0] {
			t.Error("dead links differ")
		}
	}
	// The page mails a fresh link to the address on file, and says the same to everybody.
	known := h.browser().post("/pay/link", url.Values{"email": {"duarte@foz.example"}})
	unknown := h.browser().post("/pay/link", url.Values{"email": {"nobody@foz.example"}})
	if known.text("main") != unknown.text("main") || known.status != unknown.status {
		t.Error("the answer tells who is known")
	}
	h.settle()
	mails := h.mailsTo("duarte@foz.example")
	h.browser().get(linkIn(t, mails[len(mails)-1])).at("/pay", http.StatusOK)
	for range 5 {
		h.browser().post("/pay/link", url.Values{"email": {"DUARTE@foz.example"}})
	}
	h.settle()
	if got := len(h.mailsTo("duarte@foz.example")) - len(mails); got > 2 {
		t.Errorf("%d more links within the hour", got)
	}
	if len(h.mailsTo("nobody@foz.example")) != 0 {
		t.Error("a stranger got mail")
	}
}

// Who asks for a link twice in the same moment, from whatever window, is mailed one.
func TestALinkAskedForTwiceAtOnceIsMailedOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Duarte Nogueira", "duarte@foz.example", "IT", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	h.settle()
	before := len(h.mailsTo("duarte@foz.example"))
	for minute := range 4 {
		var asked sync.WaitGroup
		for range 6 {
			b := h.browser()
			asked.Go(func() { b.post("/pay/link", url.Values{"email": {"duarte@foz.example"}}) })
		}
		asked.Wait()
		h.settle()
		if got, want := len(h.mailsTo("duarte@foz.example"))-before, min(minute+1, 3); got != want {
			t.Fatalf("%d mails after %d times, want %d", got, minute+1, want)
		}
		h.clock.set(h.clock.now().Add(time.Minute))
	}
}

func TestSupportRestsTheCaseAndTheAnswerReachesTheCustomer(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0])).get("/pay/support").at("/pay/support", http.StatusOK)
	b.post("/pay/support", url.Values{"text": {"My card is 4242 4242 4242 4242, please use it"}}).at("/pay/support", http.StatusUnprocessableEntity)
	if b.page.Find("textarea").Text() == "" || b.page.Find("[role=alert]").Length() == 0 {
		t.Error("what was typed is lost, or nothing says what is wrong")
	}
	b.post("/pay/support", url.Values{"text": {"Can I pay on Friday? <script>alert(1)</script>"}}).at("/pay/support", http.StatusOK)
	if b.page.Find("main script").Length() != 0 || !strings.Contains(b.text(".talk"), "<script>alert(1)</script>") {
		t.Error("markup in a message is not inert")
	}
	const arrived = "Your message has arrived"
	if !strings.Contains(b.text(".flash"), arrived) || !strings.Contains(b.get(b.path+"?"+b.query).text(".flash"), arrived) {
		t.Error("the page does not say that the message arrived, or a reload does not")
	}
	for _, typed := range []string{"/pay/support?sent", "/pay/support?done=sent", "/pay/support?done=sent&told=1"} {
		if strings.Contains(b.get(typed).text("main"), arrived) {
			t.Errorf("%s, typed, says that a message arrived", typed)
		}
	}
	h.settle()
	toStaff := h.mailsTo("billing@lumen.example")
	if len(toStaff) != 1 || !strings.Contains(toStaff[0].Text, "Can I pay on Friday?") {
		t.Fatalf("staff got %d mails", len(toStaff))
	}
	h.walk(10 * 24 * time.Hour)
	if got := len(h.mailsTo("chiara@bellini.example")); got != 1 {
		t.Errorf("%d mails while nobody has answered", got)
	}
}

// Who wrote while nothing was open and waits for an answer is not reminded of what fails then either.
func TestACaseThatOpensWhileTheCustomerWaitsRests(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	invoice := h.fail(customer, "insufficient_funds")
	h.walk(24 * time.Hour)
	link := linkIn(t, h.mailsTo("chiara@bellini.example")[0])
	card := h.ask("payment_methods/pm_card_mastercard/attach", url.Values{"customer": {customer}})["id"].(string)
	h.ask("invoices/"+invoice+"/pay", url.Values{"payment_method": {card}})
	h.settle()
	b := h.browser()
	b.get(link).at("/pay", http.StatusOK)
	b.post("/pay/support", url.Values{"text": {"Which card is charged next month?"}}).at("/pay/support", http.StatusOK)
	before := len(h.mailsTo("chiara@bellini.example"))
	h.fail(customer, "insufficient_funds")
	h.walk(10 * 24 * time.Hour)
	if got := len(h.mailsTo("chiara@bellini.example")) - before; got != 0 {
		t.Errorf("%d mails while nobody has answered", got)
	}
	var pauses string
	err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT p.reason FROM pauses p JOIN cases c ON c.id = p.case_id WHERE c.status = 'open' AND p.ended_at = 0`).Scan(&pauses)
	})
	if err != nil || pauses != "conversation" {
		t.Errorf("the case that opened rests for %q: %v", pauses, err)
	}
}

// Crossing the mail server's faults: what surely did not arrive is sent again, what may have arrived is not.
func TestMailServerTrouble(t *testing.T) {
	t.Parallel()
	tests := []struct {
		place  sandbox.FaultPlace
		status string
	}{
		{sandbox.FaultConnect, "sent"}, {sandbox.FaultRcpt, "failed"}, {sandbox.FaultData, "sent"}, {sandbox.FaultReply, "uncertain"},
	}
	for _, tt := range tests {
		t.Run(string(tt.place), func(t *testing.T) {
			t.Parallel()
			h := open(t)
			customer := h.customer("Mirae Tan", "mirae@papaya.example", "SG", "pm_card_visa")
			h.clock.set(time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC)) // ten in the morning in Singapore
			h.catcher.SetFault(sandbox.Fault{Place: tt.place, Count: 2})
			if tt.place == sandbox.FaultConnect {
				h.catcher.SetFault(sandbox.Fault{Place: tt.place})
			}
			h.fail(customer, "expired_card")
			h.walk(5 * time.Minute)
			h.catcher.SetFault()
			h.walk(2 * time.Hour)
			var status string
			err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
				return tx.QueryRow(`SELECT status FROM notices WHERE channel = 'email' AND kind = 'reminder' AND subject_id = ''`).Scan(&status)
			})
			if err != nil {
				t.Fatal(err)
			}
			got := len(h.mailsTo("mirae@papaya.example"))
			want := map[string]int{"sent": 1, "failed": 0, "uncertain": 1}[tt.status]
			if status != tt.status || got != want {
				t.Errorf("%s with %d mails delivered, want %s with %d", status, got, tt.status, want)
			}
		})
	}
}

// One long story with everything that could slip into a log: links, a refused card, the bank's approval, a card number
// and an address typed into a message, a wrong password, a forged webhook, a Stripe and a mail server in trouble.
func TestAWholeStoryLogsNoSecrets(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	h.catcher.SetFault(sandbox.Fault{Place: sandbox.FaultRcpt, Code: 451, Message: "4.2.1 try later <anneke@waal.example>", Count: 1})
	h.walk(26 * time.Hour)
	mails := h.mailsTo("anneke@waal.example")
	if len(mails) == 0 {
		t.Fatal("no mail came")
	}
	b := h.browser()
	b.get(linkIn(t, mails[0])+"?email=anneke@waal.example").at("/pay", http.StatusOK)
	b.press("/pay/review")
	b.press("/pay/charge")
	b.post("/pay/card/intent", url.Values{})
	b.get("/pay/support").at("/pay/support", http.StatusOK)
	b.post("/pay/support", url.Values{"message": {"My new card is 4242 4242 4242 4242, write to anneke.private@waal.example"}})
	h.settle()
	h.browser().post("/pay/link", url.Values{"email": {"anneke@waal.example"}})
	h.browser().post("/admin/signin", url.Values{"email": {"giulia@lumen.example"}, "password": {"correct-horse-battery"}})
	h.browser().get("/admin/enrol/" + strings.Repeat("t0ken", 9))
	h.browser().get("/l/" + strings.Repeat("t0ken", 9)[:43])
	forged, err := http.Post(h.base+"/webhooks/stripe", "application/json", strings.NewReader(`{"id":"evt_1","client_secret":"pi_1_secret_zzz"}`))
	if err != nil {
		t.Fatal(err)
	}
	forged.Body.Close()
	h.settle()
	h.api.CloseClientConnections()
	h.api.Close()
	_, err = h.portal.Stripe.Account(t.Context(), customer)
	h.portal.Runner.Wake()
	if err == nil {
		t.Fatal("Stripe still answers")
	}
	h.noSecretsInTheLog(mails...)
	log := h.log.String()
	for _, secret := range []string{"sk_test", "whsec_", "_secret", "t0kent0ken", "correct-horse", "4242", strings.Repeat("s", 40), strings.Repeat("e", 40)} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "level=DEBUG") && strings.Contains(line, "waal.example") {
			t.Errorf("a customer's address is in the log: %s", line)
		}
	}
	if !strings.Contains(log, `route="GET /l/{token}"`) {
		t.Error("the requests are not in the log at all")
	}
}
