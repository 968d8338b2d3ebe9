package bench_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sollecito/internal/campaign"
	"sollecito/internal/contact"
	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/dunning"
	"sollecito/internal/gateway"
	"sollecito/internal/intake"
	"sollecito/internal/sandbox"
)

// unlimited is a rate no loopback reaches.
const unlimited = 1e6

// account is a make-believe Stripe with open invoices, and the calls it was asked.
type account struct {
	stripe *sandbox.Server
	api    *httptest.Server
	asked  atomic.Int64
}

// fill makes an account with open invoices that are to be paid by hand, shared evenly by its customers.
func fill(b *testing.B, customers, invoices int) *account {
	b.Helper()
	a := &account{stripe: sandbox.New(sandbox.Options{Now: time.Now, Seed: "bench"})}
	b.Cleanup(a.stripe.Close)
	handler := a.stripe.Handler()
	a.api = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked.Add(1)
		handler.ServeHTTP(w, r)
	}))
	b.Cleanup(a.api.Close)
	a.stripe.SetPublicURL(a.api.URL)
	post := func(path string, form url.Values) string {
		r := httptest.NewRequest(http.MethodPost, "/v1/"+path, strings.NewReader(form.Encode()))
		r.SetBasicAuth(a.stripe.SecretKey(), "")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		var made struct{ ID string }
		err := json.Unmarshal(w.Body.Bytes(), &made)
		if err != nil || w.Code != http.StatusOK {
			b.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		return made.ID
	}
	var wait sync.WaitGroup
	for part := range 4 {
		wait.Go(func() {
			for c := part; c < customers; c += 4 {
				id := post("customers", url.Values{"email": {fmt.Sprintf("c%d@customer.example", c)}, "name": {fmt.Sprintf("Customer %d", c)}})
				for n := c; n < invoices; n += customers {
					i := post("invoices", url.Values{"customer": {id}, "collection_method": {"send_invoice"}, "days_until_due": {"30"}})
					post("invoiceitems", url.Values{"customer": {id}, "invoice": {i}, "amount": {"2900"}, "currency": {"eur"}})
					post("invoices/"+i+"/finalize", nil)
				}
			}
		})
	}
	wait.Wait()
	return a
}

// intakeOf is an intake on a database of its own that reads the account, asking at most so often a second (0: the
// gateway's own limit). ahead is how far its clock is ahead of the account's.
func (a *account) intakeOf(b *testing.B, rate float64, ahead *atomic.Int64) (*intake.Intake, *database.DB) {
	b.Helper()
	db, err := database.Open(b.Context(), databasetest.URL(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	_, err = db.Migrate(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	stripe := gateway.New(gateway.Options{SecretKey: a.stripe.SecretKey(), APIURL: a.api.URL, Now: now, Rate: rate})
	cases := dunning.NewCases(dunning.Rules{Campaigns: campaign.NewStore(campaign.Shipped()), Policy: contact.DefaultPolicy(), Zone: time.UTC})
	return intake.New(intake.Options{DB: db, Stripe: stripe, Cases: cases, Now: now, RealNow: time.Now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}), db
}

// took measures the work: seconds, requests to Stripe, and by how many MiB the live heap stood above where it began at
// its highest, seen by a collection every tenth of a second when heap is asked for (which slows the work down).
func (a *account) took(b *testing.B, heap bool, work func() error) (seconds float64, requests int64, peak float64) {
	b.Helper()
	live := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	debug.FreeOSMemory()
	base := live()
	ctx, stop := context.WithCancel(b.Context())
	var watch sync.WaitGroup
	if heap {
		watch.Go(func() {
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for {
				peak = max(peak, live()-base)
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	asked, began := a.asked.Load(), time.Now()
	err := work()
	seconds = time.Since(began).Seconds()
	stop()
	watch.Wait()
	if err != nil {
		b.Fatal(err)
	}
	return seconds, a.asked.Load() - asked, peak
}

// BenchmarkImport measures the first import of an account, at the gateway's own limit of requests and without one, and
// that its memory does not grow with the account.
func BenchmarkImport(b *testing.B) {
	small, large := fill(b, 800, 2000), fill(b, 8000, 20000)
	for _, c := range []struct {
		name string
		from *account
		rate float64
		heap bool
	}{
		{"20,000 invoices of 8,000 customers, own limit", large, 0, false},
		{"20,000 invoices of 8,000 customers, no limit", large, unlimited, false},
		{"2,000 invoices of 800 customers, heap", small, unlimited, true},
		{"20,000 invoices of 8,000 customers, heap", large, unlimited, true},
	} {
		in, _ := c.from.intakeOf(b, c.rate, &atomic.Int64{})
		done := intake.Imported{}
		seconds, requests, peak := c.from.took(b, c.heap, func() error {
			var err error
			done, err = in.Import(b.Context(), func(intake.Imported) {})
			return err
		})
		b.Logf("%-11s import %-48s %6d invoices %7.1f s %5d requests  live heap +%.1f MiB at most", engine(), c.name, done.Invoices, seconds, requests, peak)
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkMissedEvents measures one reconcile that finds and keeps ten thousand events nobody delivered. What it keeps is
// then processed as if it had come by webhook, one reading a customer.
func BenchmarkMissedEvents(b *testing.B) {
	const wanted = 10000
	a := fill(b, 1, 1)
	var ahead atomic.Int64
	in, db := a.intakeOf(b, 0, &ahead)
	_, err := in.Import(b.Context(), func(intake.Imported) {})
	if err != nil {
		b.Fatal(err)
	}
	customer := ""
	err = db.See(b.Context(), func(tx *sql.Tx) error { return tx.QueryRow(`SELECT id FROM customers`).Scan(&customer) })
	if err != nil {
		b.Fatal(err)
	}
	handler := a.stripe.Handler()
	for n := range wanted {
		r := httptest.NewRequest(http.MethodPost, "/v1/customers/"+customer, strings.NewReader(url.Values{"name": {fmt.Sprintf("Name %d", n)}}.Encode()))
		r.SetBasicAuth(a.stripe.SecretKey(), "")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	ahead.Store(int64(20 * time.Minute))
	missed := 0
	seconds, requests, _ := a.took(b, false, func() error {
		missed, err = in.Reconcile(b.Context())
		return err
	})
	b.Logf("%-11s reconcile at the gateway's own limit: %d missed events %7.1f s %5d requests", engine(), missed, seconds, requests)
	b.ReportMetric(0, "ns/op")
}
