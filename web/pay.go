package web

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/checkout"
	"sollecito/internal/database"
	"sollecito/internal/fault"
	"sollecito/internal/link"
	"sollecito/views"
)

// chooseInvoices keeps what the customer wants to pay, as it was shown, and leads to the page that shows what one
// more press will do. It charges nothing.
func (s *Server) chooseInvoices(w http.ResponseWriter, r *http.Request) error {
	v, st, err := s.hereAndNow(r)
	if err != nil {
		return err
	}
	chosen := chosenOf(r.PostForm, st.payable())
	if noneTicked(r.PostForm) && len(st.payable()) > 1 {
		return s.showOwed(w, r, v, st, http.StatusUnprocessableEntity)
	}
	if len(chosen) == 0 {
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	v.session.Values[keyChosen] = expectations(chosen)
	err = v.session.Save(r, w)
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/pay/review", http.StatusSeeOther)
	return nil
}

// chosenOf answers the invoices a form names (field invoice), or all of them when it says so (what=all) or names
// none. What is not payable, or not theirs, is left out.
func chosenOf(form map[string][]string, payable []billing.Invoice) []billing.Invoice {
	named := form["invoice"]
	what := form["what"]
	if len(what) > 0 && what[0] == "all" || len(named) == 0 && len(what) == 0 {
		return payable
	}
	return slices.DeleteFunc(slices.Clone(payable), func(i billing.Invoice) bool { return !slices.Contains(named, i.ID) })
}

// noneTicked reports whether a form says that only some invoices are wanted, and then names none.
func noneTicked(form map[string][]string) bool {
	return slices.Contains(form["what"], "some") && len(form["invoice"]) == 0
}

// expectations are invoices with the amounts the customer was shown.
func expectations(invoices []billing.Invoice) string {
	all := make([]string, len(invoices))
	for n, i := range invoices {
		all[n] = checkout.Expected{Invoice: i.ID, Amount: i.Remaining()}.String()
	}
	return strings.Join(all, ",")
}

func parseExpectations(lines []string) []checkout.Expected {
	var all []checkout.Expected
	for _, line := range lines {
		e, ok := checkout.ParseExpected(line)
		if ok {
			all = append(all, e)
		}
	}
	return all
}

// showReview shows the sum and the card before the press that charges.
func (s *Server) showReview(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	return s.review(w, r, v, parseExpectations(strings.Split(link.Value(v.session, keyChosen), ",")), http.StatusOK)
}

// review draws the page for the wanted invoices that are still payable. When an amount is no longer what the
// customer was shown it says so, old and new.
func (s *Server) review(w http.ResponseWriter, r *http.Request, v visitor, wanted []checkout.Expected, code int) error {
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return err
	}
	var left []billing.Invoice
	var before []billing.Money
	changed := false
	for _, i := range st.payable() {
		at := slices.IndexFunc(wanted, func(e checkout.Expected) bool { return e.Invoice == i.ID })
		if at < 0 {
			continue
		}
		left = append(left, i)
		before = append(before, wanted[at].Amount)
		changed = changed || wanted[at].Amount != i.Remaining()
	}
	act := s.mainAct(st)
	if len(left) == 0 || act == views.MainNone || act == views.MainHosted {
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	if st.card == nil {
		http.Redirect(w, r, "/pay/card", http.StatusSeeOther)
		return nil
	}
	p := views.ReviewPage{Frame: s.frame(r, v), Invoices: invoicesOf(left, v.zone), Card: *s.cardOf(st), Attempt: database.NewID("press")}
	if changed {
		p.Before = billing.Totals(before)
	}
	s.show(w, r, code, views.Review(p))
	return nil
}

var pressPattern = regexp.MustCompile(`^press_[0-9a-v]{26}$`)

// pressOf reads the press a form carries.
func pressOf(r *http.Request) (string, error) {
	press := r.PostFormValue("attempt")
	if !pressPattern.MatchString(press) {
		return "", fault.New(fault.Invalid, "The form is not one of ours.")
	}
	return press, nil
}

// charge charges what the page before showed. A second click, or a second tab, finds the same attempt.
func (s *Server) charge(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	press, err := pressOf(r)
	if err != nil {
		return err
	}
	wanted := parseExpectations(r.PostForm["expect"])
	if len(wanted) == 0 {
		return fault.New(fault.Invalid, "Nothing was chosen.")
	}
	err = s.guardCards(r)
	if err != nil {
		return err
	}
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return err
	}
	method := ""
	if st.card != nil {
		method = st.card.ID
	}
	_, err = s.Desk.Charge(r.Context(), checkout.Press{ID: press, Customer: v.ID, Method: method, Invoices: wanted, Place: placeAt(r)})
	if fault.Is(err, fault.Conflict) {
		return s.review(w, r, v, wanted, http.StatusConflict)
	}
	if fault.Is(err, fault.TooMany) {
		return s.showTried(w, r, v, st, true)
	}
	if err != nil {
		return err
	}
	s.Wake()
	return s.toResult(w, r, v, press)
}

// showTried says that the card was tried often enough for now: until when to wait, or to use another one. After too many
// declines no card of theirs is taken for a while, and Stripe's own page is what is left.
func (s *Server) showTried(w http.ResponseWriter, r *http.Request, v visitor, st standing, anyCard bool) error {
	code := http.StatusOK
	p := views.DeclinedPage{
		Frame: s.frame(r, v), Reason: billing.ClassTried, Invoices: invoicesOf(st.payable(), v.zone), Card: s.cardOf(st), Main: views.MainAddCard, Hosted: true,
	}
	if anyCard {
		code, p.AnyCard, p.Main = http.StatusTooManyRequests, true, views.MainNone
	}
	if st.card != nil {
		at, err := s.Desk.AgainAt(r.Context(), v.ID, st.card.ID, st.payable())
		if err != nil {
			return err
		}
		if !at.IsZero() {
			p.Again = at.Add(time.Minute - time.Second).Truncate(time.Minute).In(v.zone) // never before it
		}
	}
	s.show(w, r, code, views.Declined(p))
	return nil
}

// keyGo remembers that the customer has just pressed to pay: should their bank want to be asked, it is asked without
// another press, once. It lies in the session, so that no address can make a page do so.
const keyGo = "go"

// toResult leads to what became of a press.
func (s *Server) toResult(w http.ResponseWriter, r *http.Request, v visitor, press string) error {
	v.session.Values[keyGo] = press
	err := v.session.Save(r, w)
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/pay/result?press="+press, http.StatusSeeOther)
	return nil
}

// showResult tells what became of a press, from what is stored now: a reload tells the newest.
func (s *Server) showResult(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	out, err := s.outcomeOf(r, v, r.URL.Query().Get("press"))
	if errors.Is(err, errNoPress) {
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return err
	}
	if len(out.paid) > 0 && len(st.open) > 0 { // what was paid is shown beside what is still open
		st.closed, err = s.closedOf(r.Context(), v)
		if err != nil {
			return err
		}
	}
	f := s.frame(r, v)
	open := invoicesOf(st.payable(), v.zone)
	main := s.mainAct(st)
	switch {
	case len(out.action) > 0 && r.URL.Query().Has("asked"):
		http.Redirect(w, r, "/pay/approve", http.StatusSeeOther)
	case len(out.action) > 0:
		http.Redirect(w, r, "/pay/approve?go", http.StatusSeeOther)
	case len(out.unknown) > 0:
		s.show(w, r, http.StatusOK, views.Checking(views.CheckingPage{Frame: f, Amounts: out.unknown}))
	case len(out.paid) > 0 && len(st.open) == 0 && st.returned(out.paid):
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
	case len(out.paid) > 0 && len(open) > 0:
		s.show(w, r, http.StatusOK, views.PartlyPaid(views.PartlyPaidPage{
			Frame: f, FirstName: v.FirstName(), Receipts: s.receiptsOf(v, st, out.paid), Open: open, Card: s.cardOf(st), Main: main,
			Chosen: len(out.declined) == 0,
		}))
	case len(out.paid) > 0:
		s.show(w, r, http.StatusOK, views.Paid(s.paidPage(f, v, st, out.paid)))
	case out.processing:
		return s.showProcessing(w, r, f, v, st)
	case out.saved != nil && len(out.declined) > 0:
		s.show(w, r, http.StatusOK, views.CardSaved(views.CardSavedPage{Frame: f, Reason: out.reason, Invoices: open, Card: *out.saved, Main: main}))
	case len(out.declined) > 0 && out.reason == billing.ClassTried:
		return s.showTried(w, r, v, st, false)
	case len(out.declined) > 0:
		s.show(w, r, http.StatusOK, views.Declined(views.DeclinedPage{Frame: f, Reason: out.reason, Invoices: open, Card: s.cardOf(st), Main: main, Hosted: true}))
	case out.saved != nil && len(st.open) == 0 && st.ahead == nil:
		p := s.settledPage(f, v, st)
		p.Note = &views.Note{Kind: views.NoteDone, Said: views.Said{Key: "ahead.saved"}}
		s.show(w, r, http.StatusOK, views.Settled(p))
	default:
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
	}
	return nil
}

func (s *Server) paidPage(f views.Frame, v visitor, st standing, paid []string) views.PaidPage {
	now := s.Now().In(v.zone)
	p := views.PaidPage{
		Frame: f, FirstName: v.FirstName(), Receipts: s.receiptsOf(v, st, paid), ReceiptSent: v.Email != "",
		Restored: st.c.Access == campaign.Full || st.c.ID == "", Renewal: s.renewalOf(v, st),
		Thread: []views.Entry{{When: now, Kind: views.Now, Said: views.Said{Key: "thread.paid_now"}}},
	}
	if p.Renewal != nil {
		p.Thread = append(p.Thread, views.Entry{When: p.Renewal.On, Kind: views.Next, Said: views.Said{Key: "thread.renews"}})
	}
	return p
}
