package browsertest

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Form is what a page is looked at on.
type Form struct {
	Width int64 // CSS pixels
	Dark  bool
}

// Forms are a phone and a desk, in light and in dark.
func Forms() []Form { return []Form{{360, false}, {360, true}, {1280, false}, {1280, true}} }

func (f Form) String() string {
	if f.Dark {
		return fmt.Sprintf("%d dark", f.Width)
	}
	return fmt.Sprintf("%d light", f.Width)
}

// Put gives the tab a form.
func Put(ctx context.Context, f Form) error {
	err := chromedp.Do(ctx, chromedp.EmulateViewport(f.Width, heightOf(f.Width)))
	if err != nil {
		return err
	}
	return Prefer(ctx, f.Dark)
}

func heightOf(width int64) int64 {
	if width < 600 {
		return 800
	}
	return 900
}

// narrow is a window of 320 CSS pixels, which is also one of 1280 enlarged to 400 % (WCAG 2.2, 1.4.10 Reflow).
const narrow = 320

// Faults answers everything that is wrong with the tab's page in a form, one line each, for a reader of the language:
// what Barriers finds, sideways scrolling in the form and at 320 pixels, not exactly one heading, the wrong language or
// direction, a sum that is broken over two lines, and a main button that the keyboard does not reach or reaches out of order.
func Faults(ctx context.Context, f Form, lang string) ([]string, error) {
	err := Put(ctx, f)
	if err != nil {
		return nil, err
	}
	all, err := Barriers(ctx)
	if err != nil {
		return nil, err
	}
	shell, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](fmt.Sprintf(shell, lang, dirOf(lang))))
	if err != nil {
		return nil, fmt.Errorf("look at the page's shell: %w", err)
	}
	all = append(all, shell...)
	keys, err := keyboard(ctx)
	if err != nil {
		return nil, err
	}
	all = append(all, keys...)
	over, err := Sideways(ctx)
	if err != nil {
		return nil, err
	}
	if over > 0 {
		all = append(all, fmt.Sprintf("%d pixels wider than the window", over))
	}
	over, err = overAt(ctx, narrow)
	if err != nil {
		return nil, err
	}
	if over > 0 {
		all = append(all, fmt.Sprintf("%d pixels wider than a window of %d, which is 1280 at 400 %%", over, narrow))
	}
	sums, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](broken))
	if err != nil {
		return nil, fmt.Errorf("look at the page's sums: %w", err)
	}
	all = append(all, sums...)
	return all, Put(ctx, f)
}

// broken answers the sums, the largest things on a page, that stand on more than one line in a window of 320 pixels: half
// a sum reads like a whole one.
const broken = `[...document.querySelectorAll('.amount bdi')].filter((sum) => sum.checkVisibility())
	.filter((sum) => new Set([...sum.getClientRects()].map((line) => Math.round(line.bottom))).size > 1)
	.map((sum) => 'the sum ' + sum.textContent + ' is broken over two lines at 320 pixels')`

// overAt is Sideways in a window of another width.
func overAt(ctx context.Context, width int64) (int, error) {
	err := chromedp.Do(ctx, chromedp.EmulateViewport(width, heightOf(width)))
	if err != nil {
		return 0, err
	}
	return Sideways(ctx)
}

// Lengthened answers by how much the page is too wide for 320 pixels when every text on it is 40 % longer, sums and ids
// aside. The page keeps the longer texts.
func Lengthened(ctx context.Context) (int, error) {
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](lengthen))
	if err != nil {
		return 0, fmt.Errorf("lengthen the page's texts: %w", err)
	}
	return overAt(ctx, narrow)
}

const lengthen = `(() => {
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	const all = [];
	while (walk.nextNode()) {
		if (walk.currentNode.data.trim() && !walk.currentNode.parentElement.closest('script, style, bdi')) {
			all.push(walk.currentNode);
		}
	}
	for (const text of all) {
		const words = text.data.trim();
		text.data = text.data.trimEnd() + words.slice(0, Math.ceil(words.length * 0.4)) + ' ';
	}
	return true;
})()`

func dirOf(lang string) string {
	if lang == "ar" {
		return "rtl"
	}
	return "ltr"
}

const shell = `(() => {
	const wrong = [];
	const lang = %q, dir = %q, html = document.documentElement;
	const h1 = document.querySelectorAll('h1').length;
	if (h1 !== 1) wrong.push(h1 + ' headings of the first level');
	if (html.lang !== lang && !html.lang.startsWith(lang + '-')) wrong.push('the page says it is in ' + html.lang + ', want ' + lang);
	if (html.dir !== dir) wrong.push('the page runs ' + html.dir + ', want ' + dir);
	if (!document.title.trim()) wrong.push('no title');
	const acts = [...document.querySelectorAll('main .main-act')].filter((e) => e.checkVisibility());
	if (acts.length > 1) wrong.push(acts.length + ' main buttons');
	return wrong;
})()`

// mostTabs bounds the walk through a page by keyboard.
const mostTabs = 80

// keyboard walks through the page by the Tab key until it has reached the main button, or left the page where it has
// none, and answers what was out of order.
func keyboard(ctx context.Context) ([]string, error) {
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(() => {
		document.activeElement?.blur();
		getSelection().removeAllRanges();
		document.body.tabIndex = -1;
		document.body.focus();
		document.body.removeAttribute('tabindex');
		window.walked = { first: null, last: null, wrong: [] };
		return true;
	})()`))
	if err != nil {
		return nil, fmt.Errorf("begin to walk by keyboard: %w", err)
	}
	for range mostTabs {
		err = chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab))
		if err != nil {
			return nil, fmt.Errorf("press Tab: %w", err)
		}
		done, err := chromedp.Run(ctx, chromedp.Evaluate[bool](tabbed))
		if err != nil {
			return nil, fmt.Errorf("look where Tab led: %w", err)
		}
		if done {
			return chromedp.Run(ctx, chromedp.Evaluate[[]string](`window.walked.wrong`))
		}
	}
	return []string{fmt.Sprintf("the keyboard did not reach the main button in %d steps", mostTabs)}, nil
}

const tabbed = `(() => {
	const walked = window.walked, now = document.activeElement;
	const name = (e) => e.tagName.toLowerCase() + ' ' + (e.textContent || e.title || e.name || '').trim().slice(0, 30);
	const main = [...document.querySelectorAll('main .main-act')].find((e) => e.checkVisibility());
	if (!now || now === document.body || now === document.documentElement || now === walked.first && walked.last !== now) { // around once
		if (main) walked.wrong.push('the keyboard leaves the page without reaching the main button');
		return true;
	}
	if (now === walked.last) return false; // inside a frame
	const frame = now.tagName === 'IFRAME';
	const box = now.getBoundingClientRect();
	const style = getComputedStyle(now);
	if (walked.last && !(walked.last.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_FOLLOWING)) walked.wrong.push('Tab goes back from ' + name(walked.last) + ' to ' + name(now));
	if (!frame && style.outlineStyle === 'none' && style.boxShadow === 'none') walked.wrong.push('no sign of the focus at ' + name(now));
	if (!frame && (box.bottom <= 0 || box.top >= innerHeight)) walked.wrong.push('the focus is out of sight at ' + name(now));
	walked.first ??= now;
	walked.last = now;
	return now === main;
})()`

// Picture answers the whole page as it stands in a form, as WebP.
func Picture(ctx context.Context, f Form) ([]byte, error) {
	err := Put(ctx, f)
	if err != nil {
		return nil, err
	}
	height, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`(() => {
		document.activeElement?.blur();
		scrollTo(0, 0);
		return document.documentElement.scrollHeight;
	})()`))
	if err != nil {
		return nil, fmt.Errorf("measure the page: %w", err)
	}
	quality, beyond := int64(72), true
	var picture []byte
	err = chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		result, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{
			Format: page.CaptureScreenshotFormatWebp, Quality: &quality, CaptureBeyondViewport: &beyond,
			Clip: &page.Viewport{Width: float64(f.Width), Height: float64(height), Scale: 1},
		})
		picture = result.Data
		return err
	}))
	if err != nil {
		return nil, fmt.Errorf("take a picture: %w", err)
	}
	return picture, nil
}
