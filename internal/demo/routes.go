package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sollecito/internal/fault"
)

// mostForm is the largest form body that is read.
const mostForm = 64 << 10

// routes is the demo in front of the portal: what is below /demo is the stage, all else the real program.
func (d *Demo) routes() (http.Handler, error) {
	origin := http.NewCrossOriginProtection()
	err := origin.AddTrustedOrigin(d.base)
	if err != nil {
		return nil, fmt.Errorf("base address: %w", err)
	}
	stage := http.NewServeMux()

	// For scripts.
	stage.Handle("GET /demo/state.json", d.call(d.showState))
	stage.Handle("GET /demo/inbox.json", d.call(d.showMails))
	stage.Handle("GET /demo/states.json", d.call(d.listStates))
	stage.Handle("POST /demo/clock", d.call(d.moveClock))
	stage.Handle("POST /demo/fail", d.call(d.failRenewal))
	stage.Handle("POST /demo/pay", d.call(d.payInvoice))

	// For people.
	stage.Handle("GET /demo", d.call(d.showHome))
	stage.Handle("GET /demo/{$}", http.RedirectHandler("/demo", http.StatusSeeOther))
	stage.Handle("GET /demo/states", d.call(d.showStates))
	stage.Handle("GET /demo/states/{name}", d.call(d.enterState))
	stage.Handle("POST /demo/states/{name}", d.call(d.enterState))
	stage.Handle("GET /demo/rehearsal", d.call(d.showRehearsal))
	stage.Handle("GET /demo/inbox", d.call(d.showInbox))
	stage.Handle("GET /demo/inbox/{id}", d.call(d.showMail))
	stage.Handle("GET /demo/inbox/{id}/html", d.call(d.showMailHTML))
	stage.Handle("GET /demo/app", d.call(d.showApp))
	stage.Handle("GET /demo/staff", d.call(d.enterAsStaff))

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/demo" && !strings.HasPrefix(r.URL.Path, "/demo/") {
			d.portal.Web.ServeHTTP(w, r)
			return
		}
		r = dress(w, r)
		err := origin.Check(r)
		if err != nil {
			d.refuse(w, r, fault.Wrap(fault.Forbidden, err, "This request came from another site."))
			return
		}
		handler, pattern := stage.Handler(r)
		if pattern == "" {
			d.refuse(w, r, whyNowhere(w, r, handler))
			return
		}
		stage.ServeHTTP(w, r)
	}), nil
}

// whyNowhere tells an address that does not exist from a method that it does not take, for which it says in the
// answer's Allow which ones it takes. fallback is what the mux would have answered with.
func whyNowhere(w http.ResponseWriter, r *http.Request, fallback http.Handler) error {
	unsent := &unsent{header: http.Header{}}
	fallback.ServeHTTP(unsent, r)
	if unsent.status != http.StatusMethodNotAllowed {
		return fault.New(fault.NotFound, "There is nothing at this address.")
	}
	w.Header().Set("Allow", unsent.header.Get("Allow"))
	return fault.New(fault.WrongMethod, "This address does not take %s.", r.Method)
}

// unsent is an answer that stays here.
type unsent struct {
	header http.Header
	status int
}

func (u *unsent) Header() http.Header         { return u.header }
func (u *unsent) WriteHeader(status int)      { u.status = status }
func (u *unsent) Write(b []byte) (int, error) { return len(b), nil }

type nonceKey struct{}

// nonceOf is the nonce that the policy of this response lets a script carry.
func nonceOf(r *http.Request) string {
	nonce, _ := r.Context().Value(nonceKey{}).(string)
	return nonce
}

// dress gives a response the headers that every page of the stage has.
func dress(w http.ResponseWriter, r *http.Request) *http.Request {
	nonce := rand.Text()
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'nonce-"+nonce+"'; style-src 'self'; img-src 'self' data:; "+
		"connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), usb=(), payment=()")
	return r.WithContext(context.WithValue(r.Context(), nonceKey{}, nonce))
}

// call adapts a handler that returns what went wrong.
func (d *Demo) call(h func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err != nil {
			d.refuse(w, r, err)
		}
	})
}

// errSeeding is the answer while the story is being played.
var errSeeding = fault.New(fault.Unavailable, "The stage is being set. Try again in a second.")

// open refuses while the story is being played.
func (d *Demo) open() error {
	if !d.risen.Load() {
		return errSeeding
	}
	return nil
}

var statusOf = map[fault.Kind]int{
	fault.NotFound: http.StatusNotFound, fault.Invalid: http.StatusUnprocessableEntity, fault.Forbidden: http.StatusForbidden,
	fault.Conflict: http.StatusConflict, fault.Unavailable: http.StatusServiceUnavailable, fault.TooLarge: http.StatusRequestEntityTooLarge,
	fault.WrongMethod: http.StatusMethodNotAllowed,
}

// refuse answers a request that failed: {"error":"…"} for scripts, one sentence for people.
func (d *Demo) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, known := statusOf[fault.KindOf(err)]
	if !known {
		status = http.StatusInternalServerError
		if r.Context().Err() == nil && d.life.Err() == nil {
			d.log.ErrorContext(r.Context(), "a call of the demo failed", "path", r.URL.Path, "err", err)
		}
	}
	said := fault.MessageOf(err)
	if !known || said == "" {
		said = "Something went wrong on our side; the demo's log has the details."
	}
	if errors.Is(err, errSeeding) {
		w.Header().Set("Retry-After", "1")
	}
	if errors.Is(err, errSeeding) && wantsPage(r) {
		w.Header().Set("Refresh", "1")
	}
	d.tell(w, r, status, said)
}

// tell answers with one sentence, in the form the asker reads.
func (d *Demo) tell(w http.ResponseWriter, r *http.Request, status int, said string) {
	if !wantsPage(r) {
		writeJSON(w, status, map[string]string{"error": said})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, err := fmt.Fprintln(w, said)
	if err != nil {
		d.log.DebugContext(r.Context(), "a visitor of the demo went away")
	}
}

// wantsPage tells a person's browser from a script.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// writeJSON answers with a body that scripts read. An error of writing means that the caller went away.
func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	_ = out.Encode(body)
}
