package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// readWithin bounds the reading of the database at a scrape: monitoring must not hold up what it watches.
const readWithin = 2 * time.Second

// scrape is the collector of everything that is read and not counted.
type scrape struct {
	build Build
	from  Sources
}

// Describe implements prometheus.Collector. Series are made at each scrape, so nothing is promised beforehand.
func (s *scrape) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (s *scrape) Collect(out chan<- prometheus.Metric) {
	tell := func(name string, value float64, labels ...string) {
		e := find(name)
		kind := prometheus.GaugeValue
		if e.kind == "counter" {
			kind = prometheus.CounterValue
		}
		out <- prometheus.MustNewConstMetric(e.desc(), kind, value, labels...)
	}
	tell("sollecito_build_info", 1, s.build.Version, s.build.Revision, s.build.Go)
	for _, t := range s.from.Tasks() {
		tell("sollecito_task_runs_total", float64(t.Runs), t.Name)
		tell("sollecito_task_failures_total", float64(t.Failures), t.Name)
		at := int64(0)
		if !t.LastSuccess.IsZero() {
			at = t.LastSuccess.Unix()
		}
		tell("sollecito_task_last_success_timestamp_seconds", float64(at), t.Name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), readWithin)
	defer cancel()
	r, err := s.from.Reading(ctx)
	if err != nil {
		s.from.Logger.Warn("the figures for monitoring could not be read", "err", err)
		tell("sollecito_database_up", 0)
		return
	}
	tell("sollecito_database_up", 1)
	r.tell(tell)
}
