package sandbox

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/url"
)

// bankPage is the page of the make-believe bank.
type bankPage struct {
	Merchant string
	Amount   string // "" when a card is only saved
	Intent   string
	Secret   string // hidden field; "" where the address alone says who asks
	Action   string // where the answer goes
	// ParentOrigin is the page around the dialogue, which is told when the
	// customer has answered; "" outside a dialogue.
	ParentOrigin string
	Done         bool
	Approved     bool
	Closed       bool // nothing is to be answered here, or not any more
}

// showBank is the dialogue that the browser script opens. Looking at it
// changes nothing.
func (p *browserPages) showBank(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	id, secret := r.PathValue("intent"), query.Get("client_secret")
	page := bankPage{
		Merchant:     p.server.merchant,
		Intent:       id,
		Secret:       secret,
		Action:       "/v3/3ds/" + url.PathEscape(id) + "/complete",
		ParentOrigin: readOrigin(query.Get("parent_origin")),
	}
	intent, ok := p.openIntent(r.Context(), id, secret)
	if !ok {
		page.Closed = true
		p.render(w, r, framePolicy, http.StatusNotFound, page)
		return
	}
	page.Amount = intentAmount(intent)
	p.render(w, r, framePolicy, http.StatusOK, page)
}

// answerBank takes the customer's answer in the dialogue, or the script's word
// that they closed it.
func (p *browserPages) answerBank(w http.ResponseWriter, r *http.Request) {
	// The page that shows the dialogue is of another origin and may ask too.
	w.Header().Set("Access-Control-Allow-Origin", "*")
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	id, secret, outcome := r.PathValue("intent"), r.PostFormValue("client_secret"), r.PostFormValue("outcome")
	page := bankPage{
		Merchant:     p.server.merchant,
		Intent:       id,
		ParentOrigin: readOrigin(r.PostFormValue("parent_origin")),
		Done:         true,
		Approved:     outcome == "complete",
	}
	status := http.StatusOK
	if outcome != "complete" && outcome != "fail" {
		http.Error(w, "outcome is either complete or fail.", http.StatusBadRequest)
		return
	}
	err := p.server.completeAuthentication(id, secret, page.Approved)
	if err != nil {
		p.server.log.Info("an authentication could not be answered", "intent", id, "error", err)
		page.Approved, status = false, http.StatusConflict
	}
	if r.PostFormValue("answer") == "json" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, err := w.Write([]byte("{}\n"))
		if err != nil {
			p.server.log.Debug("the page that closed the bank's dialogue went away", "error", err)
		}
		return
	}
	p.render(w, r, framePolicy, status, page)
}

// openIntent returns the intent if the secret is its own and the bank has been
// asked about it.
func (p *browserPages) openIntent(ctx context.Context, id, secret string) (pageIntent, bool) {
	intent, err := p.api.intent(ctx, id)
	if err != nil {
		return pageIntent{}, false
	}
	own := subtle.ConstantTimeCompare([]byte(intent.ClientSecret), []byte(secret)) == 1
	return intent, own && intent.Status == "requires_action"
}

// intentAmount is the sum the bank shows, "" for a SetupIntent.
func intentAmount(intent pageIntent) string {
	if intent.Currency == "" {
		return ""
	}
	return pageAmount(intent.Amount, intent.Currency)
}
