package sandbox

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
)

func (s *Server) drawIntent(pi *intent) object {
	o := object{
		"id": pi.ID, "object": "payment_intent", "amount": pi.Amount, "amount_capturable": 0,
		"amount_details": object{"tip": object{}}, "amount_received": pi.Received, "application": nil,
		"application_fee_amount": nil, "automatic_payment_methods": nil, "canceled_at": timeOrNull(pi.CanceledAt),
		"cancellation_reason": textOrNull(pi.CancelReason), "capture_method": pi.CaptureMethod, "client_secret": pi.Secret,
		"confirmation_method": pi.ConfirmationMethod, "created": pi.Created, "currency": pi.Currency,
		"customer": textOrNull(pi.Customer), "description": textOrNull(pi.Description), "invoice": textOrNull(pi.Invoice),
		"last_payment_error": pi.LastError.draw(), "latest_charge": textOrNull(pi.LatestCharge), "livemode": false,
		"metadata": textMap(pi.Metadata), "next_action": s.drawAction(pi.ID, pi.Secret, pi.Action), "on_behalf_of": nil,
		"payment_method": textOrNull(pi.Method), "payment_method_configuration_details": nil,
		"payment_method_options": methodOptions(pi.Types), "payment_method_types": textList(pi.Types), "processing": nil,
		"receipt_email": textOrNull(pi.ReceiptEmail), "review": nil, "setup_future_usage": textOrNull(pi.FutureUsage),
		"shipping": nil, "statement_descriptor": nil, "statement_descriptor_suffix": nil,
		"status": pi.Status, "transfer_data": nil, "transfer_group": nil,
	}
	if pi.Automatic {
		o["automatic_payment_methods"] = automaticMethods(pi.NoRedirects)
	}
	return o
}

func automaticMethods(noRedirects bool) object {
	allowed := "always"
	if noRedirects {
		allowed = "never"
	}
	return object{"allow_redirects": allowed, "enabled": true}
}

func methodOptions(types []string) any {
	options := object{}
	for _, kind := range types {
		switch kind {
		case "card":
			options["card"] = object{"installments": nil, "mandate_options": nil, "network": nil, "request_three_d_secure": "automatic"}
		case "sepa_debit":
			options["sepa_debit"] = object{}
		case "us_bank_account":
			options["us_bank_account"] = object{"verification_method": "automatic"}
		}
	}
	return options
}

// drawAction is what the browser script has to do next: open the bank's dialogue at this server.
func (s *Server) drawAction(id, secret string, action *authentication) any {
	if action == nil {
		return nil
	}
	if action.Deposits != "" {
		return object{"type": "verify_with_microdeposits", "verify_with_microdeposits": object{
			"arrival_date": action.Arrives, "hosted_verification_url": s.publicURL + depositsPath + action.Deposits, "microdeposit_type": "amounts",
		}}
	}
	return object{"type": "use_stripe_sdk", "use_stripe_sdk": object{
		"type": "three_d_secure_redirect", "source": action.ID,
		"stripe_js": fmt.Sprintf("%s/v3/3ds/%s?client_secret=%s", s.publicURL, id, secret),
	}}
}

// newIntent makes a PaymentIntent without a payment method.
func (s *Server) newIntent(op *operation, made intent) *intent {
	made.ID = s.longID("pi_")
	made.Secret = made.ID + "_secret_" + s.token(25)
	made.Created = op.at
	made.Status = "requires_payment_method"
	made.CaptureMethod, made.ConfirmationMethod = "automatic", "automatic"
	if made.Metadata == nil {
		made.Metadata = map[string]string{}
	}
	stored := s.memory.Intents.add(made.ID, &made)
	op.make("payment_intent.created", stored.ID)
	return stored
}

func (s *Server) createIntent(op *operation, p *params) (object, error) {
	refused := p.notSimulated("application_fee_amount", "transfer_data", "on_behalf_of", "mandate")
	if refused != nil {
		return nil, refused
	}
	if p.text("capture_method") == "manual" {
		return nil, invalidRequest("capture_method", "", "The sandbox does not simulate manual capture.")
	}
	if p.number("amount", 0) < 1 {
		return nil, invalidRequest("amount", "parameter_invalid_integer", "This value must be greater than or equal to 1.")
	}
	made := intent{
		Amount: p.number("amount", 0), Currency: strings.ToLower(p.text("currency")), Customer: p.text("customer"),
		Description: p.text("description"), ReceiptEmail: p.text("receipt_email"), FutureUsage: p.text("setup_future_usage"),
		Metadata: p.mergeMetadata(nil), ReturnURL: p.text("return_url"), Types: p.texts("payment_method_types"),
	}
	if made.Customer != "" {
		c, refused := s.customerByID(made.Customer, "customer")
		if refused != nil {
			return nil, refused
		}
		op.follow(c.Clock)
	}
	if len(made.Types) == 0 {
		// Since this version an intent without types takes what the account offers.
		made.Automatic, made.Types = true, methodTypes(made.Currency)
		made.NoRedirects = p.text("automatic_payment_methods.allow_redirects") == "never"
	}
	chosen, refused := s.chosenMethod(op, p)
	if refused != nil {
		return nil, refused
	}
	if chosen != nil {
		refused := usable(chosen, made.Customer, made.Types, "PaymentIntent")
		if refused != nil {
			return nil, refused
		}
	}
	pi := s.newIntent(op, made)
	if chosen != nil {
		pi.Method, pi.Status = chosen.ID, "requires_confirmation"
	}
	if p.truth("confirm", false) {
		return s.confirm(op, pi, chosen, p)
	}
	return s.drawIntent(pi), nil
}

// chosenMethod reads payment_method or payment_method_data; nil when neither was sent.
func (s *Server) chosenMethod(op *operation, p *params) (*method, *apiError) {
	id := p.text("payment_method")
	if id != "" {
		return s.methodForUse(op, id, "payment_method")
	}
	data := p.find("payment_method_data")
	if data == nil || data.isLeaf() {
		return nil, nil
	}
	return s.readMethod(op, &params{path: p.path, form: data})
}

// usable refuses a method of somebody else, a used-up one, and one of a type that was not offered.
func usable(m *method, customerID string, types []string, kind string) *apiError {
	if m.Customer != "" && m.Customer != customerID {
		message := "The PaymentMethod you provided (" + m.ID + ") belongs to another customer. Please use a PaymentMethod of the customer of this " + kind + "."
		if customerID == "" {
			message = "The PaymentMethod you provided (" + m.ID + ") is attached to a customer; the " + kind + " must name that customer."
		}
		return invalidRequest("payment_method", "", message)
	}
	if m.Detached {
		return invalidRequest("payment_method", "", "This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, and may not be used again.")
	}
	if len(types) > 0 && !slices.Contains(types, m.Type) {
		code := "payment_intent_incompatible_payment_method"
		if kind == "SetupIntent" {
			code = "setup_intent_invalid_parameter"
		}
		return invalidRequest("payment_method", code, "The PaymentMethod provided ("+m.Type+") is not allowed for this "+kind+". It accepts: "+strings.Join(types, ", ")+".")
	}
	return nil
}

func (s *Server) intentByID(p *params) (*intent, *apiError) {
	id := p.path["intent"]
	found, ok := s.memory.Intents.get(id)
	if !ok || p.has("client_secret") && !sameSecret(found.Secret, p.text("client_secret")) {
		return nil, missing("payment_intent", id, "intent")
	}
	return found, nil
}

func sameSecret(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (s *Server) getIntent(_ *operation, p *params) (object, error) {
	pi, refused := s.intentByID(p)
	if refused != nil {
		return nil, refused
	}
	return s.drawIntent(pi), nil
}

func (s *Server) updateIntent(op *operation, p *params) (object, error) {
	pi, refused := s.intentByID(p)
	if refused != nil {
		return nil, refused
	}
	if pi.Status == "succeeded" || pi.Status == "canceled" || pi.Status == "processing" {
		if p.has("amount") || p.has("payment_method") || p.has("setup_future_usage") || p.has("customer") {
			return nil, s.unexpectedState(pi, "This PaymentIntent could not be updated because it has a status of "+pi.Status+".")
		}
	}
	if pi.Invoice != "" && p.has("amount") && p.number("amount", 0) != pi.Amount {
		return nil, invalidRequest("amount", "", "The amount of a PaymentIntent that belongs to an invoice cannot be changed.")
	}
	op.follow(s.clockOf(pi.Customer))
	chosen, refused := s.chosenMethod(op, p)
	if refused != nil {
		return nil, refused
	}
	owner := p.or("customer", pi.Customer)
	if owner != pi.Customer {
		_, refused := s.customerByID(owner, "customer")
		if refused != nil {
			return nil, refused
		}
	}
	if chosen != nil {
		refused := usable(chosen, owner, pi.Types, "PaymentIntent")
		if refused != nil {
			return nil, refused
		}
		pi.Method, pi.Status, pi.Action = chosen.ID, "requires_confirmation", nil
	}
	pi.Customer = owner
	pi.Amount = p.number("amount", pi.Amount)
	p.set("description", &pi.Description)
	p.set("receipt_email", &pi.ReceiptEmail)
	p.set("setup_future_usage", &pi.FutureUsage)
	if p.has("payment_method_types") {
		pi.Types, pi.Automatic = p.texts("payment_method_types"), false
	}
	pi.Metadata = p.mergeMetadata(pi.Metadata)
	return s.drawIntent(pi), nil
}

func (s *Server) unexpectedState(pi *intent, message string) *apiError {
	failed := invalidRequest("", "payment_intent_unexpected_state", message)
	failed.PaymentIntent = s.drawIntent(pi)
	return failed
}

func (s *Server) confirmIntent(op *operation, p *params) (object, error) {
	pi, refused := s.intentByID(p)
	if refused != nil {
		return nil, refused
	}
	if !slices.Contains([]string{"requires_payment_method", "requires_confirmation", "requires_action"}, pi.Status) {
		return nil, s.unexpectedState(pi, "You cannot confirm this PaymentIntent because it has already "+past(pi.Status)+" previously.")
	}
	op.follow(s.clockOf(pi.Customer))
	chosen, refused := s.chosenMethod(op, p)
	if refused != nil {
		return nil, refused
	}
	return s.confirm(op, pi, chosen, p)
}

func past(status string) string {
	if status == "processing" {
		return "begun processing"
	}
	return status
}

func (s *Server) confirm(op *operation, pi *intent, chosen *method, p *params) (object, error) {
	if chosen == nil && pi.Method != "" {
		chosen, _ = s.memory.Methods.get(pi.Method)
	}
	if chosen == nil {
		return nil, s.unexpectedState(pi, "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.")
	}
	refused := usable(chosen, pi.Customer, pi.Types, "PaymentIntent")
	if refused != nil {
		return nil, refused
	}
	p.set("setup_future_usage", &pi.FutureUsage)
	p.set("return_url", &pi.ReturnURL)
	p.set("receipt_email", &pi.ReceiptEmail)
	away := p.text("off_session") != "" && p.text("off_session") != "false"
	result := s.try(op, pi, chosen, attempt{InPerson: !away})
	if result.kind == refusedByBank {
		failed := result.decline.apiError()
		failed.Charge, failed.PaymentIntent, failed.PaymentMethod = pi.LatestCharge, s.drawIntent(pi), s.drawMethod(chosen)
		return nil, failed
	}
	return s.drawIntent(pi), nil
}

func (s *Server) cancelIntent(op *operation, p *params) (object, error) {
	pi, refused := s.intentByID(p)
	if refused != nil {
		return nil, refused
	}
	if pi.Invoice != "" {
		return nil, invalidRequest("", "payment_intent_unexpected_state", "This PaymentIntent belongs to an invoice. Void the invoice to cancel it.")
	}
	if pi.Status == "succeeded" || pi.Status == "canceled" || pi.Status == "processing" {
		return nil, s.unexpectedState(pi, "You cannot cancel this PaymentIntent because it has a status of "+pi.Status+". Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action, processing.")
	}
	op.follow(s.clockOf(pi.Customer))
	s.dropIntent(op, pi, p.text("cancellation_reason"))
	return s.drawIntent(pi), nil
}

func (s *Server) dropIntent(op *operation, pi *intent, reason string) {
	if pi.Status == "succeeded" || pi.Status == "canceled" {
		return
	}
	pi.Status, pi.CanceledAt, pi.CancelReason, pi.Action, pi.SettlesAt = "canceled", op.at, reason, nil, 0
	op.emit("payment_intent.canceled", pi.ID)
}

func (s *Server) listIntents(_ *operation, p *params) (object, error) {
	return listing{
		url: "/v1/payment_intents", ids: s.memory.Intents.Order, kind: "payment_intent",
		keep: func(id string) bool {
			pi, _ := s.memory.Intents.get(id)
			return p.is("customer", pi.Customer) && p.inRange("created", pi.Created)
		},
		draw: func(id string) object {
			pi, _ := s.memory.Intents.get(id)
			return s.drawIntent(pi)
		},
	}.page(p)
}

// checkClientSecret lets a browser see and change only the intent whose secret it was given.
func (s *Server) checkClientSecret(p *params) *apiError {
	_, named := p.path["intent"]
	if named && !p.has("client_secret") {
		return missingParam("client_secret")
	}
	return nil
}

// hideFromBrowser takes out what a publishable key may not read.
func hideFromBrowser(o object) {
	for _, name := range []string{"metadata", "customer", "invoice", "latest_charge", "application", "review", "on_behalf_of", "latest_attempt", "mandate"} {
		_, ok := o[name]
		if ok && (o["object"] == "payment_intent" || o["object"] == "setup_intent") {
			delete(o, name)
		}
	}
}
