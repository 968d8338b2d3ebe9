package web

import (
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"sollecito/internal/billing"
	"sollecito/internal/checkout"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/link"
	"sollecito/views"
)

// guest is somebody whom a customer asked to pay one invoice: their session sees that invoice and nothing else.
type guest struct {
	invoice billing.Invoice
	who     visitor // the customer; its frame is never drawn
}

// guestOf answers the guest whose session the request carries. fault.SignedOut when the session is not that of a link a
// customer handed on, or when that link no longer works.
func (s *Server) guestOf(r *http.Request) (guest, error) {
	session, err := s.Sessions.Get(r, s.Sessions.CookieName())
	if err != nil {
		return guest{}, err
	}
	if session.IsNew {
		return guest{}, errSignedOut
	}
	g := guest{who: visitor{session: session}}
	err = s.DB.See(r.Context(), func(tx *sql.Tx) error {
		l, err := link.ByID(r.Context(), tx, link.Value(session, link.KeyLink))
		if err != nil {
			return err
		}
		g.who.link = l
		g.who.Customer, err = billing.FindCustomer(r.Context(), tx, l.CustomerID)
		if err != nil {
			return err
		}
		due, err := dueOf(r, tx, l)
		if err != nil {
			return err
		}
		if l.InvoiceID == "" || !l.Alive(due, s.Now(), s.Real()) {
			return errSignedOut
		}
		g.invoice, err = billing.FindInvoice(r.Context(), tx, l.InvoiceID)
		return err
	})
	if fault.Is(err, fault.NotFound) || g.who.Deleted {
		return guest{}, errSignedOut
	}
	g.who.zone = s.Cases.Zone(g.who.Customer)
	return g, err
}

// payable reports whether a press could pay the invoice now.
func (g guest) payable() bool {
	return g.invoice.Open() && !g.invoice.Processing() && !g.invoice.Disputed && !g.invoice.PartPaid()
}

// debitFailed reports whether the bank took back a guest's debit, days after it began: whoever opens the link again is
// told.
func (g guest) debitFailed() bool {
	return g.invoice.MethodIsGuests && g.invoice.IntentStatus == "requires_payment_method" && g.invoice.Decline != (billing.Decline{})
}

// showGuest shows the one invoice, and what became of a press.
func (s *Server) showGuest(w http.ResponseWriter, r *http.Request) error {
	g, err := s.guestOf(r)
	if err != nil {
		return err
	}
	press := r.URL.Query().Get("press")
	out, err := s.guestOutcome(r, g, press)
	if err != nil && !errors.Is(err, errNoPress) {
		return err
	}
	p := s.guestPage(r, g)
	switch {
	case g.invoice.MarkedPaid():
		p.State = views.GuestPaid
	case g.invoice.Processing():
		p.State = views.GuestProcessing
		p.Until, err = s.answerBy(r.Context(), []billing.Invoice{g.invoice}, g.who.zone)
		if err != nil {
			return err
		}
	case len(out.action) > 0:
		p.State, p.Attempt = views.GuestApproves, press
		p.Go = r.URL.Query().Has("go") && link.Value(g.who.session, keyGo) == press
	case len(out.unknown) > 0:
		p.State = views.GuestWaits
	case g.invoice.PartPaid() && !g.invoice.Disputed:
		p.State = views.GuestHosted
	case !g.payable():
		p.State = views.GuestClosed
	case len(out.declined) > 0 || g.debitFailed():
		p.Fault = p.Locale.Text("guest.declined")
	}
	if p.State == views.GuestPays || p.State == views.GuestApproves {
		s.stripeHeaders(w, r)
	}
	s.show(w, r, http.StatusOK, views.Guest(p))
	return nil
}

// guestOutcome answers what became of a press made on the page of this invoice, and errNoPress for any other.
func (s *Server) guestOutcome(r *http.Request, g guest, press string) (outcome, error) {
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		theirs, found, err := billing.FindGuest(r.Context(), tx, press)
		if err == nil && (!found || theirs.InvoiceID != g.invoice.ID) {
			err = errNoPress
		}
		return err
	})
	if err != nil {
		return outcome{}, err
	}
	return s.outcomeOf(r, g.who, press)
}

func (s *Server) guestPage(r *http.Request, g guest) views.GuestPage {
	p := views.GuestPage{Frame: s.frame(r, nobody), Invoice: invoicesOf([]billing.Invoice{g.invoice}, g.who.zone)[0], For: maskedName(g.who.Name), Attempt: database.NewID("press")}
	p.Frame.Path = "/pay/invoice"
	p.ReturnURL = s.Addresses.To("/pay/invoice/finish?attempt=" + url.QueryEscape(p.Attempt))
	p.Paid, p.Methods = g.invoice.Collected(), checkout.GuestsWays(g.invoice)
	return p
}

// startGuest answers what the browser confirms the guest's card with, after it was typed and the button pressed.
func (s *Server) startGuest(w http.ResponseWriter, r *http.Request) error {
	g, err := s.guestOf(r)
	if err != nil {
		return err
	}
	press, err := pressOf(r)
	if err != nil {
		return err
	}
	wanted := parseExpectations(r.PostForm["expect"])
	if len(wanted) != 1 || !g.payable() || !stillHolds(wanted, []billing.Invoice{g.invoice}) {
		return sendAway(w, http.StatusConflict, "/pay/invoice")
	}
	err = s.guardCards(r)
	if err != nil {
		return err
	}
	shown := s.guestPage(r, g)
	order := s.guestPress(r, g, press, wanted)
	order.Mandate = agreed(r, shown.Locale, shown.Mandate)
	secret, err := s.Desk.StartGuest(r.Context(), order)
	if err != nil {
		return err
	}
	return sendSecret(w, secret)
}

// guestPress is a press of a guest, who is counted by the link they were handed.
func (s *Server) guestPress(r *http.Request, g guest, press string, wanted []checkout.Expected) checkout.Press {
	return checkout.Press{ID: press, Customer: g.who.ID, Invoices: wanted, Link: g.who.link.ID, Place: placeAt(r)}
}

// hostGuest leads to Stripe's own page of the invoice: the way without our card fields, and the way to pay the rest of an
// invoice that was paid in part.
func (s *Server) hostGuest(w http.ResponseWriter, r *http.Request) error {
	g, err := s.guestOf(r)
	if err != nil {
		return err
	}
	if !g.payable() && !g.invoice.PartPaid() {
		http.Redirect(w, r, "/pay/invoice", http.StatusSeeOther)
		return nil
	}
	return s.toHosted(w, r, g.invoice)
}

// finishGuest goes on after the browser confirmed the guest's card. Stripe is asked, not the browser believed; a second
// press, or Stripe's event, finds the same charge.
func (s *Server) finishGuest(w http.ResponseWriter, r *http.Request) error {
	g, err := s.guestOf(r)
	if err != nil {
		return err
	}
	press, err := s.Desk.FinishGuest(r.Context(), g.who.ID, g.invoice.ID, r.PostFormValue("setup_intent"))
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.Unavailable) && press != "" {
		err = nil // the page tells how things stand
	}
	if err != nil {
		return err
	}
	return s.toGuest(w, r, g, press)
}

// toGuest leads to what became of a guest's press.
func (s *Server) toGuest(w http.ResponseWriter, r *http.Request, g guest, press string) error {
	g.who.session.Values[keyGo] = press
	err := g.who.session.Save(r, w)
	if err != nil {
		return err
	}
	s.Wake()
	http.Redirect(w, r, "/pay/invoice?go&press="+press, http.StatusSeeOther)
	return nil
}

// returnGuest is where a guest's bank sends them back to. It changes nothing: a form goes on.
func (s *Server) returnGuest(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if dropSecret(w, r, query) {
		return nil
	}
	g, err := s.guestOf(r)
	if err != nil {
		return err
	}
	setup := query.Get("setup_intent")
	if !strings.HasPrefix(setup, "seti_") || !g.payable() {
		http.Redirect(w, r, "/pay/invoice", http.StatusSeeOther)
		return nil
	}
	s.show(w, r, http.StatusOK, views.CardFinish(views.CardFinishPage{
		Frame: s.guestPage(r, g).Frame, SetupIntent: setup, Attempt: query.Get("attempt"), Action: "/pay/invoice",
		Invoices: invoicesOf([]billing.Invoice{g.invoice}, g.who.zone),
	}))
	return nil
}

// approveGuest answers what the browser needs to let the guest's bank ask.
func (s *Server) approveGuest(w http.ResponseWriter, r *http.Request) error {
	g, err := s.guestOf(r)
	if err != nil {
		return err
	}
	press, err := pressOf(r)
	if err != nil {
		return err
	}
	delete(g.who.session.Values, keyGo) // asked by itself once
	err = g.who.session.Save(r, w)
	if err != nil {
		return err
	}
	secret, err := s.Desk.GuestApproval(r.Context(), s.guestPress(r, g, press, nil), g.invoice.ID)
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) {
		return sendAway(w, http.StatusConflict, "/pay/invoice")
	}
	if err != nil {
		return err
	}
	return sendSecret(w, secret)
}

// approvedGuest asks Stripe what the guest's bank said and tells it.
func (s *Server) approvedGuest(w http.ResponseWriter, r *http.Request) error {
	g, err := s.guestOf(r)
	if err != nil {
		return err
	}
	press, err := pressOf(r)
	if err != nil {
		return err
	}
	after, err := s.Desk.GuestApproved(r.Context(), g.who.ID, g.invoice.ID, press)
	if err != nil {
		return err
	}
	s.Wake()
	http.Redirect(w, r, "/pay/invoice?press="+after, http.StatusSeeOther)
	return nil
}
