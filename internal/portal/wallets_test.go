package portal_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"sollecito/internal/browsertest"
	"sollecito/internal/config"
)

// recorder stands where Stripe.js does and keeps what it was asked for. A press ends as one whose wallet was closed.
const recorder = `
window.asked = {};
window.Stripe = (key, options) => {
  asked.key = key;
  asked.locale = options.locale;
  return {
    elements: (options) => {
      asked.elements = options;
      return {
        create: (kind, options) => {
          asked.create = { kind, options };
          return {
            on: (event, heard) => {
              asked[event] = heard;
              if (event === 'ready') setTimeout(heard);
            },
            mount: () => { asked.mounted = true; },
          };
        },
        update: () => {},
        submit: async () => ({ selectedPaymentMethod: 'google_pay' }),
      };
    },
    confirmSetup: async ({ elements, clientSecret, confirmParams, redirect }) => {
      asked.confirm = { elements: !!elements, secret: clientSecret, params: confirmParams, redirect };
      return { error: { type: 'validation_error', message: 'The wallet was closed.' } };
    },
  };
};`

// recording serves the recorder.
func recording(t *testing.T) *httptest.Server {
	script := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, err := io.WriteString(w, recorder)
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(script.Close)
	return script
}

// A guest pays once, and is not there any more when small deposits have arrived: their bank account is proven by signing in
// at the bank, or not taken. Stripe's fields and the SetupIntent must say the same. A customer's own may be typed.
func TestAGuestsBankAccountIsProvenAtOnce(t *testing.T) {
	t.Parallel()
	script := recording(t)
	ctx := browsertest.Start(t)
	h := open(t, func(c *config.Config) { c.StripeJS = script.URL + "/v3/" })
	customer := h.ask("customers", url.Values{"name": {"June Park"}, "email": {"june@park.example"}, "address[country]": {"US"}})["id"].(string)
	h.dollars(customer)
	link := linkIn(t, h.mailsTo("june@park.example")[0])
	owner := h.browser()
	owner.get(link).at("/pay", http.StatusOK)
	owner.get("/pay/share").press("/pay/share").at("/pay/share", http.StatusOK)
	handed := owner.page.Find("#address").AttrOr("value", "")
	for _, way := range []struct{ page, from, asks, verified string }{
		{"/pay/invoice", handed, `{"us_bank_account":{"verification_method":"instant"}}`, "instant"}, {"/pay/card", link, "none", "automatic"},
	} {
		b := tab{t, ctx}
		b.do(chromedp.Navigate(way.from))
		b.do(chromedp.Navigate(h.base + way.page))
		b.shows(`window.asked && asked.mounted === true && asked.elements.paymentMethodTypes.includes('us_bank_account')`)
		asks, err := chromedp.Run(ctx, chromedp.Evaluate[string](`JSON.stringify(asked.elements.paymentMethodOptions) || 'none'`))
		b.must(err)
		if asks != way.asks {
			t.Errorf("%s asks Stripe's fields for %s", way.page, asks)
		}
		plain := h.browser()
		plain.get(way.from).get(way.page).at(way.page, http.StatusOK)
		setup := plain.intentAt(way.page+"/intent", plain.hidden("form[data-card]"))
		options := h.ask("setup_intents/"+setup, nil)["payment_method_options"].(map[string]any)["us_bank_account"].(map[string]any)
		if options["verification_method"] != way.verified {
			t.Errorf("%s asks Stripe for %v", way.page, options)
		}
		status, refused := h.offers("setup_intents/"+setup+"/confirm", typedAccount("June Park"))
		if (status == http.StatusOK) != (way.verified == "automatic") {
			t.Errorf("%s: a typed account is answered with %d: %v", way.page, status, refused)
		}
	}
}

// Wallets are Stripe's to show, and come as cards: what can be seen of that from outside is that nothing we ask of Stripe's
// fields switches them off, that the page may ask for a payment and lets Stripe's frames do so, that what is agreed to are
// the words about cards, and that a wallet is confirmed without leaving the page.
func TestNothingStandsInAWalletsWay(t *testing.T) {
	t.Parallel()
	script := recording(t)
	ctx := browsertest.Start(t)
	h := open(t, func(c *config.Config) { c.StripeJS = script.URL + "/v3/" })
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	link := linkIn(t, h.mailsTo("chiara@bellini.example")[0])
	owner := h.browser()
	owner.get(link).at("/pay", http.StatusOK)
	owner.get("/pay/share").at("/pay/share", http.StatusOK)
	owner.press("/pay/share").at("/pay/share", http.StatusOK)
	handed := owner.page.Find("#address").AttrOr("value", "")
	for page, from := range map[string]string{"/pay/card": link, "/pay/invoice": handed} {
		plain := h.browser()
		plain.get(from).get(page).at(page, http.StatusOK)
		allowed := `(self "` + script.URL + `")`
		if got := plain.header.Get("Permissions-Policy"); !strings.Contains(got, "payment="+allowed) || !strings.Contains(got, "publickey-credentials-get="+allowed) {
			t.Errorf("%s: permissions are %s", page, got)
		}
		if got := plain.header.Get("Content-Security-Policy"); !strings.Contains(got, "frame-src "+script.URL+";") || !strings.Contains(got, "connect-src 'self' "+h.api.URL+" "+script.URL+";") {
			t.Errorf("%s: the policy is %s", page, got)
		}
		b := tab{t, ctx}
		b.do(chromedp.Navigate(from))
		b.do(chromedp.Navigate(h.base + page))
		b.shows(`window.asked && asked.mounted === true && !document.querySelector('form[data-card] [data-needs-script]').hidden`)
		type asked struct {
			Key, Locale string
			Elements    map[string]any
			Create      struct {
				Kind    string
				Options map[string]any
			}
			Confirm struct {
				Elements         bool
				Secret, Redirect string
				Params           map[string]string
			}
		}
		heard := func() (a asked) {
			t.Helper()
			text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`JSON.stringify(asked)`))
			b.must(err)
			b.must(json.Unmarshal([]byte(text), &a))
			return a
		}
		got := heard()
		if got.Key != h.stripe.PublishableKey() || !strings.HasPrefix(got.Locale, "en") || got.Elements["mode"] != "setup" || got.Elements["currency"] != "eur" || got.Create.Kind != "payment" {
			t.Errorf("%s asks for %+v", page, got)
		}
		types, _ := got.Elements["paymentMethodTypes"].([]any)
		if !slices.Contains(types, any("card")) || slices.Contains(types, any("apple_pay")) || got.Create.Options["wallets"] != nil || got.Elements["setupFutureUsage"] == "none" {
			t.Errorf("%s: the fields are %v, %v", page, got.Elements, got.Create.Options)
		}
		kind, err := chromedp.Run(ctx, chromedp.Evaluate[string](`['sepa_debit', 'google_pay', 'apple_pay', 'link'].map((type) => {
			asked.change({ value: { type } });
			const debit = document.querySelector('[data-for="debit"]');
			return type + ': ' + document.querySelector('form[data-card]').elements.kind.value + (debit.hidden ? '' : ' in days');
		}).join(', ')`))
		b.must(err)
		if kind != "sepa_debit: debit in days, google_pay: card, apple_pay: card, link: card" {
			t.Errorf("%s: what is agreed to by what is chosen is %s", page, kind)
		}
		b.do(chromedp.Click(chromedp.CSS("form[data-card] button[data-needs-script], form[data-card] [data-needs-script] button")))
		b.reads("The wallet was closed.")
		got = heard()
		if c := got.Confirm; !c.Elements || !strings.HasPrefix(c.Secret, "seti_") || c.Redirect != "if_required" || c.Params["return_url"] == "" || !strings.HasPrefix(c.Params["return_url"], h.base+page+"/finish") {
			t.Errorf("%s confirms with %+v", page, c)
		}
	}
}
