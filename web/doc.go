// Package web is the door for people and for Stripe: it reads a request, asks a room, draws a view. Handlers
// return what went wrong; errors.go alone turns that into a status, a page and a log line. routes.go is the whole
// house seen from the street.
package web
