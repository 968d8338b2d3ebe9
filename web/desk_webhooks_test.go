package web

import (
	"database/sql"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/staff"
	"sollecito/internal/webhook"
)

// endpoint makes an endpoint that is told of everything, with a test that waits for it, and answers the ids of both.
func (h *house) endpoint(address string) (id, delivery string) {
	h.t.Helper()
	h.do(func(tx *sql.Tx) error {
		var events []string
		for _, t := range webhook.Types() {
			events = append(events, string(t))
		}
		e, _, err := h.endpoints.Add(h.t.Context(), tx, address, events, h.clock())
		if err != nil {
			return err
		}
		id = e.ID
		err = h.endpoints.SendTest(h.t.Context(), tx, id, h.clock())
		if err != nil {
			return err
		}
		all, err := webhook.Recent(h.t.Context(), tx, id, 1, 0)
		delivery = all[0].ID
		return err
	})
	return id, delivery
}

func TestAnEndpointFromItsFormToItsEnd(t *testing.T) {
	h := newHouse(t)
	b := h.member(staff.Admin)
	d := b.page("/admin/webhooks")
	if d.Find("form[action='/admin/webhooks'] [name=event][checked]").Length() != len(webhook.Types()) || !strings.Contains(d.Find("main").Text(), "No endpoint yet") {
		t.Errorf("the empty list: %s", words(d.Find("main")))
	}
	// What cannot be used is said at its field, and what was typed is kept.
	for _, wrong := range []struct{ address, field string }{{"http://app.lumen.example/", "address"}, {"https://192.168.1.7/", "address"}, {`https://"><svg/onload=alert(1)>`, "address"}} {
		a := b.post("/admin/webhooks", "address", wrong.address, "event", "case.opened")
		d = a.document(t)
		if a.StatusCode != http.StatusUnprocessableEntity || d.Find(".errors a[href='#"+wrong.field+"']").Length() != 1 || d.Find("#address").AttrOr("value", "") != wrong.address ||
			d.Find("[name=event][checked]").AttrOr("value", "") != "case.opened" || !strings.HasPrefix(d.Find("title").Text(), "Error: ") {
			t.Errorf("%s: %d %s", wrong.address, a.StatusCode, words(d.Find(".errors")))
		}
	}
	for _, events := range [][]string{nil, {"event", "nothing.such"}, {"event", "case.opened", "event", "webhook.test"}} {
		a := b.post("/admin/webhooks", append([]string{"address", "https://app.lumen.example/"}, events...)...)
		if a.StatusCode != http.StatusUnprocessableEntity || a.document(t).Find(".errors a[href='#event']").Length() != 1 {
			t.Errorf("%v: %d", events, a.StatusCode)
		}
	}
	a := b.post("/admin/webhooks", "address", "https://app.lumen.example/hooks", "event", "access.changed", "event", "case.opened")
	secret := words(a.document(t).Find(".flash .secret"))
	if a.StatusCode != http.StatusOK || !strings.HasPrefix(secret, "whsec_") {
		t.Fatalf("it is not made: %d\n%s", a.StatusCode, a.body)
	}
	var e webhook.Endpoint
	h.do(func(tx *sql.Tx) error {
		all, err := h.endpoints.All(t.Context(), tx)
		if err != nil || len(all) != 1 {
			t.Fatalf("%d endpoints, %v", len(all), err)
		}
		e = all[0]
		var found int
		err = tx.QueryRow(`SELECT count(*) FROM webhook_endpoints WHERE secret LIKE $1`, "%"+strings.TrimPrefix(secret, "whsec_")+"%").Scan(&found)
		if found > 0 {
			t.Error("the secret lies open in the database")
		}
		return err
	})
	at := "/admin/webhooks/" + e.ID
	if got := b.get(at); strings.Contains(got.body, secret) || strings.Contains(h.log.String(), secret) {
		t.Error("the secret is shown again, or is in the log")
	}
	renewed := words(b.post(at + "/secret").document(t).Find(".flash .secret"))
	if !strings.HasPrefix(renewed, "whsec_") || renewed == secret {
		t.Errorf("renewed %q", renewed)
	}
	signatures := func() int {
		t.Helper()
		n := 0
		h.do(func(tx *sql.Tx) error {
			var err error
			e, err = h.endpoints.Find(t.Context(), tx, e.ID)
			if err != nil {
				return err
			}
			signed, err := h.endpoints.Sign(e, webhook.Delivery{MessageID: "msg_1", Body: "{}"}, h.clock())
			n = len(strings.Fields(signed.Signature))
			return err
		})
		return n
	}
	if n := signatures(); n != 2 {
		t.Errorf("just renewed it is signed %d times", n)
	}
	h.later(24 * time.Hour)
	if n := signatures(); n != 1 {
		t.Errorf("a day later it is signed %d times", n)
	}
	b = h.member(staff.Admin)
	b.post(at+"/test").leadsTo(t, at+"?done=hook_tested")
	if got := words(b.page(at).Find("tbody")); !strings.Contains(got, "webhook.test") || !strings.Contains(got, "Waiting") {
		t.Errorf("the test is not in the list: %s", got)
	}
	b.post(at+"/disable").leadsTo(t, at+"?done=hook_disabled")
	d = b.page(at)
	if d.Find("form[action='"+at+"/test'], form[action$='/again']").Length() != 0 || !strings.Contains(words(d.Find("tbody")), "Failed") {
		t.Errorf("a disabled endpoint: %s", words(d.Find("main")))
	}
	if a := b.post(at + "/test"); a.StatusCode != http.StatusConflict {
		t.Errorf("a test of a disabled endpoint: %d", a.StatusCode)
	}
	b.post(at+"/enable").leadsTo(t, at+"?done=hook_enabled")
	b.post(at+"/again").leadsTo(t, at+"?done=hook_again")
	if got := words(b.page(at).Find("tbody")); !strings.Contains(got, "Waiting") {
		t.Errorf("what was given up is not on its way again: %s", got)
	}
	b.post(at, "address", "https://app.lumen.example/other", "event", "case.opened").leadsTo(t, at+"?done=hook_changed")
	if d = b.page(at); d.Find("#address").AttrOr("value", "") != "https://app.lumen.example/other" || d.Find("[name=event][checked]").Length() != 1 {
		t.Error("it is not changed")
	}
	// The audit log says where messages went, and no token that stands in the address.
	b.post(at, "address", "https://crm.lumen.example:8443/in/s3cr3t?key=t0ken", "event", "case.opened").leadsTo(t, at+"?done=hook_changed")
	h.do(func(tx *sql.Tx) error {
		got, err := database.Strings(t.Context(), tx, `SELECT action || ' ' || detail FROM audit WHERE action IN ('webhook.added', 'webhook.changed') ORDER BY seq`)
		want := []string{"webhook.added https://app.lumen.example", "webhook.changed https://app.lumen.example", "webhook.changed https://crm.lumen.example:8443"}
		if !slices.Equal(got, want) {
			t.Errorf("the audit log says %q, want %q", got, want)
		}
		return err
	})
	b.post(at+"/remove").leadsTo(t, "/admin/webhooks?done=hook_removed")
	for _, gone := range []string{at, "/admin/webhooks/nothing"} {
		if a := b.get(gone); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", gone, a.StatusCode)
		}
	}
	h.do(func(tx *sql.Tx) error {
		var left int
		err := tx.QueryRow(`SELECT count(*) FROM webhook_deliveries`).Scan(&left)
		if left > 0 {
			t.Errorf("%d deliveries are left of it", left)
		}
		return err
	})
}

// An endpoint that has taken nothing for three days is told of on Today: to everybody, with the way there for who may go it.
func TestTodayTellsOfAnEndpointThatHearsNothing(t *testing.T) {
	h := newHouse(t)
	id, _ := h.endpoint("https://app.lumen.example/hooks")
	fails := func(ago time.Duration) {
		h.do(func(tx *sql.Tx) error {
			_, err := tx.Exec(`UPDATE webhook_endpoints SET failing_since = $1 WHERE id = $2`, h.clock().Add(-ago).Unix(), id)
			return err
		})
	}
	const says = "Your app has taken no webhook for three days."
	fails(71 * time.Hour)
	if got := h.member(staff.Admin).page("/admin").Find("main").Text(); strings.Contains(got, says) {
		t.Error("three days are not over")
	}
	fails(72 * time.Hour)
	for _, role := range staff.Roles() {
		d := h.member(role).page("/admin")
		if !strings.Contains(d.Find("main").Text(), says) || d.Find("main a[href='/admin/webhooks']").Length() > 0 != role.May(staff.Administer) {
			t.Errorf("%s is told %s", role, words(d.Find("main .flash")))
		}
	}
	h.do(func(tx *sql.Tx) error { return h.endpoints.Disable(t.Context(), tx, id, h.clock()) })
	if got := h.member(staff.Admin).page("/admin").Find("main").Text(); strings.Contains(got, says) {
		t.Error("a disabled endpoint is held to be deaf")
	}
}
