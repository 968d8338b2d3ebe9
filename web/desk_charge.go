package web

import (
	"cmp"
	"database/sql"
	"errors"
	"net/http"
	"slices"

	"sollecito/internal/billing"
	"sollecito/internal/checkout"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/staff"
	"sollecito/views/desk"
)

// chargeable is the oldest open invoice that staff may charge now: its case is open and does not rest, and the budget of
// its card allows a try nobody asked the customer about.
func (k record) chargeable() (judged, bool) {
	if !k.hasCase() || k.c.Status != dunning.Open || k.c.RestingSince > 0 {
		return judged{}, false
	}
	for _, j := range k.judged {
		if j.verdict.Allowed && j.method.Type != "" && j.Invoice.Chargeable() {
			return j, true
		}
	}
	return judged{}, false
}

func (s *Server) chargeQuestion(p desk.CustomerPage, k record) *desk.Question {
	j, may := k.chargeable()
	if !may {
		return nil
	}
	expect := checkout.Expected{Invoice: j.ID, Amount: j.Remaining()}.String()
	return desk.ChargeQuestion(p, k.c.ID, s.deskMoney(j.Remaining()), cmp.Or(j.Number, j.ID), cardShort(j.method), database.NewID("press"), expect)
}

// chargeCase charges one open invoice of a case at a colleague's word. Stripe is read again first; the same order twice
// is one. fault.Conflict when it may not be charged any more.
func (s *Server) chargeCase(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	c, err := s.caseOf(r)
	if err != nil {
		return err
	}
	press, err := pressOf(r)
	if err != nil {
		return err
	}
	wanted := parseExpectations(r.PostForm["expect"])
	if len(wanted) != 1 {
		return fault.New(fault.Invalid, "The form is not one of ours.")
	}
	err = s.Intake.RefreshWithTries(r.Context(), c.CustomerID)
	if err != nil {
		return err
	}
	method, err := s.allowCharge(r, who, c, press, wanted[0].Invoice)
	if err != nil {
		return err
	}
	made, err := s.Desk.Charge(r.Context(), checkout.Press{ID: press, Customer: c.CustomerID, Method: method, Invoices: wanted, By: billing.ByStaff})
	var refused *checkout.Refused
	switch {
	case errors.As(err, &refused):
		return fault.New(fault.Conflict, "It may not be charged now. %s", refused.Why.Words())
	case fault.Is(err, fault.Conflict):
		return fault.New(fault.Conflict, "The invoice has changed meanwhile, so nothing was charged. Look at the customer again.")
	case err != nil:
		return err
	}
	s.Wake()
	return s.backToCustomer(w, r, c.CustomerID, cameTo(made))
}

// allowCharge answers the method an invoice of the case may be charged with at a colleague's word, and keeps in the audit
// log that they ordered it. fault.Conflict when it may not be charged now.
func (s *Server) allowCharge(r *http.Request, who staff.Member, c dunning.Case, press, invoice string) (method string, err error) {
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		begun, err := billing.AttemptsOf(r.Context(), tx, c.CustomerID, press)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(begun, func(a billing.Attempt) bool { return a.InvoiceID == invoice })
		if at >= 0 { // pressed again: what it changed itself does not stand in its way
			method = begun[at].MethodID
			return nil
		}
		if len(begun) > 0 {
			return fault.New(fault.Invalid, "The form is not one of ours.")
		}
		may, why, err := s.Cases.MayActFor(r.Context(), tx, c.CustomerID, false)
		if err != nil {
			return err
		}
		if !may {
			return fault.New(fault.Conflict, "The case rests, so nothing is charged. %s", why)
		}
		i, err := billing.FindInvoice(r.Context(), tx, invoice)
		if err != nil {
			return err
		}
		if i.CustomerID != c.CustomerID || !i.Failed() {
			return fault.New(fault.Conflict, "The invoice has changed meanwhile, so nothing was charged. Look at the customer again.")
		}
		method, err = billing.MethodFor(r.Context(), tx, i)
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "case.charged", c.ID, c.CustomerID)
	})
	return method, err
}

// cameTo is what a colleague is told of the charge they ordered. What came of it is not known while Stripe has not answered;
// with no attempt at hand another press of the same order waits for that answer.
func cameTo(made []billing.Attempt) string {
	if len(made) == 0 {
		return "asked"
	}
	switch made[0].Status {
	case billing.AttemptPaid:
		return "charged"
	case billing.AttemptProcessing:
		return "debiting"
	case billing.AttemptStarted:
		return "asked"
	}
	return "refused"
}
