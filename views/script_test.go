package views

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"sollecito/internal/browsertest"
	"sollecito/static"
)

// processorScript answers to the calls pay.js makes, in Stripe.js's own words, and lets what is typed decide how
// each ends. It comes from another origin, as the real one does.
const processorScript = `
window.asked = [];
window.Stripe = (key, options) => {
  asked.push(['Stripe', key, options.locale]);
  const typed = () => document.querySelector('#payment-element input').value;
  return {
    elements: (made) => {
      asked.push(['elements', made.mode, made.currency, (made.paymentMethodTypes || []).join()]);
      window.appearance = made.appearance;
      return {
        submit: async () => typed() === 'half' ? { error: { type: 'validation_error', message: 'Your card number is incomplete.' } } : {},
        update: () => {},
        create: (kind) => {
          const hear = {};
          return {
            on: (name, listener) => { hear[name] = listener; },
            mount: (place) => {
              place.append(Object.assign(document.createElement('input'), { id: 'typed', ariaLabel: kind }));
              setTimeout(() => hear[location.search === '?broken' ? 'loaderror' : 'ready']({}));
            },
          };
        },
      };
    },
    confirmSetup: async ({ clientSecret, confirmParams, redirect }) => {
      asked.push(['confirmSetup', clientSecret, confirmParams.return_url, redirect]);
      if (typed() === 'declined') return { error: { type: 'card_error', message: 'Your card was declined.', setup_intent: { id: 'seti_1', status: 'requires_payment_method' } } };
      if (typed() === 'odd') return { error: { type: 'api_error', message: 'An internal thing nobody should read' } };
      if (typed() === 'again') return { error: { type: 'invalid_request_error', setup_intent: { id: 'seti_again', status: 'succeeded' } } };
      return { setupIntent: { id: 'seti_1', status: 'succeeded' } };
    },
    handleNextAction: async ({ clientSecret }) => {
      asked.push(['handleNextAction', clientSecret]);
      if (location.search === '?closed') return { paymentIntent: { id: 'pi_1', status: 'requires_action' } };
      if (location.search === '?refused') return { error: { type: 'invalid_request_error', code: 'payment_intent_authentication_failure', payment_intent: { id: 'pi_1', status: 'requires_payment_method' } } };
      return { paymentIntent: { id: 'pi_1', status: 'succeeded' } };
    },
  };
};`

// portal serves the pages that have script, under the policy they will have, and keeps what was sent to it.
type portal struct {
	address string
	arrived chan string // path of each form that was sent the ordinary way

	mu     sync.Mutex
	sent   []string // path and form of each POST, oldest first
	intent string   // what POST /pay/card/intent and POST /pay/approve answer
	status int
}

func openPortal(t *testing.T) *portal {
	t.Helper()
	processor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write([]byte(processorScript))
	}))
	t.Cleanup(processor.Close)
	assets, err := static.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	f := frameFor(catalog(t), "en", assets.Path)
	f.StripeJS = processor.URL + "/v3/"
	p := &portal{arrived: make(chan string, 16)}
	card := CardPage{Frame: f, Invoices: []Invoice{november()}, Currency: "eur", Methods: []string{"card"}, Attempt: "att_1", ReturnURL: baseURL + "/pay/card/finish", Hosted: "in_3"}
	blocked := card
	blocked.StripeJS = processor.URL + "0/no-such-port"
	pages := map[string]templ.Component{
		"/pay/card":        Card(card),
		"/blocked":         Card(blocked),
		"/pay/card/finish": CardFinish(CardFinishPage{Frame: f, SetupIntent: "seti_2", Attempt: "att_2", Invoices: []Invoice{november()}}),
		"/pay/approve":     Approve(ApprovePage{Frame: f, Invoice: november(), Card: visa()}),
		"/pay/review":      Review(ReviewPage{Frame: f, Invoices: []Invoice{november()}, Card: *visa(), Attempt: "att_3"}),
		"/pay":             Overview(due(f)),
	}
	policy := "default-src 'none'; script-src 'self' 'nonce-" + f.Nonce + "' " + processor.URL + "; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	mux := http.NewServeMux()
	mux.Handle("GET "+static.Prefix, assets)
	mux.HandleFunc("POST /", p.receive)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Render(r.Context(), w)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.address = server.URL
	return p
}

func (p *portal) receive(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = r.ParseForm()
	p.sent = append(p.sent, r.URL.Path+" "+r.PostForm.Encode())
	if r.Header.Get("Accept") == "application/json" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(p.status)
		_, _ = w.Write([]byte(p.intent))
		return
	}
	w.Header().Set("Content-Type", "text/html")
	_, _ = w.Write([]byte("<!doctype html><title>Landed</title>"))
	p.arrived <- r.URL.Path
}

// waitFor answers when a form was sent to the path and the browser stands on the page that was answered.
func (p *portal) waitFor(t *testing.T, ctx context.Context, path string) {
	t.Helper()
	select {
	case got := <-p.arrived:
		if got != path {
			t.Fatalf("a form was sent to %s, want %s", got, path)
		}
	case <-time.After(patience):
		t.Fatalf("no form was sent to %s", path)
	}
	poll[bool](t, ctx, `document.title === 'Landed' && document.readyState === 'complete'`)
}

// posts forgets and answers what was sent since it was last asked.
func (p *portal) posts() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	sent := strings.Join(p.sent, "\n")
	p.sent = nil
	return sent
}

func (p *portal) answers(status int, body string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.intent = status, body
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	err := chromedp.Do(ctx, steps...)
	if err != nil {
		t.Fatal(err)
	}
}

// patience bounds every wait: what takes longer never comes.
const patience = 20 * time.Second

// poll asks the page until it answers with something. A page on its way in or out gives no answer, or an error;
// then it is asked again.
func poll[T comparable](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	var nothing T
	for begun := time.Now(); time.Since(begun) < patience; {
		value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
		if err == nil && value != nothing {
			return value
		}
	}
	t.Fatalf("the page never answers %s", expression)
	return nothing
}

// visit opens an address and answers when that page, and not the one before it, is there with its scripts.
func visit(t *testing.T, ctx context.Context, address string) {
	t.Helper()
	do(t, ctx, chromedp.Navigate(address))
	poll[bool](t, ctx, `location.href === '`+address+`' && document.readyState === 'complete'`)
}

const (
	cardSent  = "expect=in_3+2900+eur&invoice=in_3"
	toldFault = `!document.querySelector('[data-fault]').hidden && document.activeElement === document.querySelector('[data-fault]') && document.title.startsWith('Error: ') && document.querySelector('[data-fault] p').textContent`
	press     = `document.querySelector('.main-act').click()`
	spoken    = `document.querySelector('[role=status][data-said]').textContent.trim()`
)

// TestScript tells what pay.js does on the pages that need it, in a real browser and one after another in one tab.
func TestScript(t *testing.T) {
	ctx := browsertest.Start(t)
	p := openPortal(t)
	complaints, err := browsertest.Complaints(ctx)
	if err != nil {
		t.Fatal(err)
	}
	open := func(t *testing.T, path string) {
		t.Helper()
		p.posts()
		visit(t, ctx, p.address+path)
	}
	run := func(t *testing.T, script string) {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[any](script+"; null"))
		noError(t, err)
	}
	typeCard := func(t *testing.T, number string) {
		t.Helper()
		poll[bool](t, ctx, `!document.querySelector('.main-act').hidden`)
		run(t, `document.querySelector('#typed').value = '`+number+`'`)
	}

	t.Run("saving a card pays once however often it is pressed", func(t *testing.T) {
		p.answers(200, `{"client_secret":"seti_1_secret_x"}`)
		open(t, "/pay/card")
		typeCard(t, "4242")
		if p.posts() != "" {
			t.Error("something was made before the button was pressed")
		}
		asked := poll[string](t, ctx, `JSON.stringify(asked)`)
		if asked != `[["Stripe","pk_test_123","en"],["elements","setup","eur","card"]]` {
			t.Errorf("the fields were made with %s", asked)
		}
		busy, err := chromedp.Run(ctx, chromedp.Evaluate[string](press+";"+press+`; document.querySelector('.main-act[aria-disabled=true]').textContent.trim() + '/' + `+spoken))
		noError(t, err)
		if busy != "Saving…/Saving…" {
			t.Errorf("during work the button says, and a screen reader hears, %q", busy)
		}
		p.waitFor(t, ctx, "/pay/card")
		want := "/pay/card/intent attempt=att_1&" + cardSent + "&kind=card&setup_intent=\n/pay/card attempt=att_1&" + cardSent + "&kind=card&setup_intent=seti_1"
		if got := p.posts(); got != want {
			t.Errorf("sent\n%s\nwant\n%s", got, want)
		}
	})
	t.Run("what fails is said, heard and can be tried again", func(t *testing.T) {
		for typed, want := range map[string]string{
			"half":     "Your card number is incomplete.",
			"declined": "Your card was declined.",
			"odd":      "That didn’t work, and nothing has been taken. Please try again.",
		} {
			open(t, "/pay/card")
			typeCard(t, typed)
			run(t, press)
			if got := poll[string](t, ctx, toldFault); got != want {
				t.Errorf("%s: says %q", typed, got)
			}
			if poll[string](t, ctx, `document.querySelector('.main-act').textContent.trim()`) != "Save card and pay €29.00" {
				t.Errorf("%s: the button did not come back", typed)
			}
			if poll[string](t, ctx, spoken+` || 'nothing'`) != "nothing" {
				t.Errorf("%s: a screen reader is still told of work", typed)
			}
			typeCard(t, "4242")
			run(t, press)
			p.waitFor(t, ctx, "/pay/card")
		}
	})
	t.Run("a card that was saved already goes on", func(t *testing.T) {
		open(t, "/pay/card")
		typeCard(t, "again")
		run(t, press)
		p.waitFor(t, ctx, "/pay/card")
		if got := p.posts(); !strings.HasSuffix(got, "setup_intent=seti_again") {
			t.Errorf("sent %s", got)
		}
	})
	t.Run("the server's own words and ways are followed", func(t *testing.T) {
		p.answers(429, `{"message":"Too many tries. Please wait an hour."}`)
		open(t, "/pay/card")
		typeCard(t, "4242")
		run(t, press)
		if got := poll[string](t, ctx, toldFault); got != "Too many tries. Please wait an hour." {
			t.Errorf("says %q", got)
		}
		p.answers(409, `{"redirect":"/pay"}`)
		run(t, press)
		do(t, ctx, chromedp.WaitReady(chromedp.CSS(`form[action='/pay/review']`)))
	})
	t.Run("without card fields there is another way", func(t *testing.T) {
		for _, path := range []string{"/blocked", "/pay/card?broken"} {
			open(t, path)
			poll[bool](t, ctx, `!document.querySelector('[data-blocked]').hidden && document.querySelector('.main-act').hidden && document.querySelector('[data-waiting]').hidden && !!document.querySelector('form[action="/pay/hosted"] button')`)
			if said := poll[string](t, ctx, spoken); !strings.Contains(said, "The card fields") {
				t.Errorf("%s: a screen reader hears %q", path, said)
			}
		}
	})
	t.Run("the fields take the page's colours", func(t *testing.T) {
		open(t, "/pay/card")
		typeCard(t, "")
		got := poll[string](t, ctx, `[appearance.theme, appearance.variables.colorPrimary, appearance.variables.colorText].join(' ')`)
		if got != "stripe #14566b #1e1c19" {
			t.Errorf("appearance %s", got)
		}
	})
	t.Run("approving asks the bank and then the server", func(t *testing.T) {
		p.answers(200, `{"client_secret":"pi_1_secret_x"}`)
		for _, end := range []string{"", "?refused"} {
			open(t, "/pay/approve"+end)
			run(t, press)
			p.waitFor(t, ctx, "/pay/approve/done")
			if got := p.posts(); got != "/pay/approve attempt=&expect=in_3+2900+eur&invoice=in_3\n/pay/approve/done invoice=in_3" {
				t.Errorf("%s: sent %q", end, got)
			}
		}
		open(t, "/pay/approve?closed")
		run(t, press)
		if got := poll[string](t, ctx, toldFault); !strings.HasPrefix(got, "The payment has not been approved yet") {
			t.Errorf("says %q", got)
		}
	})
	t.Run("after the bank the page goes on by itself", func(t *testing.T) {
		p.posts()
		// The page may be gone again before it has loaded, which the browser calls an error and is the point.
		_ = chromedp.Do(ctx, chromedp.Navigate(p.address+"/pay/card/finish"))
		p.waitFor(t, ctx, "/pay/card")
		if got := p.posts(); got != "/pay/card attempt=att_2&"+cardSent+"&setup_intent=seti_2" {
			t.Errorf("sent %q", got)
		}
	})
	t.Run("a double press on Pay sends once", func(t *testing.T) {
		open(t, "/pay/review")
		run(t, press+";"+press)
		p.waitFor(t, ctx, "/pay/charge")
		if got := p.posts(); strings.Count(got, "/pay/charge") != 1 {
			t.Errorf("sent %q", got)
		}
	})
	t.Run("the menu of languages does not lie over what the keyboard goes on to", func(t *testing.T) {
		open(t, "/pay")
		run(t, `document.querySelector('.menu summary').focus()`)
		do(t, ctx, chromedp.KeyEvent(kb.Enter))
		last := poll[int](t, ctx, `document.querySelector('.menu').open && document.querySelectorAll('.menu button').length`)
		for range last {
			do(t, ctx, chromedp.KeyEvent(kb.Tab))
		}
		poll[bool](t, ctx, `document.querySelector('.menu').open && document.activeElement.matches('.menu button:last-child')`)
		do(t, ctx, chromedp.KeyEvent(kb.Tab))
		poll[bool](t, ctx, `!document.querySelector('.menu').open && document.querySelector('main').contains(document.activeElement)`)
	})
	if all := complaints(); len(all) > 0 {
		t.Errorf("the browser complained: %q", all)
	}
}

// While the outcome is not known, whoever reads or listens is left in peace: the page comes anew once it says something else.
func TestWaitingIsSaidOnce(t *testing.T) {
	ctx := browsertest.Start(t)
	assets, err := static.New(nil)
	noError(t, err)
	f := frameFor(catalog(t), "en", assets.Path)
	looks := make(chan bool, 16)
	page := templ.Component(Checking(CheckingPage{Frame: f}))
	var mu sync.Mutex
	mux := http.NewServeMux()
	mux.Handle("GET "+static.Prefix, assets)
	mux.HandleFunc("GET /pay/result", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = w.Write([]byte(strings.Replace(draw(t, page), `data-refresh="4"`, `data-refresh="0.1"`, 1)))
		looks <- r.Header.Get("Sec-Fetch-Dest") == "document"
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	visit(t, ctx, server.URL+"/pay/result")
	if !<-looks {
		t.Fatal("the first look is no page")
	}
	for range 3 {
		select {
		case anew := <-looks:
			if anew {
				t.Fatal("the page comes anew though it says the same")
			}
		case <-time.After(patience):
			t.Fatal("the page does not look again")
		}
	}
	mu.Lock()
	page = Paid(PaidPage{Frame: f, Receipts: []Receipt{receipt()}})
	mu.Unlock()
	poll[bool](t, ctx, `document.title.startsWith('Paid')`)
}

// A browser from before :has() shows which invoices there are, and words that hold for all of them and for some.
func TestChoiceInAnOldBrowser(t *testing.T) {
	ctx := browsertest.Start(t)
	assets, err := static.New(nil)
	noError(t, err)
	f := frameFor(catalog(t), "en", assets.Path)
	p := due(f)
	p.Invoices = append(p.Invoices, november())
	p.Invoices[1].ID = "in_4"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+static.Prefix, func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		r.Header.Del("Accept-Encoding")
		assets.ServeHTTP(answer, r)
		w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
		_, _ = w.Write([]byte(strings.ReplaceAll(answer.Body.String(), ":has(", ":unheard-of(")))
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(draw(t, Overview(p)))) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	visit(t, ctx, server.URL+"/pay")
	seen, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`[document.querySelector('.choice .main-act').innerText.trim(),
		...[...document.querySelectorAll('.choice > fieldset:first-of-type > .amount, .choice .picks [type=checkbox]')].filter((e) => e.checkVisibility()).map((e) => e.value || e.innerText)]`))
	noError(t, err)
	if got := strings.Join(seen, ", "); got != "Continue to the amount, Your choice, in_3, in_4" {
		t.Errorf("shows %s", got)
	}
}

// TestNarrowScreens draws every page on the narrowest screen there is to be reckoned with: nothing scrolls sideways,
// and nothing to press is smaller than 24 pixels (WCAG 2.2, 1.4.10 and 2.5.8).
func TestNarrowScreens(t *testing.T) {
	ctx := browsertest.Start(t)
	assets, err := static.New(nil)
	noError(t, err)
	pages := map[string]templ.Component{}
	for _, s := range samples(frameFor(catalog(t), "it", assets.Path)) {
		pages["/"+s.name] = s.page
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+static.Prefix, assets)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) { _ = pages[r.URL.Path].Render(r.Context(), w) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	do(t, ctx, chromedp.EmulateViewport(320, 640))
	for path := range pages {
		if path == "/card-finish" || strings.HasPrefix(path, "/reason-") || strings.HasPrefix(path, "/problem-4") {
			continue // one goes on by itself, the others differ from their like in a sentence only
		}
		visit(t, ctx, server.URL+path)
		wide, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth`))
		noError(t, err)
		if wide > 320 {
			t.Errorf("%s is %d pixels wide", path, wide)
		}
		small, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll('button, a.tap, a.btn, a.row, summary, input:not([type=hidden])')].filter((e) => {
			const target = e.matches('[type=radio], [type=checkbox]') ? e.closest('label') : e;
			const box = target.getBoundingClientRect();
			return e.checkVisibility() && (box.width < 24 || box.height < 24);
		}).map((e) => e.outerHTML.slice(0, 80))`))
		noError(t, err)
		if len(small) > 0 {
			t.Errorf("%s has small things to press: %q", path, small)
		}
	}
}

// Without JavaScript the card page says so, a little below what is to pay, and not that the fields are on their way.
func TestTheCardPageWithoutScript(t *testing.T) {
	ctx := browsertest.Start(t)
	p := openPortal(t)
	do(t, ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	visit(t, ctx, p.address+"/pay/card")
	told, err := chromedp.Run(ctx, chromedp.Evaluate[struct {
		Waits bool
		Gap   float64
	}](`({
		Waits: document.querySelector('[data-waiting]').checkVisibility(),
		Gap: document.querySelector('noscript .note').getBoundingClientRect().top - document.querySelector('form.sheet').getBoundingClientRect().bottom,
	})`))
	noError(t, err)
	if told.Waits || told.Gap < 8 {
		t.Errorf("the fields are said to be loading: %t; the note stands %.0f pixels below the form", told.Waits, told.Gap)
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
