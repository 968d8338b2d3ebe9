package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Server) drawMethod(m *method) object {
	o := object{
		"id": m.ID, "object": "payment_method", "billing_details": m.Billing.draw(), "created": m.Created,
		"customer": textOrNull(m.Customer), "livemode": false, "metadata": textMap(m.Metadata), "type": m.Type,
	}
	o[m.Type] = m.drawKind()
	return o
}

func (m *method) last4() string { return m.Number[max(0, len(m.Number)-4):] }

func (m *method) drawKind() object {
	switch m.Type {
	case "sepa_debit":
		return object{
			"bank_code": bankCode(m.Number), "branch_code": "", "country": m.Number[:2], "fingerprint": m.Fingerprint,
			"generated_from": object{"charge": nil, "setup_attempt": nil}, "last4": m.last4(),
		}
	case "us_bank_account":
		return object{
			"account_holder_type": m.HolderType, "account_type": m.AccountType, "bank_name": "STRIPE TEST BANK",
			"financial_connections_account": nil, "fingerprint": m.Fingerprint, "last4": m.last4(),
			"networks":       object{"preferred": "ach", "supported": []any{"ach"}},
			"routing_number": "110000000", "status_details": object{},
		}
	case "link":
		return object{"email": textOrNull(m.Billing.Email)}
	}
	card, _ := cardByNumber(m.Number)
	return object{
		"brand": card.Brand, "checks": m.drawChecks(card), "country": card.Country, "display_brand": nil,
		"exp_month": m.ExpMonth, "exp_year": m.ExpYear, "fingerprint": m.Fingerprint, "funding": card.Funding,
		"generated_from": nil, "last4": m.last4(),
		"networks":             object{"available": []any{card.Brand}, "preferred": nil},
		"three_d_secure_usage": object{"supported": card.Brand != "amex"}, "wallet": nil,
	}
}

func (m *method) drawChecks(card testCard) object {
	checks := object{"address_line1_check": nil, "address_postal_code_check": nil, "cvc_check": nil}
	if m.CVC != "" {
		checks["cvc_check"] = "pass"
		if m.Customer == "" {
			checks["cvc_check"] = "unchecked"
		}
		if card.CVCFails {
			checks["cvc_check"] = "fail"
		}
	}
	if m.Billing.Address != nil {
		if m.Billing.Address.Line1 != "" {
			checks["address_line1_check"] = "pass"
		}
		if m.Billing.Address.PostalCode != "" {
			checks["address_postal_code_check"] = "pass"
		}
	}
	return checks
}

func bankCode(iban string) string {
	if len(iban) < 9 {
		return ""
	}
	return iban[4:9]
}

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

// farYear is an expiry year that lies ahead of both the operation's clock and the real one.
func (s *Server) farYear(op *operation) int64 {
	return int64(time.Unix(max(op.at, s.now().Unix()), 0).UTC().Year()) + 3
}

// owned refuses a payment method that is not the customer's.
func (s *Server) owned(customerID, id, param string) *apiError {
	found, ok := s.memory.Methods.get(id)
	if ok && found.Customer == customerID {
		return nil
	}
	return invalidRequest(param, "resource_missing", "The customer does not have a payment method with the ID "+id+". The payment method must be attached to the customer.")
}

// readMethod makes a payment method from the parameters of its own call or of payment_method_data.
func (s *Server) readMethod(op *operation, p *params) (*method, *apiError) {
	m := method{Type: p.text("type"), Metadata: p.mergeMetadata(nil), Billing: readBilling(p, billingDetails{})}
	switch m.Type {
	case "card":
		refused := s.readCardInto(op, &m, p)
		if refused != nil {
			return nil, refused
		}
	case "sepa_debit":
		m.Number = strings.ToUpper(strings.ReplaceAll(p.text("sepa_debit.iban"), " ", ""))
		if len(m.Number) < 15 {
			return nil, invalidRequest("sepa_debit[iban]", "account_number_invalid", "The IBAN you provided is invalid.")
		}
	case "us_bank_account":
		m.Number, m.HolderType, m.AccountType = p.text("us_bank_account.account_number"), p.or("us_bank_account.account_holder_type", "individual"), p.or("us_bank_account.account_type", "checking")
		if len(m.Number) < 4 {
			return nil, invalidRequest("us_bank_account[account_number]", "account_number_invalid", "The account number is invalid.")
		}
	case "":
		return nil, missingParam("type")
	default:
		return nil, invalidRequest("type", "", "The sandbox does not simulate payment methods of type "+m.Type+".")
	}
	return s.newMethod(op, m), nil
}

func readBilling(p *params, was billingDetails) billingDetails {
	p.set("billing_details.email", &was.Email)
	p.set("billing_details.name", &was.Name)
	p.set("billing_details.phone", &was.Phone)
	was.Address = readAddress(p, "billing_details.address", was.Address)
	return was
}

// readCardInto takes a token or a typed card and checks it as Stripe does before any bank is asked.
func (s *Server) readCardInto(op *operation, m *method, p *params) *apiError {
	token := p.text("card.token")
	if token != "" {
		card, ok := cardByName(token)
		if !ok {
			return missingIn("card[token]", "token", token)
		}
		m.Number, m.ExpMonth, m.ExpYear, m.CVC = card.Number, 12, s.farYear(op), "123"
		return nil
	}
	if !p.has("card.number") {
		return missingParam("card[number]")
	}
	m.Number = strings.Map(func(sign rune) rune {
		if sign == ' ' || sign == '-' {
			return -1
		}
		return sign
	}, p.text("card.number"))
	if !passesLuhn(m.Number) {
		return cardMistake("number", "incorrect_number")
	}
	card, published := cardByNumber(m.Number)
	if !published {
		return declineFor("test_mode_live_card").apiError()
	}
	m.ExpMonth, m.ExpYear, m.CVC = p.number("card.exp_month", 0), p.number("card.exp_year", 0), p.text("card.cvc")
	if m.ExpYear > 0 && m.ExpYear < 100 {
		m.ExpYear += 2000
	}
	today := s.now().UTC()
	if m.ExpMonth < 1 || m.ExpMonth > 12 {
		return cardMistake("exp_month", "invalid_expiry_month")
	}
	if m.ExpYear < int64(today.Year()) || m.ExpYear > int64(today.Year())+50 {
		return cardMistake("exp_year", "invalid_expiry_year")
	}
	if m.ExpYear == int64(today.Year()) && m.ExpMonth < int64(today.Month()) {
		return cardMistake("exp_month", "invalid_expiry_month")
	}
	_, err := strconv.Atoi(m.CVC)
	if m.CVC != "" && (err != nil || len(m.CVC) < 3 || len(m.CVC) > 4 || len(m.CVC) == 4 && card.Brand != "amex") {
		return cardMistake("cvc", "invalid_cvc")
	}
	return nil
}

// cardMistake is Stripe's answer to a mistyped card: a card_error without a bank's decline code.
func cardMistake(param, code string) *apiError {
	failed := declineFor(code).apiError()
	failed.DeclineCode, failed.Param = "", param
	return failed
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
