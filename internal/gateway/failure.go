package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"sollecito/internal/fault"
)

// silence stands for Stripe's message wherever a person may read it: its own is for developers.
const silence = "Stripe does not answer right now"

// failed turns an error of Stripe's library into one of ours. The library's own text is the whole answer as
// JSON, client secrets and addresses included, so none of it is kept: only status, codes and request id are.
// Kinds: fault.NotFound when the object does not exist, fault.Unavailable when Stripe refused our key, had no
// room, broke or stayed silent; anything else is a mistake of ours and internal.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	var e *stripe.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", doing, fault.Wrap(fault.Unavailable, broken(err), silence))
	}
	detail := errors.New(summary(e))
	switch {
	case e.HTTPStatusCode == http.StatusNotFound || e.Code == stripe.ErrorCodeResourceMissing:
		return fmt.Errorf("%s: %w", doing, fault.Wrap(fault.NotFound, detail, "Stripe does not know it"))
	case e.HTTPStatusCode == http.StatusUnauthorized || e.HTTPStatusCode == http.StatusForbidden:
		return fmt.Errorf("%s: %w", doing, fault.Wrap(fault.Unavailable, detail, "Stripe refused our key"))
	case e.HTTPStatusCode == http.StatusTooManyRequests, e.HTTPStatusCode == http.StatusConflict, e.HTTPStatusCode >= 500:
		return fmt.Errorf("%s: %w", doing, fault.Wrap(fault.Unavailable, detail, silence))
	}
	return fmt.Errorf("%s: %w", doing, detail)
}

// unsure is failed for an order whose end we do not know: whatever the reason, the kind is fault.Unavailable.
func unsure(doing string, err error) error {
	mapped := failed(doing, err)
	if fault.Is(mapped, fault.Unavailable) {
		return mapped
	}
	return fault.Wrap(fault.Unavailable, mapped, silence)
}

var permission = regexp.MustCompile(`\brak_[a-z_]+\b`)

// summary is what may be known of an error: status, codes, the name of a parameter, the request id, and of
// Stripe's sentence only the name of a permission that a restricted key lacks.
func summary(e *stripe.Error) string {
	words := []string{fmt.Sprintf("HTTP %d", e.HTTPStatusCode)}
	add := func(name, value string) {
		if value != "" {
			words = append(words, name+" "+value)
		}
	}
	add("type", string(e.Type))
	add("code", string(e.Code))
	add("decline_code", string(e.DeclineCode))
	add("param", e.Param)
	add("missing permission", permission.FindString(e.Msg))
	add("request", e.RequestID)
	return strings.Join(words, ", ")
}

// broken says what is wrong with an exchange that ended without an answer of Stripe's shape. Only the kind is
// kept, and the context's own errors, which callers ask for.
func broken(err error) error {
	var timeout interface{ Timeout() bool }
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errSilent):
		return errSilent
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("timeout")
	case errors.As(err, &certificate):
		return errors.New("certificate not trusted")
	case isTransport(err):
		return errors.New("no connection")
	}
	return errors.New("unreadable answer")
}

func isTransport(err error) bool {
	var e *url.Error
	return errors.As(err, &e)
}
