package web

import (
	"database/sql"
	"net/http"
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/dunning"
	"sollecito/internal/explain"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/views"
)

// showOverview draws what the customer owes, why each payment failed, and one button; or that nothing is owed.
func (s *Server) showOverview(w http.ResponseWriter, r *http.Request) error {
	v, st, err := s.hereAndNow(r)
	if err != nil {
		return err
	}
	f := s.frame(r, v)
	written := st.writtenOff()
	slices.Reverse(written) // the oldest is paid first, as everywhere
	switch {
	case len(st.open) == 0 && st.ahead != nil:
		s.show(w, r, http.StatusOK, views.Ahead(s.aheadPage(f, v, st)))
	case len(st.open) == 0 && len(written) > 0:
		s.show(w, r, http.StatusOK, views.WrittenOff(views.WrittenOffPage{
			Frame: f, FirstName: v.FirstName(), Invoices: invoicesOf(written, v.zone), Note: finalNote(v, st), Payable: true,
		}))
	case len(st.open) == 0 && s.givenBack(v, st) != nil:
		s.show(w, r, http.StatusOK, views.Refunded(s.refundedPage(f, v, st)))
	case len(st.open) == 0:
		s.show(w, r, http.StatusOK, views.Settled(s.settledPage(f, v, st)))
	case allProcessing(st.open):
		return s.showProcessing(w, r, f, v, st)
	default:
		return s.showOwed(w, r, v, st, http.StatusOK)
	}
	return nil
}

// showOwed draws what is owed. With http.StatusUnprocessableEntity it also says that nothing was ticked.
func (s *Server) showOwed(w http.ResponseWriter, r *http.Request, v visitor, st standing, code int) error {
	p := s.overviewPage(s.frame(r, v), v, st)
	p.NoneChosen = code == http.StatusUnprocessableEntity
	if p.NoneChosen && !p.OffersChoice() { // there are no boxes any more
		http.Redirect(w, r, "/pay", http.StatusSeeOther)
		return nil
	}
	proves, err := s.proves(r, v, st.open)
	if err != nil {
		return err
	}
	p.Proves = proves
	done := s.toldIn(r, v.session.ID)
	p.CancelsNow = done == "leaving"
	if p.Note != nil {
		p.Note.New = done == "claimed" && strings.HasPrefix(p.Note.Said.Key, "note.claim")
	}
	if p.Promise != nil {
		p.Promise.Made = done == "promised"
		p.Promise.Mailed = v.Email != ""
	}
	s.show(w, r, code, views.Overview(p))
	return nil
}

func (s *Server) overviewPage(f views.Frame, v visitor, st standing) views.OverviewPage {
	p := views.OverviewPage{
		Frame: f, FirstName: v.FirstName(), Reason: st.class(), Invoices: invoicesOf(st.payable(), v.zone),
		Card: s.cardOf(st), Main: s.mainAct(st), ForFuture: namesOf(st.subscriptions), Hosted: true,
		Thread: s.threadOf(v, st), Note: s.noteOf(v, st), Promise: s.promiseOf(v, st), Cancels: st.cancels, CanCancel: !st.cancels,
		CanClaim: st.canClaim, NotCharged: s.notChargedNote(v, st),
	}
	p.CanPromise, _ = s.promisable(st)
	if len(p.Invoices) == 0 {
		p.Invoices = invoicesOf(st.open, v.zone)
	}
	rest := st.rest()
	if rest != nil {
		p.Rest = &invoicesOf([]billing.Invoice{*rest}, v.zone)[0]
	}
	if st.goesOn() {
		p.Contact = contactPlanOf(v, st)
	}
	if s.Intake.Troubled() {
		p.Frame.Notice = s.staleNotice(f, v)
	}
	return p
}

// contactPlanOf is what a customer whose case goes on may still hear from us. While all sending is stopped nobody knows when.
func contactPlanOf(v visitor, st standing) *views.ContactPlan {
	coming := st.c.Outlook(st.situation, st.notices)
	plan := &views.ContactPlan{Remaining: len(coming), Resting: st.stopped, Act: st.c.ActAhead(st.situation.Plan)}
	if st.stopped || len(coming) == 0 || coming[0].At.IsZero() {
		return plan
	}
	plan.Next = coming[0].At.In(v.zone)
	// The reason is that of the next message, which may be one that waits to leave and none of the steps ahead.
	next := slices.IndexFunc(st.steps, func(p dunning.Foreseen) bool { return len(st.situation.Ways(p.Step)) > 0 })
	if next >= 0 && st.steps[next].At.Equal(coming[0].At) {
		plan.Because, _ = explain.Because(st.steps[next].Planned, st.situation)
	}
	return plan
}

// aheadPage says what is going to fail while nothing is owed.
func (s *Server) aheadPage(f views.Frame, v visitor, st standing) views.AheadPage {
	p := views.AheadPage{
		Frame: f, FirstName: v.FirstName(), What: st.ahead.Renewal.Description, ForFuture: namesOf(st.subscriptions),
		Renewal: views.Renewal{On: time.Unix(st.ahead.Renewal.PeriodEnd, 0).In(v.zone), Amount: st.ahead.Renewal.Amount},
	}
	if st.ahead.Trouble == dunning.CardExpires {
		p.Card = &views.CardOnFile{Method: st.ahead.Card, Expired: st.ahead.Card.Expired(s.Now().Unix())}
	}
	return p
}

func (s *Server) settledPage(f views.Frame, v visitor, st standing) views.SettledPage {
	p := views.SettledPage{Frame: f, FirstName: v.FirstName(), Receipts: s.receiptsOf(v, st, nil), Earlier: s.hasEarlier(v, st), Renewal: s.renewalOf(v, st)}
	if st.final.Act != campaign.ActWriteOff { // what was written off and then paid needs no more words
		p.Note = finalNote(v, st)
	}
	if st.underDispute() {
		p.Note = &views.Note{Kind: views.NotePause, Said: views.Said{Key: "note.dispute"}}
	}
	return p
}

// mostReceipts is how many payments a page lists of those made before.
const mostReceipts = 12

// receiptsOf lists paid invoices, newest first: the last ones, or all of the named ones, whose sum the page tells.
func (s *Server) receiptsOf(v visitor, st standing, only []string) []views.Receipt {
	var all []views.Receipt
	closed := slices.SortedFunc(slices.Values(st.closed), func(a, b billing.Invoice) int { return billing.ByPayment(b, a) })
	for _, i := range closed {
		if !i.Paid() || only != nil && !slices.Contains(only, i.ID) || only == nil && (len(all) == mostReceipts || s.isEarlier(v, i)) {
			continue
		}
		receipt := views.Receipt{
			InvoiceID: i.ID, InvoiceNumber: i.Number, ReceiptNumber: i.ReceiptNumber, What: i.Description,
			Refunded: billing.Money{Minor: i.Refunded, Currency: i.Currency}, Paid: i.Collected(), PaidOn: time.Unix(i.PaidAt, 0).In(v.zone), OutOfBand: i.PaidOutOfBand, HasPDF: true,
		}
		if st.card != nil && st.card.ID == i.MethodID && !i.PaidOutOfBand {
			receipt.With = &views.CardOnFile{Method: *st.card, Expired: st.card.Expired(s.Now().Unix())}
		}
		all = append(all, receipt)
	}
	return all
}

func (s *Server) renewalOf(v visitor, st standing) *views.Renewal {
	at, amount, ok := billing.NextRenewal(st.subscriptions, s.Now().Unix())
	if !ok {
		return nil
	}
	return &views.Renewal{On: time.Unix(at, 0).In(v.zone), Amount: amount}
}

// invoicesOf turns stored invoices into what a page shows of them.
func invoicesOf(stored []billing.Invoice, zone *time.Location) []views.Invoice {
	all := make([]views.Invoice, len(stored))
	for n, i := range stored {
		all[n] = views.Invoice{
			ID: i.ID, Number: i.Number, What: i.Description, Remaining: i.Remaining(), Class: i.Class(), HasPDF: true,
		}
		if i.PeriodStart > 0 && i.PeriodEnd > i.PeriodStart {
			all[n].From = time.Unix(i.PeriodStart, 0).In(zone)
			all[n].To = time.Unix(i.PeriodEnd, 0).In(zone).AddDate(0, 0, -1)
		}
		if i.Since() > 0 {
			all[n].Since = time.Unix(i.Since(), 0).In(zone)
		}
	}
	return all
}

// namesOf names what a kept card will serve.
func namesOf(subscriptions []billing.Subscription) []string {
	var all []string
	for _, s := range subscriptions {
		if s.Live() && s.Description != "" && !slices.Contains(all, s.Description) {
			all = append(all, s.Description)
		}
	}
	return all
}

// openPDF leads to the invoice's PDF, whose address is fetched each time because it expires. The PDF shows more of the
// customer than a forwarded link may, so it asks for a code first.
func (s *Server) openPDF(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	i, err := s.ownInvoice(r, v, r.PathValue("id"))
	if err != nil {
		return err
	}
	if !mayRead(v) {
		http.Redirect(w, r, "/pay/papers?pdf="+escape(i.ID), http.StatusSeeOther)
		return nil
	}
	address, err := s.Stripe.InvoicePDF(r.Context(), i.ID)
	if err != nil {
		return err
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// openHosted leads to Stripe's own page for one invoice: the way without our card fields.
func (s *Server) openHosted(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	i, err := s.ownInvoice(r, v, r.PostFormValue("invoice"))
	if err != nil {
		return err
	}
	if !mayRead(v) && !i.Open() && !i.WrittenOff() { // nothing to pay there, an address to read
		http.Redirect(w, r, "/pay/papers?pdf="+escape(i.ID), http.StatusSeeOther)
		return nil
	}
	return s.toHosted(w, r, i)
}

func (s *Server) toHosted(w http.ResponseWriter, r *http.Request, i billing.Invoice) error {
	address, err := s.Stripe.HostedPage(r.Context(), i.ID)
	if err != nil {
		return err
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// ownInvoice answers one of the visitor's own invoices; another customer's does not exist for them.
func (s *Server) ownInvoice(r *http.Request, v visitor, id string) (billing.Invoice, error) {
	var i billing.Invoice
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		var err error
		i, err = billing.FindInvoice(r.Context(), tx, id)
		return err
	})
	if err != nil {
		return billing.Invoice{}, err
	}
	if i.CustomerID != v.ID {
		return billing.Invoice{}, fault.New(fault.NotFound, "There is no invoice %s.", id)
	}
	return i, nil
}

// staleNotice says that Stripe does not answer, and from when the page's data is.
func (s *Server) staleNotice(f views.Frame, v visitor) string {
	at := time.Unix(v.SyncedAt, 0).In(v.zone)
	return f.Locale.Text("note.stale", l10n.Args{"Day": f.Locale.Day(at), "Clock": f.Locale.Clock(at)})
}
