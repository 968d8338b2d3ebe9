// Package browsertest starts a real Chromium for tests and knows how to do in
// it what a customer does: type a card into the payment frame and answer the
// bank's dialogue; and how to judge a page for everybody who reads it. It exists
// because half of a page is what the browser makes of it, and no test of
// handlers sees that half. Only tests import it, and the program that draws the
// gallery.
package browsertest
