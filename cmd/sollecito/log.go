package main

import (
	"io"
	"log/slog"
	"regexp"
	"strings"
)

// newLogger writes text or JSON, one line per record, in UTC. Whatever a record's author meant, the value of a key
// that sounds like a secret is not written, and what looks like one is cut out of every other value.
func newLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: redact}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// hushed are the parts of keys whose values are never logged.
var hushed = []string{"token", "secret", "password", "authorization", "cookie", "session_key", "api_key", "client_secret", "smtp_url"}

func redact(groups []string, a slog.Attr) slog.Attr {
	key := strings.ToLower(strings.ReplaceAll(a.Key, "-", "_"))
	if len(groups) == 0 && key == slog.TimeKey && a.Value.Kind() == slog.KindTime {
		return slog.Time(a.Key, a.Value.Time().UTC())
	}
	for _, part := range hushed {
		if strings.Contains(key, part) && a.Value.Kind() != slog.KindGroup {
			return slog.String(a.Key, hidden)
		}
	}
	switch a.Value.Kind() {
	case slog.KindString:
		return slog.String(a.Key, scrub(a.Value.String()))
	case slog.KindAny:
		err, isError := a.Value.Any().(error)
		if isError {
			return slog.String(a.Key, scrub(err.Error()))
		}
	}
	return a
}

const hidden = "(hidden)"

// What is cut out of every value. The rooms keep these out of their errors by themselves; this is the net below.
var (
	stripeSecrets = regexp.MustCompile(`\b(sk|rk)_(test|live)_\w+|\bwhsec_\w+|_secret_\w+`)
	linkTokens    = regexp.MustCompile(`/(l|admin/enrol)/[\w-]{20,}`)
	credentials   = regexp.MustCompile(`://[^/\s@"]+@`)
	addresses     = regexp.MustCompile(`[\w.+'-]+@([\w-]+\.)+[A-Za-z][\w-]*`)
	longNumbers   = regexp.MustCompile(`\b\d(?:[ -]?\d){12,18}\b`)
)

// scrub cuts keys, tokens, passwords in addresses, mailboxes and card numbers out of a text.
func scrub(text string) string {
	text = stripeSecrets.ReplaceAllString(text, hidden)
	text = linkTokens.ReplaceAllString(text, "/$1/"+hidden)
	text = credentials.ReplaceAllString(text, "://"+hidden+"@")
	text = addresses.ReplaceAllStringFunc(text, func(mailbox string) string {
		return mailbox[:1] + "…" + mailbox[strings.LastIndexByte(mailbox, '@'):]
	})
	return longNumbers.ReplaceAllStringFunc(text, func(number string) string {
		if isCard(number) {
			return hidden
		}
		return number
	})
}

// isCard reports whether the digits of a number pass the check that every card number passes (ISO/IEC 7812-1, Luhn).
func isCard(number string) bool {
	sum, double := 0, false
	for i := len(number) - 1; i >= 0; i-- {
		if number[i] < '0' || number[i] > '9' {
			continue
		}
		d := int(number[i] - '0')
		if double {
			d *= 2
			if d > 9 {
				d -= 9
			}
		}
		sum += d
		double = !double
	}
	return sum%10 == 0
}
