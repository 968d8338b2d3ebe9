package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/stripe/stripe-go/v76"
)

// ask reads what path answers into what we look at of it. The library makes the request and understands what was refused; the
// answer is gone through once.
func (c *Client) ask(ctx context.Context, path string, q query, into any) error {
	address := path
	if q.text != "" {
		address += "?" + q.text
	}
	req, err := c.backend.NewRequest(http.MethodGet, address, c.key, "application/x-www-form-urlencoded", &stripe.Params{Context: ctx})
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if resp.ContentLength > 0 && resp.ContentLength <= largestAnswer {
		body.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	_, err = body.ReadFrom(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return c.backend.ResponseToError(resp, body.Bytes())
	}
	err = json.Unmarshal(body.Bytes(), into)
	if err != nil {
		return fmt.Errorf("read the answer to %s: %w", path, err)
	}
	return nil
}

// query is what is asked besides a path. The zero query asks for nothing.
type query struct{ text string }

// with adds a field to what is asked.
func (q query) with(name, value string) query {
	if q.text != "" {
		q.text += "&"
	}
	q.text += name + "=" + url.QueryEscape(value)
	return q
}

// number is with for one.
func (q query) number(name string, n int64) query { return q.with(name, strconv.FormatInt(n, 10)) }

// expanding asks for these to come along in full, and for nothing else.
func expanding(fields ...string) query {
	var text strings.Builder
	for n, field := range fields {
		fmt.Fprintf(&text, "&expand[%d]=%s", n, field)
	}
	return query{strings.TrimPrefix(text.String(), "&")}
}

// page is one page of a list.
type page[T any] struct {
	Data    []T  `json:"data"`
	HasMore bool `json:"has_more"`
}

// pageLength is how many things a page holds at most.
const pageLength = 100

// pageAfter reads the page of a list that begins after the thing with an id, "" for its first.
func pageAfter[T any](ctx context.Context, c *Client, path string, q query, after string) (page[T], error) {
	q = q.number("limit", pageLength)
	if after != "" {
		q = q.with("starting_after", after)
	}
	var p page[T]
	err := c.ask(ctx, path, q, &p)
	return p, err
}

// everything reads a list to its end. A page that fails fails it all.
func everything[T any](ctx context.Context, c *Client, path string, q query, id func(T) string) ([]T, error) {
	var all []T
	for after := ""; ; {
		p, err := pageAfter[T](ctx, c, path, q, after)
		if err != nil {
			return nil, err
		}
		all = append(all, p.Data...)
		if !p.HasMore || len(p.Data) == 0 {
			return all, nil
		}
		after = id(p.Data[len(p.Data)-1])
		if after == "" {
			return nil, fmt.Errorf("%s goes on after something without an id", path)
		}
	}
}
