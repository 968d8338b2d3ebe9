package main

import (
	"io"
	"net/http"
	"sync/atomic"
)

// gate answers for the portal until it stands. Bringing a large database into shape may take minutes, in which
// nobody must take the program for dead, and Stripe must hear that it is to come back.
type gate struct{ house atomic.Pointer[http.Handler] }

// open lets everybody through to the portal.
func (g *gate) open(house http.Handler) { g.house.Store(&house) }

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	house := g.house.Load()
	if house != nil {
		(*house).ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if r.URL.Path == "/healthz" {
		_, _ = io.WriteString(w, `{"status":"ok"}`+"\n") // an answer that does not arrive is asked for again
		return
	}
	w.Header().Set("Retry-After", "5")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, `{"status":"unavailable","reason":"It is starting: the database is brought into this release's shape."}`+"\n")
}
