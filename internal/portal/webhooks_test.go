package portal_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"sollecito/internal/audit"
	"sollecito/internal/campaign"
	"sollecito/internal/config"
	"sollecito/internal/dunning"
	"sollecito/internal/staff"
)

// merchantApp is the merchant's side: it takes webhooks over HTTP and believes what is signed for it.
type merchantApp struct {
	t      *testing.T
	h      *house
	site   *httptest.Server
	secret string // as a person copied it from the page

	mu       sync.Mutex
	answer   int // with which it answers, 0 for 204
	hangs    chan struct{}
	got      []told // believed and taken, each webhook-id once
	requests int
	ids      []string // of all requests
}

// told is one message as the app understands it.
type told struct {
	ID   string
	Type string    `json:"type"`
	At   time.Time `json:"timestamp"`
	Data struct{ Customer, Case, From, To, Status, Reason, At string }

	received time.Time // by the moved clock
}

// String is a message in a word or two for comparing: the day, the type, and what changed.
func (m told) String() string {
	words := fmt.Sprintf("%s %s", m.At.Format("2"), m.Type)
	if m.Type == "access.changed" {
		words += fmt.Sprintf(" %s→%s by %s", m.Data.From, m.Data.To, m.Data.Reason)
	} else if m.Data.From != "" {
		words += " from " + m.Data.From
	}
	return words
}

func reachable(c *config.Config) { c.HookNetworks = []string{"127.0.0.0/8"} }

// listens opens an app and has an administrator add its address, for these events or for all that the form offers.
func (h *house) listens(t *testing.T, b *browser, events ...string) *merchantApp {
	t.Helper()
	app := &merchantApp{t: t, h: h}
	app.site = httptest.NewServer(app)
	t.Cleanup(app.site.Close)
	form := url.Values{"address": {app.site.URL + "/hooks"}, "event": events}
	if len(events) == 0 {
		b.get("/admin/webhooks").page.Find("form[action='/admin/webhooks'] [name=event]").Each(func(_ int, box *goquery.Selection) {
			form.Add("event", box.AttrOr("value", ""))
		})
	}
	b.post("/admin/webhooks", form).at("/admin/webhooks", http.StatusOK)
	app.secret = b.text(".flash .secret")
	return app
}

// ServeHTTP takes a message as the specification tells a receiver to: the signature over id, time and body as they came, in
// constant time; a time that is not long ago; each id once.
func (a *merchantApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	id, stamp := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
	seconds, timeErr := strconv.ParseInt(stamp, 10, 64)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests++
	a.ids = append(a.ids, id)
	if a.hangs != nil {
		hangs := a.hangs
		a.mu.Unlock()
		<-hangs
		a.mu.Lock()
	}
	if err != nil || timeErr != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.URL.Path != "/hooks" {
		a.t.Errorf("%s %s %q: %v %v", r.Method, r.URL, r.Header, err, timeErr)
	}
	if age := time.Since(time.Unix(seconds, 0)); age < -5*time.Second || age > 5*time.Minute {
		a.t.Errorf("signed %s ago by the real clock", age)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(a.secret, "whsec_"))
	if err != nil {
		a.t.Error(err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, stamp, body)
	genuine := false
	for _, signature := range strings.Split(r.Header.Get("webhook-signature"), " ") {
		version, text, _ := strings.Cut(signature, ",")
		raw, err := base64.StdEncoding.DecodeString(text)
		genuine = genuine || version == "v1" && err == nil && hmac.Equal(raw, mac.Sum(nil))
	}
	if !genuine {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if a.answer != 0 {
		w.WriteHeader(a.answer)
		return
	}
	m := told{ID: id, received: a.h.clock.now()}
	err = json.Unmarshal(body, &m)
	if err != nil {
		a.t.Errorf("%s: %v", body, err)
	}
	for _, personal := range []string{"@", "Anneke", "in_", "29"} {
		if m.Type != "webhook.test" && strings.Contains(strings.NewReplacer(m.ID, "", m.Data.Case, "", m.Data.Customer, "", m.Data.At, "").Replace(string(body)), personal) {
			a.t.Errorf("a message says more than ids: %s", body)
		}
	}
	if !slices.ContainsFunc(a.got, func(o told) bool { return o.ID == id }) {
		a.got = append(a.got, m)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *merchantApp) answers(code int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = code
}

// of answers what it was told of a customer, in the order of the facts.
func (a *merchantApp) of(customer string) []told {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []told
	for _, m := range a.got {
		if m.Data.Customer == customer {
			all = append(all, m)
		}
	}
	slices.SortStableFunc(all, func(x, y told) int {
		if !x.At.Equal(y.At) {
			return x.At.Compare(y.At)
		}
		return strings.Compare(x.ID, y.ID) // ids sort as they were made
	})
	return all
}

func (a *merchantApp) heard(customer string, want ...string) {
	a.t.Helper()
	var got []string
	for _, m := range a.of(customer) {
		got = append(got, m.String())
	}
	if !slices.Equal(got, want) {
		a.t.Errorf("the app heard of %s\n  %s\nwant\n  %s", customer, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// believes is what the app allows a customer by what it was told alone.
func (a *merchantApp) believes(customer string) campaign.Access {
	access := "full"
	for _, m := range a.of(customer) {
		if m.Type != "access.changed" {
			continue
		}
		if m.Data.From != access {
			a.t.Errorf("access of %s goes from %s where it was %s", customer, m.Data.From, access)
		}
		access = m.Data.To
	}
	return campaign.Access(access)
}

func (h *house) accessOf(customer string) campaign.Access {
	h.t.Helper()
	var access campaign.Access
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		var err error
		access, err = h.portal.Cases.AccessOf(h.t.Context(), tx, customer)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return access
}

// The app hears each fact once, at the instant it becomes one, whatever brought it: the campaign's day, a payment, a bill
// written off, a member of staff. Between them it allows exactly what the portal does.
func TestTheAppHearsWhatHappens(t *testing.T) {
	t.Parallel()
	h := open(t, reachable)
	h.apply(escalating)
	b := h.colleague(staff.Admin)
	app, crm := h.listens(t, b), h.listens(t, b, "case.recovered")
	pays := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	voided := h.customer("Anneke Bakker", "bakker@waal.example", "NL", "pm_card_visa")
	pausedOne := h.customer("Anneke Smit", "smit@waal.example", "NL", "pm_card_visa")
	quick := h.customer("Anneke Mulder", "mulder@waal.example", "NL", "pm_card_visa")
	invoice, void, quickly := h.fail(pays, "insufficient_funds"), h.fail(voided, "insufficient_funds"), h.fail(quick, "insufficient_funds")
	h.fail(pausedOne, "insufficient_funds")
	everybody := []string{pays, voided, pausedOne, quick}
	agrees := func() {
		t.Helper()
		for _, c := range everybody {
			if believed, is := app.believes(c), h.accessOf(c); believed != is {
				t.Errorf("on %s the app allows %s %s, and they have %s", h.clock.now(), c, believed, is)
			}
		}
	}
	for range 20 {
		h.walk(24 * time.Hour)
		agrees()
		switch h.clock.now().Day() {
		case 3:
			h.comesIn(quickly)
		case 7: // before anything was taken from them
			c := h.latest(pausedOne)
			b.post("/admin/cases/"+c.ID+"/pause", url.Values{"reason": {"They called"}})
		case 13:
			h.ask("invoices/"+void+"/void", url.Values{})
			h.settle()
		}
	}
	h.comesIn(invoice)
	agrees()
	app.heard(quick, "2 case.opened", "3 case.recovered from open")
	app.heard(voided, "2 case.opened", "5 access.changed full→grace by step", "11 access.changed grace→restricted by step",
		"13 case.canceled from open", "13 access.changed restricted→full by nothing_owed")
	app.heard(pausedOne, "2 case.opened", "5 access.changed full→grace by step")
	app.heard(pays, "2 case.opened", "5 access.changed full→grace by step", "11 access.changed grace→restricted by step",
		"20 case.exhausted from open", "20 access.changed restricted→suspended by step",
		"22 case.recovered from exhausted", "22 access.changed suspended→full by paid")
	crm.heard(pays, "22 case.recovered from exhausted")
	for _, m := range append(app.of(pays), app.of(voided)...) {
		if late := m.received.Sub(m.At); late < 0 || late > time.Minute || m.Data.At != m.At.Format(time.RFC3339) || !strings.HasPrefix(m.Data.Case, "case_") {
			t.Errorf("%s came %s after the fact, at %s", m, late, m.Data.At)
		}
	}
	if app.requests != len(app.got) {
		t.Errorf("%d requests for %d messages", app.requests, len(app.got))
	}
}

func (h *house) comesIn(invoice string) {
	h.t.Helper()
	err := h.stripe.Pay(invoice, false)
	if err != nil {
		h.t.Fatal(err)
	}
	h.settle()
}

func (h *house) latest(customer string) dunning.Case {
	h.t.Helper()
	var c dunning.Case
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		var err error
		c, err = h.portal.Cases.LatestOf(h.t.Context(), tx, customer)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// Whoever is left out of the campaign to measure it keeps their access, and nothing tells the app otherwise.
func TestTheAppHearsThatTheHoldoutKeepsItsAccess(t *testing.T) {
	t.Parallel()
	h := open(t, reachable)
	h.apply(strings.Replace(escalating, "title: Escalating\n", "title: Escalating\nholdout: 50\n", 1))
	app := h.listens(t, h.colleague(staff.Admin))
	held, led := "", ""
	for n := 0; held == "" || led == ""; n++ {
		c := h.customer("Anneke de Vries", fmt.Sprintf("anneke%d@waal.example", n), "NL", "pm_card_visa")
		h.fail(c, "insufficient_funds")
		if h.latest(c).Holdout {
			held = c
		} else {
			led = c
		}
	}
	h.walk(20 * 24 * time.Hour)
	if app.believes(held) != campaign.Full || h.accessOf(held) != campaign.Full || app.believes(led) != campaign.Suspended || len(app.of(held)) == 0 {
		t.Errorf("the app heard of who is held out %v, of who is not %v", app.of(held), app.of(led))
	}
}

// An app that is down for a day hears everything afterwards, and the pages tell how it fares meanwhile.
func TestAnAppThatWasDownHearsEverythingAfterwards(t *testing.T) {
	t.Parallel()
	h := open(t, reachable)
	b := h.colleague(staff.Admin)
	app := h.listens(t, b)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	app.answers(http.StatusServiceUnavailable)
	invoice := h.fail(customer, "insufficient_funds")
	h.walk(time.Hour)
	page := "/admin/webhooks/" + h.endpoint(app)
	if got := b.get(page).text("tbody"); !strings.Contains(got, "case.opened") || !strings.Contains(got, "Trying again") || !strings.Contains(got, "4 tries. It answered 503. Next today, 12:") {
		t.Errorf("while it is down: %s", got)
	}
	scrape := httptest.NewRecorder()
	h.portal.Metrics.Handler().ServeHTTP(scrape, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{`sollecito_deliveries_total{outcome="failed"} 4`, `sollecito_deliveries{status="pending"} 1`, `sollecito_deliveries_pending_oldest_seconds 3600`} {
		if !strings.Contains(scrape.Body.String(), "\n"+want+"\n") {
			t.Errorf("monitoring is not told %s", want)
		}
	}
	h.walk(23 * time.Hour)
	h.comesIn(invoice)
	if len(app.got) != 0 {
		t.Fatal("it took something")
	}
	tried := app.requests
	app.answers(0)
	h.walk(24 * time.Hour)
	app.heard(customer, "2 case.opened", "3 case.recovered from open")
	if app.requests > tried+2 || len(slices.Compact(slices.Sorted(slices.Values(app.ids)))) != 2 {
		t.Errorf("%d requests when it was up again, ids %v", app.requests-tried, app.ids)
	}
	if got := b.get(page).text("main"); strings.Contains(got, "Failing") || strings.Count(b.text("tbody"), "Delivered") != 2 {
		t.Errorf("afterwards: %s", got)
	}
	log := h.log.String()
	if strings.Count(log, "the merchant's app does not take its messages, they wait") != 1 || strings.Count(log, "the merchant's app takes its messages again") != 1 ||
		strings.Contains(log, "did not take") || !strings.Contains(log, "count=2") {
		t.Errorf("the log tells the day as\n%s", strings.Join(slices.DeleteFunc(strings.Split(log, "\n"), func(line string) bool { return !strings.Contains(line, "merchant's app") }), "\n"))
	}
}

// An app that staff disable or remove while it is down is waited for no more, which the log tells; once it is enabled again the
// next outage is a new one.
func TestAnAppThatIsDisabledWhileItIsDownIsLetGo(t *testing.T) {
	t.Parallel()
	const began, ended = "the merchant's app does not take its messages, they wait", "the merchant's app is told nothing here any more"
	for _, deed := range []string{"disable", "remove"} {
		h := open(t, reachable)
		b := h.colleague(staff.Admin)
		app := h.listens(t, b)
		customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
		app.answers(http.StatusServiceUnavailable)
		h.fail(customer, "insufficient_funds")
		h.walk(time.Hour)
		page := "/admin/webhooks/" + h.endpoint(app)
		b.post(page+"/"+deed, url.Values{})
		h.walk(time.Hour)
		if log := h.log.String(); strings.Count(log, began) != 1 || strings.Count(log, ended) != 1 {
			t.Errorf("after %s the log has the beginning %d times and the end %d times", deed, strings.Count(log, began), strings.Count(log, ended))
		}
		if deed == "remove" {
			continue
		}
		b.post(page+"/enable", url.Values{})
		h.fail(h.customer("Chiara Bellini", "chiara@bellini.example", "IT", "pm_card_visa"), "insufficient_funds")
		h.walk(time.Hour)
		if log := h.log.String(); strings.Count(log, began) != 2 || strings.Count(log, ended) != 1 {
			t.Errorf("enabled again it is told of %d times as down, and %d times as let go", strings.Count(log, began), strings.Count(log, ended))
		}
	}
}

// An app that stays down is given up after three days, which readiness and Today tell; what was given up is delivered again at
// the press of a button, under the same ids.
func TestAnAppThatStaysDownIsToldOf(t *testing.T) {
	t.Parallel()
	h := open(t, reachable)
	b := h.colleague(staff.Admin)
	app := h.listens(t, b)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	app.answers(http.StatusInternalServerError)
	h.fail(customer, "insufficient_funds")
	err := h.portal.Start(h.context)
	if err != nil {
		t.Fatal(err)
	}
	_, checks := h.ready()
	if !strings.HasPrefix(checks["deliveries"], "ok 1 waiting, the oldest for") {
		t.Errorf("after a failure readiness says %q", checks["deliveries"])
	}
	h.walk(4 * 24 * time.Hour)
	page := "/admin/webhooks/" + h.endpoint(app)
	if got := b.get(page).text("main"); !strings.Contains(got, "Failing for days") || !strings.Contains(got, "10 tries. It answered 500.") || !strings.Contains(got, "1 message was given up") {
		t.Errorf("after four days: %s", got)
	}
	if !strings.Contains(b.get("/admin").text("main"), "Your app has taken no webhook for three days.") {
		t.Errorf("Today says %s", b.text("main"))
	}
	app.answers(0)
	b.post(page+"/again", nil).at(page, http.StatusOK)
	h.settle()
	app.heard(customer, "2 case.opened")
	if app.ids[0] != app.got[0].ID {
		t.Errorf("it came again as %s, first it was %s", app.got[0].ID, app.ids[0])
	}
	if strings.Contains(b.get("/admin").text("main"), "no webhook") {
		t.Error("Today goes on telling of it")
	}
	// One that was taken can be asked for again too, under the same id, which the app knows.
	b.get(page)
	before := app.requests
	b.press("/admin/deliveries/").at(page, http.StatusOK)
	h.settle()
	if app.requests != before+1 || app.ids[before] != app.ids[0] || len(app.got) != 1 {
		t.Errorf("again: %d requests, ids %v", app.requests-before, app.ids)
	}
}

// The app says that nobody listens any more: it is told nothing from then on, and the log of deeds knows why.
func TestAnAppThatIsGoneIsDisabled(t *testing.T) {
	t.Parallel()
	h := open(t, reachable)
	b := h.colleague(staff.Admin)
	app := h.listens(t, b)
	app.answers(http.StatusGone)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	invoice := h.fail(customer, "insufficient_funds")
	h.comesIn(invoice)
	if app.requests != 1 {
		t.Errorf("%d requests to an app that is gone", app.requests)
	}
	page := "/admin/webhooks/" + h.endpoint(app)
	if got := b.get(page).text("main"); !strings.Contains(got, "Disabled: it answered 410 Gone") {
		t.Errorf("its page: %s", got)
	}
	var last audit.Entry
	err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		all, err := audit.List(t.Context(), tx, 0, 50)
		for _, e := range all {
			if e.Action == "webhook.disabled" {
				last = e
			}
		}
		return err
	})
	if err != nil || last.Actor != "program" || last.Object != h.endpoint(app) {
		t.Errorf("the log says %+v, %v", last, err)
	}
}

// While one app hangs, the other hears, and mail goes out.
func TestAnAppThatHangsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	h := open(t, reachable)
	b := h.colleague(staff.Admin)
	slow, quick := h.listens(t, b), h.listens(t, b)
	slow.hangs = make(chan struct{})
	release := sync.OnceFunc(func() { close(slow.hangs) })
	t.Cleanup(release)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	err := h.portal.Start(h.context)
	if err != nil {
		t.Fatal(err)
	}
	invoice, err := h.stripe.FailRenewal(customer, "expired_card")
	if err != nil {
		t.Fatal(err)
	}
	h.stripe.RunDue(h.clock.now())
	until := func(what string, is func() bool) {
		t.Helper()
		for range 400 {
			err := h.stripe.DeliverWebhooks(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if is() {
				return
			}
			time.Sleep(25 * time.Millisecond)
		}
		t.Errorf("within ten seconds not: %s", what)
	}
	until("the case is told, and the mail is out", func() bool { return len(quick.of(customer)) == 1 && len(h.mailsTo("anneke@waal.example")) == 1 })
	err = h.stripe.Pay(invoice, false)
	if err != nil {
		t.Fatal(err)
	}
	until("the payment is told", func() bool { return len(quick.of(customer)) == 2 })
	slow.mu.Lock()
	waiting := len(slow.got)
	slow.mu.Unlock()
	if waiting != 0 {
		t.Error("the slow one does not hang")
	}
	release()
	until("the slow one hears too", func() bool { return len(slow.of(customer)) == 2 })
}

// A program that dies in the middle of a delivery leaves it to the next one, under the same id.
func TestADeliveryInHandWhenTheProgramDiesGoesAgain(t *testing.T) {
	t.Parallel()
	h := open(t, reachable)
	app := h.listens(t, h.colleague(staff.Admin))
	app.hangs = make(chan struct{})
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	life, die := context.WithCancel(t.Context())
	err := h.portal.Start(life)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.stripe.FailRenewal(customer, "insufficient_funds")
	if err != nil {
		t.Fatal(err)
	}
	h.stripe.RunDue(h.clock.now())
	err = h.stripe.DeliverWebhooks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 400 {
		app.mu.Lock()
		begun := app.requests
		app.mu.Unlock()
		if begun > 0 {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	die()
	h.portal.Runner.Wait()
	h.portal.App.Wait()
	close(app.hangs)
	app.mu.Lock()
	app.hangs = nil
	app.got = nil // it did not keep what it was told before it could answer
	app.mu.Unlock()
	h.settle()
	app.heard(customer, "2 case.opened")
	if len(app.ids) != 2 || app.ids[0] != app.ids[1] {
		t.Errorf("it went as %v", app.ids)
	}
}

// Who is erased is not shut out by an app that never hears the end of it; and nothing that was told of them stays.
func TestTheAppHearsTheEndOfAnErasedCustomer(t *testing.T) {
	t.Parallel()
	h := open(t, reachable)
	h.apply(escalating)
	app := h.listens(t, h.colleague(staff.Admin))
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	h.walk(10 * 24 * time.Hour)
	if app.believes(customer) != campaign.Restricted {
		t.Fatalf("ten days later the app allows %s", app.believes(customer))
	}
	err := h.erase(customer)
	if err != nil {
		t.Fatal(err)
	}
	kept := func() (pending, all int) {
		t.Helper()
		err := h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRow(`SELECT count(*) FILTER (WHERE status = 'pending'), count(*) FROM webhook_deliveries WHERE customer_id = $1`, customer).Scan(&pending, &all)
		})
		if err != nil {
			t.Fatal(err)
		}
		return pending, all
	}
	if pending, all := kept(); pending != 2 || all != 2 {
		t.Errorf("right after it %d of %d messages wait", pending, all)
	}
	h.settle()
	if app.believes(customer) != campaign.Full {
		t.Errorf("the app still allows %s", app.believes(customer))
	}
	err = h.erase(customer) // as the running portal goes over them each hour
	if err != nil {
		t.Fatal(err)
	}
	if _, all := kept(); all != 0 {
		t.Errorf("%d messages about them are kept", all)
	}
}

// Whoever was erased after their case had ended, by a version that left them shut out, has everything back once this one begins.
func TestWhatWasKeptFromTheErasedIsGivenBack(t *testing.T) {
	t.Parallel()
	h := open(t, reachable)
	h.apply(escalating)
	app := h.listens(t, h.colleague(staff.Admin))
	customer, other := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa"), h.customer("Bram Jansen", "bram@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	h.fail(other, "insufficient_funds")
	h.walk(20 * 24 * time.Hour)
	if c := h.caseOf(customer); c.Status != dunning.Exhausted || app.believes(customer) != campaign.Suspended {
		t.Fatalf("at its end the case is %s, and the app allows %s", c.Status, app.believes(customer))
	}
	// As an earlier version left it, half a year ago.
	err := h.erase(customer)
	if err == nil {
		err = h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
			for _, change := range []string{
				`DELETE FROM webhook_deliveries WHERE customer_id = $1`, `UPDATE cases SET access = 'suspended' WHERE customer_id = $1`,
				`UPDATE customers SET erased_at = erased_at - 15552000 WHERE id = $1`,
			} {
				_, err := tx.Exec(change, customer)
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	h.putBack(h.config.DatabaseURL) // begun anew, with this version
	h.walk(3 * time.Hour)
	h.walk(3 * time.Hour)
	if app.believes(customer) != campaign.Full || h.caseOf(customer).Access != campaign.Full || h.caseOf(customer).Status != dunning.Exhausted {
		t.Errorf("the app allows %s, the case is %+v", app.believes(customer), h.caseOf(customer))
	}
	if app.believes(other) != campaign.Suspended || h.caseOf(other).Access != campaign.Suspended {
		t.Errorf("whoever is not gone is allowed %s", app.believes(other))
	}
	left := 0
	err = h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM webhook_deliveries WHERE customer_id = $1`, customer).Scan(&left)
	})
	if err != nil || left != 0 {
		t.Errorf("%d messages about them are kept: %v", left, err)
	}
}

// What was told a month ago is forgotten.
func TestOldDeliveriesAreForgotten(t *testing.T) {
	t.Parallel()
	h := open(t, reachable)
	b := h.colleague(staff.Admin)
	app := h.listens(t, b)
	page := "/admin/webhooks/" + h.endpoint(app)
	b.post(page+"/test", nil).at(page, http.StatusOK)
	h.settle()
	for _, after := range []struct {
		days int
		says string
	}{{29, "webhook.test"}, {31, "Nothing was told yet"}} {
		h.clock.set(monday.Add(time.Duration(after.days) * 24 * time.Hour))
		err := h.portal.App.Prune(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := b.get(page).text("main"); !strings.Contains(got, after.says) {
			t.Errorf("after %d days: %s", after.days, got)
		}
	}
}

// endpoint is the id under which an app's address is kept.
func (h *house) endpoint(app *merchantApp) string {
	h.t.Helper()
	id := ""
	err := h.portal.DB.See(h.t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT id FROM webhook_endpoints WHERE address = $1`, app.site.URL+"/hooks").Scan(&id)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}
