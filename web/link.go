package web

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/mail"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/link"
	"sollecito/internal/outbox"
	"sollecito/views"
)

// openLink exchanges the token of a mail for a session and leads to a clean address. It changes nothing else, so
// that programs which open every link of a mail do no harm; HEAD does not even set the session.
func (s *Server) openLink(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Referrer-Policy", "no-referrer")
	var opened link.Link
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		var unknown error
		opened, unknown = link.Find(r.Context(), tx, link.Copied(r.PathValue("token")))
		if unknown != nil && !fault.Is(unknown, fault.NotFound) {
			return unknown
		}
		// Of an unknown one too: nobody learns from how long it takes.
		who, err := billing.FindCustomer(r.Context(), tx, opened.CustomerID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		gone := who.Deleted || billing.IsErased(err)
		due, err := dueOf(r, tx, opened)
		if err != nil {
			return err
		}
		if unknown != nil || gone || !opened.Alive(due, s.Now(), s.Real()) {
			return fault.New(fault.NotFound, "This link no longer works.")
		}
		return nil
	})
	if fault.Is(err, fault.NotFound) {
		return s.refuseLink(w, r)
	}
	if err != nil {
		return err
	}
	if r.Method == http.MethodGet {
		err = s.openSession(w, r, opened)
		if err != nil {
			return err
		}
	}
	if opened.InvoiceID != "" {
		http.Redirect(w, r, "/pay/invoice", http.StatusSeeOther)
		return nil
	}
	to := "/pay"
	switch r.URL.Query().Get("to") {
	case "support":
		to = "/pay/support"
	case "choices":
		to = "/pay/choices"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// openSession begins a new session for the link's customer; one that was open before ends.
func (s *Server) openSession(w http.ResponseWriter, r *http.Request, l link.Link) error {
	session, err := s.Sessions.New(r, s.Sessions.CookieName())
	if err != nil {
		return err
	}
	if session.ID != "" {
		err = s.Sessions.End(r.Context(), session.ID)
		if err != nil {
			return err
		}
	}
	session.ID = ""
	session.IsNew = true
	session.Values = map[any]any{link.KeyCustomer: l.CustomerID, link.KeyLink: l.ID}
	return s.Sessions.Save(r, w, session)
}

func (s *Server) showDeadLink(w http.ResponseWriter, r *http.Request) error {
	s.show(w, r, http.StatusOK, views.DeadLink(views.DeadLinkPage{Frame: s.frame(r, nobody)}))
	return nil
}

// Limits on asking for a link, per hour.
const (
	mostLinksPerCustomer = 3
	mostLinksPerPlace    = 20
)

// requestLink mails a fresh link when the address is on file. The answer is the same whatever it is, and so is
// what happens before it: the mail leaves later.
func (s *Server) requestLink(w http.ResponseWriter, r *http.Request) error {
	typed := strings.TrimSpace(r.PostFormValue("email"))
	address, err := mail.ParseAddress(typed)
	if err != nil || address.Address != typed || len(typed) > 254 {
		s.show(w, r, http.StatusUnprocessableEntity, views.DeadLink(views.DeadLinkPage{
			Frame: s.frame(r, nobody), Email: typed, Faults: []views.Fault{{Field: "email", Said: views.Said{Key: "dead_link.fault_email"}}},
		}))
		return nil
	}
	now := s.Now()
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		found, err := billing.CustomersByEmail(r.Context(), tx, typed)
		if err != nil {
			return err
		}
		err = holdAll(r.Context(), tx, found) // before limits, as everybody does
		if err != nil {
			return err
		}
		within, err := database.Within(r.Context(), tx, "link "+placeOf(visitOf(r).ip), time.Hour, mostLinksPerPlace, s.Real())
		if err != nil || !within {
			return err
		}
		for _, c := range found {
			sent, err := outbox.CountSince(r.Context(), tx, c.ID, outbox.FreshLink, now.Add(-time.Hour).Unix())
			if err != nil {
				return err
			}
			if sent >= mostLinksPerCustomer {
				continue
			}
			_, err = outbox.Queue(r.Context(), tx, outbox.Notice{
				Kind: outbox.FreshLink, Channel: outbox.Email, CustomerID: c.ID, SubjectID: askedAt(c.ID, now), Recipient: c.Email,
			}, now.Unix())
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.Wake()
	http.Redirect(w, r, "/pay/link/sent", http.StatusSeeOther)
	return nil
}

// askedAt names a customer's wish for a link by the minute: a button pressed twice is one wish, and one mail.
func askedAt(customer string, now time.Time) string {
	return fmt.Sprintf("ask_%s_%d", customer, now.Unix()/60)
}

func (s *Server) showLinkSent(w http.ResponseWriter, r *http.Request) error {
	s.show(w, r, http.StatusOK, views.LinkSent(views.LinkSentPage{Frame: s.frame(r, nobody)}))
	return nil
}
