package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// newMethod stores a payment method that belongs to nobody yet.
func (s *Server) newMethod(op *operation, m method) *method {
	m.ID = s.longID("pm_")
	m.Created = op.at
	if m.Metadata == nil {
		m.Metadata = map[string]string{}
	}
	sum := sha256.Sum256([]byte(s.memory.Seed + m.Number))
	m.Fingerprint = hex.EncodeToString(sum[:8])
	return s.memory.Methods.add(m.ID, &m)
}

// methodForUse finds a payment method by its id; the published ids such as pm_card_visa make a new one each time.
func (s *Server) methodForUse(op *operation, id, param string) (*method, *apiError) {
	found, ok := s.memory.Methods.get(id)
	if ok {
		return found, nil
	}
	card, ok := cardByName(id)
	if ok {
		return s.newMethod(op, method{Type: "card", Number: card.Number, ExpMonth: 12, ExpYear: s.farYear(op), CVC: "123"}), nil
	}
	account, ok := accountByName(id)
	if ok {
		return s.newMethod(op, method{
			Type: account.Type, Number: account.Number, HolderType: "individual", AccountType: "checking",
			Billing: billingDetails{Name: "Jenny Rosen", Email: "jenny@example.com"},
		}), nil
	}
	return nil, missingIn(param, "PaymentMethod", id)
}

// owned refuses a payment method that is not the customer's.
func (s *Server) owned(customerID, id, param string) *apiError {
	found, ok := s.memory.Methods.get(id)
	if ok && found.Customer == customerID {
		return nil
	}
	return invalidRequest(param, "resource_missing", "The customer does not have a payment method with the ID "+id+". The payment method must be attached to the customer.")
}

func (s *Server) createMethod(op *operation, p *params) (object, error) {
	m, refused := s.readMethod(op, p)
	if refused != nil {
		return nil, refused
	}
	return s.drawMethod(m), nil
}

func (s *Server) methodByID(op *operation, id string) (*method, *apiError) {
	found, refused := s.methodForUse(op, id, "")
	if refused != nil {
		return nil, missing("PaymentMethod", id, "payment_method")
	}
	return found, nil
}

func (s *Server) getMethod(op *operation, p *params) (object, error) {
	found, refused := s.methodByID(op, p.path["payment_method"])
	if refused != nil {
		return nil, refused
	}
	return s.drawMethod(found), nil
}

func (s *Server) updateMethod(op *operation, p *params) (object, error) {
	found, refused := s.methodByID(op, p.path["payment_method"])
	if refused != nil {
		return nil, refused
	}
	if found.Customer == "" {
		return nil, invalidRequest("", "payment_method_unexpected_state", "You must save this PaymentMethod to a customer before you can update it.")
	}
	op.follow(s.clockOf(found.Customer))
	op.touch(found.ID)
	found.ExpMonth = p.number("card.exp_month", found.ExpMonth)
	found.ExpYear = p.number("card.exp_year", found.ExpYear)
	found.Billing = readBilling(p, found.Billing)
	found.Metadata = p.mergeMetadata(found.Metadata)
	return s.drawMethod(found), nil
}

// attachable is the bank's answer to keeping a card for a customer; some published cards decline already here.
func attachable(m *method) *apiError {
	card, ok := cardByNumber(m.Number)
	if m.Type != "card" || !ok || !card.OnAttach {
		return nil
	}
	return declineFor(card.Declines).apiError()
}

func (s *Server) attach(op *operation, m *method, c *customer) {
	if m.Customer == c.ID {
		return
	}
	m.Customer = c.ID
	op.emit("payment_method.attached", m.ID)
}

func (s *Server) attachMethod(op *operation, p *params) (object, error) {
	c, refused := s.customerByID(p.text("customer"), "customer")
	if refused != nil {
		return nil, refused
	}
	op.follow(c.Clock)
	m, refused := s.methodByID(op, p.path["payment_method"])
	if refused != nil {
		return nil, refused
	}
	if m.Customer != "" && m.Customer != c.ID {
		return nil, invalidRequest("", "payment_method_unexpected_state", "The payment method you provided has already been attached to a customer.")
	}
	refused = usable(m, c.ID, nil, "Customer")
	if refused != nil {
		return nil, refused
	}
	refused = attachable(m)
	if refused != nil {
		return nil, refused
	}
	s.attach(op, m, c)
	return s.drawMethod(m), nil
}

// detachMethod also takes the method out of every default it was.
func (s *Server) detachMethod(op *operation, p *params) (object, error) {
	m, ok := s.memory.Methods.get(p.path["payment_method"])
	if !ok {
		return nil, missing("PaymentMethod", p.path["payment_method"], "payment_method")
	}
	if m.Customer == "" {
		return nil, invalidRequest("payment_method", "payment_method_unexpected_state", "The payment method you provided is not attached to a customer so detachment is impossible.")
	}
	op.follow(s.clockOf(m.Customer))
	owner, _ := s.memory.Customers.get(m.Customer)
	if owner.DefaultMethod == m.ID {
		op.touch(owner.ID)
		owner.DefaultMethod = ""
	}
	s.memory.Subs.each(func(id string, sub *subscription) {
		if sub.DefaultMethod == m.ID {
			op.touch(id)
			sub.DefaultMethod = ""
		}
	})
	s.memory.Invoices.each(func(id string, inv *invoice) {
		if inv.DefaultMethod == m.ID && inv.Status != "paid" && inv.Status != "void" {
			op.touch(id)
			inv.DefaultMethod = ""
		}
	})
	m.Customer, m.Detached = "", true
	op.emit("payment_method.detached", m.ID)
	return s.drawMethod(m), nil
}

func (s *Server) listMethodsWhere(p *params, url string, keep func(*method) bool) (object, error) {
	return listing{
		url: url, ids: s.memory.Methods.Order, kind: "PaymentMethod",
		keep: func(id string) bool {
			m, _ := s.memory.Methods.get(id)
			return m.Customer != "" && p.is("type", m.Type) && keep(m)
		},
		draw: func(id string) object {
			m, _ := s.memory.Methods.get(id)
			return s.drawMethod(m)
		},
	}.page(p)
}

func (s *Server) listMethods(_ *operation, p *params) (object, error) {
	return s.listMethodsWhere(p, "/v1/payment_methods", func(m *method) bool { return p.text("customer") != "" && m.Customer == p.text("customer") })
}

func (s *Server) listCustomerMethods(_ *operation, p *params) (object, error) {
	c, refused := s.customerByID(p.path["customer"], "")
	if refused != nil {
		return nil, refused
	}
	return s.listMethodsWhere(p, "/v1/customers/"+c.ID+"/payment_methods", func(m *method) bool { return m.Customer == c.ID })
}

func (s *Server) getCustomerMethod(_ *operation, p *params) (object, error) {
	m, ok := s.memory.Methods.get(p.path["payment_method"])
	if !ok || m.Customer != p.path["customer"] {
		return nil, missing("PaymentMethod", p.path["payment_method"], "payment_method")
	}
	return s.drawMethod(m), nil
}

// methodTypes are what an account like this one offers for a currency.
func methodTypes(currency string) []string {
	switch currency {
	case "eur":
		return []string{"card", "sepa_debit"}
	case "usd":
		return []string{"card", "us_bank_account"}
	}
	return []string{"card"}
}

// stillOwned gives an id back if it is an attached method of the customer, else "".
func (s *Server) stillOwned(customerID, id string) string {
	m, ok := s.memory.Methods.get(id)
	if !ok || m.Customer == "" || m.Customer != customerID {
		return ""
	}
	return id
}

// methodOnFile is the method Stripe charges without the customer: the invoice's own, the subscription's, then the
// customer's. https://stripe.com/docs/billing/subscriptions/payment-methods-setting
func (s *Server) methodOnFile(inv *invoice) *method {
	candidates := []string{inv.DefaultMethod}
	sub, ok := s.memory.Subs.get(inv.Subscription)
	if ok {
		candidates = append(candidates, sub.DefaultMethod)
	}
	owner, ok := s.memory.Customers.get(inv.Customer)
	if ok {
		candidates = append(candidates, owner.DefaultMethod)
	}
	for _, id := range candidates {
		if id != "" && s.stillOwned(inv.Customer, id) != "" {
			found, _ := s.memory.Methods.get(id)
			return found
		}
	}
	return nil
}

// retriable reports whether the schedule may try again after this reason.
func retriable(declineCode string) bool { return !slices.Contains(neverRetried, declineCode) }
