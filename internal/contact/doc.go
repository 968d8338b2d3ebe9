// Package contact says when a person may be written to: the policy an installation sets, of hours, days, holidays, gaps
// and caps, the zone a customer most likely lives in, and what they themselves chose, every version of which it keeps.
// The rules look at nothing but their arguments; what there is to say is decided in dunning.
package contact
