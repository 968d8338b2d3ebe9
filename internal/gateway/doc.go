// Package gateway speaks with Stripe and translates what it says into billing's words. Stripe is foreign: its
// shapes, its error texts (which carry client secrets) and its version end here, and this is the only room that
// imports its library. The gateway decides nothing and keeps nothing; it reads, it passes on one order at a
// time under the idempotency key it was given, and where it cannot know how an order ended it says so.
package gateway
