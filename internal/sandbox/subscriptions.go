package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// incompleteHours is how long a first payment may be outstanding before the subscription expires.
const incompleteHours = 23

func (sub *subscription) ended() bool {
	return sub.Status == "canceled" || sub.Status == "incomplete_expired"
}

// liveStatus is what a subscription is when nothing is owed.
func (sub *subscription) liveStatus(at int64) string {
	if sub.TrialEnd > at {
		return "trialing"
	}
	return "active"
}

func (s *Server) createSubscription(op *operation, p *params) (object, error) {
	refused := p.notSimulated("coupon", "promotion_code", "application_fee_percent", "transfer_data", "default_tax_rates",
		"billing_thresholds", "pending_invoice_item_interval", "backdate_start_date", "billing_cycle_anchor_config",
		"add_invoice_items", "on_behalf_of", "automatic_tax.enabled", "default_source", "trial_from_plan")
	if refused != nil {
		return nil, refused
	}
	c, refused := s.customerByID(p.text("customer"), "customer")
	if refused != nil {
		return nil, refused
	}
	op.follow(c.Clock)
	sub := &subscription{
		ID: s.longID("sub_"), Customer: c.ID, Status: "active", Created: op.at, StartDate: op.at, PeriodStart: op.at, Anchor: op.at,
		CollectionMethod: p.or("collection_method", "charge_automatically"), Metadata: map[string]string{},
	}
	refused = s.readSubscription(op, sub, p)
	if refused != nil {
		return nil, refused
	}
	sub.Items, refused = s.readItems(op, p, nil)
	if refused != nil {
		return nil, refused
	}
	if len(sub.Items) == 0 {
		return nil, missingParam("items")
	}
	lead, _ := s.memory.Prices.get(sub.Items[0].Price)
	sub.Currency = lead.Currency
	if c.Currency != "" && c.Currency != sub.Currency {
		return nil, invalidRequest("", "", "You cannot combine currencies on a single customer. This customer has an active subscription, or invoice items, with currency "+c.Currency+".")
	}
	if sub.CollectionMethod == "send_invoice" && !p.has("days_until_due") {
		return nil, missingParam("days_until_due")
	}
	share, whole, refused := firstPeriod(op, sub, lead, p)
	if refused != nil {
		return nil, refused
	}
	lines := s.cycleLines(sub, sub.PeriodStart, sub.PeriodEnd)
	for i := range lines {
		lines[i].Amount = lines[i].Amount * share / whole
		lines[i].Proration = share > 0 && share != whole
		if sub.Status == "trialing" {
			lines[i].Description = trialText(lines[i].Description)
		}
	}
	return s.startSubscription(op, sub, lines, p)
}

// trialText words the line of a trial, "Trial period for Studio plan", from that of a paid period.
func trialText(text string) string {
	_, named, _ := strings.Cut(text, " × ")
	at := strings.LastIndex(named, " (at ")
	return "Trial period for " + named[:max(at, 0)]
}

// firstPeriod sets how long a subscription's first period lasts, and answers which share of a whole one is billed for it:
// nothing in a trial, a part until a later anchor.
func firstPeriod(op *operation, sub *subscription, lead *price, p *params) (share, whole int64, refused *apiError) {
	share, whole = 1, 1
	sub.PeriodEnd = periodEnd(sub.Anchor, op.at, lead.Interval, lead.IntervalCount)
	anchor := p.number("billing_cycle_anchor", 0)
	switch {
	case sub.TrialEnd > op.at:
		sub.Status, sub.TrialStart = "trialing", op.at
		sub.PeriodEnd, sub.Anchor = sub.TrialEnd, sub.TrialEnd
		if anchor > 0 {
			sub.Anchor = anchor
		}
		share = 0
	case anchor > 0:
		if anchor <= op.at {
			return 0, 0, invalidRequest("billing_cycle_anchor", "", "billing_cycle_anchor cannot be in the past.")
		}
		if anchor > periodEnd(op.at, op.at, lead.Interval, lead.IntervalCount) {
			return 0, 0, invalidRequest("billing_cycle_anchor", "", "billing_cycle_anchor cannot be later than next natural billing date for plan.")
		}
		sub.Anchor, sub.PeriodEnd = anchor, anchor
		share, whole = anchor-op.at, wholePeriod(op.at, lead.Interval, lead.IntervalCount)
		if p.text("proration_behavior") == "none" {
			share = 0
		}
	}
	return share, whole, nil
}

// startSubscription makes the first invoice and, unless told otherwise, charges it at once.
func (s *Server) startSubscription(op *operation, sub *subscription, lines []line, p *params) (object, error) {
	behaviour := p.or("payment_behavior", "allow_incomplete")
	automatic := sub.CollectionMethod == "charge_automatically"
	owed := int64(0)
	for _, l := range lines {
		owed += l.Amount
	}
	lines = append(lines, s.takePending(op, sub.Customer, sub.ID, sub.Currency, false)...)
	draft := invoice{
		Customer: sub.Customer, Subscription: sub.ID, Currency: sub.Currency, BillingReason: "subscription_create",
		CollectionMethod: sub.CollectionMethod, Lines: lines, PeriodStart: op.at, PeriodEnd: op.at, AutoAdvance: true,
		DefaultMethod: "", MethodTypes: sub.MethodTypes, SubscriptionMetadata: sub.Metadata,
	}
	probe := draft
	s.memory.Subs.add(sub.ID, sub)
	onFile := s.methodOnFile(&probe)
	charges := automatic && owed > 0 && behaviour != "default_incomplete"
	if charges && onFile == nil {
		s.memory.Subs.remove(sub.ID)
		return nil, invalidRequest("", "resource_missing", "This customer has no attached payment source or default payment method. Please consider adding a default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.")
	}
	if charges && behaviour == "error_if_incomplete" {
		result := s.verdictOn(&intent{Invoice: "", Amount: owed}, onFile, attempt{InPerson: !p.truth("off_session", false)})
		if result.kind == refusedByBank || result.kind == needsConfirmation {
			s.memory.Subs.remove(sub.ID)
			failed := result.decline.apiError()
			if result.kind == needsConfirmation {
				failed = &apiError{Status: http.StatusPaymentRequired, Type: "card_error", Code: "subscription_payment_intent_requires_action", Message: "This payment requires additional user action before it can be completed successfully."}
			}
			failed.PaymentMethod = s.drawMethod(onFile)
			return nil, failed
		}
	}
	if automatic && owed > 0 {
		sub.Status, sub.ExpiresAt = "incomplete", op.at+incompleteHours*hour
	}
	op.make("customer.subscription.created", sub.ID)
	if !automatic {
		draft.DueDate = op.at + sub.DaysUntilDue*day
	}
	inv := s.newInvoice(op, draft)
	s.claimItems(inv)
	sub.LatestInvoice = inv.ID
	owner, ok := s.memory.Customers.get(sub.Customer)
	if ok && owner.Currency == "" {
		op.touch(owner.ID)
		owner.Currency = sub.Currency
	}
	op.flush()
	if !automatic {
		return s.drawSubscription(sub), nil
	}
	s.finalize(op, inv)
	inv.NextAttempt = 0
	op.flush()
	if inv.Status == "paid" && sub.Status == "incomplete" {
		s.closeInvoice(op, inv)
	}
	if charges && inv.Status == "open" {
		pi, _ := s.memory.Intents.get(inv.Intent)
		s.try(op, pi, onFile, attempt{InPerson: !p.truth("off_session", false)})
		// A bank debit under way already lets the subscription begin.
		if pi.Status == "processing" {
			op.touch(sub.ID)
			sub.Status, sub.ExpiresAt = "active", 0
		}
	}
	return s.drawSubscription(sub), nil
}

// readSubscription takes the parameters that creating and updating share.
func (s *Server) readSubscription(op *operation, sub *subscription, p *params) *apiError {
	first := p.text("default_payment_method")
	if first != "" {
		refused := s.owned(sub.Customer, first, "default_payment_method")
		if refused != nil {
			return refused
		}
	}
	p.set("default_payment_method", &sub.DefaultMethod)
	p.set("description", &sub.Description)
	p.set("payment_settings.save_default_payment_method", &sub.SaveDefault)
	p.set("trial_settings.end_behavior.missing_payment_method", &sub.TrialMissing)
	p.set("cancellation_details.comment", &sub.CancelComment)
	p.set("cancellation_details.feedback", &sub.CancelFeedback)
	if p.has("payment_settings.payment_method_types") {
		sub.MethodTypes = p.texts("payment_settings.payment_method_types")
	}
	sub.DaysUntilDue = p.number("days_until_due", sub.DaysUntilDue)
	sub.Metadata = p.mergeMetadata(sub.Metadata)
	if p.text("trial_end") != "" && p.text("trial_end") != "now" {
		sub.TrialEnd = p.number("trial_end", 0)
		if sub.TrialEnd <= op.at {
			return invalidRequest("trial_end", "", "Invalid timestamp: must be an integer Unix timestamp in the future.")
		}
	}
	if p.text("trial_period_days") != "" {
		sub.TrialEnd = op.at + p.number("trial_period_days", 0)*day
	}
	if p.has("cancel_at_period_end") {
		sub.CancelAtPeriodEnd = p.truth("cancel_at_period_end", false)
		sub.CancelAt, sub.CanceledAt, sub.CancelReason = 0, 0, ""
		if sub.CancelAtPeriodEnd {
			sub.CancelAt, sub.CanceledAt, sub.CancelReason = sub.PeriodEnd, op.at, "cancellation_requested"
		}
	}
	if p.has("cancel_at") {
		sub.CancelAt, sub.CanceledAt, sub.CancelReason = p.number("cancel_at", 0), 0, ""
		if sub.CancelAt > 0 {
			sub.CanceledAt, sub.CancelReason = op.at, "cancellation_requested"
		}
	}
	if p.has("pause_collection") {
		sub.Pause = nil
		if !p.cleared("pause_collection") {
			sub.Pause = &collectionPause{Behavior: p.text("pause_collection.behavior"), ResumesAt: p.number("pause_collection.resumes_at", 0)}
		}
	}
	return nil
}

// readItemPrice answers the recurring price an item was sent with, made on the way if need be; "" for none.
func (s *Server) readItemPrice(op *operation, sent *params) (string, *apiError) {
	id := sent.text("price")
	if id == "" {
		id = sent.text("plan")
	}
	if sent.has("price_data") {
		from := &params{form: sent.find("price_data")}
		owner, refused := s.productByID(from.text("product"))
		if refused != nil {
			return "", missingIn("items[0][price_data][product]", "product", from.text("product"))
		}
		id = s.newPrice(op, from, owner.ID).ID
	}
	if id == "" {
		return "", nil
	}
	priced, refused := s.priceByID(id, "items[0][price]")
	if refused != nil {
		return "", refused
	}
	if priced.Interval == "" {
		return "", invalidRequest("items", "", "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.")
	}
	return id, nil
}

// readItems reads the items parameter over those there are: changed by id, added, or deleted.
func (s *Server) readItems(op *operation, p *params, was []subscriptionItem) ([]subscriptionItem, *apiError) {
	items := slices.Clone(was)
	for _, sent := range p.each("items") {
		refused := sent.notSimulated("billing_thresholds", "tax_rates")
		if refused != nil {
			return nil, refused
		}
		at := -1
		if sent.text("id") != "" {
			at = slices.IndexFunc(items, func(item subscriptionItem) bool { return item.ID == sent.text("id") })
			if at < 0 {
				return nil, missingIn("items[0][id]", "subscription_item", sent.text("id"))
			}
		}
		if at >= 0 && sent.truth("deleted", false) {
			items = slices.Delete(items, at, at+1)
			continue
		}
		id, refused := s.readItemPrice(op, sent)
		if refused != nil {
			return nil, refused
		}
		if id == "" && at < 0 {
			return nil, missingParam("items[0][price]")
		}
		if at < 0 && slices.ContainsFunc(items, func(item subscriptionItem) bool { return item.Price == id }) {
			return nil, invalidRequest("items", "", "Cannot add multiple subscription items with the same plan: "+id)
		}
		if at < 0 {
			items = append(items, subscriptionItem{
				ID: s.shortID("si_"), Price: id, Quantity: sent.number("quantity", 1), Created: op.at, Metadata: sent.mergeMetadata(nil),
			})
			continue
		}
		if id != "" {
			items[at].Price = id
		}
		items[at].Quantity = sent.number("quantity", items[at].Quantity)
		items[at].Metadata = sent.mergeMetadata(items[at].Metadata)
	}
	for _, item := range items {
		priced, _ := s.memory.Prices.get(item.Price)
		lead, _ := s.memory.Prices.get(items[0].Price)
		if priced.Currency != lead.Currency || priced.Interval != lead.Interval || priced.IntervalCount != lead.IntervalCount {
			return nil, invalidRequest("items", "", "All prices of a subscription must have the same currency and billing interval.")
		}
	}
	return items, nil
}

// cycleLines are a period's lines.
func (s *Server) cycleLines(sub *subscription, start, end int64) []line {
	var lines []line
	for _, item := range sub.Items {
		priced, ok := s.memory.Prices.get(item.Price)
		if !ok {
			continue
		}
		lines = append(lines, line{
			ID: s.longID("il_"), Type: "subscription", Currency: sub.Currency, Description: s.lineText(priced, item.Quantity),
			Amount: rounded(priced.Decimal, item.Quantity), Quantity: item.Quantity, Price: priced.ID, Subscription: sub.ID,
			SubscriptionItem: item.ID, Start: start, End: end, Metadata: sub.Metadata,
		})
	}
	return lines
}

func (s *Server) subscriptionByID(id string) (*subscription, *apiError) {
	found, ok := s.memory.Subs.get(id)
	if !ok {
		return nil, missing("subscription", id, "id")
	}
	return found, nil
}

func (s *Server) getSubscription(_ *operation, p *params) (object, error) {
	sub, refused := s.subscriptionByID(p.path["subscription_exposed_id"])
	if refused != nil {
		return nil, refused
	}
	return s.drawSubscription(sub), nil
}

func (s *Server) listSubscriptions(_ *operation, p *params) (object, error) {
	status := p.text("status")
	return listing{
		url: "/v1/subscriptions", ids: s.memory.Subs.Order, kind: "subscription",
		keep: func(id string) bool {
			sub, _ := s.memory.Subs.get(id)
			clock := s.clockOf(sub.Customer)
			// Stripe shows subscriptions of test clocks only when the clock or the customer is named.
			if clock != "" && p.text("test_clock") != clock && !p.has("customer") {
				return false
			}
			stated := status == "all" || sub.Status == status || status == "" && sub.Status != "canceled" || status == "ended" && sub.ended()
			priced := !p.has("price") || slices.ContainsFunc(sub.Items, func(item subscriptionItem) bool { return item.Price == p.text("price") })
			return stated && priced && p.is("customer", sub.Customer) && p.is("collection_method", sub.CollectionMethod) &&
				p.inRange("created", sub.Created) && p.inRange("current_period_end", sub.PeriodEnd) && p.inRange("current_period_start", sub.PeriodStart)
		},
		draw: func(id string) object {
			sub, _ := s.memory.Subs.get(id)
			return s.drawSubscription(sub)
		},
	}.page(p)
}

func (s *Server) listSubscriptionItems(_ *operation, p *params) (object, error) {
	sub, refused := s.subscriptionByID(p.text("subscription"))
	if refused != nil {
		return nil, missingIn("subscription", "subscription", p.text("subscription"))
	}
	var ids []string
	for _, item := range slices.Backward(sub.Items) {
		ids = append(ids, item.ID)
	}
	return listing{
		url: "/v1/subscription_items", ids: ids, kind: "subscription_item",
		draw: func(id string) object {
			at := slices.IndexFunc(sub.Items, func(item subscriptionItem) bool { return item.ID == id })
			return s.drawSubscriptionItem(sub, &sub.Items[at])
		},
	}.page(p)
}
