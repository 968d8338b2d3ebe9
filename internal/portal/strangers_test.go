package portal_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sollecito/internal/intake"
)

// stranger is a body somebody else's Stripe might send, as kept in testdata/events: other versions of the API, other
// accounts, broken recordings.
type stranger struct {
	name   string
	body   []byte
	status string // of the row it must end in
}

// strangers reads the corpus: one file an event, named after the status it must end in. Bodies that no text file can
// hold are made here.
func strangers(t testing.TB) []stranger {
	t.Helper()
	files, err := filepath.Glob("testdata/events/*/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d events in the corpus, %v", len(files), err)
	}
	var all []stranger
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, stranger{filepath.Base(name), body, filepath.Base(filepath.Dir(name))})
	}
	long := strings.Repeat("x", 300)
	all = append(all,
		stranger{"an event's id of 300 letters", []byte(`{"id":"evt_` + long + `","object":"event","created":1,"type":"invoice.paid","data":{"object":{"id":"in_1","object":"invoice"}}}`), "parked"},
		stranger{"an object's id of 300 letters", []byte(`{"id":"evt_long_object","object":"event","created":1,"type":"invoice.paid","data":{"object":{"id":"in_` + long + `","object":"invoice"}}}`), "parked"},
		stranger{"a customer's id of 300 letters", []byte(`{"id":"evt_long_customer","object":"event","created":1,"type":"invoice.paid","data":{"object":{"id":"in_1","object":"invoice","customer":"cus_` + long + `"}}}`), "parked"},
		stranger{"a type of 300 letters", []byte(`{"id":"evt_long_type","object":"event","created":1,"type":"` + long + `","data":{"object":{"id":"in_1","object":"invoice"}}}`), "parked"},
		stranger{"no UTF-8", []byte("{\"id\":\"evt_\xff\xfe\",\"object\":\"event\",\"created\":1,\"type\":\"invoice.paid\",\"data\":{\"object\":{\"id\":\"in_\xc3\",\"object\":\"invoice\",\"customer\":\"cus_none\"}}}"), "parked"},
		stranger{"nested deeply", []byte(`{"id":"evt_deep","object":"event","created":1,"type":"invoice.paid","data":{"object":{"id":"in_1","object":"invoice","customer":"cus_none","x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}}}`), "parked"},
		stranger{"almost too large", []byte(`{"id":"evt_large","object":"event","created":1,"type":"invoice.paid","data":{"object":{"id":"in_1","object":"invoice","customer":"cus_none","x":"` + strings.Repeat("x", 900<<10) + `"}}}`), "parked"},
	)
	return all
}

// Validly signed events of other versions and other people's recordings: each is kept with a reason or ignored, none is
// bounced, and the program goes on.
func TestStrangersEventsAreKeptNeverBounced(t *testing.T) {
	t.Parallel()
	h := open(t)
	all := strangers(t)
	for _, s := range all {
		if got := h.webhook(s.body, sign(s.body, h.stripe.WebhookSecret(), time.Now())); got != http.StatusOK {
			t.Errorf("%s: %d", s.name, got)
		}
		again := h.webhook(s.body, sign(s.body, h.stripe.WebhookSecret(), time.Now()))
		if again != http.StatusOK {
			t.Errorf("%s, sent again: %d", s.name, again)
		}
	}
	h.settle()
	want := map[string]int{}
	for _, s := range all {
		want[s.status]++
	}
	for _, status := range []string{"received", "processed", "ignored", "parked"} {
		if got := h.events("status = '" + status + "'"); got != want[status] {
			t.Errorf("%d are %s, want %d", got, status, want[status])
		}
	}
	if got := h.events("status = 'parked' AND reason = ''"); got != 0 {
		t.Errorf("%d are parked without a reason", got)
	}
	for _, s := range all {
		id := idOf(s.body)
		if id == "" {
			continue
		}
		var status, reason string
		err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRow(`SELECT status, reason FROM events WHERE id = $1`, id).Scan(&status, &reason)
		})
		if err != nil || status != s.status {
			t.Errorf("%s is %s (%s), want %s: %v", s.name, status, reason, s.status, err)
		}
	}
	if strings.Contains(h.log.String(), "panic") {
		t.Error("something panicked")
	}
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	h.fail(customer, "expired_card")
	if got := len(h.mailsTo("chiara@bellini.example")); got != 1 {
		t.Errorf("%d mails afterwards", got)
	}
}

// An event about a charge that Stripe does not know is parked alone: what else came of that customer, before it and after it,
// is processed in the same turn.
func TestAnUnknownObjectParksItsOwnEventAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	invoice := h.fail(customer, "insufficient_funds")
	h.settle()
	about := func(id, kind, object, of string) []byte {
		return fmt.Appendf(nil, `{"id":%q,"object":"event","api_version":"2023-10-16","created":%d,"livemode":false,"type":%q,"data":{"object":{"id":%q,"object":%q,"customer":%q}}}`,
			id, h.clock.now().Unix(), kind, of, object, customer)
	}
	for _, body := range [][]byte{
		about("evt_before", "invoice.updated", "invoice", invoice),
		about("evt_charge", "charge.refunded", "charge", "ch_nobody_knows"),
		about("evt_later", "invoice.payment_failed", "invoice", invoice),
	} {
		got := h.webhook(body, sign(body, h.stripe.WebhookSecret(), time.Now()))
		if got != http.StatusOK {
			t.Fatal(got)
		}
	}
	h.settle()
	for id, want := range map[string]string{"evt_before": "processed", "evt_charge": "parked", "evt_later": "processed"} {
		if h.events("id = '"+id+"' AND status = '"+want+"'") != 1 {
			t.Errorf("%s is not %s", id, want)
		}
	}
}

// idOf is an event's own id as it is kept, "" when it has none of use.
func idOf(body []byte) string {
	var top struct {
		ID string `json:"id"`
	}
	err := json.Unmarshal(body, &top)
	if err != nil || len(top.ID) > 255 {
		return ""
	}
	return strings.ReplaceAll(top.ID, "\x00", "")
}

// Whatever stands in body and header: never a 5xx, never a panic, and a 2xx never without its row.
func FuzzReceive(f *testing.F) {
	for _, s := range strangers(f) {
		if len(s.body) < 64<<10 {
			f.Add(s.body, "")
		}
	}
	for _, header := range []string{"t=1,v1=00", "t=,v1", "v1=00,v1=ff", strings.Repeat("v1=00,", 1000), "t=99999999999999999999,v1=00"} {
		f.Add([]byte(`{"id":"evt_1"}`), header)
	}
	h := open(f)
	f.Fuzz(func(t *testing.T, body []byte, header string) {
		signed := header == ""
		if signed {
			header = sign(body, h.stripe.WebhookSecret(), time.Now())
		}
		req := httptest.NewRequest(http.MethodPost, "/webhooks/stripe", bytes.NewReader(body))
		req.Header.Set("Stripe-Signature", header)
		w := httptest.NewRecorder()
		h.portal.Web.ServeHTTP(w, req)
		if w.Code >= 500 {
			t.Fatalf("%d for %q under %q", w.Code, body, header)
		}
		if !signed && w.Code < 300 {
			t.Fatalf("accepted under %q", header)
		}
		if signed && json.Valid(body) && len(body) < 1<<20 && w.Code != http.StatusOK {
			t.Fatalf("%d for a signed %q", w.Code, body)
		}
	})
}

// An event whose processing panics: it is tried again, parked in the end, the others of its customer and of everybody
// go on, and a replay processes it once, however often it is asked for.
func TestAPoisonEventHarmsNoOther(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa")
	h.settle()
	invoice, err := h.stripe.FailRenewal(customer, "expired_card")
	if err != nil {
		t.Fatal(err)
	}
	poison := eventBody("evt_poison", "setup_intent.succeeded", customer)
	for _, body := range [][]byte{poison, eventBody("evt_healthy", "invoice.payment_failed", customer)} {
		if got := h.webhook(body, sign(body, h.stripe.WebhookSecret(), time.Now())); got != http.StatusOK {
			t.Fatal(got)
		}
	}
	poisoned, effects := true, 0
	also := func(_ context.Context, e intake.Event) error {
		if e.ID != "evt_poison" {
			return nil
		}
		if poisoned {
			var nobody *http.Request
			_ = nobody.URL // panics, as a bug of ours would
		}
		effects++
		return nil
	}
	for range 8 {
		_, err := h.portal.Intake.RunOnce(t.Context(), 100, also)
		if err != nil {
			t.Fatal(err)
		}
		err = h.portal.Intake.Reclaim(t.Context()) // the waits between the tries, in no time
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := h.events("id = 'evt_healthy' AND status = 'processed' AND attempts = 1"); got != 1 {
		t.Error("the other event of the same customer did not go its way at once")
	}
	if got := h.events("id = 'evt_poison' AND status = 'parked' AND attempts = 8 AND reason <> ''"); got != 1 {
		t.Error("the poison event is not parked after its tries")
	}
	if h.stored(customer) != invoice {
		t.Error("its customer was not read")
	}
	poisoned = false
	for range 3 {
		err := h.portal.Intake.Replay(t.Context(), "evt_poison")
		if err != nil {
			t.Fatal(err)
		}
	}
	before := h.rows()
	for range 3 {
		_, err := h.portal.Intake.RunOnce(t.Context(), 100, also)
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := h.events("id = 'evt_poison' AND status = 'processed'"); got != 1 || effects != 1 {
		t.Errorf("%d processed, with %d effects", got, effects)
	}
	if after := h.rows(); after != before {
		t.Errorf("the replay changed %q to %q", before, after)
	}
}
