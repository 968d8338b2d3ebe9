package gateway

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"golang.org/x/time/rate"
)

// courier carries one request: it waits for its turn, keeps our host's name to itself, and tries once more when
// the first try is known or safe to have changed nothing.
type courier struct {
	base    http.RoundTripper
	limiter *rate.Limiter
	logger  *slog.Logger
	observe func(method, path string, status int, took time.Duration) // may be nil
	breaker breaker
}

// largestAnswer bounds what is read of one answer; a page of a hundred invoices with everything expanded is
// about two megabytes.
const largestAnswer = 32 << 20

// RoundTrip implements http.RoundTripper. The wait between tries ends with the request's context.
func (c *courier) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	body, err := drain(req.Body)
	if err != nil {
		return nil, fmt.Errorf("read own request: %w", err)
	}
	for try := 0; ; try++ {
		// An order is a person's, or was decided by what was read just now: it is not refused unasked.
		if try == 0 && req.Method == http.MethodGet && !c.breaker.allows(time.Now()) {
			return nil, errSilent
		}
		err := c.limiter.Wait(ctx)
		if err != nil { // the limiter refuses at once when the turn would come after the deadline
			return nil, fmt.Errorf("wait for a turn: %w", cmp.Or(ctx.Err(), context.DeadlineExceeded))
		}
		resp, err := c.once(req, body)
		if try > 0 || ctx.Err() != nil || !worthAgain(req, resp, err) {
			return resp, err
		}
		if resp != nil {
			resp.Body.Close()
		}
		err = pause(ctx, 300*time.Millisecond+rand.N(300*time.Millisecond))
		if err != nil {
			return nil, err
		}
	}
}

func (c *courier) once(req *http.Request, body []byte) (*http.Response, error) {
	try := req.Clone(req.Context())
	// Stripe's library reports the operating system and the host's name here, which are nobody's business.
	try.Header.Del("X-Stripe-Client-User-Agent")
	try.Body, try.ContentLength = http.NoBody, int64(len(body))
	if len(body) > 0 {
		try.Body = io.NopCloser(bytes.NewReader(body))
	}
	start := time.Now()
	resp, err := c.base.RoundTrip(try)
	c.tell(req, resp, time.Since(start))
	took := slog.Duration("took", time.Since(start))
	if err != nil {
		c.breaker.unanswered(req.Context(), start)
		c.logger.WarnContext(req.Context(), "stripe did not answer", "method", req.Method, "path", req.URL.Path, took)
		return nil, err
	}
	c.logger.DebugContext(req.Context(), "stripe answered", "method", req.Method, "path", req.URL.Path,
		"status", resp.StatusCode, "request", resp.Header.Get("Request-Id"), took)
	if resp.StatusCode >= 400 {
		c.breaker.answered() // whether or not anybody reads on
	}
	resp.Body = &bounded{ReadCloser: resp.Body, left: largestAnswer, end: func(err error) {
		if err == io.EOF {
			c.breaker.answered()
		} else {
			c.breaker.unanswered(req.Context(), start)
		}
	}}
	return resp, nil
}

func drain(body io.ReadCloser) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	defer body.Close()
	return io.ReadAll(body)
}

// worthAgain reports whether a second try can do good and no harm. Every order carries an idempotency key, so
// that a lost answer may be asked for again; a rate limit is not asked again, that would only add to it.
func worthAgain(req *http.Request, resp *http.Response, err error) bool {
	if err != nil {
		var certificate *tls.CertificateVerificationError
		return !errors.As(err, &certificate)
	}
	switch resp.Header.Get("Stripe-Should-Retry") {
	case "true":
		return true
	case "false":
		return false
	}
	switch resp.StatusCode {
	case http.StatusConflict, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case http.StatusInternalServerError:
		return req.Method == http.MethodGet // the answer to an order is kept with its key, 500 too
	case http.StatusTooManyRequests:
		return lockTimeout(resp)
	}
	return false
}

// lockTimeout reports whether a 429 says that another request held the same object, which passes by itself.
func lockTimeout(resp *http.Response) bool {
	head, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return false
	}
	resp.Body = joined{Reader: io.MultiReader(bytes.NewReader(head), resp.Body), Closer: resp.Body}
	return bytes.Contains(head, []byte(`"lock_timeout"`))
}

type joined struct {
	io.Reader
	io.Closer
}

// bounded fails when an answer is longer than anything Stripe sends, and tells how reading it ended.
type bounded struct {
	io.ReadCloser
	left int64
	end  func(err error)
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("answer is longer than %d bytes", largestAnswer)
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if err != nil {
		b.end(err)
	}
	return n, err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
