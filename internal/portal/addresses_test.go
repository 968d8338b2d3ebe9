package portal_test

import (
	"database/sql"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sollecito/internal/link"
	"sollecito/internal/staff"
)

// What stands at Stripe as an address and is none is treated as one that mail came back from: the next contact hears of
// it, or the app does, and staff; nothing is tried again and again.
func TestAnAddressThatIsNone(t *testing.T) {
	t.Parallel()
	h := open(t)
	customers := map[string]string{}
	for name, address := range map[string]string{"Dora": ".dot@waal.example", "Quirin": `"a b"@waal.example`} {
		customer := h.customer(name, address, "NL", "pm_card_visa")
		if name == "Quirin" {
			h.ask("customers/"+customer, url.Values{"metadata[billing_contacts]": {"finance@waal.example"}})
		}
		h.fail(customer, "insufficient_funds")
		customers[name] = customer
	}
	h.walk(25 * time.Hour)
	if got := h.count(`SELECT count(*) FROM notices WHERE channel = 'email' AND status IN ('queued', 'sending', 'failed')`); got != 0 {
		t.Errorf("%d mails are still tried", got)
	}
	if got := h.count(`SELECT count(*) FROM suppressions WHERE lifted_at = 0`); got != 2 {
		t.Errorf("%d addresses are held back, want 2", got)
	}
	if got := len(h.mailsTo("finance@waal.example")); got != 1 {
		t.Errorf("the other contact got %d mails", got)
	}
	agent := h.colleague(staff.Agent)
	for name, why := range map[string]string{"Dora": "It is no address that mail can be sent to", "Quirin": "Quotation marks stand before its @"} {
		if got := agent.get("/admin/customers/" + customers[name]).text("main"); !strings.Contains(got, why) {
			t.Errorf("staff are not told of %s that %q: %s", name, why, got)
		}
	}
	if got := h.count(`SELECT count(*) FROM notices n JOIN customers c ON c.id = n.customer_id WHERE c.name = 'Dora' AND n.channel = 'app' AND n.status <> 'skipped'`); got != 1 {
		t.Errorf("%d notices wait in the app", got)
	}
}

// Whoever has no address that works can still write to staff from the page.
func TestAMessageOfSomebodyWithoutAnAddress(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Dora", ".dot@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	h.settle()
	b := h.browser()
	var token string
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		var err error
		token, err = link.Issue(t.Context(), tx, link.Link{CustomerID: customer, Language: "en", IssuedAt: h.clock.now().Unix()})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.get("/l/"+token).at("/pay", http.StatusOK)
	b.post("/pay/support", url.Values{"text": {"Which card is it?"}})
	h.settle()
	mails := h.mailsTo("billing@lumen.example")
	if len(mails) != 1 || mails[0].Headers["Reply-To"] != "" {
		t.Fatalf("%d mails to staff: %v", len(mails), mails)
	}
}
