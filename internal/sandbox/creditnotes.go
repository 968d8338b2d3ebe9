package sandbox

import (
	"fmt"
	"slices"
)

func (s *Server) drawCredit(n *creditNote) object {
	lines := []any{}
	for _, l := range n.Lines {
		o := object{
			"id": l.ID, "object": "credit_note_line_item", "amount": l.Amount, "amount_excluding_tax": l.Amount,
			"description": textOrNull(l.Description), "discount_amount": 0, "discount_amounts": []any{}, "livemode": false,
			"quantity": nil, "tax_amounts": []any{}, "tax_rates": []any{}, "type": l.Type, "unit_amount": nil,
			"unit_amount_decimal": nil, "unit_amount_excluding_tax": nil,
		}
		if l.InvoiceLine != "" {
			o["invoice_line_item"] = l.InvoiceLine
		}
		if l.Quantity > 0 {
			o["quantity"] = l.Quantity
		}
		lines = append(lines, o)
	}
	var outside any
	if n.OutOfBand > 0 {
		outside = n.OutOfBand
	}
	return object{
		"id": n.ID, "object": "credit_note", "amount": n.Amount, "amount_shipping": 0, "created": n.Created, "currency": n.Currency,
		"customer": n.Customer, "customer_balance_transaction": nil, "discount_amount": 0, "discount_amounts": []any{},
		"effective_at": n.Created, "invoice": n.Invoice, "lines": wholeList("/v1/credit_notes/"+n.ID+"/lines", lines), "livemode": false,
		"memo": textOrNull(n.Memo), "metadata": textMap(n.Metadata), "number": n.Number, "out_of_band_amount": outside,
		"pdf": s.publicURL + "/v1/credit_notes/" + n.ID + "/pdf", "reason": textOrNull(n.Reason), "refund": textOrNull(n.Refund),
		"shipping_cost": nil, "status": n.Status, "subtotal": n.Amount, "subtotal_excluding_tax": n.Amount, "tax_amounts": []any{},
		"total": n.Amount, "total_excluding_tax": n.Amount, "type": n.Type, "voided_at": timeOrNull(n.VoidedAt),
	}
}

// createCredit corrects a finalized invoice: before payment it lowers what is due, after it gives money back.
func (s *Server) createCredit(op *operation, p *params) (object, error) {
	refused := p.notSimulated("shipping_cost", "refund")
	if refused != nil {
		return nil, refused
	}
	inv, ok := s.memory.Invoices.get(p.text("invoice"))
	if !ok {
		return nil, missingIn("invoice", "invoice", p.text("invoice"))
	}
	op.follow(s.clockOf(inv.Customer))
	if !slices.Contains([]string{"open", "paid", "uncollectible"}, inv.Status) {
		return nil, invalidRequest("invoice", "", "You can only create credit notes for open, paid or uncollectible invoices.")
	}
	n := &creditNote{
		ID: s.longID("cn_"), Invoice: inv.ID, Customer: inv.Customer, Currency: inv.Currency, Memo: p.text("memo"), Reason: p.text("reason"),
		Status: "issued", Type: "pre_payment", Created: op.at, Metadata: p.mergeMetadata(nil),
	}
	refused = s.readCreditLines(n, inv, p)
	if refused != nil {
		return nil, refused
	}
	if n.Amount < 1 {
		return nil, invalidRequest("amount", "", "The amount of a credit note must be greater than 0.")
	}
	issued := 0
	s.memory.Credits.each(func(_ string, other *creditNote) {
		if other.Invoice == inv.ID {
			issued++
		}
	})
	n.Number = fmt.Sprintf("%s-CN-%02d", inv.Number, issued+1)
	if inv.Status == "paid" {
		refused := s.creditAfter(op, n, inv, p)
		if refused != nil {
			return nil, refused
		}
	}
	if inv.Status != "paid" {
		if n.Amount > inv.remaining() {
			return nil, invalidRequest("amount", "", fmt.Sprintf("The credit note's amount is greater than what remains on the invoice (%s).", pageAmount(inv.remaining(), inv.Currency)))
		}
		if s.debitUnderWay(inv) {
			return nil, invalidRequest("invoice", "", "You cannot credit an invoice whose payment is processing.")
		}
	}
	s.memory.Credits.add(n.ID, n)
	op.make("credit_note.created", n.ID)
	op.touch(inv.ID)
	if n.Type == "post_payment" {
		inv.CreditedAfter += n.Amount
		return s.drawCredit(n), nil
	}
	inv.CreditedBefore += n.Amount
	s.followDue(op, inv)
	return s.drawCredit(n), nil
}

// followDue brings an invoice's PaymentIntent to what remains; an invoice that asks for nothing more is paid.
func (s *Server) followDue(op *operation, inv *invoice) {
	pi, ok := s.memory.Intents.get(inv.Intent)
	if inv.remaining() > 0 {
		if ok && pi.Status != "succeeded" && pi.Status != "canceled" {
			pi.Amount = inv.remaining()
		}
		return
	}
	if ok {
		s.dropIntent(op, pi, "automatic")
	}
	inv.Status, inv.PaidAt, inv.NextAttempt = "paid", op.at, 0
	op.emit("invoice.paid", inv.ID)
	op.emit("invoice.payment_succeeded", inv.ID)
	s.closeInvoice(op, inv)
}

func (s *Server) readCreditLines(n *creditNote, inv *invoice, p *params) *apiError {
	if len(p.each("lines")) == 0 {
		n.Amount = p.number("amount", p.number("credit_amount", 0)+p.number("refund_amount", 0)+p.number("out_of_band_amount", 0))
		n.Lines = []creditLine{{ID: s.longID("cnli_"), Type: "custom_line_item", Amount: n.Amount, Description: "Credit", Quantity: 1}}
		return nil
	}
	for _, sent := range p.each("lines") {
		l := creditLine{ID: s.longID("cnli_"), Type: sent.text("type"), Description: sent.text("description"), Quantity: sent.number("quantity", 0)}
		l.Amount = sent.number("amount", sent.number("unit_amount", 0)*max(1, l.Quantity))
		if l.Type == "invoice_line_item" {
			at := slices.IndexFunc(inv.Lines, func(other line) bool { return other.ID == sent.text("invoice_line_item") })
			if at < 0 {
				return missingIn("lines[0][invoice_line_item]", "invoice line item", sent.text("invoice_line_item"))
			}
			l.InvoiceLine = inv.Lines[at].ID
			if l.Description == "" {
				l.Description = inv.Lines[at].Description
			}
			if !sent.has("amount") {
				l.Amount = inv.Lines[at].Amount
				if l.Quantity > 0 && inv.Lines[at].Quantity > 0 {
					l.Amount = inv.Lines[at].Amount / inv.Lines[at].Quantity * l.Quantity
				}
			}
		}
		n.Amount += l.Amount
		n.Lines = append(n.Lines, l)
	}
	return nil
}

// creditAfter gives money back for a paid invoice: to the card, to the customer's balance, or outside Stripe.
func (s *Server) creditAfter(op *operation, n *creditNote, inv *invoice, p *params) *apiError {
	n.Type = "post_payment"
	back, credit, outside := p.number("refund_amount", 0), p.number("credit_amount", 0), p.number("out_of_band_amount", 0)
	if back+credit+outside != n.Amount {
		return invalidRequest("", "", "The sum of credit amount, refund amount and out of band amount ("+pageAmount(back+credit+outside, n.Currency)+") must equal the credit note amount ("+pageAmount(n.Amount, n.Currency)+").")
	}
	if n.Amount > inv.subtotal()-inv.CreditedBefore-inv.CreditedAfter {
		return invalidRequest("amount", "", "The credit notes of an invoice cannot be more than the invoice.")
	}
	n.OutOfBand = outside
	if back > 0 {
		c, ok := s.memory.Charges.get(inv.Charge)
		if !ok {
			return invalidRequest("refund_amount", "", "This invoice was not paid by a charge that could be refunded.")
		}
		made, refused := s.refund(op, c, back, "")
		if refused != nil {
			return refused
		}
		n.Refund = made.ID
	}
	owner, ok := s.memory.Customers.get(inv.Customer)
	if ok && credit > 0 {
		op.touch(owner.ID)
		owner.Balance -= credit
		n.ToBalance = credit
	}
	return nil
}

func (s *Server) creditByID(p *params) (*creditNote, *apiError) {
	found, ok := s.memory.Credits.get(p.path["id"])
	if !ok {
		return nil, missing("credit_note", p.path["id"], "id")
	}
	return found, nil
}

func (s *Server) getCredit(_ *operation, p *params) (object, error) {
	found, refused := s.creditByID(p)
	if refused != nil {
		return nil, refused
	}
	return s.drawCredit(found), nil
}

func (s *Server) updateCredit(op *operation, p *params) (object, error) {
	found, refused := s.creditByID(p)
	if refused != nil {
		return nil, refused
	}
	op.follow(s.clockOf(found.Customer))
	op.touch(found.ID)
	p.set("memo", &found.Memo)
	found.Metadata = p.mergeMetadata(found.Metadata)
	return s.drawCredit(found), nil
}

func (s *Server) voidCredit(op *operation, p *params) (object, error) {
	found, refused := s.creditByID(p)
	if refused != nil {
		return nil, refused
	}
	inv, _ := s.memory.Invoices.get(found.Invoice)
	if found.Status == "void" || found.Type == "post_payment" || inv.Status != "open" {
		return nil, invalidRequest("", "", "You can only void a credit note of an open invoice.")
	}
	op.follow(s.clockOf(found.Customer))
	found.Status, found.VoidedAt = "void", op.at
	op.emit("credit_note.voided", found.ID)
	op.touch(inv.ID)
	inv.CreditedBefore -= found.Amount
	s.followDue(op, inv)
	return s.drawCredit(found), nil
}

func (s *Server) listCredits(_ *operation, p *params) (object, error) {
	return listing{
		url: "/v1/credit_notes", ids: s.memory.Credits.Order, kind: "credit_note",
		keep: func(id string) bool {
			n, _ := s.memory.Credits.get(id)
			return p.is("invoice", n.Invoice) && p.is("customer", n.Customer)
		},
		draw: func(id string) object {
			n, _ := s.memory.Credits.get(id)
			return s.drawCredit(n)
		},
	}.page(p)
}
