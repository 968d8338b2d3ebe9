package email

import (
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"

	"sollecito/internal/billing"
	"sollecito/internal/l10n"
)

var update = flag.Bool("update", false, "write the golden letters anew")

// unfilled is what a missing message or argument looks like: its own key or place.
var unfilled = regexp.MustCompile(`\bmail\.[a-z_]+\b|\{\{`)

const (
	hostile  = `"><svg/onload=alert(1)>`
	linkURL  = "https://pay.lumen.example/l/7Qw2h0J1cXb9nTq5Zs8kVyR3mLdUaEf6Gp4HiOjKwCx"
	adminURL = "https://pay.lumen.example/admin/conversations/conv_1"
)

func catalog(t *testing.T) *l10n.Catalog {
	t.Helper()
	c, err := l10n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func lumen() Merchant {
	return Merchant{Name: "Lumen Studio", LegalAddress: "Lumen Studio S.r.l., Via Tortona 31, 20144 Milano, Italy", SupportEmail: "help@lumen.example", Logo: Picture{URL: "https://pay.lumen.example/brand/logo.png", Width: 36, Height: 36}}
}

func day(month time.Month, d int) time.Time { return time.Date(2025, month, d, 10, 0, 0, 0, time.UTC) }

func reminder1(step Step, class billing.Class) ReminderFacts {
	return ReminderFacts{
		Merchant: lumen(), FirstName: "Chiara", Step: step, Class: class, LinkURL: linkURL,
		Invoices:    []Invoice{{Number: "LS-2025-1184", What: "Studio plan", From: day(time.November, 3), To: day(time.December, 2), Remaining: billing.Money{Minor: 2900, Currency: "eur"}}},
		Card:        Card{Brand: "Visa", Last4: "4242"},
		NextAttempt: day(time.November, 10),
		Consequence: &Consequence{Level: "restricted", At: day(time.November, 18)},
	}
}

// letters are every kind of letter with its usual facts, by the name of its golden file.
func letters(locale *l10n.Locale) map[string]Letter {
	with := func(change func(*ReminderFacts)) ReminderFacts {
		facts := reminder1(StepFirst, billing.ClassGeneric)
		change(&facts)
		return facts
	}
	all := map[string]Letter{
		"several": Reminder(locale, with(func(f *ReminderFacts) {
			f.Invoices = append(f.Invoices,
				Invoice{Number: "LS-2025-1190", What: "Fonts", Remaining: billing.Money{Minor: 900, Currency: "eur"}},
				Invoice{Number: "LS-2025-1203", What: "Tokyo seats", Remaining: billing.Money{Minor: 14400, Currency: "jpy"}})
			f.Consequence = nil
		})),
		"collector": Reminder(locale, with(func(*ReminderFacts) {})).WithChoices(linkURL + "?to=choices").WithStop("https://pay.lumen.example/pay/stop/7Qw2h0J1cXb9nTq5Zs8kVyR3mLdUaEf6Gp4HiOjKwCx"),
		"notice-suspended": Reminder(locale, with(func(f *ReminderFacts) {
			f.Step, f.Consequence.Level, f.NextAttempt = StepNotice, "suspended", time.Time{}
		})),
		"restricted-suspended": Reminder(locale, with(func(f *ReminderFacts) {
			f.Step, f.Consequence.Level, f.NextAttempt = StepRestricted, "suspended", time.Time{}
		})),
		"second-limited": Reminder(locale, with(func(f *ReminderFacts) { f.Step, f.Consequence, f.Limited = StepSecond, nil, true })),
		"second-paused":  Reminder(locale, with(func(f *ReminderFacts) { f.Step, f.Consequence, f.Limited, f.Suspended = StepSecond, nil, true, true })),
		"second-overdue": Reminder(locale, with(func(f *ReminderFacts) {
			f.Step, f.Class, f.NextAttempt, f.Card = StepSecond, billing.ClassOverdue, time.Time{}, Card{}
		})),
		"promise-charge": Promise(locale, PromiseFacts{Merchant: lumen(), FirstName: "Chiara", Amounts: []billing.Money{{Minor: 2900, Currency: "eur"}}, On: day(time.November, 28), Charge: true,
			Card: Card{Brand: "Visa", Last4: "4242"}, Retry: day(time.November, 20), Invoices: []Invoice{{Number: "LS-2025-1184"}}, LinkURL: linkURL}),
		"promise-self": Promise(locale, PromiseFacts{Merchant: lumen(), Amounts: []billing.Money{{Minor: 2900, Currency: "eur"}}, On: day(time.November, 28), LinkURL: linkURL}),
		"second-broken": Reminder(locale, with(func(f *ReminderFacts) {
			f.Step, f.Broken = StepSecond, &BrokenDay{On: day(time.November, 6), Charge: true, Tried: true}
		})),
		"settled": Settled(locale, SettledFacts{Merchant: lumen(), FirstName: "Chiara", LinkURL: linkURL, Restored: true,
			Payments: []Payment{{Number: "LS-2025-1184", What: "Studio plan", Paid: billing.Money{Minor: 2900, Currency: "eur"}, PaidOn: day(time.November, 6), Card: Card{Brand: "Visa", Last4: "4242"}}},
			NextOn:   day(time.December, 3), Next: billing.Money{Minor: 2900, Currency: "eur"}}),
		"settled-several": Settled(locale, SettledFacts{Merchant: lumen(), LinkURL: linkURL, Payments: []Payment{
			{Number: "LS-2025-1184", Paid: billing.Money{Minor: 2900, Currency: "eur"}, PaidOn: day(time.November, 6)},
			{Number: "LS-2025-1203", Paid: billing.Money{Minor: 14400, Currency: "jpy"}, PaidOn: day(time.November, 6), ByOthers: true},
		}}),
		"fresh-link": FreshLink(locale, FreshLinkFacts{Merchant: lumen(), FirstName: "Chiara", LinkURL: linkURL, Until: day(time.December, 6)}),
		"code":       Code(locale, CodeFacts{Merchant: lumen(), FirstName: "Chiara", Code: "081942", Card: Card{Brand: "Visa", Last4: "4242"}, Minutes: 10}),
		"method-gone": MethodGone(locale, MethodGoneFacts{Merchant: lumen(), FirstName: "Chiara", Card: Card{Brand: "Visa", Last4: "4242"}, Successor: Card{Brand: "Mastercard", Last4: "4444"},
			On: day(time.November, 6), LinkURL: linkURL}).WithCheck("https://pay.lumen.example/pay/genuine"),
		"genuine": Genuine(locale, GenuineFacts{Merchant: lumen(), FirstName: "Chiara", Mails: []Mailed{
			{At: day(time.November, 6), Subject: "Your Lumen Studio payment didn't go through"}, {At: day(time.November, 3), Subject: "Still can't charge your card for Lumen Studio"},
		}}),
		"genuine-none": Genuine(locale, GenuineFacts{Merchant: lumen()}),
		"reply": Reply(locale, ReplyFacts{Merchant: lumen(), FirstName: "Chiara", Staff: "Ines", LinkURL: linkURL, Resting: true, AskedOn: day(time.November, 5),
			Text: "Of course. It is set for the 20th.\nReminders are quiet until then.\n\nHave a good week!", Question: "Can I pay on the 20th?\nMy card is being replaced."}),
		"reply-files": Reply(locale, ReplyFacts{Merchant: lumen(), Staff: "Ines", LinkURL: linkURL, AskedOn: day(time.November, 5), NotKept: []string{"receipt.pdf", "IMG_0042.jpg"},
			Text: "Thank you, that is settled.", Question: "Here is the receipt of my bank."}),
		"staff-files": StaffMessage(locale, StaffMessageFacts{Merchant: lumen(), CustomerName: "Chiara Bellini", CustomerEmail: "chiara@bellini.example", At: day(time.November, 5),
			Text: "Here is the receipt of my bank.", NotKept: []string{"receipt.pdf (application/pdf, 32 KB)"}, AdminURL: adminURL}),
		"staff-message": StaffMessage(locale, StaffMessageFacts{Merchant: lumen(), CustomerName: "Chiara Bellini", CustomerEmail: "chiara@bellini.example", At: day(time.November, 5),
			Text: "Can I pay on the 20th?", Owes: []billing.Money{{Minor: 2900, Currency: "eur"}, {Minor: 14400, Currency: "jpy"}}, AdminURL: adminURL}),
	}
	ahead := PrecautionFacts{
		Merchant: lumen(), FirstName: "Chiara", Card: Card{Brand: "Visa", Last4: "4242"}, What: "Studio plan",
		Amount: billing.Money{Minor: 2900, Currency: "eur"}, On: day(time.December, 3), LinkURL: linkURL,
	}
	all["ahead-expiring"] = Precaution(locale, ahead)
	ahead.Expired = true
	all["ahead-expired"] = Precaution(locale, ahead)
	ahead.Card, ahead.Expired = Card{}, false
	all["ahead-no_method"] = Precaution(locale, ahead)
	for _, act := range []string{"cancel", "pause", "uncollectible"} {
		all["notice-"+act] = Reminder(locale, with(func(f *ReminderFacts) { f.Step, f.Consequence.Level, f.NextAttempt = StepNotice, act, time.Time{} }))
		all["second-"+act] = Reminder(locale, with(func(f *ReminderFacts) { f.Step, f.Consequence.Level = StepSecond, act }))
		all["final-"+act] = Final(locale, FinalFacts{Merchant: lumen(), FirstName: "Chiara", Act: act, On: day(time.November, 18), LinkURL: linkURL,
			Open: []billing.Money{{Minor: 2900, Currency: "eur"}}})
	}
	for _, what := range []string{"new_device", "factor_set", "factor_reset", "codes_renewed", "password_changed", "many_failures"} {
		all["account-"+what] = StaffAlert(locale, StaffAlertFacts{Merchant: lumen(), Name: "Ines Rossi", What: what, At: day(time.November, 5), IP: "192.0.2.7",
			Browser: "Firefox on Linux", AccountURL: "https://pay.lumen.example/admin/account"})
	}
	for _, step := range []Step{StepFirst, StepSecond, StepNotice, StepRestricted} {
		all[string(step)] = Reminder(locale, reminder1(step, billing.ClassGeneric))
	}
	for _, class := range []billing.Class{billing.ClassExpired, billing.ClassFixCard, billing.ClassRenewed, billing.ClassMoney, billing.ClassTransient, billing.ClassAuthentication, billing.ClassNoMethod, billing.ClassOverdue, billing.ClassConsent, billing.ClassOurs} {
		all["first-"+string(class)] = Reminder(locale, reminder1(StepFirst, class))
	}
	return all
}

func draw(t *testing.T, l Letter) (html string, page *goquery.Document) {
	t.Helper()
	html, err := l.HTML(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	page, err = goquery.NewDocumentFromReader(strings.NewReader(html))
	if err != nil {
		t.Fatal(err)
	}
	return html, page
}

// drawnWhole are the letters whose HTML is kept too: one of each layout. The text files hold the words of all.
var drawnWhole = []string{"first", "collector", "several", "settled", "fresh-link", "reply", "staff-message"}

func TestGoldenLetters(t *testing.T) {
	c := catalog(t)
	for _, tag := range []string{"en", "it"} {
		for name, letter := range letters(c.Locale(tag)) {
			head := "Subject: " + letter.Subject + "\nPreheader: " + letter.Preheader + "\n\n"
			golden(t, tag+"/"+name+".txt", head+letter.Text())
			if slices.Contains(drawnWhole, name) {
				html, _ := draw(t, letter)
				golden(t, tag+"/"+name+".html", html)
			}
		}
	}
	for _, locale := range c.Locales() { // of the others the letters most people get, in one file to be read through
		if locale.Tag() == "en" || locale.Tag() == "it" {
			continue
		}
		all, read := letters(locale), ""
		for _, name := range []string{"first", "second", "notice", "restricted", "several", "promise-charge", "ahead-expiring", "settled", "final-cancel", "reply"} {
			letter, written := all[name]
			if !written {
				t.Fatalf("there is no letter %s", name)
			}
			read += "== " + name + "\nSubject: " + letter.Subject + "\nPreheader: " + letter.Preheader + "\n\n" + letter.Text() + "\n"
		}
		golden(t, locale.Tag()+".txt", read)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(name))
	if *update {
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err != nil {
			t.Fatal(err)
		}
		err = os.WriteFile(path, []byte(got), 0o644)
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./views/email -update", err)
	}
	if got != string(want) {
		t.Errorf("%s differs from its golden file; look at the change, then: go test ./views/email -update\n%s", name, got)
	}
}

// Every letter keeps the rules all letters share, in every language.
func TestEveryLetter(t *testing.T) {
	c := catalog(t)
	for _, locale := range append(c.Locales(), c.Locale("ar")) {
		for name, letter := range letters(locale) {
			t.Run(locale.Tag()+"/"+name, func(t *testing.T) {
				html, page := draw(t, letter)
				text := letter.Text()
				if len(html) > 30_000 {
					t.Errorf("HTML is %d bytes, more than 30 KB", len(html))
				}
				if n := utf8.RuneCountInString(letter.Subject); n > 78 || n == 0 {
					t.Errorf("subject has %d characters: %q", n, letter.Subject)
				}
				for _, said := range []string{letter.Subject, letter.Preheader, text, html} {
					if unfilled.MatchString(said) {
						t.Errorf("an unfilled message: %q", unfilled.FindString(said))
					}
				}
				if page.Find("html[lang][dir] h1").Length() != 1 || page.Find("main[lang][dir]").Length() != 1 {
					t.Error("want language, direction and one heading")
				}
				if page.Find("img").Length() > 1 || page.Find("script, link, form, iframe").Length() != 0 {
					t.Error("a mail holds one picture at most and nothing active")
				}
				if letter.Button != nil {
					if page.Find(".btn a").Length() != 1 {
						t.Error("want one button")
					}
					page.Find("a:not(.quiet)").Each(func(_ int, a *goquery.Selection) {
						if a.AttrOr("href", "") != letter.Button.URL {
							t.Errorf("a link to %q", a.AttrOr("href", ""))
						}
					})
					if !strings.Contains(text, "\n"+letter.Button.URL+"\n") {
						t.Error("the text part needs the address on its own line")
					}
				}
				for _, way := range letter.Quiet {
					if page.Find("a.quiet[href='"+way.URL+"']").Length() != 1 || !regexp.MustCompile(`[:：?？؟]\n`+regexp.QuoteMeta(way.URL)+`\n`).MatchString(text) {
						t.Errorf("%s is not in both parts", way.URL)
					}
				}
				for _, amount := range letter.Amounts {
					if !strings.Contains(text, string(amount.Money)) || !strings.Contains(page.Find("bdi").Text(), string(amount.Money)) {
						t.Errorf("%s is not in both parts", amount.Money)
					}
				}
				for l := range strings.SplitSeq(text, "\n") {
					if utf8.RuneCountInString(l) > 78 && !strings.Contains(l, "://") {
						t.Errorf("a long line: %q", l)
					}
				}
				if !strings.Contains(text, letter.Merchant.LegalAddress) {
					t.Error("no postal identity")
				}
			})
		}
	}
}

// The words of one step are never those of another, and none promises or threatens what the facts do not hold.
func TestReminderIsTruthful(t *testing.T) {
	locale := catalog(t).Locale("en")
	if got := Reminder(locale, reminder1(StepFirst, billing.ClassGeneric)).Subject; got != "Your Lumen Studio payment didn't go through" {
		t.Errorf("first subject %q", got)
	}
	seen := map[string]bool{}
	for _, step := range []Step{StepFirst, StepSecond, StepNotice, StepRestricted} {
		seen[Reminder(locale, reminder1(step, billing.ClassGeneric)).Subject] = true
	}
	if len(seen) != 4 {
		t.Errorf("subjects repeat: %v", seen)
	}

	bare := reminder1(StepNotice, billing.ClassGeneric)
	bare.NextAttempt, bare.Consequence = time.Time{}, nil
	text := Reminder(locale, bare).Text()
	for _, word := range []string{"try again", "works until", "limited", "pauses", "deleted"} {
		if strings.Contains(text, word) {
			t.Errorf("%q without a fact behind it:\n%s", word, text)
		}
	}
	dead, generic := reminder1(StepFirst, billing.ClassDead), reminder1(StepFirst, billing.ClassGeneric)
	dead.NextAttempt, generic.NextAttempt = time.Time{}, time.Time{}
	said := func(f ReminderFacts) string { return Reminder(locale, f).Before[0][0].Text }
	if said(dead) != said(generic) {
		t.Error("a dead card must read like one declined without a reason")
	}
}

// What strangers wrote stays words: no markup, no header line, no link of its own.
func TestStrangersWordsAreInert(t *testing.T) {
	locale := catalog(t).Locale("en")
	facts := reminder1(StepFirst, billing.ClassGeneric)
	facts.FirstName = "Win at evil.example"
	facts.Invoices[0].What = hostile
	facts.Invoices[0].Number = hostile
	facts.Card.Brand = hostile
	facts.Merchant.Name = hostile
	facts.Merchant.Logo.URL = "javascript:alert(1)"
	facts.LinkURL = "javascript:alert(1)"
	staff := StaffMessage(locale, StaffMessageFacts{Merchant: lumen(), CustomerName: "Eve\r\nBcc: all@lumen.example " + strings.Repeat("x", 200), CustomerEmail: hostile, Text: hostile + "\x00\u202e\nsecond line", AdminURL: adminURL})
	reply := Reply(locale, ReplyFacts{Merchant: lumen(), FirstName: hostile, Staff: hostile, Text: "https://fine.example\n" + hostile, Question: hostile, LinkURL: linkURL})
	for _, letter := range []Letter{Reminder(locale, facts), staff, reply} {
		html, page := draw(t, letter)
		if page.Find("svg, script, [onload]").Length() > 0 {
			t.Errorf("markup came alive:\n%s", html)
		}
		if strings.Contains(html, `"javascript:`) || page.Find("img[src^=javascript]").Length() > 0 {
			t.Error("a script address came through")
		}
		if strings.ContainsAny(letter.Subject, "\r\n\x00") || strings.ContainsAny(letter.Text(), "\x00\u202e") {
			t.Errorf("control characters came through: %q", letter.Subject)
		}
	}
	if greeting := Reminder(locale, facts).Greeting; greeting != "Hello," {
		t.Errorf("greeted an address: %q", greeting)
	}
	if !strings.Contains(staff.Text(), "\n> second line\n") {
		t.Errorf("the quoted message lost its lines:\n%s", staff.Text())
	}
}

func TestLinkIsTheMessagesOwn(t *testing.T) {
	parsed, err := url.Parse(linkURL)
	if err != nil {
		t.Fatal(err)
	}
	html, _ := draw(t, Reminder(catalog(t).Locale("en"), reminder1(StepFirst, billing.ClassGeneric)))
	if got := strings.Count(html, parsed.Host+parsed.Path); got != 3 {
		t.Errorf("the link stands %d times, want in the button, in the line below it and as its text", got)
	}
}

// A bank account is called what its page calls it, and stands under no card's name; how it is debited says nothing to its
// holder.
func TestABankAccountIsNoCard(t *testing.T) {
	account := Card{Last4: "3000", Account: true}
	for tag, want := range map[string][2]string{
		"en": {"Bank account: •••• 3000", "Removes: Bank account ending 3000"},
		"nl": {"Bankrekening: •••• 3000", "Verwijdert: Bankrekening eindigend op 3000"},
	} {
		locale := catalog(t).Locale(tag)
		failed := reminder1(StepFirst, billing.ClassGeneric)
		failed.Card = account
		for n, letter := range []Letter{Reminder(locale, failed), Code(locale, CodeFacts{Merchant: lumen(), Code: "081942", Card: account, Minutes: 10})} {
			html, _ := draw(t, letter)
			text := letter.Text()
			if !strings.Contains(text, want[n]) || !strings.Contains(html, "3000") {
				t.Errorf("%s: no %q in\n%s", tag, want[n], text)
			}
		}
	}
}
