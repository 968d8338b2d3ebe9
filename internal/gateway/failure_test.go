package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

const testKey = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"

// against makes a client that speaks with a server of the test's own making.
func against(t *testing.T, answer http.HandlerFunc) *gateway.Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return gateway.New(gateway.Options{SecretKey: testKey, APIURL: server.URL, Rate: 1000})
}

const secretive = `"payment_intent":{"id":"pi_1","object":"payment_intent","status":"requires_payment_method","client_secret":"pi_1_secret_x"},` +
	`"message":"Card of giulia@example.com was declined","request_log_url":"https://dashboard.stripe.com/x"`

func TestErrorsSayTheKindAndKeepNoSecret(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		kind   fault.Kind
		says   string
	}{
		"missing":       {404, `{"error":{"type":"invalid_request_error","code":"resource_missing","param":"id",` + secretive + `}}`, fault.NotFound, "resource_missing"},
		"wrong key":     {401, `{"error":{"type":"invalid_request_error","message":"Invalid API Key provided: sk_test_4eC39H*****"}}`, fault.Unavailable, "HTTP 401"},
		"lesser key":    {403, `{"error":{"type":"invalid_request_error","message":"The key 'rk_test_*dc' lacks 'rak_invoice_read' for this."}}`, fault.Unavailable, "rak_invoice_read"},
		"rate limit":    {429, `{"error":{"type":"invalid_request_error","code":"rate_limit",` + secretive + `}}`, fault.Unavailable, "rate_limit"},
		"broken":        {500, `{"error":{"type":"api_error",` + secretive + `}}`, fault.Unavailable, "HTTP 500"},
		"proxy's page":  {502, `<html><body>giulia@example.com Bad Gateway</body></html>`, fault.Unavailable, "unreadable"},
		"no JSON":       {200, `{"id": "in_1", `, fault.Unavailable, "unreadable"},
		"other shape":   {200, `{"id": {"giulia@example.com": 1}}`, fault.Unavailable, "unreadable"},
		"empty":         {200, ``, fault.Unavailable, "unreadable"},
		"our own fault": {400, `{"error":{"type":"invalid_request_error","code":"parameter_unknown","param":"colour",` + secretive + `}}`, fault.Internal, "colour"},
	} {
		t.Run(name, func(t *testing.T) {
			client := against(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Request-Id", "req_abc")
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			_, _, err := client.Invoice(t.Context(), "in_1")
			if !fault.Is(err, c.kind) {
				t.Errorf("kind of %v is %s, want %s", err, fault.KindOf(err), c.kind)
			}
			text := err.Error()
			if !strings.Contains(text, c.says) {
				t.Errorf("%q does not say %q", text, c.says)
			}
			for _, secret := range []string{"secret_x", "giulia", "sk_test", "dashboard"} {
				if strings.Contains(text, secret) {
					t.Errorf("%q holds %q", text, secret)
				}
			}
		})
	}
}

func TestSilenceEndsWithTheCallersPatience(t *testing.T) {
	release := make(chan struct{})
	client := against(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithTimeout(t.Context(), 80*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := client.Pay(ctx, gateway.PayRequest{Invoice: "in_1", Key: "attempt_1"})
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("came back after %v", took)
	}
	if !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want unavailable for a deadline", err)
	}
}

func TestThePauseBeforeASecondTryHearsTheContext(t *testing.T) {
	client := against(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	shortest := time.Hour // a machine may be slow once, but not each time
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
		start := time.Now()
		_, err := client.HostedPage(ctx, "in_1")
		cancel()
		shortest = min(shortest, time.Since(start))
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("error %v, want unavailable", err)
		}
	}
	if shortest > 200*time.Millisecond {
		t.Errorf("came back after %v at the least", shortest)
	}
}

// TestAnOrderIsRepeatedUnderItsKey breaks the connection after the first order arrived.
func TestAnOrderIsRepeatedUnderItsKey(t *testing.T) {
	var mu sync.Mutex
	var keys, bodies []string
	client := against(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		keys, bodies = append(keys, r.Header.Get("Idempotency-Key")), append(bodies, string(body))
		first := len(keys) == 1
		mu.Unlock()
		if first {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, `{"id":"in_1","object":"invoice","status":"paid","payment_intent":{"id":"pi_1","object":"payment_intent","status":"succeeded"}}`)
	})
	payment, err := client.Pay(t.Context(), gateway.PayRequest{Invoice: "in_1", Method: "pm_1", Key: "attempt_1"})
	if err != nil || payment != (gateway.Payment{Status: gateway.Paid, Intent: "pi_1"}) {
		t.Fatalf("%+v, %v", payment, err)
	}
	if len(keys) != 2 || keys[0] != "attempt_1" || keys[1] != "attempt_1" || bodies[0] != bodies[1] {
		t.Errorf("keys %q, bodies %q", keys, bodies)
	}
	if !strings.Contains(bodies[0], "off_session=false") || !strings.Contains(bodies[0], "payment_method=pm_1") {
		t.Errorf("body %q", bodies[0])
	}
}

func TestARateLimitIsNotAskedAgain(t *testing.T) {
	for code, want := range map[string]int32{"rate_limit": 1, "lock_timeout": 2} {
		var asked atomic.Int32
		client := against(t, func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprintf(w, `{"error":{"type":"invalid_request_error","code":"%s"}}`, code)
		})
		_, err := client.HostedPage(t.Context(), "in_1")
		if !fault.Is(err, fault.Unavailable) || asked.Load() != want {
			t.Errorf("%s: %v after %d requests, want %d", code, err, asked.Load(), want)
		}
	}
}

func TestNothingOfTheHostOrTheBodiesIsTold(t *testing.T) {
	var written bytes.Buffer
	var header http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Clone()
		io.WriteString(w, `{"id":"in_1","object":"invoice","payment_intent":{"id":"pi_1","object":"payment_intent","client_secret":"pi_1_secret_x"}}`)
	}))
	defer server.Close()
	client := gateway.New(gateway.Options{
		SecretKey: testKey, APIURL: server.URL, Logger: slog.New(slog.NewJSONHandler(&written, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	intent, err := client.Intent(t.Context(), "in_1")
	if err != nil || intent.ClientSecret != "pi_1_secret_x" {
		t.Fatalf("%+v, %v", intent, err)
	}
	if header.Get("X-Stripe-Client-User-Agent") != "" || header.Get("X-Stripe-Client-Telemetry") != "" {
		t.Errorf("headers %v tell of the host", header)
	}
	if header.Get("Stripe-Version") != "2023-10-16" || header.Get("Authorization") != "Bearer "+testKey {
		t.Errorf("headers %v", header)
	}
	if !strings.Contains(written.String(), "/v1/invoices/in_1") || strings.Contains(written.String(), "secret_x") || strings.Contains(written.String(), testKey) {
		t.Errorf("log %s", written.String())
	}
}

func TestTheRateIsKeptOverAllCallers(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		io.WriteString(w, `{"id":"in_1","object":"invoice","hosted_invoice_url":"https://invoice.stripe.com/i/1"}`)
	}))
	defer server.Close()
	client := gateway.New(gateway.Options{SecretKey: testKey, APIURL: server.URL, Rate: 0.001})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			_, err := client.HostedPage(ctx, "in_1")
			if err != nil && (!fault.Is(err, fault.Unavailable) || !errors.Is(err, context.DeadlineExceeded)) {
				t.Errorf("error %v", err)
			}
		})
	}
	wg.Wait()
	if asked.Load() != 10 {
		t.Errorf("%d requests left at once, want the burst of 10", asked.Load())
	}
}

func TestHowAnOrderToPayEnds(t *testing.T) {
	declined := `{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","advice_code":"try_again_later","network_decline_code":"51","network_advice_code":"02",` + secretive + `}}`
	invoice := func(status, intent string) string {
		return `{"id":"in_1","object":"invoice","status":"` + status + `","payment_intent":` + intent + `}`
	}
	intent := func(status string) string {
		return `{"id":"pi_1","object":"payment_intent","status":"` + status + `"}`
	}
	refused := `{"error":{"type":"invalid_request_error","message":"Invoice is already paid"}}`
	for name, c := range map[string]struct {
		status int
		pay    string
		then   string // what reading the invoice answers; "" is 404
		want   gateway.Payment
		unsure bool
	}{
		"paid":              {200, invoice("paid", intent("succeeded")), "", gateway.Payment{Status: gateway.Paid, Intent: "pi_1"}, false},
		"a debit under way": {200, invoice("open", intent("processing")), "", gateway.Payment{Status: gateway.Processing, Intent: "pi_1"}, false},
		"declined": {402, declined, "", gateway.Payment{Status: gateway.Declined, Intent: "pi_1", Decline: billing.Decline{
			Code: "card_declined", DeclineCode: "insufficient_funds", AdviceCode: "try_again_later", NetworkAdviceCode: "02", NetworkDeclineCode: "51"}}, false},
		"the bank asks": {402, `{"error":{"type":"invalid_request_error","code":"invoice_payment_intent_requires_action"}}`,
			invoice("open", intent("requires_action")), gateway.Payment{Status: gateway.Action, Intent: "pi_1"}, false},
		"the bank asks, in another status": {400, `{"error":{"type":"invalid_request_error","code":"invoice_payment_intent_requires_action"}}`,
			invoice("open", intent("requires_action")), gateway.Payment{Status: gateway.Action, Intent: "pi_1"}, false},
		"paid before":                 {400, refused, invoice("paid", intent("succeeded")), gateway.Payment{Status: gateway.AlreadyPaid, Intent: "pi_1"}, false},
		"void":                        {400, refused, invoice("void", intent("canceled")), gateway.Payment{Status: gateway.Gone, Intent: "pi_1"}, false},
		"unknown":                     {404, `{"error":{"type":"invalid_request_error","code":"resource_missing","param":"invoice"}}`, "", gateway.Payment{Status: gateway.Gone}, false},
		"no such method":              {400, `{"error":{"type":"invalid_request_error","code":"resource_missing","param":"payment_method"}}`, invoice("open", intent("requires_payment_method")), gateway.Payment{Status: gateway.Declined, Intent: "pi_1", Decline: billing.Decline{Code: "no_payment_method"}}, false},
		"under way":                   {400, refused, invoice("open", intent("processing")), gateway.Payment{Status: gateway.Processing, Intent: "pi_1"}, false},
		"unexplained":                 {400, refused, invoice("open", intent("requires_payment_method")), gateway.Payment{Status: gateway.Refused, Intent: "pi_1", Decline: billing.Decline{DeclineCode: billing.CodeRefused}}, false},
		"may not charge":              {400, `{"error":{"type":"invalid_request_error","code":"charge_invalid_parameter"}}`, invoice("open", intent("requires_payment_method")), gateway.Payment{Status: gateway.Refused, Intent: "pi_1", Decline: billing.Decline{Code: "charge_invalid_parameter", DeclineCode: billing.CodeRefused}}, false},
		"no words of Stripe's":        {400, `{"error":{}}`, invoice("open", intent("requires_payment_method")), gateway.Payment{}, true},
		"key used for something else": {400, `{"error":{"type":"idempotency_error"}}`, "", gateway.Payment{}, true},
		"broken":                      {500, `{"error":{"type":"api_error"}}`, "", gateway.Payment{}, true},
		"refused key":                 {401, `{"error":{"type":"invalid_request_error"}}`, "", gateway.Payment{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			client := against(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodPost:
					w.WriteHeader(c.status)
					io.WriteString(w, c.pay)
				case c.then == "":
					w.WriteHeader(http.StatusNotFound)
					io.WriteString(w, `{"error":{"type":"invalid_request_error","code":"resource_missing"}}`)
				default:
					io.WriteString(w, c.then)
				}
			})
			got, err := client.Pay(t.Context(), gateway.PayRequest{Invoice: "in_1", Key: "attempt_1"})
			if c.unsure {
				if !fault.Is(err, fault.Unavailable) {
					t.Fatalf("%+v, %v, want it unknown", got, err)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("%+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

// TestAShortListIsNoAnswer breaks the second page of open invoices.
func TestAShortListIsNoAnswer(t *testing.T) {
	client := against(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/v1/customers/"):
			io.WriteString(w, `{"id":"cus_1","object":"customer"}`)
		case r.URL.Query().Get("starting_after") != "":
			w.WriteHeader(http.StatusTooManyRequests)
			io.WriteString(w, `{"error":{"type":"invalid_request_error","code":"rate_limit"}}`)
		case r.URL.Path == "/v1/invoices":
			io.WriteString(w, `{"object":"list","has_more":true,"data":[{"id":"in_1","object":"invoice","status":"open"}]}`)
		default:
			io.WriteString(w, `{"object":"list","data":[]}`)
		}
	})
	account, err := client.Account(t.Context(), "cus_1")
	if !fault.Is(err, fault.Unavailable) || len(account.Invoices) != 0 {
		t.Errorf("%+v, %v", account, err)
	}
}

func TestOnlyATrustedCertificateIsSpokenTo(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	client := gateway.New(gateway.Options{SecretKey: testKey, APIURL: server.URL})
	_, err := client.HostedPage(t.Context(), "in_1")
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "certificate") || asked.Load() != 0 {
		t.Errorf("%v after %d requests", err, asked.Load())
	}
}

func TestKeyIsLive(t *testing.T) {
	for key, want := range map[string]bool{"sk_live_x": true, "rk_live_x": true, "sk_test_x": false, "rk_test_live": false, "": false} {
		if gateway.KeyIsLive(key) != want {
			t.Errorf("%q: %v", key, !want)
		}
	}
}
