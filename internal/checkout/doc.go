// Package checkout does at Stripe what a customer's press on our pages asks for: charging open invoices with a
// card on file, keeping a new card and charging with it, handing the browser what it needs for the bank's
// approval. Every order is written down with its idempotency key before Stripe is called, so that a second
// click, a second tab or a crash in the middle never charges twice; what came of it is read from Stripe, never
// from what a browser says.
package checkout
