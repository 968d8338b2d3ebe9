package portal_test

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"sollecito/internal/databasetest"
)

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
}
