// Package portal puts the rooms together into one program: database, Stripe, mail, schedule and pages, started
// and stopped as a whole. The commands, the demo and the whole-program tests run the same one.
package portal
