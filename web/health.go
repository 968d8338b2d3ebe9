package web

import "net/http"

// healthz answers that the process lives; it looks at nothing else, so that a slow migration or a full disk never
// gets a living process killed.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) error {
	return sendJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz answers whether requests should be sent here now, and why not.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) error {
	if s.Ready == nil {
		return sendJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	}
	err := s.Ready()
	if err != nil {
		s.Logger.WarnContext(r.Context(), "not ready", "err", err)
		return sendJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "unavailable", "reason": "The portal cannot keep anything now; the log says why."})
	}
	return sendJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}
