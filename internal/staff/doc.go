// Package staff decides who may enter the admin pages and what they may do there. A person is let in by a one-use
// enrolment address, chooses a password and sets up an authenticator app, and from then on comes in by both: a session
// that has proven one factor only leads to the other and to nothing else. Everything that could be guessed is kept as a
// hash, seeds are sealed under a key outside the database, guessing is slowed down the same way for people we know and
// people we don't, what happens to an account is told to its owner by mail, and every coming and going is in the audit
// log.
package staff
