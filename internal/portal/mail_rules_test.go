package portal_test

import (
	"bytes"
	"net/http"
	netmail "net/mail"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"sollecito/internal/sandbox"
	"sollecito/internal/staff"
)

// Every mail of a whole story, as a real server took it, keeps the rules of pages-and-mails 2.2 and security M1, M6, M14.
func TestMailsKeepTheirRules(t *testing.T) {
	t.Parallel()
	h := open(t, withInbound)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	b := h.browser().get(linkIn(t, h.mailsTo("chiara@bellini.example")[0])).at("/pay", http.StatusOK)
	b.post("/pay/support", url.Values{"text": {"Is this yours?"}}).at("/pay/support", http.StatusOK)
	h.settle()
	agent := h.colleague(staff.Agent)
	agent.get("/admin/inbox")
	agent.post(agent.page.Find("tbody th a").AttrOr("href", "")+"/reply", url.Values{"text": {"It is."}})
	h.settle()
	h.browser().post("/pay/link", url.Values{"email": {"chiara@bellini.example"}})
	h.walk(10 * 24 * time.Hour)
	err := h.stripe.Pay(h.openInvoice(customer), false)
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	h.walk(2 * 24 * time.Hour)

	mails := h.catcher.Mails()
	ids, subjects, unasked := map[string]bool{}, map[string]bool{}, 0
	for _, m := range mails {
		checkMail(t, h, m)
		id := m.Header("Message-ID")
		if ids[id] {
			t.Errorf("%q came twice", id)
		}
		ids[id] = true
		if subjects[m.Subject] {
			t.Errorf("two mails are called %q", m.Subject)
		}
		subjects[m.Subject] = true
		if m.Header("List-Id") != "" {
			unasked++
		}
	}
	// Reminders and the news that all is settled; not the answer, the link that was asked for and what staff get.
	if len(mails) < 6 || unasked != len(mails)-3 {
		t.Errorf("%d of %d mails can be sorted by List-Id", unasked, len(mails))
		for _, m := range mails {
			t.Logf("%s to %s, List-Id %s", m.Subject, m.To, m.Header("List-Id"))
		}
	}
}

var httpAddress = regexp.MustCompile(`https?://[^\s"<>]+`)

func checkMail(t *testing.T, h *house, m sandbox.Mail) {
	t.Helper()
	bad := func(what string) { t.Errorf("%q to %s: %s", m.Subject, m.To, what) }
	parsed, err := netmail.ReadMessage(bytes.NewReader(m.Raw))
	if err != nil {
		t.Fatal(err)
	}
	_, err = parsed.Header.Date()
	if err != nil {
		bad("its date cannot be read")
	}
	for name, want := range map[string]string{
		"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "MIME-Version": "1.0", "List-Unsubscribe": "", "Precedence": "", "Bcc": "", "Cc": "",
	} {
		if got := m.Header(name); got != want {
			bad(name + " is " + got)
		}
	}
	if !regexp.MustCompile(`^<ntc_[A-Za-z0-9]+@lumen\.example>$`).MatchString(m.Header("Message-ID")) || "<"+m.Header("X-Entity-Ref-ID")+"@lumen.example>" != m.Header("Message-ID") {
		bad("Message-ID " + m.Header("Message-ID") + ", X-Entity-Ref-ID " + m.Header("X-Entity-Ref-ID"))
	}
	staffs := m.To == "billing@lumen.example"
	if !staffs && !regexp.MustCompile(`^mail\+[a-z0-9-]{20,}@in\.lumen\.example$`).MatchString(replyTo(m)) {
		bad("answers go to " + replyTo(m))
	}
	if len(m.HTML) == 0 || len(m.HTML) > 30_000 || len(m.Text) == 0 {
		bad("its parts are not as they should be")
	}
	for line := range strings.SplitSeq(string(m.Raw), "\r\n") {
		if len(line) > 998 {
			bad("it has a line of 998 bytes or more")
		}
	}
	if strings.Contains(m.HTML, "ld+json") || strings.Contains(m.HTML, "itemscope") || strings.Contains(m.HTML, "<img") {
		bad("it holds a picture or markup nobody asked for")
	}
	for _, address := range httpAddress.FindAllString(m.HTML+" "+m.Text, -1) {
		if !strings.HasPrefix(address, h.base+"/") {
			bad("it leads to " + address)
		}
	}
	if !strings.Contains(m.Text, "Via Tortona 31") || !strings.Contains(m.HTML, "Via Tortona 31") {
		bad("no postal identity")
	}
	if m.Header("Content-Language") == "" || !strings.Contains(m.HTML, `<html lang="`+m.Header("Content-Language")+`" dir="ltr">`) {
		bad("its language is not told")
	}
}
