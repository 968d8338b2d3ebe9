package web

import (
	"context"
	"database/sql"
	"net/http"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/link"
	"sollecito/internal/stepup"
	"sollecito/views"
)

// purse is what a customer has on file, and what may stand in the way of taking something off.
type purse struct {
	holdings []billing.Holding
	st       standing
}

// purseOf reads the customer's ways to pay at Stripe. open is false while the link shows receipts only.
func (s *Server) purseOf(ctx context.Context, v visitor) (p purse, open bool, err error) {
	p.st, err = s.standingOf(ctx, v)
	if err != nil || len(p.st.open) == 0 && p.st.ahead == nil {
		return p, false, err
	}
	p.holdings, err = s.Desk.Holdings(ctx, v.ID)
	return p, true, err
}

// of answers one of them, or fault.NotFound.
func (p purse) of(id string) (billing.Holding, error) {
	at := slices.IndexFunc(p.holdings, func(h billing.Holding) bool { return h.ID == id })
	if at < 0 {
		return billing.Holding{}, fault.New(fault.NotFound, "There is no payment method %s.", id)
	}
	return p.holdings[at], nil
}

// obstacle answers what stands in the way of taking one off.
func (p purse) obstacle(h billing.Holding, now time.Time) billing.Obstacle {
	promised := ""
	if p.st.promise != nil && p.st.promise.Kind == dunning.PromiseCharge {
		promised = p.st.promise.MethodID
	}
	return billing.MayRemove(h, p.holdings, p.st.open, promised, now.Unix())
}

// showMethods lists the ways to pay on file, as Stripe has them.
func (s *Server) showMethods(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	p, open, err := s.purseOf(r.Context(), v)
	if err != nil {
		return err
	}
	if !open {
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	page := views.MethodsPage{Frame: s.frame(r, v), Methods: s.heldOf(p.holdings), Mailed: v.Email != ""}
	page.Removed, page.Removing, err = s.takenOff(r, v, r.URL.Query().Get("removal"))
	if err != nil {
		return err
	}
	s.show(w, r, http.StatusOK, views.Methods(page))
	return nil
}

// takenOff answers the method a removal of the visitor took off, or is about to.
func (s *Server) takenOff(r *http.Request, v visitor, id string) (done, ordered *views.CardOnFile, err error) {
	err = s.DB.See(r.Context(), func(tx *sql.Tx) error {
		removal, found, err := billing.FindRemoval(r.Context(), tx, id)
		if err != nil || !found || removal.CustomerID != v.ID {
			return err
		}
		m, err := billing.FindMethod(r.Context(), tx, v.ID, removal.MethodID)
		if fault.Is(err, fault.NotFound) {
			m, err = billing.Method{ID: removal.MethodID}, nil
		}
		switch removal.Status {
		case billing.RemovalDone:
			done = &views.CardOnFile{Method: m}
		case billing.RemovalOrdered:
			ordered = &views.CardOnFile{Method: m}
		}
		return err
	})
	return done, ordered, err
}

func (s *Server) heldOf(holdings []billing.Holding) []views.Held {
	all := make([]views.Held, len(holdings))
	for n, h := range holdings {
		now := s.Now()
		all[n] = views.Held{CardOnFile: views.CardOnFile{Method: h.Method, Expired: h.Expired(now.Unix())}, Default: h.Default}
		all[n].Soon = !all[n].Expired && h.Expired(now.AddDate(0, 2, 1-now.Day()).Unix())
		all[n].Serves = namesOf(h.Serves)
	}
	return all
}

// needOf is what a code for taking a method off proves.
func needOf(v visitor, method string) stepup.Need {
	return stepup.Need{CustomerID: v.ID, Session: link.Hash(v.session.ID), Purpose: stepup.RemoveMethod, Subject: method}
}

// showRemoveMethod says what follows from taking a way to pay off.
func (s *Server) showRemoveMethod(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	return s.askRemoveMethod(w, r, v, nil)
}

// askRemoveMethod draws the page, with what is wrong with what was typed.
func (s *Server) askRemoveMethod(w http.ResponseWriter, r *http.Request, v visitor, faults []views.Fault) error {
	p, open, err := s.purseOf(r.Context(), v)
	if err != nil {
		return err
	}
	if !open {
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	h, err := p.of(r.PathValue("id"))
	if err != nil {
		return err
	}
	page := views.RemoveMethodPage{
		Frame: s.frame(r, v), Method: s.heldOf([]billing.Holding{h})[0], Obstacle: p.obstacle(h, s.Now()), Open: totalOf(p.st.open),
		Successor: r.PostFormValue("successor"), Code: views.CodeEntry{Nobody: v.Email == "", Typed: r.PostFormValue("code"), Faults: faults},
	}
	if len(h.Serves) > 0 {
		page.Others = s.heldOf(billing.Successors(p.holdings, h.ID, s.Now().Unix()))
	}
	if page.Successor == "" && len(page.Others) == 1 {
		page.Successor = page.Others[0].ID
	}
	err = s.DB.See(r.Context(), func(tx *sql.Tx) error {
		page.Code.Asked, err = s.Codes.Asked(r.Context(), tx, needOf(v, h.ID))
		return err
	})
	if err != nil {
		return err
	}
	s.show(w, r, statusOf(faults), views.RemoveMethod(page))
	return nil
}

// askMethodCode mails a code for taking a way to pay off. It takes nothing off.
func (s *Server) askMethodCode(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	p, open, err := s.purseOf(r.Context(), v)
	if err != nil {
		return err
	}
	h, err := p.of(r.PathValue("id"))
	if open && err != nil {
		return err
	}
	if open && p.obstacle(h, s.Now()) == "" && v.Email != "" {
		err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
			err := billing.KeepMethod(r.Context(), tx, h.Method, s.Now()) // its letter names it
			if err != nil {
				return err
			}
			return s.Codes.Ask(r.Context(), tx, needOf(v, h.ID), s.Now())
		})
		if fault.Is(err, fault.TooMany) {
			return s.askRemoveMethod(w, r, v, codeFault("code.fault_often"))
		}
		if err != nil {
			return err
		}
		s.Wake()
	}
	http.Redirect(w, r, "/pay/methods/"+r.PathValue("id")+"/remove", http.StatusSeeOther)
	return nil
}

// removeMethod takes a way to pay off, for whoever has the code.
func (s *Server) removeMethod(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	p, open, err := s.purseOf(r.Context(), v)
	if err != nil {
		return err
	}
	h, err := p.of(r.PathValue("id"))
	if open && err != nil {
		return err
	}
	if !open || p.obstacle(h, s.Now()) != "" {
		return s.askRemoveMethod(w, r, v, nil)
	}
	removal := billing.Removal{CustomerID: v.ID, MethodID: h.ID}
	if len(h.Serves) > 0 {
		removal.Successor = r.PostFormValue("successor")
		fits := slices.ContainsFunc(billing.Successors(p.holdings, h.ID, s.Now().Unix()), func(o billing.Holding) bool { return o.ID == removal.Successor })
		if !fits {
			return s.askRemoveMethod(w, r, v, []views.Fault{{Field: "successor", Said: views.Said{Key: "remove.fault_successor"}}})
		}
	}
	typed := r.PostFormValue("code")
	if strings.TrimSpace(typed) == "" {
		return s.askRemoveMethod(w, r, v, codeFault("code.fault_empty"))
	}
	verdict, err := s.orderRemoval(r, v, &removal, typed)
	if err != nil {
		return err
	}
	if verdict != stepup.Right {
		return s.askRemoveMethod(w, r, v, refusedCode(verdict))
	}
	err = s.Desk.Remove(r.Context(), removal)
	if err != nil && !fault.Is(err, fault.Unavailable) {
		return err
	}
	s.Wake()
	http.Redirect(w, r, "/pay/methods?removal="+removal.ID, http.StatusSeeOther)
	return nil
}

// orderRemoval tries the code and, when it is right, keeps the order with it: a code is never used up for nothing.
func (s *Server) orderRemoval(r *http.Request, v visitor, removal *billing.Removal, typed string) (stepup.Verdict, error) {
	verdict := stepup.Void
	visit := visitOf(r)
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		err := database.Hold(r.Context(), tx, v.ID)
		if err != nil {
			return err
		}
		verdict, err = s.Codes.Try(r.Context(), tx, needOf(v, removal.MethodID), typed)
		if err != nil || verdict != stepup.Right {
			return err
		}
		return s.Desk.OrderRemoval(r.Context(), tx, removal, visit.id)
	})
	return verdict, err
}
