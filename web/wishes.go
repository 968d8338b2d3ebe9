package web

import (
	"net/http"
	"time"

	"sollecito/internal/fault"
	"sollecito/views"
)

// showTransfer says what follows when a customer tells that a transfer is on its way.
func (s *Server) showTransfer(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	return s.askTransfer(w, r, v, "", nil)
}

func (s *Server) askTransfer(w http.ResponseWriter, r *http.Request, v visitor, text string, faults []views.Fault) error {
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return err
	}
	if !st.canClaim || len(st.open) == 0 {
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	// Its last day is the one before the midnight at which it ends.
	until := s.Cases.ClaimUntil(v.Customer, s.Now()).Add(-time.Hour)
	s.show(w, r, statusOf(faults), views.Transfer(views.TransferPage{Frame: s.frame(r, v), Until: until.In(v.zone), Text: text, Faults: faults}))
	return nil
}

func statusOf(faults []views.Fault) int {
	if len(faults) > 0 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// claimTransfer lets reminders rest while staff look for a transfer.
func (s *Server) claimTransfer(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	typed := r.PostFormValue("text")
	said := s.localeOf(r, v).Text("act.paid_by_transfer")
	if typed != "" {
		said += "\n\n" + typed
	}
	err = s.Talks.Claim(r.Context(), v.ID, said, s.Real())
	if fault.Is(err, fault.Invalid) {
		return s.askTransfer(w, r, v, typed, []views.Fault{{Field: "text", Said: faultSaid(err)}})
	}
	if err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	s.Wake()
	http.Redirect(w, r, "/pay", http.StatusSeeOther)
	return nil
}

// showCancel says what follows when a customer wants to end their plan, or asks whether they stay after all.
func (s *Server) showCancel(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	return s.askCancel(w, r, v, "", nil)
}

func (s *Server) askCancel(w http.ResponseWriter, r *http.Request, v visitor, text string, faults []views.Fault) error {
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return err
	}
	s.show(w, r, statusOf(faults), views.Cancel(views.CancelPage{
		Frame: s.frame(r, v), Open: totalOf(st.open), Asked: st.cancels, Text: text, Faults: faults,
	}))
	return nil
}

// cancel keeps the wish to end the plan for a person to see to. It asks for no payment first.
func (s *Server) cancel(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	typed := r.PostFormValue("text")
	said := s.localeOf(r, v).Text("cancel.said")
	if typed != "" {
		said += "\n\n" + typed
	}
	err = s.Talks.WishToCancel(r.Context(), v.ID, said)
	if fault.Is(err, fault.Invalid) {
		return s.askCancel(w, r, v, typed, []views.Fault{{Field: "text", Said: faultSaid(err)}})
	}
	if err != nil {
		return err
	}
	s.Wake()
	http.Redirect(w, r, "/pay", http.StatusSeeOther)
	return nil
}

// stay takes the wish back.
func (s *Server) stay(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	err = s.Talks.StayAfterAll(r.Context(), v.ID, s.localeOf(r, v).Text("cancel.stay_said"), s.Real())
	if err != nil {
		return err
	}
	s.Wake()
	http.Redirect(w, r, "/pay", http.StatusSeeOther)
	return nil
}
