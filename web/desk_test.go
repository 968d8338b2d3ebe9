package web

import (
	"database/sql"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"sollecito/internal/audit"
	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/link"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
)

func TestTodayListsByViewAndSearch(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_going", "Anneke de Vries", "insufficient_funds")
	h.fails("cus_paid", "Duarte Faria", "insufficient_funds")
	h.pays("cus_paid")
	h.fails("cus_consent", hostile, "revocation_of_authorization")
	h.fails("cus_wrote", "Freya Lindqvist", "expired_card")
	must(t, h.talks.Write(t.Context(), "cus_wrote", "Please wait a week", false, time.Now()))
	h.fails("cus_bounced", "Maison Okafor", "insufficient_funds")
	h.step("cus_bounced", outbox.Failed)
	b := h.member(staff.Viewer)

	ids := func(path string) string {
		var all []string
		b.page(path).Find("tbody th a").Each(func(_ int, a *goquery.Selection) {
			all = append(all, strings.TrimPrefix(a.AttrOr("href", ""), "/admin/customers/"))
		})
		return strings.Join(all, " ")
	}
	for path, want := range map[string]string{
		"/admin?view=recovered":        "cus_paid",
		"/admin?view=exhausted":        "",
		"/admin?q=okafor":              "cus_bounced",
		"/admin?q=CUS_GOING@bellini":   "cus_going",
		"/admin?q=in_cus_paid":         "cus_paid",
		"/admin?q=ls-cus_wrote":        "cus_wrote",
		"/admin?q=cus_consent":         "cus_consent",
		"/admin?q=%25":                 "",
		"/admin?q=nobody+at+all":       "",
		"/admin?view=paused&from=1":    "cus_wrote",
		"/admin?view=person&from=9999": "",
	} {
		got := ids(path)
		if path == "/admin?view=paused&from=1" && got == "cus_consent" {
			continue // both rest since the same second
		}
		if got != want {
			t.Errorf("%s lists %q, want %q", path, got, want)
		}
	}
	d := b.page("/admin")
	if got := words(d.Find(".views a[aria-current=true]")); got != "Needs a person 3" {
		t.Errorf("staff come in at %q", got)
	}
	needs := words(d.Find("tbody"))
	for _, want := range []string{"Withdrew their consent at the bank", "Wrote to us and waits for an answer", "A mail could not be delivered"} {
		if !strings.Contains(needs, want) {
			t.Errorf("%q is not told in %q", want, needs)
		}
	}
	if d.Find("svg[onload]").Length() != 0 || !strings.Contains(d.Find("tbody").Text(), hostile) {
		t.Error("a customer's name is markup")
	}
	if got := words(d.Find("nav[aria-label=Main]")); !strings.Contains(got, "Today 3 waiting") || !strings.Contains(got, "Inbox 1 waiting") {
		t.Errorf("the navigation counts %q", got)
	}
	h.later(time.Hour)
	h.do(func(tx *sql.Tx) error { // a later mail that went out mends the earlier one
		n := outbox.Notice{Kind: outbox.Reminder, Channel: outbox.Email, CustomerID: "cus_bounced", CaseID: h.caseIn(tx, "cus_bounced"), Step: "second", Recipient: "x@y.example"}
		_, err := outbox.Queue(t.Context(), tx, n, h.clock().Unix())
		if err != nil {
			return err
		}
		return h.settle(tx, "cus_bounced", outbox.Sent)
	})
	b = h.member(staff.Viewer)
	if got := ids("/admin?view=person"); strings.Contains(got, "cus_bounced") {
		t.Errorf("still needs a person: %q", got)
	}
}

func (h *house) caseIn(tx *sql.Tx, customer string) string {
	c, err := h.cases.LatestOf(h.t.Context(), tx, customer)
	must(h.t, err)
	return c.ID
}

func TestCustomerPageTellsThePastAndWhatComesAndWhy(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	h.step("cus_1", outbox.Sent)
	b := h.member(staff.Agent)
	d := b.page("/admin/customers/cus_1")
	for selector, wants := range map[string][]string{
		"[aria-labelledby=owes]":     {"€29.00", "Team plan", "LS-cus_1", "Not enough money", "insufficient_funds", "Open, day 1"},
		"[aria-labelledby=facts]":    {"cus_1@bellini.example", "Mastercard ending 5454, 02/31", "Europe/Rome", "Full until", "English", "Consumer cards, version 1"},
		"[aria-labelledby=limits]":   {"Messages, 7 days 1 of 3"},
		"[aria-labelledby=plan]":     {"Mail 2, Mon 9 Nov, 09:00", "By mail to cus_1@bellini.example and as a notice in the app, in English.", "step 2 for day 5", "Monday to Friday, 09:00 to 18:00", "read again just before"},
		"[aria-labelledby=timeline]": {"Charge failed, €29.00", "Case opened", "Mail 1: “", "Stripe tries the charge again", "access becomes limited"},
	} {
		got := words(d.Find(selector))
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %q:\n%s", selector, want, got)
			}
		}
	}
	if got := d.Find("[aria-labelledby=timeline] [lang=en]").Text(); got != "A payment didn’t go through" {
		t.Errorf("the subject in the customer's language is %q", got)
	}
	for _, done := range []string{"<script>alert(1)</script>", "paused", "revoked&told=1.", "charged"} {
		if n := b.page("/admin/customers/cus_1?done=" + done).Find(".flash").Length(); n != 0 {
			t.Errorf("a page says that something was done because its address ends in ?done=%s", done)
		}
	}
	if a := b.get("/admin/customers/cus_unknown"); a.StatusCode != http.StatusNotFound || !strings.Contains(a.body, "Ines agent") {
		t.Errorf("an unknown customer: %d", a.StatusCode)
	}
	if d := h.member(staff.Viewer).page("/admin/customers/cus_1?act=pause"); d.Find("form:not(.who)").Length() != 0 || d.Find(".acts a").Length() != 0 {
		t.Error("a viewer is offered acts")
	}
}

func TestWhatNobodyIsSureOfWaitsForAPerson(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_unsure", "Chiara Bellini", "insufficient_funds")
	for range 4 { // the fourth would limit access, and nobody is sure that the third arrived
		h.step("cus_unsure", outbox.Uncertain)
	}
	h.fails("cus_quiet", "Ana Kovač", "insufficient_funds")
	h.do(func(tx *sql.Tx) error {
		_, err := h.cases.Choose(t.Context(), tx, "cus_quiet", func(c contact.Choices) contact.Choices {
			c.NoMail, c.NoApp, c.Source = true, true, contact.FromPage
			return c
		}, h.clock())
		return err
	})
	quiet := words(h.member(staff.Viewer).page("/admin/customers/cus_quiet").Find("[aria-labelledby=timeline]"))
	if !strings.Contains(quiet, "Mail 3, it announces the limit Nothing goes out: they asked for no reminders.") || strings.Contains(quiet, "If nothing has been paid") {
		t.Errorf("to who wants no reminders this is foretold: %s", quiet)
	}
	for range 4 {
		h.step("cus_quiet", outbox.Sent)
	}
	h.fails("cus_heldout", "Emre Yılmaz", "insufficient_funds")
	h.do(func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE cases SET holdout = TRUE WHERE customer_id = 'cus_heldout'`)
		return err
	})
	for range 4 {
		h.step("cus_heldout", outbox.Sent)
	}
	nowhere := h.invoice("cus_nowhere", "insufficient_funds")
	h.hear(billing.Customer{ID: "cus_nowhere", Name: "Freya Lindqvist", Country: "IT"}, nowhere)
	h.step("cus_nowhere", outbox.Sent)
	b := h.member(staff.Agent)
	list := words(b.page("/admin?view=person").Find("tbody"))
	for _, want := range []string{
		"A consequence waits: nobody is sure they were told", "A consequence waits: no notice announces it to them",
		"A consequence waits: the case is in the holdout, so nothing announces it", "There is no address that takes mail",
		"Mail 4, access becomes limited waits for a person",
	} {
		if !strings.Contains(list, want) {
			t.Errorf("%q is not told in %q", want, list)
		}
	}
	if strings.Contains(list, "Nothing planned") {
		t.Errorf("nothing is planned, says the list of what waits: %q", list)
	}
	got := words(b.page("/admin/customers/cus_unsure").Find("main"))
	for _, want := range []string{"Mail 4, access becomes limited The notice that announces it was not surely delivered", "no day yet Mail 4, access becomes limited", "Full, in grace", "May or may not have arrived"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q:\n%s", want, got)
		}
	}
	got = words(b.page("/admin/customers/cus_quiet").Find("main"))
	const untold = "No notice announces it to them, so it waits for a person."
	for _, want := range []string{"Mail 4, access becomes limited " + untold, "no day yet Mail 4, access becomes limited " + untold, "A consequence waits " + untold} {
		if !strings.Contains(got, want) {
			t.Errorf("who wants no reminders: the page lacks %q:\n%s", want, got)
		}
	}
	for _, customer := range []string{"cus_unsure", "cus_quiet"} {
		plan := words(b.page("/admin/customers/" + customer).Find("[aria-labelledby=plan]"))
		for _, alone := range []string{"It was announced for", "the next allowed moment is taken", "no earlier than it was announced"} {
			if strings.Contains(plan, alone) {
				t.Errorf("%s waits for a person, and yet %q: %s", customer, alone, plan)
			}
		}
	}
	if got := words(b.page("/admin/customers/cus_nowhere").Find("main")); !strings.Contains(got, "None that works") || !strings.Contains(got, "Left out. There is no address on file.") {
		t.Errorf("the page says %q", got)
	}
}

func TestPauseAndResumeAskFirst(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	b := h.member(staff.Agent)
	question := b.page("/admin/customers/cus_1?act=pause").Find("#question")
	if !strings.Contains(words(question), "Stripe still tries the charge on 5 November") || h.caseOf("cus_1").RestingSince != 0 {
		t.Fatalf("the question says %q", words(question))
	}
	act := question.Find("form").AttrOr("action", "")
	for typed, said := range map[string]string{"": "Say why", "4242 4242 4242 4242": "card number", strings.Repeat("long ", 80): "300 characters"} {
		a := b.post(act, "reason", typed)
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(words(a.document(t).Find("#reason-fault")), said) || h.caseOf("cus_1").RestingSince != 0 {
			t.Errorf("%.20q: %d", typed, a.StatusCode)
		}
	}
	d := b.page(b.post(act, "reason", hostile).leadsTo(t, "/admin/customers/cus_1?done=paused"))
	if h.caseOf("cus_1").RestingSince == 0 || d.Find(".flash.good").Length() != 1 || d.Find("svg[onload]").Length() != 0 {
		t.Error("the case does not rest, or the page does not say so")
	}
	if got := words(d.Find("[aria-labelledby=plan]")); !strings.Contains(got, "Nothing is planned") || !strings.Contains(got, "by Ines agent") || !strings.Contains(got, hostile) {
		t.Errorf("the page says %q", got)
	}
	h.later(72 * time.Hour)
	b = h.member(staff.Agent)
	question = b.page("/admin/customers/cus_1?act=resume").Find("#question")
	if !strings.Contains(words(question), "Mail 1 goes out Friday 6 November, 10:00") {
		t.Errorf("the question says %q", words(question))
	}
	b.post(question.Find("form").AttrOr("action", "")).leadsTo(t, "/admin/customers/cus_1?done=resumed")
	if got := h.caseOf("cus_1"); got.RestingSince != 0 || time.Unix(got.NextStepAt, 0).UTC().Format("2 Jan 15:04") != "6 Nov 09:00" {
		t.Errorf("the case goes on at %v", time.Unix(got.NextStepAt, 0).UTC())
	}
	h.pays("cus_1")
	if a := b.post(act, "reason", "late"); a.StatusCode != http.StatusConflict {
		t.Errorf("pausing what has ended: %d", a.StatusCode)
	}
}

func TestAHeldConsequenceIsAnnouncedAgain(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", hostile, "insufficient_funds")
	for range 3 {
		h.step("cus_1", outbox.Sent)
	}
	b := h.member(staff.Agent)
	act := "/admin/cases/" + h.caseOf("cus_1").ID + "/announce"
	if d := b.page("/admin/customers/cus_1?act=announce"); d.Find("#question").Length() != 0 || d.Find("a[href*='act=announce']").Length() != 0 {
		t.Error("what was surely announced is offered to be announced again")
	}
	if a := b.post(act); a.StatusCode != http.StatusConflict || len(h.noticesOf("cus_1")) != 6 {
		t.Errorf("with nothing held: %d", a.StatusCode)
	}

	h.fails("cus_2", hostile, "insufficient_funds")
	for range 4 {
		h.step("cus_2", outbox.Uncertain)
	}
	b = h.member(staff.Manager)
	if b.page("/admin/customers/cus_2").Find(".acts a.main-act[href='/admin/customers/cus_2?act=announce#question']").Length() != 1 {
		t.Error("no way to announce it again")
	}
	question := b.page("/admin/customers/cus_2?act=announce").Find("#question")
	for _, want := range []string{"A fresh mail goes to cus_2@bellini.example at once", "access stays full, in grace", "limited on that date by itself"} {
		if !strings.Contains(words(question), want) {
			t.Errorf("the question lacks %q:\n%s", want, words(question))
		}
	}
	asked := h.clock()
	act = question.Find("form").AttrOr("action", "")
	announced := b.post(act).leadsTo(t, "/admin/customers/cus_2?done=announced")
	date := time.Unix(h.caseOf("cus_2").ConsequenceAt, 0)
	if date.Before(asked.Add(4*24*time.Hour)) || h.auditLog()[0].Action != "case.announced" {
		t.Errorf("announced for %s by %s, asked %s", date, h.auditLog()[0].Action, asked)
	}
	if a := b.post(act); a.StatusCode != http.StatusConflict {
		t.Errorf("a second press: %d", a.StatusCode)
	}
	got := words(b.page(announced).Find("main"))
	for _, want := range []string{"A fresh mail with the new date is on its way.", "Consequence announced again by Ines manager", "Mail 3, once more", "An earlier mail has not left yet"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "Mail 4, access becomes limited The notice that announces it was not surely") || strings.Contains(got, "no day yet") {
		t.Error("the page says that a person is needed while the fresh mail waits")
	}
	h.do(func(tx *sql.Tx) error { return h.settle(tx, "cus_2", outbox.Sent) })
	h.step("cus_2", outbox.Sent)
	if c := h.caseOf("cus_2"); c.Access != campaign.Restricted || h.clock().Before(date) {
		t.Errorf("access is %s at %s", c.Access, h.clock())
	}
}

func (h *house) noticesOf(customer string) []outbox.Notice {
	h.t.Helper()
	var all []outbox.Notice
	h.do(func(tx *sql.Tx) (err error) {
		all, err = outbox.OfCustomer(h.t.Context(), tx, customer)
		return err
	})
	return all
}

func TestLinksEndAtOnce(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	h.fails("cus_2", "Freya Lindqvist", "insufficient_funds")
	opens := func(customer string) (string, *browser) {
		var token string
		h.do(func(tx *sql.Tx) (err error) {
			token, err = link.Issue(t.Context(), tx, link.Link{CustomerID: customer, Language: "en", IssuedAt: h.clock().Unix()})
			return err
		})
		reader := h.visitor()
		reader.get("/l/"+token).leadsTo(t, "/pay")
		reader.page("/pay/support")
		return token, reader
	}
	token, reader := opens("cus_1")
	otherToken, other := opens("cus_2")

	if d := h.member(staff.Agent).page("/admin/customers/cus_1?act=revoke"); d.Find("#question, a[href*='act=revoke']").Length() != 0 {
		t.Error("an agent is offered to end links")
	}
	b := h.member(staff.Manager)
	question := b.page("/admin/customers/cus_1?act=revoke").Find("#question")
	if !strings.Contains(words(question), "Every link in mails already sent stops working at once, open pages close. A new one can be asked for on the page, or comes with the next mail.") {
		t.Errorf("the question says %q", words(question))
	}
	reader.page("/pay/support")
	revoked := b.post(question.Find("form").AttrOr("action", "")).leadsTo(t, "/admin/customers/cus_1?done=revoked")
	if e := h.auditLog()[0]; e.Action != "links.revoked" || e.Object != "cus_1" {
		t.Errorf("the log says %+v", e)
	}
	if d := b.page(revoked); !strings.Contains(words(d.Find(".flash.good")), "Their links have ended.") {
		t.Error("the page does not say so")
	}
	if a := h.visitor().get("/l/" + token); a.StatusCode != http.StatusNotFound {
		t.Errorf("the link answers %d", a.StatusCode)
	}
	if a := reader.get("/pay/support"); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("the open page does not close: %d", a.StatusCode)
	}
	other.page("/pay/support")
	h.visitor().get("/l/"+otherToken).leadsTo(t, "/pay")
	opens("cus_1")
	if a := b.post("/admin/customers/cus_unknown/revoke"); a.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown customer: %d", a.StatusCode)
	}
	h.pays("cus_1") // links outlive the case
	if b.page("/admin/customers/cus_1?act=revoke").Find("#question form").Length() != 1 {
		t.Error("links cannot be ended once the case has closed")
	}
}

func TestKeptCopyRunsNothing(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "expired_card")
	h.step("cus_1", outbox.Uncertain)
	b := h.member(staff.Viewer)
	d := b.page("/admin/notices/" + h.idsFor("cus_1")["notices"])
	got := words(d.Find("main"))
	for _, want := range []string{"Mail 1", "Uncertain", "may or may not have arrived", "A payment didn’t go through", "https://pay.lumen.example/l/•••"} {
		if !strings.Contains(got, want) {
			t.Errorf("the copy lacks %q:\n%s", want, got)
		}
	}
	if d.Find("pre[lang=it]").Length() != 1 {
		t.Error("the text is read out as if it were English")
	}
	alone := b.get(d.Find("a[target=_blank]").AttrOr("href", ""))
	policy := alone.Header.Get("Content-Security-Policy")
	if alone.StatusCode != http.StatusOK || !strings.HasPrefix(policy, "sandbox; default-src 'none';") || strings.Contains(policy, "script") || !strings.Contains(alone.body, "<p style=") {
		t.Errorf("the HTML part: %d, %s", alone.StatusCode, policy)
	}
	var all []outbox.Notice
	h.do(func(tx *sql.Tx) (err error) {
		all, err = outbox.OfCustomer(t.Context(), tx, "cus_1")
		return err
	})
	for _, n := range all {
		if n.Channel == outbox.App && !strings.Contains(words(b.page("/admin/notices/"+n.ID).Find("pre")), "no copy") {
			t.Error("the notice in the app is not explained")
		}
	}
}

func TestAnAnswerGoesOutAndRemindersGoOn(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", hostile, "insufficient_funds")
	must(t, h.talks.Write(t.Context(), "cus_1", "Hello,\n"+hostile, false, time.Now()))
	b := h.member(staff.Agent)
	d := b.page("/admin/inbox")
	where := d.Find("tbody th a").AttrOr("href", "")
	if d.Find("svg[onload]").Length() != 0 || !strings.HasPrefix(where, "/admin/conversations/conv_") {
		t.Fatalf("the inbox leads to %q", where)
	}
	for typed, said := range map[string]string{" \n ": "Write your answer", "Use 4242-4242-4242-4242": "card number", strings.Repeat("long", 2000): "too long"} {
		a := b.post(where+"/reply", "text", typed)
		d := a.document(t)
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(words(d.Find("#text-fault")), said) || d.Find("svg[onload]").Length() != 0 {
			t.Errorf("%.20q: %d", typed, a.StatusCode)
		}
	}
	for range 2 { // the second press of the same button is no second mail
		b.post(where+"/reply", "text", "Take your time.").leadsTo(t, where+"?done=replied")
	}
	d = b.page(where)
	if got := words(d.Find(".talk li.mine")); !strings.Contains(got, "Take your time.") || !strings.Contains(got, "Ines agent") || !strings.Contains(got, "Waits to go out") || d.Find(".talk li.mine").Length() != 1 {
		t.Errorf("the answer stands as %q", got)
	}
	if h.caseOf("cus_1").RestingSince != 0 {
		t.Error("the case still rests")
	}
	if got := words(b.page("/admin/inbox").Find("main")); !strings.Contains(got, "Nobody waits") {
		t.Errorf("the inbox says %q", got)
	}
}

// A double click sends its form twice within the same moment: the customer reads one answer, in one mail.
func TestAnAnswerPressedTwiceAtOnceIsMailedOnce(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	must(t, h.talks.Write(t.Context(), "cus_1", "May I pay on Friday?", false, time.Now()))
	b := h.member(staff.Agent)
	where := b.page("/admin/inbox").Find("tbody th a").AttrOr("href", "")
	const rests = "Reminders rest until then; with it they go on by their schedule."
	if form := b.page(where).Find("form[action$='/reply']").Text(); !strings.Contains(form, rests) {
		t.Errorf("what an answer does to the reminders is not told: %q", form)
	}
	var presses sync.WaitGroup
	for range 8 {
		presses.Go(func() {
			a := b.post(where+"/reply", "text", "Friday is fine.")
			if !strings.HasPrefix(a.Header.Get("Location"), where+"?done=replied") {
				t.Errorf("a press is answered %d", a.StatusCode)
			}
		})
	}
	presses.Wait()
	if form := b.page(where).Find("form[action$='/reply']").Text(); strings.Contains(form, rests) {
		t.Error("reminders rest though the customer was answered")
	}
	if said := b.page(where).Find(".talk li.mine").Length(); said != 1 {
		t.Errorf("the customer is answered %d times", said)
	}
	mails := 0
	err := h.db.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRowContext(t.Context(), `SELECT count(*) FROM notices WHERE kind = $1`, string(outbox.Reply)).Scan(&mails)
	})
	if err != nil || mails != 1 {
		t.Errorf("%d mails wait to go out: %v", mails, err)
	}
}

// A page says what a form did to the session that sent the form, on the page it led to, and not for long.
func TestWhatWasDoneIsToldToWhoDidIt(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	b, other := h.member(staff.Manager), h.member(staff.Manager)
	stopped := b.post("/admin/sending/stop", "reason", "Wrong text in step 2").leadsTo(t, "/admin/sending?done=stopped")
	says := func(b *browser, address string) bool {
		got := words(b.page(address).Find("main"))
		return strings.Contains(got, "Sending is stopped for everybody.") || strings.Contains(got, "Sending goes on.")
	}
	for _, look := range []string{"the page", "a reload"} {
		if !says(b, stopped) {
			t.Errorf("%s does not say it", look)
		}
	}
	for name, said := range map[string]bool{
		"to somebody else": says(other, stopped), "of another page": says(b, strings.Replace(stopped, "/sending", "/account", 1)),
		"of another deed": says(b, strings.Replace(stopped, "stopped", "sending", 1)),
	} {
		if said {
			t.Errorf("it is told %s", name)
		}
	}
	h.later(20 * time.Minute)
	if says(b, stopped) {
		t.Error("long after it is told as news")
	}
}

// What was undone since is told no more, whoever reloads the page or steps back to it; what undid it is.
func TestWhatWasUndoneIsNotToldAgain(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	b := h.member(staff.Admin)
	h.member(staff.Agent)
	all, err := h.members.List(t.Context())
	must(t, err)
	at := slices.IndexFunc(all, func(m staff.Member) bool { return m.Role == staff.Agent })
	page, person, of := "/admin/customers/cus_1", "/admin/people/"+all[at].ID, "/admin/cases/"+h.caseOf("cus_1").ID
	day := h.clock().AddDate(0, 0, 3).Format(time.DateOnly)
	for _, tt := range []struct{ deed, undo, said, undone string }{
		{"/admin/sending/stop", "/admin/sending/resume", "Sending is stopped for everybody.", "Sending goes on."},
		{of + "/pause", of + "/resume", "They go on when somebody resumes them.", "Your pause has ended."},
		{of + "/promise", of + "/promise/end", "The day is set.", "The day is taken back."},
		{page + "/no-mail", page + "/remind", "No reminder is mailed to them any more.", "They are reminded again"},
		{page + "/no-reminders", page + "/remind", "They get no reminder at all any more.", "They are reminded again"},
		{person + "/disable", person + "/renew", "They are shut out.", ""}, // that they are let in is on the answer itself
	} {
		says := func(address, sentence string) bool {
			return strings.Contains(words(b.page(address).Find(".flash[role=status]")), sentence)
		}
		does := func(path string) string {
			press := database.NewID("press")
			a := b.post(path, "reason", "By phone", "kind", "self", "day", day, "attempt", press)
			if a.StatusCode != http.StatusSeeOther && a.StatusCode != http.StatusOK {
				t.Fatalf("%s: %d", path, a.StatusCode)
			}
			return a.Header.Get("Location")
		}
		address := does(tt.deed)
		if !says(address, tt.said) {
			t.Errorf("%s leads to %s, which does not say %q", tt.deed, address, tt.said)
		}
		undone := does(tt.undo)
		if says(address, tt.said) {
			t.Errorf("after %s the page still says %q", tt.undo, tt.said)
		}
		if tt.undone == "" {
			continue
		}
		if !says(undone, tt.undone) {
			t.Errorf("%s leads to %s, which does not say %q", tt.undo, undone, tt.undone)
		}
		does(tt.deed)
		if says(undone, tt.undone) {
			t.Errorf("after %s the page still says %q", tt.deed, tt.undone)
		}
		does(tt.undo)
	}
}

func TestSendingStopsAndSaysSoEverywhere(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	b := h.member(staff.Manager)
	b.post("/admin/sending/stop", "reason", "Wrong text in step 2").leadsTo(t, "/admin/sending?done=stopped")
	b.post("/admin/sending/stop", "reason", "again").leadsTo(t, "/admin/sending?done=stopped")
	for _, path := range []string{"/admin", "/admin/inbox", "/admin/sending", "/admin/customers/cus_1"} {
		got := words(b.page(path).Find("main"))
		if !strings.Contains(got, "All sending is stopped since today, 09:30, by Ines manager") {
			t.Errorf("%s says %q", path, got)
		}
	}
	if got := words(b.page("/admin/sending").Find("[aria-labelledby=switch]")); !strings.Contains(got, "“Wrong text in step 2”") {
		t.Errorf("the reason is %q", got)
	}
	if got := words(b.page("/admin/customers/cus_1").Find("[aria-labelledby=plan]")); !strings.Contains(got, "waits until somebody resumes it") {
		t.Errorf("the plan says %q", got)
	}
	b.post("/admin/sending/resume").leadsTo(t, "/admin/sending?done=sending")
	if d := b.page("/admin"); strings.Contains(d.Find("main").Text(), "All sending is stopped") {
		t.Error("still said to be stopped")
	}
	h.do(func(tx *sql.Tx) error { return dunning.StopSending(t.Context(), tx, "command", "", h.clock()) })
	if got := words(b.page("/admin/sending").Find("main")); !strings.Contains(got, "by command") || strings.Contains(got, "Wrong text") {
		t.Errorf("a stop by the command line is told as %q", got)
	}
}

func TestAuditLogTellsWhoDidWhat(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	b := h.member(staff.Admin)
	b.post("/admin/cases/"+h.caseOf("cus_1").ID+"/pause", "reason", "late")
	d := b.page("/admin/audit")
	first := d.Find("tbody tr").First()
	if got := words(first); !strings.Contains(got, "Ines admin paused reminders of") || first.Find("a").AttrOr("href", "") != "/admin/customers/cus_1" {
		t.Errorf("the newest line is %q", got)
	}
	if strings.Contains(d.Text(), "Chiara") {
		t.Error("the log holds a customer's name")
	}
	if n := b.page("/admin/audit?q=Ines+ADMIN+nowhere").Find("tbody tr").Length(); n != 0 {
		t.Errorf("%d lines match nothing", n)
	}
	if n := b.page("/admin/audit?q=paused").Find("tbody tr").Length(); n != 1 {
		t.Errorf("%d lines match", n)
	}
	h.do(func(tx *sql.Tx) error {
		for range 150 {
			err := audit.Append(t.Context(), tx, audit.Entry{At: h.clock(), Actor: "command", Action: "test.line", Object: "x"})
			if err != nil {
				return err
			}
		}
		return nil
	})
	d = b.page("/admin/audit")
	older := b.page(d.Find("a[rel=next]").AttrOr("href", ""))
	if d.Find("tbody tr").Length() != 100 || !strings.Contains(older.Text(), "paused reminders of") {
		t.Error("the second page does not go on")
	}
	d = b.page("/admin/audit?q=paused")
	if d.Find("tbody tr").Length() != 1 || d.Find("a[rel=next]").Length() != 0 {
		t.Error("a search does not reach behind the first page")
	}
}

func TestSumsOfSeveralCurrenciesReadAsAList(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Chiara Bellini", "insufficient_funds")
	for currency, minor := range map[string]int64{"jpy": 14400, "usd": 490000} {
		i := h.invoice("cus_1", "insufficient_funds")
		i.ID, i.Number, i.Currency, i.AmountDue, i.AmountRemaining, i.FirstFailed = "in_"+currency, "LS-"+currency, currency, minor, minor, minor
		h.hear(billing.Customer{ID: "cus_1", Name: "Chiara Bellini", Email: "cus_1@bellini.example", Country: "IT", DefaultMethod: "pm_cus_1", CreatedAt: h.clock().Unix()}, i)
	}
	got := words(h.member(staff.Agent).page("/admin/customers/cus_1?act=promise").Find("#question"))
	if !strings.Contains(got, "€29.00, ¥14,400 and US$4,900.00") {
		t.Errorf("the question says %q", got)
	}
}
