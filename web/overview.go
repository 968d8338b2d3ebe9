package web

import (
	"context"
	"database/sql"
	"net/http"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/campaign"
	"sollecito/internal/dunning"
	"sollecito/internal/explain"
	"sollecito/internal/fault"
	"sollecito/internal/l10n"
	"sollecito/internal/outbox"
	"sollecito/views"
)

// standing is how things stand with a customer: everything the overview is drawn from, read in one go.
type standing struct {
	open          []billing.Invoice // oldest first
	closed        []billing.Invoice // paid or written off, newest first
	subscriptions []billing.Subscription
	card          *billing.Method // the one the failed charge was made with, or the default
	c             dunning.Case    // the latest, zero without one
	situation     dunning.Situation
	pauses        []dunning.Pause // active ones
	notices       []outbox.Notice // of that case
	disputes      []billing.Dispute
	ahead         *dunning.Precaution // a renewal that is going to fail; nil when none is
	promises
	final dunning.Final // of the latest case, zero without one
}

func (s *Server) standingOf(ctx context.Context, v visitor) (standing, error) {
	var st standing
	err := s.DB.See(ctx, func(tx *sql.Tx) error {
		all, err := billing.Invoices(ctx, tx, v.ID)
		if err != nil {
			return err
		}
		for _, i := range all {
			switch {
			case i.Overdue(s.Now().Unix()) || i.Processing(): // what is not due yet is nobody's worry yet
				st.open = append(st.open, i)
			case i.Status == "paid" || i.Status == "uncollectible":
				st.closed = append(st.closed, i)
			}
		}
		slices.Reverse(st.open)
		st.subscriptions, err = billing.Subscriptions(ctx, tx, v.ID)
		if err != nil {
			return err
		}
		st.disputes, err = billing.Disputes(ctx, tx, v.ID)
		if err != nil {
			return err
		}
		method := v.DefaultMethod
		if len(st.open) > 0 && st.open[0].MethodID != "" && !st.open[0].MethodIsGuests {
			method = st.open[0].MethodID
		}
		removed, err := billing.Removed(ctx, tx, method)
		if err != nil {
			return err
		}
		if removed {
			method = v.DefaultMethod
		}
		card, err := billing.FindMethod(ctx, tx, v.ID, method)
		if err == nil {
			st.card = &card
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		ahead, is, err := s.Cases.PrecautionOf(ctx, tx, v.ID, s.Now())
		if err != nil {
			return err
		}
		if is {
			st.ahead = &ahead
		}
		st.cancels, err = wantsToCancel(ctx, tx, v.ID)
		if err != nil {
			return err
		}
		st.c, err = s.Cases.LatestOf(ctx, tx, v.ID)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		st.final, err = s.Cases.FinalOf(ctx, tx, st.c.ID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		st.situation, err = s.Cases.SituationOf(ctx, tx, st.c, s.Now())
		if err != nil {
			return err
		}
		st.pauses, err = s.Cases.ActivePauses(ctx, tx, st.c.ID)
		if err != nil {
			return err
		}
		st.notices, err = outbox.OfCase(ctx, tx, st.c.ID)
		if err != nil {
			return err
		}
		return s.readPromise(ctx, tx, &st)
	})
	return st, err
}

// showOverview draws what the customer owes, why each payment failed, and one button; or that nothing is owed.
func (s *Server) showOverview(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitorOf(r)
	if err != nil {
		return err
	}
	st, err := s.standingOf(r.Context(), v)
	if err != nil {
		return err
	}
	f := s.frame(r, v)
	written := st.writtenOff()
	switch {
	case len(st.open) == 0 && st.ahead != nil:
		s.show(w, r, http.StatusOK, views.Ahead(s.aheadPage(f, v, st)))
	case len(st.open) == 0 && len(written) > 0:
		s.show(w, r, http.StatusOK, views.WrittenOff(views.WrittenOffPage{
			Frame: f, FirstName: v.FirstName(), Invoices: invoicesOf(written, v.zone), Note: finalNote(v, st), Payable: true,
		}))
	case len(st.open) == 0 && st.givenBack() != nil:
		s.show(w, r, http.StatusOK, views.Refunded(s.refundedPage(f, v, st)))
	case len(st.open) == 0:
		s.show(w, r, http.StatusOK, views.Settled(s.settledPage(f, v, st)))
	case allProcessing(st.open):
		return s.showProcessing(w, r, f, v, st)
	default:
		p := s.overviewPage(f, v, st)
		if p.Promise != nil {
			p.Promise.Made = r.URL.Query().Has("promised")
			p.Promise.Mailed = v.Email != ""
		}
		s.show(w, r, http.StatusOK, views.Overview(p))
	}
	return nil
}

func (st standing) writtenOff() []billing.Invoice {
	var all []billing.Invoice
	for _, i := range st.closed {
		if i.Status == "uncollectible" && i.AmountRemaining > 0 {
			all = append(all, i)
		}
	}
	return all
}

func allProcessing(open []billing.Invoice) bool {
	for _, i := range open {
		if !i.Processing() {
			return false
		}
	}
	return len(open) > 0
}

// payable are the open invoices that can be paid now: not those a bank is working on. Ones of which part was paid
// already come only when there are no others, because a press of ours cannot charge them.
func (st standing) payable() []billing.Invoice {
	var whole, rests []billing.Invoice
	for _, i := range st.open {
		switch {
		case i.Processing() || i.Disputed:
		case i.PartPaid():
			rests = append(rests, i)
		default:
			whole = append(whole, i)
		}
	}
	if len(whole) == 0 {
		return rests[:min(len(rests), 1)]
	}
	return whole
}

// rest is the first open invoice, beside the payable ones, of which part was paid already.
func (st standing) rest() *billing.Invoice {
	payable := st.payable()
	for _, i := range st.open {
		if i.PartPaid() && !i.Processing() && !i.Disputed && !slices.ContainsFunc(payable, func(p billing.Invoice) bool { return p.ID == i.ID }) {
			return &i
		}
	}
	return nil
}

// underDispute reports whether a bank is still looking into one of the customer's payments.
func (st standing) underDispute() bool {
	return slices.ContainsFunc(st.disputes, billing.Dispute.Running)
}

// class says why things are open: what only the customer can mend speaks for all, else the oldest.
func (st standing) class() billing.Class {
	class := billing.ClassNone
	for _, i := range st.payable() {
		c := i.Class()
		if c == billing.ClassAuthentication {
			return c
		}
		if class == billing.ClassNone {
			class = c
		}
	}
	return class
}

// mainAct is what the one button does: approve where the bank asks, pay with the card on file where that can
// work, else add another card.
func (s *Server) mainAct(st standing) views.MainAct {
	payable := st.payable()
	if len(payable) == 0 {
		return views.MainNone
	}
	class := st.class()
	switch {
	case payable[0].PartPaid():
		return views.MainHosted
	case class == billing.ClassAuthentication:
		return views.MainApprove
	case st.card == nil || st.card.Expired(s.Now().Unix()) || !class.Retryable():
		return views.MainAddCard
	}
	return views.MainPay
}

func (s *Server) overviewPage(f views.Frame, v visitor, st standing) views.OverviewPage {
	p := views.OverviewPage{
		Frame: f, FirstName: v.FirstName(), Reason: st.class(), Invoices: invoicesOf(st.payable(), v.zone),
		Card: s.cardOf(st), Main: s.mainAct(st), ForFuture: namesOf(st.subscriptions), Hosted: true,
		Thread: s.threadOf(v, st), Note: s.noteOf(v, st), Promise: s.promiseOf(v, st), Cancels: st.cancels, CanCancel: !st.cancels,
		CanClaim: st.canClaim,
	}
	p.CanPromise, _ = s.promisable(st)
	if len(p.Invoices) == 0 {
		p.Invoices = invoicesOf(st.open, v.zone)
	}
	rest := st.rest()
	if rest != nil {
		p.Rest = &invoicesOf([]billing.Invoice{*rest}, v.zone)[0]
	}
	if st.c.Status == dunning.Open && st.c.RestingSince == 0 {
		coming := st.c.Outlook(st.situation, st.notices)
		p.Contact = &views.ContactPlan{Remaining: len(coming)}
		if len(coming) > 0 && !coming[0].At.IsZero() {
			p.Contact.Next = coming[0].At.In(v.zone)
		}
	}
	if p.Contact != nil {
		next, ok := st.c.Next(st.situation)
		if ok {
			p.Contact.Because, _ = explain.Because(next, st.situation)
		}
	}
	if s.Intake.Troubled() {
		p.Frame.Notice = s.staleNotice(f, v)
	}
	return p
}

// threadOf is the line of time: what happened, that one can pay now, what comes by itself.
func (s *Server) threadOf(v visitor, st standing) []views.Entry {
	now := s.Now()
	var all []views.Entry
	for _, i := range st.open {
		if i.Since() > 0 {
			all = append(all, views.Entry{When: time.Unix(i.Since(), 0).In(v.zone), Kind: views.Past, Said: views.Said{Key: failedKey(i)}})
		}
	}
	all = slices.CompactFunc(all, func(a, b views.Entry) bool {
		return a.Said.Key == b.Said.Key && a.When.Format(time.DateOnly) == b.When.Format(time.DateOnly)
	})
	all = append(all, views.Entry{When: now.In(v.zone), Kind: views.Now, Said: views.Said{Key: s.nowKey(st)}})
	if st.promise != nil && st.promise.Kind == dunning.PromiseCharge && !s.underWay(*st.promise) {
		all = append(all, views.Entry{When: time.Unix(st.promise.DueAt, 0).In(v.zone), HasClock: true, Kind: views.Next, Said: views.Said{Key: "thread.promised", Args: l10n.Args{"Amount": st.promise.Amounts()}}})
	}
	for _, i := range st.open {
		if i.NextAttemptAt > now.Unix() {
			said := views.Said{Key: "thread.retry_any"}
			card := s.cardOf(st)
			if card != nil {
				said = views.Said{Key: "thread.retry", Args: l10n.Args{"Card": card}}
			}
			all = append(all, views.Entry{When: time.Unix(i.NextAttemptAt, 0).In(v.zone), Kind: views.Next, Said: said})
			break
		}
	}
	if st.c.Status == dunning.Open && st.c.RestingSince == 0 {
		for _, p := range st.c.Ahead(st.situation) {
			// A date that has passed without its consequence waits for a person: nobody can name the next one.
			passed := st.c.ConsequenceAt > 0 && st.c.ConsequenceAt <= now.Unix()
			if p.Step.Consequence && !passed {
				all = append(all, views.Entry{When: p.At.In(v.zone), Kind: views.Next, Said: views.Said{Key: willKey[p.Step.Takes()]}})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b views.Entry) int { return a.When.Compare(b.When) })
	return all
}

// willKey says what a consequence will take away.
var willKey = map[string]string{
	string(campaign.Restricted): "thread.will_restrict", string(campaign.Suspended): "thread.will_suspend",
	string(campaign.ActCancel): "thread.will_cancel", string(campaign.ActPause): "thread.will_pause", string(campaign.ActWriteOff): "thread.will_uncollectible",
}

// failedKey says what happened when an invoice became overdue.
func failedKey(i billing.Invoice) string {
	switch i.Class() {
	case billing.ClassOverdue:
		return "thread.due"
	case billing.ClassExpired:
		return "thread.card_expired"
	case billing.ClassAuthentication:
		return "thread.wants_approval"
	case billing.ClassNoMethod, billing.ClassTransient, billing.ClassOurs:
		return "thread.failed"
	}
	return "thread.declined"
}

// nowKey says what can be done now.
func (s *Server) nowKey(st standing) string {
	switch s.mainAct(st) {
	case views.MainApprove:
		return "thread.approve_now"
	case views.MainNone:
		return "thread.resting_now"
	}
	return "thread.pay_now"
}

// noteOf says how the case stands besides.
func (s *Server) noteOf(v visitor, st standing) *views.Note {
	others := len(st.pauses)
	for _, p := range st.pauses {
		if st.cancels && p.Reason == dunning.PauseConversation {
			return nil // the wish to end the plan says so
		}
		switch p.Reason {
		case dunning.PauseDispute:
			key := "note.dispute_lost"
			switch {
			case len(st.payable()) == 0:
				key = "note.dispute"
			case st.underDispute():
				key = "note.dispute_other"
			}
			return &views.Note{Kind: views.NotePause, Said: views.Said{Key: key}}
		case dunning.PauseClaim, dunning.PauseStaff:
			if p.Until > 0 {
				return &views.Note{Kind: views.NotePause, Said: views.Said{Key: untilKey[p.Reason], Args: l10n.Args{"Day": lastDay(p.Until, v.zone)}}}
			}
			if p.Reason == dunning.PauseClaim {
				return &views.Note{Kind: views.NotePause, Said: views.Said{Key: "note.claim"}}
			}
		case dunning.PauseConversation, dunning.PauseConsent:
			return &views.Note{Kind: views.NotePause, Said: views.Said{Key: "note." + string(p.Reason)}}
		case dunning.PauseProcessing:
			return &views.Note{Kind: views.NoteWait, Said: views.Said{Key: "note.processing"}}
		case dunning.PausePromise:
			others-- // it is told by itself
		}
	}
	if others > 0 {
		return &views.Note{Kind: views.NotePause, Said: views.Said{Key: "note.paused"}}
	}
	final := finalNote(v, st)
	if final != nil {
		return final
	}
	if st.c.Access == campaign.Restricted || st.c.Access == campaign.Suspended {
		return &views.Note{Kind: views.NoteInfo, Said: views.Said{Key: "note." + string(st.c.Access)}}
	}
	if st.broken != nil {
		return brokenNote(*st.broken, v.zone)
	}
	if st.c.Status == dunning.Open && st.c.Access == campaign.Grace && st.c.ConsequenceAt > s.Now().Unix() {
		return &views.Note{Kind: views.NoteWait, Said: views.Said{Key: "note.grace", Args: l10n.Args{"Day": time.Unix(st.c.ConsequenceAt, 0).In(v.zone)}}}
	}
	return nil
}

// untilKey says of a pause with an end why and until when reminders rest.
var untilKey = map[dunning.PauseReason]string{dunning.PauseClaim: "note.claim_until", dunning.PauseStaff: "note.paused_until"}

// lastDay is the last day of what ends at an instant, which may be the next day's first.
func lastDay(until int64, zone *time.Location) time.Time { return time.Unix(until-1, 0).In(zone) }

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

// savesOnly reports whether a card may be kept although nothing is charged to it now: the next renewal would fail.
func (st standing) savesOnly() bool { return st.ahead != nil && len(st.open) == 0 }

// finalNote says what was done in the end, why, and how to contest it; nil when nothing was.
func finalNote(v visitor, st standing) *views.Note {
	if st.final.Status != dunning.FinalDone {
		return nil
	}
	return &views.Note{Kind: views.NoteInfo, Said: views.Said{
		Key: "note.final_" + string(st.final.Act), Args: l10n.Args{"Day": time.Unix(st.final.EndedAt, 0).In(v.zone)},
	}}
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

// mostReceipts is how many payments a page lists.
const mostReceipts = 12

// receiptsOf lists paid invoices, all or only the named ones, newest first.
func (s *Server) receiptsOf(v visitor, st standing, only []string) []views.Receipt {
	var all []views.Receipt
	for _, i := range st.closed {
		if i.Status != "paid" || i.Collected().Minor == 0 || only != nil && !slices.Contains(only, i.ID) || len(all) == mostReceipts ||
			only == nil && s.isEarlier(v, i) {
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

func (s *Server) cardOf(st standing) *views.CardOnFile {
	if st.card == nil {
		return nil
	}
	return &views.CardOnFile{Method: *st.card, Expired: st.card.Expired(s.Now().Unix())}
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

// openPDF leads to the invoice's PDF, whose address is fetched fresh because it expires. It shows more of the customer
// than a link may that was forwarded.
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

// staleNotice says that Stripe does not answer and as of when the page speaks.
func (s *Server) staleNotice(f views.Frame, v visitor) string {
	at := time.Unix(v.SyncedAt, 0).In(v.zone)
	return f.Locale.Text("note.stale", l10n.Args{"Day": f.Locale.Day(at), "Clock": f.Locale.Clock(at)})
}
