package portal_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sollecito/internal/staff"
)

// key makes an API key as an administrator does, on the page.
func (h *house) key(admin *browser, name string) string {
	h.t.Helper()
	admin.get("/admin/keys").at("/admin/keys", http.StatusOK)
	admin.post("/admin/keys", url.Values{"name": {name}}).at("/admin/keys", http.StatusOK)
	key := admin.text(".flash .secret")
	if !strings.HasPrefix(key, "sol_") {
		h.t.Fatalf("no key was made: %s", admin.text("main"))
	}
	return key
}

// asks is what the merchant's server hears: no cookie, no redirect, JSON whatever happens.
func (h *house) asks(path, key string) (int, map[string]any) {
	h.t.Helper()
	req, err := http.NewRequest(http.MethodGet, h.base+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := (&http.Client{Timeout: 20 * time.Second}).Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	var object map[string]any
	err = json.Unmarshal(body, &object)
	if err != nil || len(resp.Cookies()) > 0 || resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("X-Request-Id") == "" {
		h.t.Fatalf("%s: %d %v %v\n%s", path, resp.StatusCode, err, resp.Header, body)
	}
	return resp.StatusCode, object
}

// The app asks each day what a customer may use: it hears of each step as it is taken, before it of the day that was told,
// and of the payment at once. A key that was ended hears nothing more.
func TestTheAppAsksWhatACustomerMayUse(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(escalating)
	admin := h.colleague(staff.Admin)
	key := h.key(admin, "Web app")
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	path := "/api/v1/customers/" + customer + "/access"
	access := func() map[string]any {
		t.Helper()
		status, a := h.asks(path, key)
		if status != http.StatusOK || a["customer"] != customer {
			t.Fatalf("%d %v", status, a)
		}
		return a
	}
	if a := access(); a["access"] != "full" || a["allowed"] != true || a["until"] != nil || a["reason"] != "in_good_standing" {
		t.Errorf("a healthy customer: %v", a)
	}
	invoice := h.fail(customer, "insufficient_funds")
	var days, reasons []string
	last, until := "", "" // the day that was told, which none comes before
	for range 20 {
		a := access()
		now := a["access"].(string)
		if now != last {
			days, reasons = append(days, h.clock.now().Format("2 ")+now), append(reasons, a["reason"].(string))
			tightened := now == "restricted" || now == "suspended"
			if tightened && (until == "" || until > h.clock.now().UTC().Format(time.RFC3339)) {
				t.Errorf("%s came, and the app had heard of %q", now, until)
			}
			last = now
		}
		if a["allowed"] != (now != "suspended") || now == "suspended" && a["until"] != nil {
			t.Errorf("%v", a)
		}
		next, told := a["until"].(string)
		if told {
			until = next
		}
		if told && next <= h.clock.now().UTC().Format(time.RFC3339) {
			t.Errorf("a day that has passed is told: %v", a)
		}
		h.walk(24 * time.Hour)
	}
	if got := strings.Join(days, ", "); got != "2 full, 6 grace, 12 restricted, 21 suspended" {
		t.Errorf("access went %s", got)
	}
	if got := strings.Join(reasons, ", "); got != "payment_overdue, payment_overdue, announced_consequence, left_unpaid" {
		t.Errorf("because of %s", got)
	}
	status, list := h.asks("/api/v1/cases?status=exhausted&customer="+customer, key)
	cases, _ := list["cases"].([]any)
	if status != http.StatusOK || len(cases) != 1 || list["next"] != nil {
		t.Errorf("exhausted cases: %d %v", status, list)
	}
	at := h.clock.now()
	err := h.stripe.Pay(invoice, false)
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	if a := access(); a["access"] != "full" || a["allowed"] != true || a["reason"] != "in_good_standing" || h.clock.now().Sub(at) > time.Minute {
		t.Errorf("%s after payment: %v", h.clock.now().Sub(at), a)
	}
	status, who := h.asks("/api/v1/customers/"+customer, key)
	if status != http.StatusOK || who["email"] != "anneke@waal.example" || who["case"] != nil || len(who["owed"].([]any)) != 0 {
		t.Errorf("%d %v", status, who)
	}

	admin.get("/admin/keys")
	admin.get(admin.page.Find("tbody a").AttrOr("href", ""))
	admin.press("/admin/keys/").at("/admin/keys", http.StatusOK)
	status, refused := h.asks(path, key)
	if status != http.StatusUnauthorized || refused["code"] != "key_invalid" {
		t.Errorf("with an ended key: %d %v", status, refused)
	}
	if strings.Contains(h.log.String(), key[10:]) {
		t.Error("the key is in the log")
	}
}

// Most customers never failed a payment, and those from before the connection were never heard of: they are asked for at
// Stripe once. Who exists nowhere, was deleted or erased is unknown; and while Stripe is silent nobody is called so.
func TestTheAppAsksForSomebodyWeNeverHeardOf(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.deaf()
	key := h.key(h.colleague(staff.Admin), "Web app")
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	gone := h.customer("Bruno Gone", "bruno@gone.example", "IT", "pm_card_visa")
	err := h.remove("customers/" + gone)
	if err != nil {
		t.Fatal(err)
	}
	h.outage("500", 100)
	status, answer := h.asks("/api/v1/customers/"+customer+"/access", key)
	if status != http.StatusServiceUnavailable || answer["code"] != "unavailable" {
		t.Errorf("while Stripe is silent: %d %v", status, answer)
	}
	h.outage("500", 0)
	for range 3 {
		for id, want := range map[string]int{customer: 200, gone: 404, "cus_nowhere": 404, "4711": 404} {
			status, answer = h.asks("/api/v1/customers/"+id+"/access", key)
			if status != want || want == 404 && answer["code"] != "customer_unknown" || want == 200 && (answer["access"] != "full" || answer["reason"] != "in_good_standing") {
				t.Errorf("%s: %d %v", id, status, answer)
			}
		}
	}
	h.outage("500", 100) // from now on they are known
	status, answer = h.asks("/api/v1/customers/"+customer+"/access", key)
	if status != http.StatusOK || answer["access"] != "full" {
		t.Errorf("known, while Stripe is silent: %d %v", status, answer)
	}
	status, answer = h.asks("/api/v1/customers/cus_nowhere/access", key)
	if status != http.StatusNotFound { // within the minute Stripe is not asked again
		t.Errorf("unknown, while Stripe is silent: %d %v", status, answer)
	}
	h.outage("500", 0)
	busy := 0
	for i := range 30 { // a whole app begins to ask: that must not take the way to Stripe from those who are paying
		status, answer = h.asks(fmt.Sprintf("/api/v1/customers/cus_app%d/access", i), key)
		if status == http.StatusServiceUnavailable && answer["code"] == "unavailable" {
			busy++
		}
	}
	if busy < 10 || busy == 30 {
		t.Errorf("of 30 customers nobody knows %d were put off", busy)
	}
	err = h.erase(customer)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/access", ""} {
		status, answer = h.asks("/api/v1/customers/"+customer+path, key)
		if status != http.StatusNotFound || answer["code"] != "customer_unknown" {
			t.Errorf("an erased one: %d %v", status, answer)
		}
	}
	if strings.Contains(h.everything(customer), "anneke") {
		t.Error("asking brought an erased customer back")
	}
}
