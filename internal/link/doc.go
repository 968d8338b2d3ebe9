// Package link knows every address we print, every token and the customer's session. A token is 32 random
// bytes; only its SHA-256 is stored, so nobody who reads the database, a backup or a log can open a page. All
// the ways a link can fail (unknown, malformed, expired, revoked, spent) look the same from outside.
package link
