package sandbox

import (
	"fmt"
	"slices"
)

func (s *Server) drawRefund(r *refund) object {
	return object{
		"id": r.ID, "object": "refund", "amount": r.Amount, "balance_transaction": textOrNull(r.Transaction), "charge": r.Charge,
		"created": r.Created, "currency": r.Currency, "metadata": textMap(r.Metadata), "payment_intent": textOrNull(r.Intent),
		"reason": textOrNull(r.Reason), "receipt_number": nil, "source_transfer_reversal": nil, "status": r.Status, "transfer_reversal": nil,
		"destination_details": object{"type": "card", "card": object{
			"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund",
		}},
	}
}

func (s *Server) createRefund(op *operation, p *params) (object, error) {
	id := p.text("charge")
	if id == "" {
		pi, ok := s.memory.Intents.get(p.text("payment_intent"))
		if !ok {
			if p.has("payment_intent") {
				return nil, missingIn("payment_intent", "payment_intent", p.text("payment_intent"))
			}
			return nil, missingParam("charge")
		}
		id = pi.LatestCharge
	}
	c, ok := s.memory.Charges.get(id)
	if !ok {
		return nil, missingIn("charge", "charge", id)
	}
	op.follow(s.clockOf(c.Customer))
	amount := p.number("amount", c.Amount-c.Refunded)
	made, refused := s.refund(op, c, amount, p.text("reason"))
	if refused != nil {
		return nil, refused
	}
	made.Metadata = p.mergeMetadata(nil)
	return s.drawRefund(made), nil
}

func (s *Server) refund(op *operation, c *charge, amount int64, reason string) (*refund, *apiError) {
	switch {
	case c.Status != "succeeded":
		return nil, invalidRequest("", "charge_not_refundable", "This charge has not been paid and cannot be refunded.")
	case c.Refunded >= c.Amount:
		return nil, invalidRequest("", "charge_already_refunded", "Charge "+c.ID+" has already been refunded.")
	case c.Disputed:
		return nil, invalidRequest("", "charge_disputed", "Charge "+c.ID+" has been charged back; cannot issue a refund.")
	case amount < 1:
		return nil, invalidRequest("amount", "parameter_invalid_integer", "Invalid positive integer")
	case amount > c.Amount-c.Refunded:
		return nil, invalidRequest("amount", "", fmt.Sprintf("Refund amount (%s) is greater than unrefunded amount on charge (%s)", pageAmount(amount, c.Currency), pageAmount(c.Amount-c.Refunded, c.Currency)))
	}
	made := &refund{
		ID: s.longID("re_"), Charge: c.ID, Intent: c.Intent, Currency: c.Currency, Reason: reason, Status: "succeeded",
		Amount: amount, Created: op.at, Metadata: map[string]string{},
	}
	made.Transaction = s.newTransaction(op, "refund", made.ID, -amount, c.Currency)
	s.memory.Refunds.add(made.ID, made)
	c.Refunded += amount
	op.emit("charge.refunded", c.ID)
	return made, nil
}

func (s *Server) getRefund(_ *operation, p *params) (object, error) {
	found, ok := s.memory.Refunds.get(p.path["refund"])
	if !ok {
		return nil, missing("refund", p.path["refund"], "id")
	}
	return s.drawRefund(found), nil
}

func (s *Server) listRefunds(_ *operation, p *params) (object, error) {
	return listing{
		url: "/v1/refunds", ids: s.memory.Refunds.Order, kind: "refund",
		keep: func(id string) bool {
			r, _ := s.memory.Refunds.get(id)
			return p.is("charge", r.Charge) && p.is("payment_intent", r.Intent) && p.inRange("created", r.Created)
		},
		draw: func(id string) object {
			r, _ := s.memory.Refunds.get(id)
			return s.drawRefund(r)
		},
	}.page(p)
}

var evidenceNames = []string{
	"access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure", "cancellation_rebuttal",
	"customer_communication", "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
	"duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt",
	"refund_policy", "refund_policy_disclosure", "refund_refusal_explanation", "service_date", "service_documentation",
	"shipping_address", "shipping_carrier", "shipping_date", "shipping_documentation", "shipping_tracking_number",
	"uncategorized_file", "uncategorized_text",
}

func (s *Server) drawDispute(d *dispute) object {
	evidence := object{}
	for _, name := range evidenceNames {
		evidence[name] = textOrNull(d.Evidence[name])
	}
	booked := []any{}
	found, ok := s.memory.Transfers.get(d.Transaction)
	if ok {
		booked = append(booked, s.drawTransaction(found))
	}
	o := object{
		"id": d.ID, "object": "dispute", "amount": d.Amount, "balance_transactions": booked, "charge": d.Charge, "created": d.Created,
		"currency": d.Currency, "evidence": evidence, "evidence_details": object{
			"due_by": timeOrNull(d.DueBy), "has_evidence": len(d.Evidence) > 0, "past_due": false, "submission_count": d.Submissions,
		},
		"is_charge_refundable": d.Status == "warning_needs_response", "livemode": false, "metadata": textMap(d.Metadata),
		"payment_intent": textOrNull(d.Intent), "reason": d.Reason, "status": d.Status,
	}
	disputed, ok := s.memory.Charges.get(d.Charge)
	if ok && disputed.Shot.Type == "card" {
		card, _ := cardByNumber(disputed.Shot.Number)
		o["payment_method_details"] = object{"type": "card", "card": object{"brand": card.Brand, "network_reason_code": "10.4"}}
	}
	return o
}

// openDispute is a customer going to their bank. An inquiry takes no money yet.
func (s *Server) openDispute(op *operation, c *charge, reason string) *dispute {
	made := &dispute{
		ID: s.longID("dp_"), Charge: c.ID, Intent: c.Intent, Currency: c.Currency, Reason: reason, Status: "needs_response",
		Amount: c.Amount - c.Refunded, Created: op.at, DueBy: op.at + 7*day, Evidence: map[string]string{}, Metadata: map[string]string{},
	}
	if reason == "inquiry" {
		made.Reason, made.Status = "fraudulent", "warning_needs_response"
	}
	if reason == "debit_not_authorized" {
		// A direct debit taken back within eight weeks is lost at once: no evidence is heard.
		made.Status, made.DueBy = "lost", 0
	}
	s.memory.Disputes.add(made.ID, made)
	op.touch(c.ID)
	c.Disputed = true
	if made.Status != "warning_needs_response" {
		made.Transaction = s.newTransaction(op, "adjustment", made.ID, -made.Amount, made.Currency)
	}
	op.emit("charge.dispute.created", made.ID)
	if made.Transaction != "" {
		op.emit("charge.dispute.funds_withdrawn", made.ID)
	}
	if made.Status == "lost" {
		op.emit("charge.dispute.closed", made.ID)
	}
	return made
}

func (s *Server) disputeByID(p *params) (*dispute, *apiError) {
	found, ok := s.memory.Disputes.get(p.path["dispute"])
	if !ok {
		return nil, missing("dispute", p.path["dispute"], "id")
	}
	return found, nil
}

func (s *Server) getDispute(_ *operation, p *params) (object, error) {
	found, refused := s.disputeByID(p)
	if refused != nil {
		return nil, refused
	}
	return s.drawDispute(found), nil
}

// updateDispute submits evidence. The published texts winning_evidence and losing_evidence decide the case at once.
func (s *Server) updateDispute(op *operation, p *params) (object, error) {
	found, refused := s.disputeByID(p)
	if refused != nil {
		return nil, refused
	}
	c, _ := s.memory.Charges.get(found.Charge)
	op.follow(s.clockOf(c.Customer))
	if !slices.Contains([]string{"needs_response", "warning_needs_response"}, found.Status) && p.has("evidence") {
		return nil, invalidRequest("", "", "This dispute is already closed or under review.")
	}
	op.touch(found.ID)
	found.Metadata = p.mergeMetadata(found.Metadata)
	for _, name := range evidenceNames {
		if p.has("evidence." + name) {
			found.Evidence[name] = p.text("evidence." + name)
		}
	}
	if p.has("evidence") && p.truth("submit", true) {
		found.Submissions++
		switch found.Evidence["uncategorized_text"] {
		case "winning_evidence":
			s.closeDisputeAs(op, found, "won")
		case "losing_evidence":
			s.closeDisputeAs(op, found, "lost")
		default:
			found.Status = map[string]string{"needs_response": "under_review", "warning_needs_response": "warning_under_review"}[found.Status]
		}
	}
	return s.drawDispute(found), nil
}

func (s *Server) closeDisputeAs(op *operation, d *dispute, status string) {
	op.touch(d.ID)
	d.Status = status
	if status == "won" {
		op.emit("charge.dispute.funds_reinstated", d.ID)
	}
	op.emit("charge.dispute.closed", d.ID)
}

// acceptDispute gives a dispute up.
func (s *Server) acceptDispute(op *operation, p *params) (object, error) {
	found, refused := s.disputeByID(p)
	if refused != nil {
		return nil, refused
	}
	if slices.Contains([]string{"won", "lost", "warning_closed"}, found.Status) {
		return nil, invalidRequest("", "", "This dispute is already closed.")
	}
	c, _ := s.memory.Charges.get(found.Charge)
	op.follow(s.clockOf(c.Customer))
	s.closeDisputeAs(op, found, "lost")
	return s.drawDispute(found), nil
}

func (s *Server) listDisputes(_ *operation, p *params) (object, error) {
	return listing{
		url: "/v1/disputes", ids: s.memory.Disputes.Order, kind: "dispute",
		keep: func(id string) bool {
			d, _ := s.memory.Disputes.get(id)
			return p.is("charge", d.Charge) && p.is("payment_intent", d.Intent) && p.inRange("created", d.Created)
		},
		draw: func(id string) object {
			d, _ := s.memory.Disputes.get(id)
			return s.drawDispute(d)
		},
	}.page(p)
}
