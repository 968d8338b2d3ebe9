package browsertest

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/chromedp/chromedp"
)

// State is a situation of the demo: the address that leads to its page (by GET, or by POST where something has to happen
// first), and how often the main button is pressed there.
type State struct {
	Address, Method string
	Presses         int
}

// EnterState leads the tab to the page of a situation of the demo at base, in a language, and answers the page's path.
func EnterState(ctx context.Context, base string, s State, lang string) (path string, err error) {
	err = chromedp.Do(ctx, chromedp.Navigate(base+"/demo/states"))
	if err != nil {
		return "", err
	}
	page, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf(enter, s.Address, s.Method, lang), chromedp.EvalAwaitPromise))
	if err != nil {
		return "", fmt.Errorf("enter %s: %w", s.Address, err)
	}
	at, err := url.Parse(page)
	if err != nil {
		return "", err
	}
	err = chromedp.Do(ctx, chromedp.Navigate(page))
	for range s.Presses {
		if err == nil {
			err = pressMain(ctx)
		}
	}
	if err != nil {
		return "", fmt.Errorf("open %s: %w", page, err)
	}
	return at.Path, nil
}

// enter has the browser follow the way to a page and choose the language there, as its menu would. A page that opens
// without a session is looked at without one.
const enter = `(async () => {
	const way = %q, method = %q, lang = %q;
	const page = (await fetch(way, { method: method })).url;
	const path = new URL(page).pathname;
	if (path.startsWith('/l/') || path.startsWith('/pay/link')) {
		await fetch('/pay/leave', { method: 'POST', redirect: 'manual' });
	}
	await fetch('/pay/language', { method: 'POST', redirect: 'manual', body: new URLSearchParams({ lang: lang, back: '/pay/link' }) });
	return page;
})()`

// pressTime bounds what a press of the main button may take.
const pressTime = 15 * time.Second

// pressMain presses the page's main button and waits for the page it leads to.
func pressMain(ctx context.Context) error {
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.pressedHere = true; document.querySelector('main .main-act').click(); true`))
	if err != nil {
		return fmt.Errorf("press the main button: %w", err)
	}
	soon, stop := context.WithTimeout(ctx, pressTime)
	defer stop()
	for {
		there, err := chromedp.Run(soon, chromedp.Evaluate[bool](`!window.pressedHere && document.readyState === 'complete' && !!document.querySelector('main')`))
		if err == nil && there {
			return nil
		}
		select {
		case <-soon.Done():
			return fmt.Errorf("wait for the page behind the main button: %w", soon.Err())
		case <-time.After(20 * time.Millisecond): // between two pages there is nothing to ask
		}
	}
}
