package portal_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"sollecito/internal/config"
)

// behind opens a house whose calls of Stripe are answered by somebody else first: answer says whether it did.
func behind(t *testing.T, answer func(w http.ResponseWriter, r *http.Request) bool) *house {
	t.Helper()
	return open(t, func(c *config.Config) {
		inner, err := url.Parse(c.StripeAPI)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(inner)
		door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !answer(w, r) {
				proxy.ServeHTTP(w, r)
			}
		}))
		t.Cleanup(door.Close)
		c.StripeAPI = door.URL
	})
}

// refusal answers a call as Stripe refuses one.
func refusal(w http.ResponseWriter, status int, body string) bool {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, `{"error":{"type":"invalid_request_error",`+body+`}}`)
	return true
}

// An invoice that Stripe knows no longer, as when a test clock or all test data was deleted, keeps nobody from hearing that
// its customer was deleted too.
func TestAnInvoiceThatIsGoneHoldsUpNothing(t *testing.T) {
	t.Parallel()
	for _, deleted := range []bool{false, true} {
		var gone atomic.Value
		gone.Store("")
		h := behind(t, func(w http.ResponseWriter, r *http.Request) bool {
			invoice := gone.Load().(string)
			switch {
			case invoice == "":
			case r.URL.Path == "/v1/invoices/"+invoice:
				return refusal(w, http.StatusNotFound, `"code":"resource_missing","param":"id"`)
			case r.URL.Path == "/v1/invoices":
				io.WriteString(w, `{"object":"list","data":[],"has_more":false,"url":"/v1/invoices"}`)
				return true
			}
			return false
		})
		customer := h.customer("Ada Prova", "ada@prova.example", "IT", "pm_card_visa")
		h.clock.set(h.clock.now().Add(2 * time.Hour))
		invoice := h.fail(customer, "insufficient_funds")
		if h.openCases(customer) != 1 {
			t.Fatal("no case is open")
		}
		gone.Store(invoice)
		if deleted {
			err := h.remove("customers/" + customer)
			if err != nil {
				t.Fatal(err)
			}
			h.settle()
		} else {
			err := h.portal.Intake.Refresh(t.Context(), customer)
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := h.caseOf(customer).Status; got != "canceled" {
			t.Errorf("deleted %v: the case is %s", deleted, got)
		}
		if kept := h.count(`SELECT count(*) FROM customers WHERE email <> '' AND id = '` + customer + `'`); (kept == 0) != deleted {
			t.Errorf("deleted %v: the address is kept %d times", deleted, kept)
		}
	}
}
