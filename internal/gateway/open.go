package gateway

import (
	"context"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/invoice"

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
	pages := invoice.Client{B: c.backend, Key: c.key}.List(which.params(ctx, after))
	var page OpenPage
	var said map[string]spoken
	gathered := map[string]*gathering{}
	var order []*gathering
	for pages.Next() {
		if said == nil {
			said = spokenOfPage(pages.InvoiceList().LastResponse.RawJSON)
		}
		i := pages.Invoice()
		page.Invoices++
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
		of := said[i.ID]
		err := c.complete(ctx, i, &of)
		if err != nil {
			return OpenPage{}, err
		}
		err = g.add(ctx, c, i, of)
		if err != nil {
			return OpenPage{}, err
		}
	}
	if pages.Err() != nil {
		return OpenPage{}, failed("list open invoices", pages.Err())
	}
	page.More = pages.InvoiceList().HasMore
	for _, g := range order {
		g.account.Methods = g.found.list(g.account.Customer.ID)
		page.Accounts = append(page.Accounts, g.account)
	}
	return page, nil
}

// params ask for one page of these invoices, after the invoice named, with all that a reading of their customers says.
func (o Open) params(ctx context.Context, after string) *stripe.InvoiceListParams {
	list := listing(ctx)
	list.Single = true
	if after != "" {
		list.StartingAfter = stripe.String(after)
	}
	params := &stripe.InvoiceListParams{ListParams: list, Status: stripe.String("open")}
	if o.ByHand {
		params.CollectionMethod = stripe.String("send_invoice")
	}
	if o.DueFrom > 0 || o.DueUntil > 0 {
		params.DueDateRange = &stripe.RangeQueryParams{GreaterThanOrEqual: o.DueFrom, LesserThanOrEqual: o.DueUntil}
	}
	for _, field := range []string{
		"data.customer.invoice_settings.default_payment_method", "data.customer.default_source",
		"data.subscription.default_payment_method", "data.subscription.default_source",
		"data.payment_intent.payment_method", "data.payment_intent.latest_charge", "data.charge",
		"data.default_payment_method", "data.default_source",
	} {
		params.AddExpand(field)
	}
	return params
}

// gathering is one customer as a page shows them.
type gathering struct {
	account billing.Account
	holder  *stripe.Customer
	found   methods
	seen    map[string]bool // subscriptions
	now     int64
}

func (c *Client) gather(holder *stripe.Customer) *gathering {
	g := &gathering{holder: holder, seen: map[string]bool{}, now: c.now().Unix()}
	if holder.Deleted {
		g.account.Customer = billing.Customer{ID: holder.ID, Deleted: true, SyncedAt: g.now}
		return g
	}
	g.account.Customer = translateCustomer(holder, g.now)
	g.found.ofCustomer(holder)
	return g
}

func (g *gathering) add(ctx context.Context, c *Client, i *stripe.Invoice, said spoken) error {
	g.found.ofInvoice(i)
	reading := invoiceReading{invoice: i, spoken: said, subscription: i.Subscription, customer: g.holder, now: g.now}
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
