// Package stage draws the pages of the demo: the clock that can be moved, the mailbox, the cast of make-believe
// customers and a make-believe app with the notice in it. They exist so that a person can see a whole campaign run
// in a few minutes without keys or a network. Nothing here is part of a running portal.
package stage
