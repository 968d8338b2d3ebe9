package main

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
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
