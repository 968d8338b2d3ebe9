package demo

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/portal"
)

// stageFor starts a real demo and answers its address once the story has been played.
func stageFor(t *testing.T, o Options) *outsider {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	o.Log = slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	ctx, cancel := context.WithCancel(context.Background())
	d, err := Start(ctx, o)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	v := &outsider{t: t, base: d.Base(), stop: func() {
		cancel()
		err := d.Wait()
		if err != nil {
			t.Errorf("the demo ended badly: %v", err)
		}
	}}
	t.Cleanup(func() { v.stop() })
	// Until the story has been told the answer is 503, and nothing else. How long that takes is the machine's affair.
	waiting := time.NewTicker(20 * time.Millisecond)
	defer waiting.Stop()
	for {
		status, _ := v.get("/demo/state.json")
		if status == http.StatusOK {
			return v
		}
		if status != http.StatusServiceUnavailable {
			t.Fatalf("state.json answers %d before the seed is done, want 503", status)
		}
		select {
		case <-d.life.Done():
			t.Fatalf("the demo ended before its story was told: %v", context.Cause(d.life))
		case <-waiting.C:
		}
	}
}

type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// outsider knows nothing of the demo but its address.
type outsider struct {
	t    *testing.T
	base string
	stop func()
}

func (v *outsider) get(path string) (int, string) {
	v.t.Helper()
	resp, err := http.Get(v.base + path)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.read(resp)
}

func (v *outsider) read(resp *http.Response) (int, string) {
	v.t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func (v *outsider) post(path string, pairs ...string) (int, map[string]string) {
	v.t.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	resp, err := http.PostForm(v.base+path, values)
	if err != nil {
		v.t.Fatal(err)
	}
	if resp.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		v.t.Errorf("POST %s answers as %q, want JSON for a script", path, resp.Header.Get("Content-Type"))
	}
	status, body := v.read(resp)
	answer := map[string]string{}
	err = json.Unmarshal([]byte(body), &answer)
	if err != nil {
		v.t.Fatalf("POST %s answers %q: %v", path, body, err)
	}
	return status, answer
}

// must is post for a call that has to succeed.
func (v *outsider) must(path string, pairs ...string) map[string]string {
	v.t.Helper()
	status, answer := v.post(path, pairs...)
	if status != http.StatusOK {
		v.t.Fatalf("POST %s %v answers %d %v", path, pairs, status, answer)
	}
	return answer
}

type seenState struct {
	Now       time.Time
	Customers []seenCustomer
	StaffURL  string `json:"staff_url"`
	StripeAPI string `json:"stripe_api_url"`
	StripeJS  string `json:"stripe_js_url"`
	Secret    string `json:"webhook_secret"`
}

type seenCustomer struct {
	ID, Email, Name, Scenario, Access string
	Status                            *string `json:"case_status"`
	PortalURL                         string  `json:"portal_url"`
}

func (v *outsider) state() seenState {
	v.t.Helper()
	status, body := v.get("/demo/state.json")
	if status != http.StatusOK {
		v.t.Fatalf("state.json answers %d: %s", status, body)
	}
	var s seenState
	err := json.Unmarshal([]byte(body), &s)
	if err != nil {
		v.t.Fatal(err)
	}
	return s
}

func (v *outsider) customer(name string) seenCustomer {
	v.t.Helper()
	for _, c := range v.state().Customers {
		if c.Name == name {
			return c
		}
	}
	v.t.Fatalf("there is no %s", name)
	return seenCustomer{}
}

func (c seenCustomer) status() string {
	if c.Status == nil {
		return ""
	}
	return *c.Status
}

type seenMail struct {
	ID, From, To, Subject, Text, HTML string
	At                                time.Time
	Headers                           map[string]string
}

func (v *outsider) mailsTo(address string) []seenMail {
	v.t.Helper()
	status, body := v.get("/demo/inbox.json")
	if status != http.StatusOK {
		v.t.Fatalf("inbox.json answers %d: %s", status, body)
	}
	var all, theirs []seenMail
	err := json.Unmarshal([]byte(body), &all)
	if err != nil {
		v.t.Fatal(err)
	}
	for i, mail := range all {
		if i > 0 && mail.At.Before(all[i-1].At) {
			v.t.Errorf("%s is younger than the one listed after it", all[i-1].ID)
		}
		if mail.To == address {
			theirs = append(theirs, mail)
		}
	}
	return theirs
}

var linkForm = regexp.MustCompile(`http://[^\s"]+/l/[A-Za-z0-9_-]{43}`)

func TestState(t *testing.T) {
	t.Parallel()
	v := stageFor(t, Options{})
	s := v.state()
	want := map[string]struct{ scenario, status string }{
		"Anneke de Vries":   {"soft_decline", "open"},
		"Duarte Nogueira":   {"expired_card", "open"},
		"Amina Okafor":      {"authentication_required", "open"},
		"Haruka Nakamura":   {"several_invoices", "open"},
		"Chiara Bellini":    {"italian", "open"},
		"Tomasz Wiśniewski": {"recovered", "recovered"},
		"Matthias Vogel":    {"bank_debit", "paused"},
		"Zoë Peeters":       {"disputed", "paused"},
		"Ingrid Solberg":    {"part_paid", "open"},
		"Aino Laine":        {"overdue_transfer", "open"},
		"Luca Rinaldi":      {"no_payment_method", "open"},
		"Grace Whitfield":   {"conversation", "paused"},
		"Jonas Keller":      {"consent_withdrawn", "paused"},
		"Inés Carrasco":     {"written_off", "canceled"},
		"Sofia Marchetti":   {"promised", "paused"},
		"Emil Novák":        {"promise_broken", "open"},
		"Clara Dubois":      {"wants_to_cancel", "paused"},
		"Lena Hofmann":      {"just_paid", "recovered"},
		"Marco Esposito":    {"declined_now", "open"},
		"Yuki Tanaka":       {"card_saved", "open"},
		"Olivia Grant":      {"partly_paid", "open"},
		"Ethan Brooks":      {"amount_changes", "open"},
		"Pablo Ruiz":        {"tried_often", "open"},
		"Karin Lund":        {"paid_elsewhere", "recovered"},
		"Stefan Ionescu":    {"voided", "canceled"},
		"Nils Hauser":       {"refunded", "recovered"},
		"Greta Baumann":     {"debit_failed", "open"},
		"June Park":         {"account_unproven", "paused"},
		"نادية الفاسي":      {"grace", "open"},
		"Piotr Zieliński":   {"restricted", "exhausted"},
		"Rafaela Monteiro":  {"suspended", "exhausted"},
		"Henrik Sørensen":   {"ends_soon", "open"},
		"Maarten Claes":     {"ended", "exhausted"},
		"Sinéad Byrne":      {"paused", "paused"},
		"Giorgos Papadakis": {"claimed", "paused"},
		"Ana Kovač":         {"opted_out", "open"},
		longName:            {"long_names", "open"},
		"Bram Visser":       {"bounced", "open"},
		"Saoirse Nolan":     {"complained", "open"},
		"Eleni Markou":      {"two_pauses", "paused"},
		"Tessa Wright":      {"way_shipped", "open"},
		"Oscar Lindgren":    {"way_own_words", "open"},
		"Julia Hartmann":    {"held_out", "open"},
		"Ulrike Sommer":     {"own_retries", "open"},
		"Freya Lindqvist":   {"healthy", ""},
		"Mirae Tan":         {"healthy", ""},
		"Oluwaseun Adeyemi": {"healthy", ""},
		"Béatrice Morel":    {"card_expires_soon", ""},
		"Elif Demir":        {"renewal_without_card", ""},
	}
	if len(s.Customers) != len(want) {
		t.Errorf("there are %d customers, want %d", len(s.Customers), len(want))
	}
	for _, c := range s.Customers {
		if want[c.Name].scenario != c.Scenario || want[c.Name].status != c.status() {
			t.Errorf("%s: scenario %q, case %q; want %+v", c.Name, c.Scenario, c.status(), want[c.Name])
		}
		if !strings.HasPrefix(c.ID, "cus_") || !strings.HasSuffix(c.Email, ".example") || c.Access == "" || !linkForm.MatchString(c.PortalURL) {
			t.Errorf("%s is not told of in full: %+v", c.Name, c)
		}
		told := len(v.mailsTo(c.Email)) > 0
		if told != (c.Scenario != "healthy" && c.Scenario != "consent_withdrawn" && c.Scenario != heldOut) {
			t.Errorf("%s has mail: %v", c.Name, told)
		}
	}
	for name, address := range map[string]string{"staff_url": s.StaffURL, "stripe_api_url": s.StripeAPI, "stripe_js_url": s.StripeJS} {
		if !strings.HasPrefix(address, "http://127.0.0.1:") {
			t.Errorf("%s is %q", name, address)
		}
	}
	if !strings.HasPrefix(s.Secret, "whsec_") || s.StripeAPI == v.base {
		t.Errorf("webhook_secret %q, stripe_api_url %q; the stand-in must be of another origin", s.Secret, s.StripeAPI)
	}
	if s.Now.Weekday() == time.Saturday || s.Now.Weekday() == time.Sunday || time.Since(s.Now) > 4*aDay {
		t.Errorf("the story stands at %s", s.Now)
	}
	t.Run("pages", v.pages)
	t.Run("bad calls", v.badCalls)
	t.Run("bare calls", v.bareCalls)
	t.Run("methods", v.methods)
	t.Run("names", v.names)
	t.Run("outage", v.outage)
}

// outage leaves everything standing still for a month: what is told at once is told before, and nothing goes out as
// a burst after.
func (v *outsider) outage(t *testing.T) {
	seun := v.customer("Oluwaseun Adeyemi")
	v.must("/demo/fail", "customer", seun.ID, "decline_code", "expired_card")
	// The story stands at an hour at which offices are open.
	if len(v.mailsTo(seun.Email)) != 1 {
		t.Errorf("after an expired card came %d mails, want 1 at once", len(v.mailsTo(seun.Email)))
	}
	had := map[string]int{}
	for _, c := range v.state().Customers {
		had[c.Email] = len(v.mailsTo(c.Email))
	}
	before := v.state().Now
	v.must("/demo/clock", "advance", "720h", "leap", "1")
	moved := v.state().Now.Sub(before)
	if moved < 720*time.Hour || moved > 721*time.Hour {
		t.Errorf("the clock moved by %s", moved)
	}
	for _, c := range v.state().Customers {
		came := len(v.mailsTo(c.Email)) - had[c.Email]
		if came > 1 {
			t.Errorf("%s got %d mails at once after an outage", c.Name, came)
		}
	}
}

// pages opens every page of the stage, as a person would.
func (v *outsider) pages(t *testing.T) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	open := func(path string) string {
		req, err := http.NewRequest(http.MethodGet, v.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "text/html")
		resp, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		status, body := v.read(resp)
		if status != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || resp.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s answers %d as %s: %.200s", path, status, resp.Header.Get("Content-Type"), body)
		}
		return body
	}
	chiara := v.customer("Chiara Bellini")
	mail := v.mailsTo(chiara.Email)[0]
	shown, err := http.Get(v.base + "/demo/inbox/" + mail.ID + "/html")
	if err != nil {
		t.Fatal(err)
	}
	_, letter := v.read(shown)
	if !strings.Contains(letter, `<img src="`+v.base+`/brand/`) || !strings.Contains(shown.Header.Get("Content-Security-Policy"), "img-src 'self' ") {
		t.Errorf("the logo of a letter is not drawn under %s", shown.Header.Get("Content-Security-Policy"))
	}
	for path, holds := range map[string]string{
		"/demo":                                       "Chiara Bellini",
		"/demo/inbox":                                 "chiara@bellini.example",
		"/demo/inbox/" + mail.ID:                      "Chiara",
		"/demo/inbox/" + mail.ID + "/html":            "Lumen Studio",
		"/demo/app?customer=" + chiara.ID:             "pay-banner token=",
		"/demo/app?role=member&customer=" + chiara.ID: "pay-banner token=",
		"/demo/staff":                                 "Giulia Ferri",
		"/demo/rehearsal":                             "If Consumer cards spoke 2 days later",
		"/demo/staff?customer=" + chiara.ID:           "Chiara Bellini",
		strings.TrimPrefix(chiara.PortalURL, v.base):  "29,00",
	} {
		if !strings.Contains(open(path), holds) {
			t.Errorf("%s does not hold %q", path, holds)
		}
	}
	// A person's form leads back to the stage, which says what came of it, however often it is loaded.
	req, err := http.NewRequest(http.MethodPost, v.base+"/demo/clock", strings.NewReader("advance=1m"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, body := v.read(resp)
	if resp.Request.URL.Path != "/demo" || !strings.Contains(body, "No letter went out") {
		t.Errorf("the clock's form leads to %s", resp.Request.URL)
	}
}

// bareCalls are a raw socket's, which names no kind of body, and a Python script's, which writes True.
func (v *outsider) bareCalls(t *testing.T) {
	before := v.state().Now
	req, err := http.NewRequest(http.MethodPost, v.base+"/demo/clock", strings.NewReader("advance=1m&leap=True"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	status, body := v.read(resp)
	if status != http.StatusOK || v.state().Now == before {
		t.Errorf("a call without a kind answers %d %s", status, body)
	}
}

func (v *outsider) badCalls(t *testing.T) {
	freya := v.customer("Freya Lindqvist")
	for _, c := range []struct {
		path   string
		form   []string
		status int
	}{
		{"/demo/clock", nil, 422},
		{"/demo/clock", []string{"advance", "tomorrow"}, 422},
		{"/demo/clock", []string{"advance", "-1h"}, 422},
		{"/demo/clock", []string{"advance", "0s"}, 422},
		{"/demo/clock", []string{"advance", "9601h"}, 422},
		{"/demo/clock", []string{"advance", "1h", "leap", "maybe"}, 422},
		{"/demo/fail", nil, 422},
		{"/demo/fail", []string{"customer", "cus_nobody", "decline_code", "insufficient_funds"}, 404},
		{"/demo/fail", []string{"customer", "../invoices", "decline_code", "insufficient_funds"}, 404},
		{"/demo/fail", []string{"customer", freya.ID, "decline_code", "bad_mood"}, 422},
		{"/demo/pay", nil, 422},
		{"/demo/pay", []string{"invoice", "in_nothing"}, 404},
		{"/demo/fail", []string{"customer", "cus_\x00", "decline_code", "insufficient_funds"}, 404},
		{"/demo/fail", []string{"customer", freya.ID + "\n", "decline_code", "insufficient_funds"}, 404},
		{"/demo/pay", []string{"invoice", "in_\n1"}, 404},
		{"/demo/nothing", nil, 404},
		{"/demo/state.json", nil, 405},
	} {
		status, answer := v.post(c.path, c.form...)
		if status != c.status || answer["error"] == "" {
			t.Errorf("POST %s %v answers %d %v, want %d and why", c.path, c.form, status, answer, c.status)
		}
	}
	if v.customer("Freya Lindqvist").Status != nil {
		t.Error("a refused call opened a case")
	}
	req, err := http.NewRequest(http.MethodPost, v.base+"/demo/clock", strings.NewReader("advance=1h"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "http://elsewhere.example")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	status, _ := v.read(resp)
	if status != http.StatusForbidden {
		t.Errorf("another site may move the clock: %d", status)
	}
}

// Everything that the engine does about a customer can be watched: what came back, two ways and a share told nothing, and our
// own retries, with what staff see of each.
func TestTheEngineCanBeWatched(t *testing.T) {
	t.Parallel()
	v := stageFor(t, Options{})
	desk := map[string][]string{
		"bounced":         {"boekhouding@visser.example", "There is no such mailbox here"},
		"complained":      {"reported it as unwanted", "as a notice in the app"},
		"two_pauses":      {"Paused by a colleague", "says a transfer is on its way"},
		"way_shipped":     {"Two ways of saying it, and a share told nothing, variant shipped-words"},
		"way_own_words":   {"variant own-words"},
		"held_out":        {"a share told nothing, held out", "To nobody: the case is in the holdout", "Nothing goes out: the case is in the holdout", "In the holdout nothing is announced"},
		"own_retries":     {"Our own retries", "retry"},
		"campaign_chosen": {"High value"},
	}
	for _, s := range v.situations() {
		page := strings.Join(strings.Fields(v.goTo(s).page.Find("main").Text()), " ")
		for _, want := range desk[s.Name] {
			if !strings.Contains(page, want) {
				t.Errorf("%s lacks %q: %s", s.Name, want, page)
			}
		}
		delete(desk, s.Name)
	}
	if len(desk) > 0 {
		t.Errorf("these are not listed: %v", desk)
	}
	if len(v.mailsTo("bram@visser.example")) != 1 || len(v.mailsTo("boekhouding@visser.example")) == 0 {
		t.Errorf("%d letters to the mailbox that is gone, %d to the next contact", len(v.mailsTo("bram@visser.example")), len(v.mailsTo("boekhouding@visser.example")))
	}
	ours, short := v.mailsTo("tessa@wright.example"), v.mailsTo("oscar@lindgren.example")
	if len(ours) != 1 || len(short) != 1 || ours[0].Subject == short[0].Subject || short[0].Subject != "Studio plan: €29.00 still open" {
		t.Errorf("two ways: %d and %d letters", len(ours), len(short))
	}
	v.must("/demo/clock", "advance", "24h")
	ulrike := v.customer("Ulrike Sommer")
	if ulrike.status() != "recovered" {
		t.Errorf("after our third try the case is %q", ulrike.status())
	}
	v.must("/demo/clock", "advance", "480h")
	for name, want := range map[string][2]string{
		"Saoirse Nolan": {"open", "grace"}, "Eleni Markou": {"paused", "full"}, "Julia Hartmann": {"open", "full"}, "Tessa Wright": {"exhausted", "restricted"},
	} {
		c := v.customer(name)
		if c.status() != want[0] || c.Access != want[1] {
			t.Errorf("three weeks later %s is %s with %s, want %v", name, c.status(), c.Access, want)
		}
	}
	for _, address := range []string{"bram@visser.example", "saoirse@nolan.example"} {
		if n := len(v.mailsTo(address)); n != 1 {
			t.Errorf("%d letters to %s, to which nothing is mailed any more", n, address)
		}
	}
	if n := len(v.mailsTo("julia@hartmann.example")); n != 0 {
		t.Errorf("%d letters to the holdout", n)
	}
}

// TestStory is the whole product from outside: a renewal fails, the mail comes, its link opens and changes nothing,
// the invoice is paid, and all falls silent but for one mail.
func TestStory(t *testing.T) {
	t.Parallel()
	v := stageFor(t, Options{})
	freya := v.customer("Freya Lindqvist")
	invoice := v.must("/demo/fail", "customer", freya.ID, "decline_code", "insufficient_funds")["invoice"]
	if !strings.HasPrefix(invoice, "in_") || v.customer(freya.Name).status() != "open" {
		t.Fatalf("after a failed renewal (%q) the case is %q", invoice, v.customer(freya.Name).status())
	}
	for day := 0; len(v.mailsTo(freya.Email)) == 0; day++ {
		if day == 7 {
			t.Fatal("no mail within a week")
		}
		v.must("/demo/clock", "advance", "24h")
	}
	link := linkForm.FindString(v.mailsTo(freya.Email)[0].Text)
	if link == "" {
		t.Fatalf("the mail carries no link: %s", v.mailsTo(freya.Email)[0].Text)
	}
	before := v.customer(freya.Name)
	for range 50 {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			req, err := http.NewRequest(method, link, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			status, _ := v.read(resp)
			if status != http.StatusSeeOther {
				t.Fatalf("%s of the link answers %d, want 303", method, status)
			}
		}
	}
	after := v.customer(freya.Name)
	if after.status() != before.status() || after.Access != before.Access || len(v.mailsTo(freya.Email)) != 1 {
		t.Errorf("opening the link changed something: %+v, then %+v", before, after)
	}
	v.must("/demo/pay", "invoice", invoice)
	if v.customer(freya.Name).status() != "recovered" || v.customer(freya.Name).Access != "full" {
		t.Errorf("once paid, the case is %q", v.customer(freya.Name).status())
	}
	status, answer := v.post("/demo/pay", "invoice", invoice)
	if status != http.StatusConflict || answer["error"] == "" {
		t.Errorf("paying twice answers %d %v, want 409", status, answer)
	}
	v.must("/demo/clock", "advance", "720h")
	mails := v.mailsTo(freya.Email)
	if len(mails) != 2 || !strings.Contains(mails[1].Subject, "settled") {
		for _, mail := range mails {
			t.Errorf("in a month came: %s %s", mail.At, mail.Subject)
		}
	}
}

// TestGoesOn ends a demo with a data folder and starts it again.
func TestGoesOn(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	v := stageFor(t, Options{Data: folder})
	mirae := v.customer("Mirae Tan")
	invoice := v.must("/demo/fail", "customer", mirae.ID, "decline_code", "insufficient_funds")["invoice"]
	v.must("/demo/clock", "advance", "96h")
	before := v.state()
	mails := v.mailsTo(mirae.Email)
	_, err := Start(t.Context(), Options{Listen: "127.0.0.1:0", Data: folder, Log: slog.New(slog.DiscardHandler)})
	if (runtime.GOOS == "linux" || runtime.GOOS == "darwin") && (err == nil || !strings.Contains(err.Error(), "another demo goes on in "+folder)) {
		t.Fatalf("a second one beside it in the same folder: %v", err)
	}
	v.stop()
	v.stop = func() {}
	db, err := database.Open(t.Context(), "sqlite:"+filepath.Join(folder, "demo.db"))
	if err != nil {
		t.Fatal(err)
	}
	now, err := portal.BusinessNow(t.Context(), db, time.Now())
	err = errors.Join(err, db.Close())
	if err != nil || now.Sub(before.Now).Abs() > time.Minute {
		t.Errorf("commands reckon with %s, the clock stood at %s: %v", now, before.Now, err)
	}

	v = stageFor(t, Options{Data: folder})
	after := v.state()
	d := after.Now.Sub(before.Now)
	if d < 0 || d > time.Minute {
		t.Errorf("the clock stood at %s and goes on at %s", before.Now, after.Now)
	}
	if after.Secret != before.Secret || len(after.Customers) != len(before.Customers) {
		t.Error("the stand-in is another one")
	}
	again := v.mailsTo(mirae.Email)
	if len(again) != len(mails) || again[0].ID != mails[0].ID || again[0].Text != mails[0].Text {
		t.Errorf("there were %d mails to %s, now there are %d", len(mails), mirae.Email, len(again))
	}
	path := func(link string) string { return link[strings.Index(link, "/l/"):] }
	if path(v.customer(mirae.Name).PortalURL) != path(mirae.PortalURL) {
		t.Error("the customer's link is another one")
	}
	v.must("/demo/pay", "invoice", invoice)
	if v.customer(mirae.Name).status() != "recovered" {
		t.Errorf("after the restart a payment leaves the case %q: events no longer arrive", v.customer(mirae.Name).status())
	}
	v.signsIn(t)
}

// signsIn comes in as staff by the real door, with what the stage tells.
func (v *outsider) signsIn(t *testing.T) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	_, stage := v.get("/demo")
	told := regexp.MustCompile(`<code>([^<]+)</code>`).FindAllStringSubmatch(stage[strings.Index(stage, `id="door"`):], 2)
	if len(told) != 2 {
		t.Fatal("the stage does not tell password and code")
	}
	resp, err := browser.PostForm(v.base+"/admin/signin", url.Values{"email": {"giulia@lumen.example"}, "password": {told[0][1]}})
	if err != nil {
		t.Fatal(err)
	}
	v.read(resp)
	resp, err = browser.PostForm(v.base+"/admin/signin/code", url.Values{"code": {told[1][1]}})
	if err != nil {
		t.Fatal(err)
	}
	status, body := v.read(resp)
	if status != http.StatusOK || resp.Request.URL.Path != "/admin" || !strings.Contains(body, "Giulia Ferri") {
		t.Errorf("by hand one comes to %s: %d", resp.Request.URL.Path, status)
	}
}
