package sandbox

import "time"

// dueThing is one thing that time asks for.
type dueThing struct {
	at int64
	do func(op *operation)
}

// nextDueOn finds the earliest thing due by one clock ("" is the base clock). Of two at the same instant the one
// that concerns the older object comes first.
func (s *Server) nextDueOn(clock string) (dueThing, bool) {
	var best dueThing
	found := false
	consider := func(at int64, do func(op *operation)) {
		if at > 0 && (!found || at < best.at) {
			best, found = dueThing{at: at, do: do}, true
		}
	}
	m := &s.memory
	m.Intents.each(func(_ string, pi *intent) {
		if pi.SettlesAt > 0 && s.clockOf(pi.Customer) == clock {
			consider(pi.SettlesAt, func(op *operation) { s.settleDebit(op, pi) })
		}
	})
	m.Invoices.each(func(_ string, inv *invoice) {
		if s.clockOf(inv.Customer) != clock {
			return
		}
		switch {
		case inv.Status == "draft" && inv.FinalizesAt > 0:
			consider(inv.FinalizesAt, func(op *operation) { s.advanceDraft(op, inv) })
		case inv.Status == "open" && inv.NextAttempt > 0 && inv.CollectionMethod == "charge_automatically":
			consider(inv.NextAttempt, func(op *operation) { s.collect(op, inv) })
		case inv.Status == "open" && inv.DueDate > 0 && !inv.Overdue:
			consider(inv.DueDate+1, func(op *operation) { s.noticeOverdue(op, inv) })
		}
	})
	m.Subs.each(func(_ string, sub *subscription) {
		if s.clockOf(sub.Customer) != clock || sub.ended() {
			return
		}
		if sub.Status == "incomplete" {
			consider(sub.ExpiresAt, func(op *operation) { s.expire(op, sub) })
			return
		}
		if sub.Pause != nil {
			consider(sub.Pause.ResumesAt, func(op *operation) {
				op.touch(sub.ID)
				sub.Pause = nil
			})
		}
		if sub.CancelAt > 0 && sub.CancelAt <= sub.PeriodEnd {
			consider(sub.CancelAt, func(op *operation) { s.endSubscription(op, sub, "cancellation_requested") })
		}
		if sub.Status != "paused" {
			consider(sub.PeriodEnd, func(op *operation) { s.periodOver(op, sub) })
		}
	})
	return best, found
}

// NextDue is the earliest instant at which something is due by the base clock: a renewal, a draft to finalize, a
// retry, a bank debit that ends, a due date. False means that nothing is.
func (s *Server) NextDue() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, ok := s.nextDueOn("")
	return time.Unix(next.at, 0), ok
}

// RunDue does everything due by the base clock at or before now, in the order of time, each thing at its own instant.
func (s *Server) RunDue(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDueOn("", now.Unix())
}

func (s *Server) runDueOn(clock string, until int64) {
	for {
		next, ok := s.nextDueOn(clock)
		if !ok || next.at > until {
			return
		}
		op := s.operationAt(next.at, requestOrigin{})
		next.do(op)
		op.flush()
		s.wake()
	}
}

// periodOver ends a billing period: a trial's end, a cancellation, or a renewal whose invoice begins as a draft.
func (s *Server) periodOver(op *operation, sub *subscription) {
	if sub.CancelAtPeriodEnd {
		s.endSubscription(op, sub, "cancellation_requested")
		return
	}
	if sub.Status == "trialing" && sub.CollectionMethod == "charge_automatically" && s.methodOnFile(&invoice{Customer: sub.Customer, Subscription: sub.ID}) == nil {
		switch sub.TrialMissing {
		case "cancel":
			s.endSubscription(op, sub, "payment_failed")
			return
		case "pause":
			op.touch(sub.ID)
			sub.Status = "paused"
			op.emit("customer.subscription.paused", sub.ID)
			return
		}
	}
	s.renew(op, sub, sub.PeriodEnd, "subscription_cycle")
}

// renew moves the period on and drafts its invoice.
func (s *Server) renew(op *operation, sub *subscription, start int64, reason string) *invoice {
	lead, _ := s.memory.Prices.get(sub.Items[0].Price)
	was := invoice{PeriodStart: sub.PeriodStart, PeriodEnd: start}
	op.touch(sub.ID)
	sub.PeriodStart = start
	sub.PeriodEnd = periodEnd(sub.Anchor, start, lead.Interval, lead.IntervalCount)
	if sub.Status == "trialing" {
		sub.Status = "active"
		if sub.TrialEnd > op.at {
			sub.TrialEnd = op.at
		}
	}
	draft := invoice{
		Customer: sub.Customer, Subscription: sub.ID, Currency: sub.Currency, BillingReason: reason,
		CollectionMethod: sub.CollectionMethod, PeriodStart: was.PeriodStart, PeriodEnd: was.PeriodEnd,
		AutoAdvance: sub.Status != "unpaid", MethodTypes: sub.MethodTypes, SubscriptionMetadata: sub.Metadata,
		Lines: s.cycleLines(sub, sub.PeriodStart, sub.PeriodEnd),
	}
	if sub.Pause != nil && sub.Pause.Behavior == "keep_as_draft" {
		draft.AutoAdvance = false
	}
	draft.Lines = append(s.takePending(op, sub.Customer, sub.ID, sub.Currency, false), draft.Lines...)
	if sub.CollectionMethod == "send_invoice" {
		draft.DueDate = op.at + sub.DaysUntilDue*day
	}
	inv := s.newInvoice(op, draft)
	s.claimItems(inv)
	sub.LatestInvoice = inv.ID
	return inv
}

// advanceDraft finalizes a draft whose time has come and makes the first attempt.
func (s *Server) advanceDraft(op *operation, inv *invoice) {
	owner, ok := s.memory.Customers.get(inv.Customer)
	if !ok || owner.Deleted {
		inv.FinalizesAt, inv.NextAttempt, inv.AutoAdvance = 0, 0, false
		return
	}
	s.finalize(op, inv)
	op.flush()
	if inv.Status != "open" {
		return
	}
	sub, ok := s.memory.Subs.get(inv.Subscription)
	if ok && sub.Pause != nil {
		switch sub.Pause.Behavior {
		case "void":
			s.void(op, inv)
			return
		case "mark_uncollectible":
			s.giveUp(op, inv)
			return
		}
	}
	if inv.CollectionMethod == "charge_automatically" {
		s.collect(op, inv)
	}
}

// noticeOverdue makes a subscription past due when its customer has not paid an invoice sent to them in time.
func (s *Server) noticeOverdue(op *operation, inv *invoice) {
	inv.Overdue = true
	sub, ok := s.memory.Subs.get(inv.Subscription)
	if ok && sub.Status == "active" {
		op.touch(sub.ID)
		sub.Status = "past_due"
	}
}

// expire gives up a subscription whose first payment did not come.
func (s *Server) expire(op *operation, sub *subscription) {
	op.touch(sub.ID)
	sub.Status, sub.EndedAt, sub.ExpiresAt = "incomplete_expired", op.at, 0
	inv, ok := s.memory.Invoices.get(sub.LatestInvoice)
	if ok && inv.Status == "open" {
		s.void(op, inv)
	}
}

// tick does due work by the real timer until Close. It looks again at least once a second, because the base clock may
// be moved by whoever holds it.
func (s *Server) tick() {
	defer s.loops.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-s.closed:
			return
		case <-timer.C:
		}
		now := s.now()
		s.RunDue(now)
		wait := time.Second
		next, ok := s.NextDue()
		if ok {
			wait = min(wait, max(next.Sub(now), 10*time.Millisecond))
		}
		timer.Reset(wait)
	}
}
