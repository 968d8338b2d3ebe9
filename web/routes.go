package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"sollecito/internal/fault"
	"sollecito/internal/staff"
)

// routes is the whole house seen from the street, grouped by who comes.
func (s *Server) routes() (*http.ServeMux, error) {
	mux := http.NewServeMux()

	// Customers, by the link in their mail.
	mux.Handle("GET /l/{token}", s.page(s.openLink))
	mux.Handle("GET /l/{token}/{$}", s.page(s.openLink))
	mux.Handle("GET /l/", s.page(s.refuseLink))
	mux.Handle("GET /pay", s.page(s.showOverview))
	mux.Handle("POST /pay/review", s.page(s.chooseInvoices))
	mux.Handle("GET /pay/review", s.page(s.showReview))
	mux.Handle("POST /pay/charge", s.page(s.charge))
	mux.Handle("GET /pay/result", s.page(s.showResult))
	mux.Handle("GET /pay/card", s.page(s.showCard))
	mux.Handle("POST /pay/card/intent", s.page(s.startCard))
	mux.Handle("POST /pay/card", s.page(s.finishCard))
	mux.Handle("GET /pay/card/finish", s.page(s.returnFromBank))
	mux.Handle("GET /pay/methods", s.page(s.showMethods))
	mux.Handle("GET /pay/methods/{id}/remove", s.page(s.showRemoveMethod))
	mux.Handle("POST /pay/methods/{id}/code", s.page(s.askMethodCode))
	mux.Handle("POST /pay/methods/{id}/remove", s.page(s.removeMethod))
	mux.Handle("GET /pay/share", s.page(s.showShare))
	mux.Handle("POST /pay/share", s.page(s.makeShare))
	mux.Handle("POST /pay/share/end", s.page(s.endShare))
	mux.Handle("GET /pay/approve", s.page(s.showApprove))
	mux.Handle("POST /pay/approve", s.page(s.startApproval))
	mux.Handle("POST /pay/approve/done", s.page(s.finishApproval))
	mux.Handle("POST /pay/hosted", s.page(s.openHosted))
	mux.Handle("POST /pay/prove", s.page(s.proveAccount))
	mux.Handle("GET /pay/invoices/{id}/pdf", s.page(s.openPDF))
	mux.Handle("GET /pay/whose", s.page(s.showWhose))
	mux.Handle("GET /pay/papers", s.page(s.showPapers))
	mux.Handle("POST /pay/papers/code", s.page(s.askPapersCode))
	mux.Handle("POST /pay/papers", s.page(s.openPapers))
	mux.Handle("GET /pay/support", s.page(s.showSupport))
	mux.Handle("POST /pay/support", s.page(s.writeSupport))
	mux.Handle("GET /pay/choices", s.page(s.showChoices))
	mux.Handle("POST /pay/choices", s.page(s.chooseChoices))
	mux.Handle("GET /pay/choices/review", s.page(s.reviewChoices))
	mux.Handle("POST /pay/choices/keep", s.page(s.keepChoices))
	mux.Handle("GET /pay/promise", s.page(s.showPromise))
	mux.Handle("POST /pay/promise/review", s.page(s.choosePromise))
	mux.Handle("GET /pay/promise/review", s.page(s.reviewPromise))
	mux.Handle("POST /pay/promise", s.page(s.makePromise))
	mux.Handle("GET /pay/promise/end", s.page(s.showPromiseEnd))
	mux.Handle("POST /pay/promise/end", s.page(s.endPromise))
	mux.Handle("GET /pay/transfer", s.page(s.showTransfer))
	mux.Handle("POST /pay/transfer", s.page(s.claimTransfer))
	mux.Handle("GET /pay/cancel", s.page(s.showCancel))
	mux.Handle("POST /pay/cancel", s.page(s.cancel))
	mux.Handle("POST /pay/cancel/back", s.page(s.stay))
	mux.Handle("POST /pay/language", s.page(s.chooseLanguage))
	mux.Handle("POST /pay/leave", s.page(s.leave))
	mux.Handle("GET /pay/link", s.page(s.showDeadLink))
	mux.Handle("POST /pay/link", s.page(s.requestLink))
	mux.Handle("GET /pay/link/sent", s.page(s.showLinkSent))
	mux.Handle("GET /pay/genuine", s.page(s.showGenuine))
	mux.Handle("POST /pay/genuine", s.page(s.confirmGenuine))
	mux.Handle("GET /pay/genuine/sent", s.page(s.showGenuineSent))
	mux.Handle("GET /{$}", s.page(s.showDeadLink))

	// Whoever a customer asked to pay one invoice, by the link they handed on.
	mux.Handle("GET /pay/invoice", s.page(s.showGuest))
	mux.Handle("POST /pay/invoice/intent", s.page(s.startGuest))
	mux.Handle("POST /pay/invoice", s.page(s.finishGuest))
	mux.Handle("POST /pay/invoice/hosted", s.page(s.hostGuest))
	mux.Handle("GET /pay/invoice/finish", s.page(s.returnGuest))
	mux.Handle("POST /pay/invoice/approve", s.page(s.approveGuest))
	mux.Handle("POST /pay/invoice/approve/done", s.page(s.approvedGuest))

	// Readers of mails, without a session; mail programs too.
	mux.Handle("GET /pay/stop/{token}", s.page(s.showStop))
	mux.Handle("POST /pay/stop/{token}", s.call(s.stopMail))

	// Stripe.
	mux.Handle("POST /webhooks/stripe", s.call(s.receiveEvent))

	// The merchant's app.
	s.embedRoutes(mux)
	script, err := s.Assets.Plain("embed/v1.js", "public, max-age=300")
	if err != nil {
		return nil, err
	}
	mux.Handle("GET /embed/v1.js", crossOrigin(script))

	s.apiRoutes(mux)

	// Staff.
	s.deskRoutes(mux)

	// Files and monitoring.
	mux.Handle("GET /static/", s.Assets)
	s.brandRoutes(mux)
	mux.Handle("GET /favicon.ico", http.HandlerFunc(s.favicon))
	mux.Handle("GET /robots.txt", http.HandlerFunc(robots))
	mux.Handle("GET /healthz", s.call(s.healthz))
	mux.Handle("GET /readyz", s.call(s.readyz))
	return mux, nil
}

// handler does one thing for a request and returns what went wrong.
type handler func(w http.ResponseWriter, r *http.Request) error

// page adapts a handler of the customer's pages: same-origin POSTs only.
func (s *Server) page(h handler) http.Handler {
	return s.call(func(w http.ResponseWriter, r *http.Request) error {
		err := s.sameOrigin(w, r)
		if err != nil {
			return err
		}
		return h(w, r)
	})
}

// call adapts a handler that is reached from elsewhere by its nature: a signature or a bearer token speaks for it.
func (s *Server) call(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err != nil {
			s.fail(w.(*answer), r, err)
		}
	})
}

// desk adapts a handler of the staff pages: a member signed in with both factors, who has the right and, where it is
// asked for, has proven lately who they are.
func (s *Server) desk(route deskRoute) http.Handler {
	return s.page(func(w http.ResponseWriter, r *http.Request) error {
		at, err := s.seatOf(r)
		if err == nil && at.Standing != staff.Full {
			err = notSignedIn()
		}
		if err != nil {
			return err
		}
		if !at.Role.May(route.right) {
			return fault.New(fault.Forbidden, "Your role (%s) may not do this. Ask a colleague who may.", at.Role)
		}
		if route.sure && !at.Fresh {
			var sure bool
			at, sure, err = s.makeSure(w, r, at)
			if err != nil || !sure {
				return err
			}
		}
		return route.serve(w, withSeat(r, at), at.Member)
	})
}

// mostForm is the largest form body that is read.
const mostForm = 64 << 10

// sameOrigin refuses state changes that come from another site, and bodies larger than any form of ours or that no form
// sends.
func (s *Server) sameOrigin(w http.ResponseWriter, r *http.Request) error {
	err := s.origin.Check(r)
	if err == nil && r.Method == http.MethodPost {
		err = saidElsewhere(r)
	}
	if err != nil {
		return fault.Wrap(fault.Forbidden, err, "This request came from another site.")
	}
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, mostForm)
		err = r.ParseForm()
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return fault.New(fault.TooLarge, "A form has at most %d bytes.", mostForm)
		}
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "The form could not be read.")
		}
		if !legibleForm(r.PostForm) {
			return errIllegible
		}
	}
	return nil
}

// saidElsewhere is an error when the browser says that another site sent the request: it has the last word, also where the
// origin is ours, which counts for browsers that say nothing.
func saidElsewhere(r *http.Request) error {
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "cross-site", "same-site":
		return fmt.Errorf("the browser calls it %s", site)
	}
	return nil
}

func crossOrigin(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.ServeHTTP(w, r)
	})
}

func (s *Server) favicon(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, s.Assets.Path(cmp.Or(s.Merchant.Icon, "favicon.svg")), http.StatusFound)
}

func robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("User-agent: *\nDisallow: /\n"))
}
