package portal_test

import (
	"bytes"
	"database/sql"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"sollecito/internal/config"
	"sollecito/internal/contact"
	"sollecito/internal/staff"
)

func asCollector(c *config.Config) { c.CollectorMode = "on" }

func (h *house) choices(customer string) contact.Choices {
	h.t.Helper()
	var c contact.Choices
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		var err error
		c, err = contact.ChoicesOf(h.t.Context(), tx, customer)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

var stopPattern = regexp.MustCompile(`^<(http://[^/]+)(/pay/stop/[A-Za-z0-9_-]{43})>$`)

// The customer reads what is still to come, that comes true, and asks for the app alone: from then on no reminder is
// mailed. Two presses do it, one takes it back.
func TestACustomerChoosesWhereTheyAreReminded(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	h.walk(24 * time.Hour)
	first := h.mailsTo("anneke@waal.example")[0]
	if first.Header("List-Unsubscribe") != "" || !strings.Contains(first.Text, linkIn(t, first)+"?to=choices") {
		t.Errorf("want a visible way to the choices and no List-Unsubscribe:\n%s", first.Text)
	}
	b := h.browser()
	b.get(linkIn(t, first)+"?to=choices").at("/pay/choices", http.StatusOK)
	promised, _ := b.page.Find("section[aria-labelledby=ahead] ol time").First().Attr("datetime")
	next, err := time.Parse(time.RFC3339, promised)
	if err != nil || !strings.Contains(b.text("section[aria-labelledby=ahead]"), "You will get at most") {
		t.Fatalf("what is to come: %s", b.text("section[aria-labelledby=ahead]"))
	}
	coming := b.page.Find("section[aria-labelledby=ahead] ol li").Length()
	h.walk(next.Sub(h.clock.now()) + time.Minute)
	mails := h.mailsTo("anneke@waal.example")
	if len(mails) != 2 || mails[1].At.Sub(next).Abs() > time.Minute {
		t.Fatalf("the second mail was promised for %s: %d mails", next, len(mails))
	}
	b.get(linkIn(t, mails[1])+"?to=choices").at("/pay/choices", http.StatusOK)
	if left := b.page.Find("section[aria-labelledby=ahead] ol li").Length(); left != coming-1 {
		t.Errorf("%d messages were to come, %d still are", coming, left)
	}

	app := url.Values{"way": {"app"}, "from": {"9"}, "to": {"18"}}
	b.post("/pay/choices", app).at("/pay/choices/review", http.StatusOK)
	if h.choices(customer).Version != 0 || !strings.Contains(b.text("main"), "Nothing has changed yet") {
		t.Error("the first press kept something")
	}
	b.press("/pay/choices/keep").at("/pay/choices", http.StatusOK)
	c := h.choices(customer)
	if !c.NoMail || c.NoApp || c.Source != contact.FromPage || !strings.Contains(c.Words, "not by email") {
		t.Errorf("kept: %+v", c)
	}
	h.walk(25 * 24 * time.Hour)
	if got := len(h.mailsTo("anneke@waal.example")); got != 2 {
		t.Errorf("%d mails after the opt-out", got-2)
	}

	b.get(linkIn(t, mails[1])).at("/pay", http.StatusOK)
	b.post("/pay/choices/keep", url.Values{"way": {"none"}, "from": {"9"}, "to": {"18"}}).at("/pay/choices", http.StatusOK)
	b.press("/pay/choices/keep").at("/pay/choices", http.StatusOK)
	if c = h.choices(customer); !c.NoMail || c.NoApp || c.Version != 3 {
		t.Errorf("after Undo: %+v", c)
	}
	b.post("/pay/choices", url.Values{"way": {"both"}, "from": {"12"}, "to": {"10"}}).at("/pay/choices", http.StatusUnprocessableEntity)
	b.post("/pay/choices/keep", url.Values{"way": {"both"}, "from": {"20"}, "to": {"23"}})
	if h.choices(customer).Version != 3 {
		t.Error("hours outside the merchant's were kept")
	}
}

// That a choice is saved is said, with a way to undo it, to the session that saved it and while it stands: not to who types
// the address, or follows it in a session of their own.
func TestASavedChoiceIsToldToTheSessionThatSavedIt(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	h.walk(day)
	link := linkIn(t, h.mailsTo("anneke@waal.example")[0])
	told := func(b *browser) bool {
		t.Helper()
		saved, undo := strings.Contains(b.text("[role=status]"), "Your choice is saved"), b.page.Find("form[action='/pay/choices/keep']").Length() > 0
		if saved != undo {
			t.Errorf("told %v, with Undo %v: %s", saved, undo, b.text("main"))
		}
		return saved
	}
	b, other := h.browser(), h.browser()
	b.get(link).at("/pay", http.StatusOK)
	other.get(link).at("/pay", http.StatusOK)
	b.post("/pay/choices/keep", url.Values{"way": {"none"}, "from": {"9"}, "to": {"18"}}).at("/pay/choices", http.StatusOK)
	if !told(b) {
		t.Fatalf("not told to who saved it: %s", b.text("main"))
	}
	address := b.path + "?" + b.query
	for _, path := range []string{"/pay/choices?kept", "/pay/choices?done=kept1", address} {
		if told(other.get(path).at("/pay/choices", http.StatusOK)) {
			t.Errorf("%s tells it to who did nothing", path)
		}
	}
	b.press("/pay/choices/keep").at("/pay/choices", http.StatusOK)
	if !told(b) || told(b.get(address).at("/pay/choices", http.StatusOK)) {
		t.Error("want Undo told, and the choice before it no more")
	}
	if c := h.choices(customer); c.NoMail || c.NoApp || c.Version != 2 {
		t.Errorf("after Undo: %+v", c)
	}
}

// One POST of a mail program stops reminders: without cookie, origin or redirect, at once, as often as it likes. No GET
// does, however many programs look through the mail.
func TestOneClickUnsubscribe(t *testing.T) {
	t.Parallel()
	h := open(t, asCollector)
	customer := h.customer("Duarte Nogueira", "duarte@foz.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	mail := h.mailsTo("duarte@foz.example")[0]
	found := stopPattern.FindStringSubmatch(mail.Header("List-Unsubscribe"))
	if found == nil || mail.Header("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || !strings.Contains(mail.Text, "You can stop these reminders") {
		t.Fatalf("List-Unsubscribe %q, -Post %q\n%s", mail.Header("List-Unsubscribe"), mail.Header("List-Unsubscribe-Post"), mail.Text)
	}
	address := h.base + found[2]
	bare := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for range 50 {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			req, _ := http.NewRequest(method, address, nil)
			resp, err := bare.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK || resp.Header.Get("Set-Cookie") != "" {
				t.Fatalf("%s: %d, cookie %q", method, resp.StatusCode, resp.Header.Get("Set-Cookie"))
			}
		}
	}
	b := h.browser()
	b.get(found[2]).at(found[2], http.StatusOK)
	b.press("/pay/stop/").at(found[2], http.StatusOK) // a program that presses every button once
	if h.choices(customer).Version != 0 || !strings.Contains(b.text("main"), "Nothing has changed yet") {
		t.Fatal("a GET or a single press on the page stopped something")
	}

	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	parts.WriteField("List-Unsubscribe", "One-Click")
	parts.Close()
	for n, body := range []struct{ kind, text string }{
		{"application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"}, {parts.FormDataContentType(), form.String()}, {"text/plain", "List-Unsubscribe=One-Click\r\n"},
	} {
		resp, err := bare.Post(address, body.kind, strings.NewReader(body.text))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if c := h.choices(customer); resp.StatusCode != http.StatusOK || !c.NoMail || c.NoApp || c.Version != 1 || c.Source != contact.FromOneClick {
			t.Fatalf("POST %d: %d, %+v", n+1, resp.StatusCode, c)
		}
	}
	h.walk(30 * 24 * time.Hour)
	if got := len(h.mailsTo("duarte@foz.example")); got != 1 {
		t.Errorf("%d mails after the opt-out", got-1)
	}

	if b.get(found[2]).page.Find("main form").Length() != 0 {
		t.Error("a program that presses every button of the page would let reminders go on")
	}
	b.post(found[2], url.Values{"step": {"yes"}}).press("/pay/stop/").at(found[2], http.StatusOK)
	if h.choices(customer).NoMail {
		t.Error("it was not taken back")
	}
	b.get("/pay/stop/"+strings.Repeat("A", 43)).at("/pay/stop/"+strings.Repeat("A", 43), http.StatusNotFound)
	h.noSecretsInTheLog(mail)
	token := strings.TrimPrefix(found[2], "/pay/stop/")
	err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		var kept int
		err := tx.QueryRow(`SELECT (SELECT count(*) FROM copies WHERE own LIKE $1) + (SELECT count(*) FROM copy_forms WHERE fixed LIKE $1)`, "%"+token+"%").Scan(&kept)
		if kept > 0 || strings.Contains(h.log.String(), token) {
			t.Error("the stop token is in a kept copy or in the log")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A program that presses every button of the page of choices once, without following on, changes nothing.
func TestOnePressChoosesNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Duarte Nogueira", "duarte@foz.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("duarte@foz.example")[0])+"?to=choices").at("/pay/choices", http.StatusOK)
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, way := range []string{"both", "mail", "app", "none"} {
		b.post("/pay/choices", url.Values{"way": {way}, "from": {"9"}, "to": {"10"}})
	}
	if h.choices(customer).Version != 0 {
		t.Error("one press chose something")
	}
	stranger := h.browser()
	stranger.post("/pay/choices/keep", url.Values{"way": {"none"}, "from": {"9"}, "to": {"18"}}).at("/pay/choices/keep", http.StatusUnauthorized)
}

func TestAReplyStopsReminders(t *testing.T) {
	t.Parallel()
	h := open(t, withInbound)
	customer := h.customer("Duarte Nogueira", "duarte@foz.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	mail := h.mailsTo("duarte@foz.example")[0]
	err := h.comes("duarte@foz.example", replyTo(mail), "From: duarte@foz.example\nSubject: Re: x\nMessage-ID: <a@foz.example>\n\nStop, please.\n\n> You get this because\n")
	if err != nil {
		t.Fatal(err)
	}
	if c := h.choices(customer); !c.NoMail || c.Source != contact.FromReply || !strings.HasPrefix(c.Words, "Stop, please.") {
		t.Errorf("%+v", c)
	}
}

// What was done at Stripe in the end is no reminder: whoever asked for none, before it or while its mail waits for the
// morning, is told all the same, in the hours they chose. Only a collector mails them nothing; their page tells it.
func TestAFinalActIsToldToWhoeverStoppedReminders(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		collector bool
		early     bool // they chose before it was done
		hours     contact.Hours
		at        string // when the mail came, in Amsterdam; "" for never
	}{
		"before":                {early: true, at: "09:00"},
		"while it waits":        {at: "09:00"},
		"to their own hours":    {hours: contact.Hours{From: 14, To: 17}, at: "14:00"},
		"never by a collector":  {collector: true},
		"nor when told earlier": {collector: true, early: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, func(c *config.Config) {
				if tt.collector {
					c.CollectorMode = "on"
				}
			})
			customer, _ := h.toTheEnd("cancel")
			choose := func() {
				t.Helper()
				err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
					_, err := h.portal.Cases.Choose(t.Context(), tx, customer, func(c contact.Choices) contact.Choices {
						c.NoMail, c.NoApp, c.Hours, c.Source = true, true, tt.hours, contact.FromPage
						return c
					}, h.clock.now())
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			amsterdam, err := time.LoadLocation("Europe/Amsterdam")
			if err != nil {
				t.Fatal(err)
			}
			h.clock.set(time.Date(2026, 11, 12, 22, 0, 0, 0, amsterdam)) // a Thursday
			if tt.early {
				choose()
			}
			manager := h.colleague(staff.Manager)
			manager.get("/admin/customers/" + customer + "?act=final")
			manager.press("/admin/cases/" + h.caseOf(customer).ID + "/final")
			h.settle()
			if !tt.early {
				choose()
			}
			before := len(h.mailsTo("anneke@waal.example"))
			h.walk(time.Hour)
			if got := len(h.mailsTo("anneke@waal.example")); got != before {
				t.Fatal("it was mailed at night")
			}
			h.walk(36 * time.Hour)
			mails := h.mailsTo("anneke@waal.example")[before:]
			if tt.at == "" {
				if len(mails) != 0 {
					t.Fatalf("a collector mailed %q", mails[0].Subject)
				}
				if got := h.count(`SELECT count(*) FROM notices WHERE kind = 'final' AND status = 'skipped'`); got != 1 {
					t.Errorf("%d were left out", got)
				}
				return
			}
			if len(mails) != 1 || !strings.Contains(mails[0].Subject, "has ended") || mails[0].At.In(amsterdam).Format("Mon 15:04") != "Fri "+tt.at {
				t.Fatalf("%d mails: %+v", len(mails), mails)
			}
		})
	}
}
