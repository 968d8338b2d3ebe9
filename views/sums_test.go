package views

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"sollecito/internal/billing"
	"sollecito/internal/browsertest"
	"sollecito/static"
)

// sumDrawn is how a page's sum stands in the window.
type sumDrawn struct {
	Pixels   float64 // its size
	Lines    []string
	Sideways int
}

// linesOf reads a sum line by line, digit by digit, as the browser has broken it.
const linesOf = `(() => {
	const bdi = document.querySelector('.amount bdi');
	const walk = document.createTreeWalker(bdi, NodeFilter.SHOW_TEXT);
	const lines = new Map();
	while (walk.nextNode()) {
		for (let i = 0; i < walk.currentNode.length; i++) {
			const sign = document.createRange();
			sign.setStart(walk.currentNode, i);
			sign.setEnd(walk.currentNode, i + 1);
			const bottom = Math.round(sign.getBoundingClientRect().bottom);
			lines.set(bottom, (lines.get(bottom) || '') + sign.toString());
		}
	}
	return { Pixels: parseFloat(getComputedStyle(bdi).fontSize), Lines: [...lines.values()].map((line) => line.trim()),
		Sideways: Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth) };
})()`

// Whoever enlarges the text of a narrow window gets the sum larger too, at least as large as the text (WCAG 2.2, 1.4.4). It
// stays on one line, or else is broken beside its currency, never between digits.
func TestALargerTextKeepsTheSumWhole(t *testing.T) {
	ctx := browsertest.Start(t)
	chf, idr := billing.Money{Minor: 1234500, Currency: "chf"}, billing.Money{Minor: 123456789000, Currency: "idr"}
	for _, sum := range []struct {
		billing.Money
		whole string
	}{
		{eur(2900), "€29.00"},
		{chf, "CHF\u00a012,345.00"},
		{billing.Money{Minor: 1234567, Currency: "jpy"}, "¥1,234,567"},
		{eur(123465689), "€1,234,656.89"},
		{idr, "IDR\u00a01,234,567,890"},
	} {
		address := serveSum(t, sum.Money)
		before := 0.0
		for _, text := range []int{16, 17, 20, 32} {
			drawn := drawSum(t, ctx, address, text)
			if drawn.Pixels < float64(text) || drawn.Pixels < before {
				t.Errorf("%s is %.1f pixels large where the text is %d; with smaller text it was %.1f", sum.whole, drawn.Pixels, text, before)
			}
			// How wide letters are is the machine's affair: at twice the size a long sum may be broken, or not.
			whole := len(drawn.Lines) == 1 && drawn.Lines[0] == sum.whole
			broken := text == 32 && strings.Join(drawn.Lines, "\u00a0") == sum.whole
			if !whole && !broken {
				t.Errorf("where the text is %d pixels large, %s stands on the lines %q", text, sum.whole, drawn.Lines)
			}
			if drawn.Sideways > 0 {
				t.Errorf("where the text is %d pixels large, the page is %d too wide", text, drawn.Sideways)
			}
			before = drawn.Pixels
		}
	}
}

// The one place a sum may be broken at is beside its currency, on whichever side a language writes that, and not where a
// space parts its thousands.
func TestASumBreaksBesideItsCurrencyAlone(t *testing.T) {
	for _, said := range []struct{ tag, currency, want string }{
		{"en", "eur", "€1,234,567.89"},
		{"en", "chf", "CHF\u00a0<wbr>1,234,567.89"},
		{"de", "eur", "1.234.567,89\u00a0<wbr>€"},
		{"fr", "eur", "1\u202f234\u202f567,89\u00a0<wbr>€"},
		{"pl", "pln", "1\u00a0234\u00a0567,89\u00a0<wbr>zł"},
		{"pt-BR", "brl", "R$\u00a0<wbr>1.234.567,89"},
		{"ar", "eur", "\u200f1,234,567.89\u00a0<wbr>€"},
	} {
		f := frameFor(catalog(t), said.tag, plainAsset)
		html := draw(t, amounts(f, []billing.Money{{Minor: 123456789, Currency: said.currency}}, ""))
		if !strings.Contains(html, "<bdi>"+said.want+"</bdi>") {
			t.Errorf("%s: %q, want %q", said.tag, html, said.want)
		}
	}
}

// serveSum answers the address of an overview that is about one sum.
func serveSum(t *testing.T, sum billing.Money) string {
	t.Helper()
	assets, err := static.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := due(frameFor(catalog(t), "en", assets.Path))
	p.Invoices[0].Remaining = sum
	mux := http.NewServeMux()
	mux.Handle("GET "+static.Prefix, assets)
	mux.HandleFunc("GET /pay", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = Overview(p).Render(r.Context(), w)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/pay"
}

// drawSum opens the page in a window of 320 pixels, with text of that many pixels.
func drawSum(t *testing.T, ctx context.Context, address string, root int) sumDrawn {
	t.Helper()
	do(t, ctx, chromedp.EmulateViewport(320, 800))
	visit(t, ctx, address)
	enlarge := fmt.Sprintf(`document.documentElement.style.fontSize = '%dpx'`, root)
	_, err := chromedp.Run(ctx, chromedp.Evaluate[string](enlarge))
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := chromedp.Run(ctx, chromedp.Evaluate[sumDrawn](linesOf))
	if err != nil {
		t.Fatal(err)
	}
	return drawn
}
