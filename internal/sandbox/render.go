package sandbox

import (
	"strings"
)

// objectByID draws whatever an id names, as it stands now.
func (s *Server) objectByID(id string) (object, bool) {
	m := &s.memory
	switch prefix := id[:strings.LastIndexByte(id, '_')+1]; prefix {
	case "cus_":
		return drawn(m.Customers, id, s.drawCustomer)
	case "pm_":
		return drawn(m.Methods, id, s.drawMethod)
	case "sub_":
		return drawn(m.Subs, id, s.drawSubscription)
	case "in_":
		return drawn(m.Invoices, id, s.drawInvoice)
	case "ii_":
		return drawn(m.Items, id, s.drawInvoiceItem)
	case "pi_":
		return drawn(m.Intents, id, s.drawIntent)
	case "seti_":
		return drawn(m.Setups, id, s.drawSetup)
	case "setatt_":
		return drawn(m.Attempts, id, s.drawAttempt)
	case "mandate_":
		return drawn(m.Mandates, id, s.drawMandate)
	case "ch_", "py_":
		return drawn(m.Charges, id, s.drawCharge)
	case "re_", "pyr_":
		return drawn(m.Refunds, id, s.drawRefund)
	case "dp_", "du_":
		return drawn(m.Disputes, id, s.drawDispute)
	case "cn_":
		return drawn(m.Credits, id, s.drawCredit)
	case "txn_":
		return drawn(m.Transfers, id, s.drawTransaction)
	case "clock_":
		return drawn(m.Clocks, id, s.drawClock)
	case "we_":
		return drawn(m.Endpoints, id, s.drawEndpoint)
	case "cs_test_":
		return drawn(m.Checkouts, id, s.drawCheckout)
	}
	// Products may carry an id of the merchant's own.
	found, ok := drawn(m.Prices, id, s.drawPrice)
	if ok {
		return found, true
	}
	return drawn(m.Products, id, s.drawProduct)
}

func drawn[T any](t table[T], id string, draw func(*T) object) (object, bool) {
	row, ok := t.get(id)
	if !ok {
		return nil, false
	}
	return draw(row), true
}

// textOrNull is Stripe's null for an unset text.
func textOrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// timeOrNull is Stripe's null for an instant that has not come.
func timeOrNull(at int64) any {
	if at == 0 {
		return nil
	}
	return at
}

func textMap(m map[string]string) object {
	o := object{}
	for key, value := range m {
		o[key] = value
	}
	return o
}

func textList(texts []string) []any {
	list := []any{}
	for _, text := range texts {
		list = append(list, text)
	}
	return list
}

func textListOrNull(texts []string) any {
	if len(texts) == 0 {
		return nil
	}
	return textList(texts)
}

func (a *postalAddress) draw() any {
	if a == nil {
		return nil
	}
	return object{
		"city": textOrNull(a.City), "country": textOrNull(a.Country), "line1": textOrNull(a.Line1),
		"line2": textOrNull(a.Line2), "postal_code": textOrNull(a.PostalCode), "state": textOrNull(a.State),
	}
}

func (d *shippingDetails) draw() any {
	if d == nil {
		return nil
	}
	return object{"address": d.Address.draw(), "name": d.Name, "phone": textOrNull(d.Phone)}
}

func (b billingDetails) draw() object {
	address := b.Address
	if address == nil {
		address = &postalAddress{}
	}
	return object{"address": address.draw(), "email": textOrNull(b.Email), "name": textOrNull(b.Name), "phone": textOrNull(b.Phone)}
}

// readAddress merges the sent parts of an address into what was there; an empty text unsets it.
func readAddress(p *params, name string, was *postalAddress) *postalAddress {
	if !p.has(name) {
		return was
	}
	if p.cleared(name) {
		return nil
	}
	read := postalAddress{}
	if was != nil {
		read = *was
	}
	for part, target := range map[string]*string{
		"city": &read.City, "country": &read.Country, "line1": &read.Line1,
		"line2": &read.Line2, "postal_code": &read.PostalCode, "state": &read.State,
	} {
		p.set(name+"."+part, target)
	}
	return &read
}

func (f *failure) draw() any {
	if f == nil {
		return nil
	}
	o := object{"type": f.Type, "message": f.Message, "code": f.Code, "doc_url": documentation(f.Code)}
	if f.DeclineCode != "" {
		o["decline_code"] = f.DeclineCode
	}
	if f.Charge != "" {
		o["charge"] = f.Charge
	}
	if f.MethodShot != nil {
		o["payment_method"] = f.MethodShot
	}
	return o
}
