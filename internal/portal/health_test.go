package portal_test

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sollecito/internal/dunning"
)

// ready asks /readyz and answers its status and its checks as "status reason", by name.
func (h *house) ready() (int, map[string]string) {
	h.t.Helper()
	resp, err := http.Get(h.base + "/readyz")
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	var said struct {
		Status, Reason string
		Checks         []struct{ Name, Status, Reason string }
	}
	err = json.NewDecoder(resp.Body).Decode(&said)
	if err != nil {
		h.t.Fatal(err)
	}
	checks := map[string]string{"": said.Status}
	for _, c := range said.Checks {
		checks[c.Name] = strings.TrimSpace(c.Status + " " + c.Reason)
	}
	return resp.StatusCode, checks
}

func TestReadinessNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := open(t)
	status, checks := h.ready()
	if status != http.StatusServiceUnavailable || checks["portal"] != "failed It is starting or stopping." {
		t.Errorf("before the start: %d %q", status, checks)
	}
	err := h.portal.DB.Do(t.Context(), func(tx *sql.Tx) error {
		return dunning.StopSending(t.Context(), tx, "command", "", h.clock.now())
	})
	if err != nil {
		t.Fatal(err)
	}
	err = h.portal.Start(h.context)
	if err != nil {
		t.Fatal(err)
	}
	status, checks = h.ready()
	if status != http.StatusOK || checks[""] != "ok" || checks["database"] != "ok" || checks["tasks"] != "ok" || checks["stripe"] != "ok" ||
		checks["sending"] != "notice All sending is stopped by the switch." || checks["webhook"] != "notice Stripe has delivered no event yet." {
		t.Errorf("started: %d %q", status, checks)
	}

	// Stripe's address is dead: the portal stays ready and says so.
	h.api.CloseClientConnections()
	h.api.Close()
	_, err = h.portal.Stripe.CustomerOf(t.Context(), "charge", "ch_1")
	if err == nil {
		t.Fatal("Stripe still answers")
	}
	status, checks = h.ready()
	if status != http.StatusOK || checks[""] != "degraded" || !strings.HasPrefix(checks["stripe"], "degraded Stripe has not answered for ") {
		t.Errorf("without Stripe: %d %q", status, checks)
	}
	err = h.portal.DB.Close()
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2100 * time.Millisecond) // the last look at the database serves for two seconds of real time
	status, checks = h.ready()
	if status != http.StatusServiceUnavailable || checks[""] != "unavailable" || !strings.HasPrefix(checks["database"], "failed ") {
		t.Errorf("without a database: %d %q", status, checks)
	}
	for _, said := range checks {
		if strings.Contains(said, "sql") || strings.Contains(said, ".db") {
			t.Errorf("%q tells a stranger too much", said)
		}
	}
}

// A whole recovery is seen by the monitoring, and never by who it was about.
func TestMonitoringSeesARecovery(t *testing.T) {
	t.Parallel()
	h := open(t)
	customer := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(customer, "insufficient_funds")
	h.walk(24 * time.Hour)
	h.browser().get(linkIn(t, h.mailsTo("anneke@waal.example")[0])).at("/pay", http.StatusOK)
	w := httptest.NewRecorder()
	h.portal.Metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	for _, want := range []string{
		`sollecito_cases{status="open"} 1`, `sollecito_mails_total{outcome="sent"} 1`, `sollecito_notices{channel="email",status="sent"} 1`,
		`sollecito_http_requests_total{route="GET /l/{token}",status="303"} 1`, `sollecito_stripe_requests_total{method="GET",path="/v1/customers/{id}",status="200"}`,
		`sollecito_task_failures_total{task="send"} 0`, `sollecito_sending_stopped 0`, `sollecito_events_lag_seconds 0`,
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, private := range []string{customer, "anneke", "in_1", "evt_", "sk_test", "whsec"} {
		if strings.Contains(text, private) {
			t.Errorf("%q is told to the monitoring", private)
		}
	}
	resp, err := http.Get(h.base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("the public address answers /metrics with %d", resp.StatusCode)
	}
}

// docs/metrics.md has an alarm for a task that has not succeeded for a quarter of an hour: each looks more often, whatever
// it does then.
func TestEveryTaskComesRoundBeforeTheAlarm(t *testing.T) {
	t.Parallel()
	for _, task := range open(t).portal.Runner.Standings() {
		if task.Every == 0 || task.Every > 10*time.Minute {
			t.Errorf("%s looks every %s", task.Name, task.Every)
		}
	}
}
