package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"

	"sollecito/internal/browsertest"
	"sollecito/internal/sandbox"
)

// shop is a merchant with a page of its own, on another origin than the
// sandbox and under the policy a careful payment page has.
type shop struct {
	sandbox *sandbox.Server
	api     *client.API
	home    string // the sandbox's address
	page    string // the shop's address
}

func openShop(t *testing.T) *shop {
	t.Helper()
	server := sandbox.New(sandbox.Options{Now: time.Now})
	t.Cleanup(server.Close)
	home := httptest.NewServer(server.Handler())
	t.Cleanup(home.Close)
	server.SetPublicURL(home.URL)
	api := &client.API{}
	api.Init(server.SecretKey(), stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL: stripe.String(home.URL), EnableTelemetry: stripe.Bool(false), MaxNetworkRetries: stripe.Int64(0),
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	}))
	s := &shop{sandbox: server, api: api, home: home.URL}
	page := httptest.NewServer(http.HandlerFunc(s.servePage))
	t.Cleanup(page.Close)
	s.page = page.URL
	return s
}

// shopPage mounts the Payment Element for the secret in the address. window.pay
// confirms, and window.outcome is what came of it.
const shopPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Shop</title></head>
<body><h1>Pay</h1><div id="element"></div><button id="pay">Pay now</button>
<script src="{home}/v3/"></script>
<script nonce="n0nce">
const query = new URLSearchParams(location.search);
window.heard = [];
window.refusals = [];
window.events = [];
addEventListener('message', (event) => heard.push(JSON.stringify(event.data)));
document.addEventListener('securitypolicyviolation', (event) => refusals.push(event.violatedDirective + ' ' + event.blockedURI));
const stripe = Stripe('{key}', { locale: query.get('locale') || 'en' });
const secret = query.get('secret');
const setup = (secret || '').startsWith('seti_');
const appearance = { theme: query.get('theme') || 'stripe', variables: { colorPrimary: '#8a2be2', borderRadius: '8px' } };
const elements = query.get('deferred')
  ? stripe.elements({ mode: query.get('deferred'), currency: 'eur', amount: 2900, appearance })
  : stripe.elements({ clientSecret: secret, appearance });
const element = elements.create('payment', { layout: 'tabs' });
for (const name of ['loaderstart', 'ready', 'change', 'focus', 'blur', 'loaderror']) {
  element.on(name, (event) => events.push({ name, event }));
}
element.mount('#element');
async function attempt(work) {
  window.outcome = null;
  try { window.outcome = await work(); } catch (failure) { window.outcome = { thrown: failure.name + ': ' + failure.message }; }
}
window.pay = () => attempt(async () => {
  if (query.get('deferred')) {
    const submitted = await elements.submit();
    if (submitted.error) { return submitted; }
  }
  const confirm = setup ? stripe.confirmSetup.bind(stripe) : stripe.confirmPayment.bind(stripe);
  const options = { elements, confirmParams: { return_url: location.origin + '/done' } };
  if (query.get('deferred')) { options.clientSecret = secret; }
  if (!query.get('redirect')) { options.redirect = 'if_required'; }
  return confirm(options);
});
document.getElementById('pay').addEventListener('click', window.pay);
</script></body></html>`

func (s *shop) servePage(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/done" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><title>Done</title><h1 id="done">Done</h1>`))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", strings.ReplaceAll(
		"default-src 'none'; script-src 'self' 'nonce-n0nce' {home}; frame-src {home}; connect-src 'self' {home}; style-src 'self'; "+
			"img-src 'self'; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'", "{home}", s.home))
	_, _ = w.Write([]byte(strings.NewReplacer("{home}", s.home, "{key}", s.sandbox.PublishableKey()).Replace(shopPage)))
}

// outcome is what a Stripe.js call resolved to.
type outcome struct {
	PaymentIntent *struct{ ID, Status string }
	SetupIntent   *struct{ ID, Status string }
	Error         *struct {
		Type, Code, Message string
		DeclineCode         string                       `json:"decline_code"`
		PaymentIntent       *struct{ ID, Status string } `json:"payment_intent"`
		SetupIntent         *struct{ ID, Status string } `json:"setup_intent"`
	}
	Thrown string
}

func (s *shop) payment(t *testing.T) *stripe.PaymentIntent {
	t.Helper()
	intent, err := s.api.PaymentIntents.New(&stripe.PaymentIntentParams{
		Amount: stripe.Int64(2900), Currency: stripe.String("eur"), PaymentMethodTypes: stripe.StringSlice([]string{"card"}),
	})
	must(t, err)
	return intent
}

func (s *shop) setup(t *testing.T) *stripe.SetupIntent {
	t.Helper()
	customer, err := s.api.Customers.New(&stripe.CustomerParams{Email: stripe.String("ada@example.org")})
	must(t, err)
	intent, err := s.api.SetupIntents.New(&stripe.SetupIntentParams{
		Customer: stripe.String(customer.ID), Usage: stripe.String("off_session"), PaymentMethodTypes: stripe.StringSlice([]string{"card"}),
	})
	must(t, err)
	return intent
}

// open loads the shop's page and waits until the Payment Element is ready.
func (s *shop) open(ctx context.Context, t *testing.T, secret string, options ...string) {
	t.Helper()
	query := url.Values{"secret": {secret}}
	for _, option := range options {
		name, value, _ := strings.Cut(option, "=")
		query.Set(name, value)
	}
	must(t, chromedp.Do(ctx, chromedp.Navigate(s.page+"/?"+query.Encode())))
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](`events.some((e) => e.name === 'ready' || e.name === 'loaderror')`))
	must(t, err)
}

// pay types the card, presses the shop's button, and gives the bank the answer
// if the customer is asked: "" when no bank should ask.
func (s *shop) pay(ctx context.Context, t *testing.T, card, bank string) outcome {
	t.Helper()
	must(t, browsertest.FillCard(ctx, card, "12/34", "123"))
	s.press(ctx, t)
	switch bank {
	case "":
	case "escape":
		must(t, browsertest.LeaveBank(ctx))
	default:
		must(t, browsertest.AnswerBank(ctx, bank == "approve"))
	}
	return s.outcome(ctx, t)
}

// press presses the shop's button. What came of an earlier press is forgotten first.
func (s *shop) press(ctx context.Context, t *testing.T) {
	t.Helper()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(window.outcome = null) === null`))
	must(t, err)
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#pay"))))
}

func (s *shop) outcome(ctx context.Context, t *testing.T) outcome {
	t.Helper()
	text, err := chromedp.Run(ctx, chromedp.Poll[string](`window.outcome && JSON.stringify(window.outcome)`))
	must(t, err)
	var got outcome
	must(t, json.Unmarshal([]byte(text), &got))
	return got
}

// TestBrowserScript tells the stories of a customer at a payment page, in a
// real browser, one after another in one tab.
func TestBrowserScript(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	ctx := browsertest.Start(t)
	complaints, err := browsertest.Complaints(ctx)
	must(t, err)
	must(t, chromedp.Do(ctx, chromedp.EmulateViewport(360, 800)))
	// Nothing typed into the frame may reach the page, and nothing the script
	// does may need a weaker policy than the page's.
	look := func(t *testing.T) {
		t.Helper()
		spilled, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`heard.filter((text) => /4242 ?4242|6000 ?3184/.test(text)).concat(refusals)`))
		must(t, err)
		if len(spilled) > 0 {
			t.Errorf("the page heard card data, or its policy refused something: %q", spilled)
		}
		if len(complaints()) > 0 {
			t.Errorf("the browser complained: %q", complaints())
		}
	}

	t.Run("pay, after a typing mistake and a decline", func(t *testing.T) {
		intent := s.payment(t)
		s.open(ctx, t, intent.ClientSecret)
		must(t, browsertest.FillCard(ctx, "4242", "01/20", "1"))
		s.press(ctx, t)
		got := s.outcome(ctx, t)
		if got.Error == nil || got.Error.Type != "validation_error" || got.Error.Code != "incomplete_number" {
			t.Fatalf("an unfinished card: %+v", got)
		}
		faults, err := browsertest.CardFaults(ctx)
		must(t, err)
		if faults["number"] != "Your card number is incomplete." || !strings.Contains(faults["expiry"], "past") || faults["cvc"] == "" {
			t.Errorf("the frame says %q", faults)
		}
		picture(ctx, t, "element-faults")
		got = s.pay(ctx, t, "4000000000000002", "")
		if got.Error == nil || got.Error.Code != "card_declined" || got.Error.DeclineCode != "generic_decline" ||
			got.Error.PaymentIntent == nil || got.Error.PaymentIntent.Status != "requires_payment_method" {
			t.Fatalf("a declined card: %+v", got.Error)
		}
		got = s.pay(ctx, t, "4242 4242 4242 4242", "")
		if got.PaymentIntent == nil || got.PaymentIntent.ID != intent.ID || got.PaymentIntent.Status != "succeeded" {
			t.Fatalf("a good card: %+v", got)
		}
		stored, err := s.api.PaymentIntents.Get(intent.ID, nil)
		must(t, err)
		if stored.Status != stripe.PaymentIntentStatusSucceeded {
			t.Errorf("stored as %s", stored.Status)
		}
		look(t)
	})

	for _, story := range []struct{ answer, status string }{
		{"approve", "succeeded"}, {"refuse", ""}, {"escape", ""},
	} {
		t.Run("payment with the bank's answer "+story.answer, func(t *testing.T) {
			intent := s.payment(t)
			s.open(ctx, t, intent.ClientSecret)
			got := s.pay(ctx, t, "4000002760003184", story.answer)
			if story.status != "" {
				if got.PaymentIntent == nil || got.PaymentIntent.Status != story.status {
					t.Fatalf("%+v %+v", got, got.Error)
				}
			} else if got.Error == nil || got.Error.Code != "payment_intent_authentication_failure" ||
				got.Error.PaymentIntent == nil || got.Error.PaymentIntent.Status != "requires_payment_method" {
				t.Fatalf("%+v %+v", got, got.Error)
			}
			look(t)
		})
	}

	t.Run("in Arabic, with the fields' own way of running", func(t *testing.T) {
		s.open(ctx, t, s.setup(t).ClientSecret, "locale=ar")
		got := s.pay(ctx, t, "4242424242424242", "")
		if got.SetupIntent == nil || got.SetupIntent.Status != "succeeded" {
			t.Fatalf("%+v %+v", got, got.Error)
		}
		look(t)
	})

	for _, story := range []struct{ name, card, answer, code string }{
		{"plain", "4242424242424242", "", ""},
		{"approve", "4000002500003155", "approve", ""},
		{"refuse", "4000002500003155", "refuse", "setup_intent_authentication_failure"},
		{"declined", "4000000000000002", "", "card_declined"},
	} {
		t.Run("save a card: "+story.name, func(t *testing.T) {
			intent := s.setup(t)
			s.open(ctx, t, intent.ClientSecret, "theme=night", "locale=it-IT")
			picture(ctx, t, "element-night")
			got := s.pay(ctx, t, story.card, story.answer)
			stored, err := s.api.SetupIntents.Get(intent.ID, nil)
			must(t, err)
			if story.code == "" {
				if got.SetupIntent == nil || got.SetupIntent.Status != "succeeded" || stored.PaymentMethod == nil {
					t.Fatalf("%+v %+v; stored %s", got, got.Error, stored.Status)
				}
			} else if got.Error == nil || got.Error.Code != story.code || got.Error.SetupIntent == nil {
				t.Fatalf("%+v %+v", got, got.Error)
			}
			look(t)
		})
	}

	t.Run("an intent made after the card was typed", func(t *testing.T) {
		s.open(ctx, t, s.payment(t).ClientSecret, "deferred=payment")
		got := s.pay(ctx, t, "5555555555554444", "")
		if got.PaymentIntent == nil || got.PaymentIntent.Status != "succeeded" {
			t.Fatalf("%+v %+v", got, got.Error)
		}
		look(t)
	})

	t.Run("a payment that began elsewhere", func(t *testing.T) {
		intent := s.payment(t)
		intent, err := s.api.PaymentIntents.Confirm(intent.ID, &stripe.PaymentIntentConfirmParams{
			PaymentMethod: stripe.String("pm_card_authenticationRequired"), UseStripeSDK: stripe.Bool(true),
		})
		must(t, err)
		s.open(ctx, t, s.payment(t).ClientSecret)
		_, err = chromedp.Run(ctx, chromedp.Evaluate[any](fmt.Sprintf(`void attempt(() => stripe.handleNextAction({ clientSecret: %q }))`, intent.ClientSecret)))
		must(t, err)
		must(t, browsertest.WaitForBank(ctx))
		picture(ctx, t, "bank")
		must(t, browsertest.AnswerBank(ctx, true))
		got := s.outcome(ctx, t)
		if got.PaymentIntent == nil || got.PaymentIntent.Status != "succeeded" {
			t.Fatalf("%+v %+v", got, got.Error)
		}
		look(t)
	})

	t.Run("a bank debit", func(t *testing.T) {
		intent, err := s.api.PaymentIntents.New(&stripe.PaymentIntentParams{
			Amount: stripe.Int64(2900), Currency: stripe.String("eur"), PaymentMethodTypes: stripe.StringSlice([]string{"card", "sepa_debit"}),
		})
		must(t, err)
		s.open(ctx, t, intent.ClientSecret)
		must(t, browsertest.FillDebit(ctx, "AT611904300234573201", "Ada Lovelace", "ada@example.org"))
		picture(ctx, t, "debit")
		s.press(ctx, t)
		got := s.outcome(ctx, t)
		if got.PaymentIntent == nil || got.PaymentIntent.Status != "processing" {
			t.Fatalf("%+v %+v", got, got.Error)
		}
		look(t)
	})

	t.Run("back at the return address", func(t *testing.T) {
		intent := s.payment(t)
		s.open(ctx, t, intent.ClientSecret, "redirect=always")
		must(t, browsertest.FillCard(ctx, "4242424242424242", "1234", "123"))
		must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#pay"))))
		must(t, chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("#done"))))
		address, err := chromedp.Run(ctx, chromedp.Location())
		must(t, err)
		back, err := url.Parse(address)
		must(t, err)
		query := back.Query()
		if query.Get("payment_intent") != intent.ID || query.Get("payment_intent_client_secret") != intent.ClientSecret || query.Get("redirect_status") != "succeeded" {
			t.Errorf("came back with %v", query)
		}
	})

	t.Run("a paid intent cannot be mounted again", func(t *testing.T) {
		intent := s.payment(t)
		_, err := s.api.PaymentIntents.Confirm(intent.ID, &stripe.PaymentIntentConfirmParams{PaymentMethod: stripe.String("pm_card_visa")})
		must(t, err)
		s.open(ctx, t, intent.ClientSecret)
		code, err := chromedp.Run(ctx, chromedp.Evaluate[string](`events.find((e) => e.name === 'loaderror').event.error.code`))
		must(t, err)
		if code != "payment_intent_unexpected_state" {
			t.Errorf("loaderror has code %q", code)
		}
	})

	t.Run("misuse is told to the developer", func(t *testing.T) {
		s.open(ctx, t, s.payment(t).ClientSecret)
		told, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`[
			() => Stripe('sk_test_1'), () => Stripe(''), () => stripe.elements({}), () => elements.create('payment'),
			() => stripe.elements({ clientSecret: 'rubbish' }), () => stripe.elements({ mode: 'setup' }).create('payment').mount('#nowhere'),
		].map((misuse) => { try { misuse(); return 'nothing'; } catch (failure) { return failure.name; } })`))
		must(t, err)
		if slices.ContainsFunc(told, func(name string) bool { return name != "IntegrationError" }) {
			t.Errorf("told %q", told)
		}
	})
}

// picture keeps a screenshot where SANDBOX_PICTURES names a folder, for eyes.
func picture(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	folder := os.Getenv("SANDBOX_PICTURES")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	must(t, err)
	must(t, os.WriteFile(folder+"/"+name+".png", png, 0o600))
}
