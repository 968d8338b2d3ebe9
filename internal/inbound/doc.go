// Package inbound lets mail in: it makes the addresses at which bounces and replies to each of our mails arrive, takes mail
// in by a small SMTP server of its own or from a mailbox it looks into, and keeps it until it has had its effect. A mail is
// durable before anybody is told that we have it, and the same mail brought twice is one. Nothing comes in without a token
// that only somebody who had our mail can know.
package inbound
