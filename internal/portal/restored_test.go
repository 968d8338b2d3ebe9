package portal_test

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/dunning"
	"sollecito/internal/portal"
	"sollecito/internal/staff"
)

// copied answers the address of a copy of the database as it is now. PostgreSQL's tools know of no mark: there it is said
// of the copy when it was taken, as `sollecito migrate --restored` does.
func (h *house) copied() string {
	h.t.Helper()
	if !databasetest.OnPostgres() {
		to := filepath.Join(h.t.TempDir(), "copy.db")
		err := h.portal.DB.Copy(h.t.Context(), to, false, h.clock.now())
		if err != nil {
			h.t.Fatal(err)
		}
		return "sqlite:" + to
	}
	twin := databasetest.Twin(h.t, h.config.DatabaseURL)
	for range 20 { // connections that it cut off are found out as they are used
		_ = h.portal.DB.Check(h.t.Context())
	}
	db, err := database.Open(h.t.Context(), twin)
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	err = db.Do(h.t.Context(), func(tx *sql.Tx) error { return database.MarkCopy(h.t.Context(), tx, h.clock.now()) })
	if err != nil {
		h.t.Fatal(err)
	}
	return twin
}

// putBack stops the program and begins it anew on another database.
func (h *house) putBack(address string) {
	h.t.Helper()
	h.stop()
	h.config.DatabaseURL = address
	door, err := net.Listen("tcp", h.config.Listen)
	if err != nil {
		h.t.Fatal(err)
	}
	h.begin(door)
}

// said answers what was mailed, as far as the mail server took it: whom, which message, and its step.
func (h *house) said() []string {
	h.t.Helper()
	var all []string
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		var err error
		all, err = database.Strings(h.t.Context(), tx, `
			SELECT c.name || ' ' || n.kind || ' ' || n.step FROM notices n JOIN customers c ON c.id = n.customer_id
			WHERE n.channel = 'email' AND n.status = 'sent' ORDER BY 1`)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

const walked = `name: walked
title: Walked
retries: {days: [1, 3, 5, 7], at: "09:00"}
steps:
  - key: first
    day: 0
    at: "00:01"
    channels: [email]
  - key: second
    day: 2
    at: "10:00"
    channels: [email]
  - key: notice
    day: 5
    at: "10:00"
    channels: [email]
    announces: true
    access: grace
  - key: restricted
    day: 12
    at: "10:00"
    channels: [email]
    consequence: true
    access: restricted
`

// A backup of yesterday is put back after mails went out, invoices were paid, a day of payment was charged and another one
// withdrawn. Nobody is mailed or charged a second time, the campaigns go on, and staff say when.
func TestADatabaseThatIsPutBackSaysAndChargesNothingTwice(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(walked)
	people := map[string]string{} // customers by their first names
	invoices := map[string]string{}
	fails := func(name, code string) {
		people[name] = h.customer(name, strings.ToLower(name)+"@waal.example", "NL", "pm_card_visa")
		invoices[name] = h.fail(people[name], code)
		h.ask("invoices/"+invoices[name], url.Values{"auto_advance": {"false"}})
		h.settle()
	}
	for _, name := range []string{"Walks", "Pays", "Promises", "Withdraws"} {
		fails(name, "insufficient_funds")
	}
	h.walk(time.Hour)
	for _, name := range []string{"Promises", "Withdraws"} {
		b := h.browser()
		b.get(linkIn(t, h.mailsTo(strings.ToLower(name) + "@waal.example")[0])).at("/pay", http.StatusOK)
		h.chooses(b, "charge", 1)
		b.press("/pay/promise").at("/pay", http.StatusOK)
	}
	h.settle()
	fails("Waits", "insufficient_funds")
	h.walk(4 * time.Hour)

	// One mail waits to leave when the copy is taken.
	people["Queued"] = h.customer("Queued", "queued@waal.example", "NL", "pm_card_visa")
	_, err := h.stripe.FailRenewal(people["Queued"], "insufficient_funds")
	if err != nil {
		t.Fatal(err)
	}
	err = h.stripe.DeliverWebhooks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.portal.Runner.Drain(t.Context(), "events", "schedule")
	if err != nil {
		t.Fatal(err)
	}
	if h.count(`SELECT count(*) FROM notices WHERE status = 'queued'`) == 0 {
		t.Fatal("no mail waits")
	}
	copied := h.copied()
	h.settle()

	// What the copy knows nothing of.
	h.ask("invoices/"+invoices["Pays"]+"/pay", url.Values{"paid_out_of_band": {"true"}})
	h.settle()
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("withdraws@waal.example")[0])).at("/pay", http.StatusOK)
	b.get("/pay/promise/end").press("/pay/promise/end")
	err = h.stripe.Relent(invoices["Promises"], time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	fails("Fresh", "insufficient_funds")
	h.walk(2 * day)
	before := h.said()
	for _, want := range []string{"Walks reminder second", "Pays settled settled", "Promises settled settled", "Fresh reminder first", "Queued reminder first"} {
		if !slices.Contains(before, want) {
			t.Fatalf("in the time the copy knows nothing of %q was not said: %q", want, before)
		}
	}
	charges, mails := h.allCharges(people, invoices), len(h.catcher.Mails())
	if h.status(invoices["Promises"]) != "paid" || h.promise(people["Withdraws"]).Status != dunning.PromiseWithdrawn {
		t.Fatalf("the promises did not come out as meant: %s, %s", h.status(invoices["Promises"]), h.promise(people["Withdraws"]).Status)
	}

	h.putBack(copied)
	inCopy := h.said()
	if slices.Contains(inCopy, "Walks reminder second") {
		t.Fatalf("that is no copy of before: %q", inCopy)
	}
	desk := h.staffIn()
	if got := desk.get("/admin").text(".flash"); !strings.Contains(got, "put back from a copy of") || !strings.Contains(got, "All sending is stopped") {
		t.Errorf("staff are told %q", got)
	}
	if got := desk.get("/admin/sending").text("main"); !strings.Contains(got, "being read") || desk.page.Find("form[action='/admin/sending/resume']").Length() > 0 {
		t.Errorf("before Stripe is read: %s", got)
	}
	desk.post("/admin/sending/resume", nil)
	if !h.sending().PutBack() {
		t.Fatal("sending was resumed before Stripe was read")
	}
	_, err = h.portal.Runner.Drain(t.Context(), "reconcile")
	if err != nil {
		t.Fatal(err)
	}
	if h.count(`SELECT count(*) FROM rereads`) == 0 || h.count(`SELECT count(*) FROM events WHERE status = 'received'`) == 0 {
		t.Fatal("the catch-up left nothing to be read")
	}
	if got := desk.get("/admin/sending").text("main"); !strings.Contains(got, "being read") {
		t.Errorf("when Stripe's lists are read, and nobody of them yet: %s", got)
	}
	desk.post("/admin/sending/resume", nil)
	if !h.sending().PutBack() {
		t.Fatal("sending was resumed before those were read who owe")
	}
	// Whom Stripe does not know is asked for again tomorrow, and holds up nobody.
	err = h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO rereads (customer_id, asked_at, due_at) SELECT 'cus_gone', max(asked_at), max(asked_at) FROM rereads`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	h.walk(5 * time.Hour)
	if got := h.allCharges(people, invoices); got != charges || len(h.catcher.Mails()) != mails {
		t.Fatalf("before sending is resumed: %d mails and %s, want %d and %s", len(h.catcher.Mails()), got, mails, charges)
	}
	if h.caseOf(people["Pays"]).Status != dunning.Recovered || h.caseOf(people["Promises"]).Status != dunning.Recovered {
		t.Error("what was paid since is not known")
	}
	desk.get("/admin/sending").press("/admin/sending/resume")
	if h.sending().Stopped {
		t.Fatalf("sending cannot be resumed: %s", desk.text("main"))
	}
	h.walk(14 * day)

	again := slices.DeleteFunc(h.said(), func(said string) bool { return slices.Contains(inCopy, said) })
	for _, said := range again {
		if slices.Contains(before, said) {
			t.Errorf("%q was said once more", said)
		}
	}
	for _, name := range []string{"Walks", "Waits", "Fresh", "Queued"} {
		if !slices.Contains(again, name+" reminder notice") {
			t.Errorf("the campaign of %s did not go on: %q", name, again)
		}
	}
	for name, invoice := range invoices {
		paid := 0
		for _, c := range h.chargesOf(people[name], invoice) {
			if strings.HasSuffix(c, "succeeded") {
				paid++
			}
		}
		if want := map[bool]int{true: 1}[name == "Promises"]; paid != want {
			t.Errorf("%s was charged %d times, want %d: %q", name, paid, want, h.chargesOf(people[name], invoice))
		}
	}
	// Stripe's own first try, our retry of the day the copy does not know, and the three that were left.
	if tries := h.chargesOf(people["Walks"], invoices["Walks"]); len(tries) != 5 {
		t.Errorf("tries %q", tries)
	}
	if p := h.promise(people["Withdraws"]); p.Status != dunning.PromiseBroken || !strings.Contains(p.Why, "put back from a copy") {
		t.Errorf("the promise that was withdrawn since is %s: %s", p.Status, p.Why)
	}
}

// An act that was ordered when the copy was taken is not carried out by itself: it may have been called off since. A person
// is asked again.
func TestAFinalActOfACopyWaitsForAPersonAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer, _ := h.toTheEnd("cancel")
	manager := h.colleague(staff.Manager)
	sub, _ := h.subscription(customer)["id"].(string)
	manager.post("/admin/cases/"+h.caseOf(customer).ID+"/final", url.Values{"object": {sub}})
	if got := h.finalOf(customer).Status; got != dunning.FinalOrdered {
		t.Fatalf("the act is %s: %s", got, manager.text("main"))
	}
	h.putBack(h.copied())
	h.settle()
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error { return dunning.ResumeSending(t.Context(), tx) })
	if err != nil {
		t.Fatal(err)
	}
	h.walk(2 * day)
	if got, status := h.finalOf(customer).Status, h.subscription(customer)["status"]; got != dunning.FinalProposed || status != "past_due" {
		t.Errorf("the act is %s, the subscription %v", got, status)
	}
	// The same manager decides once more, and it is done.
	manager = h.signedIn(staff.Manager)
	manager.post("/admin/cases/"+h.caseOf(customer).ID+"/final", url.Values{"object": {sub}})
	h.settle()
	if got, status := h.finalOf(customer).Status, h.subscription(customer)["status"]; got != dunning.FinalDone || status != "canceled" {
		t.Errorf("after a second yes the act is %s, the subscription %v", got, status)
	}
}

// An old cookie lets nobody into a database that was put back: they may have been shut out since. What the merchant's app was
// not told yet in it is old news, and waits until staff resume sending.
func TestOfACopyNobodyIsSignedInAndTheAppIsToldLater(t *testing.T) {
	t.Parallel()
	h := open(t, reachable)
	h.apply(walked)
	admin := h.colleague(staff.Admin)
	app := h.listens(t, admin, "case.opened")
	h.fail(h.customer("Anneke", "anneke@waal.example", "NL", "pm_card_visa"), "insufficient_funds")
	h.walk(time.Hour)
	customer := h.browser()
	customer.get(linkIn(t, h.mailsTo("anneke@waal.example")[0])).at("/pay", http.StatusOK)
	_, err := h.stripe.FailRenewal(h.customer("Waits", "waits@waal.example", "NL", "pm_card_visa"), "insufficient_funds")
	if err != nil {
		t.Fatal(err)
	}
	err = h.stripe.DeliverWebhooks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.portal.Runner.Drain(t.Context(), "events")
	if err != nil {
		t.Fatal(err)
	}
	copied := h.copied()
	h.settle()
	if len(app.ids) != 2 {
		t.Fatalf("the app was told %q", app.ids)
	}

	h.putBack(copied)
	h.settle()
	h.walk(time.Hour)
	if len(app.ids) != 2 {
		t.Errorf("before sending is resumed the app is told %q", app.ids)
	}
	admin.get("/admin").at("/admin/signin", http.StatusOK)
	customer.get("/pay").at("/pay", http.StatusUnauthorized)
	err = h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error { return dunning.ResumeSending(t.Context(), tx) })
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	if len(app.ids) != 3 || app.ids[2] != app.ids[1] {
		t.Errorf("once it is resumed the app was told %q", app.ids)
	}
}

// Two programs that start at once on one server's database put it back once: the second waits, longer than for any lock and
// saying so, and finds that it is done.
func TestOfTwoProgramsThatStartAtOnceOnePutsTheCopyBack(t *testing.T) {
	t.Parallel()
	if !databasetest.OnPostgres() {
		return // whose file belongs to one program
	}
	h := open(t)
	address := h.copied()
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	settings := *h.config
	settings.DatabaseURL = address
	var group sync.WaitGroup
	programs := make([]*portal.Portal, 2)
	failed := make([]error, len(programs))
	var said lockedBuffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		// What the first one writes first is kept from it until both are at work.
		err := database.SetSetting(t.Context(), tx, "unknown_time", "")
		if err != nil {
			return err
		}
		for i := range programs {
			group.Go(func() {
				programs[i], failed[i] = portal.New(t.Context(), &settings, portal.Surroundings{Now: h.clock.now, Real: time.Now, Log: log, Rate: 2000, Free: h.room})
			})
		}
		waiting := 0
		for end := time.Now().Add(time.Minute); waiting < len(programs) && time.Now().Before(end); {
			err = db.See(t.Context(), func(tx *sql.Tx) error { // by its own, since one sees the same all the while
				return tx.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
			})
			if err != nil {
				return err
			}
		}
		if waiting < len(programs) {
			t.Errorf("%d programs came as far as to wait", waiting)
		}
		for end := time.Now().Add(time.Minute); !strings.Contains(said.String(), "this one waits for it") && time.Now().Before(end); {
			time.Sleep(100 * time.Millisecond) // the server's own time
		}
		return nil
	})
	group.Wait()
	if err != nil || errors.Join(failed...) != nil {
		t.Fatal(err, failed)
	}
	told := 0
	err = db.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRowContext(t.Context(), `SELECT count(*) FROM audit WHERE action = 'database.restored'`).Scan(&told)
	})
	if err != nil || told != 1 || !strings.Contains(said.String(), "this one waits for it") {
		t.Errorf("the copy was put back %d times, %v, and the log says\n%s", told, err, said.String())
	}
	for _, p := range programs {
		err = p.Close()
		if err != nil {
			t.Error(err)
		}
	}
}

// allCharges is what was charged at Stripe, in words.
func (h *house) allCharges(people, invoices map[string]string) string {
	var all []string
	for name, invoice := range invoices {
		all = append(all, fmt.Sprint(name, h.chargesOf(people[name], invoice)))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func (h *house) sending() dunning.Switch {
	h.t.Helper()
	var s dunning.Switch
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		var err error
		s, err = dunning.SendingSwitch(h.t.Context(), tx)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}
