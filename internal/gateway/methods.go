package gateway

import (
	"github.com/stripe/stripe-go/v76"

	"sollecito/internal/billing"
)

// methods gathers the payment methods one reading names, each once. An unexpanded one (an id alone) is left
// out: nothing is known of it that a customer would recognise.
type methods struct {
	found []billing.Method
	seen  map[string]bool
}

func (m *methods) add(method billing.Method) {
	if method.ID == "" || method.Type == "" || m.seen[method.ID] {
		return
	}
	if m.seen == nil {
		m.seen = make(map[string]bool)
	}
	m.seen[method.ID] = true
	m.found = append(m.found, method)
}

func (m *methods) ofCustomer(c *stripeCustomer) {
	if c == nil {
		return
	}
	if c.InvoiceSettings != nil {
		m.add(translateMethod(c.InvoiceSettings.DefaultPaymentMethod))
	}
	m.add(translateSource(c.DefaultSource))
}

func (m *methods) ofSubscription(s *stripeSubscription) {
	if s == nil {
		return
	}
	m.add(translateMethod(s.DefaultPaymentMethod))
	m.add(translateSource(s.DefaultSource))
}

func (m *methods) ofInvoice(i *stripeInvoice) {
	m.add(translateMethod(i.DefaultPaymentMethod))
	m.add(translateSource(i.DefaultSource))
	if i.PaymentIntent == nil {
		return
	}
	m.add(translateMethod(i.PaymentIntent.PaymentMethod))
	if e := i.PaymentIntent.LastPaymentError; e != nil {
		m.add(translateMethod(e.PaymentMethod))
		m.add(translateSource(e.Source))
	}
}

// list answers the methods as this customer's. A detached one names nobody any more, but an invoice of this
// customer was tried with it.
func (m *methods) list(customerID string) []billing.Method {
	for i := range m.found {
		m.found[i].CustomerID = customerID
	}
	return m.found
}

func translateMethod(m *stripeMethod) billing.Method {
	if m == nil {
		return billing.Method{}
	}
	method := billing.Method{ID: m.ID, Type: string(m.Type)}
	if m.Customer != nil {
		method.CustomerID = m.Customer.ID
	}
	switch {
	case m.Card != nil:
		method.Brand, method.Last4, method.Fingerprint = m.Card.Brand, m.Card.Last4, m.Card.Fingerprint
		method.ExpMonth, method.ExpYear = m.Card.ExpMonth, m.Card.ExpYear
	case m.SEPADebit != nil:
		method.Last4, method.Fingerprint = m.SEPADebit.Last4, m.SEPADebit.Fingerprint
	case m.USBankAccount != nil:
		method.Brand, method.Last4, method.Fingerprint = m.USBankAccount.BankName, m.USBankAccount.Last4, m.USBankAccount.Fingerprint
	case m.ACSSDebit != nil:
		method.Brand, method.Last4, method.Fingerprint = m.ACSSDebit.BankName, m.ACSSDebit.Last4, m.ACSSDebit.Fingerprint
	case m.BACSDebit != nil:
		method.Last4, method.Fingerprint = m.BACSDebit.Last4, m.BACSDebit.Fingerprint
	case m.AUBECSDebit != nil:
		method.Last4, method.Fingerprint = m.AUBECSDebit.Last4, m.AUBECSDebit.Fingerprint
	}
	return method
}

// translateSource translates the older kinds of payment method that some customers still have.
func translateSource(s *stripeSource) billing.Method {
	if s == nil || s.Deleted {
		return billing.Method{}
	}
	method := billing.Method{ID: s.ID, Last4: s.Last4, Fingerprint: s.Fingerprint}
	switch s.Object {
	case stripe.PaymentSourceTypeCard:
		method.Type, method.Brand, method.ExpMonth, method.ExpYear = "card", brandOfSource(s.Brand), s.ExpMonth, s.ExpYear
		return method
	case stripe.PaymentSourceTypeBankAccount:
		method.Type, method.Brand = "bank_account", s.BankName
		return method
	case stripe.PaymentSourceTypeSource:
		return translateOldSource(s)
	}
	return billing.Method{ID: s.ID}
}

func translateOldSource(s *stripeSource) billing.Method {
	method := billing.Method{ID: s.ID, Type: s.Type}
	switch {
	case s.Card != nil:
		method.Brand, method.Last4, method.Fingerprint = brandOfSource(s.Card.Brand), s.Card.Last4, s.Card.Fingerprint
		method.ExpMonth, method.ExpYear = s.Card.ExpMonth, s.Card.ExpYear
	case s.SEPADebit != nil:
		method.Last4, method.Fingerprint = s.SEPADebit.Last4, s.SEPADebit.Fingerprint
	}
	return method
}

// brandOfSource gives a card source's brand the word that payment methods use: sources say "Visa" and
// "American Express" where payment methods say visa and amex.
func brandOfSource(brand string) string {
	switch brand {
	case "American Express":
		return "amex"
	case "Diners Club":
		return "diners"
	case "Discover":
		return "discover"
	case "JCB":
		return "jcb"
	case "MasterCard":
		return "mastercard"
	case "UnionPay":
		return "unionpay"
	case "Visa":
		return "visa"
	}
	return "unknown"
}
