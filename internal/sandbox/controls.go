package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// FailRenewal lets the customer's subscription renew now: its period begins anew, its invoice is finalized and its
// charge fails. Every attempt on that invoice with the method on file at this moment declines with declineCode; with
// "authentication_required" the bank asks to confirm instead. Other invoices and renewals are as they would be. It
// refuses an unknown customer, one without a subscription that is charged automatically, and an unknown code.
func (s *Server) FailRenewal(customerID, declineCode string) (invoiceID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(declineCodes, declineCode) {
		return "", fmt.Errorf("fail a renewal: %q is no decline code", declineCode)
	}
	sub, err := s.renewable(customerID)
	if err != nil {
		return "", fmt.Errorf("fail a renewal: %w", err)
	}
	op := s.operationAt(s.timeOf(s.clockOf(customerID)), requestOrigin{})
	defer s.wake()
	defer op.flush()
	op.touch(sub.ID)
	sub.Anchor = op.at
	inv := s.renew(op, sub, op.at, "subscription_cycle")
	op.flush()
	inv.AutoAdvance = true
	s.finalize(op, inv)
	op.flush()
	onFile := s.methodOnFile(inv)
	if onFile != nil {
		s.memory.Forced[inv.ID] = forcedDecline{Method: onFile.ID, Code: declineCode}
	}
	if inv.Status == "open" {
		s.collect(op, inv)
	}
	return inv.ID, nil
}

// Pay pays an open invoice as if somewhere outside the portal: with a good card typed at Stripe, or, outOfBand, by
// money that Stripe never sees. It refuses an unknown invoice and one that cannot be paid.
func (s *Server) Pay(invoiceID string, outOfBand bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	inv, ok := s.memory.Invoices.get(invoiceID)
	if !ok {
		return fmt.Errorf("pay: no invoice %q", invoiceID)
	}
	refused := s.payable(inv)
	if refused != nil {
		return fmt.Errorf("pay %s: %s", inv.ID, refused.Message)
	}
	op := s.operationAt(s.timeOf(s.clockOf(inv.Customer)), requestOrigin{})
	defer s.wake()
	defer op.flush()
	if inv.Status == "draft" {
		s.finalize(op, inv)
		op.flush()
	}
	if inv.Status == "paid" {
		return nil
	}
	if outOfBand {
		s.settleOutOfBand(op, inv)
		return nil
	}
	pi, ok := s.memory.Intents.get(inv.Intent)
	if !ok {
		return fmt.Errorf("pay %s: it has no PaymentIntent", inv.ID)
	}
	card, refused := s.methodForUse(op, "pm_card_visa", "")
	if refused != nil {
		return fmt.Errorf("pay %s: %w", inv.ID, refused)
	}
	s.try(op, pi, card, attempt{InPerson: true})
	return nil
}

// PayPart takes a part of an open invoice, as newer versions of Stripe allow with several payments for one invoice. In
// the shape of this version only amount_paid and amount_remaining tell of it. It refuses an unknown invoice, one that
// is not open, and an amount that is not a part.
func (s *Server) PayPart(invoiceID string, amount int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	inv, ok := s.memory.Invoices.get(invoiceID)
	if !ok || inv.Status != "open" {
		return fmt.Errorf("pay a part: no open invoice %q", invoiceID)
	}
	if amount < 1 || amount >= inv.remaining() {
		return fmt.Errorf("pay a part of %s: %d is no part of %d", inv.ID, amount, inv.remaining())
	}
	op := s.operationAt(s.timeOf(s.clockOf(inv.Customer)), requestOrigin{})
	defer s.wake()
	defer op.flush()
	op.touch(inv.ID)
	inv.AmountPaid += amount
	s.followDue(op, inv)
	return nil
}

// ExpireCard lets the bank refuse a kept card for its date at every charge of an invoice from now on, until RenewCard.
// It refuses an unknown or detached method and one that is no card.
func (s *Server) ExpireCard(methodID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.memory.Methods.get(methodID)
	if !ok || m.Customer == "" || m.Type != "card" {
		return fmt.Errorf("expire a card: %q is no customer's card", methodID)
	}
	s.memory.Forced[m.ID] = forcedDecline{Method: m.ID, Code: "expired_card"}
	return nil
}

// RenewCard gives a kept card a new date, as its network does when the bank issued a new one. From then on the bank
// takes it again where it had declined the old date. It refuses an unknown or detached method and one that is no card.
func (s *Server) RenewCard(methodID string, month, year int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.memory.Methods.get(methodID)
	if !ok || m.Customer == "" || m.Type != "card" {
		return fmt.Errorf("renew a card: %q is no customer's card", methodID)
	}
	op := s.operationAt(s.timeOf(s.clockOf(m.Customer)), requestOrigin{})
	defer s.wake()
	defer op.flush()
	m.ExpMonth, m.ExpYear = month, year
	for of, forced := range s.memory.Forced {
		if forced.Method == m.ID && forced.Code == "expired_card" {
			delete(s.memory.Forced, of)
		}
	}
	op.emit("payment_method.automatically_updated", m.ID)
	return nil
}

// OpenInvoices answers the ids of the customer's invoices on which something remains to be paid, in the order they were
// made.
func (s *Server) OpenInvoices(customerID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var open []string
	s.memory.Invoices.each(func(id string, inv *invoice) {
		if inv.Customer == customerID && inv.Status == "open" && inv.remaining() > 0 {
			open = append(open, id)
		}
	})
	return open
}

const (
	outageTimeout = "timeout"
	outageLost    = "lost"
)

// outage makes the next Count calls of the API fail.
type outage struct {
	// Status is an HTTP status, "timeout" (no answer ever) or "lost" (done, but the answer does not arrive).
	Status string
	Count  int64
}

// strike takes one call of an outage; the zero outage means that the call is spared.
func (s *Server) strike() outage {
	if s.outage.Count <= 0 {
		return outage{}
	}
	s.outage.Count--
	return s.outage
}

// before reports whether the call fails before anything is done.
func (o outage) before() bool { return o.Status != "" && o.Status != outageLost }

func (o outage) refusal() *apiError {
	if o.Status == "429" {
		return &apiError{Status: http.StatusTooManyRequests, Type: "invalid_request_error", Code: "rate_limit", Message: "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits."}
	}
	status := http.StatusInternalServerError
	if o.Status == "503" {
		status = http.StatusServiceUnavailable
	}
	return &apiError{Status: status, Type: "api_error", Message: "Sorry! There was an error while talking to Stripe. Please let us know at https://support.stripe.com/."}
}

// mountControls adds what only a sandbox has. They take an API key like the API.
func (s *Server) mountControls(mux *http.ServeMux) {
	mux.HandleFunc("POST /sandbox/fail", s.control(func(p *params) (object, error) {
		id, err := s.FailRenewal(p.text("customer"), p.or("decline_code", "generic_decline"))
		return object{"invoice": id}, err
	}))
	mux.HandleFunc("POST /sandbox/renew", s.control(func(p *params) (object, error) {
		id, err := s.Renew(p.text("customer"))
		return object{"invoice": id}, err
	}))
	mux.HandleFunc("POST /sandbox/pay", s.control(func(p *params) (object, error) {
		out := strings.ToLower(p.text("out_of_band"))
		err := s.Pay(p.text("invoice"), out == "1" || out == "true")
		return object{"invoice": p.text("invoice")}, err
	}))
	mux.HandleFunc("POST /sandbox/delivery", s.control(func(p *params) (object, error) {
		mode := DeliveryMode{
			Late: int(p.number("late", 0)), Doubled: int(p.number("double", 0)),
			Shuffled: int(p.number("shuffle", 0)), Dropped: int(p.number("drop", 0)),
		}
		s.SetDelivery(mode)
		return object{"late": mode.Late, "double": mode.Doubled, "shuffle": mode.Shuffled, "drop": mode.Dropped}, nil
	}))
	mux.HandleFunc("POST /sandbox/disputes", s.control(s.disputeOnRequest))
	mux.HandleFunc("POST /sandbox/part_payment", s.control(func(p *params) (object, error) {
		err := s.PayPart(p.text("invoice"), p.number("amount", 0))
		return object{"invoice": p.text("invoice"), "amount": p.number("amount", 0)}, err
	}))
	mux.HandleFunc("POST /sandbox/card_update", s.control(func(p *params) (object, error) {
		err := s.RenewCard(p.text("payment_method"), p.number("exp_month", 12), p.number("exp_year", int64(s.now().Year()+4)))
		return object{"payment_method": p.text("payment_method")}, err
	}))
	mux.HandleFunc("POST /sandbox/outage", s.control(func(p *params) (object, error) {
		asked := outage{Status: p.or("status", "500"), Count: p.number("count", 1)}
		if !slices.Contains([]string{"500", "503", "429", outageTimeout, outageLost}, asked.Status) {
			return nil, errors.New("status is one of 500, 503, 429, timeout, lost")
		}
		s.mu.Lock()
		s.outage = asked
		s.mu.Unlock()
		return object{"status": asked.Status, "count": asked.Count}, nil
	}))
}

func (s *Server) disputeOnRequest(p *params) (object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.memory.Charges.get(p.text("charge"))
	if !ok || c.Status != "succeeded" || c.Disputed {
		return nil, errors.New("charge must name a paid charge that is not disputed yet")
	}
	op := s.operationAt(s.timeOf(s.clockOf(c.Customer)), requestOrigin{})
	made := s.openDispute(op, c, p.or("reason", "fraudulent"))
	op.flush()
	s.wake()
	return s.drawDispute(made), nil
}

func (s *Server) control(run func(p *params) (object, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given := answer{status: http.StatusOK}
		_, refused := authenticate(r, call{})
		var form *field
		if refused == nil {
			form, _, refused = readForm(r)
		}
		if refused == nil {
			result, err := run(&params{form: form})
			given.body = encode(result)
			if err != nil {
				refused = invalidRequest("", "", err.Error())
			}
		}
		if refused != nil {
			given = refusal(refused, "req_sandbox", nil)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(given.status)
		_, err := w.Write(given.body)
		if err != nil {
			s.log.Debug("a caller of the sandbox went away")
		}
	}
}

// Renew lets the customer's subscription renew now, as its calendar would: its invoice is finalized, and charged unless
// collection is paused. It refuses an unknown customer and one without a subscription that is charged automatically.
func (s *Server) Renew(customerID string) (invoiceID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, err := s.renewable(customerID)
	if err != nil {
		return "", fmt.Errorf("renew: %w", err)
	}
	op := s.operationAt(s.timeOf(s.clockOf(customerID)), requestOrigin{})
	defer s.wake()
	defer op.flush()
	op.touch(sub.ID)
	sub.Anchor = op.at
	inv := s.renew(op, sub, op.at, "subscription_cycle")
	op.flush()
	if inv.AutoAdvance {
		s.advanceDraft(op, inv)
	}
	return inv.ID, nil
}

// renewable is the customer's subscription that renews and is charged automatically.
func (s *Server) renewable(customerID string) (*subscription, error) {
	owner, refused := s.customerByID(customerID, "")
	if refused != nil {
		return nil, fmt.Errorf("no customer %q", customerID)
	}
	var sub *subscription
	s.memory.Subs.each(func(_ string, candidate *subscription) {
		live := candidate.Status == "active" || candidate.Status == "past_due" || candidate.Status == "trialing" || candidate.Status == "unpaid"
		if sub == nil && candidate.Customer == owner.ID && live && candidate.CollectionMethod == "charge_automatically" {
			sub = candidate
		}
	})
	if sub == nil {
		return nil, fmt.Errorf("customer %s has no subscription that is charged automatically", owner.ID)
	}
	return sub, nil
}
