package web

import (
	"database/sql"
	"net/http"
	"time"

	"sollecito/internal/dunning"
	"sollecito/internal/intake"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
	"sollecito/views/desk"
)

func (s *Server) showSending(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	p, err := s.sendingPage(r, who)
	if err != nil {
		return err
	}
	s.show(w, r, http.StatusOK, desk.Sending(p))
	return nil
}

func (s *Server) sendingPage(r *http.Request, who staff.Member) (desk.SendingPage, error) {
	p := desk.SendingPage{Frame: s.deskFrame(r), MayChange: who.Role.May(staff.Steer)}
	p.Nav = desk.NavSending
	s.toldWhile(r, &p.Frame, map[string]bool{"stopped": p.Sending.Stopped, "sending": !p.Sending.Stopped})
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		var err error
		p.Queued, err = outbox.CountWaiting(r.Context(), tx, s.Now().Unix())
		if err != nil {
			return err
		}
		p.Due, err = s.Cases.CountDue(r.Context(), tx, s.Now().Add(24*time.Hour))
		if err != nil {
			return err
		}
		sending, err := dunning.SendingSwitch(r.Context(), tx)
		if err != nil {
			return err
		}
		p.Ignorant, err = intake.Ignorant(r.Context(), tx, sending)
		return err
	})
	return p, err
}

// stopSending stops every mail and every new notice. Stopping twice keeps who stopped first and why.
func (s *Server) stopSending(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	typed := r.PostFormValue("reason")
	reason, wrong := cleanNote(typed, false)
	if wrong != "" {
		p, err := s.sendingPage(r, who)
		if err != nil {
			return err
		}
		p.Reason, p.Fault = typed, wrong
		s.show(w, r, http.StatusUnprocessableEntity, desk.Sending(p))
		return nil
	}
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		state, err := dunning.SendingSwitch(r.Context(), tx)
		if err != nil || state.Stopped {
			return err
		}
		err = dunning.StopSending(r.Context(), tx, who.Name, reason, s.Now())
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "sending.stopped", "", "")
	})
	if err != nil {
		return err
	}
	return s.tellDesk(w, r, "/admin/sending", "stopped")
}

func (s *Server) resumeSending(w http.ResponseWriter, r *http.Request, who staff.Member) error {
	err := s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		state, err := dunning.SendingSwitch(r.Context(), tx)
		if err != nil || !state.Stopped {
			return err
		}
		ignorant, err := intake.Ignorant(r.Context(), tx, state)
		if err != nil || ignorant {
			return err
		}
		err = dunning.ResumeSending(r.Context(), tx)
		if err != nil {
			return err
		}
		return s.audit(r, tx, who, "sending.resumed", "", "")
	})
	if err != nil {
		return err
	}
	s.Wake()
	return s.tellDesk(w, r, "/admin/sending", "sending")
}
