package browsertest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The frames that stand on a payment page.
const (
	paymentFrame = `iframe[title="Secure payment input frame"]`
	bankFrame    = `iframe[title="Bank authentication"]`
)

// FillCard types a card into the payment frame of the tab's page, in place of
// what stands there. It waits for the frame. expiry is typed as given, such as
// "12/34" or "1234".
func FillCard(ctx context.Context, number, expiry, cvc string) error {
	return fill(ctx, []typing{{"number", number}, {"expiry", expiry}, {"cvc", cvc}})
}

// FillDebit chooses the bank debit in the payment frame of the tab's page and
// types the account and its holder.
func FillDebit(ctx context.Context, iban, name, email string) error {
	debit := chromedp.CSS(`input[name="type"][value="sepa_debit"]`)
	err := inFrame(ctx, paymentFrame, debit, func(inside chromedp.QueryOption) chromedp.Action[chromedp.Void] {
		return chromedp.Click(debit, inside)
	})
	if err != nil {
		return fmt.Errorf("choose the bank debit: %w", err)
	}
	return fill(ctx, []typing{{"iban", iban}, {"name", name}, {"email", email}})
}

// typing is a text for the field of this name.
type typing struct{ field, text string }

// fill types into fields of the payment frame, in place of what stands there, and waits until the page stands still:
// what the frame said of the fields before goes away while one types, and the button below moves.
func fill(ctx context.Context, all []typing) error {
	for _, one := range all {
		field := chromedp.CSS(`input[name="` + one.field + `"]`)
		err := inFrame(ctx, paymentFrame, field, func(inside chromedp.QueryOption) chromedp.Action[chromedp.Void] {
			return chromedp.Steps(chromedp.Focus(field, inside), selectAll(), chromedp.SendKeys(field, one.text, inside))
		})
		if err != nil {
			return fmt.Errorf("type the %s: %w", one.field, err)
		}
	}
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](still))
	if err != nil {
		return fmt.Errorf("wait until the payment frame stands still: %w", err)
	}
	return nil
}

// still is true once the payment frame has kept its size for a fifth of a second.
const still = `(() => {
	const height = document.querySelector('` + paymentFrame + `').offsetHeight;
	const seen = window.seenFrame;
	if (!seen || seen.height !== height) {
		window.seenFrame = { height: height, since: performance.now() };
		return false;
	}
	if (performance.now() - seen.since < 200) {
		return false;
	}
	delete window.seenFrame;
	return true;
})()`

// selectAll marks the text of the field in focus, as Ctrl+A does, so that the
// next key replaces it.
func selectAll() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{
			Type: input.DispatchKeyEventTypeRawKeyDown, Key: "a", Code: "KeyA", Commands: []string{"selectAll"},
		})
		return err
	})
}

// CardFaults returns what the payment frame says about its fields: the texts
// below number, expiry and security code, empty where nothing is wrong.
func CardFaults(ctx context.Context) (map[string]string, error) {
	faults := map[string]string{}
	for _, name := range []string{"number", "expiry", "cvc"} {
		place := chromedp.CSS("#" + name + "-error")
		err := inFrame(ctx, paymentFrame, place, func(inside chromedp.QueryOption) chromedp.Action[chromedp.Void] {
			return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
				text, err := chromedp.TextContent(place, inside)(ctx, t)
				faults[name] = text
				return err
			})
		})
		if err != nil {
			return nil, fmt.Errorf("read what is wrong with the card's %s: %w", name, err)
		}
	}
	return faults, nil
}

// AnswerBank waits for the bank's dialogue, approves or refuses in it, and
// waits until it is gone.
func AnswerBank(ctx context.Context, approve bool) error {
	button := chromedp.CSS("#fail")
	if approve {
		button = "#complete"
	}
	err := inFrame(ctx, bankFrame, button, func(inside chromedp.QueryOption) chromedp.Action[chromedp.Void] {
		return chromedp.Click(button, inside)
	})
	if err != nil {
		return fmt.Errorf("answer the bank: %w", err)
	}
	err = chromedp.Do(ctx, chromedp.WaitNotPresent(chromedp.CSS(bankFrame)))
	if err != nil {
		return fmt.Errorf("wait for the bank's dialogue to close: %w", err)
	}
	return nil
}

// LeaveBank waits for the bank's dialogue, waves it away with the Escape key,
// and waits until it is gone. Stripe takes that for a refusal.
func LeaveBank(ctx context.Context) error {
	err := WaitForBank(ctx)
	if err != nil {
		return err
	}
	err = chromedp.Do(ctx, chromedp.KeyEvent(kb.Escape), chromedp.WaitNotPresent(chromedp.CSS(bankFrame)))
	if err != nil {
		return fmt.Errorf("leave the bank: %w", err)
	}
	return nil
}

// WaitForBank waits until the bank's dialogue is open and listens to keys.
func WaitForBank(ctx context.Context) error {
	// The script of the bank's page gives its first button the focus.
	listening := chromedp.CSS("#complete:focus")
	err := inFrame(ctx, bankFrame, listening, func(inside chromedp.QueryOption) chromedp.Action[chromedp.Void] {
		return chromedp.WaitReady(listening, inside)
	})
	if err != nil {
		return fmt.Errorf("wait for the bank's dialogue: %w", err)
	}
	return nil
}

// inFrame waits until the element stands in a frame of the page and does
// something there. A frame's document is replaced while it loads, and what is
// looked for in the old one is never found; so the look is taken again and
// again until it succeeds, and only then something is done.
func inFrame(ctx context.Context, frame string, element chromedp.CSS, do func(inside chromedp.QueryOption) chromedp.Action[chromedp.Void]) error {
	for {
		nodes, err := chromedp.Run(ctx, chromedp.Nodes(chromedp.CSS(frame)))
		if err != nil {
			return fmt.Errorf("find %s: %w", frame, err)
		}
		inside := chromedp.FromNode(nodes[0])
		look, stop := context.WithTimeout(ctx, time.Second/2)
		err = chromedp.Do(look, chromedp.WaitReady(element, inside))
		stop()
		switch {
		case err == nil:
			return chromedp.Do(ctx, do(inside))
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("find %s in %s: %w", element, frame, err)
		}
	}
}
