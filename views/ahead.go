package views

import "sollecito/internal/billing"

// AheadPage is what an email's link opens while nothing is owed but the next renewal is going to fail: the card expires
// before it, or there is nothing to charge. The one button leads to GET /pay/card, which only saves a card. GET /pay.
type AheadPage struct {
	Frame
	FirstName string
	Card      *CardOnFile // the one that expires; nil when there is nothing to charge
	What      string      // what renews; "" when unknown
	Renewal   Renewal
	ForFuture []string // the subscriptions a new card will serve
}

// word chooses among the page's sentences.
func (p AheadPage) word() string {
	switch {
	case p.Card == nil:
		return "no_method"
	case p.Card.Expired:
		return "expired"
	}
	return "expiring"
}

func (p AheadPage) sum() []billing.Money { return []billing.Money{p.Renewal.Amount} }
