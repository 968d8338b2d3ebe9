// Package reading takes a stranger's mail apart and says what it is: a report that a mail came back, a complaint, an
// automatic answer, or what a person wrote. It is pure and bounded: depth, parts, bytes and the number of addresses
// have limits, so no mail can cost more than its size, and nothing in it is believed before a token vouches for it.
package reading
