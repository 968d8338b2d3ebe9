// Package checkout does at Stripe what a customer's press on our pages asks for: it charges open invoices with a card on
// file, keeps a new card and charges with it, and hands the browser what it needs for the bank's approval. Every order is
// written down with its idempotency key before Stripe is called, so that a second click, a second tab or a crash in the
// middle never charges twice. What came of it is read from Stripe, never from what a browser says.
package checkout
