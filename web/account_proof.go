package web

import (
	"net/http"
	"slices"

	"sollecito/internal/billing"
)

// proves reports whether a bank account of the visitor's waits for them to say what small deposits to it came to. Where no
// invoice takes such an account nothing is asked.
func (s *Server) proves(r *http.Request, v visitor, open []billing.Invoice) (bool, error) {
	if !slices.ContainsFunc(open, billing.Invoice.TakesTyped) {
		return false, nil
	}
	return s.Desk.Unproven(r.Context(), v.ID)
}

// proveAccount leads to Stripe's page on which the amounts are typed. Once there is nothing to prove, the page tells how it ended.
func (s *Server) proveAccount(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	address, err := s.Desk.Verification(r.Context(), v.ID)
	if err != nil {
		return err
	}
	if address == "" {
		s.Wake()
		address = "/pay"
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}
