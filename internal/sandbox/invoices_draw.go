package sandbox

func (inv *invoice) subtotal() int64 {
	sum := int64(0)
	for _, l := range inv.Lines {
		sum += l.Amount
	}
	return sum
}

// due is what is asked for: the total, less what the customer's balance and credit notes took off before payment.
func (inv *invoice) due() int64 {
	return max(0, inv.subtotal()-inv.BalanceUsed-inv.CreditedBefore)
}

func (inv *invoice) remaining() int64 { return inv.due() - inv.AmountPaid }

func (s *Server) drawInvoice(inv *invoice) object {
	total := inv.subtotal()
	lines := []any{}
	for i := range inv.Lines {
		lines = append(lines, s.drawLine(inv, &inv.Lines[i]))
	}
	holder := inv.Holder
	if holder == nil {
		holder = s.holderOf(inv.Customer)
	}
	o := object{
		"id": inv.ID, "object": "invoice", "account_country": "IT", "account_name": s.merchant, "account_tax_ids": nil,
		"amount_due": inv.due(), "amount_paid": inv.AmountPaid, "amount_remaining": inv.remaining(), "amount_shipping": 0,
		"application": nil, "application_fee_amount": nil, "attempt_count": inv.AttemptCount, "attempted": inv.Attempted,
		"auto_advance": inv.AutoAdvance, "automatic_tax": object{"enabled": false, "liability": nil, "status": nil},
		"billing_reason": inv.BillingReason, "charge": textOrNull(inv.Charge), "collection_method": inv.CollectionMethod,
		"created": inv.Created, "currency": inv.Currency, "custom_fields": nil, "customer": inv.Customer,
		"customer_address": holder.Address.draw(), "customer_email": textOrNull(holder.Email),
		"customer_name": textOrNull(holder.Name), "customer_phone": textOrNull(holder.Phone),
		"customer_shipping": holder.Shipping.draw(), "customer_tax_exempt": textOrNull(holder.TaxExempt),
		"customer_tax_ids": []any{}, "default_payment_method": textOrNull(inv.DefaultMethod), "default_source": nil,
		"default_tax_rates": []any{}, "description": textOrNull(inv.Description), "discount": nil, "discounts": []any{},
		"due_date": timeOrNull(inv.DueDate), "effective_at": timeOrNull(inv.FinalizedAt), "ending_balance": nil,
		"footer": textOrNull(inv.Footer), "from_invoice": nil, "hosted_invoice_url": nil, "invoice_pdf": nil,
		"issuer": object{"type": "self"}, "last_finalization_error": nil, "latest_revision": nil,
		"lines":    object{"object": "list", "data": lines, "has_more": false, "url": "/v1/invoices/" + inv.ID + "/lines"},
		"livemode": false, "metadata": textMap(inv.Metadata), "next_payment_attempt": timeOrNull(inv.NextAttempt),
		"number": textOrNull(inv.Number), "on_behalf_of": nil, "paid": inv.Status == "paid",
		"paid_out_of_band": inv.PaidOutOfBand, "payment_intent": textOrNull(inv.Intent),
		"payment_settings": object{
			"default_mandate": nil, "payment_method_options": nil, "payment_method_types": textListOrNull(inv.MethodTypes),
		},
		"period_end": inv.PeriodEnd, "period_start": inv.PeriodStart,
		"post_payment_credit_notes_amount": inv.CreditedAfter, "pre_payment_credit_notes_amount": inv.CreditedBefore,
		"quote": nil, "receipt_number": nil, "rendering": nil, "shipping_cost": nil, "shipping_details": nil,
		"starting_balance": inv.StartingBalance, "statement_descriptor": textOrNull(inv.Statement), "status": inv.Status,
		"status_transitions": object{
			"finalized_at": timeOrNull(inv.FinalizedAt), "marked_uncollectible_at": timeOrNull(inv.UncollectibleAt),
			"paid_at": timeOrNull(inv.PaidAt), "voided_at": timeOrNull(inv.VoidedAt),
		},
		"subscription": textOrNull(inv.Subscription), "subscription_details": object{"metadata": nil},
		"subtotal": total, "subtotal_excluding_tax": total, "tax": nil, "test_clock": textOrNull(s.clockOf(inv.Customer)),
		"total": total, "total_discount_amounts": []any{}, "total_excluding_tax": total, "total_tax_amounts": []any{},
		"transfer_data": nil, "webhooks_delivered_at": timeOrNull(inv.DeliveredAt),
	}
	if inv.Subscription != "" {
		o["subscription_details"] = object{"metadata": textMap(inv.SubscriptionMetadata)}
	}
	if inv.EndingBalance != nil {
		o["ending_balance"] = *inv.EndingBalance
	}
	if inv.HostedToken != "" {
		page := s.publicURL + "/i/" + inv.HostedToken
		o["hosted_invoice_url"], o["invoice_pdf"] = page, page+"/pdf"
	}
	if inv.Status == "upcoming" {
		// A preview has no id and is no invoice yet.
		delete(o, "id")
		o["status"] = "draft"
	}
	return o
}

func (s *Server) holderOf(customerID string) *invoiceHolder {
	c, ok := s.memory.Customers.get(customerID)
	if !ok {
		return &invoiceHolder{}
	}
	return &invoiceHolder{Email: c.Email, Name: c.Name, Phone: c.Phone, TaxExempt: c.TaxExempt, Address: c.Address, Shipping: c.Shipping}
}

func (s *Server) drawLine(inv *invoice, l *line) object {
	o := object{
		"id": l.ID, "object": "line_item", "amount": l.Amount, "amount_excluding_tax": l.Amount, "currency": l.Currency,
		"description": textOrNull(l.Description), "discount_amounts": []any{}, "discountable": true, "discounts": []any{},
		"invoice": textOrNull(inv.ID), "livemode": false, "metadata": textMap(l.Metadata),
		"period": object{"end": l.End, "start": l.Start}, "price": nil, "proration": l.Proration,
		"proration_details": object{"credited_items": nil}, "quantity": l.Quantity,
		"subscription": textOrNull(l.Subscription), "tax_amounts": []any{}, "tax_rates": []any{}, "type": l.Type,
		"unit_amount_excluding_tax": nil,
	}
	if l.SubscriptionItem != "" {
		o["subscription_item"] = l.SubscriptionItem
	}
	if l.Item != "" {
		o["invoice_item"] = l.Item
	}
	priced, ok := s.memory.Prices.get(l.Price)
	if ok {
		o["price"] = s.drawPrice(priced)
		o["unit_amount_excluding_tax"] = priced.Decimal
	}
	return o
}
