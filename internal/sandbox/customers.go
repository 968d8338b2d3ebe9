package sandbox

import (
	"slices"
	"strings"
)

func (s *Server) drawCustomer(c *customer) object {
	if c.Deleted {
		return object{"id": c.ID, "object": "customer", "deleted": true}
	}
	return object{
		"id": c.ID, "object": "customer", "address": c.Address.draw(), "balance": c.Balance, "created": c.Created,
		"currency": textOrNull(c.Currency), "default_source": nil, "delinquent": c.Delinquent,
		"description": textOrNull(c.Description), "discount": nil, "email": textOrNull(c.Email),
		"invoice_prefix": c.Prefix, "livemode": false, "metadata": textMap(c.Metadata), "name": textOrNull(c.Name),
		"invoice_settings": object{
			"custom_fields": nil, "default_payment_method": textOrNull(c.DefaultMethod), "footer": textOrNull(c.Footer),
			"rendering_options": nil,
		},
		"next_invoice_sequence": c.Sequence, "phone": textOrNull(c.Phone), "preferred_locales": textList(c.Locales),
		"shipping": c.Shipping.draw(), "tax_exempt": c.TaxExempt, "test_clock": textOrNull(c.Clock),
	}
}

// customerByID finds a customer that was not deleted.
func (s *Server) customerByID(id, param string) (*customer, *apiError) {
	found, ok := s.memory.Customers.get(id)
	if !ok || found.Deleted {
		if param == "" {
			return nil, missing("customer", id, "id")
		}
		return nil, missingIn(param, "customer", id)
	}
	return found, nil
}

func (s *Server) createCustomer(op *operation, p *params) (object, error) {
	refused := p.notSimulated("source", "coupon", "promotion_code", "tax_id_data", "cash_balance")
	if refused != nil {
		return nil, refused
	}
	clock := p.text("test_clock")
	if clock != "" {
		_, ok := s.memory.Clocks.get(clock)
		if !ok {
			return nil, missingIn("test_clock", "test clock", clock)
		}
	}
	op.follow(clock)
	c := &customer{ID: s.shortID("cus_"), Created: op.at, Prefix: s.prefixFor(), Sequence: 1, TaxExempt: "none", Clock: clock, Metadata: map[string]string{}}
	attach := p.text("payment_method")
	first := p.text("invoice_settings.default_payment_method")
	var paying *method
	if attach != "" {
		found, refused := s.methodForUse(op, attach, "payment_method")
		if refused != nil {
			return nil, refused
		}
		refused = attachable(found)
		if refused != nil {
			return nil, refused
		}
		paying = found
		if first == attach {
			first = found.ID
		}
	}
	if first != "" && (paying == nil || first != paying.ID) {
		return nil, invalidRequest("invoice_settings[default_payment_method]", "resource_missing", "The customer does not have a payment method with the ID "+first+". The payment method must be attached to the customer.")
	}
	refused = s.readCustomer(c, p)
	if refused != nil {
		return nil, refused
	}
	s.memory.Customers.add(c.ID, c)
	c.DefaultMethod = first
	op.make("customer.created", c.ID)
	if paying != nil {
		s.attach(op, paying, c)
	}
	return s.drawCustomer(c), nil
}

// readCustomer takes the parameters that creating and updating share.
func (s *Server) readCustomer(c *customer, p *params) *apiError {
	if p.has("invoice_prefix") {
		prefix := p.text("invoice_prefix")
		if len(prefix) < 3 || len(prefix) > 12 || strings.ToUpper(prefix) != prefix {
			return invalidRequest("invoice_prefix", "", "Invalid invoice prefix. It must be 3-12 uppercase letters or numbers.")
		}
		c.Prefix = prefix
	}
	if p.has("email") && p.text("email") != "" && !strings.Contains(p.text("email"), "@") {
		return invalidRequest("email", "email_invalid", "Invalid email address: "+p.text("email"))
	}
	p.set("email", &c.Email)
	p.set("name", &c.Name)
	p.set("phone", &c.Phone)
	p.set("description", &c.Description)
	p.set("invoice_settings.footer", &c.Footer)
	c.Address = readAddress(p, "address", c.Address)
	c.Balance = p.number("balance", c.Balance)
	c.Sequence = p.number("next_invoice_sequence", c.Sequence)
	c.Metadata = p.mergeMetadata(c.Metadata)
	if p.has("tax_exempt") && !p.cleared("tax_exempt") {
		c.TaxExempt = p.text("tax_exempt")
	}
	if p.has("preferred_locales") {
		c.Locales = p.texts("preferred_locales")
	}
	if p.has("shipping") {
		c.Shipping = nil
		if !p.cleared("shipping") {
			address := readAddress(p, "shipping.address", nil)
			if address == nil {
				address = &postalAddress{}
			}
			c.Shipping = &shippingDetails{Name: p.text("shipping.name"), Phone: p.text("shipping.phone"), Address: *address}
		}
	}
	return nil
}

func (s *Server) getCustomer(_ *operation, p *params) (object, error) {
	found, ok := s.memory.Customers.get(p.path["customer"])
	if !ok {
		return nil, missing("customer", p.path["customer"], "id")
	}
	return s.drawCustomer(found), nil
}

func (s *Server) updateCustomer(op *operation, p *params) (object, error) {
	c, refused := s.customerByID(p.path["customer"], "")
	if refused != nil {
		return nil, refused
	}
	refused = p.notSimulated("source", "coupon", "promotion_code", "cash_balance", "default_source")
	if refused != nil {
		return nil, refused
	}
	op.follow(c.Clock)
	first := p.text("invoice_settings.default_payment_method")
	if first != "" {
		refused := s.owned(c.ID, first, "invoice_settings[default_payment_method]")
		if refused != nil {
			return nil, refused
		}
	}
	op.touch(c.ID)
	before := *c
	refused = s.readCustomer(c, p)
	if refused != nil {
		*c = before
		return nil, refused
	}
	if p.has("invoice_settings.default_payment_method") {
		c.DefaultMethod = first
	}
	return s.drawCustomer(c), nil
}

// deleteCustomer ends the customer's subscriptions and takes its payment methods away; its invoices stay.
func (s *Server) deleteCustomer(op *operation, p *params) (object, error) {
	c, refused := s.customerByID(p.path["customer"], "")
	if refused != nil {
		return nil, refused
	}
	op.follow(c.Clock)
	s.removeCustomer(op, c)
	return s.drawCustomer(c), nil
}

func (s *Server) removeCustomer(op *operation, c *customer) {
	s.memory.Subs.each(func(_ string, sub *subscription) {
		if sub.Customer == c.ID && !sub.ended() {
			s.endSubscription(op, sub, "canceled")
		}
	})
	op.flush()
	shot := s.drawCustomer(c)
	for _, id := range slices.Clone(s.memory.Methods.Order) {
		m, _ := s.memory.Methods.get(id)
		if m.Customer == c.ID {
			m.Customer = ""
			s.memory.Methods.remove(id)
		}
	}
	c.Deleted = true
	s.storeEvent(op, "customer.deleted", shot, nil)
}

func (s *Server) listCustomers(_ *operation, p *params) (object, error) {
	return listing{
		url: "/v1/customers", ids: s.memory.Customers.Order, kind: "customer",
		keep: func(id string) bool {
			c, _ := s.memory.Customers.get(id)
			// Stripe lists customers of test clocks only when that clock is asked for.
			return !c.Deleted && p.is("email", c.Email) && p.inRange("created", c.Created) && c.Clock == p.text("test_clock")
		},
		draw: func(id string) object {
			c, _ := s.memory.Customers.get(id)
			return s.drawCustomer(c)
		},
	}.page(p)
}
