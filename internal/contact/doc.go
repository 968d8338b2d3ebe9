// Package contact says when a person may be written to. It holds the policy an installation sets (hours, days, holidays,
// gaps and caps), works out the zone a customer most likely lives in, and keeps every version of what customers chose
// themselves. The rules look at nothing but their arguments. What there is to say is decided in dunning.
package contact
