package sandbox

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"sync/atomic"
	"time"

	"github.com/a-h/templ"
)

//go:embed browser
var browserFiles embed.FS

// browserState is what the browser's side of a Server remembers.
type browserState struct {
	catcher atomic.Pointer[Catcher]
}

// SetCatcher makes the mails of c readable at GET /inbox.json on the server's
// own address. Without a catcher that address answers 404.
func (s *Server) SetCatcher(c *Catcher) {
	s.browser.catcher.Store(c)
}

// browserPages serves what people's browsers load from the sandbox: the script
// that stands in for Stripe.js, the frames it mounts, the make-believe bank and
// the hosted invoice page. Towards the API they are a client like any other.
type browserPages struct {
	server *Server
	api    apiClient
}

// mountBrowser adds the browser's addresses to the mux that already carries
// the API.
func (s *Server) mountBrowser(mux *http.ServeMux) {
	pages := &browserPages{
		server: s,
		api:    apiClient{handler: mux, secretKey: s.SecretKey(), publishableKey: s.PublishableKey()},
	}
	script := browserScript()
	mux.Handle("GET /v3", script)
	mux.Handle("GET /v3/{$}", script)
	for address, file := range map[string]string{
		"/v3/elements-inner-payment.html":     "payment.html",
		"/v3/elements-inner-payment.css":      "payment.css",
		"/v3/elements-inner-payment.js":       "payment.js",
		"/v3/elements-inner-payment-cards.js": "payment_cards.js",
		"/v3/elements-inner-payment-words.js": "payment_words.js",
		"/v3/bank.js":                         "bank.js",
		"/v3/page.css":                        "page.css",
	} {
		mux.Handle("GET "+address, newAsset(file, readAsset(file)))
	}
	mux.HandleFunc("GET /v3/3ds/{intent}", pages.showBank)
	mux.HandleFunc("POST /v3/3ds/{intent}/complete", pages.answerBank)
	mux.HandleFunc("GET /i/{token}", pages.showInvoice)
	mux.HandleFunc("POST /i/{token}", pages.payInvoice)
	mux.HandleFunc("GET /i/{token}/bank", pages.showInvoiceBank)
	mux.HandleFunc("POST /i/{token}/bank", pages.answerInvoiceBank)
	mux.HandleFunc("GET /i/{token}/pdf", pages.downloadInvoice)
	pages.mountDeposits(mux)
	cardDesk{pages, "/p/session/", s.portalErrand}.mount(mux)
	cardDesk{pages, "/c/pay/", s.checkoutErrand}.mount(mux)
	mux.HandleFunc("GET /inbox.json", func(w http.ResponseWriter, r *http.Request) {
		catcher := s.browser.catcher.Load()
		if catcher == nil {
			http.NotFound(w, r)
			return
		}
		catcher.ServeHTTP(w, r)
	})
}

// The policies of the sandbox's pages. The frames below /v3/ may be framed by
// anybody, as Stripe's are; they accept messages only from who framed them.
const (
	framePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	pagePolicy  = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

// asset is one embedded file, served with a validator so that browsers ask
// again but rarely load again.
type asset struct {
	body        []byte
	contentType string
	tag         string
}

// browserScript is the stand-in for Stripe.js. Its parts share one scope that
// the page does not see; a page that loads it twice keeps the first.
func browserScript() asset {
	var whole bytes.Buffer
	whole.WriteString("(function () {\n'use strict';\n")
	whole.WriteString("if (window.Stripe) {\n  console.warn('Stripe.js was loaded more than once. The first one stays.');\n  return;\n}\n")
	for _, part := range []string{"api.js", "bank.js", "elements.js", "client.js"} {
		whole.Write(readAsset("stripe/" + part))
	}
	whole.WriteString("})();\n")
	return newAsset("stripe.js", whole.Bytes())
}

// readAsset reads an embedded file. The names are constants of this file, so a
// missing one is a mistake of the build.
func readAsset(name string) []byte {
	body, err := browserFiles.ReadFile("browser/" + name)
	if err != nil {
		panic("sandbox: " + err.Error())
	}
	return body
}

func newAsset(name string, body []byte) asset {
	types := map[string]string{".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
	sum := sha256.Sum256(body)
	return asset{
		body:        body,
		contentType: types[path.Ext(name)] + "; charset=utf-8",
		tag:         `"` + hex.EncodeToString(sum[:8]) + `"`,
	}
}

func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	header.Set("Content-Security-Policy", framePolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", a.tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
}

// render writes a page of the sandbox. A page that cannot be drawn is not
// begun.
func (p *browserPages) render(w http.ResponseWriter, r *http.Request, policy string, status int, page interface{ draw() templ.Component }) {
	var body bytes.Buffer
	err := page.draw().Render(r.Context(), &body)
	if err != nil {
		p.server.log.Error("draw a sandbox page", "path", r.URL.Path, "error", err)
		http.Error(w, "The sandbox could not draw this page.", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err = w.Write(body.Bytes())
	if err != nil {
		p.server.log.Debug("a reader of a sandbox page went away", "path", r.URL.Path, "error", err)
	}
}

// readOrigin gives back an origin such as http://127.0.0.1:8080 in its plain
// form, and "" for anything else.
func readOrigin(text string) string {
	address, err := url.Parse(text)
	if err != nil || address.Host == "" || (address.Scheme != "http" && address.Scheme != "https") {
		return ""
	}
	return address.Scheme + "://" + address.Host
}
