package portal_test

import (
	"database/sql"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sollecito/internal/dunning"
)

// While all sending is stopped no page names a time for the next message, nor a rule for which it waits: none comes then.
func TestNoTimeIsNamedWhileSendingIsStopped(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := &scene{house: h, customer: h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")}
	h.clock.set(h.clock.now().Add(4 * day)) // a Friday: day 1 is a Saturday
	h.fail(s.customer, "insufficient_funds")
	b := s.visit()
	if got := b.text("main"); !strings.Contains(got, "the next on Monday") || b.text("[data-because]") == "" {
		t.Fatalf("before: %s", got)
	}
	stop := func(work func(tx *sql.Tx) error) {
		t.Helper()
		err := h.portal.DB.Do(t.Context(), work)
		if err != nil {
			t.Fatal(err)
		}
	}
	stop(func(tx *sql.Tx) error { return dunning.StopSending(t.Context(), tx, "Ines", "", h.clock.now()) })
	for _, path := range []string{"/pay", "/pay/choices"} {
		got := b.get(path).text("main")
		if strings.Contains(got, "the next on") || b.text("[data-because]") != "" || !strings.Contains(got, "If they resume, you will get at most") {
			t.Errorf("%s while sending is stopped: %s", path, got)
		}
	}
	stop(func(tx *sql.Tx) error { return dunning.ResumeSending(t.Context(), tx) })
	if got := b.get("/pay").text("main"); !strings.Contains(got, "the next on Monday") {
		t.Errorf("afterwards: %s", got)
	}
}

// The reason that is read is that of the next message, not that of the step after it.
func TestTheReasonIsThatOfTheNextMessage(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := &scene{house: h, customer: h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")}
	h.fail(s.customer, "do_not_honor")
	h.catcher.Close() // the mail server goes away before the first message leaves, on Tuesday at ten
	h.walk(25 * time.Hour)
	got := s.visit()
	if why := got.text("[data-because]"); why != "" {
		t.Errorf("the mail waits for its server, and the page says %q:\n%s", why, got.text("main"))
	}
	if !strings.Contains(got.text("main"), "the next on Tuesday") {
		t.Errorf("the page says: %s", got.text("main"))
	}
}

// Whoever no mail reaches reads that what is still to come will be said in the app, and nowhere else.
func TestThePlanOfWhoHasNoAddressIsTheAppAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := &scene{house: h, customer: h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")}
	h.ask("customers/"+s.customer, url.Values{"email": {""}})
	h.fail(s.customer, "do_not_honor")
	lines := func() string {
		return s.visit().get("/pay/choices").at("/pay/choices", http.StatusOK).text("section[aria-labelledby=ahead]")
	}
	if got := lines(); strings.Contains(got, "email") || !strings.Contains(got, "In Lumen Studio") {
		t.Errorf("without an address: %s", got)
	}
	h.ask("customers/"+s.customer, url.Values{"email": {"anneke@waal.example"}})
	h.settle()
	if got := lines(); !strings.Contains(got, "By email and in Lumen Studio") {
		t.Errorf("with one: %s", got)
	}
}
