package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"sollecito/internal/databasetest"
)

// process is this program running as itself, in a process of its own.
type process struct {
	cmd    *exec.Cmd
	stderr *bytes.Buffer
	lines  chan string // of stdout
}

func begin(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	path, err := exec.LookPath("sollecito") // put there by TestMain
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(path, args...), stderr: &bytes.Buffer{}, lines: make(chan string, 100)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	err = p.cmd.Start()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		scan := bufio.NewScanner(out)
		for scan.Scan() {
			p.lines <- scan.Text()
		}
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// eventually asks until the answer is yes, for at most half a minute.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		if time.Now().After(deadline) {
			t.Fatalf("not within half a minute: %s", what)
		}
		<-tick.C
	}
}

// The program is killed at random moments while webhooks come in and mails go out. Afterwards every
// acknowledged webhook is there, no mail was sent twice, and what is not surely delivered is marked so.
func TestKilledAtAnyMomentItLosesNothingAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	const kills, customersPerLife = 6, 8
	dice := rand.New(rand.NewPCG(1, 2))

	box := begin(t, nil, "sandbox", "--listen", "127.0.0.1:0", "--smtp", "127.0.0.1:0")
	settings := map[string]string{}
	var env []string
	for len(settings) < 17 {
		line, ok := <-box.lines
		if !ok {
			t.Fatalf("sandbox ended: %s", box.stderr)
		}
		name, value, _ := strings.Cut(line, "=")
		settings[name] = value
		env = append(env, line)
	}
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := door.Addr().String()
	door.Close()
	base := "http://" + address
	data := databasetest.URL(t)
	env = append(env, "SOLLECITO_LISTEN="+address, "SOLLECITO_BASE_URL="+base, "SOLLECITO_DATABASE_URL="+data,
		"SOLLECITO_CONTACT_HOURS=0-24", "SOLLECITO_CONTACT_DAYS=mon-sun")
	stripe := caller{t, settings["SOLLECITO_STRIPE_API_URL"], settings["SOLLECITO_STRIPE_SECRET_KEY"]}
	stripe.post("/v1/webhook_endpoints", url.Values{"url": {base + "/webhooks/stripe"}, "enabled_events[]": {"*"}})

	acknowledged := map[string]bool{}
	sent := 0
	for life := range kills + 1 {
		portal := begin(t, env, "serve")
		eventually(t, "serve is ready", func() bool { return status(base+"/readyz") == http.StatusOK })
		for n := range customersPerLife {
			stripe.fail(fmt.Sprintf("c%d-%d@customer.example", life, n))
		}
		if life == kills {
			break // this one lives
		}
		// Webhooks of our own, several at once, until the dice say that it is over.
		until := 20 + dice.IntN(150)
		var mu sync.Mutex
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				for {
					mu.Lock()
					id := fmt.Sprintf("evt_load_%d", sent)
					sent++
					over := len(acknowledged) >= until*(life+1)
					mu.Unlock()
					if over {
						return
					}
					ok := webhook(base, settings["SOLLECITO_STRIPE_WEBHOOK_SECRET"], id)
					if !ok {
						return
					}
					mu.Lock()
					acknowledged[id] = true
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		portal.kill()
	}
	eventually(t, "all events are processed and all mails have left", func() bool {
		return count(t, data, `SELECT (SELECT count(*) FROM events WHERE status = 'received') + (SELECT count(*) FROM notices WHERE channel = 'email' AND status IN ('queued', 'sending'))`) == 0 &&
			count(t, data, `SELECT count(*) FROM notices WHERE channel = 'email'`) == (kills+1)*customersPerLife
	})
	for id := range acknowledged {
		if count(t, data, `SELECT count(*) FROM events WHERE id = '`+id+`'`) != 1 {
			t.Errorf("%s was acknowledged and is gone", id)
		}
	}
	delivered := map[string]int{}
	for _, m := range inbox(t, settings["SOLLECITO_STRIPE_API_URL"]) {
		delivered[m.To]++
		if delivered[m.To] > 1 {
			t.Errorf("%s got %d mails", m.To, delivered[m.To])
		}
	}
	uncertain := count(t, data, `SELECT count(*) FROM notices WHERE status = 'uncertain' AND reason <> ''`)
	surely := count(t, data, `SELECT count(*) FROM notices WHERE channel = 'email' AND status = 'sent'`)
	if len(delivered) < surely || len(delivered) > surely+uncertain || surely+uncertain != (kills+1)*customersPerLife {
		t.Errorf("%d sent, %d uncertain, %d delivered", surely, uncertain, len(delivered))
	}
	t.Logf("%d webhooks acknowledged, %d mails sent, %d uncertain after %d kills", len(acknowledged), surely, uncertain, kills)
}

// sync is ended in the middle, as an operator ends it and as a machine does, and goes on where it stood each time.
func TestSyncEndedInTheMiddleGoesOnWhereItStood(t *testing.T) {
	t.Parallel()
	const several = 330 // four pages
	box := begin(t, nil, "sandbox", "--listen", "127.0.0.1:0", "--smtp", "127.0.0.1:0")
	settings := map[string]string{}
	var env []string
	for len(settings) < 17 {
		line, ok := <-box.lines
		if !ok {
			t.Fatalf("sandbox ended: %s", box.stderr)
		}
		name, value, _ := strings.Cut(line, "=")
		settings[name] = value
		env = append(env, line)
	}
	stripe := caller{t, settings["SOLLECITO_STRIPE_API_URL"], settings["SOLLECITO_STRIPE_SECRET_KEY"]}
	for n := range several {
		customer := stripe.post("/v1/customers", url.Values{"email": {fmt.Sprintf("c%d@customer.example", n)}})["id"].(string)
		invoice := stripe.post("/v1/invoices", url.Values{"customer": {customer}, "collection_method": {"send_invoice"}, "days_until_due": {"30"}})["id"].(string)
		stripe.post("/v1/invoiceitems", url.Values{"customer": {customer}, "invoice": {invoice}, "amount": {"2900"}, "currency": {"eur"}})
		stripe.post("/v1/invoices/"+invoice+"/finalize", nil)
	}

	// Between sync and the account stands a gate that lets some pages through and keeps the next request waiting: when
	// that comes, all pages before it are kept.
	target, err := url.Parse(stripe.base)
	if err != nil {
		t.Fatal(err)
	}
	var pages atomic.Int64
	waits := make(chan bool, 10)
	through := httputil.NewSingleHostReverseProxy(target)
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/invoices" && pages.Add(-1) < 0 {
			waits <- true
			<-r.Context().Done()
			return
		}
		through.ServeHTTP(w, r)
	}))
	defer gate.Close()
	data := databasetest.URL(t)
	env = append(env, "SOLLECITO_DATABASE_URL="+data, "SOLLECITO_STRIPE_API_URL="+gate.URL)
	for life, how := range []os.Signal{os.Interrupt, os.Kill} {
		pages.Store(1)
		sync := begin(t, env, "sync", "--endpoint=false")
		select {
		case <-waits:
		case <-time.After(30 * time.Second):
			t.Fatalf("no second page is asked for: %s", sync.stderr)
		}
		err := sync.cmd.Process.Signal(how)
		if err != nil {
			t.Fatal(err)
		}
		err = sync.cmd.Wait()
		if err == nil {
			t.Errorf("ended by %s it says that all is well", how)
		}
		if how == os.Interrupt && !strings.Contains(sync.stderr.String(), "stopped after 100 invoices; nothing is lost") {
			t.Errorf("ended by %s it says %q", how, sync.stderr)
		}
		if got := count(t, data, `SELECT count(*) FROM invoices`); got != 100*(life+1) {
			t.Errorf("%d invoices are kept after %s", got, how)
		}
	}
	pages.Store(100)
	sync := begin(t, env, "sync", "--endpoint=false")
	said := ""
	for line := range sync.lines {
		said += line + "\n"
	}
	err = sync.cmd.Wait()
	if err != nil || pages.Load() != 98 || !strings.Contains(said, "Imported: 330 open invoices of 330 customers. Nothing was sent.") || !strings.Contains(sync.stderr.String(), "300 invoices read, continued") {
		t.Errorf("%v after %d pages: %s%s", err, 100-pages.Load(), said, sync.stderr)
	}
	if got := count(t, data, `SELECT count(*) FROM invoices`); got != several {
		t.Errorf("%d of %d invoices", got, several)
	}
}

func status(address string) int {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// webhook sends an event about a customer nobody knows and reports whether it was acknowledged.
func webhook(base, secret, id string) bool {
	body := fmt.Appendf(nil, `{"id":%q,"object":"event","api_version":"2023-10-16","created":1700000000,"livemode":false,"type":"invoice.paid","data":{"object":{"id":"in_x","object":"invoice","customer":"cus_none"}}}`, id)
	now := time.Now().Unix()
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", now, body)
	req, err := http.NewRequest(http.MethodPost, base+"/webhooks/stripe", bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Stripe-Signature", fmt.Sprintf("t=%d,v1=%s", now, hex.EncodeToString(mac.Sum(nil))))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusOK
}

func count(t *testing.T, data, query string) int {
	t.Helper()
	driver, address := "pgx", data
	file, isFile := strings.CutPrefix(data, "sqlite:")
	if isFile {
		driver, address = "sqlite", "file:"+file+"?mode=ro&_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	err = db.QueryRow(query).Scan(&n)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// caller speaks with the stand-in as any client of Stripe would.
type caller struct {
	t         *testing.T
	base, key string
}

func (c caller) post(path string, form url.Values) map[string]any {
	c.t.Helper()
	req, err := http.NewRequest(http.MethodPost, c.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	req.SetBasicAuth(c.key, "")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	err = json.NewDecoder(resp.Body).Decode(&answer)
	if err != nil || resp.StatusCode >= 300 {
		c.t.Fatalf("%s: %d %v %v", path, resp.StatusCode, answer, err)
	}
	return answer
}

// fail makes a customer whose renewal fails now, with a card that has expired: the mail is due at once.
func (c caller) fail(email string) {
	c.t.Helper()
	customer := c.post("/v1/customers", url.Values{"email": {email}, "name": {"Robin Tester"}})["id"].(string)
	method := c.post("/v1/payment_methods/pm_card_visa/attach", url.Values{"customer": {customer}})["id"].(string)
	c.post("/v1/customers/"+customer, url.Values{"invoice_settings[default_payment_method]": {method}})
	price := c.post("/v1/prices", url.Values{
		"currency": {"eur"}, "unit_amount": {"2900"}, "recurring[interval]": {"month"}, "product_data[name]": {"Studio plan"},
	})["id"].(string)
	c.post("/v1/subscriptions", url.Values{"customer": {customer}, "items[0][price]": {price}})
	c.post("/sandbox/fail", url.Values{"customer": {customer}, "decline_code": {"expired_card"}})
}

type caught struct{ To, Subject, Text string }

func inbox(t *testing.T, base string) []caught {
	t.Helper()
	resp, err := http.Get(base + "/inbox.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var all []caught
	err = json.NewDecoder(resp.Body).Decode(&all)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
