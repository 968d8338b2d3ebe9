package portal_test

import (
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"sollecito/internal/browsertest"
)

// inventory is what docs/scripts.md lists, by file name where it is ours.
func inventory(t *testing.T) []string {
	t.Helper()
	written, err := os.ReadFile("../../docs/scripts.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^`]").FindAllStringSubmatch(string(written), -1) {
		if strings.HasSuffix(row[1], ".js") || strings.HasPrefix(row[1], "https://") {
			all = append(all, row[1])
		}
	}
	slices.Sort(all)
	return all
}

// What Chromium loads as script in our own pages while a card is typed, kept and charged, and the bank asks, is the
// inventory and nothing else; and nothing at all comes from anybody but us and Stripe.
func TestChromiumLoadsTheScriptsOfTheInventoryAlone(t *testing.T) {
	seesNoEngine(t)
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "expired_card")
	b := tab{t, browsertest.Start(t)}
	var mu sync.Mutex
	var frame cdp.FrameID
	scripts, others := map[string]bool{}, []string{}
	hashed := regexp.MustCompile(`\.[0-9a-f]{12}\.js$`)
	b.must(chromedp.Listen(b.ctx, func(event any) {
		asked, is := event.(*network.EventRequestWillBeSent)
		if !is {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		address, err := url.Parse(asked.Request.URL)
		if err != nil || address.Scheme != "http" && address.Scheme != "https" {
			return
		}
		origin := address.Scheme + "://" + address.Host
		if origin != h.base && origin != h.api.URL {
			others = append(others, asked.Request.URL)
		}
		if frame == "" && asked.Type == network.ResourceTypeDocument {
			frame = asked.FrameID
		}
		if asked.Type != network.ResourceTypeScript || asked.FrameID != frame {
			return // Stripe's frames are Stripe's
		}
		name := hashed.ReplaceAllString(path.Base(address.Path), ".js")
		if origin == h.api.URL {
			name = strings.Replace(asked.Request.URL, h.api.URL, "https://js.stripe.com", 1)
		}
		scripts[name] = true
	}))
	b.do(chromedp.EmulateViewport(360, 800), chromedp.Navigate(linkIn(t, h.mailsTo("anneke@waal.example")[0])))
	b.reads("Your card has expired")
	b.do(chromedp.Click(chromedp.CSS("main .main-act")))
	b.reads("From now on this card pays for")
	b.must(browsertest.FillCard(b.ctx, "4000002500003155", "12/34", "123"))
	b.do(chromedp.Click(chromedp.CSS("form[data-card] .main-act")))
	b.must(browsertest.AnswerBank(b.ctx, true))
	b.reads("How it works")
	b.must(browsertest.AnswerBank(b.ctx, true))
	b.reads("Paid. Thank you, Anneke.")
	mu.Lock()
	defer mu.Unlock()
	var loaded []string
	for name := range scripts {
		loaded = append(loaded, name)
	}
	slices.Sort(loaded)
	if want := inventory(t); len(want) == 0 || !slices.Equal(loaded, want) {
		t.Errorf("Chromium loaded %q, docs/scripts.md lists %q", loaded, want)
	}
	if len(others) > 0 {
		t.Errorf("asked of others: %v", others)
	}
}
