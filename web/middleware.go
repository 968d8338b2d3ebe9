package web

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/fault"
)

// visit is what the middleware knows of one request and hands to whoever answers it.
type visit struct {
	id    string // quoted on error pages and in every log line of the request
	nonce string // of the content security policy
	ip    netip.Addr
	path  string // as pages may return to it
}

type visitKey struct{}

func visitOf(r *http.Request) visit {
	v, _ := r.Context().Value(visitKey{}).(visit)
	return v
}

// everywhere wraps what holds for every answer: an id, headers, a log line, and a page instead of a panic.
func (s *Server) everywhere(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.Real()
		v := visit{id: database.NewID("req"), nonce: newNonce(), ip: s.clientIP(r), path: r.URL.Path}
		r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
		answer := &answer{ResponseWriter: w}
		s.headers(answer.Header(), v)
		handler, pattern := mux.Handler(r)
		defer func() {
			if p := recover(); p != nil {
				s.fail(answer, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
			took := s.Real().Sub(began)
			s.note(r, pattern, answer.status, took)
			if s.Observe != nil {
				s.Observe(pattern, answer.status, took)
			}
		}()
		switch {
		case !legibleAddress(r):
			s.fail(answer, r, errIllegible)
			return
		case pattern == "":
			s.nowhere(answer, r, handler)
			return
		}
		mux.ServeHTTP(answer, r)
	})
}

// nowhere answers what no route does: a path that does not exist, or a method it does not take.
func (s *Server) nowhere(w *answer, r *http.Request, handler http.Handler) {
	probe := &probe{header: http.Header{}}
	handler.ServeHTTP(probe, r)
	switch {
	case probe.status == http.StatusMethodNotAllowed:
		w.Header().Set("Allow", probe.header.Get("Allow"))
		s.fail(w, r, fault.New(fault.WrongMethod, "This address does not take %s.", r.Method))
	case probe.status >= 300 && probe.status < 400:
		handler.ServeHTTP(w, r)
	default:
		s.fail(w, r, fault.New(fault.NotFound, "There is nothing at this address."))
	}
}

// headers are those of every answer. Pages that hold Stripe's fields loosen them in stripeHeaders.
func (s *Server) headers(h http.Header, v visit) {
	forms := "'self'"
	if v.path == "/pay" || strings.HasPrefix(v.path, "/pay/") { // a form there may lead on to Stripe's own page
		forms += " " + s.policies.form
	}
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'nonce-"+v.nonce+"'; style-src 'self'; img-src 'self'; "+
		"connect-src 'self'; form-action "+forms+"; base-uri 'none'; object-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin") // no-referrer would make a form's POST carry Origin: null
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), usb=(), payment=()")
	h.Set("X-Request-Id", v.id)
	if s.Addresses.Secure() {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}

// stripeHeaders are those of the pages that show Stripe's fields or the bank's dialogue.
func (s *Server) stripeHeaders(w http.ResponseWriter, r *http.Request) {
	v := visitOf(r)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'nonce-"+v.nonce+"' "+s.policies.script+"; style-src 'self'; img-src 'self' data:; "+
		"connect-src 'self' "+s.policies.connect+"; frame-src "+s.policies.frame+"; form-action 'self' "+s.policies.form+
		"; base-uri 'none'; object-src 'none'; frame-ancestors 'none'")
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
	allowed := `(self "` + strings.ReplaceAll(strings.ReplaceAll(s.policies.frame, "https://*.js.stripe.com ", ""), " ", `" "`) + `")`
	w.Header().Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), usb=(), payment="+allowed+", publickey-credentials-get="+allowed)
}

// note writes the request's line. The path is the route's pattern, since a path may hold a token.
func (s *Server) note(r *http.Request, pattern string, status int, took time.Duration) {
	level := slog.LevelInfo
	if strings.HasSuffix(pattern, "/healthz") || strings.HasSuffix(pattern, "/readyz") || strings.HasPrefix(pattern, "GET /static/") {
		level = slog.LevelDebug
	}
	s.Logger.LogAttrs(r.Context(), level, "request",
		slog.String("request", visitOf(r).id), slog.String("method", r.Method), slog.String("route", pattern),
		slog.Int("status", status), slog.Duration("took", took.Round(time.Microsecond)))
}

// clientIP is the address of whoever asks: the peer's, or, when the peer is one of our proxies, the last one in
// X-Forwarded-For that is not.
func (s *Server) clientIP(r *http.Request) netip.Addr {
	ip := peerOf(r)
	if !s.isProxy(ip) {
		return ip
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := hopOf(hops[i])
		if err != nil {
			return ip
		}
		ip = hop
		if !s.isProxy(ip) {
			return ip
		}
	}
	return ip
}

// hopOf reads one address of X-Forwarded-For, into which some proxies write the caller's port too.
func hopOf(text string) (netip.Addr, error) {
	text = strings.TrimSpace(text)
	withPort, err := netip.ParseAddrPort(text)
	if err == nil {
		return withPort.Addr().Unmap(), nil
	}
	hop, err := netip.ParseAddr(text)
	return hop.Unmap(), err
}

// peerOf is whose connection a request came by.
func peerOf(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip, _ := netip.ParseAddr(host)
	return ip.Unmap()
}

func (s *Server) isProxy(ip netip.Addr) bool {
	for _, p := range s.Proxies {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

func newNonce() string {
	var raw [16]byte
	rand.Read(raw[:])
	return base64.RawStdEncoding.EncodeToString(raw[:])
}

// answer remembers the status for the log and whether anything was sent.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// probe hears what the mux would answer without sending it.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header { return p.header }
func (p *probe) WriteHeader(s int)   { p.status = s }
func (p *probe) Write(b []byte) (int, error) {
	if p.status == 0 {
		p.status = http.StatusOK
	}
	return len(b), nil
}
