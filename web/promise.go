package web

import (
	"database/sql"
	"net/http"
	"net/url"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/checkout"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/internal/link"
	"sollecito/views"
)

// keyPromise keeps the kind and day a customer chose, until they confirm it.
const keyPromise = "promise"

// promises are what a customer set or asked for, and what they may still.
type promises struct {
	promise      *dunning.Promise
	broken       *dunning.Promise // the last of the case, when it came to nothing
	withdrawn    *dunning.Promise // likewise, when it was taken back
	promiseCard  *billing.Method  // to be charged by it
	promiseDays  []time.Time      // they may choose, none when they may not
	promisesLeft int
	canClaim     bool // may say that a transfer is on its way
	cancels      bool // asked to end their plan
}

// promisable reports whether a day can be chosen now, and whether the card on file could be charged on it.
func (s *Server) promisable(st standing) (may, charge bool) {
	act := s.mainAct(st)
	may = len(st.promiseDays) > 0 && act != views.MainNone && (st.promise == nil || !s.underWay(*st.promise))
	return may, may && act == views.MainPay
}

// underWay reports whether a promise's hour has come.
func (s *Server) underWay(p dunning.Promise) bool {
	return p.ChargedAt > 0 || p.DueAt <= s.Now().Unix()
}

// retryBefore is the first of the processor's own tries before an instant, zero when it makes none.
func (s *Server) retryBefore(invoices []billing.Invoice, due time.Time, zone *time.Location) time.Time {
	var first time.Time
	for _, i := range invoices {
		at := time.Unix(i.NextAttemptAt, 0).In(zone)
		if i.NextAttemptAt > s.Now().Unix() && at.Before(due) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// triesBefore is until when a try of the processor's own is told apart from what happens on the promised day: one that
// charges the same sum on the very day of the charge surprises nobody.
func triesBefore(kind dunning.PromiseKind, day time.Time) time.Time {
	if kind == dunning.PromiseCharge {
		return day
	}
	return dunning.PromiseDue(kind, day)
}

// brokenNote tells of the last day that was chosen and came to nothing.
func brokenNote(p dunning.Promise, zone *time.Location) *views.Note {
	key := "promise.broken_self"
	switch {
	case p.ChargedAt > 0:
		key = "promise.broken_charge"
	case p.Kind == dunning.PromiseCharge:
		key = "promise.broken_untried"
	}
	return &views.Note{Kind: views.NoteInfo, Said: views.Said{Key: key, Args: l10n.Args{"Day": p.On(zone)}}}
}

// promiseOf is the day a customer set as their overview shows it, nil without one.
func (s *Server) promiseOf(v visitor, st standing) *views.Promise {
	if st.promise == nil {
		return nil
	}
	p := st.promise
	may, _ := s.promisable(st)
	out := views.Promise{On: p.On(v.zone), Charge: p.Kind == dunning.PromiseCharge, Amounts: p.Amounts(), CanChange: may, Under: s.underWay(*p)}
	var named []billing.Invoice
	for _, i := range st.open {
		if p.Names(i.ID) {
			named = append(named, i)
		}
	}
	out.Others = len(named) < len(st.open)
	out.Retry = s.retryBefore(named, triesBefore(p.Kind, out.On), v.zone)
	if st.promiseCard != nil {
		out.Card = &views.CardOnFile{Method: *st.promiseCard, Expired: st.promiseCard.Expired(s.Now().Unix())}
	}
	return &out
}

// showPromise lets the customer choose a day.
func (s *Server) showPromise(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	chosen, _ := url.ParseQuery(link.Value(v.session, keyPromise))
	return s.askPromise(w, r, v, chosen, nil)
}

func (s *Server) askPromise(w http.ResponseWriter, r *http.Request, v visitor, chosen url.Values, faults []views.Fault) error {
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return err
	}
	may, charge := s.promisable(st)
	if !may {
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	p := views.PromisePage{
		Frame: s.frame(r, v), Amounts: totalOf(st.payable()), Days: st.promiseDays, Chosen: chosen.Get("day"), Self: chosen.Get("kind") == "self",
		Last: st.promisesLeft == 1, Faults: faults,
	}
	if charge {
		p.Card = s.cardOf(st)
	}
	status := http.StatusOK
	if len(faults) > 0 {
		status = http.StatusUnprocessableEntity
	}
	s.show(w, r, status, views.ChoosePromise(p))
	return nil
}

func totalOf(invoices []billing.Invoice) []billing.Money {
	var all []billing.Money
	for _, i := range invoices {
		all = append(all, i.Remaining())
	}
	return billing.Totals(all)
}

// choosePromise keeps the chosen day and leads to the page that shows what one more press will fix.
func (s *Server) choosePromise(w http.ResponseWriter, r *http.Request) error {
	v, st, err := s.hereAndNow(r)
	if err != nil {
		return err
	}
	chosen := url.Values{"kind": {r.PostFormValue("kind")}, "day": {r.PostFormValue("day")}}
	_, ok := dayOf(chosen.Get("day"), st.promiseDays)
	if !ok {
		return s.askPromise(w, r, v, chosen, []views.Fault{{Field: "day", Said: views.Said{Key: "promise.fault_day"}}})
	}
	v.session.Values[keyPromise] = chosen.Encode()
	err = v.session.Save(r, w)
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/pay/promise/review", http.StatusSeeOther)
	return nil
}

// dayOf finds a date among those offered.
func dayOf(text string, days []time.Time) (time.Time, bool) {
	at := slices.IndexFunc(days, func(d time.Time) bool { return d.Format(time.DateOnly) == text })
	if at < 0 {
		return time.Time{}, false
	}
	return days[at], true
}

// reviewPromise shows what will happen on the chosen day, before anything is fixed.
func (s *Server) reviewPromise(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	chosen, _ := url.ParseQuery(link.Value(v.session, keyPromise))
	return s.drawPromise(w, r, v, chosen, nil, http.StatusOK)
}

// drawPromise draws the review; before is what was shown when an amount has changed since.
func (s *Server) drawPromise(w http.ResponseWriter, r *http.Request, v visitor, chosen url.Values, before []billing.Money, status int) error {
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return err
	}
	may, charge := s.promisable(st)
	day, ok := dayOf(chosen.Get("day"), st.promiseDays)
	if !may || !ok {
		http.Redirect(w, r, "/pay/promise", http.StatusSeeOther)
		return nil
	}
	kind := dunning.PromiseSelf
	p := views.PromiseReviewPage{
		Frame: s.frame(r, v), Invoices: invoicesOf(st.payable(), v.zone), On: day, Before: before, Attempt: database.NewID("press"),
	}
	if charge && chosen.Get("kind") == "charge" {
		kind, p.Card = dunning.PromiseCharge, s.cardOf(st)
	}
	p.At = dunning.PromiseDue(kind, day)
	p.Retry = s.retryBefore(st.payable(), triesBefore(kind, day), v.zone)
	s.show(w, r, status, views.ReviewPromise(p))
	return nil
}

// makePromise fixes what the page before showed. A second click finds the same promise.
func (s *Server) makePromise(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	press, err := pressOf(r)
	if err != nil {
		return err
	}
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return err
	}
	wanted := parseExpectations(r.PostForm["expect"])
	p := dunning.Promise{
		CaseID: st.c.ID, Press: press, Kind: dunning.PromiseSelf, Day: r.PostFormValue("day"), Actor: "customer", Invoices: promisedOf(wanted),
	}
	if r.PostFormValue("kind") == "charge" && st.card != nil {
		p.Kind, p.MethodID = dunning.PromiseCharge, st.card.ID
	}
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		_, err := s.Cases.Promise(r.Context(), tx, p, s.Now())
		return err
	})
	chosen := url.Values{"kind": {string(p.Kind)}, "day": {p.Day}}
	switch {
	case fault.Is(err, fault.Conflict) && fault.MessageOf(err) == dunning.FaultPromiseSum:
		return s.drawPromise(w, r, v, chosen, shownTotals(wanted), http.StatusConflict)
	case fault.Is(err, fault.Invalid):
		return s.askPromise(w, r, v, chosen, []views.Fault{{Field: "day", Said: views.Said{Key: "promise.fault_day"}}})
	case fault.Is(err, fault.TooMany), fault.Is(err, fault.Conflict):
		http.Redirect(w, r, "/pay", http.StatusSeeOther) // the page says how things stand now
		return nil
	case err != nil:
		return err
	}
	delete(v.session.Values, keyPromise)
	err = v.session.Save(r, w)
	if err != nil {
		return err
	}
	s.Wake()
	http.Redirect(w, r, s.tellAt("/pay", "promised", v.session.ID), http.StatusSeeOther)
	return nil
}

func promisedOf(wanted []checkout.Expected) []dunning.Promised {
	var all []dunning.Promised
	for _, e := range wanted {
		all = append(all, dunning.Promised{Invoice: e.Invoice, Amount: e.Amount})
	}
	return all
}

func shownTotals(wanted []checkout.Expected) []billing.Money {
	var all []billing.Money
	for _, e := range wanted {
		all = append(all, e.Amount)
	}
	return billing.Totals(all)
}

// showPromiseEnd asks whether the day is taken back.
func (s *Server) showPromiseEnd(w http.ResponseWriter, r *http.Request) error {
	v, st, err := s.hereAndNow(r)
	if err != nil {
		return err
	}
	if st.promise == nil || s.underWay(*st.promise) {
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	s.show(w, r, http.StatusOK, views.EndPromise(views.PromiseEndPage{
		Frame: s.frame(r, v), On: st.promise.On(v.zone), Charge: st.promise.Kind == dunning.PromiseCharge,
	}))
	return nil
}

// endPromise takes the day back. Pressed twice it changes nothing more.
func (s *Server) endPromise(w http.ResponseWriter, r *http.Request) error {
	_, st, err := s.hereAndNow(r)
	if err != nil {
		return err
	}
	err = s.DB.Do(r.Context(), func(tx *sql.Tx) error {
		return s.Cases.WithdrawPromise(r.Context(), tx, st.c.ID, "customer", s.Now())
	})
	if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) {
		return err
	}
	s.Wake()
	http.Redirect(w, r, "/pay", http.StatusSeeOther)
	return nil
}
