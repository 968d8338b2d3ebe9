package billing

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Customer is somebody who buys from the merchant, as Stripe has them. Only the listed fields are kept.
// PreferredLocales are Stripe's, most wanted first. Metadata keeps the keys we have a rule for ("timezone",
// "billing_contacts").
type Customer struct {
	ID               string
	Name             string
	Email            string
	PreferredLocales []string
	Language         string // chosen on our pages, "" until then
	Country          string // ISO 3166 alpha-2, upper case, "" when unknown
	State            string
	Zone             string            // from metadata "timezone" or staff; an IANA name, "" when unknown
	Contacts         []string          // further addresses, from metadata "billing_contacts", the first to be written to first
	DefaultMethod    string            // invoice_settings.default_payment_method or default_source
	Metadata         map[string]string // those whose keys begin with sollecito_
	Deleted          bool
	Livemode         bool
	CreatedAt        int64 // unix seconds
	SyncedAt         int64 // unix seconds, when Stripe was last read for this customer as a whole
	ErasedAt         int64 // unix seconds, when nothing but the id was left of them; 0 while they are not erased
}

// Addresses are where reminders may go, in the order they are tried: the address on file, then those of the other
// billing contacts. Empty when there is none.
func (c Customer) Addresses() []string {
	if c.Email == "" {
		return c.Contacts
	}
	all := []string{c.Email}
	for _, a := range c.Contacts {
		if !strings.EqualFold(a, c.Email) {
			all = append(all, a)
		}
	}
	return all
}

// FirstName is the word to greet with: the first word of a personal name, "" when the name is missing or holds
// something no person is called (no letter at all, digits, markup, an address).
func (c Customer) FirstName() string {
	first, _, _ := strings.Cut(strings.TrimSpace(c.Name), " ")
	if !strings.ContainsFunc(first, unicode.IsLetter) || utf8.RuneCountInString(first) > 40 || strings.ContainsAny(first, "<>@/\\{}[]()&;:,0123456789\"=.") {
		return ""
	}
	return first
}

// MaskedEmail hides most of an address so that its owner still knows it: "c•••@b•••.it".
func MaskedEmail(address string) string {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" || domain == "" {
		return ""
	}
	host, tld := domain, ""
	dot := strings.LastIndexByte(domain, '.')
	if dot > 0 {
		host, tld = domain[:dot], domain[dot:]
	}
	return firstRune(local) + "•••@" + firstRune(host) + "•••" + tld
}

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

// Method is a way to pay that a customer has attached. Last4 and the rest are what a customer recognises it by.
type Method struct {
	ID          string
	CustomerID  string
	Type        string // card, sepa_debit, …
	Brand       string // visa, mastercard, … or the bank's name for debits
	Last4       string
	ExpMonth    int64
	ExpYear     int64
	Fingerprint string
	RemovedAt   int64 // unix seconds, when the customer took it off; 0 while it is on file
}

// Subscription is one of a customer's subscriptions.
type Subscription struct {
	ID            string
	CustomerID    string
	Status        string
	Description   string // what the customer calls it: the product's name
	Interval      string // day, week, month, year
	DefaultMethod string // default_payment_method or default_source, "" when it follows the customer
	PeriodEnd     int64  // unix seconds
	CancelAt      int64  // unix seconds, 0 when it goes on
	Amount        Money  // of the next renewal by its prices
	Automatic     bool   // renewals are charged by themselves: neither paid by hand, nor is collection paused
	TrialMissing  string // what the end of a trial does with nothing to charge: create_invoice, cancel, pause
}

// Live reports whether the subscription still renews or could again.
func (s Subscription) Live() bool {
	switch s.Status {
	case "canceled", "incomplete", "incomplete_expired":
		return false
	}
	return true
}

// BrandName is the method's brand as its owner knows it: "Visa", "American Express"; the type in plain words
// when the brand is unknown.
func (m Method) BrandName() string {
	name, known := brandNames[strings.ToLower(m.Brand)]
	switch {
	case known:
		return name
	case m.Brand != "":
		return strings.ToUpper(m.Brand[:1]) + m.Brand[1:]
	case m.Type == "sepa_debit":
		return "SEPA"
	}
	return ""
}

var brandNames = map[string]string{
	"amex": "American Express", "cartes_bancaires": "Cartes Bancaires", "diners": "Diners Club", "discover": "Discover",
	"eftpos_au": "eftpos", "jcb": "JCB", "mastercard": "Mastercard", "unionpay": "UnionPay", "visa": "Visa",
}

// Expired reports whether the method's last month has passed at the instant (unix seconds).
func (m Method) Expired(now int64) bool {
	if m.ExpYear == 0 {
		return false
	}
	return now >= time.Date(int(m.ExpYear), time.Month(m.ExpMonth)+1, 1, 0, 0, 0, 0, time.UTC).Unix()
}

// NextRenewal answers the earliest renewal still to come and what it will charge; false when none is known.
func NextRenewal(subscriptions []Subscription, now int64) (at int64, amount Money, ok bool) {
	for _, s := range subscriptions {
		if !s.Live() || s.PeriodEnd <= now || (s.CancelAt > 0 && s.CancelAt <= s.PeriodEnd) {
			continue
		}
		if !ok || s.PeriodEnd < at {
			at, amount, ok = s.PeriodEnd, s.Amount, true
		}
	}
	return at, amount, ok
}
