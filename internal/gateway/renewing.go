package gateway

import (
	"context"

	"sollecito/internal/billing"
)

// RenewingPage is one page of the account's subscriptions that renew within some time.
type RenewingPage struct {
	Accounts []billing.Account // whose they are, each with what the page shows of it, not all they have
	Last     string            // the id to go on after
	More     bool
}

// RenewingPage reads up to 100 subscriptions that are charged by themselves and whose period ends in (from, until],
// unix seconds, with their customers and the methods they are charged to, in one request, the newest first, from the
// one after on ("" for the first). Errors: fault.NotFound when Stripe does not know after, fault.Unavailable.
func (c *Client) RenewingPage(ctx context.Context, from, until int64, after string) (RenewingPage, error) {
	which := expanding("data.customer.invoice_settings.default_payment_method", "data.customer.default_source",
		"data.default_payment_method", "data.default_source").
		with("collection_method", "charge_automatically").number("current_period_end[gt]", from).number("current_period_end[lte]", until)
	p, err := pageAfter[plainSubscription](ctx, c, "/v1/subscriptions", which, after)
	if err != nil {
		return RenewingPage{}, failed("list renewing subscriptions", err)
	}
	page := RenewingPage{More: p.HasMore}
	gathered := map[string]*gathering{}
	var order []*gathering
	for n := range p.Data {
		s := (*stripeSubscription)(&p.Data[n])
		page.Last = s.ID
		if s.Customer == nil { // belongs to an account of Stripe's newer kind, which this version cannot name
			continue
		}
		g := gathered[s.Customer.ID]
		if g == nil {
			holder, err := c.whole(ctx, s.Customer)
			if err != nil {
				return RenewingPage{}, err
			}
			g = c.gather(holder)
			gathered[s.Customer.ID] = g
			order = append(order, g)
		}
		g.found.ofSubscription(s)
		names, err := c.productsOf(ctx, s)
		if err != nil {
			return RenewingPage{}, err
		}
		g.account.Subscriptions = append(g.account.Subscriptions, translateSubscription(s, g.holder, names))
	}
	for _, g := range order {
		g.account.Methods = g.found.list(g.account.Customer.ID)
		page.Accounts = append(page.Accounts, g.account)
	}
	return page, nil
}
