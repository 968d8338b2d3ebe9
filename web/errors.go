package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/staff"
	"sollecito/views"
	"sollecito/views/desk"
)

// status is the whole policy from a kind of failure to HTTP.
var status = map[fault.Kind]int{
	fault.NotFound:    http.StatusNotFound,
	fault.Invalid:     http.StatusUnprocessableEntity,
	fault.Forbidden:   http.StatusForbidden,
	fault.SignedOut:   http.StatusUnauthorized,
	fault.Conflict:    http.StatusConflict,
	fault.TooMany:     http.StatusTooManyRequests,
	fault.Unavailable: http.StatusServiceUnavailable,
	fault.TooLarge:    http.StatusRequestEntityTooLarge,
	fault.WrongMethod: http.StatusMethodNotAllowed,
	fault.Internal:    http.StatusInternalServerError,
}

// retryAfter is told with answers that ask to come back.
const retryAfter = 30 * time.Second

// fail turns what a handler returned into a status, a page and a log line.
func (s *Server) fail(w *answer, r *http.Request, err error) {
	kind := kindOf(err)
	code := status[kind]
	var bad badRequest
	if errors.As(err, &bad) {
		code = http.StatusBadRequest
	}
	if kind == fault.Internal && errors.Is(err, context.Canceled) {
		return // nobody is listening any more
	}
	switch {
	case code >= 500 && database.Outage(err): // of whatever comes: each request has its line, and one a second says why
		once := &s.outages
		if fault.Is(err, fault.Unavailable) { // Stripe's silence must not hide the database's, nor the other way round
			once = &s.silences
		}
		once.Do(func() { s.complain(r, code, err) })
	case code >= 500:
		s.complain(r, code, err)
	default:
		s.Logger.InfoContext(r.Context(), "request refused", "request", visitOf(r).id, "route", r.Pattern, "status", code, "who", s.whoWas(r, code), "why", err.Error())
	}
	if w.status != 0 {
		return // part of an answer is out already
	}
	wait := time.Duration(0)
	var later *staff.TryLater
	switch {
	case errors.As(err, &later):
		wait = later.Wait
	case kind == fault.Unavailable || kind == fault.TooMany:
		wait = retryAfter
	}
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds()+1)))
	}
	switch {
	case wantsJSON(r) && strings.HasPrefix(r.URL.Path, "/pay") && kind == fault.SignedOut:
		sendAway(w, code, "/pay") // to the page that sends a new link
	case wantsJSON(r):
		s.problem(w, code, string(kind), s.words(r, code, err))
	case strings.HasPrefix(r.URL.Path, "/admin"):
		s.failDesk(w, r, code, err)
	case kind == fault.SignedOut:
		s.show(w, r, code, views.DeadLink(views.DeadLinkPage{Frame: s.frame(r, nobody)}))
	default:
		p := views.ProblemPage{Frame: s.frame(r, s.whoeverAsks(r)), Status: toldAs(code, err), RequestID: visitOf(r).id, RetryIn: wait}
		s.show(w, r, code, views.Problem(p))
	}
}

func (s *Server) complain(r *http.Request, code int, err error) {
	s.Logger.ErrorContext(r.Context(), "request failed", "request", visitOf(r).id, "route", r.Pattern, "status", code, "err", err)
}

// kindOf is the kind a person is answered by. A database that cannot serve now, for want of disk or because it restarts,
// is nothing that broke: it passes, and who asks is told when to come back.
func kindOf(err error) fault.Kind {
	kind := fault.KindOf(err)
	if kind == fault.Internal && database.Outage(err) {
		return fault.Unavailable
	}
	return kind
}

// toldAs is the status whose words tell of a failure: those of 503 speak of the payment service, and a database of ours
// that cannot serve is our own matter.
func toldAs(code int, err error) int {
	if code == http.StatusServiceUnavailable && fault.KindOf(err) == fault.Internal {
		return http.StatusInternalServerError
	}
	return code
}

// whoeverAsks is whose page is open, so that a failure too is told in their language and leads back; nobody when that
// cannot be said, as when the database is what failed.
func (s *Server) whoeverAsks(r *http.Request) visitor {
	v, err := s.visitorOf(r)
	if err != nil {
		return nobody
	}
	return v
}

// whoWas is the member of staff who was denied something, "" for everybody else.
func (s *Server) whoWas(r *http.Request, code int) string {
	if code != http.StatusForbidden || !strings.HasPrefix(r.URL.Path, "/admin") {
		return ""
	}
	who, err := s.memberOf(r)
	if err != nil {
		return ""
	}
	return who.ID
}

func (s *Server) failDesk(w *answer, r *http.Request, code int, err error) {
	if code == http.StatusUnauthorized && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		http.Redirect(w, r, "/admin/signin?back="+escape(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	p := desk.ProblemPage{Frame: s.deskFrame(r), Status: code, RequestID: visitOf(r).id, Sentence: fault.MessageOf(err)}
	s.show(w, r, code, desk.Problem(p))
}

// words are a sentence for the reader of a call's answer: on a customer's page in their own language, and for the people who
// wrote a call, what was wrong with it.
func (s *Server) words(r *http.Request, code int, err error) string {
	if code >= 500 && strings.HasPrefix(r.URL.Path, "/api/") { // who asks there has neither a session nor a language
		return views.ProblemSentence(s.Catalog.Locale("en"), toldAs(code, err))
	}
	if code == http.StatusTooManyRequests || code >= 500 || strings.HasPrefix(r.URL.Path, "/pay") {
		return views.ProblemSentence(s.localeOf(r, s.whoeverAsks(r)), toldAs(code, err))
	}
	return fault.MessageOf(err)
}

// problem answers a call by RFC 9457. message repeats the sentence where our own script looks for it.
func (s *Server) problem(w http.ResponseWriter, code int, kind, sentence string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": http.StatusText(code), "status": code, "code": kind, "detail": sentence, "message": sentence,
	})
}

func wantsJSON(r *http.Request) bool {
	for _, prefix := range []string{"/embed/", "/api/", "/webhooks/", "/healthz", "/readyz"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return true
		}
	}
	return strings.HasPrefix(r.Header.Get("Accept"), "application/json")
}

// show draws a page into memory first, so that a failed drawing never sends half of it.
func (s *Server) show(w http.ResponseWriter, r *http.Request, code int, page templ.Component) {
	b := s.buffers.Get().(*bytes.Buffer)
	defer s.buffers.Put(b)
	b.Reset()
	err := page.Render(context.WithoutCancel(r.Context()), b) // whoever has left is no reason to fail
	if err != nil {
		s.Logger.ErrorContext(r.Context(), "page could not be drawn", "request", visitOf(r).id, "route", r.Pattern, "err", err)
		http.Error(w, "Something went wrong on our side. Nothing has been charged.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(code)
	w.Write(b.Bytes())
}

// statusOf is the status of a page that shows a form again, with what is wrong in it or without.
func statusOf(faults []views.Fault) int {
	if len(faults) > 0 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// sendSecret gives our script the client secret with which the browser confirms at Stripe.
func sendSecret(w http.ResponseWriter, secret string) error {
	return sendJSON(w, http.StatusOK, map[string]string{"client_secret": secret})
}

// sendAway makes our script leave for another page, because what it asks for can no longer be had here.
func sendAway(w http.ResponseWriter, code int, to string) error {
	return sendJSON(w, code, map[string]string{"redirect": to})
}

// sendJSON answers a call.
func sendJSON(w http.ResponseWriter, code int, value any) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	return json.NewEncoder(w).Encode(value)
}
