package main

import (
	"io"
	"net/http"
	"strings"
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
	w.Header().Set("Cache-Control", "no-store")
	if r.URL.Path == "/healthz" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, `{"status":"ok"}`+"\n") // an answer that does not arrive is asked for again
		return
	}
	w.Header().Set("Retry-After", "5")
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		if r.Method == http.MethodGet {
			w.Header().Set("Refresh", "5")
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, startingPage)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, `{"status":"unavailable","reason":"It is starting: the database is brought into this release's shape."}`+"\n")
}

// startingPage is what people see meanwhile. Nothing of the house stands yet, so it needs nothing of it; a page
// that was only asked for looks again by itself.
const startingPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>One moment, please</title>
</head>
<body>
<main>
<h1>One moment, please</h1>
<p>We are just starting. Please try again in a few seconds; nothing is lost.</p>
</main>
</body>
</html>
`
