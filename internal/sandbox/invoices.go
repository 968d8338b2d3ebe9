package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

const (
	hour = int64(3600)
	day  = 24 * hour
	// draftHours is how long Stripe leaves a renewal's invoice open for changes before it finalizes it.
	draftHours = 1
)

// retryDays are the gaps of the retry schedule after each failed automatic attempt, in the manner of Smart Retries.
var retryDays = []int64{3, 5, 7}

func (s *Server) invoiceByID(p *params) (*invoice, *apiError) {
	id := p.path["invoice"]
	found, ok := s.memory.Invoices.get(id)
	if !ok {
		return nil, missing("invoice", id, "invoice")
	}
	return found, nil
}

// invoiceByHostedToken finds the invoice whose hosted page has this token in its address.
func (s *Server) invoiceByHostedToken(token string) (id string, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if token == "" {
		return "", false
	}
	for _, id := range s.memory.Invoices.Order {
		if sameSecret(s.memory.Invoices.Rows[id].HostedToken, token) {
			return id, true
		}
	}
	return "", false
}

// newInvoice stores a draft.
func (s *Server) newInvoice(op *operation, made invoice) *invoice {
	made.ID = s.longID("in_")
	made.Created, made.Status = op.at, "draft"
	if made.PeriodStart == 0 {
		made.PeriodStart, made.PeriodEnd = op.at, op.at
	}
	if made.Metadata == nil {
		made.Metadata = map[string]string{}
	}
	if made.AutoAdvance {
		made.FinalizesAt = op.at + draftHours*hour
		if made.CollectionMethod == "charge_automatically" {
			made.NextAttempt = made.FinalizesAt
		}
	}
	stored := s.memory.Invoices.add(made.ID, &made)
	op.make("invoice.created", made.ID)
	return stored
}

func (s *Server) createInvoice(op *operation, p *params) (object, error) {
	refused := p.notSimulated("from_invoice", "discounts", "default_tax_rates", "shipping_cost", "application_fee_amount", "on_behalf_of", "automatic_tax.enabled", "default_source")
	if refused != nil {
		return nil, refused
	}
	if p.text("customer") == "" {
		return nil, missingParam("customer")
	}
	c, refused := s.customerByID(p.text("customer"), "customer")
	if refused != nil {
		return nil, refused
	}
	op.follow(c.Clock)
	made := invoice{Customer: c.ID, BillingReason: "manual", CollectionMethod: p.or("collection_method", "charge_automatically"), Currency: c.Currency}
	if p.has("currency") {
		made.Currency = strings.ToLower(p.text("currency"))
	}
	sub := p.text("subscription")
	if sub != "" {
		found, ok := s.memory.Subs.get(sub)
		if !ok || found.Customer != c.ID {
			return nil, missingIn("subscription", "subscription", sub)
		}
		made.Subscription, made.Currency, made.BillingReason = sub, found.Currency, "manual"
		made.SubscriptionMetadata = found.Metadata
	}
	refused = s.readInvoice(op, &made, p)
	if refused != nil {
		return nil, refused
	}
	if made.CollectionMethod == "send_invoice" && made.DueDate == 0 {
		return nil, missingParam("due_date")
	}
	if sub != "" || p.text("pending_invoice_items_behavior") == "include" {
		if made.Currency == "" {
			made.Currency = s.currencyOfPending(c.ID)
		}
		made.Lines = s.takePending(op, c.ID, sub, made.Currency, sub == "")
		if sub != "" && len(made.Lines) == 0 {
			return nil, invalidRequest("", "invoice_no_subscription_line_items", "Nothing to invoice for subscription")
		}
	}
	if made.Currency == "" {
		made.Currency = "eur"
	}
	stored := s.newInvoice(op, made)
	s.claimItems(stored)
	return s.drawInvoice(stored), nil
}

// readInvoice takes the parameters that creating and updating share.
func (s *Server) readInvoice(op *operation, inv *invoice, p *params) *apiError {
	first := p.text("default_payment_method")
	if first != "" {
		refused := s.owned(inv.Customer, first, "default_payment_method")
		if refused != nil {
			return refused
		}
	}
	if inv.CollectionMethod == "charge_automatically" && (p.text("days_until_due") != "" || p.text("due_date") != "") {
		return invalidRequest("days_until_due", "", "You can only specify days until due if invoice collection method is 'send_invoice'.")
	}
	p.set("default_payment_method", &inv.DefaultMethod)
	p.set("description", &inv.Description)
	p.set("footer", &inv.Footer)
	p.set("statement_descriptor", &inv.Statement)
	inv.Metadata = p.mergeMetadata(inv.Metadata)
	inv.AutoAdvance = p.truth("auto_advance", inv.AutoAdvance)
	if p.has("payment_settings.payment_method_types") {
		inv.MethodTypes = p.texts("payment_settings.payment_method_types")
	}
	if p.text("days_until_due") != "" {
		inv.DueDate = op.at + p.number("days_until_due", 0)*day
	}
	inv.DueDate = p.number("due_date", inv.DueDate)
	return nil
}

func (s *Server) getInvoice(_ *operation, p *params) (object, error) {
	inv, refused := s.invoiceByID(p)
	if refused != nil {
		return nil, refused
	}
	return s.drawInvoice(inv), nil
}

func (s *Server) updateInvoice(op *operation, p *params) (object, error) {
	inv, refused := s.invoiceByID(p)
	if refused != nil {
		return nil, refused
	}
	op.follow(s.clockOf(inv.Customer))
	if inv.Status != "draft" {
		for _, name := range []string{"description", "footer", "due_date", "days_until_due", "collection_method", "statement_descriptor"} {
			if p.has(name) {
				return nil, invalidRequest("", "invoice_not_editable", "Finalized invoices can't be updated in this way")
			}
		}
	}
	if inv.Status == "paid" || inv.Status == "void" {
		for _, name := range []string{"auto_advance", "default_payment_method"} {
			if p.has(name) {
				return nil, invalidRequest("", "invoice_not_editable", "This invoice is "+inv.Status+" and can't be updated in this way")
			}
		}
	}
	op.touch(inv.ID)
	before := *inv
	if p.has("collection_method") {
		inv.CollectionMethod = p.text("collection_method")
	}
	refused = s.readInvoice(op, inv, p)
	if refused != nil {
		*inv = before
		return nil, refused
	}
	if p.has("auto_advance") {
		switch {
		case !inv.AutoAdvance:
			inv.FinalizesAt, inv.NextAttempt = 0, 0
		case inv.Status == "draft" && inv.FinalizesAt == 0:
			inv.FinalizesAt = op.at + draftHours*hour
		}
	}
	return s.drawInvoice(inv), nil
}

func (s *Server) deleteInvoice(op *operation, p *params) (object, error) {
	inv, refused := s.invoiceByID(p)
	if refused != nil {
		return nil, refused
	}
	if inv.Status != "draft" || inv.Subscription != "" && inv.BillingReason != "manual" {
		return nil, invalidRequest("", "invoice_not_editable", "You can only delete draft invoices that were not made by a subscription.")
	}
	op.follow(s.clockOf(inv.Customer))
	shot := s.drawInvoice(inv)
	s.memory.Items.each(func(_ string, item *invoiceItem) {
		if item.Invoice == inv.ID {
			item.Invoice = ""
		}
	})
	s.memory.Invoices.remove(inv.ID)
	s.storeEvent(op, "invoice.deleted", shot, nil)
	return object{"id": inv.ID, "object": "invoice", "deleted": true}, nil
}

func (s *Server) finalizeInvoice(op *operation, p *params) (object, error) {
	inv, refused := s.invoiceByID(p)
	if refused != nil {
		return nil, refused
	}
	if inv.Status != "draft" {
		return nil, invalidRequest("", "invoice_not_editable", "This invoice is already finalized, you can't re-finalize a non-draft invoice.")
	}
	op.follow(s.clockOf(inv.Customer))
	inv.AutoAdvance = p.truth("auto_advance", inv.AutoAdvance)
	s.finalize(op, inv)
	if inv.Status == "open" && inv.AutoAdvance && inv.CollectionMethod == "charge_automatically" {
		inv.NextAttempt = max(op.at, inv.Created+draftHours*hour)
	}
	return s.drawInvoice(inv), nil
}

// finalize gives an invoice its number, its hosted page and its PaymentIntent. One that asks for nothing is paid.
func (s *Server) finalize(op *operation, inv *invoice) {
	op.touch(inv.ID)
	owner, ok := s.memory.Customers.get(inv.Customer)
	if ok {
		op.touch(owner.ID)
		inv.Number = fmt.Sprintf("%s-%04d", owner.Prefix, owner.Sequence)
		owner.Sequence++
		if owner.Currency == "" {
			owner.Currency = inv.Currency
		}
		s.useBalance(inv, owner)
	}
	inv.Holder = s.holderOf(inv.Customer)
	inv.Status, inv.FinalizedAt, inv.DeliveredAt, inv.FinalizesAt = "open", op.at, op.at, 0
	inv.HostedToken = s.token(40)
	op.emit("invoice.finalized", inv.ID)
	if inv.due() == 0 {
		inv.Status, inv.PaidAt, inv.Attempted, inv.NextAttempt = "paid", op.at, true, 0
		op.emit("invoice.paid", inv.ID)
		op.emit("invoice.payment_succeeded", inv.ID)
		return
	}
	types := inv.MethodTypes
	if len(types) == 0 {
		types = methodTypes(inv.Currency)
	}
	made := intent{
		Customer: inv.Customer, Invoice: inv.ID, Amount: inv.due(), Currency: inv.Currency, Types: types,
		Description: map[string]string{"subscription_create": "Subscription creation", "subscription_cycle": "Subscription update", "subscription_update": "Subscription update"}[inv.BillingReason],
	}
	if made.Description == "" {
		made.Description = "Payment for Invoice"
	}
	if inv.BillingReason == "subscription_create" {
		made.FutureUsage = "off_session"
	}
	pi := s.newIntent(op, made)
	inv.Intent = pi.ID
	if inv.CollectionMethod == "send_invoice" {
		inv.NextAttempt = 0
		if inv.AutoAdvance {
			op.emit("invoice.sent", inv.ID)
		}
		return
	}
	onFile := s.methodOnFile(inv)
	if onFile != nil && slices.Contains(types, onFile.Type) {
		pi.Method, pi.Status = onFile.ID, "requires_confirmation"
	}
}

// useBalance takes a customer's credit off an invoice, or adds what they owe from before.
func (s *Server) useBalance(inv *invoice, owner *customer) {
	inv.StartingBalance = owner.Balance
	total := inv.subtotal()
	switch {
	case total < 0:
		// A negative invoice becomes credit.
		inv.BalanceUsed = total
		owner.Balance += total
	case owner.Balance < 0:
		inv.BalanceUsed = min(total, -owner.Balance)
		owner.Balance += inv.BalanceUsed
	case owner.Balance > 0:
		inv.BalanceUsed = -owner.Balance
		owner.Balance = 0
	}
	left := owner.Balance
	inv.EndingBalance = &left
}

func (s *Server) voidInvoice(op *operation, p *params) (object, error) {
	inv, refused := s.invoiceByID(p)
	if refused != nil {
		return nil, refused
	}
	if inv.Status != "open" && inv.Status != "uncollectible" {
		return nil, invalidRequest("", "status_transition_invalid", "You can only pass in open or uncollectible invoices. This invoice isn't open or uncollectible.")
	}
	if s.debitUnderWay(inv) {
		return nil, invalidRequest("", "status_transition_invalid", "You cannot void an invoice whose payment is processing.")
	}
	op.follow(s.clockOf(inv.Customer))
	s.void(op, inv)
	return s.drawInvoice(inv), nil
}

func (s *Server) void(op *operation, inv *invoice) {
	op.touch(inv.ID)
	inv.Status, inv.VoidedAt, inv.NextAttempt = "void", op.at, 0
	op.emit("invoice.voided", inv.ID)
	pi, ok := s.memory.Intents.get(inv.Intent)
	if ok {
		s.dropIntent(op, pi, "void_invoice")
	}
	s.closeInvoice(op, inv)
}

func (s *Server) markUncollectible(op *operation, p *params) (object, error) {
	inv, refused := s.invoiceByID(p)
	if refused != nil {
		return nil, refused
	}
	if inv.Status != "open" {
		return nil, invalidRequest("", "status_transition_invalid", "You can only pass in open invoices. This invoice isn't open.")
	}
	op.follow(s.clockOf(inv.Customer))
	s.giveUp(op, inv)
	return s.drawInvoice(inv), nil
}

func (s *Server) giveUp(op *operation, inv *invoice) {
	op.touch(inv.ID)
	inv.Status, inv.UncollectibleAt, inv.NextAttempt = "uncollectible", op.at, 0
	op.emit("invoice.marked_uncollectible", inv.ID)
	s.closeInvoice(op, inv)
}

func (s *Server) sendInvoice(op *operation, p *params) (object, error) {
	inv, refused := s.invoiceByID(p)
	if refused != nil {
		return nil, refused
	}
	if inv.CollectionMethod != "send_invoice" {
		return nil, invalidRequest("", "", "You can only manually send an invoice if its collection method is 'send_invoice'.")
	}
	op.follow(s.clockOf(inv.Customer))
	if inv.Status == "draft" {
		inv.AutoAdvance = false
		s.finalize(op, inv)
	}
	op.emit("invoice.sent", inv.ID)
	return s.drawInvoice(inv), nil
}

func (s *Server) listInvoices(_ *operation, p *params) (object, error) {
	return listing{
		url: "/v1/invoices", ids: s.memory.Invoices.Order, kind: "invoice",
		keep: func(id string) bool {
			inv, _ := s.memory.Invoices.get(id)
			return p.is("status", inv.Status) && p.is("customer", inv.Customer) && p.is("subscription", inv.Subscription) &&
				p.is("collection_method", inv.CollectionMethod) && p.inRange("due_date", inv.DueDate) && p.inRange("created", inv.Created)
		},
		draw: func(id string) object {
			inv, _ := s.memory.Invoices.get(id)
			return s.drawInvoice(inv)
		},
	}.page(p)
}

func (s *Server) listLines(_ *operation, p *params) (object, error) {
	inv, refused := s.invoiceByID(p)
	if refused != nil {
		return nil, refused
	}
	var ids []string
	for _, l := range slices.Backward(inv.Lines) {
		ids = append(ids, l.ID)
	}
	return listing{
		url: "/v1/invoices/" + inv.ID + "/lines", ids: ids, kind: "line item",
		draw: func(id string) object {
			at := slices.IndexFunc(inv.Lines, func(l line) bool { return l.ID == id })
			return s.drawLine(inv, &inv.Lines[at])
		},
	}.page(p)
}
