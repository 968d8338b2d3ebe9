// Package sandbox is a stateful stand-in for Stripe at API version 2023-10-16: customers, cards, subscriptions and
// invoices that live, renew, fail, retry and get paid as Stripe documents it, signed webhooks, test clocks, a browser
// script and a mail catcher. It exists because the portal has to be tried and tested where Stripe cannot be reached,
// by its own client library and by anybody else's. It knows nothing of the portal.
package sandbox
