package sandbox

import "net/http"

// payInvoice is POST /v1/invoices/{invoice}/pay.
func (s *Server) payInvoice(op *operation, p *params) (object, error) {
	inv, refused := s.invoiceByID(p)
	if refused != nil {
		return nil, refused
	}
	refused = p.notSimulated("source", "mandate", "forgive")
	if refused != nil {
		return nil, refused
	}
	op.follow(s.clockOf(inv.Customer))
	refused = s.payable(inv)
	if refused != nil {
		return nil, refused
	}
	named := p.text("payment_method")
	if named != "" {
		refused := s.owned(inv.Customer, named, "payment_method")
		if refused != nil {
			return nil, refused
		}
	}
	if inv.Status == "draft" {
		s.finalize(op, inv)
		op.flush()
		if inv.Status == "paid" {
			return s.drawInvoice(inv), nil
		}
	}
	if p.truth("paid_out_of_band", false) {
		s.settleOutOfBand(op, inv)
		return s.drawInvoice(inv), nil
	}
	m := s.methodOnFile(inv)
	if named != "" {
		m, _ = s.memory.Methods.get(named)
	}
	if m == nil {
		return nil, invalidRequest("", "resource_missing", "There is no `default_payment_method` set on this Customer or Invoice. Please set one to pay this Invoice.")
	}
	pi, _ := s.memory.Intents.get(inv.Intent)
	refused = usable(m, inv.Customer, pi.Types, "PaymentIntent")
	if refused != nil {
		return nil, refused
	}
	result := s.try(op, pi, m, attempt{InPerson: !p.truth("off_session", true)})
	switch result.kind {
	case refusedByBank:
		failed := result.decline.apiError()
		failed.Charge, failed.PaymentIntent, failed.PaymentMethod = pi.LatestCharge, s.drawIntent(pi), s.drawMethod(m)
		return nil, failed
	case needsConfirmation:
		return nil, &apiError{
			Status: http.StatusPaymentRequired, Type: "card_error", Code: "invoice_payment_intent_requires_action",
			Message:       "This payment requires additional user action before it can be completed successfully. Payment can be completed using the PaymentIntent associated with the invoice. For more details see: https://stripe.com/docs/billing/subscriptions/overview#requires-action",
			PaymentIntent: s.drawIntent(pi), PaymentMethod: s.drawMethod(m),
		}
	}
	return s.drawInvoice(inv), nil
}

// payable refuses an invoice that cannot be paid now.
func (s *Server) payable(inv *invoice) *apiError {
	switch {
	case inv.Status == "paid":
		return invalidRequest("", "invoice_already_paid", "Invoice is already paid")
	case inv.Status == "void":
		return invalidRequest("", "status_transition_invalid", "Invoice is void and cannot be paid")
	case s.debitUnderWay(inv):
		pi, _ := s.memory.Intents.get(inv.Intent)
		return s.unexpectedState(pi, "This invoice's payment is processing and cannot be attempted again until it has ended.")
	}
	return nil
}

func (s *Server) debitUnderWay(inv *invoice) bool {
	pi, ok := s.memory.Intents.get(inv.Intent)
	return ok && pi.Status == "processing"
}

// collect is an attempt of the schedule, with the method on file.
func (s *Server) collect(op *operation, inv *invoice) {
	pi, ok := s.memory.Intents.get(inv.Intent)
	if !ok || inv.Status != "open" || pi.Status == "processing" {
		op.touch(inv.ID)
		inv.NextAttempt = 0
		return
	}
	m := s.methodOnFile(inv)
	if m == nil || usable(m, inv.Customer, pi.Types, "PaymentIntent") != nil {
		pi.Status, pi.Method = "requires_payment_method", ""
		s.failInvoice(op, inv, attempt{Automatic: true}, noMethod, false)
		return
	}
	s.try(op, pi, m, attempt{Automatic: true})
}

// noMethod stands for a decline code where nothing could even be tried.
const noMethod = "no_payment_method"

// markAttempted counts an attempt: any first one, and after it only those of the schedule.
func (s *Server) markAttempted(op *operation, inv *invoice, how attempt) (counted bool) {
	op.touch(inv.ID)
	inv.Attempted = true
	if how.Automatic || inv.AttemptCount == 0 {
		inv.AttemptCount++
		inv.NextAttempt = 0
		return true
	}
	return false
}

// failInvoice tells of a failed attempt. The schedule moves only with its own attempts and the first one.
func (s *Server) failInvoice(op *operation, inv *invoice, how attempt, code string, action bool) {
	if inv.Status != "open" && inv.Status != "uncollectible" {
		return
	}
	counted := s.markAttempted(op, inv, how)
	inv.Charge = s.latestCharge(inv)
	sub, hasSub := s.memory.Subs.get(inv.Subscription)
	first := hasSub && sub.Status == "incomplete"
	last := false
	if counted && inv.AutoAdvance && inv.CollectionMethod == "charge_automatically" && !first {
		tries := int(inv.AttemptCount)
		switch {
		case code == noMethod || !retriable(code):
		case tries <= len(retryDays):
			inv.NextAttempt = op.at + retryDays[tries-1]*day
		default:
			last = true
		}
	}
	op.emit("invoice.payment_failed", inv.ID)
	if action {
		op.emit("invoice.payment_action_required", inv.ID)
	}
	if inv.CollectionMethod != "charge_automatically" {
		return
	}
	owner, ok := s.memory.Customers.get(inv.Customer)
	if ok && !owner.Deleted && !owner.Delinquent {
		op.touch(owner.ID)
		owner.Delinquent = true
	}
	if !hasSub || sub.ended() || first {
		return
	}
	op.touch(sub.ID)
	if sub.Status == "active" || sub.Status == "trialing" {
		sub.Status = "past_due"
	}
	if !last {
		return
	}
	switch s.afterRetry {
	case "unpaid":
		sub.Status = "unpaid"
	case "canceled":
		s.endSubscription(op, sub, "payment_failed")
	}
}

func (s *Server) latestCharge(inv *invoice) string {
	pi, ok := s.memory.Intents.get(inv.Intent)
	if !ok {
		return ""
	}
	return pi.LatestCharge
}

// settle marks an invoice as paid by a charge.
func (s *Server) settle(op *operation, inv *invoice, made *charge, m *method, how attempt) {
	if inv.Status == "paid" || inv.Status == "void" {
		return
	}
	s.markAttempted(op, inv, how)
	inv.Status, inv.PaidAt, inv.NextAttempt, inv.Charge = "paid", op.at, 0, made.ID
	inv.AmountPaid += made.Amount
	op.emit("invoice.paid", inv.ID)
	op.emit("invoice.payment_succeeded", inv.ID)
	delete(s.memory.Forced, inv.ID)
	sub, ok := s.memory.Subs.get(inv.Subscription)
	if ok && sub.SaveDefault == "on_subscription" && !sub.ended() && s.stillOwned(sub.Customer, m.ID) != "" {
		op.touch(sub.ID)
		sub.DefaultMethod = m.ID
	}
	s.closeInvoice(op, inv)
}

// settleOutOfBand marks an invoice as paid outside Stripe: no charge, and amount_paid stays as it was.
func (s *Server) settleOutOfBand(op *operation, inv *invoice) {
	op.touch(inv.ID)
	inv.Status, inv.PaidAt, inv.NextAttempt, inv.PaidOutOfBand = "paid", op.at, 0, true
	pi, ok := s.memory.Intents.get(inv.Intent)
	if ok {
		s.dropIntent(op, pi, "automatic")
	}
	op.emit("invoice.paid", inv.ID)
	op.emit("invoice.payment_succeeded", inv.ID)
	s.closeInvoice(op, inv)
}

// closeInvoice looks at what an invoice no longer open means for its subscription and customer.
func (s *Server) closeInvoice(op *operation, inv *invoice) {
	owner, ok := s.memory.Customers.get(inv.Customer)
	if ok && owner.Delinquent && !owner.Deleted && !s.owes(owner.ID) {
		op.touch(owner.ID)
		owner.Delinquent = false
	}
	sub, ok := s.memory.Subs.get(inv.Subscription)
	if !ok || sub.ended() {
		return
	}
	if sub.Status == "incomplete" && inv.BillingReason == "subscription_create" {
		if inv.Status == "paid" {
			op.touch(sub.ID)
			sub.Status, sub.ExpiresAt = sub.liveStatus(op.at), 0
		}
		return
	}
	if sub.Status != "past_due" && sub.Status != "unpaid" {
		return
	}
	latest := s.latestFinalized(sub.ID)
	if latest == nil || latest.Status == "open" {
		return
	}
	op.touch(sub.ID)
	sub.Status = sub.liveStatus(op.at)
}

func (s *Server) owes(customerID string) bool {
	owed := false
	s.memory.Invoices.each(func(_ string, inv *invoice) {
		owed = owed || inv.Customer == customerID && inv.Status == "open" && inv.Attempted
	})
	return owed
}

// latestFinalized is the invoice that decides whether a subscription is past due.
func (s *Server) latestFinalized(subID string) *invoice {
	var latest *invoice
	s.memory.Invoices.each(func(_ string, inv *invoice) {
		if inv.Subscription == subID && inv.Status != "draft" {
			latest = inv
		}
	})
	return latest
}
