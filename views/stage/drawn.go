package stage

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"
)

func appURL(customer string, member bool) string {
	address := "/demo/app?customer=" + url.QueryEscape(customer)
	if member {
		address += "&role=member"
	}
	return address
}

func mailURL(id string) string { return "/demo/inbox/" + url.PathEscape(id) }

// typed is what the clock's own field shows: what was typed before, else two days.
func (p HomePage) typed() string { return cmp.Or(p.Advance, "48h") }

// ahead says how far the clock has been moved, once it is worth saying.
func (f Frame) ahead() string {
	days := int64(f.Moved / (24 * time.Hour))
	switch {
	case days < 1:
		return ""
	case days == 1:
		return " It stands a day ahead of the real one."
	}
	return " It stands " + f.Locale.Number(days) + " days ahead of the real one."
}

func (p HomePage) hasInvoices() bool {
	for _, customer := range p.Customers {
		if len(customer.Invoices) > 0 {
			return true
		}
	}
	return false
}

func (c Customer) tone() string {
	switch c.CaseStatus {
	case "open":
		return "wait"
	case "recovered":
		return "good"
	}
	return ""
}

func (c Customer) caseWord() string {
	if c.CaseStatus == "" {
		return "none"
	}
	return c.CaseStatus
}

// linked draws a text part as it stands, with the addresses that stand alone on a line made live, as mail programs
// do. It is written by hand because every space counts here.
func linked(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b strings.Builder
		b.WriteString(`<pre class="wraps" dir="auto">` + "\n")
		for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
			line = strings.TrimSuffix(line, "\n")
			shown := templ.EscapeString(line)
			if isLink(line) {
				shown = `<a href="` + shown + `">` + shown + `</a>`
			}
			b.WriteString(shown + "\n")
		}
		b.WriteString("</pre>")
		_, err := io.WriteString(w, b.String())
		return err
	})
}

// isLink reports whether a line is an address alone, as our text parts write them.
func isLink(line string) bool {
	return (strings.HasPrefix(line, "https://") || strings.HasPrefix(line, "http://")) && !strings.ContainsAny(line, " \t")
}

func moved(x, y int) string { return fmt.Sprintf("translate(%d %d)", x, y) }
