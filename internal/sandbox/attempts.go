package sandbox

import "fmt"

// debitDays is how long a bank debit takes here; SEPA's published expectation is about five business days.
const debitDays = 5

type verdictKind int

const (
	paidNow verdictKind = iota
	underWayAtBank
	needsConfirmation
	refusedByBank
)

// verdict is what came of one attempt to charge.
type verdict struct {
	kind    verdictKind
	decline decline
	dispute string
}

// attempt is how a charge is tried. InPerson means that the customer is there (off_session=false), Confirmed that
// their bank has heard a yes, Automatic that the retry schedule does it.
type attempt struct {
	InPerson, Confirmed, Automatic bool
}

// verdictOn asks the make-believe bank; it changes nothing.
func (s *Server) verdictOn(pi *intent, m *method, how attempt) verdict {
	forced, ok := s.memory.Forced[pi.Invoice]
	if !ok {
		forced, ok = s.memory.Forced[m.ID]
	}
	over := forced.Until > 0 && s.timeOf(s.clockOf(pi.Customer)) >= forced.Until
	if ok && pi.Invoice != "" && forced.Method == m.ID && !over {
		switch {
		case forced.Code != "authentication_required":
			return verdict{kind: refusedByBank, decline: declineFor(forced.Code)}
		case !how.Confirmed:
			return verdict{kind: needsConfirmation}
		}
		return verdict{kind: paidNow}
	}
	if m.Type != "card" {
		return verdict{kind: underWayAtBank}
	}
	card, _ := cardByNumber(m.Number)
	if card.asks(m, how.InPerson) && !how.Confirmed {
		if pi.Invoice == "" && !how.InPerson {
			return verdict{kind: refusedByBank, decline: declineFor("authentication_required")}
		}
		return verdict{kind: needsConfirmation}
	}
	if card.Declines != "" {
		return verdict{kind: refusedByBank, decline: declineFor(card.Declines)}
	}
	return verdict{kind: paidNow, dispute: card.Dispute}
}

// try charges a PaymentIntent with a method and carries what follows into its invoice and subscription.
func (s *Server) try(op *operation, pi *intent, m *method, how attempt) verdict {
	result := s.verdictOn(pi, m, how)
	pi.Method, pi.Action = m.ID, nil
	switch result.kind {
	case paidNow:
		made := s.newCharge(op, pi, m, how, "succeeded", decline{})
		s.succeed(op, pi, m, made, how)
		if result.dispute != "" {
			op.flush()
			s.openDispute(op, made, result.dispute)
		}
	case underWayAtBank:
		s.newCharge(op, pi, m, how, "pending", decline{})
		pi.Status, pi.LastError, pi.SettlesAt = "processing", nil, op.at+debitDays*day
		account, _ := accountByNumber(m.Number)
		if account.Stays {
			pi.SettlesAt = 0
		}
		op.emit("payment_intent.processing", pi.ID)
		s.keepMethod(op, pi, m)
		s.onInvoice(pi, func(inv *invoice) { s.markAttempted(op, inv, how) })
	case needsConfirmation:
		pi.Status, pi.LastError = "requires_action", nil
		pi.Action = &authentication{ID: s.longID("src_"), ReturnURL: pi.ReturnURL}
		op.emit("payment_intent.requires_action", pi.ID)
		s.onInvoice(pi, func(inv *invoice) {
			if !how.InPerson || inv.AttemptCount == 0 {
				s.failInvoice(op, inv, how, "authentication_required", true)
			}
		})
	case refusedByBank:
		made := s.newCharge(op, pi, m, how, "failed", result.decline)
		s.decline(op, pi, m, made.ID, result.decline)
		s.onInvoice(pi, func(inv *invoice) { s.failInvoice(op, inv, how, result.decline.DeclineCode, false) })
	}
	return result
}

func (s *Server) onInvoice(pi *intent, change func(*invoice)) {
	inv, ok := s.memory.Invoices.get(pi.Invoice)
	if ok {
		change(inv)
	}
}

// succeed ends a PaymentIntent well; an invoice behind it is paid.
func (s *Server) succeed(op *operation, pi *intent, m *method, made *charge, how attempt) {
	pi.Status, pi.Received, pi.LastError, pi.Action, pi.SettlesAt = "succeeded", pi.Amount, nil, nil, 0
	op.emit("payment_intent.succeeded", pi.ID)
	s.keepMethod(op, pi, m)
	s.onInvoice(pi, func(inv *invoice) { s.settle(op, inv, made, m, how) })
}

// decline sends a PaymentIntent back to where it needs another method.
func (s *Server) decline(op *operation, pi *intent, m *method, chargeID string, why decline) {
	kind := "card_error"
	if m.Type != "card" {
		kind = "invalid_request_error"
	}
	pi.LastError = &failure{
		Type: kind, Code: why.Code, DeclineCode: why.DeclineCode, Message: why.Message,
		Charge: chargeID, Method: m.ID, MethodShot: s.drawMethod(m),
	}
	pi.Status, pi.Method, pi.Action, pi.SettlesAt = "requires_payment_method", "", nil, 0
	op.emit("payment_intent.payment_failed", pi.ID)
}

// keepMethod attaches a method that was paid with when the payment was made to keep it.
func (s *Server) keepMethod(op *operation, pi *intent, m *method) {
	if pi.FutureUsage == "" || pi.Customer == "" {
		return
	}
	owner, ok := s.memory.Customers.get(pi.Customer)
	if !ok || owner.Deleted {
		return
	}
	if pi.FutureUsage == "off_session" {
		m.SetUp = true
	}
	s.attach(op, m, owner)
}

// settleDebit ends a bank debit that was under way.
func (s *Server) settleDebit(op *operation, pi *intent) {
	m, ok := s.memory.Methods.get(pi.Method)
	made, okCharge := s.memory.Charges.get(pi.LatestCharge)
	pi.SettlesAt = 0
	if !ok || !okCharge {
		return
	}
	account, _ := accountByNumber(m.Number)
	if account.Fails == "" {
		made.Status, made.Transaction = "succeeded", s.newTransaction(op, "charge", made.ID, made.Amount, made.Currency)
		op.emit("charge.succeeded", made.ID)
		s.succeed(op, pi, m, made, attempt{})
		if account.Dispute != "" {
			op.flush()
			s.openDispute(op, made, account.Dispute)
		}
		return
	}
	why := debitFailure(account.Fails)
	made.Status, made.FailureCode, made.FailureMessage = "failed", why.Code, why.Message
	made.NetworkStatus, made.OutcomeType, made.Reason, made.Seller = why.NetworkStatus, why.Type, why.Reason, why.Seller
	op.emit("charge.failed", made.ID)
	s.decline(op, pi, m, made.ID, why)
	s.onInvoice(pi, func(inv *invoice) { s.failInvoice(op, inv, attempt{}, account.Fails, false) })
}

// completeAuthentication takes the answer a customer gave their bank. approved charges or keeps the card; otherwise
// the intent needs a method again. It refuses an unknown intent, a secret that is not its own, and an intent whose
// bank was not asked anything.
func (s *Server) completeAuthentication(intentID, clientSecret string, approved bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := s.operationAt(s.now().Unix(), requestOrigin{})
	defer s.wake()
	defer op.flush()
	kept, ok := s.memory.Setups.get(intentID)
	if ok {
		return s.answerSetup(op, kept, clientSecret, approved)
	}
	pi, ok := s.memory.Intents.get(intentID)
	if !ok || !sameSecret(pi.Secret, clientSecret) {
		return fmt.Errorf("answer for %s: no such intent, or not its secret", intentID)
	}
	m, known := s.memory.Methods.get(pi.Method)
	if pi.Status != "requires_action" || !known {
		return fmt.Errorf("answer for %s: nothing was asked, it is %s", intentID, pi.Status)
	}
	op.follow(s.clockOf(pi.Customer))
	if approved {
		s.try(op, pi, m, attempt{InPerson: true, Confirmed: true})
		return nil
	}
	pi.LastError = &failure{
		Type: "invalid_request_error", Code: "payment_intent_authentication_failure", Method: m.ID, MethodShot: s.drawMethod(m),
		Message: "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
	}
	pi.Status, pi.Method, pi.Action = "requires_payment_method", "", nil
	op.emit("payment_intent.payment_failed", pi.ID)
	s.onInvoice(pi, func(inv *invoice) {
		s.failInvoice(op, inv, attempt{InPerson: true}, "authentication_required", false)
	})
	return nil
}
