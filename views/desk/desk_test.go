package desk

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"sollecito/internal/billing"
	"sollecito/internal/l10n"
)

// preview writes every page of these tests to a folder, to be looked at in a browser:
// go test ./views/desk -preview /tmp/desk
var preview = flag.String("preview", "", "folder to write the drawn pages to")

const hostile = `"><svg/onload=alert(1)>`

var now = time.Date(2025, time.November, 6, 14, 12, 0, 0, time.UTC)

func at(month time.Month, day, hour, minute int) time.Time {
	return time.Date(2025, month, day, hour, minute, 0, 0, time.UTC)
}

func eur(minor int64) billing.Money { return billing.Money{Minor: minor, Currency: "eur"} }
func jpy(minor int64) billing.Money { return billing.Money{Minor: minor, Currency: "jpy"} }

func frame(t *testing.T) Frame {
	t.Helper()
	catalog, err := l10n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return Frame{
		Locale: catalog.Locale("en"), Merchant: "Lumen Studio", Now: now, Nav: NavToday,
		Staff:  Staff{Name: "Ines Ferrer", Email: "ines@lumen.example", Role: "manager"},
		Counts: Counts{NeedsPerson: 9, Inbox: 4},
		Asset:  func(name string) string { return "/static/" + name },
	}
}

func today(t *testing.T) TodayPage {
	row := func(id, name, email string, state State, need string, class billing.Class, next Next, owes ...billing.Money) Row {
		return Row{CustomerID: id, Name: name, Email: email, State: state, Need: need, Class: class, Next: next, Owes: owes}
	}
	return TodayPage{
		Frame: frame(t), View: ViewPerson, Views: Views(map[string]int{ViewPerson: 9, ViewOpen: 64, ViewPaused: 12, ViewRecovered: 311, ViewExhausted: 8}),
		Tiles: []Tile{
			{Label: "Needs a person", Count: 9, Context: "oldest since yesterday, 09:30"},
			{Label: "In recovery", Money: []billing.Money{eur(1842000), jpy(1284000)}, Context: "64 customers"},
			{Label: "Came back in November", Money: []billing.Money{eur(931000), jpy(412800)}, Context: "so far"},
			{Label: "Sent today", Count: 23, Context: "1 unclear"},
		},
		Rows: []Row{
			row("cus_1", "Freya Lindqvist", "freya@nordljus.example", State{Status: "paused", Day: 3, Pauses: []string{"conversation"}}, "Asks for a VAT number", billing.ClassGeneric, Next{}, eur(118800)),
			row("cus_2", "Maison Okafor", "compta@okafor.example", State{Status: "open", Day: 12}, "Access would be limited on 7 November", billing.ClassAuthentication, Next{At: at(time.November, 7, 10, 0), Title: "Access becomes limited"}, eur(176400)),
			row("cus_3", "Haruka Nakamura", "haruka@kobo.example", State{Status: "paused", Day: 20, Pauses: []string{"dispute"}}, "Her bank disputes September", billing.ClassNone, Next{}, jpy(57600)),
			row("cus_4", "Anneke de Vries", "anneke@studiowaal.example", State{Status: "open", Day: 9}, "Promise for 5 November not kept", billing.ClassMoney, Next{At: at(time.November, 7, 10, 0), Title: "Mail 3"}, eur(58800)),
			row("cus_5", "", "duarte@foz.example", State{Status: "open", Day: 4}, "Mailbox no longer exists", billing.ClassExpired, Next{At: at(time.November, 10, 9, 0), Title: "Notice in the app"}, eur(34800), jpy(900)),
		},
		Pager: Pager{From: 1, To: 5, Total: 9, Next: "/admin?view=person&after=cus_5"},
	}
}

func imported(t *testing.T) ImportedPage {
	return ImportedPage{
		Frame: frame(t), Waiting: 214, Released: 41, PerDay: 100, Found: 214, Owes: []billing.Money{eur(931000), jpy(412800)},
		Rows: []WaitingRow{
			{CaseID: "case_1", CustomerID: "cus_1", Name: "Freya Lindqvist", Email: "freya@nordljus.example", Owes: []billing.Money{eur(118800)}, Class: billing.ClassMoney,
				Since: at(time.October, 28, 7, 58), First: Next{At: at(time.November, 7, 10, 0), Title: "Mail 1"}, Channel: "email"},
			{CaseID: "case_2", CustomerID: "cus_2", Name: "Maison Okafor", Email: "compta@okafor.example", Owes: []billing.Money{eur(176400), jpy(900)}, Class: billing.ClassExpired,
				Since: at(time.October, 2, 7, 58), First: Next{At: at(time.November, 6, 15, 0), Title: "Mail 1"}, Channel: "email", Others: []string{"dispute"}},
			{CaseID: "case_3", CustomerID: "cus_3", Name: hostile, Owes: []billing.Money{jpy(57600)}, Class: billing.ClassOverdue,
				Since: time.Date(2024, time.March, 2, 7, 58, 0, 0, time.UTC), First: Next{At: at(time.November, 6, 15, 0), Title: "Mail 1"}, Channel: "app"},
			{CaseID: "case_4", CustomerID: "cus_4", Owes: []billing.Money{eur(34800)}, Class: billing.ClassGeneric, Since: at(time.March, 2, 7, 58)},
		},
		Pager: Pager{From: 1, To: 4, Total: 214, Next: "/admin/imported?from=50"},
	}
}

func customer(t *testing.T) CustomerPage {
	f := frame(t)
	return CustomerPage{
		Frame: f, ID: "cus_QxA1", Name: "Anneke de Vries", Email: "anneke@studiowaal.example",
		State: State{Status: "open", Day: 9}, Owes: []billing.Money{eur(58800)},
		Invoices: []Invoice{{ID: "in_1", Number: "LS-2025-1102", What: "Team plan, yearly", Remaining: eur(58800), Class: billing.ClassMoney, Code: "insufficient_funds", Since: at(time.October, 28, 7, 58), URL: "https://dashboard.example/in_1"}},
		Card:     "Mastercard ending 5454, 02/28", Access: Access{Level: "full", Until: at(time.November, 12, 0, 0)},
		LocalTime: at(time.November, 6, 15, 12), ZoneName: "Europe/Amsterdam", ZoneFrom: "the country’s only zone", Language: "Dutch",
		Campaign: "Gentle", Version: 7, Since: time.Date(2018, time.October, 1, 0, 0, 0, 0, time.UTC),
		Plan: &Plan{Title: "Mail 3", At: at(time.November, 7, 9, 0), LocalAt: at(time.November, 7, 10, 0), City: "Amsterdam",
			Sentence: "“Your Lumen Studio access will be limited from Wednesday 12 November”, in Dutch, to anneke@studiowaal.example.",
			Why: []string{"The promise for 5 November was not kept, so the campaign goes on with step 3.", "The last mail was 19 hours ago; we keep at least 24 between two.",
				"10:00 lies in their hours, Monday to Friday, 09:00 to 18:00.", "The invoice is read again just before. If it is paid, nothing goes out."}},
		Limits: []Limit{{"Messages, 7 days", 1, 3}, {"Tries on this card, 30 days", 3, 15}},
		Acts:   []Act{{Name: ActPause, Label: "Pause", Icon: "pause", Main: true}, {Name: "send", Label: "Send now", Icon: "send"}},
		Ahead: []Entry{
			{At: at(time.November, 12, 10, 0), Kind: KindAccess, Title: "Access becomes limited", Detail: "Needs the notice of step 3 to have been sent."},
			{At: at(time.November, 10, 8, 0), About: true, Kind: KindRetry, Title: "Stripe tries the card again", Detail: "Attempt 4. Planned by Stripe, read from the invoice."},
			{At: at(time.November, 7, 9, 0), Kind: KindMail, Title: "Mail 3: access will be limited", Detail: "See above for why."},
		},
		Past: []Entry{
			{At: at(time.November, 5, 19, 12), Kind: KindMail, Tone: Accent, Title: "Mail: “We tried on the day you chose”", Detail: "Delivered in 2 s.", CopyURL: "/admin/notices/ntc_3"},
			{At: at(time.November, 5, 18, 0), Kind: KindFlag, Tone: Wait, Title: "Promise not kept", Detail: "The charge failed, not enough money."},
			{At: at(time.November, 3, 11, 24), Kind: KindNote, Title: "Note by Samir", Quote: "Called. Client pays late this month, be patient."},
			{At: at(time.November, 3, 10, 0), Kind: KindSkip, Title: "Mail 2 left out", Detail: "A promise was running."},
			{At: at(time.October, 31, 8, 47), Kind: KindPromise, Tone: Good, Title: "Promise: charge me on 5 November", Detail: "Made on their page. Reminders went quiet until then."},
			{At: at(time.October, 30, 10, 0), Kind: KindMail, Tone: Accent, Title: "Mail 1", Subject: "Uw betaling aan Lumen Studio is niet gelukt", Lang: "nl", Detail: "Delivered in 1 s.", CopyURL: "/admin/notices/ntc_1"},
			{At: at(time.October, 28, 7, 58), Kind: KindCharge, Tone: Bad, Title: "First charge failed, €588.00", Detail: "Not enough money.", Code: "insufficient_funds"},
		},
		PortalURL: "/admin/customers/cus_QxA1/view", StripeURL: "https://dashboard.example/cus_QxA1", Talk: &Talk{ID: "conv_1", Last: now},
	}
}

func pages(t *testing.T) map[string]templ.Component {
	f := frame(t)
	stopped := f
	stopped.Nav, stopped.Sending = NavSending, Switch{Stopped: true, Since: at(time.November, 6, 13, 50), By: "Samir", Reason: "Wrong text in step 2"}
	inbox := f
	inbox.Nav = NavInbox
	out := f
	out.Staff, out.Nav = Staff{}, ""
	made, ending := keys(t)

	quiet := customer(t)
	quiet.State = State{Status: "paused", Day: 9, Pauses: []string{"staff"}}
	quiet.Plan, quiet.Idle = nil, "The case rests until somebody resumes it."
	quiet.Pauses = []Pause{{Kind: "staff", Reason: "Client pays late this month", By: "Samir", Since: at(time.November, 3, 11, 24)}}
	quiet.Acts = []Act{{Name: ActResume, Label: "Resume", Icon: "play", Main: true}}

	asked := customer(t)
	asked.Question = PauseQuestion(asked, "case_1", at(time.November, 10, 8, 0), Note{Fault: "Say why in a few words", Required: true})
	resumed := quiet
	resumed.Question = ResumeQuestion(resumed, "case_1", Next{At: at(time.November, 7, 10, 0), Title: "Mail 3"}, nil)
	again, ended := customer(t), customer(t)
	again.Question = AnnounceQuestion(again, "case_1", again.Email, at(time.November, 7, 9, 0), at(time.November, 11, 9, 0), false)
	ended.Question = RevokeQuestion(ended)

	empty := today(t)
	empty.Rows, empty.Tiles, empty.Pager = nil, nil, Pager{}
	connected := today(t)
	connected.Imported, connected.MayRelease, connected.Missed, connected.MissedAt = 214, true, 12, at(time.November, 6, 13, 45)
	connected.Deaf, connected.MayWebhooks = 1, true
	release := ReleasePage{Frame: f, All: true, Count: 214, PerDay: 100, Owes: []billing.Money{eur(931000), jpy(412800)}, NoAddress: 3, Nothing: 1, Resting: 2, Rows: imported(t).Rows,
		Days:  []ReleaseDay{{at(time.November, 6, 15, 0), 97, 3}, {at(time.November, 7, 10, 0), 99, 0}, {at(time.November, 10, 10, 0), 12, 1}},
		Pager: Pager{From: 1, To: 4, Total: 214, Next: "/admin/imported/release?all=1&from=50"}}
	changed := ReleasePage{Frame: f, Cases: []string{"case_1", hostile}, Count: 1, Rows: imported(t).Rows[:1], Changed: "More customers wait than you were shown."}
	talk := ConversationPage{Frame: inbox, ID: "conv_1", CustomerID: "cus_4", Name: "Anneke de Vries", Email: "anneke@studiowaal.example", Language: "Dutch",
		State: State{Status: "paused", Day: 9, Pauses: []string{"conversation"}}, Resting: true, MayReply: true, Limit: 4000,
		Messages: []Message{
			{Author: "Anneke de Vries", Text: "Can I pay on the 20th?\nMy card is being replaced.", At: at(time.November, 6, 9, 12)},
			{FromStaff: true, Author: "Ines", Text: "Of course. It is set, and reminders are quiet until then.", At: at(time.November, 6, 9, 30), Delivery: "Mailed in 2 s.", CopyURL: "/admin/notices/ntc_9"},
		}}
	failed := talk
	failed.Fault, failed.Text = "Write your answer first", "  "

	admin := f
	admin.Nav, admin.Staff.Role = NavWebhooks, "admin"
	kinds := EndpointForm{Address: "https://app.lumen.example/webhooks/sollecito", Kinds: []EventKind{
		{"access.changed", true}, {"case.opened", true}, {"case.reopened", false}, {"case.recovered", true}, {"case.exhausted", false}, {"case.canceled", false}}}
	hook := WebhookPage{Frame: admin, Form: kinds, Pager: Pager{From: 1, To: 4, Next: "/admin/webhooks/hook_2?from=50"},
		Endpoint: Endpoint{ID: "hook_2", Address: "https://app.lumen.example:8443/webhooks/sollecito", FailingSince: at(time.November, 3, 9, 0), Dead: true, Failed: 41},
		Deliveries: []Delivery{
			{ID: "dlv_4", MessageID: "msg_0362cikppb9v0b21nkl2bvhfpb", Type: "webhook.test", Status: "pending", At: now},
			{ID: "dlv_3", MessageID: "msg_0362cikppb9v0b21nkl2bvhfpc", Type: "access.changed", CustomerID: "cus_uiGM7UYa6wkTYd", Status: "pending", Attempts: 4, Code: 503, Reason: "It answered 503.",
				At: at(time.November, 6, 12, 0), TriedAt: at(time.November, 6, 12, 37), DueAt: at(time.November, 6, 14, 45)},
			{ID: "dlv_2", MessageID: "msg_0362cikppb9v0b21nkl2bvhfpd", Type: "case.recovered", CustomerID: hostile, Status: "failed", Attempts: 10, Reason: "Its name leads to an address that is not on the public internet.",
				At: at(time.November, 2, 12, 0), TriedAt: at(time.November, 5, 18, 37)},
			{ID: "dlv_1", MessageID: "msg_0362cikppb9v0b21nkl2bvhfpe", Type: "case.opened", CustomerID: "cus_uiGM7UYa6wkTYd", Status: "delivered", Attempts: 1, Code: 204, At: at(time.November, 1, 12, 0), TriedAt: at(time.November, 1, 12, 0)},
		}}
	return map[string]templ.Component{
		"signin":         SignIn(SignInPage{Frame: out}),
		"signin-refused": SignIn(SignInPage{Frame: out, Email: "ines@lumen.example", Refused: true, Wait: 75 * time.Second, Back: "/admin/inbox"}),
		"enrol":          Enrol(EnrolPage{Frame: out, Action: "/admin/enrol/abc", Email: "new@lumen.example", Role: "agent", Minimum: 15}),
		"enrol-faults":   Enrol(EnrolPage{Frame: out, Action: "/admin/enrol/abc", Email: "new@lumen.example", Name: "New", Minimum: 15, Faults: []Fault{{"password", "Use at least 15 characters"}}}),
		"enrol-dead":     Enrol(EnrolPage{Frame: out, Dead: true}),
		"code":           Code(CodePage{Frame: out, Back: "/admin/inbox"}),
		"code-refused":   Code(CodePage{Frame: out, Recovery: true, Fault: "This code is wrong, too old or was used before.", Wait: 4 * time.Second}),
		"factor":         Factor(FactorPage{Frame: out, Email: "new@lumen.example", QR: QR{Size: 29, Path: "M4 4h1v1h-1z"}, URI: "otpauth://totp/Lumen:new@lumen.example?secret=ABC", Secret: "ABCDEFGHIJ"}),
		"factor-change":  Factor(FactorPage{Frame: out, Change: true, QR: QR{Size: 29}, Secret: "ABCD", Fault: "This code does not fit."}),
		"codes":          Codes(CodesPage{Frame: out, Codes: []string{"ABCD-EFGH", "IJKL-MNOP"}}),
		"codes-unkept":   Codes(CodesPage{Frame: out, Codes: []string{"ABCD-EFGH"}, Fault: "Say that you have kept them."}),
		"confirm":        Confirm(ConfirmPage{Frame: f, Action: "/admin/confirm", Kept: []Field{{"back", "/admin/people"}}}),
		"confirm-sent":   Confirm(ConfirmPage{Frame: f, Action: "/admin/people", Sent: true, Kept: []Field{{"name", hostile}}, Fault: "The password or the code is wrong.", Wait: time.Minute}),
		"account": Account(AccountPage{Frame: f, Since: now, Codes: 9, Sessions: []SessionRow{{ID: "a1", Browser: "Firefox on Linux", From: "192.0.2.1", Since: now, SeenAt: now, Here: true},
			{ID: "b2", Browser: "Safari on iPhone", From: "198.51.100.4", Since: now, SeenAt: now}}}),
		"password":        Password(PasswordPage{Frame: f, Minimum: 15}),
		"password-refuse": Password(PasswordPage{Frame: f, Minimum: 15, Fault: "Use at least 15 characters."}),
		"people": People(PeoplePage{Frame: f, Chose: "agent", Invited: &Invited{Email: "new@lumen.example", Role: "agent", Address: "https://pay.lumen.example/admin/enrol/abc"}, People: []Person{
			{ID: "staff_1", Name: "Ines Rossi", Email: "ines@lumen.example", Role: "admin", Enrolled: true, Factor: true, SignedInAt: now, Self: true},
			{ID: "staff_2", Email: "new@lumen.example", Role: "agent"}, {ID: "staff_3", Name: hostile, Email: "old@lumen.example", Role: "viewer", Enrolled: true, Disabled: true}}}),
		"people-refused":  People(PeoplePage{Frame: f, Email: "x", Faults: []Fault{{"email", "This is no address."}, {"role", "Choose one."}, {"name", "Too long."}}}),
		"person":          PersonOf(PersonPage{Frame: f, Person: Person{ID: "staff_2", Name: hostile, Email: "new@lumen.example", Role: "agent", Enrolled: true, Factor: true}}),
		"person-disabled": PersonOf(PersonPage{Frame: f, Person: Person{ID: "staff_3", Email: "old@lumen.example", Role: "viewer", Disabled: true}}),
		"person-self":     PersonOf(PersonPage{Frame: f, Person: Person{ID: "staff_1", Name: "Ines", Email: "ines@lumen.example", Role: "admin", Self: true}}),
		"keys":            Keys(made),
		"keys-ending":     Keys(ending),
		"keys-empty":      Keys(KeysPage{Frame: f}),
		"keys-refused":    Keys(KeysPage{Frame: f, Name: hostile, Faults: []Fault{{"name", "There is a key of this name: end it first, or choose another."}}}),
		"today":           Today(today(t)),
		"today-empty":     Today(empty),
		"today-imported":  Today(connected),
		"imported":        Imported(imported(t)),
		"imported-empty":  Imported(ImportedPage{Frame: f}),
		"imported-none":   Imported(ImportedPage{Frame: f, Waiting: 1, Query: hostile}),
		"release":         Release(release),
		"release-changed": Release(changed),
		"customer":        Customer(customer(t)),
		"customer-quiet":  Customer(quiet),
		"pause":           Customer(asked),
		"resume":          Customer(resumed),
		"announce":        Customer(again),
		"revoke":          Customer(ended),
		"notice": Notice(NoticePage{Frame: f, ID: "ntc_1", CustomerID: "cus_4", CustomerName: "Anneke de Vries", Title: "Mail 1", State: "uncertain", At: at(time.October, 30, 10, 0),
			Headers: []Header{{"From", "Lumen Studio <billing@lumen.example>"}, {"To", "anneke@studiowaal.example"}, {"Subject", "Your Lumen Studio payment didn't go through"}}, Text: "Your payment didn’t go through\n\nHello Anneke,", HTMLURL: "/admin/notices/ntc_1/html"}),
		"notice-gone": Notice(NoticePage{Frame: f, ID: "ntc_1", CustomerID: "cus_4", Title: "Mail 1", State: "sent", At: now, Forgotten: true}),
		"inbox": Inbox(InboxPage{Frame: inbox, Waiting: true, Threads: []Thread{{ID: "conv_1", CustomerID: "cus_4", Name: "Anneke de Vries", Excerpt: "Can I pay on the 20th?", At: at(time.November, 6, 9, 12), Waiting: true},
			{ID: "conv_2", CustomerID: "cus_1", Name: "Freya Lindqvist", Excerpt: "Could you add our VAT number to the invoice?", At: at(time.November, 5, 12, 0), Waiting: true}}}),
		"inbox-empty":         Inbox(InboxPage{Frame: inbox, Waiting: true}),
		"conversation":        Conversation(talk),
		"conversation-failed": Conversation(failed),
		"webhooks": Webhooks(WebhooksPage{Frame: admin, Form: kinds, Endpoints: []Endpoint{
			{ID: "hook_1", Address: "https://app.lumen.example/webhooks/sollecito", Events: []string{"access.changed", "case.opened", "case.recovered"}},
			{ID: "hook_2", Address: "https://crm.lumen.example/in?source=" + strings.Repeat("long", 20), Events: []string{"case.recovered"}, FailingSince: at(time.November, 3, 9, 0), Dead: true, Failed: 41},
			{ID: "hook_3", Address: "https://old.lumen.example/", Events: []string{"case.opened"}, DisabledAt: now, Gone: true},
			{ID: "hook_4", Address: hostile, Events: []string{"case.opened"}, FailingSince: now}}}),
		"webhooks-empty":   Webhooks(WebhooksPage{Frame: admin, Form: kinds}),
		"webhooks-refused": Webhooks(WebhooksPage{Frame: admin, Form: EndpointForm{Address: hostile, Kinds: kinds.Kinds, Faults: []Fault{{"address", "The address must begin with https://."}, {"event", "Choose at least one kind of event."}}}}),
		"webhook":          Webhook(hook),
		"webhook-new":      Webhook(WebhookPage{Frame: admin, Form: kinds, Endpoint: Endpoint{ID: "hook_1", Address: "https://app.lumen.example/webhooks/sollecito"}, Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYq=", OldUntil: at(time.November, 7, 14, 12)}),
		"webhook-disabled": Webhook(WebhookPage{Frame: admin, Form: kinds, Endpoint: Endpoint{ID: "hook_1", Address: "https://app.lumen.example/", DisabledAt: now}, Deliveries: hook.Deliveries}),
		"audit": Audit(AuditPage{Frame: f, Rows: []AuditRow{
			{Seq: 1042, At: at(time.November, 6, 13, 50), Who: "Samir Haddad", Did: "stopped sending", Detail: "Wrong text in step 2", From: "192.0.2.7", RequestID: "req_7F"},
			{Seq: 1041, At: at(time.November, 5, 9, 2), Who: "Sollecito", Did: "paused", Object: "Anneke de Vries", ObjectURL: "/admin/customers/cus_4", Detail: "A promise was made"}}}),
		"sending":         Sending(SendingPage{Frame: f, MayChange: true, Queued: 1, Due: 41}),
		"sending-stopped": Sending(SendingPage{Frame: stopped, MayChange: true, Queued: 12}),
		"problem":         Problem(ProblemPage{Frame: f, Status: 404, Title: "There is nothing at this address", Sentence: "It may have been removed.", RequestID: "req_9"}),
		"problem-out":     Problem(ProblemPage{Frame: out, Status: 403}),
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

// Every page keeps the rules all pages share.
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
			if doc.Find("h1").Length() != 1 {
				t.Errorf("%d first headings", doc.Find("h1").Length())
			}
			if doc.Find("html[lang=en][dir=ltr] main#main").Length() != 1 || doc.Find("a.skip[href='#main']").Length() != 1 {
				t.Error("want language, direction, one main and the way to it")
			}
			if doc.Find("[style], style, script:not([src]), [onclick], [onload]").Length() > 0 {
				t.Error("the content security policy forbids inline styles and scripts")
			}
			doc.Find("input:not([type=hidden]), select, textarea").Each(func(_ int, field *goquery.Selection) {
				id := field.AttrOr("id", "")
				if field.Closest("label").Length() == 0 && (id == "" || doc.Find("label[for='"+id+"']").Length() != 1) {
					t.Errorf("a field without a label: %s", field.AttrOr("name", "?"))
				}
				for _, other := range strings.Fields(field.AttrOr("aria-describedby", "")) {
					if doc.Find("#"+other).Length() != 1 {
						t.Errorf("described by %q, which is not there", other)
					}
				}
			})
			doc.Find("form").Each(func(_ int, form *goquery.Selection) {
				if !strings.HasPrefix(form.AttrOr("action", ""), "/admin") {
					t.Errorf("a form's action is %q, not an absolute path", form.AttrOr("action", ""))
				}
			})
			doc.Find("use").Each(func(_ int, use *goquery.Selection) {
				if doc.Find(use.AttrOr("href", "#none")).Length() != 1 {
					t.Errorf("no icon %q", use.AttrOr("href", ""))
				}
			})
			seen := map[string]bool{}
			doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
				id := s.AttrOr("id", "")
				if seen[id] {
					t.Errorf("the id %q stands twice", id)
				}
				seen[id] = true
			})
			faulty := doc.Find(".errors, [aria-invalid]").Length() > 0
			if faulty && !strings.HasPrefix(doc.Find("title").Text(), "Error: ") {
				t.Errorf("a page with a fault is titled %q", doc.Find("title").Text())
			}
			leads := map[string]string{}
			doc.Find("main a[href]").Each(func(_ int, link *goquery.Selection) {
				called, to := strings.Join(strings.Fields(link.AttrOr("aria-label", link.Text())), " "), link.AttrOr("href", "")
				if leads[called] != "" && leads[called] != to {
					t.Errorf("in a list of links %q leads to %s and to %s", called, leads[called], to)
				}
				leads[called] = to
			})
			if doc.Find(".errors, section.flash").Not("[autofocus][tabindex='-1']").Length() > 0 {
				t.Error("what went wrong, or is shown only now, does not have the focus, so that nobody hears it who does not see it")
			}
			doc.Find("[aria-invalid=true]").Each(func(_ int, field *goquery.Selection) {
				described := ""
				for _, other := range strings.Fields(field.AttrOr("aria-describedby", "")) {
					described += doc.Find("#" + other).Text()
				}
				if doc.Find(".errors li").FilterFunction(func(_ int, said *goquery.Selection) bool {
					return strings.Contains(described, strings.TrimSpace(said.Text()))
				}).Length() == 0 {
					t.Errorf("%s is wrong, and described as %q, which does not say why", field.AttrOr("name", "?"), described)
				}
			})
			if len(html) > 50_000 {
				t.Errorf("%d bytes, more than 50 KB", len(html))
			}
		})
	}
}

// After a form did its work the page is the one from before, under the same title: what was done has the focus.
func TestWhatWasDoneIsHeardFirst(t *testing.T) {
	for tone, role := range map[Tone]string{Good: "status", Wait: "status", Bad: "alert"} {
		page := customer(t)
		page.Flash = &Flash{Tone: tone, Text: "Reminders are paused."}
		_, doc := draw(t, Customer(page))
		if got := doc.Find("main [role=" + role + "][autofocus][tabindex='-1']").Text(); got != page.Flash.Text {
			t.Errorf("%s: the focus is on %q", tone, got)
		}
	}
}

// Staff who listen hear a customer's language in a voice that speaks it.
func TestLettersSayTheirLanguage(t *testing.T) {
	_, doc := draw(t, Customer(customer(t)))
	if got := doc.Find("[aria-labelledby=timeline] [lang=nl]").Text(); got != "Uw betaling aan Lumen Studio is niet gelukt" {
		t.Errorf("in Dutch is %q", got)
	}
	if got := strings.Join(strings.Fields(doc.Find("[aria-labelledby=timeline]").Text()), " "); !strings.Contains(got, "Mail 1: “Uw betaling aan Lumen Studio is niet gelukt”") {
		t.Errorf("the timeline is %q", got)
	}
	_, doc = draw(t, Notice(NoticePage{Frame: frame(t), Title: "Mail 1", State: "sent", Lang: "nl", Headers: []Header{{"Subject", "Uw betaling"}, {"Date", "Thu, 30 Oct 2025"}}, Text: "Hallo Anneke,"}))
	if got := doc.Find("main [lang=nl]").Text(); got != "Uw betalingHallo Anneke," {
		t.Errorf("in Dutch is %q", got)
	}
}

func TestTodayShowsEachCurrencyApart(t *testing.T) {
	_, doc := draw(t, Today(today(t)))
	tile := doc.Find(".tile").Eq(1)
	if tile.Find(".figure bdi").Text() != "€18,420.00" || !strings.Contains(tile.Text(), "¥1,284,000") {
		t.Errorf("tile %q", tile.Text())
	}
	if got := doc.Find("tbody tr").Eq(4).Find("td.num bdi").Length(); got != 2 {
		t.Errorf("%d sums for two currencies", got)
	}
	if got := doc.Find("tbody tr").Eq(4).Find("th a").Text(); got != "duarte@foz.example" {
		t.Errorf("a customer without a name is called %q", got)
	}
	if doc.Find(".views [aria-current]").Text() == "" || doc.Find("nav [aria-current=page]").Length() != 1 {
		t.Error("the current view and page must be marked")
	}
}

func TestCustomerTellsTheEffectBeforeTheDeed(t *testing.T) {
	_, doc := draw(t, Customer(customer(t)))
	if doc.Find("form[action*=pause]").Length() > 0 {
		t.Error("the page itself must not hold the deed, only the way to its question")
	}
	if doc.Find("a[href='/admin/customers/cus_QxA1?act=pause#question']").Length() != 1 {
		t.Error("no way to the question")
	}
	page := customer(t)
	page.Question = PauseQuestion(page, "case_1", at(time.November, 10, 8, 0), Note{})
	_, doc = draw(t, Customer(page))
	question := doc.Find("#question")
	for _, want := range []string{"Pause reminders for Anneke de Vries?", "Stripe still tries the charge on 10 November", "Access stays full"} {
		if !strings.Contains(strings.Join(strings.Fields(question.Text()), " "), want) {
			t.Errorf("the question lacks %q", want)
		}
	}
	if question.Find("form[method=post][action='/admin/cases/case_1/pause'] [name=reason]").Length() != 1 || question.Find("a[href='/admin/customers/cus_QxA1']").Length() != 1 {
		t.Error("want a form with a reason, and Back")
	}
	page.Question = AnnounceQuestion(page, "case_1", page.Email, at(time.November, 7, 9, 0), at(time.November, 11, 9, 0), false)
	_, doc = draw(t, Customer(page))
	for _, want := range []string{"A fresh mail goes to anneke@studiowaal.example Friday 7 November, 09:00", "as soon as their hours and limits allow", "a new date, Tuesday 11 November. Until then access stays full."} {
		if got := strings.Join(strings.Fields(doc.Find("#question").Text()), " "); !strings.Contains(got, want) {
			t.Errorf("the question lacks %q in %q", want, got)
		}
	}
	// One line of time, newest first: what comes above now, what was below it.
	entries := doc.Find(".thread.log > li")
	if entries.Length() != 11 || !entries.Eq(3).HasClass("now") || !entries.Eq(2).HasClass("next") || entries.Eq(4).HasClass("next") {
		t.Error("the timeline must run future, now, past")
	}
}

func TestStoppedSendingShowsOnEveryPage(t *testing.T) {
	page := customer(t)
	page.Sending = Switch{Stopped: true, Since: at(time.November, 6, 13, 50), By: "Samir"}
	_, doc := draw(t, Customer(page))
	if got := doc.Find("main > .flash").Text(); !strings.Contains(got, "All sending is stopped since today, 13:50, by Samir") {
		t.Errorf("the page says %q", got)
	}
}

func TestStrangersWordsAreInert(t *testing.T) {
	page := customer(t)
	page.Name, page.Email, page.ID = hostile, "a@b.example?bcc=all@lumen.example", hostile
	page.Invoices[0].What, page.Invoices[0].URL = hostile, "javascript:alert(1)"
	page.Past[0].Quote, page.Past[0].CopyURL = hostile, "javascript:alert(1)"
	list := today(t)
	list.Query, list.Rows[0].Name, list.Rows[0].Need = hostile, hostile, hostile
	talk := ConversationPage{Frame: frame(t), ID: hostile, Name: hostile, Messages: []Message{{Text: hostile + "\n" + hostile, Author: hostile}}, MayReply: true, Text: "</textarea>" + hostile}
	notice := NoticePage{Frame: frame(t), Title: hostile, Text: "</pre>" + hostile, Headers: []Header{{hostile, hostile}}}
	for _, c := range []templ.Component{Customer(page), Today(list), Conversation(talk), Notice(notice)} {
		html, doc := draw(t, c)
		if doc.Find("[onload], script").Length() > 0 || strings.Contains(html, `"javascript:`) {
			t.Errorf("markup came alive in %s", doc.Find("title").Text())
		}
		if strings.Contains(html, "mailto:a@b.example?bcc") {
			t.Error("an address added a header")
		}
	}
}
