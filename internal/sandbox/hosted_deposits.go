package sandbox

import (
	"net/http"
	"net/url"
	"strings"
)

const (
	depositsPath = "/microdeposit/"
	depositsTake = 2 * 24 * 60 * 60 // seconds until they arrive

	// The amounts, in cents, that Stripe's test mode takes for right
	// (docs.stripe.com/payments/ach-direct-debit/set-up-payment).
	firstDeposit, secondDeposit = "32", "45"
)

// depositsPage is the hosted page on which the owner of a bank account types what small deposits came to it.
type depositsPage struct {
	Merchant string
	Done     bool
	Fault    string
	Action   string
}

func (p *browserPages) mountDeposits(mux *http.ServeMux) {
	mux.HandleFunc("GET "+depositsPath+"{token}", p.showDeposits)
	mux.HandleFunc("POST "+depositsPath+"{token}", p.takeDeposits)
}

// depositsOf finds the setup that waits for deposits, by the token of its page. known is false when there never was one.
func (s *Server) depositsOf(token string) (id, secret string, open, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, si := range s.memory.Setups.Rows {
		if si.Action != nil && token != "" && si.Action.Deposits == token {
			return si.ID, si.Secret, si.Status == "requires_action", true
		}
	}
	return "", "", false, false
}

func (p *browserPages) showDeposits(w http.ResponseWriter, r *http.Request) {
	_, _, open, known := p.server.depositsOf(r.PathValue("token"))
	if !known && !r.URL.Query().Has("done") {
		http.NotFound(w, r)
		return
	}
	p.render(w, r, pagePolicy, http.StatusOK, depositsPage{
		Merchant: p.server.merchant, Done: !open, Action: depositsPath + url.PathEscape(r.PathValue("token")),
	})
}

// takeDeposits proves the account by the right amounts, in either order; wrong ones change nothing.
func (p *browserPages) takeDeposits(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	id, secret, open, known := p.server.depositsOf(r.PathValue("token"))
	if !known {
		http.NotFound(w, r)
		return
	}
	action := depositsPath + url.PathEscape(r.PathValue("token"))
	first, second := strings.TrimSpace(r.PostFormValue("first")), strings.TrimSpace(r.PostFormValue("second"))
	right := first == firstDeposit && second == secondDeposit || first == secondDeposit && second == firstDeposit
	if open && !right {
		p.render(w, r, pagePolicy, http.StatusUnprocessableEntity, depositsPage{
			Merchant: p.server.merchant, Action: action, Fault: "These are not the amounts of the two deposits.",
		})
		return
	}
	if open {
		err := p.server.completeAuthentication(id, secret, true)
		if err != nil {
			p.server.log.Info("deposits could not be taken", "intent", id, "error", err)
		}
	}
	http.Redirect(w, r, action+"?done=1", http.StatusSeeOther)
}
