package web

import (
	"net/http"
	"net/url"
	"strings"

	"sollecito/internal/billing"
	"sollecito/internal/checkout"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/internal/link"
	"sollecito/views"
)

// showCard draws the place for Stripe's card fields. Nothing is made at Stripe until its button is pressed.
func (s *Server) showCard(w http.ResponseWriter, r *http.Request) error {
	v, st, err := s.hereAndNow(r)
	if err != nil {
		return err
	}
	// A link shows receipts only while nothing is open, unless the next renewal would fail.
	if (len(st.payable()) == 0 || s.mainAct(st) == views.MainHosted) && !st.savesOnly() {
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	if noneTicked(r.URL.Query()) && len(st.payable()) > 1 {
		return s.showOwed(w, r, v, st, http.StatusUnprocessableEntity)
	}
	chosen := chosenOf(r.URL.Query(), st.payable())
	if len(chosen) == 0 && !st.savesOnly() { // paid in the meantime
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	p := s.cardPage(r, v, st, chosen)
	s.stripeHeaders(w, r)
	s.show(w, r, http.StatusOK, views.Card(p))
	return nil
}

func (s *Server) cardPage(r *http.Request, v visitor, st standing, chosen []billing.Invoice) views.CardPage {
	p := views.CardPage{
		Frame: s.frame(r, v), Invoices: invoicesOf(chosen, v.zone), Attempt: database.NewID("press"),
		ForFuture: namesOf(st.subscriptions), Currency: "usd", Methods: billing.TakenBy(chosen),
	}
	for n := len(chosen) - 1; n >= 0; n-- {
		p.Currency, p.Hosted = chosen[n].Currency, chosen[n].ID
	}
	if len(chosen) == 0 && len(st.subscriptions) > 0 && st.subscriptions[0].Amount.Currency != "" {
		p.Currency = st.subscriptions[0].Amount.Currency
	}
	p.ReturnURL = s.Addresses.To("/pay/card/finish?attempt=" + url.QueryEscape(p.Attempt))
	return p
}

// startCard begins keeping a card, after the customer typed it and pressed: it answers what the browser confirms
// with.
func (s *Server) startCard(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	press, err := pressOf(r)
	if err != nil {
		return err
	}
	wanted := parseExpectations(r.PostForm["expect"])
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return err
	}
	if len(wanted) == 0 && !st.savesOnly() || !stillHolds(wanted, st.payable()) {
		return sendAway(w, http.StatusConflict, "/pay")
	}
	err = s.guardCards(r)
	if err != nil {
		return err
	}
	shown := s.cardPage(r, v, st, nil)
	secret, err := s.Desk.StartCard(r.Context(), checkout.Press{
		ID: press, Customer: v.ID, Invoices: wanted, Place: placeAt(r), Mandate: agreed(r, shown.Locale, shown.Mandate),
	})
	if err != nil {
		return err
	}
	return sendSecret(w, secret)
}

// agreed is what a press that keeps a way to pay agrees to: the words its page shows for the kind that was chosen.
func agreed(r *http.Request, locale *l10n.Locale, words func(kind string) string) billing.Mandate {
	kind := views.KindCard
	if r.PostFormValue("kind") == views.KindDebit {
		kind = views.KindDebit
	}
	return billing.Mandate{Kind: kind, Language: locale.Tag(), Words: words(kind)}
}

// stillHolds reports whether every wanted invoice is payable for the amount that was shown.
func stillHolds(wanted []checkout.Expected, payable []billing.Invoice) bool {
	for _, e := range wanted {
		found := false
		for _, i := range payable {
			found = found || i.ID == e.Invoice && i.Remaining() == e.Amount
		}
		if !found {
			return false
		}
	}
	return true
}

// finishCard goes on after the browser confirmed the card: it is kept where the failed one stood, and what was
// chosen is charged with it. What the browser says is not believed; Stripe is asked.
func (s *Server) finishCard(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	press, err := s.Desk.FinishCard(r.Context(), v.ID, r.PostFormValue("setup_intent"))
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.Unavailable) && press != "" {
		err = nil // the result page tells how things stand
	}
	if err != nil {
		return err
	}
	s.Wake()
	return s.toResult(w, r, v, press)
}

// dropSecret leads to the same page without the client secret that Stripe puts into the address; false when there is none.
func dropSecret(w http.ResponseWriter, r *http.Request, query url.Values) bool {
	if !query.Has("setup_intent_client_secret") && !query.Has("redirect_status") {
		return false
	}
	keep := url.Values{"setup_intent": query["setup_intent"], "attempt": query["attempt"]}
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, r.URL.Path+"?"+keep.Encode(), http.StatusSeeOther)
	return true
}

// returnFromBank is where the bank sends the customer back to. It changes nothing: a form goes on. The client
// secret Stripe puts into the address is taken out of it first.
func (s *Server) returnFromBank(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if dropSecret(w, r, query) {
		return nil
	}
	v, st, err := s.hereAndNow(r)
	if err != nil {
		return err
	}
	setup := query.Get("setup_intent")
	if !strings.HasPrefix(setup, "seti_") {
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	s.show(w, r, http.StatusOK, views.CardFinish(views.CardFinishPage{
		Frame: s.frame(r, v), SetupIntent: setup, Attempt: query.Get("attempt"), Invoices: invoicesOf(st.payable(), v.zone),
	}))
	return nil
}

// showApprove leads to the bank's own question about the oldest payment that wants it.
func (s *Server) showApprove(w http.ResponseWriter, r *http.Request) error {
	v, st, err := s.hereAndNow(r)
	if err != nil {
		return err
	}
	for _, i := range st.payable() {
		if i.Class() != billing.ClassAuthentication {
			continue
		}
		p := views.ApprovePage{Frame: s.frame(r, v), Invoice: invoicesOf([]billing.Invoice{i}, v.zone)[0], Card: s.cardOf(st)}
		p.Attempt = database.NewID("press")
		p.Go = r.URL.Query().Has("go") && link.Value(v.session, keyGo) != ""
		s.stripeHeaders(w, r)
		s.show(w, r, http.StatusOK, views.Approve(p))
		return nil
	}
	http.Redirect(w, r, "/pay", http.StatusSeeOther)
	return nil
}

// startApproval answers what the browser needs to let the bank ask.
func (s *Server) startApproval(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	i, err := s.ownInvoice(r, v, r.PostFormValue("invoice"))
	if err != nil {
		return err
	}
	press, err := pressOf(r)
	if err != nil {
		return err
	}
	if link.Value(v.session, keyGo) != "" {
		delete(v.session.Values, keyGo)
		err = v.session.Save(r, w)
		if err != nil {
			return err
		}
	}
	wanted := parseExpectations(r.PostForm["expect"])
	if !stillHolds(wanted, []billing.Invoice{i}) || len(wanted) == 0 {
		return sendAway(w, http.StatusConflict, "/pay")
	}
	err = s.guardCards(r)
	if err != nil {
		return err
	}
	secret, err := s.Desk.Approval(r.Context(), checkout.Press{ID: press, Customer: v.ID, Invoices: wanted, Place: placeAt(r)})
	if fault.Is(err, fault.Conflict) {
		return sendAway(w, http.StatusConflict, "/pay")
	}
	if err != nil {
		return err
	}
	return sendSecret(w, secret)
}

// finishApproval asks Stripe what the bank said and tells it.
func (s *Server) finishApproval(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	i, err := s.ownInvoice(r, v, r.PostFormValue("invoice"))
	if err != nil {
		return err
	}
	press, err := s.Desk.Approved(r.Context(), v.ID, i.ID)
	if err != nil {
		return err
	}
	s.Wake()
	http.Redirect(w, r, "/pay/result?asked&press="+press, http.StatusSeeOther)
	return nil
}
