package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// cardPage is the hosted page on which a customer leaves a new card: Stripe's
// billing portal and its Checkout in mode setup, cut down to that one deed.
type cardPage struct {
	Merchant string
	Saved    bool
	Fault    string
	Action   string
	Back     string // where the customer came from; "" when unknown
}

// cardErrand is why a card is asked for and what follows.
type cardErrand struct {
	customer string
	setup    string // the SetupIntent to confirm; "" makes a new one
	isPortal bool   // the portal makes the card the customer's default, Checkout leaves that to the merchant
	open     bool   // a card may still be left
	back     string // shown as a link while nothing is done
	after    string // where the customer is sent when it is done; "" stays on the page
}

// policy lets the form's answer lead on to the merchant, which browsers count
// as a target of the form.
func (e cardErrand) policy() string {
	return strings.Replace(pagePolicy, "form-action 'self'", strings.TrimSpace("form-action 'self' "+readOrigin(e.after)), 1)
}

// portalErrand finds the billing portal session of a token.
func (s *Server) portalErrand(token string) (cardErrand, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, session := range s.memory.Portals.Rows {
		if session.Token != "" && session.Token == token {
			return cardErrand{
				customer: session.Customer, isPortal: true, open: true, back: session.ReturnURL, after: session.AfterURL,
			}, true
		}
	}
	return cardErrand{}, false
}

// checkoutErrand finds the Checkout session of a token.
func (s *Server) checkoutErrand(token string) (cardErrand, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, session := range s.memory.Checkouts.Rows {
		if session.Token != "" && session.Token == token {
			return cardErrand{
				customer: session.Customer, setup: session.Setup, open: session.Status == "open",
				back:  session.CancelURL,
				after: strings.ReplaceAll(session.SuccessURL, "{CHECKOUT_SESSION_ID}", session.ID),
			}, true
		}
	}
	return cardErrand{}, false
}

// cardDesk serves one of the two hosted pages that ask for a card. Its address
// is prefix and the session's token.
type cardDesk struct {
	*browserPages
	prefix string
	find   func(token string) (cardErrand, bool)
}

func (d cardDesk) mount(mux *http.ServeMux) {
	mux.HandleFunc("GET "+d.prefix+"{token}", d.show)
	mux.HandleFunc("POST "+d.prefix+"{token}", d.take)
	mux.HandleFunc("GET "+d.prefix+"{token}/bank", d.showBank)
	mux.HandleFunc("POST "+d.prefix+"{token}/bank", d.answerBank)
}

// errand finds what the address is about; it answers itself when there is
// nothing.
func (d cardDesk) errand(w http.ResponseWriter, r *http.Request) (cardErrand, cardPage, bool) {
	errand, known := d.find(r.PathValue("token"))
	if !known {
		http.NotFound(w, r)
		return cardErrand{}, cardPage{}, false
	}
	page := cardPage{
		Merchant: d.server.merchant,
		Saved:    !errand.open || r.URL.Query().Has("saved"),
		Action:   d.prefix + url.PathEscape(r.PathValue("token")),
		Back:     errand.back,
	}
	return errand, page, true
}

func (d cardDesk) show(w http.ResponseWriter, r *http.Request) {
	errand, page, ok := d.errand(w, r)
	if !ok {
		return
	}
	if r.URL.Query().Has("refused") {
		page.Fault = "Your bank did not confirm the card, so it was not saved. Please try again or use another card."
	}
	d.render(w, r, errand.policy(), http.StatusOK, page)
}

// take saves the card in the form.
func (d cardDesk) take(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	errand, page, ok := d.errand(w, r)
	if !ok {
		return
	}
	if !errand.open {
		http.Redirect(w, r, page.Action, http.StatusSeeOther)
		return
	}
	card, fault := readCard(r.PostFormValue("number"), r.PostFormValue("expiry"), r.PostFormValue("cvc"))
	if fault != "" {
		page.Fault = fault
		d.render(w, r, errand.policy(), http.StatusUnprocessableEntity, page)
		return
	}
	intent, err := d.confirmCard(r.Context(), errand, card)
	var refusal *apiRefusal
	switch {
	case errors.As(err, &refusal):
		page.Fault = refusal.Message
		d.render(w, r, errand.policy(), http.StatusPaymentRequired, page)
	case err != nil:
		d.fail(w, "save a card", err)
	case intent.Status == "requires_action":
		http.Redirect(w, r, page.Action+"/bank?"+url.Values{"setup": {intent.ID}}.Encode(), http.StatusSeeOther)
	default:
		d.finish(w, r, errand, page, intent)
	}
}

func (d cardDesk) confirmCard(ctx context.Context, errand cardErrand, card typedCard) (pageIntent, error) {
	var intent pageIntent
	var err error
	if errand.setup != "" {
		intent, err = d.api.intent(ctx, errand.setup)
	} else {
		intent, err = d.api.newSetup(ctx, errand.customer)
	}
	if err != nil {
		return pageIntent{}, err
	}
	return d.api.confirm(ctx, intent, card)
}

// asked returns the SetupIntent that the bank has been asked about, if it is
// this customer's.
func (d cardDesk) asked(r *http.Request, errand cardErrand) (pageIntent, bool) {
	intent, err := d.api.intent(r.Context(), r.URL.Query().Get("setup"))
	if err != nil {
		return pageIntent{}, false
	}
	return intent, intent.Customer == errand.customer && intent.Status == "requires_action"
}

func (d cardDesk) showBank(w http.ResponseWriter, r *http.Request) {
	errand, page, ok := d.errand(w, r)
	if !ok {
		return
	}
	intent, ok := d.asked(r, errand)
	if !ok {
		http.Redirect(w, r, page.Action, http.StatusSeeOther)
		return
	}
	d.render(w, r, errand.policy(), http.StatusOK, bankPage{
		Merchant: d.server.merchant, Intent: intent.ID,
		Action: page.Action + "/bank?" + url.Values{"setup": {intent.ID}}.Encode(),
	})
}

func (d cardDesk) answerBank(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	errand, page, ok := d.errand(w, r)
	if !ok {
		return
	}
	intent, ok := d.asked(r, errand)
	if !ok {
		http.Redirect(w, r, page.Action, http.StatusSeeOther)
		return
	}
	approved := r.PostFormValue("outcome") == "complete"
	err := d.server.completeAuthentication(intent.ID, intent.ClientSecret, approved)
	if err != nil || !approved {
		http.Redirect(w, r, page.Action+"?refused=1", http.StatusSeeOther)
		return
	}
	intent, err = d.api.intent(r.Context(), intent.ID)
	if err != nil {
		d.fail(w, "read a saved card", err)
		return
	}
	d.finish(w, r, errand, page, intent)
}

// finish does what the errand was for, once the card is saved.
func (d cardDesk) finish(w http.ResponseWriter, r *http.Request, errand cardErrand, page cardPage, intent pageIntent) {
	if intent.Status != "succeeded" {
		http.Redirect(w, r, page.Action+"?refused=1", http.StatusSeeOther)
		return
	}
	if errand.isPortal {
		err := d.api.setDefault(r.Context(), errand.customer, intent.Method)
		if err != nil {
			d.fail(w, "make a card the default", err)
			return
		}
	}
	if errand.after == "" {
		http.Redirect(w, r, page.Action+"?saved=1", http.StatusSeeOther)
		return
	}
	// The merchant named this address when it opened the session.
	http.Redirect(w, r, errand.after, http.StatusSeeOther)
}

func (d cardDesk) fail(w http.ResponseWriter, doing string, err error) {
	d.server.log.Error("a hosted page failed", "error", fmt.Errorf("%s: %w", doing, err))
	http.Error(w, "The sandbox could not do this.", http.StatusInternalServerError)
}
