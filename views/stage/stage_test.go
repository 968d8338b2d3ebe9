package stage

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"sollecito/internal/l10n"
)

// preview writes every page of these tests to a folder, to be looked at in a browser:
// go test ./views/stage -preview /tmp/stage
var preview = flag.String("preview", "", "folder to write the drawn pages to")

const hostile = `"><svg/onload=alert(1)>`

var now = time.Date(2025, time.November, 6, 14, 12, 0, 0, time.UTC)

func frame(t *testing.T) Frame {
	t.Helper()
	catalog, err := l10n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return Frame{Locale: catalog.Locale("en"), Merchant: "Lumen Studio", Now: now, StaffURL: "/admin/enter/abc", Mails: 12,
		Asset: func(name string) string { return "/static/" + name }}
}

func cast() []Customer {
	return []Customer{
		{ID: "cus_1", Name: "Chiara Bellini", Email: "chiara@bellini.example", Scenario: "The bank said no and gave no reason", CaseStatus: "open", Access: "full", PortalURL: "/l/abc", AdminURL: "/admin/customers/cus_1", Failing: true, Invoices: []Invoice{{ID: "in_1", Amount: "€29.00"}}},
		{ID: "cus_2", Name: "Haruka Nakamura", Email: "haruka@kobo.example", Scenario: "Two currencies, three invoices", CaseStatus: "open", Access: "grace", PortalURL: "/l/def", AdminURL: "/admin/customers/cus_2", Failing: true, Invoices: []Invoice{{ID: "in_2", Amount: "¥14,400"}}},
		{ID: "cus_3", Name: "Maison Okafor", Email: "compta@okafor.example", Scenario: "The bank wants the payment approved", CaseStatus: "paused", Access: "full", AdminURL: "/admin/customers/cus_3", Failing: true},
		{ID: "cus_4", Name: "Freya Lindqvist", Email: "freya@nordljus.example", Scenario: "Pays every month", Access: "full", AdminURL: "/admin/customers/cus_4", Failing: true},
		{ID: "cus_5", Name: "Tomasz Wiśniewski", Email: "tomasz@wisnia.example", Scenario: "Paid after the second mail", CaseStatus: "recovered", Access: "full", AdminURL: "/admin/customers/cus_5", Failing: true},
	}
}

func pages(t *testing.T) map[string]templ.Component {
	f := frame(t)
	told := f
	told.Flash = "The clock stands at Friday 7 November, 14:12. Three letters went out."
	return map[string]templ.Component{
		"home":        Home(HomePage{Frame: told, Customers: cast(), Declines: Declines(), StripeURL: "http://127.0.0.1:12111", StaffEmail: "giulia@lumen.example", StaffPassword: "lanterns over calm water", StaffCode: "123456"}),
		"inbox":       Inbox(InboxPage{Frame: f, Letters: []Letter{{ID: "1", At: now, To: "chiara@bellini.example", Subject: "Your Lumen Studio payment didn't go through"}}}),
		"inbox-empty": Inbox(InboxPage{Frame: f}),
		"mail": Mail(MailPage{Frame: f, ID: "1", At: now, From: "Lumen Studio <billing@lumen.example>", To: "chiara@bellini.example", Subject: "Your Lumen Studio payment didn't go through",
			Headers: []Header{{"Message-ID", "<ntc_1@lumen.example>"}}, Text: "Your payment didn’t go through\n\nHello Chiara,\n\nPay €29.00:\nhttp://127.0.0.1:8080/l/abc\n", HTMLURL: "/demo/inbox/1/html"}),
		"rehearsal": Rehearsal(RehearsalPage{Frame: f, Days: 90, Changed: "If Consumer cards spoke 2 days later",
			Is: Rehearsed{Messages: 40, Campaigns: []RehearsedCampaign{{Name: "consumer-cards", Cases: 12, Messages: 40, Said: 38, Taken: 3, Held: 1}}, Alone: 3, Person: 1,
				Leaving: []Leaving{{Hour: "Fri 10:00", Campaign: "consumer-cards", Step: "first", Cases: 4, Besides: "1 for a person to decide"}}},
			If: Rehearsed{Messages: 31}}),
		"app": App(AppPage{Frame: f, Customer: cast()[0], Customers: cast(), Token: "eyJ.x.y", ScriptURL: "/embed/v1.js"}),
	}
}

func draw(t *testing.T, c templ.Component) (string, *goquery.Document) {
	t.Helper()
	var b strings.Builder
	err := c.Render(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), doc
}

func TestEveryPage(t *testing.T) {
	for name, page := range pages(t) {
		t.Run(name, func(t *testing.T) {
			html, doc := draw(t, page)
			if *preview != "" {
				err := os.WriteFile(filepath.Join(*preview, name+".html"), []byte(html), 0o644)
				if err != nil {
					t.Fatal(err)
				}
			}
			if doc.Find("h1").Length() != 1 || doc.Find("html[lang][dir] main").Length() != 1 {
				t.Error("want one heading and one main")
			}
			if doc.Find("[style], style, script:not([src]), [onclick]").Length() > 0 {
				t.Error("the content security policy forbids inline styles and scripts")
			}
			doc.Find("input, select").Each(func(_ int, field *goquery.Selection) {
				if field.Closest("label").Length() == 0 && doc.Find("label[for='"+field.AttrOr("id", "")+"']").Length() != 1 {
					t.Errorf("a field without a label: %s", field.AttrOr("name", "?"))
				}
			})
			doc.Find("form").Each(func(_ int, form *goquery.Selection) {
				if !strings.HasPrefix(form.AttrOr("action", ""), "/demo/") {
					t.Errorf("a form's action is %q", form.AttrOr("action", ""))
				}
			})
		})
	}
}

func TestHomeMovesTheClockAndTheCast(t *testing.T) {
	_, doc := draw(t, pages(t)["home"])
	for _, by := range []string{"1h", "24h", "72h", "168h"} {
		if doc.Find("form[action='/demo/clock'][method=post] button[name=advance][value='"+by+"']").Length() != 1 {
			t.Errorf("no button moves the clock by %s", by)
		}
	}
	if doc.Find("a[href='/l/abc']").Length() != 1 || doc.Find("a[href='/demo/app?customer=cus_1']").Length() != 1 {
		t.Error("a customer's own page and their app must be one press away")
	}
	if doc.Find("form[action='/demo/fail'] option[value=insufficient_funds]").Length() != 1 || doc.Find("form[action='/demo/pay'] option[value=in_2]").Length() != 1 {
		t.Error("a renewal can fail and an invoice be paid from here")
	}
}

func TestMailsLinksAreLive(t *testing.T) {
	page := MailPage{Frame: frame(t), Subject: hostile, Text: "Pay:\nhttps://pay.example/l/abc\njavascript:alert(1)\nhttps://evil.example/" + hostile + "\n" + hostile}
	_, doc := draw(t, Mail(page))
	if doc.Find("pre a[href='https://pay.example/l/abc']").Length() != 1 {
		t.Error("the letter's link cannot be followed")
	}
	if doc.Find("[onload], a[href^=javascript]").Length() > 0 {
		t.Error("markup came alive")
	}
}
