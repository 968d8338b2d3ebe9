package portal_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"sollecito/internal/browsertest"
)

// Before anything has failed, in a real browser: the letter's link, one button, the card's fields, the bank's yes, and
// the card is kept. Nothing is charged.
func TestChromiumKeepsACardBeforeTheRenewal(t *testing.T) {
	seesNoEngine(t)
	h := open(t, foretelling("all"))
	customer, _ := h.subscriber("chiara@bellini.example", "11", "2026")
	h.walk(17 * day)
	mails := h.mailsTo("chiara@bellini.example")
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	b := tab{t, browsertest.Start(t)}
	complaints, err := browsertest.Complaints(b.ctx)
	b.must(err)
	b.do(chromedp.EmulateViewport(360, 800), chromedp.Navigate(linkIn(t, mails[0])))
	b.reads("Your card expires before your next renewal")
	b.picture("ahead")
	b.do(chromedp.Click(chromedp.CSS("main .main-act")))
	b.reads("From now on this card pays for")
	b.must(browsertest.FillCard(b.ctx, "4000002500003155", "12/34", "123"))
	b.picture("card")
	b.do(chromedp.Click(chromedp.CSS("form[data-card] .main-act")))
	b.must(browsertest.AnswerBank(b.ctx, true)) // that the card may be kept
	b.reads("Your new card is saved.")
	b.picture("saved")
	for _, c := range complaints() {
		t.Errorf("the browser complains: %s", c)
	}
	h.settle()
	h.walk(60 * day)
	if got := len(h.mailsTo("chiara@bellini.example")); got != 1 {
		t.Errorf("%d mails over two renewals with the new card", got)
	}
	if open := h.ask("invoices?status=open&customer="+customer, nil)["data"].([]any); len(open) != 0 {
		t.Errorf("%d invoices are open", len(open))
	}
}
