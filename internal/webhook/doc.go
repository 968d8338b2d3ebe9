// Package webhook tells the merchant's app what happens: which endpoints want to hear of what, every message to each of them
// and what became of it. A message is written in the transaction of the fact it tells, signed by the Standard Webhooks
// specification (https://www.standardwebhooks.com, version 1.0.0) and says no more than ids and states; whoever gets one asks
// for the rest.
package webhook
