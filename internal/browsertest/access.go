package browsertest

import (
	"context"
	_ "embed" // the rules are a script that runs in the page
	"encoding/json"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axe is axe-core 4.14.1 by Deque Systems, under the Mozilla Public License 2.0 (see axe/LICENSE), as its makers
// publish it. It is part of tests alone.
//
//go:embed axe/axe.min.js
var axe string

// judge runs the rules of WCAG 2.0 to 2.2, levels A and AA, on the page without the frames of other origins.
const judge = `axe.run(document, {
	runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], iframes: false, resultTypes: ['violations'],
}).then((found) => {
	window.judged = JSON.stringify(found.violations.flatMap((rule) => rule.nodes.map((node) =>
		rule.id + ' at ' + node.target.join(' ') + ': ' + (node.any[0] || node.all[0] || node.none[0]).message)));
}, (failed) => { window.judged = JSON.stringify(['axe itself failed: ' + failed]); });
window.judged = ''; true`

// Barriers answers what WCAG 2.2 AA finds wrong with the tab's page, one line each: the rule, the place, and why. Nothing
// found is no proof that there is nothing.
func Barriers(ctx context.Context) ([]string, error) {
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](axe+"\n;true"))
	if err != nil {
		return nil, fmt.Errorf("load axe: %w", err)
	}
	_, err = chromedp.Run(ctx, chromedp.Evaluate[bool](judge))
	if err != nil {
		return nil, fmt.Errorf("run axe: %w", err)
	}
	soon, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	text, err := chromedp.Run(soon, chromedp.Poll[string](`window.judged`))
	if err != nil {
		return nil, fmt.Errorf("wait for axe: %w", err)
	}
	var all []string
	return all, json.Unmarshal([]byte(text), &all)
}

// Sideways answers by how many pixels the page is wider than its window, 0 when it need not be scrolled sideways.
func Sideways(ctx context.Context) (int, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[int](`Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)`))
}

// Cramped answers what no desk should show: tables that their own region cuts off, cells so narrow that a sentence stands
// in them word below word, and figures broken over two lines. On a phone a long table may be moved sideways, but not one
// whose rows are stacked there.
func Cramped(ctx context.Context) ([]string, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[[]string](`[
		...[...document.querySelectorAll(innerWidth < 1000 ? '.scroll:has(.stack)' : '.scroll')].filter((r) => r.scrollWidth > r.clientWidth)
			.map((r) => 'a table of ' + r.scrollWidth + ' pixels is cut off at ' + r.clientWidth),
		...[...document.querySelectorAll('th, td')].filter((c) => innerWidth >= 1000 && c.clientWidth > 0 && c.clientWidth < 120 && c.innerText.length > 40)
			.map((c) => c.clientWidth + ' pixels hold «' + c.innerText.slice(0, 60) + '»'),
		...[...document.querySelectorAll('.figure bdi')].filter((f) => new Set([...f.getClientRects()].map((line) => Math.round(line.bottom))).size > 1)
			.map((f) => 'the figure ' + f.textContent + ' is broken over two lines'),
	]`))
}

// Prefer makes the browser ask pages for a dark scheme, or for a light one.
func Prefer(ctx context.Context, dark bool) error {
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	return chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}
