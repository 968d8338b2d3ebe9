// Package intake takes in what Stripe tells us. An event is kept in a durable row before Stripe hears a 2xx;
// its content is old by then and never believed. Processing it means reading the customer again from Stripe,
// saving that, and letting the cases be reconsidered from what is stored, so that order, duplicates and
// other API versions don't matter. The same reading serves right before a reminder and after a payment.
package intake
