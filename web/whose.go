package web

import (
	"net/http"

	"sollecito/views"
)

// showWhose tells somebody whom a mail was forwarded to what they see and what they can do.
func (s *Server) showWhose(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return err
	}
	s.show(w, r, http.StatusOK, views.Whose(views.WhosePage{
		Frame: s.frame(r, v), Payable: len(st.payable()) > 0, Shares: len(wholeOf(st.payable())) > 0,
	}))
	return nil
}
