package portal_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sollecito/internal/browsertest"
	"sollecito/internal/databasetest"
)

// seesNoEngine ends a browser's story told for the second time: the pages' own tests are told on both engines, and what
// Chromium makes of a page does not depend on where its words were kept.
func seesNoEngine(t *testing.T) {
	t.Helper()
	if databasetest.OnPostgres() {
		t.Skip("told on SQLite")
	}
}

// tab drives one tab of a real Chromium through the portal's pages.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func (b tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	err := chromedp.Do(b.ctx, chromedp.Steps(actions...))
	if err != nil {
		b.picture("failed")
		b.t.Fatalf("%v, the page says:\n%s", err, b.words())
	}
}

func (b tab) must(err error) {
	b.t.Helper()
	if err != nil {
		b.picture("failed")
		b.t.Fatalf("%v, the page says:\n%s", err, b.words())
	}
}

// picture writes what the tab shows into the folder PORTAL_PICTURES names; without one it does nothing.
func (b tab) picture(name string) {
	folder := os.Getenv("PORTAL_PICTURES")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, strings.ReplaceAll(b.t.Name(), "/", "-")+"-"+name+".png"), png, 0o600)
	}
	if err != nil {
		b.t.Logf("no picture: %v", err)
	}
}

func (b tab) words() string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + '\n' + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// reads waits until the page's main part holds the words.
func (b tab) reads(words string) {
	b.t.Helper()
	b.shows(`!!document.querySelector('main') && document.querySelector('main').innerText.includes(` + "`" + words + "`" + `)`)
}

// shows waits until the page makes the condition true. A page that is being left answers nothing, so it asks again until
// the time is over.
func (b tab) shows(condition string) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, 20*time.Second)
	defer stop()
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](condition))
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			b.picture("failed")
			b.t.Fatalf("waiting for %q: %v, the page says:\n%s", condition, err, b.words())
		}
	}
}

// A card whose bank asks back when it is set up: it is kept with the bank's approval, charged at once, serves the
// next renewal, and the story ends with one letter. Nothing on the pages is refused by their own policies.
func TestChromiumKeepsACardAndPaysWithTheBanksApproval(t *testing.T) {
	seesNoEngine(t)
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "expired_card")
	mails := h.mailsTo("anneke@waal.example")
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	b := tab{t, browsertest.Start(t)}
	complaints, err := browsertest.Complaints(b.ctx)
	b.must(err)
	b.do(chromedp.EmulateViewport(360, 800), chromedp.Navigate(linkIn(t, mails[0])))
	b.reads("Your card has expired")
	b.picture("overview")
	b.do(chromedp.Click(chromedp.CSS("main .main-act")))
	b.reads("From now on this card pays for")
	b.must(browsertest.FillCard(b.ctx, "4000002500003155", "12/34", "123"))
	b.picture("card")
	b.do(chromedp.Click(chromedp.CSS("form[data-card] .main-act")))
	b.must(browsertest.AnswerBank(b.ctx, true)) // that the card may be kept
	b.reads("How it works")
	b.must(browsertest.AnswerBank(b.ctx, true)) // that it is charged
	b.reads("Paid. Thank you, Anneke.")
	b.picture("paid")
	for _, c := range complaints() {
		t.Errorf("the browser complains: %s", c)
	}
	h.settle()
	h.walk(31 * 24 * time.Hour)
	mails = h.mailsTo("anneke@waal.example")
	if len(mails) != 2 || !strings.Contains(mails[1].Subject, "all is settled") {
		for _, m := range mails {
			t.Logf("%s %s", m.At, m.Subject)
		}
		t.Errorf("%d mails after a month more", len(mails))
	}
	h.noSecretsInTheLog(mails[0])
}

// The bank refuses, then says yes: nothing is taken in between, and one charge is made.
func TestChromiumTellsARefusalAndGoesOn(t *testing.T) {
	seesNoEngine(t)
	h := open(t)
	customer := h.customer("Maison Okafor", "compta@okafor.example", "FR", "pm_card_visa")
	h.fail(customer, "authentication_required")
	b := tab{t, browsertest.Start(t)}
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(linkIn(t, h.mailsTo("compta@okafor.example")[0])))
	b.reads("approve this payment")
	b.do(chromedp.Click(chromedp.CSS("main .main-act")))
	b.reads("How it works")
	b.do(chromedp.Click(chromedp.CSS("form[data-approve] .main-act")))
	b.must(browsertest.AnswerBank(b.ctx, false))
	b.reads("The approval didn’t come through at your bank. Nothing has been taken.")
	b.picture("refused")
	// Another card whose bank asks every time: once to keep it, once to charge it.
	b.do(chromedp.Click(chromedp.CSS("main a[href^='/pay/card']")))
	b.must(browsertest.FillCard(b.ctx, "4000002760003184", "12/34", "123"))
	b.do(chromedp.Click(chromedp.CSS("form[data-card] .main-act")))
	b.must(browsertest.AnswerBank(b.ctx, true))
	b.reads("How it works")
	b.must(browsertest.AnswerBank(b.ctx, true))
	b.reads("Paid. Thank you")
	charges := h.ask("charges?limit=100&customer="+customer, nil)["data"].([]any)
	succeeded := 0
	for _, c := range charges {
		charge := c.(map[string]any)
		if charge["status"] == "succeeded" && charge["invoice"] != nil {
			succeeded++
		}
	}
	if succeeded != 2 { // the first month's, and this one
		t.Errorf("%d charges succeeded", succeeded)
	}
}
