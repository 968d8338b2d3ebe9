// Package demo puts Sollecito on a stage: the portal, a stand-in for Stripe, a mailbox, a make-believe company with
// customers in every situation, and a clock that can be moved. It runs in one process, without keys and without a
// network beyond this machine. What is shown is the real program; only its surroundings are made up.
package demo
