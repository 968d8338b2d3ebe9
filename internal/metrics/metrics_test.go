package metrics_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
	"sollecito/internal/metrics"
)

var update = flag.Bool("update", false, "write the table in docs/metrics.md anew")

var now = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func open(t *testing.T) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), databasetest.Migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// measured is a registry over a database, with one task.
func measured(db *database.DB) *metrics.Metrics {
	return metrics.New(metrics.Build{Version: "v1.2.3", Revision: "abc", Go: "go1"}, metrics.Sources{
		Tasks: func() []metrics.Task { return []metrics.Task{{Name: "send", Runs: 3, Failures: 1, LastSuccess: now}} },
		Reading: func(ctx context.Context) (metrics.Reading, error) {
			var r metrics.Reading
			err := db.See(ctx, func(tx *sql.Tx) error {
				var err error
				r, err = metrics.Read(ctx, tx, now, now)
				return err
			})
			return r, err
		},
		Logger: slog.New(slog.DiscardHandler),
	})
}

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func says(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("%q is missing", line)
		}
	}
}

func TestWhatHappensIsCounted(t *testing.T) {
	t.Parallel()
	m := measured(open(t))
	m.Request("GET /l/{token}", 303, 20*time.Millisecond)
	m.Request("", 404, time.Millisecond)
	m.Request("POST /webhooks/stripe", 200, time.Millisecond)
	m.Request("POST /webhooks/stripe", 400, time.Millisecond)
	m.Request("POST /webhooks/stripe", 503, time.Millisecond)
	m.Stripe("GET", "/v1/customers/{id}", 200, 80*time.Millisecond)
	m.Stripe("POST", "/v1/invoices/{id}/pay", 0, 20*time.Second)
	m.Mail("sent")
	m.Mail("uncertain")
	m.Delivery(true)
	m.Delivery(false)
	m.Delivery(false)
	says(t, scrape(t, m),
		`sollecito_http_requests_total{route="GET /l/{token}",status="303"} 1`,
		`sollecito_http_requests_total{route="none",status="404"} 1`,
		`sollecito_http_request_seconds_bucket{route="GET /l/{token}",le="0.025"} 1`,
		`sollecito_webhooks_total{answer="kept"} 1`, `sollecito_webhooks_total{answer="refused"} 1`, `sollecito_webhooks_total{answer="failed"} 1`,
		`sollecito_stripe_requests_total{method="GET",path="/v1/customers/{id}",status="200"} 1`,
		`sollecito_stripe_requests_total{method="POST",path="/v1/invoices/{id}/pay",status="none"} 1`,
		`sollecito_mails_total{outcome="sent"} 1`, `sollecito_mails_total{outcome="uncertain"} 1`, `sollecito_mails_total{outcome="refused"} 0`,
		`sollecito_deliveries_total{outcome="delivered"} 1`, `sollecito_deliveries_total{outcome="failed"} 2`,
		`sollecito_deliveries{status="pending"} 0`, `sollecito_deliveries_pending_oldest_seconds 0`,
		`sollecito_task_runs_total{task="send"} 3`, `sollecito_task_failures_total{task="send"} 1`,
		`sollecito_build_info{go="go1",revision="abc",version="v1.2.3"} 1`, `sollecito_database_up 1`,
		`sollecito_sending_stopped 0`, `sollecito_events_lag_seconds 0`, `sollecito_notices_due 0`,
	)
}

func TestWhatStandsIsRead(t *testing.T) {
	t.Parallel()
	db := open(t)
	run := func(query string, args ...any) {
		t.Helper()
		err := db.Do(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(query, args...); return err })
		if err != nil {
			t.Fatal(err)
		}
	}
	event := func(id, status string, ago time.Duration) {
		run(`INSERT INTO events (id, type, object_type, object_id, customer_id, api_version, livemode, created_at, received_at, status, attempts, next_try_at, reason, processed_at)
			VALUES ($1, 'invoice.paid', 'invoice', 'in_1', '', '', FALSE, 0, $2, $3, 0, 0, '', 0)`, id, now.Add(-ago).Unix(), status)
	}
	event("evt_1", "received", 90*time.Second)
	event("evt_2", "received", 30*time.Second)
	event("evt_3", "parked", time.Hour)
	notice := func(id, channel, status string, due time.Time) {
		run(`INSERT INTO notices VALUES ($1, 'reminder', $2, 'cus_1', '', $1, '', 'giulia@example.com', $3, '', TRUE, 0, 0, $4, 0, 0, '', 0, '', 0)`, id, channel, status, due.Unix())
	}
	notice("1", "email", "queued", now.Add(-5*time.Minute))
	notice("2", "email", "queued", now.Add(time.Hour))
	notice("3", "app", "queued", now.Add(-time.Hour))
	notice("4", "email", "uncertain", now)
	run(`INSERT INTO customers (id, name, email, preferred_locales, language, country, state, zone, default_method, deleted, livemode, created_at, synced_at)
		VALUES ('cus_1', '', '', '', '', '', '', '', '', FALSE, FALSE, 0, 0)`)
	run(`INSERT INTO cases (id, customer_id, campaign, campaign_version, status, access, step, opened_at, opened_day, rested_days, resting_since, next_step_at, consequence_at, closed_at) VALUES ('case_1', 'cus_1', 'x', 1, 'open', 'full', 0, 0, '', 0, 0, NULL, 0, 0)`)
	run(`INSERT INTO cases (id, customer_id, campaign, campaign_version, status, access, step, opened_at, opened_day, rested_days, resting_since, next_step_at, consequence_at, closed_at) VALUES ('case_2', 'cus_1', 'x', 1, 'recovered', 'full', 0, 0, '', 0, 0, NULL, 0, 0)`)
	for id, d := range map[string]struct {
		status string
		ago    time.Duration
	}{"1": {"pending", time.Hour}, "2": {"pending", time.Minute}, "3": {"failed", 96 * time.Hour}, "4": {"delivered", 24 * time.Hour}} {
		run(`INSERT INTO webhook_deliveries (id, message_id, endpoint_id, customer_id, type, body, status, created_at, due_at)
			VALUES ($1, $1, 'whe_1', 'cus_1', 'case.opened', '{}', $2, $3, $3)`, id, d.status, now.Add(-d.ago).Unix())
	}
	run(`INSERT INTO pauses VALUES ('p1', 'case_1', 'dispute', '', '', 0, 0, 0)`)
	run(`INSERT INTO pauses VALUES ('p2', 'case_1', 'staff', '', '', 0, 0, 7)`)
	run(`INSERT INTO pauses VALUES ('p3', 'case_2', 'claim', '', '', 0, 0, 0)`)
	text := scrape(t, measured(db))
	says(t, text,
		`sollecito_events{status="received"} 2`, `sollecito_events{status="parked"} 1`, `sollecito_events_lag_seconds 90`,
		`sollecito_last_event_timestamp_seconds `+strconv.FormatFloat(float64(now.Add(-30*time.Second).Unix()), 'g', -1, 64),
		`sollecito_notices{channel="email",status="queued"} 2`, `sollecito_notices{channel="app",status="queued"} 1`, `sollecito_notices{channel="email",status="uncertain"} 1`,
		`sollecito_notices_due 1`, `sollecito_notices_due_oldest_seconds 300`,
		`sollecito_cases{status="open"} 1`, `sollecito_cases{status="recovered"} 1`,
		`sollecito_deliveries{status="pending"} 2`, `sollecito_deliveries{status="failed"} 1`, `sollecito_deliveries_pending_oldest_seconds 3600`,
		`sollecito_pauses{reason="dispute"} 1`, `sollecito_pauses{reason="staff"} 0`, `sollecito_pauses{reason="claim"} 0`,
	)
	for _, name := range []string{"cus_", "in_1", "giulia", "case_1"} {
		if strings.Contains(text, name) {
			t.Errorf("%q is told to the monitoring", name)
		}
	}
}

func TestADatabaseThatDoesNotAnswerSpoilsNothingElse(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Build{}, metrics.Sources{
		Tasks:   func() []metrics.Task { return nil },
		Reading: func(context.Context) (metrics.Reading, error) { return metrics.Reading{}, errors.New("locked") },
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	text := scrape(t, m)
	says(t, text, `sollecito_database_up 0`, `sollecito_mails_total{outcome="sent"} 0`)
	if strings.Contains(text, "sollecito_cases") {
		t.Error("figures that were not read are told")
	}
}

// The documented table is the registry's own: every metric is in it, with its kind, and nothing else.
func TestTheDocumentedTableIsTheRegistry(t *testing.T) {
	t.Parallel()
	m := measured(open(t))
	m.Request("GET /pay", 200, time.Millisecond)
	m.Stripe("GET", "/v1/account", 200, time.Millisecond)
	kinds := map[string]string{}
	for _, found := range regexp.MustCompile(`(?m)^# TYPE (sollecito_\w+) (\w+)$`).FindAllStringSubmatch(scrape(t, m), -1) {
		kinds[found[1]] = found[2]
	}
	var table strings.Builder
	err := metrics.Table(&table)
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\w+) \\|").FindAllStringSubmatch(table.String(), -1) {
		documented[row[1]] = row[2]
	}
	for name, kind := range kinds {
		if documented[name] != kind {
			t.Errorf("%s is a %s, documented as %q", name, kind, documented[name])
		}
	}
	for name := range documented {
		if kinds[name] == "" {
			t.Errorf("%s is documented and not there", name)
		}
	}

	const file, begin, end = "../../docs/metrics.md", "<!-- The table is written by go test ./internal/metrics -update -->\n", "<!-- end -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), begin)
	written, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatal("docs/metrics.md has no place for the table")
	}
	if *update {
		err = os.WriteFile(file, []byte(head+begin+table.String()+end+tail), 0o644)
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if written != table.String() {
		t.Error("the table in docs/metrics.md is not today's: go test ./internal/metrics -update writes it")
	}
	for _, name := range regexp.MustCompile(`\bsollecito_[a-z_]+`).FindAllString(head+tail, -1) {
		name = strings.TrimSuffix(name, "_bucket")
		if documented[name] == "" {
			t.Errorf("docs/metrics.md speaks of %s, which there is not", name)
		}
	}
}
