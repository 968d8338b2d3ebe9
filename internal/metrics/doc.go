// Package metrics counts what the portal does and reads how it stands, in Prometheus' form, for the operator's own
// monitoring. It is a leaf: other packages report to it through functions they are given, and know nothing of it. No series
// names a customer, an invoice or an address, which keeps the number of series small and personal data out of monitoring.
package metrics
