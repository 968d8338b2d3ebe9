package portal_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"sollecito/internal/config"
	"sollecito/internal/outbox"
	"sollecito/internal/sandbox"
	"sollecito/internal/staff"
)

func withInbound(c *config.Config) {
	c.InboundAddress, c.InboundListen = "mail+{token}@in.lumen.example", "127.0.0.1:0"
}

// comes brings a mail to the portal's own door as another server would, and lets it have its effect.
func (h *house) comes(from, to, text string) error {
	h.t.Helper()
	c, err := smtp.Dial(h.post)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	err = c.SendMail(from, []string{to}, strings.NewReader(strings.ReplaceAll(text, "\n", "\r\n")))
	h.settle()
	return err
}

// report is the delivery status a server writes about a mail of ours.
func report(id, recipient, action, status, words string) string {
	return fmt.Sprintf(`From: MAILER-DAEMON@mx.example
To: whoever
Subject: Undelivered Mail Returned to Sender
Message-ID: <%s@mx.example>
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

It could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; %s
Action: %s
Status: %s
Diagnostic-Code: smtp; %s

--B--
`, id, recipient, action, status, words)
}

func replyTo(m sandbox.Mail) string {
	_, address, _ := strings.Cut(m.Header("Reply-To"), "<")
	return strings.TrimSuffix(address, ">")
}

func (h *house) stopped(address string) bool {
	h.t.Helper()
	is := false
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		var err error
		_, is, err = outbox.SuppressionOf(h.t.Context(), tx, address)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return is
}

// colleague is the browser of a signed-in member of staff.
func (h *house) colleague(role staff.Role) *browser {
	h.t.Helper()
	_, err := h.portal.Members.Add(h.t.Context(), string(role)+"@lumen.example", "Ines", role)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.signedIn(role)
}

// signedIn is the browser of the colleague with a role, with a new session.
func (h *house) signedIn(role staff.Role) *browser {
	h.t.Helper()
	members, err := h.portal.Members.List(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, m := range members {
		if m.Role != role {
			continue
		}
		session, err := h.portal.Members.OpenSession(h.t.Context(), m.ID, staff.Caller{})
		if err != nil {
			h.t.Fatal(err)
		}
		b := h.browser()
		at, err := url.Parse(h.base)
		if err != nil {
			h.t.Fatal(err)
		}
		b.client.Jar.SetCookies(at, []*http.Cookie{{Name: "sollecito-staff", Value: session, Path: "/"}})
		return b
	}
	h.t.Fatal("nobody has that role")
	return nil
}

// The story of a bounce: a mail goes out and comes back, its address is given up, the next step is for the app alone,
// staff see why, a manager lets the address be written to again, and it is.
func TestAMailThatComesBack(t *testing.T) {
	t.Parallel()
	h := open(t, withInbound)
	customer := h.customer("Duarte Nogueira", "duarte@foz.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	mails := h.mailsTo("duarte@foz.example")
	if len(mails) != 1 || !strings.HasPrefix(mails[0].Sender, "mail+b") || !strings.HasPrefix(replyTo(mails[0]), "mail+r") {
		t.Fatalf("%d mails; from %q, answers to %q", len(mails), mails[0].Sender, mails[0].Header("Reply-To"))
	}
	bounceTo := mails[0].Sender

	// What must change nothing: a token nobody made, another recipient, a delay, an out-of-office.
	err := h.comes("", strings.Replace(bounceTo, "+b0", "+b1", 1), report("f1", "duarte@foz.example", "failed", "5.1.1", "550 5.1.1 user unknown"))
	if err == nil {
		t.Error("a forged token was taken")
	}
	for id, text := range map[string]string{
		"other":   report("other", "somebody@foz.example", "failed", "5.1.1", "550 5.1.1 user unknown"),
		"delayed": report("delayed", "duarte@foz.example", "delayed", "4.4.1", "timed out"),
		"ooo":     "From: duarte@foz.example\nMessage-ID: <ooo@foz.example>\nAuto-Submitted: auto-replied\n\nI am away.\n",
	} {
		err = h.comes("", bounceTo, text)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
	}
	if h.stopped("duarte@foz.example") || h.stopped("somebody@foz.example") {
		t.Fatal("an address was given up for nothing")
	}

	err = h.comes("", strings.ToUpper(bounceTo), report("b1", "Duarte@FOZ.example", "failed", "5.1.1", "550 5.1.1 user unknown"))
	if err != nil {
		t.Fatal(err)
	}
	if !h.stopped("duarte@foz.example") {
		t.Fatalf("it was not given up:\n%s", h.log)
	}
	h.walk(8 * 24 * time.Hour)
	if got := len(h.mailsTo("duarte@foz.example")); got != 1 {
		t.Errorf("%d mails to an address that is given up", got)
	}
	manager := h.colleague(staff.Manager)
	if got := manager.get("/admin?view=person").text("tbody"); !strings.Contains(got, "There is no address that takes mail") {
		t.Errorf("staff see %q", got)
	}
	story := manager.get("/admin/customers/" + customer).text("main")
	for _, want := range []string{"A mail came back", "user unknown", "No more mail to duarte@foz.example", "An automatic answer came by mail", "names another address", "delayed"} {
		if !strings.Contains(story, want) {
			t.Errorf("%q is not told in %s", want, story)
		}
	}
	// A link asked for at that address does not go out either, and says why.
	h.browser().post("/pay/link", url.Values{"email": {"duarte@foz.example"}})
	h.settle()
	if got := len(h.mailsTo("duarte@foz.example")); got != 1 {
		t.Errorf("a link went to an address that is given up: %d mails", got)
	}

	manager.get("/admin/customers/" + customer + "?act=mail-again").press("/admin/customers/" + customer + "/mail-again")
	if h.stopped("duarte@foz.example") {
		t.Fatalf("it is still given up: %s", manager.text("main"))
	}
	h.walk(2 * 24 * time.Hour)
	if got := len(h.mailsTo("duarte@foz.example")); got != 2 {
		t.Errorf("%d mails after a person's word", got)
	}
}

// Another billing contact at Stripe is written to when the address on file comes back.
func TestTheNextBillingContactIsWrittenTo(t *testing.T) {
	t.Parallel()
	h := open(t, withInbound)
	customer := h.customer("Duarte Nogueira", "duarte@foz.example", "IT", "pm_card_visa")
	h.ask("customers/"+customer, url.Values{"metadata[billing_contacts]": {"nonsense, books@foz.example"}})
	h.fail(customer, "expired_card")
	first := h.mailsTo("duarte@foz.example")[0]
	err := h.comes("", first.Sender, report("b1", "duarte@foz.example", "failed", "5.1.1", "550 user unknown"))
	if err != nil {
		t.Fatal(err)
	}
	mails := h.mailsTo("books@foz.example")
	if len(mails) != 1 || mails[0].Subject != first.Subject || linkIn(t, mails[0]) == linkIn(t, first) {
		t.Fatalf("%d mails to the other contact\n%s", len(mails), h.log)
	}
	h.walk(8 * 24 * time.Hour)
	if a, b := len(h.mailsTo("duarte@foz.example")), len(h.mailsTo("books@foz.example")); a != 1 || b != 2 {
		t.Errorf("%d and %d mails", a, b)
	}
}

func TestAComplaintStopsMailAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t, withInbound)
	customer := h.customer("Duarte Nogueira", "duarte@foz.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	m := h.mailsTo("duarte@foz.example")[0]
	complaint := func(id, token string) string {
		return "From: fbl@mailbox.example\nMessage-ID: <" + id + "@mailbox.example>\nContent-Type: multipart/report; report-type=feedback-report; boundary=F\n\n" +
			"--F\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\nOriginal-Mail-From: <" + token + ">\n\n--F--\n"
	}
	for _, text := range []string{complaint("c1", "mail+b"+strings.Repeat("0", 42)+"@in.lumen.example"), complaint("c2", "")} {
		err := h.comes("fbl@mailbox.example", "mail+complaints@in.lumen.example", text)
		if err != nil || h.stopped("duarte@foz.example") {
			t.Fatalf("a forged complaint: %v", err)
		}
	}
	err := h.comes("fbl@mailbox.example", "mail+complaints@in.lumen.example", complaint("c3", m.Sender))
	if err != nil || !h.stopped("duarte@foz.example") {
		t.Fatalf("a complaint: %v\n%s", err, h.log)
	}
	h.walk(20 * 24 * time.Hour)
	if got := len(h.mailsTo("duarte@foz.example")); got != 1 {
		t.Errorf("%d mails after a complaint", got)
	}
}

// A reply lands in the conversation, the answer to it holds the thread, and the reply to that lands again.
func TestAReplyLandsInTheConversation(t *testing.T) {
	t.Parallel()
	h := open(t, withInbound)
	customer := h.customer("Duarte Nogueira", "duarte@foz.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	m := h.mailsTo("duarte@foz.example")[0]
	first := "From: Duarte <duarte@foz.example>\nSubject: Re: payment\nMessage-ID: <r1@foz.example>\nContent-Type: multipart/mixed; boundary=M\n\n" +
		"--M\nContent-Type: text/plain; charset=utf-8\n\nMy new card comes on Friday. 4242 4242 4242 4242\n\nOn Monday Lumen wrote:\n> Pay here\n" +
		"--M\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=receipt.pdf\n\nx\n--M--\n"
	for range 2 { // brought twice, it is one
		err := h.comes("duarte@foz.example", replyTo(m), first)
		if err != nil {
			t.Fatal(err)
		}
	}
	agent := h.colleague(staff.Agent)
	agent.get("/admin/inbox")
	address := agent.page.Find("tbody th a").AttrOr("href", "")
	talk := agent.get(address).text("main")
	for _, want := range []string{"My new card comes on Friday. [a card number was removed]", "Not kept: receipt.pdf (application/pdf, 1 KB)", "(by mail)"} {
		if !strings.Contains(talk, want) {
			t.Errorf("%q is not told in %s", want, talk)
		}
	}
	if strings.Contains(talk, "Pay here") || strings.Contains(talk, "4242") || agent.page.Find(".bubble").Length() != 1 {
		t.Errorf("the conversation: %s", talk)
	}
	if got := len(h.mailsTo("billing@lumen.example")); got != 1 {
		t.Errorf("staff got %d mails", got)
	}
	told := h.mailsTo("billing@lumen.example")[0]
	if !strings.Contains(told.Text, "Attachments, not kept: receipt.pdf (application/pdf, 1 KB)") {
		t.Errorf("support's mail does not name the attachment:\n%s", told.Text)
	}
	b := h.browser().get(linkIn(t, m))
	page := b.get("/pay/support").post("/pay/language", url.Values{"lang": {"it"}, "back": {"/pay/support"}}).at("/pay/support", http.StatusOK)
	for _, want := range []string{"My new card comes on Friday. [un numero di carta è stato tolto]", "Non conservato: receipt.pdf. Per la Sua sicurezza qui non accettiamo allegati."} {
		if !strings.Contains(page.text("main"), want) {
			t.Errorf("the customer does not read %q in\n%s", want, page.text("main"))
		}
	}
	b.post("/pay/choices/keep", url.Values{"way": {"both"}, "from": {"9"}, "to": {"18"}}) // the next thing done keeps the language
	h.walk(6 * 24 * time.Hour)
	if got := len(h.mailsTo("duarte@foz.example")); got != 1 {
		t.Errorf("%d mails while they wait for an answer", got)
	}

	agent.post(address+"/reply", url.Values{"text": {"Friday is fine."}})
	h.settle()
	mails := h.mailsTo("duarte@foz.example")
	answer := mails[len(mails)-1]
	if answer.Header("In-Reply-To") != "<r1@foz.example>" || !strings.Contains(answer.Header("References"), "<r1@foz.example>") {
		t.Fatalf("the answer follows %q in %q", answer.Header("In-Reply-To"), answer.Header("References"))
	}
	if !strings.Contains(answer.Text, "Non conservato: receipt.pdf.") || !strings.Contains(answer.Text, "li invii a billing@lumen.example.") || strings.Contains(answer.Text, "a card number") {
		t.Errorf("the answer does not say what was not kept:\n%s", answer.Text)
	}
	for from, text := range map[string]string{
		"wife@foz.example":      "From: wife@foz.example\nMessage-ID: <r2@foz.example>\n\nHe says thanks.\n",
		"billing@lumen.example": "From: billing@lumen.example\nMessage-ID: <loop@foz.example>\n\nWe have received your message.\n",
		"":                      "From: duarte@foz.example\nMessage-ID: <ooo@foz.example>\n\nI am away.\n",
	} {
		err := h.comes(from, replyTo(answer), text)
		if err != nil {
			t.Fatal(err)
		}
	}
	talk = agent.get(address).text("main")
	if !strings.Contains(talk, "He says thanks.") || !strings.Contains(talk, "wife@foz.example (by mail, not the address on file)") || agent.page.Find(".bubble").Length() != 3 {
		t.Errorf("after the second reply: %s", talk)
	}
	h.noSecretsInTheLog(m)
	err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		var found int
		err := tx.QueryRow(`SELECT (SELECT count(*) FROM copies WHERE own LIKE $1) + (SELECT count(*) FROM copy_forms WHERE fixed LIKE $1)`, "%"+replyTo(m)+"%").Scan(&found)
		if found > 0 {
			t.Error("the address of a reply is in a kept copy")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	log := h.log.String()
	for _, token := range []string{m.Sender, replyTo(answer)} {
		if strings.Contains(log, token) {
			t.Errorf("%s is in the log", token)
		}
	}
}

// Without the setting nothing changes: mails carry the addresses they always had, and no door opens.
func TestWithoutInboundMailIsAsItWas(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Duarte Nogueira", "duarte@foz.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	m := h.mailsTo("duarte@foz.example")[0]
	if m.Sender != "billing@lumen.example" || replyTo(m) != "billing@lumen.example" || h.portal.Inbound != nil {
		t.Errorf("from %q, answers to %q", m.Sender, replyTo(m))
	}
}

// Who has no address of their own but a billing contact is served through the contact: reminded, told again of a consequence
// when staff say so, and told that all is settled.
func TestABillingContactAloneHearsEverything(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Duarte Nogueira", "duarte@foz.example", "IT", "pm_card_visa")
	h.ask("customers/"+customer, url.Values{"email": {""}, "metadata[billing_contacts]": {"books@foz.example"}})
	invoice := h.fail(customer, "do_not_honor")
	h.walk(12 * day)
	if got := len(h.mailsTo("books@foz.example")); got != 3 {
		t.Fatalf("%d reminders", got)
	}
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE notices SET status = 'uncertain' WHERE customer_id = $1 AND step = 'notice'`, customer)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.walk(8 * day)
	page := "/admin/customers/" + customer
	agent := h.colleague(staff.Agent)
	if got := agent.get(page + "?act=announce").text("#question"); !strings.Contains(got, "books@foz.example") {
		t.Fatalf("it cannot be announced again: %q\n%s", got, agent.text("main"))
	}
	agent.press("/admin/cases/").at(page, http.StatusOK)
	h.walk(2 * day)
	if got := len(h.mailsTo("books@foz.example")); got != 4 {
		t.Errorf("%d mails after it was announced again", got)
	}
	err = h.stripe.Pay(invoice, true)
	if err != nil {
		t.Fatal(err)
	}
	h.walk(3 * day)
	if got := settledAmong(h.mailsTo("books@foz.example")); len(got) != 1 {
		t.Errorf("told %d times that all is settled", len(got))
	}
}
