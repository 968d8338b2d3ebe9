package gateway_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"sollecito/internal/sandbox/gates"
)

type carry func(*http.Request) (*http.Response, error)

func (c carry) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

// gatesBite plants one fault before each gate: a gate that lets it through proves nothing.
func gatesBite(t *testing.T, spec *gates.Spec) {
	unknownParameter := func(next http.RoundTripper) http.RoundTripper {
		return carry(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			q := r.URL.Query()
			q.Set("colour", "blue")
			r.URL.RawQuery = q.Encode()
			return next.RoundTrip(r)
		})
	}
	unknownField := func(next http.RoundTripper) http.RoundTripper {
		return carry(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			body = bytes.Replace(body, []byte(`{`), []byte(`{"colour":"blue",`), 1)
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			resp.Header.Del("Content-Length")
			return resp, err
		})
	}
	for name, fault := range map[string][2]func(http.RoundTripper) http.RoundTripper{
		"a parameter Stripe doesn't know": {unknownParameter, nil},
		"a field Stripe doesn't have":     {nil, unknownField},
	} {
		l := newLumen(t, spec, fault[0], fault[1])
		l.HostedPage(t.Context(), l.fail("do_not_honor"))
		if len(l.complaints) == 0 || !strings.Contains(errors.Join(l.complaints...).Error(), "colour") && !strings.Contains(errors.Join(l.complaints...).Error(), "additional properties") {
			t.Errorf("%s passed: %v", name, l.complaints)
		}
	}
}
