package sandbox

func (s *Server) drawSubscription(sub *subscription) object {
	items := []any{}
	for i := range sub.Items {
		items = append(items, s.drawSubscriptionItem(sub, &sub.Items[i]))
	}
	var pause any
	if sub.Pause != nil {
		pause = object{"behavior": sub.Pause.Behavior, "resumes_at": timeOrNull(sub.Pause.ResumesAt)}
	}
	save := sub.SaveDefault
	if save == "" {
		save = "off"
	}
	missingMethod := sub.TrialMissing
	if missingMethod == "" {
		missingMethod = "create_invoice"
	}
	var until any
	if sub.CollectionMethod == "send_invoice" {
		until = sub.DaysUntilDue
	}
	return object{
		"id": sub.ID, "object": "subscription", "application": nil, "application_fee_percent": nil,
		"automatic_tax": object{"enabled": false, "liability": nil}, "billing_cycle_anchor": sub.Anchor,
		"billing_cycle_anchor_config": nil, "billing_thresholds": nil, "cancel_at": timeOrNull(sub.CancelAt),
		"cancel_at_period_end": sub.CancelAtPeriodEnd, "canceled_at": timeOrNull(sub.CanceledAt),
		"cancellation_details": object{
			"comment": textOrNull(sub.CancelComment), "feedback": textOrNull(sub.CancelFeedback), "reason": textOrNull(sub.CancelReason),
		},
		"collection_method": sub.CollectionMethod, "created": sub.Created, "currency": sub.Currency,
		"current_period_end": sub.PeriodEnd, "current_period_start": sub.PeriodStart, "customer": sub.Customer,
		"days_until_due": until, "default_payment_method": textOrNull(sub.DefaultMethod), "default_source": nil,
		"default_tax_rates": []any{}, "description": textOrNull(sub.Description), "discount": nil,
		"ended_at": timeOrNull(sub.EndedAt),
		"items": object{
			"object": "list", "data": items, "has_more": false, "url": "/v1/subscription_items?subscription=" + sub.ID,
		},
		"latest_invoice": textOrNull(sub.LatestInvoice), "livemode": false, "metadata": textMap(sub.Metadata),
		"next_pending_invoice_item_invoice": nil, "on_behalf_of": nil, "pause_collection": pause,
		"payment_settings": object{
			"payment_method_options": nil, "payment_method_types": textListOrNull(sub.MethodTypes), "save_default_payment_method": save,
		},
		"pending_invoice_item_interval": nil, "pending_setup_intent": textOrNull(sub.PendingSetup), "pending_update": nil,
		"schedule": nil, "start_date": sub.StartDate, "status": sub.Status, "test_clock": textOrNull(s.clockOf(sub.Customer)),
		"transfer_data": nil, "trial_end": timeOrNull(sub.TrialEnd),
		"trial_settings": object{"end_behavior": object{"missing_payment_method": missingMethod}},
		"trial_start":    timeOrNull(sub.TrialStart),
	}
}

func (s *Server) drawSubscriptionItem(sub *subscription, item *subscriptionItem) object {
	o := object{
		"id": item.ID, "object": "subscription_item", "billing_thresholds": nil, "created": item.Created,
		"metadata": textMap(item.Metadata), "price": nil, "quantity": item.Quantity, "subscription": sub.ID, "tax_rates": []any{},
	}
	priced, ok := s.memory.Prices.get(item.Price)
	if ok {
		o["price"] = s.drawPrice(priced)
	}
	return o
}
