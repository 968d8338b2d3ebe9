package portal_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// intent asks for what the browser confirms a new card with, as the page's own script does, and answers the
// SetupIntent's id.
func (b *browser) intent(form url.Values) string {
	b.t.Helper()
	return b.intentAt("/pay/card/intent", form)
}

func (b *browser) intentAt(path string, form url.Values) string {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Secret string `json:"client_secret"`
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	err = json.Unmarshal(body, &answer)
	id, _, ok := strings.Cut(answer.Secret, "_secret_")
	if err != nil || !ok {
		b.t.Fatalf("%d %s", resp.StatusCode, body)
	}
	return id
}

// hidden answers the hidden fields of a form on the page.
func (b *browser) hidden(form string) url.Values {
	values := url.Values{}
	b.page.Find(form + " input[type=hidden]").Each(func(_ int, in *goquery.Selection) {
		values.Add(in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	return values
}

// Two payments are open and the customer chooses one, with a new card. Whether Stripe's webhook or the browser's
// return comes first, and however often the form is sent: the card stands where the old one failed, and the chosen
// invoice is charged once.
func TestANewCardPaysWhatWasChosenOnce(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"webhook", "browser"} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			h := open(t)
			customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
			subscription := h.ask("subscriptions?customer="+customer, nil)["data"].([]any)[0].(map[string]any)
			old := h.ask("customers/"+customer, nil)["invoice_settings"].(map[string]any)["default_payment_method"].(string)
			h.ask("subscriptions/"+subscription["id"].(string), url.Values{"default_payment_method": {old}})
			chosen := h.fail(customer, "lost_card")
			h.clock.set(h.clock.now().Add(time.Hour))
			other := h.fail(customer, "lost_card")
			h.walk(24 * time.Hour)
			b := h.browser()
			b.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0])).at("/pay", http.StatusOK)
			if strings.Contains(strings.ToLower(b.text("main")), "lost") {
				t.Errorf("the page tells why the bank refuses: %s", b.text("main"))
			}
			b.get("/pay/card?what=some&invoice="+chosen).at("/pay/card", http.StatusOK)
			form := b.hidden("form[data-card]")
			setup := b.intent(form)
			h.ask("setup_intents/"+setup+"/confirm", url.Values{"payment_method": {"pm_card_mastercard"}, "return_url": {h.base + "/pay/card/finish"}})
			if first == "webhook" {
				h.settle()
			}
			form.Set("setup_intent", setup)
			for range 2 {
				b.post("/pay/card", form).at("/pay/result", http.StatusOK)
				if !strings.Contains(b.text("main"), "€29.00 went through, as you chose. €29.00 stays open.") {
					t.Errorf("the result says: %s", b.text("main"))
				}
			}
			h.settle()
			if got := h.ask("invoices/"+other, nil)["status"]; got != "open" {
				t.Errorf("the other invoice is %s", got)
			}
			if got := h.charges(customer, chosen); got != 1 {
				t.Errorf("charged %d times", got)
			}
			kept := h.ask("subscriptions/"+subscription["id"].(string), nil)["default_payment_method"]
			byDefault := h.ask("customers/"+customer, nil)["invoice_settings"].(map[string]any)["default_payment_method"]
			if kept == old || kept != byDefault {
				t.Errorf("the subscription still charges %v, the customer %v", kept, byDefault)
			}
		})
	}
}

// While nothing is open a link shows receipts only: nobody who found an old mail may change the card.
func TestALinkWithNothingOpenShowsReceiptsOnly(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("chiara@bellini.example")[0]))
	err := h.stripe.Pay(h.openInvoice(customer), false)
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	b.get("/pay/card").at("/pay", http.StatusOK)
	b.post("/pay/card/intent", url.Values{"attempt": {"press_" + strings.Repeat("a", 26)}})
	if b.status != http.StatusConflict {
		t.Errorf("a card may still be changed: %d", b.status)
	}
	// A changed address at Stripe ends the links that went to the old one.
	b.get("/pay").at("/pay", http.StatusOK)
	h.ask("customers/"+customer, url.Values{"email": {"new@bellini.example"}})
	h.settle()
	b.get("/pay").at("/pay", http.StatusUnauthorized)
}
