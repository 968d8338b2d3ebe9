// Package staff decides who may enter the admin pages and what they may do there. A person enters by an
// enrolment address made on the command line, good once, and from then on by address and password. Everything
// that could be guessed is kept as a hash, guessing is slowed down the same way for people we know and people
// we don't, and every coming and going is in the audit log.
package staff
