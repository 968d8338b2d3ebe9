// Package metrics counts what the portal does and reads how it stands, in Prometheus' form, for the operator's own
// monitoring. It is a leaf: the rooms tell it through functions they are handed, and know nothing of it. No series
// names a customer, an invoice or an address, so that their number stays small and nobody's data leaves with them.
package metrics
