package web

import (
	"net/http"
	"strings"

	"sollecito/internal/link"
)

// Readiness says whether requests should be sent here now. Whoever may ask reads it, so that its reasons name no
// customer, no address and no error text; the log has those.
type Readiness struct {
	Checks []Check
}

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	Status State  `json:"status"`
	Reason string `json:"reason,omitempty"` // one sentence, "" when there is nothing to say
}

// State is how a checked thing stands.
type State string

// The states, from good to bad.
const (
	OK       State = "ok"
	Notice   State = "notice"   // as somebody wanted it, or worth knowing
	Degraded State = "degraded" // something outside does not answer; work waits and nothing is lost
	Failed   State = "failed"   // nothing can be kept, or nothing moves
)

// worst answers the status of the whole and the reason of the first check that made it so.
func (r Readiness) worst() (State, string) {
	whole, reason := OK, ""
	for _, c := range r.Checks {
		if c.Status == Failed && whole != Failed || c.Status == Degraded && whole == OK {
			whole, reason = c.Status, c.Reason
		}
	}
	return whole, reason
}

// healthz answers that the process lives; it looks at nothing else, so that a slow migration or a full disk never
// gets a living process killed. Only the operator's own doctor is told more: how its call arrived.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) error {
	answer := struct {
		Status  State         `json:"status"`
		Arrival *link.Arrival `json:"arrival,omitempty"`
	}{Status: OK}
	nonce := r.Header.Get(link.DoctorNonce)
	if nonce != "" && link.Proves(r.Header.Get(link.DoctorProof), s.ProofKey, link.ProofOfDoctor, nonce) {
		answer.Arrival = &link.Arrival{
			Proof: link.Proof(s.ProofKey, link.ProofOfPortal, nonce), Client: visitOf(r).ip.String(), Peer: peerOf(r).String(),
			Forwarded: strings.Join(r.Header.Values("X-Forwarded-For"), ", "),
		}
	}
	return sendJSON(w, http.StatusOK, answer)
}

// readyz answers whether requests should be sent here now, and how each part stands.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) error {
	var stands Readiness
	if s.Ready != nil {
		stands = s.Ready()
	}
	whole, reason := stands.worst()
	answer := struct {
		Status State   `json:"status"`
		Reason string  `json:"reason,omitempty"`
		Checks []Check `json:"checks"`
	}{whole, reason, append([]Check{}, stands.Checks...)}
	if whole == Failed {
		answer.Status = "unavailable"
		return sendJSON(w, http.StatusServiceUnavailable, answer)
	}
	return sendJSON(w, http.StatusOK, answer)
}
