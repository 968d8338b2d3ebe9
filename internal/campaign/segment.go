package campaign

import (
	"slices"
	"strings"
	"time"

	"sollecito/internal/billing"
)

// Segment says whom something is for. Everything that is given must hold; a list holds when one of its words does; an
// empty segment holds for everybody.
type Segment struct {
	Collection string               `yaml:"collection,omitempty"` // charge_automatically or send_invoice, of the oldest open invoice
	Methods    []string             `yaml:"methods,omitempty"`    // Stripe's types of payment method: card, sepa_debit, …; of the oldest open invoice
	Countries  []string             `yaml:"countries,omitempty"`  // ISO 3166 alpha-2
	Currencies []string             `yaml:"currencies,omitempty"` // ISO 4217, of any open invoice
	Plans      []string             `yaml:"plans,omitempty"`      // words of which one stands in what an open invoice is for, whatever their case
	Declines   []billing.Class      `yaml:"declines,omitempty"`   // why the oldest open invoice is unpaid
	Amounts    map[string]Span      `yaml:"amounts,omitempty"`    // by currency: what is open in it; a currency in which nothing is open does not hold
	Tenure     *Span                `yaml:"tenure_days,omitempty"`
	Metadata   map[string]OneOrMore `yaml:"metadata,omitempty"` // of the customer at Stripe; the keys that begin with sollecito_ are kept
}

// Span is a range of amounts, in the currency's smallest unit, or of days.
type Span struct {
	AtLeast *int64 `yaml:"at_least,omitempty"`
	Below   *int64 `yaml:"below,omitempty"`
}

func (s Span) holds(n int64) bool {
	return (s.AtLeast == nil || n >= *s.AtLeast) && (s.Below == nil || n < *s.Below)
}

// OneOrMore is a list that may be written as its only word.
type OneOrMore []string

// UnmarshalYAML implements yaml.InterfaceUnmarshaler.
func (o *OneOrMore) UnmarshalYAML(read func(any) error) error {
	var one string
	err := read(&one)
	if err == nil {
		*o = OneOrMore{one}
		return nil
	}
	var more []string
	err = read(&more)
	if err != nil {
		*o = nil // whoever checks the document says so with its line
		return nil
	}
	*o = more
	return nil
}

// Subject is what a segment looks at: a customer with the invoices a case is about.
type Subject struct {
	Customer billing.Customer
	Open     []billing.Invoice // oldest first
	Method   string            // Stripe's type of the method the oldest is charged to, "" when there is none
	Class    billing.Class
	Now      time.Time
}

// Matches reports whether the subject lies in the segment. It looks at nothing but its arguments.
func (s Segment) Matches(who Subject) bool {
	var oldest billing.Invoice
	if len(who.Open) > 0 {
		oldest = who.Open[0]
	}
	switch {
	case s.Collection != "" && s.Collection != oldest.CollectionMethod,
		len(s.Methods) > 0 && !slices.Contains(s.Methods, who.Method),
		len(s.Countries) > 0 && !slices.Contains(s.Countries, who.Customer.Country),
		len(s.Declines) > 0 && !slices.Contains(s.Declines, who.Class),
		s.Tenure != nil && !s.Tenure.holds(int64(who.Now.Sub(time.Unix(who.Customer.CreatedAt, 0))/(24*time.Hour))):
		return false
	}
	owed := map[string]int64{}
	named := false
	for _, i := range who.Open {
		owed[i.Currency] += i.AmountRemaining
		for _, plan := range s.Plans {
			named = named || strings.Contains(strings.ToLower(i.Description), strings.ToLower(plan))
		}
	}
	if len(s.Plans) > 0 && !named {
		return false
	}
	if len(s.Currencies) > 0 && !slices.ContainsFunc(s.Currencies, func(c string) bool { _, has := owed[strings.ToLower(c)]; return has }) {
		return false
	}
	if len(s.Amounts) > 0 {
		inside := false
		for currency, span := range s.Amounts {
			sum, has := owed[strings.ToLower(currency)]
			inside = inside || has && span.holds(sum)
		}
		if !inside {
			return false
		}
	}
	for key, wanted := range s.Metadata {
		if !slices.Contains(wanted, who.Customer.Metadata[key]) {
			return false
		}
	}
	return true
}

// Conditions answers the fields that are given, as the document names them.
func (s Segment) Conditions() []string {
	var given []string
	for _, c := range []struct {
		name string
		is   bool
	}{
		{"collection", s.Collection != ""}, {"methods", len(s.Methods) > 0}, {"countries", len(s.Countries) > 0},
		{"currencies", len(s.Currencies) > 0}, {"plans", len(s.Plans) > 0}, {"declines", len(s.Declines) > 0},
		{"amounts", len(s.Amounts) > 0}, {"tenure_days", s.Tenure != nil}, {"metadata", len(s.Metadata) > 0},
	} {
		if c.is {
			given = append(given, c.name)
		}
	}
	return given
}
