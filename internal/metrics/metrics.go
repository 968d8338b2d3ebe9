package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is the registry of one running portal. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	requests, webhooks, stripe, mails, deliveries *prometheus.CounterVec
	requestTime, stripeTime                       *prometheus.HistogramVec
}

// Build says which program runs.
type Build struct{ Version, Revision, Go string }

// Task is how one of the runner's tasks stands since the start.
type Task struct {
	Name           string
	Runs, Failures int64
	LastSuccess    time.Time // zero before the first
}

// Sources are what is read at each scrape.
type Sources struct {
	Tasks   func() []Task
	Reading func(ctx context.Context) (Reading, error)
	Logger  *slog.Logger
}

// seconds are the bounds of all histograms: a page takes milliseconds, Stripe at most twenty seconds.
var seconds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20}

// New makes a registry of its own; it touches no global one.
func New(build Build, from Sources) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: counter("sollecito_http_requests_total"), webhooks: counter("sollecito_webhooks_total"),
		stripe: counter("sollecito_stripe_requests_total"), mails: counter("sollecito_mails_total"),
		deliveries:  counter("sollecito_deliveries_total"),
		requestTime: histogram("sollecito_http_request_seconds"), stripeTime: histogram("sollecito_stripe_request_seconds"),
	}
	m.registry.MustRegister(m.requests, m.webhooks, m.stripe, m.mails, m.deliveries, m.requestTime, m.stripeTime,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &scrape{build: build, from: from})
	// What has not happened yet is 0, so that an alert on its growth sees the first time.
	for _, answer := range []string{"kept", "refused", "failed"} {
		m.webhooks.WithLabelValues(answer)
	}
	for _, outcome := range []string{"sent", "refused", "deferred", "uncertain", "unsendable", "broken", "unreachable", "turned_away"} {
		m.mails.WithLabelValues(outcome)
	}
	for _, outcome := range []string{"delivered", "failed"} {
		m.deliveries.WithLabelValues(outcome)
	}
	return m
}

func counter(name string) *prometheus.CounterVec {
	e := find(name)
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: e.name, Help: e.help}, e.labels)
}

func histogram(name string) *prometheus.HistogramVec {
	e := find(name)
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: e.name, Help: e.help, Buckets: seconds}, e.labels)
}

// webhookRoute is the pattern of the one route whose answers are counted by themselves too.
const webhookRoute = "POST /webhooks/stripe"

// Request counts an answered request. route is the pattern that took it, "" when none did.
func (m *Metrics) Request(route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.requestTime.WithLabelValues(route).Observe(took.Seconds())
	if route != webhookRoute {
		return
	}
	switch {
	case status >= 500:
		m.webhooks.WithLabelValues("failed").Inc()
	case status >= 400:
		m.webhooks.WithLabelValues("refused").Inc()
	default:
		m.webhooks.WithLabelValues("kept").Inc()
	}
}

// Stripe counts an exchange with Stripe; status 0 is no answer.
func (m *Metrics) Stripe(method, path string, status int, took time.Duration) {
	said := "none"
	if status != 0 {
		said = strconv.Itoa(status)
	}
	m.stripe.WithLabelValues(method, path, said).Inc()
	m.stripeTime.WithLabelValues(method, path).Observe(took.Seconds())
}

// Mail counts a try to hand over a mail, by one of the outcomes the catalogue names.
func (m *Metrics) Mail(outcome string) { m.mails.WithLabelValues(outcome).Inc() }

// Delivery counts a try to hand a webhook to the merchant's app.
func (m *Metrics) Delivery(taken bool) {
	outcome := "failed"
	if taken {
		outcome = "delivered"
	}
	m.deliveries.WithLabelValues(outcome).Inc()
}

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2})
}
