package web

import (
	"context"
	"database/sql"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"sollecito/internal/billing"
	"sollecito/internal/contact"
	"sollecito/internal/fault"
	"sollecito/internal/link"
	"sollecito/views"
)

// showStop is behind a mail's stop button for people. Like every GET it changes nothing: programs that look through
// mails come here too.
func (s *Server) showStop(w http.ResponseWriter, r *http.Request) error {
	var who billing.Customer
	var chosen contact.Choices
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		stop, err := link.FindStop(r.Context(), tx, r.PathValue("token"))
		if err != nil {
			return err
		}
		who, err = billing.FindCustomer(r.Context(), tx, stop.CustomerID)
		if err != nil {
			return err
		}
		chosen, err = contact.ChoicesOf(r.Context(), tx, who.ID)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return s.refuseLink(w, r)
	}
	if err != nil {
		return err
	}
	step := views.StopOffer
	if chosen.NoMail {
		step = views.StopDone
	}
	s.drawStop(w, r, who, step)
	return nil
}

// stopMail stops the reminders a mail's reader gets by mail. A mail program does it by one POST (RFC 8058, which
// brings neither cookie nor origin, and wants no redirect); a person by the second press on our page. Doing it again
// changes nothing. Whoever stopped them so may take it back.
func (s *Server) stopMail(w http.ResponseWriter, r *http.Request) error {
	form := stopForm(w, r)
	if !legibleForm(form) {
		return errIllegible
	}
	var step views.StopStep
	var who billing.Customer
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		stop, err := link.FindStop(r.Context(), tx, r.PathValue("token"))
		if err != nil {
			return err
		}
		who, err = billing.FindCustomer(r.Context(), tx, stop.CustomerID)
		if err != nil {
			return err
		}
		step, err = s.pressStop(r.Context(), tx, stop, form)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return s.refuseLink(w, r)
	}
	if err != nil {
		return err
	}
	if step != views.StopAsk {
		s.Wake()
	}
	s.drawStop(w, r, who, step)
	return nil
}

// pressStop keeps what a press of stop, or the one-click POST of a mail program, asks for, and answers what the page shows
// next. A first press asks once more and changes nothing.
func (s *Server) pressStop(ctx context.Context, tx *sql.Tx, stop link.Stop, form url.Values) (step views.StopStep, err error) {
	step = views.StopAsk
	var change func(contact.Choices) contact.Choices
	oneClick := strings.EqualFold(form.Get("List-Unsubscribe"), "One-Click")
	switch {
	case oneClick || form.Get("step") == "yes":
		step = views.StopDone
		words := "Pressed stop on the page of a mail, " + stop.NoticeID
		if oneClick {
			words = "List-Unsubscribe=One-Click, of the mail " + stop.NoticeID
		}
		change = func(c contact.Choices) contact.Choices {
			c.NoMail, c.Source, c.Words, c.Actor = true, contact.FromOneClick, words, ""
			return c
		}
	case form.Get("step") == "undo":
		step = views.StopUndone
		change = func(c contact.Choices) contact.Choices {
			if c.NoMail && c.Source != contact.FromOneClick {
				step = views.StopDone // said another way: only that way takes it back
				return c
			}
			c.NoMail, c.Source, c.Words, c.Actor = false, contact.FromOneClick, "Took it back on the page of a mail, "+stop.NoticeID, ""
			return c
		}
	default:
		return step, nil
	}
	_, err = s.Cases.Choose(ctx, tx, stop.CustomerID, change, s.Now())
	return step, err
}

// drawStop shows no more of the customer than the mail did: nobody's session is open.
func (s *Server) drawStop(w http.ResponseWriter, r *http.Request, who billing.Customer, step views.StopStep) {
	f := s.frame(r, nobody)
	f.Locale = s.localeOf(r, visitor{Customer: who})
	f.Languages = nil // its form would carry the token's address
	s.show(w, r, http.StatusOK, views.Stop(views.StopPage{
		Frame: f, Step: step, Token: r.PathValue("token"), Masked: maskedEmail(visitor{Customer: who}), Undo: r.Method == http.MethodPost,
	}))
}

// stopForm reads what came, in either of the two forms RFC 8058 allows, whatever the sender calls it. What cannot be
// read says nothing.
func stopForm(w http.ResponseWriter, r *http.Request) url.Values {
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "multipart/form-data" {
		err := r.ParseMultipartForm(mostForm)
		if err != nil {
			return url.Values{}
		}
		return r.MultipartForm.Value
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return url.Values{}
	}
	form, err := url.ParseQuery(strings.TrimSpace(string(body)))
	if err != nil {
		return url.Values{}
	}
	return form
}
