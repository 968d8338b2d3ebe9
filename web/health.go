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

// The headers of a call by `sollecito doctor`, and what it is answered. Only a doctor that knows the session key is
// told how its call arrived.
const (
	DoctorNonce = "Sollecito-Doctor-Nonce"
	DoctorProof = "Sollecito-Doctor-Proof"
)

// Arrival is how a doctor's call arrived.
type Arrival struct {
	Proof     string `json:"proof"`     // link.Proof of the portal
	Client    string `json:"client"`    // whom the portal takes the caller for
	Peer      string `json:"peer"`      // whose connection it was
	Forwarded string `json:"forwarded"` // X-Forwarded-For as it came
}

// healthz answers that the process lives; it looks at nothing else, so that a slow migration or a full disk never
// gets a living process killed.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) error {
	answer := struct {
		Status  State    `json:"status"`
		Arrival *Arrival `json:"arrival,omitempty"`
	}{Status: OK}
	nonce := r.Header.Get(DoctorNonce)
	if nonce != "" && link.Proves(r.Header.Get(DoctorProof), s.ProofKey, link.ProofOfDoctor, nonce) {
		answer.Arrival = &Arrival{
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
