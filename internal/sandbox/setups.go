package sandbox

import (
	"cmp"
	"fmt"
	"slices"
)

func (s *Server) drawSetup(si *setup) object {
	o := object{
		"id": si.ID, "object": "setup_intent", "application": nil, "automatic_payment_methods": nil,
		"cancellation_reason": textOrNull(si.CancelReason), "client_secret": si.Secret, "created": si.Created,
		"customer": textOrNull(si.Customer), "description": textOrNull(si.Description), "flow_directions": nil,
		"last_setup_error": si.LastError.draw(), "latest_attempt": textOrNull(si.LatestAttempt), "livemode": false,
		"mandate": textOrNull(si.Mandate), "metadata": textMap(si.Metadata),
		"next_action": s.drawAction(si.ID, si.Secret, si.Action), "on_behalf_of": nil,
		"payment_method": textOrNull(si.Method), "payment_method_configuration_details": nil,
		"payment_method_options": setupOptions(si), "payment_method_types": textList(si.Types),
		"single_use_mandate": nil, "status": si.Status, "usage": si.Usage,
	}
	if si.Automatic {
		o["automatic_payment_methods"] = automaticMethods(si.NoRedirects)
	}
	return o
}

func setupOptions(si *setup) any {
	options := object{}
	for _, kind := range si.Types {
		switch kind {
		case "card":
			options["card"] = object{"mandate_options": nil, "network": nil, "request_three_d_secure": "automatic"}
		case "sepa_debit":
			options["sepa_debit"] = object{"mandate_options": object{}}
		case "us_bank_account":
			options["us_bank_account"] = object{"verification_method": cmp.Or(si.Verification, "automatic")}
		}
	}
	return options
}

func (s *Server) drawAttempt(a *setupAttempt) object {
	m, ok := s.memory.Methods.get(a.Method)
	details := object{"type": "card"}
	if ok {
		details = object{"type": m.Type, m.Type: object{}}
		if m.Type == "card" {
			card, _ := cardByNumber(m.Number)
			details["card"] = object{
				"brand": card.Brand, "checks": nil, "country": card.Country, "exp_month": m.ExpMonth, "exp_year": m.ExpYear,
				"fingerprint": m.Fingerprint, "funding": card.Funding, "last4": m.last4(), "network": card.Brand,
				"three_d_secure": drawThreeD(a.Authenticated), "wallet": nil,
			}
		}
	}
	return object{
		"id": a.ID, "object": "setup_attempt", "application": nil, "created": a.Created, "customer": textOrNull(a.Customer),
		"flow_directions": nil, "livemode": false, "on_behalf_of": nil, "payment_method": a.Method,
		"payment_method_details": details, "setup_error": a.Error.draw(), "setup_intent": a.Setup, "status": a.Status, "usage": a.Usage,
	}
}

// drawThreeD tells of a confirmation by the bank; null when there was none.
func drawThreeD(done bool) any {
	if !done {
		return nil
	}
	return object{
		"authentication_flow": "challenge", "electronic_commerce_indicator": "05", "result": "authenticated",
		"result_reason": nil, "transaction_id": nil, "version": "2.2.0",
	}
}

func (s *Server) drawMandate(m *mandate) object {
	paying, ok := s.memory.Methods.get(m.Method)
	kind := "sepa_debit"
	if ok {
		kind = paying.Type
	}
	details := object{"type": kind, kind: object{}}
	if kind == "sepa_debit" {
		details[kind] = object{"reference": "SB" + m.ID[len("mandate_"):][:14], "url": "https://hooks.stripe.com/adapter/sepa_debit/file/sandbox"}
	}
	return object{
		"id": m.ID, "object": "mandate", "livemode": false, "payment_method": m.Method, "payment_method_details": details,
		"status": m.Status, "type": "multi_use", "multi_use": object{},
		"customer_acceptance": object{
			"accepted_at": m.Created, "type": "online", "online": object{"ip_address": "127.0.0.1", "user_agent": "sandbox"},
		},
	}
}

func (s *Server) getMandate(_ *operation, p *params) (object, error) {
	found, ok := s.memory.Mandates.get(p.path["mandate"])
	if !ok {
		return nil, missing("mandate", p.path["mandate"], "mandate")
	}
	return s.drawMandate(found), nil
}

func (s *Server) createSetup(op *operation, p *params) (object, error) {
	refused := p.notSimulated("on_behalf_of", "attach_to_self", "single_use", "flow_directions")
	if refused != nil {
		return nil, refused
	}
	if p.has("customer") {
		c, refused := s.customerByID(p.text("customer"), "customer")
		if refused != nil {
			return nil, refused
		}
		op.follow(c.Clock)
	}
	chosen, refused := s.chosenMethod(op, p)
	if refused != nil {
		return nil, refused
	}
	made := setup{
		Customer: p.text("customer"), Usage: p.or("usage", "off_session"), Description: p.text("description"),
		Types: p.texts("payment_method_types"), Metadata: p.mergeMetadata(nil), ReturnURL: p.text("return_url"),
		Verification: p.text("payment_method_options.us_bank_account.verification_method"),
	}
	if len(made.Types) == 0 {
		made.Automatic, made.Types = true, []string{"card", "sepa_debit", "us_bank_account"}
		made.NoRedirects = p.text("automatic_payment_methods.allow_redirects") == "never"
	}
	if chosen != nil {
		refused := usable(chosen, made.Customer, made.Types, "SetupIntent")
		if refused != nil {
			return nil, refused
		}
		made.Method = chosen.ID
	}
	si := s.newSetup(op, made)
	if p.truth("confirm", false) {
		return s.confirmMade(op, si, chosen)
	}
	return s.drawSetup(si), nil
}

func (s *Server) newSetup(op *operation, made setup) *setup {
	made.ID = s.longID("seti_")
	made.Secret = made.ID + "_secret_" + s.token(25)
	made.Created = op.at
	made.Status = "requires_payment_method"
	if made.Method != "" {
		made.Status = "requires_confirmation"
	}
	stored := s.memory.Setups.add(made.ID, &made)
	op.make("setup_intent.created", made.ID)
	return stored
}

func (s *Server) setupByID(p *params) (*setup, *apiError) {
	id := p.path["intent"]
	found, ok := s.memory.Setups.get(id)
	if !ok || p.has("client_secret") && !sameSecret(found.Secret, p.text("client_secret")) {
		return nil, missing("setupintent", id, "intent")
	}
	return found, nil
}

func (s *Server) getSetup(_ *operation, p *params) (object, error) {
	si, refused := s.setupByID(p)
	if refused != nil {
		return nil, refused
	}
	return s.drawSetup(si), nil
}

func (s *Server) setupState(si *setup, message string) *apiError {
	failed := invalidRequest("", "setup_intent_unexpected_state", message)
	failed.SetupIntent = s.drawSetup(si)
	return failed
}

func (s *Server) updateSetup(op *operation, p *params) (object, error) {
	si, refused := s.setupByID(p)
	if refused != nil {
		return nil, refused
	}
	op.follow(s.clockOf(si.Customer))
	chosen, refused := s.chosenMethod(op, p)
	if refused != nil {
		return nil, refused
	}
	owner := p.or("customer", si.Customer)
	if owner != si.Customer {
		_, refused := s.customerByID(owner, "customer")
		if refused != nil {
			return nil, refused
		}
	}
	if chosen != nil {
		if si.Status == "succeeded" || si.Status == "canceled" {
			return nil, s.setupState(si, "You cannot update this SetupIntent because it has a status of "+si.Status+".")
		}
		refused := usable(chosen, owner, si.Types, "SetupIntent")
		if refused != nil {
			return nil, refused
		}
		si.Method, si.Status, si.Action = chosen.ID, "requires_confirmation", nil
	}
	si.Customer = owner
	p.set("description", &si.Description)
	if p.has("payment_method_types") {
		si.Types, si.Automatic = p.texts("payment_method_types"), false
	}
	si.Metadata = p.mergeMetadata(si.Metadata)
	return s.drawSetup(si), nil
}

func (s *Server) confirmSetup(op *operation, p *params) (object, error) {
	si, refused := s.setupByID(p)
	if refused != nil {
		return nil, refused
	}
	if !slices.Contains([]string{"requires_payment_method", "requires_confirmation", "requires_action"}, si.Status) {
		return nil, s.setupState(si, "You cannot confirm this SetupIntent because it has already "+past(si.Status)+".")
	}
	op.follow(s.clockOf(si.Customer))
	chosen, refused := s.chosenMethod(op, p)
	if refused != nil {
		return nil, refused
	}
	p.set("return_url", &si.ReturnURL)
	return s.confirmMade(op, si, chosen)
}

func (s *Server) confirmMade(op *operation, si *setup, chosen *method) (object, error) {
	if chosen == nil && si.Method != "" {
		chosen, _ = s.memory.Methods.get(si.Method)
	}
	if chosen == nil {
		return nil, s.setupState(si, "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a payment method and then confirm it again.")
	}
	refused := usable(chosen, si.Customer, si.Types, "SetupIntent")
	if refused != nil {
		return nil, refused
	}
	if chosen.Typed && si.Verification == "instant" {
		return nil, invalidRequest("payment_method_data", "payment_method_invalid_parameter",
			"Payment method data is not allowed when payment_method_options[us_bank_account][verification_method]=instant is used.")
	}
	si.Method, si.Action = chosen.ID, nil
	card, _ := cardByNumber(chosen.Number)
	refused = attachable(chosen)
	if refused != nil {
		si.LastError = &failure{
			Type: refused.Type, Code: refused.Code, DeclineCode: refused.DeclineCode, Message: refused.Message,
			Method: chosen.ID, MethodShot: s.drawMethod(chosen),
		}
		s.noteAttempt(op, si, "failed", false)
		si.Status, si.Method = "requires_payment_method", ""
		op.emit("setup_intent.setup_failed", si.ID)
		refused.SetupIntent, refused.PaymentMethod = s.drawSetup(si), s.drawMethod(chosen)
		return nil, refused
	}
	if chosen.Type == "card" && (card.Asks == asksAlways || card.Asks == asksUnlessSetUp) {
		si.Status, si.LastError, si.Action = "requires_action", nil, &authentication{ID: s.longID("src_"), ReturnURL: si.ReturnURL}
		s.noteAttempt(op, si, "requires_action", false)
		op.emit("setup_intent.requires_action", si.ID)
		return s.drawSetup(si), nil
	}
	if chosen.Typed && !chosen.SetUp {
		si.Status, si.LastError = "requires_action", nil
		si.Action = &authentication{ReturnURL: si.ReturnURL, Deposits: s.token(24), Arrives: op.at + depositsTake}
		s.noteAttempt(op, si, "requires_action", false)
		op.emit("setup_intent.requires_action", si.ID)
		return s.drawSetup(si), nil
	}
	s.keep(op, si, chosen, false)
	return s.drawSetup(si), nil
}

// keep ends a SetupIntent well: the method belongs to its customer and may be charged without them.
func (s *Server) keep(op *operation, si *setup, m *method, confirmed bool) {
	s.noteAttempt(op, si, "succeeded", confirmed)
	si.Status, si.LastError, si.Action = "succeeded", nil, nil
	m.SetUp = true
	if m.Type != "card" {
		given := &mandate{ID: s.longID("mandate_"), Method: m.ID, Status: "active", Created: op.at}
		s.memory.Mandates.add(given.ID, given)
		si.Mandate = given.ID
		op.emit("mandate.updated", given.ID)
	}
	owner, ok := s.memory.Customers.get(si.Customer)
	if ok && !owner.Deleted {
		s.attach(op, m, owner)
	}
	op.emit("setup_intent.succeeded", si.ID)
	session, ok := s.memory.Checkouts.get(si.Session)
	if ok && session.Status == "open" {
		session.Status = "complete"
		op.emit("checkout.session.completed", session.ID)
	}
}

func (s *Server) noteAttempt(op *operation, si *setup, status string, confirmed bool) {
	noted := &setupAttempt{
		ID: s.longID("setatt_"), Setup: si.ID, Method: si.Method, Customer: si.Customer, Status: status,
		Usage: si.Usage, Created: op.at, Authenticated: confirmed,
	}
	if status == "failed" {
		noted.Error = si.LastError
	}
	s.memory.Attempts.add(noted.ID, noted)
	si.LatestAttempt = noted.ID
}

// answerSetup is completeAuthentication for a SetupIntent.
func (s *Server) answerSetup(op *operation, si *setup, clientSecret string, approved bool) error {
	if !sameSecret(si.Secret, clientSecret) {
		return fmt.Errorf("answer for %s: no such intent, or not its secret", si.ID)
	}
	m, known := s.memory.Methods.get(si.Method)
	if si.Status != "requires_action" || !known {
		return fmt.Errorf("answer for %s: nothing was asked, it is %s", si.ID, si.Status)
	}
	op.follow(s.clockOf(si.Customer))
	if approved {
		s.keep(op, si, m, true)
		return nil
	}
	si.LastError = &failure{
		Type: "invalid_request_error", Code: "setup_intent_authentication_failure", Method: m.ID, MethodShot: s.drawMethod(m),
		Message: "The latest attempt to set up the payment method has failed because authentication failed.",
	}
	s.noteAttempt(op, si, "failed", false)
	si.Status, si.Method, si.Action = "requires_payment_method", "", nil
	op.emit("setup_intent.setup_failed", si.ID)
	return nil
}

func (s *Server) cancelSetup(op *operation, p *params) (object, error) {
	si, refused := s.setupByID(p)
	if refused != nil {
		return nil, refused
	}
	if si.Status == "succeeded" || si.Status == "canceled" {
		return nil, s.setupState(si, "You cannot cancel this SetupIntent because it has a status of "+si.Status+".")
	}
	op.follow(s.clockOf(si.Customer))
	si.Status, si.CancelReason, si.Action = "canceled", p.text("cancellation_reason"), nil
	op.emit("setup_intent.canceled", si.ID)
	return s.drawSetup(si), nil
}

func (s *Server) listSetups(_ *operation, p *params) (object, error) {
	return listing{
		url: "/v1/setup_intents", ids: s.memory.Setups.Order, kind: "setupintent",
		keep: func(id string) bool {
			si, _ := s.memory.Setups.get(id)
			return p.is("customer", si.Customer) && p.is("payment_method", si.Method) && p.inRange("created", si.Created)
		},
		draw: func(id string) object {
			si, _ := s.memory.Setups.get(id)
			return s.drawSetup(si)
		},
	}.page(p)
}

func (s *Server) listAttempts(_ *operation, p *params) (object, error) {
	return listing{
		url: "/v1/setup_attempts", ids: s.memory.Attempts.Order, kind: "setup_attempt",
		keep: func(id string) bool {
			a, _ := s.memory.Attempts.get(id)
			return a.Setup == p.text("setup_intent") && p.inRange("created", a.Created)
		},
		draw: func(id string) object {
			a, _ := s.memory.Attempts.get(id)
			return s.drawAttempt(a)
		},
	}.page(p)
}
