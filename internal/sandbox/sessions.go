package sandbox

import "net/url"

// checkAddresses refuses addresses of the pages to which a browser is sent that are none of the web. Those left out are none.
func (p *params) checkAddresses(addresses ...[2]string) *apiError {
	for _, a := range addresses {
		field, name := a[0], a[1]
		text := p.text(field)
		if text == "" {
			continue
		}
		to, err := url.Parse(text)
		if err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Host == "" {
			return invalidRequest(name, "url_invalid", "Not a valid URL")
		}
	}
	return nil
}

// A session of the customer portal is a short-lived address of a page at Stripe.
func (s *Server) createPortalSession(op *operation, p *params) (object, error) {
	c, refused := s.customerByID(p.text("customer"), "customer")
	if refused != nil {
		return nil, refused
	}
	const afterURL = "flow_data.after_completion.redirect.return_url"
	refused = p.checkAddresses([2]string{"return_url", "return_url"}, [2]string{afterURL, "flow_data[after_completion][redirect][return_url]"})
	if refused != nil {
		return nil, refused
	}
	made := &portalSession{
		ID: s.longID("bps_"), Customer: c.ID, ReturnURL: p.text("return_url"), Locale: p.text("locale"), Flow: p.text("flow_data.type"),
		AfterURL: p.text(afterURL), Token: s.token(40), Created: op.at,
	}
	s.memory.Portals.add(made.ID, made)
	o := object{
		"id": made.ID, "object": "billing_portal.session", "configuration": "bpc_1SandboxPortalSettings", "created": made.Created,
		"customer": made.Customer, "flow": nil, "livemode": false, "locale": textOrNull(made.Locale), "on_behalf_of": nil,
		"return_url": textOrNull(made.ReturnURL), "url": s.publicURL + "/p/session/" + made.Token,
	}
	if made.Flow != "" {
		after := object{"hosted_confirmation": nil, "redirect": nil, "type": p.or("flow_data.after_completion.type", "portal_homepage")}
		if made.AfterURL != "" {
			after["redirect"] = object{"return_url": made.AfterURL}
		}
		if p.has("flow_data.after_completion.hosted_confirmation") {
			after["hosted_confirmation"] = object{"custom_message": textOrNull(p.text("flow_data.after_completion.hosted_confirmation.custom_message"))}
		}
		flow := object{
			"after_completion": after, "subscription_cancel": nil, "subscription_update": nil, "subscription_update_confirm": nil, "type": made.Flow,
		}
		sub := p.text("flow_data." + made.Flow + ".subscription")
		if sub != "" {
			found, ok := s.memory.Subs.get(sub)
			if !ok || found.Customer != c.ID {
				return nil, missingIn("flow_data["+made.Flow+"][subscription]", "subscription", sub)
			}
			flow[made.Flow] = object{"subscription": sub}
			if made.Flow == "subscription_cancel" {
				flow[made.Flow] = object{"subscription": sub, "retention": nil}
			}
		}
		o["flow"] = flow
	}
	return o, nil
}

func (s *Server) drawCheckout(c *checkoutSession) object {
	o := object{
		"id": c.ID, "object": "checkout.session", "after_expiration": nil, "allow_promotion_codes": nil, "amount_subtotal": nil,
		"amount_total": nil, "automatic_tax": object{"enabled": false, "liability": nil, "status": nil},
		"billing_address_collection": nil, "cancel_url": textOrNull(c.CancelURL), "client_reference_id": textOrNull(c.Reference),
		"client_secret": nil, "consent": nil, "consent_collection": nil, "created": c.Created, "currency": textOrNull(c.Currency),
		"currency_conversion": nil, "custom_fields": []any{}, "custom_text": object{
			"after_submit": nil, "shipping_address": nil, "submit": nil, "terms_of_service_acceptance": nil,
		},
		"customer": textOrNull(c.Customer), "customer_creation": nil, "customer_details": nil, "customer_email": nil,
		"expires_at": c.ExpiresAt, "invoice": nil, "invoice_creation": nil, "livemode": false, "locale": textOrNull(c.Locale),
		"metadata": textMap(c.Metadata), "mode": "setup", "payment_intent": nil, "payment_link": nil,
		"payment_method_collection": "always", "payment_method_configuration_details": nil, "payment_method_options": object{},
		"payment_method_types": textList(c.Types), "payment_status": "no_payment_required",
		"phone_number_collection": object{"enabled": false}, "recovered_from": nil, "setup_intent": textOrNull(c.Setup),
		"shipping_address_collection": nil, "shipping_cost": nil, "shipping_details": nil, "shipping_options": []any{},
		"status": c.Status, "submit_type": nil, "subscription": nil, "success_url": textOrNull(c.SuccessURL), "total_details": nil,
		"ui_mode": "hosted", "url": nil,
	}
	owner, ok := s.memory.Customers.get(c.Customer)
	if ok && !owner.Deleted {
		o["customer_details"] = object{
			"address": owner.Address.draw(), "email": textOrNull(owner.Email), "name": textOrNull(owner.Name),
			"phone": textOrNull(owner.Phone), "tax_exempt": owner.TaxExempt, "tax_ids": nil,
		}
	}
	if c.Status == "open" {
		o["url"] = s.publicURL + "/c/pay/" + c.Token
	}
	return o
}

// createCheckout makes a session that saves a card; paying and subscribing by Checkout are not simulated.
func (s *Server) createCheckout(op *operation, p *params) (object, error) {
	if p.text("mode") != "setup" {
		return nil, invalidRequest("mode", "", "The sandbox simulates Checkout sessions of mode setup only.")
	}
	if p.text("ui_mode") == "embedded" {
		return nil, invalidRequest("ui_mode", "", "The sandbox simulates hosted Checkout sessions only.")
	}
	if p.has("customer") {
		c, refused := s.customerByID(p.text("customer"), "customer")
		if refused != nil {
			return nil, refused
		}
		op.follow(c.Clock)
	}
	types := p.texts("payment_method_types")
	if len(types) == 0 {
		if !p.has("currency") {
			return nil, missingParam("currency")
		}
		types = methodTypes(p.text("currency"))
	}
	if !p.has("success_url") {
		return nil, missingParam("success_url")
	}
	refused := p.checkAddresses([2]string{"success_url", "success_url"}, [2]string{"cancel_url", "cancel_url"})
	if refused != nil {
		return nil, refused
	}
	made := &checkoutSession{
		ID: "cs_test_" + s.token(58), Customer: p.text("customer"), Status: "open", SuccessURL: p.text("success_url"), CancelURL: p.text("cancel_url"),
		Currency: p.text("currency"), Reference: p.text("client_reference_id"), Token: s.token(40), Locale: p.text("locale"),
		Created: op.at, ExpiresAt: p.number("expires_at", op.at+day), Types: types, Metadata: p.mergeMetadata(nil),
	}
	si := s.newSetup(op, setup{Customer: made.Customer, Usage: "off_session", Types: types, Session: made.ID, Metadata: (&params{form: orEmpty(p.find("setup_intent_data"))}).mergeMetadata(nil)})
	made.Setup = si.ID
	s.memory.Checkouts.add(made.ID, made)
	return s.drawCheckout(made), nil
}

func orEmpty(f *field) *field {
	if f == nil {
		return &field{}
	}
	return f
}

func (s *Server) checkoutByID(p *params) (*checkoutSession, *apiError) {
	found, ok := s.memory.Checkouts.get(p.path["session"])
	if !ok {
		return nil, missing("checkout.session", p.path["session"], "session")
	}
	return found, nil
}

func (s *Server) getCheckout(_ *operation, p *params) (object, error) {
	found, refused := s.checkoutByID(p)
	if refused != nil {
		return nil, refused
	}
	return s.drawCheckout(found), nil
}

func (s *Server) expireCheckout(op *operation, p *params) (object, error) {
	found, refused := s.checkoutByID(p)
	if refused != nil {
		return nil, refused
	}
	if found.Status != "open" {
		return nil, invalidRequest("", "", "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of "+found.Status+".")
	}
	op.follow(s.clockOf(found.Customer))
	found.Status = "expired"
	op.emit("checkout.session.expired", found.ID)
	return s.drawCheckout(found), nil
}

func (s *Server) listCheckouts(_ *operation, p *params) (object, error) {
	return listing{
		url: "/v1/checkout/sessions", ids: s.memory.Checkouts.Order, kind: "checkout.session",
		keep: func(id string) bool {
			c, _ := s.memory.Checkouts.get(id)
			return p.is("customer", c.Customer) && p.is("status", c.Status)
		},
		draw: func(id string) object {
			c, _ := s.memory.Checkouts.get(id)
			return s.drawCheckout(c)
		},
	}.page(p)
}
