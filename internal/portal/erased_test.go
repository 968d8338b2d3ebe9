package portal_test

import (
	"bytes"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"sollecito/internal/audit"
	"sollecito/internal/databasetest"
	"sollecito/internal/dunning"
	"sollecito/internal/intake"
	"sollecito/internal/privacy"
	"sollecito/internal/sandbox"
	"sollecito/internal/staff"
)

// erase erases a customer as the command does, beside the running portal.
func (h *house) erase(customer string) error {
	h.t.Helper()
	e := privacy.Eraser{DB: h.portal.DB, Cases: dunning.NewCases(dunning.Rules{}), Now: h.clock.now, Real: time.Now}
	_, err := e.Erase(h.t.Context(), customer, "command")
	return err
}

// everything is what the database holds of a customer as an export tells it.
func (h *house) everything(customer string) string {
	h.t.Helper()
	var b strings.Builder
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error { return privacy.Export(h.t.Context(), tx, &b, customer, monday) })
	if err != nil {
		h.t.Fatal(err)
	}
	return b.String()
}

// sameAsUnknown finds an address answered as one is that nobody knows.
func (h *house) sameAsUnknown(path, unknown string) {
	h.t.Helper()
	status, _, body := h.fetch(path)
	wantStatus, _, wantBody := h.fetch(unknown)
	if status != wantStatus || body != wantBody {
		h.t.Errorf("%s is answered with %d, %s with %d, or by another page", path, status, unknown, wantStatus)
	}
}

// Somebody who owes, wrote, promised and was written to is erased while the portal runs. Their links and session end with
// the next request, what waits for them never goes out, staff are told what happened to them, and whatever Stripe says
// later brings nothing back.
func TestAnErasedCustomerIsGone(t *testing.T) {
	t.Parallel()
	h := open(t, withInbound, asCollector)
	customer := h.customer("Anneke Vanishing", "anneke@devries.example", "NL", "pm_card_mastercard")
	other := h.customer("Bruno Staying", "bruno@staying.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	h.fail(other, "insufficient_funds")
	h.walk(24 * time.Hour)
	first := h.mailsTo("anneke@devries.example")[0]
	stop := regexp.MustCompile(`/pay/stop/[\w-]{43}`).FindString(first.Header("List-Unsubscribe"))
	b := h.browser()
	b.get(linkIn(t, first)).at("/pay", http.StatusOK)
	b.get("/pay/support").post("/pay/support", url.Values{"text": {"My son Willem lost his job. — Anneke"}})
	b.get("/pay").at("/pay", http.StatusOK)
	colleague := h.colleague(staff.Admin)
	colleague.get("/admin/customers/"+customer).at("/admin/customers/"+customer, http.StatusOK)
	h.settle()
	if told := h.everything(customer); !strings.Contains(told, "Anneke Vanishing") || !strings.Contains(told, "My son Willem") || !strings.Contains(told, "customer.viewed") {
		t.Fatalf("the export lacks something: %s", told)
	}

	// A reply waits to be sent when the erasing comes: the mail server is away.
	h.clock.set(h.clock.now().Add(time.Minute))
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		talk, _, err := h.portal.Talks.OfCustomer(t.Context(), tx, customer)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(t.Context(), `
			INSERT INTO notices (id, kind, channel, customer_id, case_id, step, subject_id, recipient, status, reason, counts, attempts, created_at, due_at,
				lease_until, settled_at, message_id, dated, subject)
			VALUES ('ntc_waits', 'reply', 'email', $1, '', '', $2, 'anneke@devries.example', 'queued', '', false, 0, 0, $3, 0, 0, '', 0, '')`,
			customer, talk.ID, h.clock.now().Add(time.Hour).Unix())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	mails, owing := len(h.catcher.Mails()), h.count(`SELECT count(*) FROM cases WHERE status = 'open'`)
	cases := h.count(`SELECT count(*) FROM cases`)
	err = h.erase(customer)
	if err != nil {
		t.Fatal(err)
	}

	h.sameAsUnknown(strings.TrimPrefix(linkIn(t, first), h.base), "/l/"+strings.Repeat("x", 43))
	h.sameAsUnknown(stop, "/pay/stop/"+strings.Repeat("x", 43))
	b.get("/pay").at("/pay", http.StatusUnauthorized)
	b.post("/pay/support", url.Values{"text": {"I am still here"}})
	got, want := h.banner(customer), h.banner("cus_nobody")
	if got != want {
		t.Errorf("the banner answers %d, of somebody unknown %d", got, want)
	}
	if h.count(`SELECT count(*) FROM cases WHERE status = 'open'`) != owing-1 || h.count(`SELECT count(*) FROM cases`) != cases {
		t.Error("their case is open, or gone")
	}

	// Staff are told; lists and links go on.
	page := colleague.get("/admin/customers/"+customer).at("/admin/customers/"+customer, http.StatusNotFound).text("main")
	if !strings.Contains(page, "was erased on 3 November 2026") {
		t.Errorf("their page says %s", page)
	}
	for _, address := range []string{"/admin", "/admin?view=open", "/admin/inbox", "/admin/audit", "/admin?q=" + customer, "/admin?q=vanishing", "/admin/imported"} {
		colleague.get(address)
		if colleague.status != http.StatusOK || strings.Contains(colleague.page.Text(), "Anneke") {
			t.Errorf("%s answers %d: %s", address, colleague.status, colleague.text("main"))
		}
	}
	colleague.get("/admin?q=" + customer)
	if !strings.Contains(colleague.text("main"), "Erased customer") {
		t.Errorf("looked for by the id: %s", colleague.text("main"))
	}

	// Stripe goes on telling of them, by each of its ways; a bounce and a reply come late.
	_, err = h.stripe.FailRenewal(customer, "do_not_honor")
	if err != nil {
		t.Fatal(err)
	}
	h.ask("customers/"+customer, url.Values{"name": {"Anneke Vanishing"}, "email": {"anneke2@devries.example"}})
	h.settle()
	err = errors.Join(h.comes("anneke@devries.example", replyTo(first), "From: Anneke <anneke@devries.example>\nSubject: Re\nMessage-ID: <1@x>\n\nWhat about Willem?\n"), h.portal.Intake.Replay(t.Context(), h.anEvent(customer)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.portal.Intake.Import(t.Context(), func(intake.Imported) {})
	if err != nil {
		t.Fatal(err)
	}
	h.walk(5 * time.Hour)
	err = h.comes("anneke@devries.example", replyTo(first), "Willem has no header\n\nAnneke\n") // nothing that can be read
	if err != nil {
		t.Fatal(err)
	}
	h.walk(40 * 24 * time.Hour)
	_, err = h.portal.Intake.Import(t.Context(), func(intake.Imported) {})
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	for _, m := range h.catcher.Mails()[mails:] {
		if m.To != "bruno@staying.example" || strings.Contains(m.Text, "Anneke") {
			t.Errorf("a mail to %s: %s", m.To, m.Subject)
		}
	}
	for _, line := range strings.Split(h.everything(customer), "\n") {
		for _, word := range []string{"Anneke", "anneke", "devries", "Willem", "4444"} {
			if strings.Contains(line, word) {
				t.Errorf("%s is back: %s", word, line)
			}
		}
	}
	for _, waits := range []string{
		`SELECT count(*) FROM events WHERE status = 'received' OR status = 'parked'`, `SELECT count(*) FROM rereads WHERE customer_id = '` + customer + `'`,
		`SELECT count(*) FROM arrivals`, `SELECT count(*) FROM methods WHERE customer_id = '` + customer + `'`,
		`SELECT count(*) FROM cases WHERE status = 'open' AND customer_id = '` + customer + `'`,
	} {
		n := h.count(waits)
		if n != 0 {
			t.Errorf("%d: %s", n, waits)
		}
	}
	if h.count(`SELECT count(*) FROM customers WHERE name = 'Bruno Staying'`) != 1 || len(h.mailsTo("bruno@staying.example")) < 3 {
		t.Error("somebody else was touched")
	}
	err = h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		_, _, err := audit.Verify(t.Context(), tx)
		return err
	})
	if err != nil {
		t.Errorf("the audit log: %v", err)
	}
	if strings.Contains(h.log.String(), "level=ERROR") {
		t.Errorf("errors in the log: %s", h.log.String())
	}
	h.nothingIn("Anneke", "anneke", "devries", "Willem")
}

// anEvent answers an event that tells of a customer.
func (h *house) anEvent(customer string) string {
	h.t.Helper()
	id := ""
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT min(id) FROM events WHERE type = 'invoice.payment_failed' AND customer_id = $1`, customer).Scan(&id)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

// nothingIn looks for words in the files of the database, in free pages and the log of writes too, once the file was
// written anew. A server's files are its own.
func (h *house) nothingIn(words ...string) {
	h.t.Helper()
	if databasetest.OnPostgres() {
		return
	}
	err := h.portal.DB.Scrub(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	size := 0
	for _, suffix := range []string{"", "-wal"} {
		text, err := os.ReadFile(h.portal.DB.Path() + suffix)
		if err != nil {
			h.t.Fatal(err)
		}
		size += len(text)
		for _, word := range words {
			if at := bytes.Index(text, []byte(word)); at >= 0 {
				h.t.Errorf("%s stands in the file: %q", word, text[max(0, at-100):min(len(text), at+100)])
			}
		}
	}
	if size == 0 {
		h.t.Error("there is no file")
	}
}

// A mail that is being handed to the mail server is not torn out of its hands: erasing is refused until it has ended, and
// leaves nothing then.
func TestErasingWaitsForAMailThatIsOnItsWay(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke Vanishing", "anneke@devries.example", "NL", "pm_card_visa")
	h.catcher.SetFault(sandbox.Fault{Place: sandbox.FaultSilence, Recipient: "devries", Count: 1})
	_, err := h.stripe.FailRenewal(customer, "expired_card")
	if err != nil {
		t.Fatal(err)
	}
	settled := make(chan struct{})
	go func() { h.settle(); close(settled) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); len(h.mailsTo("anneke@devries.example")) == 0; <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("no mail was begun")
		}
	}
	var busy *privacy.Busy
	err = h.erase(customer)
	if !errors.As(err, &busy) || !strings.Contains(err.Error(), "a mail that is being handed to the mail server") {
		t.Errorf("erasing in the dialogue answers %v", err)
	}
	if !strings.Contains(h.everything(customer), "Anneke Vanishing") {
		t.Error("it was erased all the same")
	}
	h.catcher.Close() // the dialogue breaks: nobody knows whether the mail arrived
	<-settled
	err = h.erase(customer)
	if err != nil {
		t.Fatal(err)
	}
	n := h.count(`SELECT count(*) FROM notices WHERE status = 'uncertain' AND recipient = ''`)
	if n != 1 {
		t.Errorf("%d mails are kept as uncertain", n)
	}
	h.nothingIn("Anneke", "devries")
}
