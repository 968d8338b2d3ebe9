package sandbox

import (
	"slices"
	"strconv"
	"strings"
)

func (s *Server) drawInvoiceItem(i *invoiceItem) object {
	o := object{
		"id": i.ID, "object": "invoiceitem", "amount": i.amount(), "currency": i.Currency, "customer": i.Customer, "date": i.Date,
		"description": textOrNull(i.Description), "discountable": !i.Proration, "discounts": []any{}, "invoice": textOrNull(i.Invoice),
		"livemode": false, "metadata": textMap(i.Metadata), "period": object{"end": i.End, "start": i.Start}, "price": nil,
		"proration": i.Proration, "quantity": i.Quantity, "subscription": textOrNull(i.Subscription), "tax_rates": []any{},
		"test_clock": textOrNull(s.clockOf(i.Customer)), "unit_amount": i.UnitAmount,
		"unit_amount_decimal": strconv.FormatInt(i.UnitAmount, 10),
	}
	priced, ok := s.memory.Prices.get(i.Price)
	if ok {
		o["price"] = s.drawPrice(priced)
	}
	return o
}

func (i *invoiceItem) amount() int64 { return i.UnitAmount * i.Quantity }

// priceItem fills in what an item costs: by a price there is, one made on the way, or an amount.
func (s *Server) priceItem(op *operation, made *invoiceItem, p *params) *apiError {
	var priced *price
	var refused *apiError
	switch {
	case p.text("price") != "":
		priced, refused = s.priceByID(p.text("price"), "price")
		if refused != nil {
			return refused
		}
	case p.has("price_data"):
		from := &params{path: p.path, form: p.find("price_data")}
		owner, refused := s.productByID(from.text("product"))
		if refused != nil {
			return missingIn("price_data[product]", "product", from.text("product"))
		}
		priced = s.newPrice(op, from, owner.ID)
	case !p.has("amount") && !p.has("unit_amount") && !p.has("unit_amount_decimal"):
		return missingParam("amount")
	default:
		return nil
	}
	made.Price, made.UnitAmount, made.Currency = priced.ID, priced.Amount, priced.Currency
	owner, ok := s.memory.Products.get(priced.Product)
	if ok && made.Description == "" {
		made.Description = owner.Name
	}
	return nil
}

func (s *Server) createInvoiceItem(op *operation, p *params) (object, error) {
	refused := p.notSimulated("discounts", "tax_rates")
	if refused != nil {
		return nil, refused
	}
	c, refused := s.customerByID(p.text("customer"), "customer")
	if refused != nil {
		return nil, refused
	}
	op.follow(c.Clock)
	made := &invoiceItem{
		Customer: c.ID, Currency: strings.ToLower(p.text("currency")), Description: p.text("description"), Invoice: p.text("invoice"),
		Subscription: p.text("subscription"), UnitAmount: p.number("amount", p.number("unit_amount", 0)), Quantity: p.number("quantity", 1),
		Date: op.at, Start: p.number("period.start", op.at), End: p.number("period.end", op.at), Metadata: p.mergeMetadata(nil),
	}
	if p.text("unit_amount_decimal") != "" {
		made.UnitAmount = rounded(p.text("unit_amount_decimal"), 1)
	}
	if p.has("amount") && p.has("quantity") && made.Quantity > 1 {
		return nil, invalidRequest("quantity", "parameters_exclusive", "You may only specify one of these parameters: amount, quantity.")
	}
	var draft *invoice
	if made.Invoice != "" {
		found, ok := s.memory.Invoices.get(made.Invoice)
		if !ok || found.Customer != c.ID {
			return nil, missingIn("invoice", "invoice", made.Invoice)
		}
		if found.Status != "draft" {
			return nil, invalidRequest("invoice", "invoice_not_editable", "Invoice "+found.ID+" is no longer editable")
		}
		draft = found
	}
	if made.Subscription != "" {
		found, ok := s.memory.Subs.get(made.Subscription)
		if !ok || found.Customer != c.ID {
			return nil, missingIn("subscription", "subscription", made.Subscription)
		}
	}
	refused = s.priceItem(op, made, p)
	if refused != nil {
		return nil, refused
	}
	if made.Currency == "" {
		made.Currency = c.Currency
		if draft != nil {
			made.Currency = draft.Currency
		}
	}
	if made.Currency == "" {
		return nil, missingParam("currency")
	}
	if draft != nil && len(draft.Lines) > 0 && draft.Currency != made.Currency {
		return nil, invalidRequest("currency", "", "The currency of the invoice item must be that of the invoice, "+draft.Currency+".")
	}
	made.ID = s.longID("ii_")
	s.memory.Items.add(made.ID, made)
	op.make("invoiceitem.created", made.ID)
	if draft != nil {
		op.touch(draft.ID)
		draft.Currency = made.Currency
		draft.Lines = append(draft.Lines, s.lineOf(made))
	}
	return s.drawInvoiceItem(made), nil
}

func (s *Server) lineOf(item *invoiceItem) line {
	return line{
		ID: s.longID("il_"), Type: "invoiceitem", Currency: item.Currency, Description: item.Description, Amount: item.amount(),
		Quantity: item.Quantity, Price: item.Price, Subscription: item.Subscription, Item: item.ID, Start: item.Start, End: item.End,
		Proration: item.Proration, Metadata: item.Metadata,
	}
}

// takePending makes lines of a customer's items that wait for an invoice.
func (s *Server) takePending(_ *operation, customerID, subID, currency string, all bool) []line {
	var lines []line
	s.memory.Items.each(func(_ string, item *invoiceItem) {
		if item.Customer != customerID || item.Invoice != "" || item.Currency != currency {
			return
		}
		if all || item.Subscription == "" || item.Subscription == subID {
			lines = append(lines, s.lineOf(item))
		}
	})
	return lines
}

func (s *Server) currencyOfPending(customerID string) string {
	currency := ""
	s.memory.Items.each(func(_ string, item *invoiceItem) {
		if item.Customer == customerID && item.Invoice == "" && currency == "" {
			currency = item.Currency
		}
	})
	return currency
}

// claimItems notes on the items which invoice took them.
func (s *Server) claimItems(inv *invoice) {
	for _, l := range inv.Lines {
		item, ok := s.memory.Items.get(l.Item)
		if ok {
			item.Invoice = inv.ID
		}
	}
}

func (s *Server) itemByID(p *params) (*invoiceItem, *apiError) {
	found, ok := s.memory.Items.get(p.path["invoiceitem"])
	if !ok {
		return nil, missing("invoiceitem", p.path["invoiceitem"], "id")
	}
	return found, nil
}

func (s *Server) getInvoiceItem(_ *operation, p *params) (object, error) {
	found, refused := s.itemByID(p)
	if refused != nil {
		return nil, refused
	}
	return s.drawInvoiceItem(found), nil
}

// editable gives the draft an item is on, nil for a pending item; it refuses an item of a finalized invoice.
func (s *Server) editable(item *invoiceItem) (*invoice, *apiError) {
	inv, ok := s.memory.Invoices.get(item.Invoice)
	if !ok {
		return nil, nil
	}
	if inv.Status != "draft" {
		return nil, invalidRequest("", "invoice_not_editable", "You can only change an invoice item that is not on a finalized invoice.")
	}
	return inv, nil
}

func (s *Server) updateInvoiceItem(op *operation, p *params) (object, error) {
	found, refused := s.itemByID(p)
	if refused != nil {
		return nil, refused
	}
	draft, refused := s.editable(found)
	if refused != nil {
		return nil, refused
	}
	refused = p.notSimulated("discounts", "tax_rates", "price", "price_data")
	if refused != nil {
		return nil, refused
	}
	op.follow(s.clockOf(found.Customer))
	p.set("description", &found.Description)
	found.UnitAmount = p.number("amount", p.number("unit_amount", found.UnitAmount))
	found.Quantity = p.number("quantity", found.Quantity)
	found.Metadata = p.mergeMetadata(found.Metadata)
	if draft != nil {
		op.touch(draft.ID)
		for i := range draft.Lines {
			if draft.Lines[i].Item == found.ID {
				draft.Lines[i].Description, draft.Lines[i].Amount, draft.Lines[i].Quantity = found.Description, found.amount(), found.Quantity
			}
		}
	}
	return s.drawInvoiceItem(found), nil
}

func (s *Server) deleteInvoiceItem(op *operation, p *params) (object, error) {
	found, refused := s.itemByID(p)
	if refused != nil {
		return nil, refused
	}
	draft, refused := s.editable(found)
	if refused != nil {
		return nil, refused
	}
	op.follow(s.clockOf(found.Customer))
	if draft != nil {
		op.touch(draft.ID)
		draft.Lines = slices.DeleteFunc(draft.Lines, func(l line) bool { return l.Item == found.ID })
	}
	shot := s.drawInvoiceItem(found)
	s.memory.Items.remove(found.ID)
	s.storeEvent(op, "invoiceitem.deleted", shot, nil)
	return object{"id": found.ID, "object": "invoiceitem", "deleted": true}, nil
}

func (s *Server) listInvoiceItems(_ *operation, p *params) (object, error) {
	return listing{
		url: "/v1/invoiceitems", ids: s.memory.Items.Order, kind: "invoiceitem",
		keep: func(id string) bool {
			item, _ := s.memory.Items.get(id)
			pending := !p.has("pending") || p.truth("pending", false) == (item.Invoice == "")
			return pending && p.is("customer", item.Customer) && p.is("invoice", item.Invoice) && p.inRange("created", item.Date)
		},
		draw: func(id string) object {
			item, _ := s.memory.Items.get(id)
			return s.drawInvoiceItem(item)
		},
	}.page(p)
}
