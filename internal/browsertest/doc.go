// Package browsertest starts a real Chromium for tests and knows how to do in
// it what a customer does: type a card into the payment frame and answer the
// bank's dialogue. It exists because half of a payment page is what the
// browser makes of it, and no test of handlers sees that half. Only tests
// import it.
package browsertest
