package portal_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

// Who wants to pay some of several invoices and ticks none is told so, at the boxes, with their choice kept: the page
// neither starts again in silence nor asks for a card that would pay nothing.
func TestSomeOfSeveralWithNoneTicked(t *testing.T) {
	t.Parallel()
	for _, declined := range []struct{ code, form string }{{"insufficient_funds", "/pay/review"}, {"lost_card", "/pay/card"}} {
		t.Run(declined.code, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			customer := h.customer("Sanne Kuipers", "sanne@kuipers.example", "NL", "pm_card_visa")
			h.fail(customer, declined.code)
			h.clock.set(h.clock.now().Add(time.Hour))
			h.fail(customer, declined.code)
			h.walk(24 * time.Hour)
			b := h.browser()
			b.get(linkIn(t, h.mailsTo("sanne@kuipers.example")[0])).at("/pay", http.StatusOK)
			if b.page.Find("form.choice[action='"+declined.form+"']").Length() != 1 {
				t.Fatalf("no choice that leads to %s: %s", declined.form, b.text("main"))
			}
			if declined.form == "/pay/card" {
				b.get("/pay/card?what=some").at("/pay/card", http.StatusUnprocessableEntity)
			} else {
				b.post("/pay/review", url.Values{"what": {"some"}}).at("/pay/review", http.StatusUnprocessableEntity)
			}
			const told = "Choose at least one invoice"
			if b.text(".errors li") != told || b.text(".picks .fault") != told || b.text("title") != "Error: Pay €58.00 to Lumen Studio" {
				t.Errorf("told %q, at the boxes %q, in the title %q", b.text(".errors li"), b.text(".picks .fault"), b.text("title"))
			}
			first := b.page.Find(".picks input").First()
			if b.page.Find(".errors a").AttrOr("href", "") != "#"+first.AttrOr("id", "-") || first.AttrOr("aria-describedby", "") != b.page.Find(".picks .fault").AttrOr("id", "-") {
				t.Error("what is wrong does not lead to the boxes, or they do not point at it")
			}
			if b.page.Find("#some[checked]").Length() != 1 || b.page.Find("#all[checked], .picks input[checked]").Length() != 0 {
				t.Error("the choice is not kept as it was sent")
			}
		})
	}
}

// Where the page offers no choice any more, since the bank wants the customer's yes meanwhile, nothing is said of boxes.
func TestNoneTickedWhereThereAreNoBoxes(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Sanne Kuipers", "sanne@kuipers.example", "NL", "pm_card_visa")
	h.fail(customer, "authentication_required")
	h.clock.set(h.clock.now().Add(time.Hour))
	h.fail(customer, "authentication_required")
	h.walk(24 * time.Hour)
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("sanne@kuipers.example")[0])).at("/pay", http.StatusOK)
	if b.page.Find("form.choice").Length() != 0 {
		t.Fatal("a choice is offered where the bank wants a yes")
	}
	b.post("/pay/review", url.Values{"what": {"some"}}).at("/pay", http.StatusOK)
}
