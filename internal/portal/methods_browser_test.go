package portal_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"sollecito/internal/browsertest"
)

// seen looks at the page on a phone and on a desk, in the light and in the dark: nothing keeps anybody out, and nothing
// stands beside the screen.
func (b tab) seen(name string) {
	b.t.Helper()
	for _, width := range []int64{320, 360, 1280} {
		for _, dark := range []bool{false, true} {
			b.do(chromedp.EmulateViewport(width, 1000))
			b.must(browsertest.Prefer(b.ctx, dark))
			barriers, err := browsertest.Barriers(b.ctx)
			b.must(err)
			for _, barrier := range barriers {
				b.t.Errorf("%s at %d, dark %t: %s", name, width, dark, barrier)
			}
			past, err := browsertest.Sideways(b.ctx)
			b.must(err)
			if past > 0 {
				b.t.Errorf("%s at %d: %d pixels stand beside the screen", name, width, past)
			}
			b.picture(fmt.Sprintf("%s-%d-%t", name, width, dark))
		}
	}
	b.must(browsertest.Prefer(b.ctx, false))
}

// A card is taken off in a real browser: the list, what follows, the code pasted as a mailbox gives it, and the end. The
// page whether a mail is ours is looked at besides.
func TestChromiumTakesACardOff(t *testing.T) {
	seesNoEngine(t)
	h, customer, _, _, _ := withTwoCards(t)
	b := tab{t, browsertest.Start(t)}
	complaints, err := browsertest.Complaints(b.ctx)
	b.must(err)
	b.do(chromedp.EmulateViewport(360, 1000), chromedp.Navigate(linkIn(t, h.mailsTo("chiara@bellini.example")[0])))
	b.reads("Your cards and accounts")
	b.do(chromedp.Click(chromedp.CSS("a[href='/pay/methods']")))
	b.reads("Pays for: Studio plan")
	b.seen("list")
	b.do(chromedp.Click(chromedp.CSS("main ul.list li:first-child a")))
	b.reads("Remove Visa ending 4242?")
	b.seen("before")
	b.do(chromedp.Click(chromedp.CSS("form[action$='/code'] .main-act")))
	b.reads("The code from the email")
	b.do(chromedp.SendKeys(chromedp.CSS("#code"), "000 00"), chromedp.Click(chromedp.CSS("form[action$='/remove'] .main-act")))
	b.reads("That isn’t the code")
	b.seen("wrong")
	code := h.code("chiara@bellini.example")
	b.do(chromedp.SetValue(chromedp.CSS("#code"), code[:3]+" "+code[3:]), chromedp.Click(chromedp.CSS("form[action$='/remove'] .main-act")))
	b.reads("Your Visa ending 4242 has been removed.")
	b.seen("after")
	if h.attached(customer) != 1 {
		t.Errorf("%d cards are kept", h.attached(customer))
	}
	b.do(chromedp.Click(chromedp.CSS("main ul.list li:first-child a")))
	b.reads("Nothing else is saved that could pay for Studio plan")
	b.seen("alone")
	b.do(chromedp.Navigate(h.base + "/pay/genuine"))
	b.reads("Is this email really from us?")
	b.seen("genuine")
	for _, c := range complaints() {
		t.Errorf("the browser complains: %s", c)
	}
}

// Somebody else pays in a real browser, with a card whose bank asks twice: when it is typed, and when it is charged.
func TestChromiumPaysForSomebodyElse(t *testing.T) {
	seesNoEngine(t)
	h, customer, invoice, _, _, address := handedOn(t)
	b := tab{t, browsertest.Start(t)}
	complaints, err := browsertest.Complaints(b.ctx)
	b.must(err)
	b.do(chromedp.EmulateViewport(360, 1000), chromedp.Navigate(linkIn(t, h.mailsTo("chiara@bellini.example")[0])))
	b.reads("Have someone else pay")
	b.do(chromedp.Click(chromedp.CSS("a[href='/pay/share']")))
	b.reads("Links that work now")
	b.do(chromedp.Click(chromedp.CSS("form[action='/pay/share'] .main-act")))
	b.reads("Copy it now")
	b.seen("share")
	b.do(chromedp.Navigate(address))
	b.reads("Invoice from Lumen Studio for C••• B•••")
	b.must(browsertest.FillCard(b.ctx, "4000002500003155", "12/34", "123"))
	b.seen("guest")
	b.do(chromedp.Click(chromedp.CSS("form[data-card] .main-act")))
	b.must(browsertest.AnswerBank(b.ctx, true))
	b.must(browsertest.AnswerBank(b.ctx, true))
	b.reads("Paid. Thank you.")
	b.seen("paid")
	for _, c := range complaints() {
		t.Errorf("the browser complains: %s", c)
	}
	h.settle()
	if h.charges(customer, invoice) != 1 || h.attached(customer) != 1 {
		t.Errorf("%d charges, %d cards", h.charges(customer, invoice), h.attached(customer))
	}
}
