package portal_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sollecito/internal/databasetest"
)

// Before a disk is full whoever sends requests here is told, and nothing is written to find out.
func TestReadinessLooksAtTheRoomLeft(t *testing.T) {
	t.Parallel()
	h := open(t)
	err := h.portal.Start(h.context)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		left   uint64
		status int
		says   string
	}{
		{1 << 40, http.StatusOK, "ok"},
		{60 << 20, http.StatusOK, "degraded 60 MiB are left on the disk of the database: soon nothing can be kept."},
		{31 << 20, http.StatusServiceUnavailable, "failed 31 MiB are left on the disk of the database: make room. A load balancer that asks sends nothing here meanwhile; without one the program takes in what still fits."},
		{200 << 20, http.StatusOK, "ok"},
	} {
		h.left.Store(tt.left)
		if databasetest.OnPostgres() {
			tt.status, tt.says = http.StatusOK, "" // the server's disk is the server's to watch
		}
		status, checks := h.ready()
		if status != tt.status || checks["disk"] != tt.says {
			t.Errorf("%d MiB: %d %q", tt.left>>20, status, checks)
		}
	}
}

// A disk that is full, or may only be read, is nothing that broke: whoever comes is told that it passes and when to come
// again.
func TestADatabaseThatTakesNothingPasses(t *testing.T) {
	t.Parallel()
	if databasetest.OnPostgres() {
		return // its own ways to refuse are in TestOutages
	}
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	h.walk(24 * time.Hour)
	link := linkIn(t, h.mailsTo("anneke@waal.example")[0])
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `PRAGMA query_only = 1`) // of the one connection that writes, for good
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b := h.browser()
	for _, path := range []string{link, "/l/" + strings.Repeat("x", 43), "/pay"} {
		b.get(path)
		if path == "/pay" && b.status == http.StatusUnauthorized {
			continue // nobody is signed in, which needs no writing to be said
		}
		if b.status != http.StatusServiceUnavailable || b.header.Get("Retry-After") == "" {
			t.Errorf("GET %s: %d, Retry-After %q: %s", path, b.status, b.header.Get("Retry-After"), b.text("main"))
		}
	}
	b.post("/pay/link", map[string][]string{"email": {"anneke@waal.example"}})
	if b.status != http.StatusServiceUnavailable || !strings.Contains(b.text("main"), "on our side") || !strings.Contains(b.text("main"), "try again") {
		t.Errorf("asking for a link: %d %q", b.status, b.text("main"))
	}
	b.post("/admin/signin", map[string][]string{"email": {"ines@lumen.example"}, "password": {"a long enough password"}})
	if b.status != http.StatusServiceUnavailable {
		t.Errorf("signing in: %d %q", b.status, b.text("main"))
	}
	// Stripe and others ask again and again meanwhile. That fills no log with what is the same for all.
	for n := range 100 {
		body := eventBody(fmt.Sprintf("evt_%d", n), "invoice.paid", "cus_none")
		if got := h.webhook(body, sign(body, h.stripe.WebhookSecret(), time.Now())); got != http.StatusServiceUnavailable {
			t.Errorf("a webhook was answered %d", got)
		}
	}
	said := h.log.String()
	if asked, told := strings.Count(said, "status=503 took="), strings.Count(said, `msg="request failed"`); asked < 100 || told == 0 || told > 60 {
		t.Errorf("%d requests were refused, and %d lines say why", asked, told)
	}
}
