package views

import (
	"bytes"
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"sollecito/internal/billing"
	"sollecito/internal/l10n"
)

func draw(t *testing.T, page templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	err := page.Render(context.Background(), &b)
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func parse(t *testing.T, html string) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(html))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func document(t *testing.T, page templ.Component) *goquery.Document { return parse(t, draw(t, page)) }

// unfilled finds what should never reach a reader: a message key, or a placeholder nobody filled.
var unfilled = regexp.MustCompile(`\{\{|\b(common|number|foot|act|reason|overview|contact|choices|stop|ways|thread|note|card|card_finish|review|approve|receipt|settled|processing|written_off|paid|partly|declined|card_saved|result|checking|support|dead_link|link_sent|problem)\.[a-z0-9_]+\b`)

func TestEveryPageInEveryLanguage(t *testing.T) {
	c := catalog(t)
	for _, locale := range c.Locales() {
		tag := locale.Tag()
		for _, s := range samples(frameFor(c, tag, plainAsset)) {
			t.Run(tag+"/"+s.name, func(t *testing.T) {
				html := draw(t, s.page)
				doc := parse(t, html)
				if len(html) >= 50_000 {
					t.Errorf("the page has %d bytes, more than 50 KB", len(html))
				}
				key := unfilled.FindString(html)
				if key != "" {
					t.Errorf("%q reaches the reader", key)
				}
				checkShell(t, doc, locale)
				checkForms(t, doc)
				checkPunctuation(t, doc)
				if n := doc.Find("main .main-act").Length(); n != s.mainActs {
					t.Errorf("%d filled buttons, want %d", n, s.mainActs)
				}
				if s.amount && doc.Find(".amount bdi").Length() == 0 {
					t.Error("no sum is shown as the largest thing")
				}
				checkAmounts(t, doc)
			})
		}
	}
}

// What the reader just did is told on a page whose title says the same as before: it has the focus, so that it is heard.
func TestWhatWasDoneIsHeardFirst(t *testing.T) {
	told := map[string]string{
		"promise-review-self": "alert", "review-changed": "alert", "support": "status", "methods-removed": "status", "choices-kept": "status", "share-made": "status",
	}
	for _, s := range samples(frameFor(catalog(t), "en", plainAsset)) {
		role, tells := told[s.name]
		if !tells {
			continue
		}
		delete(told, s.name)
		if document(t, s.page).Find("main [role="+role+"][tabindex='-1'][autofocus]").Length() != 1 {
			t.Errorf("%s leaves the reader at the top of the page", s.name)
		}
	}
	if len(told) > 0 {
		t.Errorf("no sample of %v", told)
	}
	code := document(t, RemoveMethod(RemoveMethodPage{Frame: frameFor(catalog(t), "en", plainAsset), Method: purse()[0], Code: CodeEntry{Asked: true}}))
	if code.Find("#code[autofocus]").Length() != 1 {
		t.Error("after a code was asked for nothing says where it went")
	}
}

// Drawings have a size of their own, for readers whose browser makes nothing of the style sheet.
func TestDrawingsHaveASize(t *testing.T) {
	for _, s := range samples(frameFor(catalog(t), "en", plainAsset)) {
		if n := document(t, s.page).Find("svg:not([width][height])").Length(); n > 0 {
			t.Errorf("%s has %d drawings as wide as the window", s.name, n)
		}
	}
}

func checkShell(t *testing.T, doc *goquery.Document, locale *l10n.Locale) {
	t.Helper()
	for selector, want := range map[string]int{
		"h1": 1, "main": 1, "header": 1, "footer": 1, "a.skip[href='#main']": 1, "main#main": 1, "title": 1,
		"html[lang='" + locale.Tag() + "'][dir=" + locale.Dir() + "]": 1, "meta[name=robots][content*=noindex]": 1, "meta[property='og:title']": 1,
		"[style]": 0, "style": 0, "script:not([src])": 0, "iframe": 0,
	} {
		n := doc.Find(selector).Length()
		if n != want {
			t.Errorf("%d of %s, want %d", n, selector, want)
		}
	}
	doc.Find("*").Each(func(_ int, e *goquery.Selection) {
		for _, a := range e.Nodes[0].Attr {
			if strings.HasPrefix(a.Key, "on") {
				t.Errorf("inline script: %s=%q", a.Key, a.Val)
			}
		}
	})
	if strings.TrimSpace(doc.Find("h1").Text()) == "" || strings.TrimSpace(doc.Find("title").Text()) == "" {
		t.Error("the heading or the title is empty")
	}
	ids := map[string]bool{}
	doc.Find("[id]").Each(func(_ int, e *goquery.Selection) {
		id := e.AttrOr("id", "")
		if ids[id] {
			t.Errorf("two elements have the id %q", id)
		}
		ids[id] = true
	})
	doc.Find("[aria-labelledby], [aria-describedby]").Each(func(_ int, e *goquery.Selection) {
		for _, id := range strings.Fields(e.AttrOr("aria-labelledby", "") + " " + e.AttrOr("aria-describedby", "")) {
			if !ids[id] {
				t.Errorf("%q is pointed at and is not there", id)
			}
		}
	})
	preview := doc.Find("meta[property^='og:']").Map(func(_ int, e *goquery.Selection) string { return e.AttrOr("content", "") })
	if strings.ContainsAny(strings.Join(preview, " "), "€$¥0123456789") {
		t.Errorf("a link preview tells too much: %q", preview)
	}
}

func checkForms(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find("form").Each(func(_ int, f *goquery.Selection) {
		if !strings.HasPrefix(f.AttrOr("action", ""), "/pay") {
			t.Errorf("form action %q is not an absolute path of ours", f.AttrOr("action", ""))
		}
		method := f.AttrOr("method", "")
		if method != "post" && (method != "get" || f.AttrOr("action", "") != "/pay/card") {
			t.Errorf("form %s has the method %q", f.AttrOr("action", ""), method)
		}
	})
	doc.Find("input:not([type=hidden]), textarea, select").Each(func(_ int, e *goquery.Selection) {
		id := e.AttrOr("id", "")
		if doc.Find("label[for='"+id+"']").Length() != 1 {
			t.Errorf("input %q has no label", e.AttrOr("name", ""))
		}
	})
	doc.Find("button, a").Each(func(_ int, e *goquery.Selection) {
		if strings.TrimSpace(e.Text()) == "" {
			t.Error("a button or link has no words")
		}
	})
}

// torn finds a mark that has come away from the word before it, as white space between two parts of a template makes it.
// French sets some of its marks apart, with spaces that do not break.
var torn = regexp.MustCompile(`\S[ \n\t]+[,.;:!?،؛؟、。]`)

// checkPunctuation also finds icons that are drawn empty, because there is none of their name.
func checkPunctuation(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find("p, li, dt, dd, h1, h2, h3, b, label, button, a").Each(func(_ int, e *goquery.Selection) {
		mark := torn.FindString(e.Text())
		if mark != "" {
			t.Errorf("%q stands in %q", mark, strings.TrimSpace(e.Text()))
		}
	})
	doc.Find("svg.icon path").Each(func(_ int, e *goquery.Selection) {
		if e.AttrOr("d", "") == "" {
			t.Errorf("an icon is drawn empty beside %q", strings.TrimSpace(e.Closest("li, p, div, span.seal").Text()))
		}
	})
}

var sum = regexp.MustCompile(`[€$¥￥]\p{Zs}?[0-9]|[0-9]\p{Zs}?[€$¥￥]`)

// checkAmounts finds sums that stand outside <bdi>, where right-to-left text would turn them round.
func checkAmounts(t *testing.T, doc *goquery.Document) {
	t.Helper()
	body := doc.Find("body").Clone()
	body.Find("bdi").Remove()
	for _, text := range strings.Split(body.Text(), "\n") {
		if sum.MatchString(text) {
			t.Errorf("a sum stands outside bdi: %q", strings.TrimSpace(text))
		}
	}
}

func TestDuePageSaysSumDeedAndReason(t *testing.T) {
	c := catalog(t)
	f := frameFor(c, "en", plainAsset)
	doc := document(t, Overview(due(f)))
	languages := ""
	for _, l := range c.Locales() {
		languages += l.Name()
	}
	for selector, want := range map[string]string{
		"title":                       "Pay €29.00 to Lumen Studio",
		"h1":                          "Your November payment didn’t go through",
		".amount bdi":                 "€29.00",
		".main-act":                   "Pay €29.00",
		"h1 + p":                      "Hello Chiara. Your bank declined the charge and gave no reason. Nothing has been taken.",
		".sheet .row b":               "Visa ending 4242",
		".sheet .row .muted":          "Expires 08/27",
		".sheet .sub":                 "3 November to 2 December 2025",
		".thread .now time":           "Today, Thursday 6 November",
		".thread .next":               "Monday 10 NovemberWe will try your Visa ending 4242 once more.",
		".thread + div p:first-child": "You will get at most two more messages from us, the next on Monday 10 November at 09:30.",
		"form[action*=language]":      languages,
	} {
		got := strings.Join(strings.Fields(doc.Find(selector).First().Text()), " ")
		if got != want {
			t.Errorf("%s says %q, want %q", selector, got, want)
		}
	}
	if doc.Find("form[action='/pay/review'][method=post] input[name=invoice][value=in_3]").Length() != 1 {
		t.Error("the button does not name the invoice to review")
	}
	if doc.Find("script[src*='stripe']").Length() != 0 {
		t.Error("the processor's script is loaded where there are no card fields")
	}
}

func TestItalianDuePage(t *testing.T) {
	f := frameFor(catalog(t), "it", plainAsset)
	doc := document(t, Overview(due(f)))
	if got := doc.Find("h1").Text(); got != "Il pagamento di novembre non è andato a buon fine" {
		t.Errorf("heading %q", got)
	}
	if got := strings.TrimSpace(doc.Find(".main-act").Text()); got != "Paga 29,00\u00a0€" {
		t.Errorf("button %q", got)
	}
}

// A choice among several invoices never adds currencies, and works without script.
func TestSeveralCurrenciesAreNeverAdded(t *testing.T) {
	f := frameFor(catalog(t), "en", plainAsset)
	p := due(f)
	p.Invoices = twoCurrencies()
	doc := document(t, Overview(p))
	amounts := doc.Find("p.amount bdi").Map(func(_ int, e *goquery.Selection) string { return e.Text() })
	if !slices.Equal(amounts, []string{"€58.00", "US$12.00"}) {
		t.Errorf("sums %q", amounts)
	}
	if n := doc.Find("form[action='/pay/review'] input[name=invoice][type=checkbox]").Length(); n != 3 {
		t.Errorf("%d invoices to choose from, want 3", n)
	}
	if n := doc.Find("input[name=what]").Length(); n != 2 {
		t.Errorf("%d ways to choose, want all and some", n)
	}
	names := doc.Find(".picks b").Map(func(_ int, e *goquery.Selection) string { return e.Text() })
	if !slices.Equal(names, []string{"October", "Studio plan, monthly", "Fonts add-on"}) {
		t.Errorf("invoices of one month are not told apart: %q", names)
	}
}

func TestWhatStrangersWriteStaysText(t *testing.T) {
	const hostile = `<img src=x onerror=alert(1)>"'&**{{.Amount}}`
	f := frameFor(catalog(t), "en", plainAsset)
	f.Merchant.Name = hostile
	f.MaskedEmail = hostile
	f.Path = `/pay"><script>`
	f.Merchant.SupportEmail, f.Merchant.HomeURL = `"><script>@example.com`, "javascript:alert(1)"
	i := november()
	i.What, i.Number, i.ID = hostile, hostile, `in_"><script>`
	p := due(f)
	p.FirstName, p.Invoices, p.ForFuture = hostile, []Invoice{i, i}, []string{hostile}
	p.Card.Brand, p.Card.Last4 = hostile, hostile
	for name, page := range map[string]templ.Component{
		"overview": Overview(p),
		"review":   Review(ReviewPage{Frame: f, Invoices: []Invoice{i}, Card: *p.Card, Attempt: hostile}),
		"card":     Card(CardPage{Frame: f, Invoices: []Invoice{i}, Currency: hostile, ReturnURL: hostile, Attempt: hostile}),
		"paid":     Paid(PaidPage{Frame: f, FirstName: hostile, Receipts: []Receipt{{What: hostile, InvoiceID: hostile, Paid: eur(1), With: p.Card}}, Restored: true, ReceiptSent: true}),
		"support":  Support(SupportPage{Frame: f, Text: "</textarea><script>", Messages: []Message{{Author: hostile, Text: hostile}}}),
		"dead":     DeadLink(DeadLinkPage{Frame: f, Email: hostile}),
		"problem":  Problem(ProblemPage{Frame: f, Status: 404, Message: hostile, RequestID: hostile}),
	} {
		doc := document(t, page)
		if n := doc.Find("img:not(.mark img), script:not([src]), [onerror], a[href^='javascript:']").Length(); n != 0 {
			t.Errorf("%s: markup from outside came alive (%d)", name, n)
		}
	}
}

func TestFaultsAreSaidFirstAndAtTheField(t *testing.T) {
	f := nobody(frameFor(catalog(t), "en", plainAsset))
	doc := document(t, DeadLink(DeadLinkPage{Frame: f, Email: "chiara@", Faults: []Fault{{Field: "email", Said: Said{Key: "dead_link.fault_email"}}}}))
	const words = "Enter the email address your bills go to"
	if got := doc.Find("main > :first-child.errors[role=alert] a[href='#email']").Text(); got != words {
		t.Errorf("summary says %q", got)
	}
	if got := doc.Find("#email-fault").Text(); got != words {
		t.Errorf("the field says %q", got)
	}
	if doc.Find("input#email[aria-invalid=true][aria-describedby~='email-fault'][value='chiara@']").Length() != 1 {
		t.Error("the field is not marked, or lost what was typed")
	}
	if !strings.HasPrefix(doc.Find("title").Text(), "Error: ") {
		t.Errorf("title %q", doc.Find("title").Text())
	}
}

// Only a session's owner is offered the conversation and the way out; a dead link tells nothing of anybody.
func TestPagesWithoutASessionTellNothing(t *testing.T) {
	f := nobody(frameFor(catalog(t), "en", plainAsset))
	for _, page := range []templ.Component{DeadLink(DeadLinkPage{Frame: f}), LinkSent(LinkSentPage{Frame: f}), Problem(ProblemPage{Frame: f, Status: 404})} {
		doc := document(t, page)
		if n := doc.Find("form[action='/pay/leave'], a[href^='/pay']").Length(); n != 0 {
			t.Errorf("%d ways into the portal without a session", n)
		}
	}
}

func TestCardPageCarriesWhatTheScriptNeeds(t *testing.T) {
	f := frameFor(catalog(t), "it", plainAsset)
	doc := document(t, Card(CardPage{Frame: f, Invoices: []Invoice{november()}, Currency: "eur", Methods: []string{"card"}, Attempt: "att_1", ReturnURL: baseURL + "/pay/card/finish", Hosted: "in_3"}))
	place := doc.Find("form[data-card][action='/pay/card'] #payment-element")
	for name, want := range map[string]string{"key": "pk_test_123", "currency": "eur", "intent": "/pay/card/intent", "return": baseURL + "/pay/card/finish", "locale": "it", "methods": "card"} {
		if got := place.AttrOr("data-"+name, ""); got != want {
			t.Errorf("data-%s is %q, want %q", name, got, want)
		}
	}
	for _, selector := range []string{"script[src='https://js.stripe.com/v3/'][nonce]", "noscript", "form[action='/pay/hosted'] input[name=invoice][value=in_3]", "[role=alert] [data-fault][hidden]",
		"form[data-card] input[name=attempt][value=att_1]", "form[data-card] input[name=setup_intent]", "form[data-card] input[name=expect][value='in_3 2900 eur']"} {
		if doc.Find(selector).Length() != 1 {
			t.Errorf("not exactly one %s", selector)
		}
	}
	if doc.Find("input[autocomplete^=cc], input[name*=card]").Length() != 0 {
		t.Error("a card field of our own")
	}
}

func TestDeadAndGenericDeclinesReadTheSame(t *testing.T) {
	for _, locale := range catalog(t).Locales() {
		tag := locale.Tag()
		f := frameFor(catalog(t), tag, plainAsset)
		if f.text(reasonKey(billing.ClassDead)) != f.text(reasonKey(billing.ClassGeneric)) {
			t.Errorf("%s: the words give away why the bank refuses", tag)
		}
	}
}

// A link inside a sentence is placed by the sentence, and an argument cannot fake one.
func TestLinksInSentences(t *testing.T) {
	f := frameFor(catalog(t), "en", plainAsset)
	html := draw(t, say(f, "foot.questions", l10n.Args{"Write": anchor{"/pay/support", "Write"}, "Address": anchor{"mailto:a@b.c", "a@b.c"}}))
	if html != `Questions? <a href="/pay/support">Write</a> or send an email to <a href="mailto:a@b.c">a@b.c</a>.` {
		t.Error(html)
	}
}

// What the merchant calls a plan keeps its direction on a page that runs the other way, also inside a sentence.
func TestNamesKeepTheirDirection(t *testing.T) {
	for _, said := range []struct{ tag, name, shown string }{
		{"ar", "4 × Studio (monthly)", "\u20684 × Studio (monthly)\u2069"},
		{"en", "خطة الاستوديو (شهريًا)", "\u2068خطة الاستوديو (شهريًا)\u2069"},
		{"en", "4 × Studio (monthly)", "4 × Studio (monthly)"},
	} {
		f := frameFor(catalog(t), said.tag, plainAsset)
		p := due(f)
		i, j := november(), november()
		i.What, j.What, j.ID = said.name, said.name, "in_4"
		p.Invoices, p.ForFuture, p.Main = []Invoice{i}, []string{said.name}, MainAddCard
		one := document(t, Overview(p))
		p.Invoices = []Invoice{i, j}
		two := document(t, Overview(p))
		paid := receipt()
		paid.What = said.name
		done := document(t, Paid(PaidPage{Frame: f, Receipts: []Receipt{paid}}))
		for place, text := range map[string]string{
			"on the sheet": one.Find(".amount + p").Text(), "in a sentence": one.Find(".fine").Text(), "in a list": two.Find(".list b").First().Text(), "on the receipt": done.Find(".facts dd").First().Text(),
		} {
			if !strings.Contains(text, said.shown) || strings.Count(text, "\u2068") != strings.Count(said.shown, "\u2068") {
				t.Errorf("%s, %s: %q, want %q", said.tag, place, text, said.shown)
			}
		}
	}
}
