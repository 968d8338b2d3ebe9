package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"sollecito/internal/browsertest"
	"sollecito/internal/staff"
)

// The pages of the endpoints in a real browser, with messages in every state, on a phone and on a desk, in light and in dark.
func TestChromiumReadsTheEndpoints(t *testing.T) {
	seesNoEngine(t)
	h := open(t, reachable)
	b := h.colleague(staff.Admin)
	works, fails := h.listens(t, b), h.listens(t, b)
	fails.answers(http.StatusBadGateway)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	h.walk(4 * 24 * time.Hour)
	b.post("/admin/webhooks/"+h.endpoint(works)+"/test", nil)
	b.post("/admin/webhooks/"+h.endpoint(fails)+"/test", nil)
	browser := tab{t, browsertest.Start(t)}
	complaints, err := browsertest.Complaints(browser.ctx)
	browser.must(err)
	home, err := url.Parse(h.base)
	browser.must(err)
	for _, c := range b.client.Jar.Cookies(home) {
		_, err = chromedp.Call(browser.ctx, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: h.base})
		browser.must(err)
	}
	for name, path := range map[string]string{
		"list": "/admin/webhooks", "works": "/admin/webhooks/" + h.endpoint(works), "fails": "/admin/webhooks/" + h.endpoint(fails), "today": "/admin",
	} {
		browser.do(chromedp.Navigate(h.base + path))
		for _, form := range browsertest.Forms() {
			faults, err := browsertest.Faults(browser.ctx, form, "en")
			browser.must(err)
			cramped, err := browsertest.Cramped(browser.ctx)
			browser.must(err)
			for _, fault := range append(faults, cramped...) {
				t.Errorf("%s, %s: %s", name, form, fault)
			}
			browser.picture(name + "-" + strings.ReplaceAll(form.String(), " ", "-"))
		}
	}
	for _, c := range complaints() {
		t.Errorf("the browser complains: %s", c)
	}
}
