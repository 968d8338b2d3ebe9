// Package inbound lets mail in: the addresses under which others may answer each of our mails, the door it comes to
// (a small SMTP server of our own, or a mailbox that is looked into) and the place it is kept until it has had its
// effect. A mail is durable before anybody is told that we have it, and the same mail brought twice is one. Nothing
// comes in without a token that only somebody who had the mail can know.
package inbound
