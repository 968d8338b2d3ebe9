package gateway_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

// transport answers requests as a test says.
type transport func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// within makes a client with the timeout of the gateway's own.
func within(answer transport) *gateway.Client {
	return gateway.New(gateway.Options{SecretKey: testKey, HTTP: &http.Client{Transport: answer, Timeout: 20 * time.Second}})
}

func page(body io.Reader) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body)}
}

const anInvoice = `{"id": "in_1", "object": "invoice", "customer": "cus_1", "status": "open", "currency": "eur"}`

// waits is an answer's body that never comes.
type waits struct{ context.Context }

// Read implements io.Reader.
func (w waits) Read([]byte) (int, error) {
	<-w.Done()
	return 0, w.Err()
}

// A Stripe that takes requests and never answers is waited for by some of them, not by each of many; and once it answers again
// it is asked as before.
func TestAFrozenStripeIsNotWaitedForAgainAndAgain(t *testing.T) {
	for name, freeze := range map[string]transport{
		"before its answer": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"within its answer": func(r *http.Request) (*http.Response, error) { return page(waits{r.Context()}), nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				frozen, asked := true, 0
				client := within(func(r *http.Request) (*http.Response, error) {
					asked++
					if frozen {
						return freeze(r)
					}
					return page(strings.NewReader(anInvoice)), nil
				})
				began := time.Now()
				for range 100 {
					_, _, err := client.Invoice(t.Context(), "in_1")
					if !fault.Is(err, fault.Unavailable) {
						t.Fatalf("it answers %v", err)
					}
				}
				took := time.Since(began)
				if took > 2*time.Minute || asked > 10 {
					t.Errorf("a hundred questions waited for %s, %d were asked", took, asked)
				}
				time.Sleep(10 * time.Minute)
				asked = 0
				for range 60 {
					_, _, _ = client.Invoice(t.Context(), "in_1") // nobody answers
					time.Sleep(time.Second)
				}
				if asked == 0 || asked > 10 {
					t.Errorf("in the minutes after, %d were asked", asked)
				}
				frozen = false
				time.Sleep(10 * time.Second)
				for range 10 {
					_, _, err := client.Invoice(t.Context(), "in_1")
					if err != nil {
						t.Errorf("it answers again, and yet: %v", err)
					}
				}
			})
		})
	}
}

// What fails at once, and whose asker leaves, is no reason to leave Stripe alone.
func TestOnlyVainWaitsBreakTheCircuit(t *testing.T) {
	for name, fail := range map[string]transport{
		"no connection": func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") },
		"an overload": func(*http.Request) (*http.Response, error) {
			time.Sleep(15 * time.Second)
			answer := page(strings.NewReader(`{}`))
			answer.StatusCode = http.StatusTooManyRequests
			return answer, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failing := true
				client := within(func(r *http.Request) (*http.Response, error) {
					if failing {
						return fail(r)
					}
					return page(strings.NewReader(anInvoice)), nil
				})
				for range 20 {
					_, _, err := client.Invoice(t.Context(), "in_1")
					if err == nil {
						t.Fatal("it answers")
					}
				}
				failing = false
				_, _, err := client.Invoice(t.Context(), "in_1")
				if err != nil {
					t.Errorf("it answers again, and yet: %v", err)
				}
			})
		})
	}
	t.Run("askers who leave", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			frozen := true
			client := within(func(r *http.Request) (*http.Response, error) {
				if frozen {
					<-r.Context().Done()
					return nil, r.Context().Err()
				}
				return page(strings.NewReader(anInvoice)), nil
			})
			for range 20 {
				ctx, leave := context.WithCancel(t.Context())
				time.AfterFunc(8*time.Second, leave)
				_, _, _ = client.Invoice(ctx, "in_1") // nobody listens
			}
			frozen = false
			_, _, err := client.Invoice(t.Context(), "in_1")
			if err != nil {
				t.Errorf("it answers again, and yet: %v", err)
			}
		})
	})
}

// The one question that finds out whether Stripe is back has its second try like any other, and orders are never refused unasked.
func TestABrokenCircuitLetsAProbeTryTwiceAndOrdersPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frozen, resets, orders := true, 0, 0
		client := within(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet {
				orders++
			}
			switch {
			case frozen:
				<-r.Context().Done()
				return nil, r.Context().Err()
			case resets > 0:
				resets--
				return nil, errors.New("connection reset by peer")
			}
			return page(strings.NewReader(anInvoice)), nil
		})
		for range 6 {
			_, _, _ = client.Invoice(t.Context(), "in_1") // nobody answers
		}
		err := client.MarkUncollectible(t.Context(), "in_1", "order_1")
		if err == nil || orders == 0 {
			t.Errorf("an order was made %d times: %v", orders, err)
		}
		frozen, resets = false, 1
		time.Sleep(time.Minute)
		_, _, err = client.Invoice(t.Context(), "in_1")
		if err != nil {
			t.Errorf("the second try is refused: %v", err)
		}
	})
}
