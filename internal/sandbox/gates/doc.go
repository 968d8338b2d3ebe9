// Package gates holds the stand-in and its clients to Stripe's official text of API version 2023-10-16. Tests import
// it: Spec checks what is answered against the published schemas, Transport shows every request to stripe-mock, which
// refuses what Stripe would refuse. Neither knows state; that is the stand-in's own part.
package gates
