package sandbox

import "fmt"

func (s *Server) drawCharge(c *charge) object {
	o := object{
		"id": c.ID, "object": "charge", "amount": c.Amount, "amount_captured": c.Amount, "amount_refunded": c.Refunded,
		"application": nil, "application_fee": nil, "application_fee_amount": nil,
		"balance_transaction": textOrNull(c.Transaction), "billing_details": c.Billing.draw(),
		"calculated_statement_descriptor": "SANDBOX", "captured": c.Status == "succeeded", "created": c.Created,
		"currency": c.Currency, "customer": textOrNull(c.Customer), "description": textOrNull(c.Description),
		"disputed": c.Disputed, "failure_balance_transaction": nil, "failure_code": textOrNull(c.FailureCode),
		"failure_message": textOrNull(c.FailureMessage), "fraud_details": object{}, "invoice": textOrNull(c.Invoice),
		"livemode": false, "metadata": textMap(c.Metadata), "on_behalf_of": nil, "outcome": c.drawOutcome(),
		"paid": c.Status == "succeeded", "payment_intent": textOrNull(c.Intent), "payment_method": c.Method,
		"payment_method_details": c.drawDetails(), "receipt_email": textOrNull(c.ReceiptEmail), "receipt_number": nil,
		"receipt_url": nil, "refunded": c.Refunded >= c.Amount && c.Amount > 0, "review": nil, "shipping": nil,
		"source_transfer": nil, "statement_descriptor": nil, "statement_descriptor_suffix": nil, "status": c.Status,
		"transfer_data": nil, "transfer_group": nil,
	}
	if c.Status != "succeeded" {
		o["amount_captured"] = 0
	}
	if c.Status == "failed" {
		o["paid"] = false
	}
	if c.Status == "succeeded" {
		o["receipt_url"] = fmt.Sprintf("https://pay.stripe.com/receipts/payment/%s", c.ID)
	}
	return o
}

func (c *charge) drawOutcome() any {
	if c.Status == "pending" {
		return object{"network_status": "approved_by_network", "reason": nil, "risk_level": "not_assessed", "seller_message": "Payment pending.", "type": "authorized"}
	}
	o := object{
		"network_status": c.NetworkStatus, "reason": textOrNull(c.Reason), "risk_level": "normal", "risk_score": 12,
		"seller_message": c.Seller, "type": c.OutcomeType,
	}
	if c.OutcomeType == "blocked" {
		o["risk_level"], o["risk_score"] = "highest", 92
	}
	return o
}

// drawDetails shows the method as it was when it was charged.
func (c *charge) drawDetails() object {
	m := c.Shot
	switch m.Type {
	case "sepa_debit":
		return object{"type": m.Type, m.Type: object{
			"bank_code": bankCode(m.Number), "branch_code": "", "country": m.Number[:2], "fingerprint": m.Fingerprint,
			"last4": m.last4(), "mandate": nil,
		}}
	case "us_bank_account":
		return object{"type": m.Type, m.Type: object{
			"account_holder_type": m.HolderType, "account_type": m.AccountType, "bank_name": "STRIPE TEST BANK",
			"fingerprint": m.Fingerprint, "last4": m.last4(), "routing_number": "110000000",
		}}
	}
	card, _ := cardByNumber(m.Number)
	authorized := any(c.Amount)
	if c.Status == "failed" {
		authorized = nil
	}
	return object{"type": "card", "card": object{
		"amount_authorized": authorized, "brand": card.Brand, "checks": m.drawChecks(card), "country": card.Country,
		"exp_month": m.ExpMonth, "exp_year": m.ExpYear, "fingerprint": m.Fingerprint, "funding": card.Funding,
		"extended_authorization":    object{"status": "disabled"},
		"incremental_authorization": object{"status": "unavailable"}, "installments": nil, "last4": m.last4(), "mandate": nil,
		"multicapture": object{"status": "unavailable"}, "network": card.Brand, "network_token": object{"used": false},
		"overcapture":    object{"maximum_amount_capturable": c.Amount, "status": "unavailable"},
		"three_d_secure": drawThreeD(c.Authenticated), "wallet": nil,
	}}
}

// newCharge records one attempt and tells of it.
func (s *Server) newCharge(op *operation, pi *intent, m *method, how attempt, status string, why decline) *charge {
	prefix := "ch_"
	if m.Type != "card" {
		prefix = "py_"
	}
	made := &charge{
		ID: s.longID(prefix), Customer: pi.Customer, Invoice: pi.Invoice, Intent: pi.ID, Method: m.ID, Status: status,
		Currency: pi.Currency, Description: pi.Description, Amount: pi.Amount, Created: op.at, Authenticated: how.Confirmed,
		ReceiptEmail: pi.ReceiptEmail, Billing: m.Billing, Shot: *m, Metadata: map[string]string{},
		NetworkStatus: "approved_by_network", OutcomeType: "authorized", Seller: "Payment complete.",
	}
	for key, value := range pi.Metadata {
		made.Metadata[key] = value
	}
	s.memory.Charges.add(made.ID, made)
	pi.LatestCharge = made.ID
	switch status {
	case "succeeded":
		made.Transaction = s.newTransaction(op, "charge", made.ID, made.Amount, made.Currency)
	case "failed":
		made.FailureCode, made.FailureMessage = why.Code, why.Message
		made.NetworkStatus, made.OutcomeType, made.Reason, made.Seller = why.NetworkStatus, why.Type, why.Reason, why.Seller
	}
	op.make("charge."+status, made.ID)
	return made
}

// newTransaction books money; Stripe's fee is its published European card price.
func (s *Server) newTransaction(op *operation, kind, source string, amount int64, currency string) string {
	fee := int64(0)
	if kind == "charge" {
		fee = amount*15/1000 + 25
	}
	prefix := "txn_"
	booked := &transaction{
		ID: s.longID(prefix), Type: kind, Source: source, Currency: currency, Amount: amount, Fee: fee,
		Created: op.at, Category: kind,
	}
	if kind == "adjustment" {
		booked.Category = "dispute"
	}
	s.memory.Transfers.add(booked.ID, booked)
	return booked.ID
}

func (s *Server) drawTransaction(t *transaction) object {
	fees := []any{}
	if t.Fee > 0 {
		fees = append(fees, object{"amount": t.Fee, "application": nil, "currency": t.Currency, "description": "Stripe processing fees", "type": "stripe_fee"})
	}
	return object{
		"id": t.ID, "object": "balance_transaction", "amount": t.Amount, "available_on": t.Created + 7*day, "created": t.Created,
		"currency": t.Currency, "description": textOrNull(t.Description), "exchange_rate": nil, "fee": t.Fee, "fee_details": fees,
		"net": t.Amount - t.Fee, "reporting_category": t.Category, "source": textOrNull(t.Source), "status": "pending", "type": t.Type,
	}
}

func (s *Server) getTransaction(_ *operation, p *params) (object, error) {
	found, ok := s.memory.Transfers.get(p.path["id"])
	if !ok {
		return nil, missing("balance transaction", p.path["id"], "id")
	}
	return s.drawTransaction(found), nil
}

func (s *Server) getCharge(_ *operation, p *params) (object, error) {
	found, ok := s.memory.Charges.get(p.path["charge"])
	if !ok {
		return nil, missing("charge", p.path["charge"], "id")
	}
	return s.drawCharge(found), nil
}

func (s *Server) updateCharge(op *operation, p *params) (object, error) {
	found, ok := s.memory.Charges.get(p.path["charge"])
	if !ok {
		return nil, missing("charge", p.path["charge"], "id")
	}
	op.follow(s.clockOf(found.Customer))
	op.touch(found.ID)
	p.set("description", &found.Description)
	p.set("receipt_email", &found.ReceiptEmail)
	found.Metadata = p.mergeMetadata(found.Metadata)
	return s.drawCharge(found), nil
}

func (s *Server) listCharges(_ *operation, p *params) (object, error) {
	return listing{
		url: "/v1/charges", ids: s.memory.Charges.Order, kind: "charge",
		keep: func(id string) bool {
			c, _ := s.memory.Charges.get(id)
			return p.is("customer", c.Customer) && p.is("payment_intent", c.Intent) && p.inRange("created", c.Created)
		},
		draw: func(id string) object {
			c, _ := s.memory.Charges.get(id)
			return s.drawCharge(c)
		},
	}.page(p)
}
