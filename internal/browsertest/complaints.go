package browsertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Complaints listens to what the browser complains about from now on: uncaught
// errors, whatever a Content-Security-Policy or Trusted Types refused, and
// what scripts write to the console as an error. Answers with an error status
// are no complaint: a decline is one. The returned func gives all so far.
func Complaints(ctx context.Context) (func() []string, error) {
	var mu sync.Mutex
	var all []string
	err := chromedp.Listen(ctx, func(event any) {
		text := complaint(event)
		if text == "" {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, text)
	})
	if err != nil {
		return nil, fmt.Errorf("listen to the browser's complaints: %w", err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}, nil
}

// complaint words an event, and is "" when the event is none.
func complaint(event any) string {
	switch said := event.(type) {
	case *runtime.EventExceptionThrown:
		details := said.ExceptionDetails
		if details.Exception != nil {
			return "uncaught: " + details.Exception.Description
		}
		return "uncaught: " + details.Text
	case *runtime.EventConsoleAPICalled:
		if said.Type != runtime.ConsoleAPICalledTypeError {
			return ""
		}
		var words []string
		for _, argument := range said.Args {
			words = append(words, string(argument.Value)+argument.Description)
		}
		return "console: " + strings.Join(words, " ")
	case *log.EventEntryAdded:
		if said.Entry.Level != log.EntryLevelError || said.Entry.Source == log.EntrySourceNetwork {
			return ""
		}
		return fmt.Sprintf("%s: %s", said.Entry.Source, said.Entry.Text)
	default:
		return ""
	}
}
