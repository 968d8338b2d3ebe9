package sandbox

import "slices"

func (s *Server) updateSubscription(op *operation, p *params) (object, error) {
	sub, refused := s.subscriptionByID(p.path["subscription_exposed_id"])
	if refused != nil {
		return nil, refused
	}
	refused = p.notSimulated("coupon", "promotion_code", "application_fee_percent", "transfer_data", "billing_thresholds",
		"pending_invoice_item_interval", "add_invoice_items", "on_behalf_of", "default_source", "default_tax_rates", "automatic_tax.enabled")
	if refused != nil {
		return nil, refused
	}
	if sub.ended() {
		return nil, invalidRequest("", "", "A canceled subscription can only update its cancellation_details and metadata.")
	}
	if sub.Status == "incomplete" {
		for _, name := range p.form.names() {
			if name != "metadata" && name != "default_source" && name != "expand" {
				return nil, invalidRequest(name, "", "You cannot update a subscription in `incomplete` status in a way that results in proration or invoice generation, only metadata and default_source.")
			}
		}
	}
	op.follow(s.clockOf(sub.Customer))
	items, refused := s.readItems(op, p, sub.Items)
	if refused != nil {
		return nil, refused
	}
	op.touch(sub.ID)
	before := *sub
	refused = s.readSubscription(op, sub, p)
	if refused != nil {
		*sub = before
		return nil, refused
	}
	if p.has("collection_method") {
		sub.CollectionMethod = p.text("collection_method")
		if sub.CollectionMethod == "send_invoice" && sub.DaysUntilDue == 0 && !p.has("days_until_due") {
			*sub = before
			return nil, missingParam("days_until_due")
		}
	}
	if p.has("items") && len(items) > 0 {
		if p.or("proration_behavior", "create_prorations") != "none" && sub.Status != "trialing" {
			s.prorate(op, sub, items)
		}
		sub.Items = items
	}
	ends := p.text("trial_end") == "now" && sub.Status == "trialing"
	if sub.TrialEnd > op.at && sub.Status == "trialing" {
		sub.PeriodEnd, sub.Anchor = sub.TrialEnd, sub.TrialEnd
	}
	if ends || p.text("billing_cycle_anchor") == "now" {
		op.flush()
		sub.Anchor = op.at
		inv := s.renew(op, sub, op.at, "subscription_update")
		s.finalize(op, inv)
		op.flush()
		if inv.Status == "open" && inv.CollectionMethod == "charge_automatically" {
			s.collect(op, inv)
		}
	}
	return s.drawSubscription(sub), nil
}

// prorate leaves two items for the next invoice: what is not used of the old price, and what is left at the new one.
func (s *Server) prorate(op *operation, sub *subscription, after []subscriptionItem) {
	left, whole := sub.PeriodEnd-op.at, sub.PeriodEnd-sub.PeriodStart
	if left <= 0 || whole <= 0 || slices.EqualFunc(sub.Items, after, func(a, b subscriptionItem) bool {
		return a.Price == b.Price && a.Quantity == b.Quantity
	}) {
		return
	}
	book := func(items []subscriptionItem, sign int64, words string) {
		for _, item := range items {
			priced, ok := s.memory.Prices.get(item.Price)
			if !ok {
				continue
			}
			amount := sign * rounded(priced.Decimal, item.Quantity) * left / whole
			made := &invoiceItem{
				ID: s.longID("ii_"), Customer: sub.Customer, Currency: sub.Currency, Description: words + s.lineText(priced, item.Quantity),
				Price: priced.ID, Subscription: sub.ID, UnitAmount: amount, Quantity: 1, Date: op.at, Start: op.at, End: sub.PeriodEnd,
				Proration: true, Metadata: map[string]string{},
			}
			s.memory.Items.add(made.ID, made)
			op.make("invoiceitem.created", made.ID)
		}
	}
	book(sub.Items, -1, "Unused time on ")
	book(after, 1, "Remaining time on ")
}

func (s *Server) cancelSubscription(op *operation, p *params) (object, error) {
	sub, refused := s.subscriptionByID(p.path["subscription_exposed_id"])
	if refused != nil {
		return nil, refused
	}
	if sub.ended() {
		return nil, missing("subscription", sub.ID, "id")
	}
	op.follow(s.clockOf(sub.Customer))
	p.set("cancellation_details.comment", &sub.CancelComment)
	p.set("cancellation_details.feedback", &sub.CancelFeedback)
	s.endSubscription(op, sub, "cancellation_requested")
	return s.drawSubscription(sub), nil
}

// endSubscription cancels at once. Drafts of its renewals stop; open invoices stay open, no longer retried.
func (s *Server) endSubscription(op *operation, sub *subscription, reason string) {
	if reason == "canceled" {
		reason = "cancellation_requested"
	}
	if sub.CanceledAt == 0 {
		sub.CanceledAt = op.at
	}
	if sub.CancelReason == "" {
		sub.CancelReason = reason
	}
	sub.Status, sub.EndedAt, sub.Pause = "canceled", op.at, nil
	s.memory.Invoices.each(func(id string, inv *invoice) {
		if inv.Subscription == sub.ID && (inv.Status == "draft" || inv.Status == "open") && inv.CollectionMethod == "charge_automatically" {
			op.touch(id)
			inv.AutoAdvance, inv.NextAttempt, inv.FinalizesAt = false, 0, 0
		}
	})
	op.make("customer.subscription.deleted", sub.ID)
}

func (s *Server) resumeSubscription(op *operation, p *params) (object, error) {
	sub, refused := s.subscriptionByID(p.path["subscription"])
	if refused != nil {
		return nil, refused
	}
	if sub.Status != "paused" {
		return nil, invalidRequest("", "", "Only subscriptions with the status paused can be resumed. This subscription is "+sub.Status+".")
	}
	op.follow(s.clockOf(sub.Customer))
	op.touch(sub.ID)
	sub.Status, sub.Anchor = "active", op.at
	op.emit("customer.subscription.resumed", sub.ID)
	inv := s.renew(op, sub, op.at, "subscription_update")
	s.finalize(op, inv)
	op.flush()
	if inv.Status == "open" && inv.CollectionMethod == "charge_automatically" {
		s.collect(op, inv)
	}
	return s.drawSubscription(sub), nil
}
