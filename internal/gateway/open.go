package gateway

import (
	"context"

	"sollecito/internal/billing"
)

// Open narrows a listing of open invoices; the zero value is all of them.
type Open struct {
	ByHand            bool  // only those to be paid by hand, collection method send_invoice
	DueFrom, DueUntil int64 // only those due in [DueFrom, DueUntil], unix seconds; 0 for no bound
}

// OpenPage is one page of the account's open invoices.
type OpenPage struct {
	Accounts []billing.Account // whose they are, each with what the page shows of it, not all they have
	Invoices int               // how many the page held
	Last     string            // the id to go on after
	More     bool
}

// OpenPage reads up to 100 open invoices of the whole account with their customers, subscriptions and payment
// methods in one request, the newest first, from the one after on ("" for the first). At Stripe's 25 requests per
// second and endpoint this is what makes an import of many customers a matter of minutes. Errors: fault.NotFound
// when Stripe does not know after, fault.Unavailable.
func (c *Client) OpenPage(ctx context.Context, which Open, after string) (OpenPage, error) {
	p, err := pageAfter[stripeInvoice](ctx, c, "/v1/invoices", which.query(), after)
	if err != nil {
		return OpenPage{}, failed("list open invoices", err)
	}
	page := OpenPage{Invoices: len(p.Data), More: p.HasMore}
	gathered := map[string]*gathering{}
	var order []*gathering
	for n := range p.Data {
		i := &p.Data[n]
		page.Last = i.ID
		if i.Customer == nil { // belongs to an account of Stripe's newer kind, which this version cannot name
			continue
		}
		g := gathered[i.Customer.ID]
		if g == nil {
			holder, err := c.whole(ctx, i.Customer)
			if err != nil {
				return OpenPage{}, err
			}
			g = c.gather(holder)
			gathered[i.Customer.ID] = g
			order = append(order, g)
		}
		err := c.complete(ctx, i)
		if err != nil {
			return OpenPage{}, err
		}
		err = g.add(ctx, c, i)
		if err != nil {
			return OpenPage{}, err
		}
	}
	for _, g := range order {
		g.account.Methods = g.found.list(g.account.Customer.ID)
		page.Accounts = append(page.Accounts, g.account)
	}
	return page, nil
}

// query asks for these invoices with all that a reading of their customers says.
func (o Open) query() query {
	q := expanding(
		"data.customer.invoice_settings.default_payment_method", "data.customer.default_source",
		"data.subscription.default_payment_method", "data.subscription.default_source",
		"data.payment_intent.payment_method", "data.payment_intent.latest_charge", "data.charge",
		"data.default_payment_method", "data.default_source",
	).with("status", "open")
	if o.ByHand {
		q = q.with("collection_method", "send_invoice")
	}
	if o.DueFrom > 0 {
		q = q.number("due_date[gte]", o.DueFrom)
	}
	if o.DueUntil > 0 {
		q = q.number("due_date[lte]", o.DueUntil)
	}
	return q
}

// gathering is one customer as a page shows them.
type gathering struct {
	account billing.Account
	holder  *stripeCustomer
	found   methods
	seen    map[string]bool // subscriptions
	now     int64
}

func (c *Client) gather(holder *stripeCustomer) *gathering {
	g := &gathering{holder: holder, seen: map[string]bool{}, now: c.now().Unix()}
	if holder.Deleted {
		g.account.Customer = billing.Customer{ID: holder.ID, Deleted: true, SyncedAt: g.now}
		return g
	}
	g.account.Customer = translateCustomer(holder, g.now)
	g.found.ofCustomer(holder)
	return g
}

func (g *gathering) add(ctx context.Context, c *Client, i *stripeInvoice) error {
	g.found.ofInvoice(i)
	reading := invoiceReading{invoice: i, subscription: i.Subscription, customer: g.holder, now: g.now}
	g.account.Invoices = append(g.account.Invoices, reading.translate())
	if i.Subscription == nil || i.Subscription.Status == "" || g.seen[i.Subscription.ID] {
		return nil
	}
	g.seen[i.Subscription.ID] = true
	g.found.ofSubscription(i.Subscription)
	names, err := c.productsOf(ctx, i.Subscription)
	if err != nil {
		return err
	}
	g.account.Subscriptions = append(g.account.Subscriptions, translateSubscription(i.Subscription, g.holder, names))
	return nil
}
