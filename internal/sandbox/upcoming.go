package sandbox

import "net/http"

// upcomingInvoice previews a customer's next renewal; nothing is stored.
func (s *Server) upcomingInvoice(op *operation, p *params) (object, error) {
	refused := p.notSimulated("coupon", "discounts", "schedule", "subscription_items", "invoice_items", "customer_details", "automatic_tax.enabled")
	if refused != nil {
		return nil, refused
	}
	owner := p.text("customer")
	sub, ok := s.memory.Subs.get(p.text("subscription"))
	if p.has("subscription") && !ok {
		return nil, missingIn("subscription", "subscription", p.text("subscription"))
	}
	if ok {
		owner = sub.Customer
	}
	c, refused := s.customerByID(owner, "customer")
	if refused != nil {
		return nil, refused
	}
	op.follow(c.Clock)
	if !ok {
		s.memory.Subs.each(func(_ string, candidate *subscription) {
			renews := !candidate.ended() && candidate.Status != "incomplete" && !candidate.CancelAtPeriodEnd
			if candidate.Customer == c.ID && renews && (sub == nil || candidate.PeriodEnd < sub.PeriodEnd) {
				sub = candidate
			}
		})
	}
	none := &apiError{Status: http.StatusNotFound, Type: "invalid_request_error", Code: "invoice_upcoming_none", Message: "No upcoming invoices for customer: " + c.ID}
	if sub == nil || sub.ended() || sub.CancelAtPeriodEnd || sub.Status == "incomplete" {
		return nil, none
	}
	lead, _ := s.memory.Prices.get(sub.Items[0].Price)
	preview := &invoice{
		Customer: c.ID, Subscription: sub.ID, Status: "upcoming", Currency: sub.Currency, BillingReason: "upcoming",
		CollectionMethod: sub.CollectionMethod, Created: sub.PeriodEnd, PeriodStart: sub.PeriodStart, PeriodEnd: sub.PeriodEnd,
		AutoAdvance: true, NextAttempt: sub.PeriodEnd + draftHours*hour, SubscriptionMetadata: sub.Metadata, StartingBalance: c.Balance,
		Metadata: map[string]string{},
	}
	preview.Lines = append(s.takePending(op, c.ID, sub.ID, sub.Currency, false),
		s.cycleLines(sub, sub.PeriodEnd, periodEnd(sub.Anchor, sub.PeriodEnd, lead.Interval, lead.IntervalCount))...)
	balance := *c
	s.useBalance(preview, &balance)
	if sub.CollectionMethod == "send_invoice" {
		preview.NextAttempt, preview.DueDate = 0, sub.PeriodEnd+sub.DaysUntilDue*day
	}
	o := s.drawInvoice(preview)
	o["lines"].(object)["url"] = "/v1/invoices/upcoming/lines?customer=" + c.ID
	return o, nil
}
