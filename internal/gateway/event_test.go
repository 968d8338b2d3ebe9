package gateway_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

var now = time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)

const invoicePaid = `{"id":"evt_1","object":"event","type":"invoice.paid","api_version":"2023-10-16","livemode":true,"created":1762160000,` +
	`"data":{"object":{"id":"in_1","object":"invoice","customer":"cus_1"}}}`

func sign(body, secret string, at time.Time) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil)))
}

func TestOnlyStripeIsHeard(t *testing.T) {
	good := sign(invoicePaid, "whsec_b", now)
	other := sign(invoicePaid, "whsec_gone", now)
	secrets := []string{"whsec_a", "whsec_b"}
	for name, c := range map[string]struct {
		body, header string
		secrets      []string
		ok           bool
	}{
		"signed":              {invoicePaid, good, secrets, true},
		"second of two":       {invoicePaid, other + "," + strings.SplitN(good, ",", 2)[1], secrets, true},
		"with a v0 beside":    {invoicePaid, good + ",v0=00", secrets, true},
		"secret rolled away":  {invoicePaid, good, []string{"whsec_a"}, false},
		"no secrets":          {invoicePaid, good, nil, false},
		"signed with nothing": {invoicePaid, sign(invoicePaid, "", now), []string{""}, false},
		"body changed":        {strings.Replace(invoicePaid, "cus_1", "cus_2", 1), good, secrets, false},
		"body re-serialised":  {invoicePaid + "\n", good, secrets, false},
		"truncated":           {invoicePaid, good[:len(good)-2], secrets, false},
		"no signature":        {invoicePaid, "t=1762160000", secrets, false},
		"no instant":          {invoicePaid, strings.SplitN(good, ",", 2)[1], secrets, false},
		"empty":               {invoicePaid, "", secrets, false},
		"299 s old":           {invoicePaid, sign(invoicePaid, "whsec_a", now.Add(-299*time.Second)), secrets, true},
		"300 s old":           {invoicePaid, sign(invoicePaid, "whsec_a", now.Add(-300*time.Second)), secrets, true},
		"301 s old":           {invoicePaid, sign(invoicePaid, "whsec_a", now.Add(-301*time.Second)), secrets, false},
		"299 s in the future": {invoicePaid, sign(invoicePaid, "whsec_a", now.Add(299*time.Second)), secrets, true},
		"301 s in the future": {invoicePaid, sign(invoicePaid, "whsec_a", now.Add(301*time.Second)), secrets, false},
		"before all time":     {invoicePaid, sign(invoicePaid, "whsec_a", time.Unix(-1<<63+now.Unix(), 0)), secrets, false},
		"signed, no JSON":     {"hello", sign("hello", "whsec_a", now), secrets, false},
	} {
		e, err := gateway.VerifyEvent([]byte(c.body), c.header, c.secrets, now)
		if c.ok && (err != nil || e.ID != "evt_1") {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
		if !c.ok && (!fault.Is(err, fault.Invalid) || e != gateway.Event{}) {
			t.Errorf("%s: %+v, %v, want it refused", name, e, err)
		}
	}
}

func TestWhatIsReadOfAnEvent(t *testing.T) {
	full := gateway.Event{
		ID: "evt_1", Type: "invoice.paid", ObjectType: "invoice", ObjectID: "in_1", Customer: "cus_1",
		APIVersion: "2023-10-16", Livemode: true, Created: 1762160000,
	}
	edit := func(change func(*gateway.Event)) gateway.Event {
		e := full
		change(&e)
		return e
	}
	for name, c := range map[string]struct {
		body string
		want gateway.Event
	}{
		"snapshot":          {invoicePaid, full},
		"expanded customer": {strings.Replace(invoicePaid, `"cus_1"`, `{"id":"cus_1","object":"customer"}`, 1), full},
		"newer version": {strings.Replace(invoicePaid, "2023-10-16", "2026-08-26.dahlia", 1),
			edit(func(e *gateway.Event) { e.APIVersion = "2026-08-26.dahlia" })},
		"customer itself": {`{"id":"evt_1","object":"event","type":"customer.deleted","created":5,"data":{"object":{"id":"cus_1","object":"customer"}}}`,
			gateway.Event{ID: "evt_1", Type: "customer.deleted", ObjectType: "customer", ObjectID: "cus_1", Customer: "cus_1", Created: 5}},
		"detached method": {`{"id":"evt_1","object":"event","type":"payment_method.detached","created":5,"data":{"object":{"id":"pm_1","object":"payment_method","customer":null},"previous_attributes":{"customer":"cus_1"}}}`,
			gateway.Event{ID: "evt_1", Type: "payment_method.detached", ObjectType: "payment_method", ObjectID: "pm_1", Customer: "cus_1", Created: 5}},
		"dispute": {`{"id":"evt_1","object":"event","type":"charge.dispute.created","account":"acct_1","created":5,"data":{"object":{"id":"dp_1","object":"dispute","charge":"ch_1"}}}`,
			gateway.Event{ID: "evt_1", Type: "charge.dispute.created", ObjectType: "dispute", ObjectID: "dp_1", Account: "acct_1", Created: 5}},
	} {
		got, err := gateway.VerifyEvent([]byte(c.body), sign(c.body, "whsec_a", now), []string{"whsec_a"}, now)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, c.want)
		}
	}
}

func TestWhatCannotBeActedOnIsParked(t *testing.T) {
	for _, body := range []string{
		`{"id":"evt_1","object":"v2.core.event","type":"v2.core.account.updated","created":"2026-11-03T09:00:00Z","related_object":{"id":"acct_1"}}`,
		`{"id":"evt_1","object":"event","type":"invoice.paid","created":5}`,
		`{"id":"evt_1","object":"event","type":"invoice.paid","created":5,"data":null}`,
		`{"id":"evt_1","object":"event","type":"invoice.paid","created":5,"data":{"object":"in_1"}}`,
		`{"id":"evt_1","object":"event","type":"invoice.paid","created":"yesterday","data":{"object":{"id":"in_1","object":"invoice"}}}`,
		`{"id":"evt_1","object":"event","type":7,"created":5,"data":{"object":{"id":"in_1","object":"invoice"}}}`,
		`{"id":"evt_1"}`,
		`{"id":"evt_1","object":"event","type":"` + strings.Repeat("é", 300) + `"}`,
	} {
		e, err := gateway.VerifyEvent([]byte(body), sign(body, "whsec_a", now), []string{"whsec_a"}, now)
		if err != nil || e.ID != "evt_1" || e.Unreadable == "" {
			t.Errorf("%s: %+v, %v", body, e, err)
		}
	}
}

// A word that would begin a new line, or speak to a terminal, loses what does so.
func TestWordsHoldNothingThatATerminalObeys(t *testing.T) {
	body := `{"id":"evt_\n\u001b[2J1","object":"event","type":"invoice\r\t.paid\u0000","created":5,"data":{"object":{"id":"in_\u0085\u007f1","object":"invoice"}}}`
	e, err := gateway.VerifyEvent([]byte(body), sign(body, "whsec_a", now), []string{"whsec_a"}, now)
	if err != nil || e.ID != "evt_[2J1" || e.Type != "invoice.paid" || e.ObjectID != "in_1" {
		t.Errorf("%+v, %v", e, err)
	}
}

// What has no usable id of its own is kept under its content: sent twice it is one row, and no two are mixed up.
func TestWhatHasNoUsableIDIsKeptUnderItsContent(t *testing.T) {
	seen := map[string]bool{}
	for _, body := range []string{
		`null`, `[1]`, `"evt_1"`, `7`, `{}`, `{"object":"event"}`, `{"id":7,"object":"event"}`, `{"id":"\u0000"}`,
		`{"id":"evt_` + strings.Repeat("x", 300) + `","object":"event"}`,
	} {
		var ids []string
		for range 2 {
			e, err := gateway.VerifyEvent([]byte(body), sign(body, "whsec_a", now), []string{"whsec_a"}, now)
			if err != nil || !strings.HasPrefix(e.ID, "unnamed_") || e.Unreadable == "" || len(e.Type) > 255 {
				t.Errorf("%.60s: %+v, %v", body, e, err)
			}
			ids = append(ids, e.ID)
		}
		if ids[0] != ids[1] || seen[ids[0]] {
			t.Errorf("%.60s is kept under %q and %q", body, ids[0], ids[1])
		}
		seen[ids[0]] = true
	}
}

func FuzzVerifyEvent(f *testing.F) {
	f.Add(invoicePaid, "t=1762160000,v1=00")
	f.Add(`{"id":"evt_1","object":"event","data":{"object":null}}`, "")
	f.Add(`{"id":"evt_1","created":1e99,"data":[{}],"livemode":"x"}`, "t=,v1")
	f.Fuzz(func(t *testing.T, body, header string) {
		secrets := []string{"whsec_a"}
		_, err := gateway.VerifyEvent([]byte(body), header, secrets, now)
		if err == nil {
			t.Fatalf("accepted %q under %q", body, header)
		}
		e, err := gateway.VerifyEvent([]byte(body), sign(body, "whsec_a", now), secrets, now)
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("kind of %v", err)
		}
		if err == nil && (e.ID == "" || e.Unreadable == "" && (e.Type == "" || e.ObjectType == "")) {
			t.Fatalf("%q read as %+v", body, e)
		}
	})
}
