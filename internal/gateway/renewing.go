package gateway

import (
	"context"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/subscription"

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
	list := listing(ctx)
	list.Single = true
	if after != "" {
		list.StartingAfter = stripe.String(after)
	}
	params := &stripe.SubscriptionListParams{
		ListParams:            list,
		CollectionMethod:      stripe.String(string(stripe.SubscriptionCollectionMethodChargeAutomatically)),
		CurrentPeriodEndRange: &stripe.RangeQueryParams{GreaterThan: from, LesserThanOrEqual: until},
	}
	for _, field := range []string{
		"data.customer.invoice_settings.default_payment_method", "data.customer.default_source",
		"data.default_payment_method", "data.default_source",
	} {
		params.AddExpand(field)
	}
	pages := subscription.Client{B: c.backend, Key: c.key}.List(params)
	var page RenewingPage
	gathered := map[string]*gathering{}
	var order []*gathering
	for pages.Next() {
		s := pages.Subscription()
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
	if pages.Err() != nil {
		return RenewingPage{}, failed("list renewing subscriptions", pages.Err())
	}
	page.More = pages.SubscriptionList().HasMore
	for _, g := range order {
		g.account.Methods = g.found.list(g.account.Customer.ID)
		page.Accounts = append(page.Accounts, g.account)
	}
	return page, nil
}
