package web

import (
	"context"
	"database/sql"
	"net/http"
	"slices"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
	"sollecito/views"
)

// standing is how things stand with a customer: everything their pages are drawn from, read in one go. What a state makes
// no use of is not read, since most pages are opened by somebody who owes one invoice and did nothing yet.
type standing struct {
	open          []billing.Invoice // oldest first
	closed        []billing.Invoice // paid or written off, newest first; only while nothing is open
	subscriptions []billing.Subscription
	card          *billing.Method    // the one the failed charge was made with, or the default
	c             dunning.Case       // the latest, zero without one
	situation     dunning.Situation  // of a case that goes on, see dunning.Standing
	steps         []dunning.Foreseen // of a case that does not rest: those still to be taken
	ends          time.Time          // as Case.Tightens answers, as the merchant's app and staff are told
	pauses        []dunning.Pause    // active ones
	notices       []outbox.Notice    // of that case, see dunning.Standing
	stopped       bool               // all sending, while the case goes on
	disputes      []billing.Dispute
	ahead         *dunning.Precaution // a renewal that is going to fail, while nothing is open; nil when none is
	promises
	final dunning.Final // of the latest case, zero without one
}

// hereAndNow answers whose session the request carries, as visitorOf does, and how things stand with them, both of one
// state of what is stored.
func (s *Server) hereAndNow(r *http.Request) (visitor, standing, error) {
	v, st, err := s.recalled(r)
	v, err = s.welcome(r, v, err)
	return v, st, err
}

// readBoth reads who the visitor is and how things stand with them, in one transaction.
func (s *Server) readBoth(r *http.Request) (visitor, standing, error) {
	var v visitor
	var st standing
	err := s.DB.See(r.Context(), func(tx *sql.Tx) error {
		var err error
		v, err = s.visitorIn(r, tx)
		if err != nil {
			return err
		}
		st, err = s.standingIn(r.Context(), tx, v)
		return err
	})
	return v, st, err
}

// standingOf answers how things stand with a visitor now.
func (s *Server) standingOf(ctx context.Context, v visitor) (standing, error) {
	var st standing
	err := s.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		err = v.read(ctx, tx, v.ID)
		if err != nil {
			return err
		}
		st, err = s.standingIn(ctx, tx, v)
		return err
	})
	return st, err
}

// standingIn is standingOf where the visitor was read in the same transaction.
func (s *Server) standingIn(ctx context.Context, tx *sql.Tx, v visitor) (standing, error) {
	var st standing
	now := s.Now()
	for _, i := range v.open {
		if i.Overdue(now.Unix()) || i.Processing() { // what is not due yet is nobody's worry yet
			st.open = append(st.open, i)
		}
	}
	st.cancels = v.has.wish
	var err error
	if v.has.disputes {
		st.disputes, err = billing.Disputes(ctx, tx, v.ID)
		if err != nil {
			return st, err
		}
	}
	k := dunning.Known{
		Customer: v.Customer, Open: v.open, Choices: v.has.choices, Pauses: v.has.pauses, Promises: v.has.promises, Finals: v.has.finals,
	}
	st.subscriptions, err = billing.Subscriptions(ctx, tx, v.ID)
	if err != nil {
		return st, err
	}
	k.Methods, err = billing.Methods(ctx, tx, v.ID)
	if err != nil {
		return st, err
	}
	st.card = cardAmong(k.Methods, v, st.open)
	if len(st.open) == 0 {
		err = s.readSettled(ctx, tx, v, &st)
		if err != nil {
			return st, err
		}
	}
	is, err := s.Cases.StandingOf(ctx, tx, k, now)
	if err != nil {
		return st, err
	}
	st.c, st.situation, st.pauses, st.notices, st.final = is.Case, is.Situation, is.Pauses, is.Notices, is.Final
	st.promise, st.broken, st.withdrawn = is.Promise, is.Broken, is.Withdrawn
	st.promiseDays, st.promisesLeft, st.canClaim = is.PromiseDays, is.PromisesLeft, is.MayClaim
	if st.goesOn() {
		st.steps = st.c.Foresee(st.situation, st.notices)
		sending, err := dunning.SendingSwitch(ctx, tx)
		if err != nil {
			return st, err
		}
		st.stopped = sending.Stopped
	}
	st.ends, _ = st.c.Tightens(st.situation, st.notices)
	if st.promise != nil {
		m, known := k.Methods[st.promise.MethodID]
		if known {
			st.promiseCard = &m
		}
	}
	return st, nil
}

// closedOf answers a visitor's closed invoices, newest first.
func (s *Server) closedOf(ctx context.Context, v visitor) ([]billing.Invoice, error) {
	var closed []billing.Invoice
	err := s.DB.See(ctx, func(tx *sql.Tx) error {
		var err error
		closed, err = billing.ClosedInvoices(ctx, tx, v.ID)
		return err
	})
	return closed, err
}

// readSettled fills in what is told where nothing is open.
func (s *Server) readSettled(ctx context.Context, tx *sql.Tx, v visitor, st *standing) error {
	var err error
	st.closed, err = billing.ClosedInvoices(ctx, tx, v.ID)
	if err != nil {
		return err
	}
	ahead, is, err := s.Cases.PrecautionOf(ctx, tx, v.ID, s.Now())
	if is {
		st.ahead = &ahead
	}
	return err
}

// cardAmong answers what a payment would be charged to: what the oldest open invoice was tried with, else the default. A
// guest's card, and one that was taken off, is charged by nobody.
func cardAmong(methods map[string]billing.Method, v visitor, open []billing.Invoice) *billing.Method {
	if len(open) > 0 && open[0].MethodID != "" && !open[0].MethodIsGuests {
		m, known := methods[open[0].MethodID]
		switch {
		case !known:
			return nil
		case m.RemovedAt == 0:
			return &m
		}
	}
	m, known := methods[v.DefaultMethod]
	if !known {
		return nil
	}
	return &m
}

// goesOn reports whether the case is open and does not rest.
func (st standing) goesOn() bool { return st.c.Status == dunning.Open && st.c.RestingSince == 0 }

func (st standing) writtenOff() []billing.Invoice {
	var all []billing.Invoice
	for _, i := range st.closed {
		if i.WrittenOff() && i.AmountRemaining > 0 {
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

// savesOnly reports whether a card may be kept although nothing is charged to it now: the next renewal would fail.
func (st standing) savesOnly() bool { return st.ahead != nil && len(st.open) == 0 }

func (s *Server) cardOf(st standing) *views.CardOnFile {
	if st.card == nil {
		return nil
	}
	return &views.CardOnFile{Method: *st.card, Expired: st.card.Expired(s.Now().Unix())}
}
