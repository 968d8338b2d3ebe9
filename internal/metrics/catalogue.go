package metrics

import (
	"fmt"
	"io"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// entry is one metric as it is documented; the registry is made from the same list.
type entry struct {
	name   string
	kind   string // counter, gauge or histogram
	labels []string
	help   string
}

// catalogue is every metric of ours. The Go runtime's and the process's own (go_…, process_…) come beside them.
var catalogue = []entry{
	{"sollecito_build_info", "gauge", []string{"version", "revision", "go"}, "Always 1; its labels say which build runs."},
	{"sollecito_http_requests_total", "counter", []string{"route", "status"}, "Requests answered, by the route's pattern, never by its path."},
	{"sollecito_http_request_seconds", "histogram", []string{"route"}, "Time until a request was answered."},
	{"sollecito_webhooks_total", "counter", []string{"answer"}, "Calls of Stripe's webhook: kept, refused (a wrong signature, no event) or failed (Stripe sends it again)."},
	{"sollecito_stripe_requests_total", "counter", []string{"method", "path", "status"}, "Requests to Stripe, by path with ids cut out; status none is no answer."},
	{"sollecito_stripe_request_seconds", "histogram", []string{"method", "path"}, "Time until Stripe answered."},
	{"sollecito_mails_total", "counter", []string{"outcome"}, "Tries to hand over a mail: sent, refused, deferred, uncertain, unsendable, broken (the connection), unreachable or turned_away (the server wants a sign-in or another sender, or does not relay)."},
	{"sollecito_deliveries_total", "counter", []string{"outcome"}, "Tries to hand a webhook to your app: delivered, or failed (another answer than 2xx, or none)."},
	{"sollecito_task_runs_total", "counter", []string{"task"}, "Runs of each task since the start."},
	{"sollecito_task_failures_total", "counter", []string{"task"}, "Runs of each task that failed since the start."},
	{"sollecito_task_last_success_timestamp_seconds", "gauge", []string{"task"}, "When each task last came round without a failure, in unix seconds; 0 before the first time."},
	{"sollecito_database_up", "gauge", nil, "1 when the figures below could be read at this scrape. With 0 they are absent."},
	{"sollecito_sending_stopped", "gauge", nil, "1 while all sending is stopped by the switch."},
	{"sollecito_events", "gauge", []string{"status"}, "Stripe's events that are kept: received (waiting), processed, ignored or parked."},
	{"sollecito_events_lag_seconds", "gauge", nil, "For how long the oldest waiting event has waited; 0 with none."},
	{"sollecito_last_event_timestamp_seconds", "gauge", nil, "When Stripe last delivered an event, in unix seconds; 0 before the first."},
	{"sollecito_events_missed", "gauge", nil, "Events that Stripe did not deliver and the last comparison with Stripe that found any had to fetch."},
	{"sollecito_events_missed_timestamp_seconds", "gauge", nil, "When that was, in unix seconds; 0 never."},
	{"sollecito_notices", "gauge", []string{"channel", "status"}, "Messages by channel (email, app) and status; uncertain ones wait for a person."},
	{"sollecito_notices_due", "gauge", nil, "Mails whose time has come and that have not left."},
	{"sollecito_notices_due_oldest_seconds", "gauge", nil, "For how long the oldest of them has been due; 0 with none."},
	{"sollecito_deliveries", "gauge", []string{"status"}, "Webhooks to your app that it does not have: pending (waiting or tried again) or failed (given up; a press delivers them again)."},
	{"sollecito_deliveries_pending_oldest_seconds", "gauge", nil, "For how long the oldest pending one has waited since what it tells of happened; 0 with none."},
	{"sollecito_cases", "gauge", []string{"status"}, "Cases by status."},
	{"sollecito_pauses", "gauge", []string{"reason"}, "Pauses of open cases that are active now, by reason."},
	{"sollecito_conversations_waiting", "gauge", nil, "Conversations that wait for an answer of staff."},
}

func find(name string) entry {
	for _, e := range catalogue {
		if e.name == name {
			return e
		}
	}
	panic("no metric " + name) // a slip of this package's own; every name is used by its tests
}

func (e entry) desc() *prometheus.Desc { return prometheus.NewDesc(e.name, e.help, e.labels, nil) }

// Table writes the documented table of metrics in Markdown.
func Table(w io.Writer) error {
	_, err := fmt.Fprint(w, "| Metric | Kind | Labels | What it says |\n|---|---|---|---|\n")
	for _, e := range catalogue {
		if err != nil {
			return err
		}
		labels := ""
		if len(e.labels) > 0 {
			labels = "`" + strings.Join(e.labels, "`, `") + "`"
		}
		_, err = fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", e.name, e.kind, labels, e.help)
	}
	return err
}
