package bench_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"sollecito/internal/config"
	"sollecito/internal/databasetest"
	"sollecito/internal/portal"
)

// Each measure is told on SQLite and on PostgreSQL.
func TestMain(m *testing.M) {
	if os.Getenv(childData) != "" {
		os.Exit(beChild())
	}
	os.Exit(databasetest.MainDurable(m))
}

const (
	rounds  = 5
	callers = 64
	each    = 3 * time.Second
	secret  = "whsec_bench_0123456789abcdef0123456789abcdef"
)

// BenchmarkWebhooks compares webhooks that are answered 2xx only when durable, at 64 callers over HTTP, with raw
// durable inserts of the same body size by one writer, in turns.
func BenchmarkWebhooks(b *testing.B) {
	house, base := serve(b)
	defer house()
	raw := rawInserts(b)
	var plain, ours, slow, costs []float64
	for range rounds {
		plain = append(plain, raw())
		used := processor(b)
		rate, p99 := webhooks(b, base)
		used = processor(b) - used
		ours, slow = append(ours, rate), append(slow, float64(p99.Microseconds())/1000)
		costs = append(costs, used.Seconds()*1e6/(rate*each.Seconds()))
	}
	report(b, "raw single-row durable inserts/s, one writer", plain)
	report(b, "webhooks/s, 64 callers", ours)
	var ratios []float64
	for i := range ours {
		ratios = append(ratios, ours[i]/plain[i])
	}
	report(b, "ratio", ratios)
	report(b, "processor time of one, its caller's included, µs", costs)
	report(b, "p99 ms", slow)
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(slow), "p99-ms")
	b.ReportMetric(0, "ns/op")
}

func engine() string {
	if databasetest.OnPostgres() {
		return "PostgreSQL"
	}
	return "SQLite"
}

func report(b *testing.B, what string, figures []float64) {
	b.Helper()
	sorted := slices.Sorted(slices.Values(figures))
	b.Logf("%-11s %-45s min %10.2f  median %10.2f  max %10.2f", engine(), what, sorted[0], median(figures), sorted[len(sorted)-1])
}

func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[len(sorted)/2]
}

// serve starts the portal; Stripe and mail are addresses that nobody answers at, since a webhook asks neither.
func serve(b *testing.B) (stop func(), base string) {
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	base = "http://" + door.Addr().String()
	c := &config.Config{
		Listen: door.Addr().String(), BaseURL: base, DatabaseURL: databasetest.URL(b),
		StripeKey: "sk_test_bench", StripePublic: "pk_test_bench", WebhookSecrets: []config.Secret{secret},
		StripeAPI: "http://127.0.0.1:1", StripeJS: "http://127.0.0.1:1/v3/", StripeEmails: "off", SMTP: "smtp://127.0.0.1:1",
		MailFrom: "billing@lumen.example", MerchantName: "Lumen Studio", MerchantAddr: "Milano", SupportEmail: "billing@lumen.example",
		DefaultZone: "Europe/Rome", DefaultLang: "en", SessionKey: config.Secret(strings.Repeat("s", 40)), LogFormat: "text",
		TestRecipient: "*", ContactHours: "9-18", ContactDays: "mon-fri",
	}
	err = c.Check()
	if err != nil {
		b.Fatal(err)
	}
	house, err := portal.New(b.Context(), c, portal.Surroundings{Now: time.Now, Real: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- house.Serve(ctx, door, house.Web) }() // the tasks stay still: receiving alone is measured
	return func() {
		cancel()
		<-served
		house.Close()
	}, base
}

// body is an event as Stripe sends one of a small invoice: about a kilobyte.
func body(id string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"object":"event","api_version":"2023-10-16","created":1700000000,"livemode":false,"type":"invoice.payment_failed","data":{"object":{"id":"in_%s","object":"invoice","customer":"cus_bench","description":%q}}}`,
		id, id, strings.Repeat("x", 780))
}

var number atomic.Int64

func webhooks(b *testing.B, base string) (perSecond float64, p99 time.Duration) {
	address := strings.TrimPrefix(base, "http://")
	var mu sync.Mutex
	var all []time.Duration
	var wait sync.WaitGroup
	start := time.Now()
	for range callers {
		wait.Go(func() {
			conn, err := net.Dial("tcp", address) // a plain client, so that the two cores serve more than they ask
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			answers := bufio.NewReader(conn)
			var mine []time.Duration
			for time.Since(start) < each {
				text := body("evt_" + strconv.FormatInt(number.Add(1), 10))
				at := time.Now().Unix()
				mac := hmac.New(sha256.New, []byte(secret))
				fmt.Fprintf(mac, "%d.%s", at, text)
				var request bytes.Buffer
				fmt.Fprintf(&request, "POST /webhooks/stripe HTTP/1.1\r\nHost: %s\r\nStripe-Signature: t=%d,v1=%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
					address, at, hex.EncodeToString(mac.Sum(nil)), len(text))
				request.Write(text)
				asked := time.Now()
				_, err = conn.Write(request.Bytes())
				if err != nil {
					b.Error(err)
					return
				}
				answer, err := http.ReadResponse(answers, nil)
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				if answer.StatusCode != http.StatusOK {
					b.Errorf("answered %d", answer.StatusCode)
					return
				}
				mine = append(mine, time.Since(asked))
			}
			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		})
	}
	wait.Wait()
	took := time.Since(start)
	if len(all) == 0 {
		b.Fatal("nothing was answered")
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	return float64(len(all)) / took.Seconds(), all[len(all)*99/100]
}

// rawInserts answers a measure of one writer that commits each row of a kilobyte by itself.
func rawInserts(b *testing.B) func() float64 {
	data := databasetest.URL(b)
	driver, address := "pgx", data
	file, isFile := strings.CutPrefix(data, "sqlite:")
	if isFile {
		driver, address = "sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`CREATE TABLE raw (id TEXT PRIMARY KEY, body TEXT NOT NULL)`)
	if err != nil {
		b.Fatal(err)
	}
	insert, err := db.Prepare(`INSERT INTO raw (id, body) VALUES ($1, $2)`)
	if err != nil {
		b.Fatal(err)
	}
	return func() float64 {
		start, n := time.Now(), 0
		for time.Since(start) < each {
			id := "evt_" + strconv.FormatInt(number.Add(1), 10)
			_, err := insert.Exec(id, string(body(id)))
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		return float64(n) / time.Since(start).Seconds()
	}
}
