package dunning

import (
	"fmt"
	"time"

	"sollecito/internal/billing"
)

// Before says what customers are told of before anything has failed, and how long before. The zero value tells nothing.
type Before struct {
	Expiring bool          // the card that the next renewal is charged to expires before it
	Renewals bool          // a renewal comes and there is nothing to charge
	Lead     time.Duration // how long before the renewal it is told
}

// On reports whether anything is told at all.
func (b Before) On() bool { return b.Expiring || b.Renewals }

// Trouble is what will make a renewal fail, in a word; it is the step under which its notice is kept.
type Trouble string

const (
	CardExpires Trouble = "expiring"  // the card is no longer good on the day
	NoMethod    Trouble = "no_method" // there is nothing to charge
)

// Precaution is a renewal ahead that is going to fail unless its customer does something about it. It is told once:
// a card that expires for each card and date, a renewal with nothing to charge for each period.
type Precaution struct {
	Trouble Trouble
	Renewal billing.Subscription // the first that is going to fail
	Card    billing.Method       // of CardExpires
	At      time.Time            // when it will be charged
}

// Mark is what tells one precaution of a customer from another. A renewed card, with another date, is another.
func (p Precaution) Mark() string {
	if p.Trouble == NoMethod {
		return fmt.Sprintf("%s %d", p.Renewal.ID, p.Renewal.PeriodEnd)
	}
	card := p.Card.Fingerprint
	if card == "" {
		card = p.Card.ID
	}
	return fmt.Sprintf("%s %s %04d-%02d", p.Renewal.CustomerID, card, p.Card.ExpYear, p.Card.ExpMonth)
}

// Find answers what the customer is to be told of a renewal within the lead time, the soonest first; false when every
// renewal can be charged as far as is known. It looks at nothing but its arguments.
func (b Before) Find(who billing.Customer, subscriptions []billing.Subscription, methods map[string]billing.Method, now time.Time) (Precaution, bool) {
	var first Precaution
	found := false
	for _, s := range subscriptions {
		p, ok := b.of(who, s, methods, now)
		if ok && (!found || p.At.Before(first.At)) {
			first, found = p, true
		}
	}
	return first, found
}

func (b Before) of(who billing.Customer, s billing.Subscription, methods map[string]billing.Method, now time.Time) (Precaution, bool) {
	at, charged := s.ChargedAt(now.Unix())
	if !charged || s.PeriodEnd > now.Add(b.Lead).Unix() {
		return Precaution{}, false
	}
	p := Precaution{Renewal: s, At: time.Unix(at, 0)}
	method := s.DefaultMethod
	if method == "" {
		method = who.DefaultMethod
	}
	if method == "" {
		p.Trouble = NoMethod
		return p, b.Renewals && !s.LapsesWithoutMethod()
	}
	card, known := methods[method]
	if !known || !card.Expired(at) { // of a method we cannot name nothing is said
		return Precaution{}, false
	}
	p.Trouble, p.Card = CardExpires, card
	return p, b.Expiring
}
